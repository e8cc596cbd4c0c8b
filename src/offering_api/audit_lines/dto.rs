//! The wire of audit lines.
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::node_id;
use crate::kernel::record::field::{Choices, Derived, Field, MAX_SAFE_INTEGER};
use crate::kernel::record::render::{write_disablable_reference, write_text};
use crate::kernel::record::{Collection, Record, schema};
use crate::{list_parameters, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "AuditLine";

/// Types of records that leave entries, those of app packages among them: the type in their nodeIDs, and
/// the longest text by which they are known, in characters.
const AUDITED: &[(&str, &str, u32)] = &[
    ("app_instance", "AppInstance", 200),
    ("app_offering", "AppOffering", 200),
    ("app_offering_automation_rule", "AppOfferingAutomationRule", 200),
    ("app_offering_scope", "AppOfferingScope", 200),
    ("application", "Application", 200),
    ("application_version", "ApplicationVersion", 200),
    ("automation_rule", "AutomationRule", 200),
    ("entitlement", "Entitlement", 200),
    ("package", "Package", 200),
    // A path and a URL.
    ("package_file", "PackageFile", 1024),
    ("package_subscription", "PackageSubscription", 2000),
    ("service_instance", "ServiceInstance", 200),
    ("ui_extension", "UiExtension", 200),
    ("ui_extension_version", "UiExtensionVersion", 200),
    ("webhook", "Webhook", 200),
    ("webhook_policy", "WebhookPolicy", 200),
];

const ID: Field = Field::id().doc("Number of the entry.");
const NODE_ID: Field = Field::node_id(r#""bG9jYWxob3N0L0F1ZGl0TGluZS85MDA""#);
static ACTIONS: Choices = Choices {
    name: "AuditAction",
    doc: "What happened to a record.",
    words: &["create", "update", "destroy", "info"],
};
const ACTION: Field = Field::choice("action", &ACTIONS)
    .listed()
    .doc("What happened to the record.")
    .example(r#""update""#);
const CREATED_AT: Field = Field::created_at().listed().doc("When it happened.");
const CREATED_BY: Field = Field::derived("created_by", &PERSON)
    .listed()
    .doc(
        "Who did it. Applications, and the service itself (`Appmarket`), have a disabled person each that \
         stands for them.",
    )
    .example(r#"{"id":1,"name":"Ann Lee","nodeID":"bG9jYWxob3N0L1BlcnNvbi8x"}"#);
const CHANGES: Field = Field::derived("changes", &CHANGED)
    .doc("Old and new value by field; references are told by number.")
    .example(r#"{"disabled":[false,true]}"#);

/// Entries of all records of an account.
pub static RECORD: Record = Record {
    name: "audit_line",
    table: "audit_lines",
    node_type: NODE_TYPE,
    fields: &[
        ID,
        NODE_ID,
        ACTION,
        Field::derived("audited", &RECORD_OF)
            .listed()
            .doc("Type of the record; the property of this name tells which one.")
            .example(r#""app_offering""#),
        CREATED_AT.filterable(),
        CREATED_BY,
        CHANGES.single_only(),
    ],
};

/// Entries of one record.
pub static RECORD_OF_ONE: Record = Record {
    name: "audit_line",
    table: "audit_lines",
    node_type: NODE_TYPE,
    fields: &[ID, NODE_ID, ACTION, CREATED_AT.filterable(), CREATED_BY, CHANGES.listed()],
};

/// The list of all entries.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["-id"],
    counted: true,
    foreign: false,
    predefined: &[],
};

/// The list of a record's entries. Those of an app instance are the provider's, and the customer reads them too.
pub static OF_RECORD: Collection = Collection {
    record: &RECORD_OF_ONE,
    default_sort: &["-id"],
    counted: false,
    foreign: true,
    predefined: &[],
};

static PERSON: Derived = Derived {
    joins: &["JOIN people p ON p.id = t.person_id"],
    columns: &[
        "p.id",
        "p.name",
        "NULL",
        "p.account_id",
        "CASE WHEN p.account_id <> {account} THEN (SELECT name FROM accounts WHERE id = p.account_id) END",
        "p.disabled",
    ],
    write: |out, row, at, view| write_disablable_reference(out, row, at, view, "Person"),
    schema: ("PersonReference", PERSON_SCHEMA),
};

/// Schema `PersonReference`.
pub const PERSON_SCHEMA: &str = r##"{
    "type": "object", "description": "A person.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the person.", "examples": [1]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                 "description": "Name of the person.", "examples": ["Ann Lee"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the person.", "examples": ["bG9jYWxob3N0L1BlcnNvbi8x"]},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when the person belongs to another account than the caller's."},
        "disabled": {"type": "boolean", "description": "Only when it is true: the person is disabled.",
                     "examples": [true]}
    }
}"##;

static CHANGED: Derived = Derived {
    joins: &[],
    columns: &["t.changes"],
    write: |out, row, at, _| {
        out.extend_from_slice(row.text(at).as_deref().unwrap_or("{}").as_bytes())
    },
    schema: ("AuditChanges", CHANGES_SCHEMA),
};

const CHANGES_SCHEMA: &str = r##"{
    "type": "object", "maxProperties": 200,
    "description": "Old and new value of each changed field.",
    "additionalProperties": {
        "type": "array", "minItems": 2, "maxItems": 2,
        "items": {
            "title": "AuditValue", "description": "A value, as the type of the field has it.",
            "anyOf": [
                {"type": "string", "maxLength": 700000, "pattern": "^[^\\x00]*$"},
                {"type": "integer", "format": "int64", "minimum": -9007199254740991, "maximum": 9007199254740991},
                {"type": "boolean"},
                {"type": "array", "maxItems": 10000, "items": {
                    "title": "AuditElement", "description": "Part of a list.",
                    "anyOf": [
                        {"type": "string", "maxLength": 65535, "pattern": "^[^\\x00]*$"},
                        {"$ref": "#/components/schemas/CustomField"}
                    ]
                }},
                {"type": "null"}
            ]
        },
        "description": "The old and the new value; of files, the keys before and after.",
        "examples": [[false, true]]
    }
}"##;

/// The type of the record, and behind it the property of that name with the reference.
static RECORD_OF: Derived = Derived {
    joins: &[],
    columns: &["t.record_type", "t.record_id", "t.record_label"],
    write: |out, row, at, view| {
        let kind = row.text(at).unwrap_or_default().into_owned();
        write_text(out, Some(&kind));
        let id = row.int(at + 1).unwrap_or_default();
        let known = AUDITED.iter().find(|(name, ..)| *name == kind);
        let node_type = known.map_or("", |(_, node_type, _)| node_type);
        let display = if kind == "app_offering" { "reference" } else { "name" };
        let mut reference = Map::new();
        reference.insert("id".to_owned(), id.into());
        reference.insert(display.to_owned(), row.text(at + 2).into());
        reference
            .insert("nodeID".to_owned(), node_id::encode(&view.site.domain, node_type, id).into());
        out.push(b',');
        write_text(out, Some(&kind));
        out.push(b':');
        out.extend_from_slice(Value::Object(reference).to_string().as_bytes());
    },
    schema: (
        "",
        r#"{"type": "string", "enum": ["app_instance", "app_offering", "app_offering_automation_rule",
            "app_offering_scope", "application", "application_version", "automation_rule", "entitlement", "package", "package_file",
            "package_subscription", "service_instance", "ui_extension", "ui_extension_version",
            "webhook", "webhook_policy"]}"#,
    ),
};

