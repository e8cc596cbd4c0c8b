//! The wire of service instances (contract 3.5), and the reference that other records show.
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::db::Row;
use crate::kernel::record::field::{
    Choices, Derived, Field, Kind, MAX_SAFE_INTEGER, MAX_URL, Reference,
};
use crate::kernel::record::render::{write_int, write_reference, write_text};
use crate::kernel::record::{Collection, Predefined, Record, View, schema};
use crate::offering_api::resource::Write;
use crate::offering_api::ui_extensions::dto as ui_extensions;
use crate::{attachments_output, list_parameters, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "ServiceInstance";

/// States of a service instance; the last one makes it inactive.
static STATUS: Choices = Choices {
    name: "ServiceInstanceStatus",
    doc: "Where a service instance is in its life.",
    words: &["being_prepared", "in_production", "discontinued"],
};
/// How badly its outage hits.
static IMPACT: Choices = Choices {
    name: "OutageImpact",
    doc: "How badly an outage hits.",
    words: &["low", "medium", "high", "top"],
};

/// The record, field by field.
pub static RECORD: Record = Record {
    name: "service_instance",
    table: "service_instances",
    node_type: NODE_TYPE,
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L1NlcnZpY2VJbnN0YW5jZS8x""#),
        Field::source(),
        Field::source_id(),
        Field::text("name", 80)
            .writable()
            .required()
            .listed()
            .filterable()
            .sortable()
            .doc("Name of the service instance.")
            .example(r#""Echo Production""#),
        Field::choice("status", &STATUS)
            .writable()
            .listed()
            .filterable()
            .sortable()
            .default(r#""being_prepared""#)
            .doc("Where it is in its life; `discontinued` makes it inactive.")
            .example(r#""in_production""#),
        Field::reference("service", "service_id", &SERVICE)
            .writable()
            .required()
            .listed()
            .filterable()
            .sortable()
            .doc(
                "Service that this is an instance of. Services are not kept here: a number is taken \
                 as it is, with the name that the account last gave it.",
            )
            .example(SERVICE_EXAMPLE),
        Field::reference("support_team", "support_team_id", &SUPPORT_TEAM)
            .writable()
            .nullable()
            .listed()
            .filterable()
            .sortable()
            .doc("Team that supports it, known by number and name only.")
            .example(TEAM_EXAMPLE),
        Field::reference("first_line_team", "first_line_team_id", &FIRST_LINE_TEAM)
            .writable()
            .nullable()
            .doc("Team that looks at requests first, known by number and name only.")
            .example(TEAM_EXAMPLE),
        Field::reference("maintenance_window", "maintenance_window_id", &MAINTENANCE_WINDOW)
            .writable()
            .nullable()
            .doc("Calendar of its maintenance, known by number and name only.")
            .example(r#"{"id":3,"name":"Sunday night","nodeID":"bG9jYWxob3N0L0NhbGVuZGFyLzM"}"#),
        Field::choice("impact", &IMPACT)
            .nullable()
            .doc("How badly its current outage hits; null as long as there is none.")
            .example("null"),
        Field::text("time_zone", 64)
            .writable()
            .nullable()
            .doc("Time zone in which it is used, as `Amsterdam` or `Europe/Amsterdam`; shown by its short name.")
            .example(r#""Amsterdam""#),
        Field::new("picture_uri", "picture_uri", Kind::Text { max: MAX_URL, format: Some(HTTP_URL) })
            .writable()
            .nullable()
            .doc("Address of its picture.")
            .example(r#""https://example.org/echo.png""#),
        Field::long_text("remarks")
            .writable()
            .doc("Notes about it, as Markdown.")
            .example(r#""Runs in two data centres.""#),
        Field::attachments("remarks_attachments", "Files to add to the remarks, or to remove from them."),
        Field::derived("attachments", &ATTACHMENTS).doc("Files that the remarks use.").example("[]"),
        Field::derived("ui_extension", &NO_UI_EXTENSION)
            .nullable()
            .doc(
                "Form of its custom fields. It comes with the service; services are not kept here, so \
                 that it is always null.",
            ),
        Field::new("custom_fields", "custom_fields", Kind::CustomFields)
            .writable()
            .doc(
                "Custom fields. Those that a change does not mention keep their value; a null value \
                 removes one, null instead of the list all of them.",
            )
            .example(r#"[{"id":"url","value":"https://echo.example.org"}]"#),
        Field::created_at().listed().filterable().sortable(),
        Field::updated_at().listed().filterable().sortable(),
    ],
};

/// What an address looks like; the service checks it.
const HTTP_URL: &str = r"^(?:[Hh][Tt][Tt][Pp][Ss]?://\S+|)$";

static ATTACHMENTS: Derived = attachments_output!("service_instance");

/// A service instance has no UI extension as long as services have none.
static NO_UI_EXTENSION: Derived = Derived {
    joins: &[],
    columns: &[],
    write: |out, _, _, _| out.extend_from_slice(b"null"),
    schema: ui_extensions::REFERENCE_SCHEMA,
};

/// Lists of service instances.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["name"],
    counted: true,
    foreign: false,
    predefined: &[
        Predefined {
            name: "active",
            condition: "t.account_id = {account} AND t.status <> 'discontinued'",
            foreign: false,
        },
        Predefined {
            name: "inactive",
            condition: "t.account_id = {account} AND t.status = 'discontinued'",
            foreign: false,
        },
    ],
};

/// A record that is known by number and name only.
macro_rules! known_by_name {
    ($node_type:literal, $schema:literal, $id:literal, $name:literal) => {
        Reference {
            output: Derived {
                joins: &[],
                columns: &[$id, $name],
                write: |out, row, at, view| {
                    write_named(out, row, at, view, $node_type);
                },
                schema: ($schema, NAMED_SCHEMA),
            },
            node_type: $node_type,
        }
    };
}

static SUPPORT_TEAM: Reference =
    known_by_name!("Team", "TeamReference", "t.support_team_id", "t.support_team_name");
static FIRST_LINE_TEAM: Reference =
    known_by_name!("Team", "TeamReference", "t.first_line_team_id", "t.first_line_team_name");
static MAINTENANCE_WINDOW: Reference = known_by_name!(
    "Calendar",
    "CalendarReference",
    "t.maintenance_window_id",
    "t.maintenance_window_name"
);

/// Writes `{"id","name","nodeID"}` from an id and a name.
fn write_named(out: &mut Vec<u8>, row: &dyn Row, at: usize, view: &View, node_type: &str) {
    let Some(id) = row.int(at) else {
        out.extend_from_slice(b"null");
        return;
    };
    out.extend_from_slice(b"{\"id\":");
    write_int(out, Some(id));
    out.extend_from_slice(b",\"name\":");
    write_text(out, row.text(at + 1).as_deref());
    view.write_node_id(out, node_type, id);
    out.push(b'}');
}

/// The service, with the organization that provides it.
static SERVICE: Reference = Reference {
    output: Derived {
        joins: &[],
        columns: &["t.service_id", "t.service_name", "t.provider_id", "t.provider_name"],
        write: |out, row, at, view| {
            write_named(out, row, at, view, "Service");
            // Before the brace that closes the reference.
            out.pop();
            out.extend_from_slice(b",\"provider\":");
            write_named(out, row, at + 2, view, "Organization");
            out.push(b'}');
        },
        schema: ("ServiceReference", SERVICE_SCHEMA),
    },
    node_type: "Service",
};

const SERVICE_EXAMPLE: &str =
    r#"{"id":1,"name":"Integrations","nodeID":"bG9jYWxob3N0L1NlcnZpY2UvMQ","provider":null}"#;
const TEAM_EXAMPLE: &str =
    r#"{"id":5,"name":"Integration Desk","nodeID":"bG9jYWxob3N0L1RlYW0vNQ"}"#;

const NAMED_SCHEMA: &str = r##"{
    "type": "object", "description": "A record that this server knows by number and name only.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the record.", "examples": [5]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                 "description": "The name that the account last gave it, else its type and number.",
                 "examples": ["Integration Desk"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the record.",
                   "examples": ["bG9jYWxob3N0L1RlYW0vNQ"]}
    }
}"##;

const SERVICE_SCHEMA: &str = r##"{
    "type": "object", "description": "A service, which this server knows by number and name only.",
    "required": ["id", "name", "nodeID", "provider"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the service.", "examples": [1]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                 "description": "The name that the account last gave it, else `Service` and its number.",
                 "examples": ["Integrations"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the service.",
                   "examples": ["bG9jYWxob3N0L1NlcnZpY2UvMQ"]},
        "provider": {
            "title": "OrganizationReference", "type": ["object", "null"],
            "description": "Organization that provides the service; null until the account tells it.",
            "required": ["id", "name", "nodeID"],
            "properties": {
                "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                       "description": "Number of the organization.", "examples": [9]},
                "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                         "description": "Name of the organization.", "examples": ["Widget Data Center"]},
                "nodeID": {"type": "string", "minLength": 1, "maxLength": 400,
                           "pattern": "^[A-Za-z0-9_-]+$", "description": "nodeID of the organization.",
                           "examples": ["bG9jYWxob3N0L09yZ2FuaXphdGlvbi85"]}
            }
        }
    }
}"##;

/// How other records show and name a service instance.
pub static REFERENCE: Reference = Reference {
    output: Derived {
        joins: &["LEFT JOIN service_instances si ON si.id = t.service_instance_id"],
        columns: &[
            "si.id",
            "si.name",
            "si.source_id",
            "si.account_id",
            "CASE WHEN si.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = si.account_id) END",
        ],
        write: |out, row, at, view| write_reference(out, row, at, view, NODE_TYPE),
        schema: ("ServiceInstanceReference", SCHEMA),
    },
    node_type: NODE_TYPE,
};

const SCHEMA: &str = r##"{
    "type": "object",
    "description": "A service instance. It cannot be disabled; a discontinued one is shown like any other.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the service instance.", "examples": [1]},
        "name": {"type": "string", "maxLength": 80, "pattern": "^[^\\x00]*$",
                 "description": "Name of the service instance.", "examples": ["Our Integration"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the service instance.",
                   "examples": ["bG9jYWxob3N0L1NlcnZpY2VJbnN0YW5jZS8x"]},
        "sourceID": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                     "description": "Only when it is set: id in the system it came from.",
                     "examples": ["ERP-4711"]},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when it belongs to another account than the caller's."}
    }
}"##;

/// Longest name of a record of another system, in characters.
pub const NAME_MAX: u32 = 128;

/// References to records of other systems, and what they are in the words of the manual.
const NAMED: [(&str, &str); 4] = [
    ("service", "The service"),
    ("support_team", "The team that supports it"),
    ("first_line_team", "The team that looks first"),
    ("maintenance_window", "The calendar of its maintenance"),
];

/// Adds the second way to write a reference to a record that is known by its name: with that name.
fn with_names(schema: RefOr<Schema>) -> RefOr<Schema> {
    let mut schema = schema::to_json(&schema);
    let number = json!({"type": "integer", "format": "int64", "minimum": 1,
        "maximum": MAX_SAFE_INTEGER, "description": "Its number.", "examples": [1]});
    let name = json!({"type": ["string", "null"], "maxLength": NAME_MAX, "pattern": schema::ANY_TEXT,
        "description": "Its name, from now on in all records of the account. Left out it stays.",
        "examples": ["Integrations"]});
    for (field, what) in NAMED {
        let mut properties = json!({"id": number, "name": name});
        if field == "service" {
            properties["provider"] = json!({
                "title": "OrganizationName",
                "type": ["object", "null"],
                "description": "Organization that provides the service, likewise.",
                "required": ["id", "name"],
                "properties": {
                    "id": number,
                    "name": {"type": "string", "minLength": 1, "maxLength": NAME_MAX,
                             "pattern": schema::ANY_TEXT, "description": "Its name.",
                             "examples": ["Widget Data Center"]},
                },
                "examples": [{"id": 9, "name": "Widget Data Center"}],
            });
        }
        let (title, kind) = match field {
            "service" => ("ServiceName", json!("object")),
            _ => ("RecordName", json!(["object", "null"])),
        };
        schema["properties"][field] = json!({
            "title": title,
            "type": kind,
            "description": "A record that this server knows by number and name only.",
            schema::HERE: format!(
                "{what} with its name; instead of `{field}_id`, which goes first where a body has both."),
            "required": ["id"],
            "properties": properties,
            "examples": [{"id": 1, "name": "Integrations"}],
        });
    }
    schema::from_json(schema)
}

/// A create needs the service in one of its two forms.
fn create(record: &Record) -> RefOr<Schema> {
    let schema = schema::input(
        record,
        "A new service instance. One of `service_id` and `service` is required: it names the service.",
        true,
    );
    let either = "One of `service_id` and `service` is required.";
    let schema = schema::with_sentence(with_names(schema), &["service_id"], either);
    let mut schema = schema::to_json(&schema);
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name != "service_id");
    }
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    ServiceInstance: |record| schema::output(record, "A service instance."),
    ServiceInstanceItem: |record| schema::item(record, "A service instance in a list: the selected fields."),
    CreateServiceInstance: create,
    UpdateServiceInstance: |record| Write::with_source_checked(with_names(schema::input(
        record, "Changes to a service instance. Properties left out keep their value.", false))),
);
list_parameters!(COLLECTION => ServiceInstanceQuery);