/// Adds the properties of which exactly the one that `audited` names is there, behind it.
fn with_records(schema: RefOr<Schema>) -> RefOr<Schema> {
    let mut schema = schema::to_json(&schema);
    let Some(properties) = schema["properties"].as_object_mut() else {
        return schema::from_json(schema);
    };
    let behind = properties.keys().position(|name| name == "audited").map_or(0, |at| at + 1);
    let most = AUDITED.iter().map(|(_, _, most)| most).max();
    for (offset, (name, ..)) in AUDITED.iter().enumerate() {
        let (title, display) = match *name {
            "app_offering" => ("AuditedAppOffering", "reference"),
            _ => ("AuditedRecord", "name"),
        };
        let record = json!({
            "title": title,
            "type": "object",
            "description": "The record that an entry is about.",
            schema::HERE: format!("Only when `audited` is `{name}`: the record."),
            "required": ["id", display, "nodeID"],
            "properties": {
                "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_SAFE_INTEGER,
                       "description": "Number of the record.", "examples": [1]},
                display: {"type": "string", "maxLength": most, "pattern": schema::ANY_TEXT,
                          "description": "What it was called when the entry was written.",
                          "examples": ["note-dispatcher"]},
                "nodeID": {"type": "string", "minLength": 1, "maxLength": 400,
                           "pattern": "^[A-Za-z0-9_-]+$", "description": "nodeID of the record.",
                           "examples": ["bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"]},
            },
        });
        properties.shift_insert(behind + offset, (*name).to_owned(), record);
    }
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    AuditLine: |record| with_records(schema::output(record, "An entry of the audit trail.")),
    AuditLineItem: |record| with_records(schema::item(record, "An entry in a list: the selected fields.")),
);
record_schemas!(RECORD_OF_ONE =>
    RecordAuditLineItem: |record| schema::item(record, "An entry about one record: the selected fields."),
);
list_parameters!(COLLECTION => AuditLineQuery);
list_parameters!(OF_RECORD => RecordAuditQuery);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_in_the_manual() {
        let schema: Value = serde_json::from_str(RECORD_OF.schema.1).unwrap();
        let names: Vec<&str> = AUDITED.iter().map(|(name, ..)| *name).collect();
        assert_eq!(schema, json!({"type": "string", "enum": names}));
    }
}
