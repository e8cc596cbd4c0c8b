//! The wire of the caller, their account and the enumerations (contract 3.10, 1.17).
use serde_json::{Map, json};
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::language::enumerations::enumerations;
use crate::kernel::record::Record;
use crate::kernel::record::field::{Derived, Field};
use crate::kernel::record::render::write_text;
use crate::kernel::record::schema::{self, ACCOUNT_REFERENCE};
use crate::kernel::time_zone::TimeZone;
use crate::offering_api::audit_lines::dto::PERSON_SCHEMA;
use crate::{literal_schema, record_schemas};

/// Type in nodeIDs of people.
pub const PERSON_NODE_TYPE: &str = "Person";

/// People, as they see themselves.
pub static PERSON: Record = Record {
    name: "person",
    table: "people",
    node_type: PERSON_NODE_TYPE,
    fields: &[
        Field::id().doc("Number of the person."),
        Field::node_id(r#""bG9jYWxob3N0L1BlcnNvbi8x""#),
        Field::derived("source", &NO_TEXT)
            .nullable()
            .doc("Where the record came from; people are made on the server's command line."),
        Field::derived("sourceID", &NO_TEXT)
            .nullable()
            .doc("Id of the person in the system they came from."),
        Field::text("name", 128).doc("Name of the person.").example(r#""Ann Lee""#),
        Field::text("primary_email", 254)
            .format(r"^[^\s@]+@\S+$")
            .doc("E-mail address, unique within the account.")
            .example(r#""ann.lee@wdc.example""#),
        Field::derived("job_title", &NO_TEXT).nullable().doc("Title of the person's job."),
        Field::derived("organization", &NO_RECORD)
            .nullable()
            .doc("Organization of the person; this service keeps none."),
        Field::derived("site", &NO_RECORD)
            .nullable()
            .doc("Where the person works; this service keeps no sites."),
        Field::derived("manager", &NO_PERSON).nullable().doc("Who leads the person."),
        Field::boolean("disabled").doc("Whether the person's tokens are refused."),
        Field::derived("locale", &LOCALE)
            .doc("Language of messages: that of the account.")
            .example(r#""en""#),
        Field::derived("time_zone", &TIME_ZONE)
            .doc("Time zone of timestamps: that of the account.")
            .example(r#""Amsterdam""#),
        Field::derived("time_format_24h", &TIME_FORMAT)
            .doc("Whether times of day are shown with 24 hours.")
            .example("true"),
        Field::created_at(),
        Field::updated_at(),
    ],
};

const NO_TEXT: Derived = Derived {
    joins: &[],
    columns: &[],
    write: |out, _, _, _| out.extend_from_slice(b"null"),
    schema: ("", r#"{"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$"}"#),
};

const NO_RECORD: Derived = Derived { schema: ("NamedReference", NAMED_REFERENCE), ..NO_TEXT };

const NO_PERSON: Derived = Derived { schema: ("PersonReference", PERSON_SCHEMA), ..NO_TEXT };

const LOCALE: Derived = Derived {
    joins: &["JOIN accounts home ON home.id = t.account_id"],
    columns: &["home.locale"],
    write: |out, row, at, _| write_text(out, row.text(at).as_deref()),
    schema: ("", r#"{"type": "string", "maxLength": 35, "pattern": "^[A-Za-z]{2}([-_].*)?$"}"#),
};

const TIME_ZONE: Derived = Derived {
    columns: &["home.time_zone"],
    write: |out, row, at, _| {
        write_text(out, Some(time_zone(row.text(at).as_deref().unwrap_or_default())));
    },
    schema: ("", r#"{"type": "string", "maxLength": 64, "pattern": "^[^\\x00]+$"}"#),
    ..LOCALE
};

const TIME_FORMAT: Derived = Derived {
    // No setting of a person or account: the contract's default.
    write: |out, _, _, _| out.extend_from_slice(b"true"),
    schema: ("", r#"{"type": "boolean"}"#),
    ..NO_TEXT
};

/// The short name of a stored time zone. An account's zone was checked when it was made.
pub fn time_zone(stored: &str) -> &'static str {
    TimeZone::parse(stored).unwrap_or(TimeZone::UTC).name()
}

/// Plans that the contract knows; a server of one's own has all there is.
pub const PLAN: &str = "premium_plus";

const NAMED_REFERENCE: &str = r#"{
    "type": "object", "description": "A record that is known by its name.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the record.", "examples": [1]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                 "description": "Name of the record.", "examples": ["Acme Amsterdam"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the record.", "examples": ["bG9jYWxob3N0L1NpdGUvMQ"]}
    }
}"#;

const ACCOUNT: &str = r##"{
    "type": "object", "description": "The account in whose context the call is executed.",
    "required": ["id", "name", "url", "plan", "currency", "locale", "time_zone", "time_format_24h",
                 "start_of_week", "strong_privacy", "organization", "owner", "directory_account"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[a-z0-9-]+$",
               "readOnly": true, "description": "Id of the account.", "examples": ["wdc"]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$", "readOnly": true,
                 "description": "Name of the account.", "examples": ["Widget Data Center"]},
        "url": {"type": "string", "format": "uri", "maxLength": 2048, "readOnly": true,
                "description": "Address of the account's pages. This service shows no records there: they are read at their addresses below `/v1`, by their `id`.",
                "examples": ["https://wdc.example.test"]},
        "plan": {"type": "string", "enum": ["basic", "premium", "premium_plus"], "readOnly": true,
                 "description": "What the account may use; here always everything.",
                 "examples": ["premium_plus"]},
        "currency": {"type": ["string", "null"], "minLength": 3, "maxLength": 3, "pattern": "^[A-Z]{3}$",
                     "readOnly": true,
                     "description": "Currency of the account's books; null, as this service keeps no amounts."},
        "locale": {"type": "string", "maxLength": 35, "pattern": "^[A-Za-z]{2}([-_].*)?$",
                   "readOnly": true, "description": "Language of messages.", "examples": ["en"]},
        "time_zone": {"type": "string", "maxLength": 64, "pattern": "^[^\\x00]+$", "readOnly": true,
                      "description": "Time zone of timestamps, one of `GET /v1/enums`.",
                      "examples": ["Amsterdam"]},
        "time_format_24h": {"type": "boolean", "readOnly": true,
                            "description": "Whether times of day are shown with 24 hours.",
                            "examples": [true]},
        "start_of_week": {"type": "string", "readOnly": true,
                          "enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                          "description": "First day of a week.", "examples": ["mon"]},
        "strong_privacy": {"type": "boolean", "readOnly": true,
                           "description": "Whether people see only records that concern them.",
                           "examples": [false]},
        "organization": {"anyOf": [{"$ref": "#/components/schemas/NamedReference"}, {"type": "null"}],
                         "readOnly": true,
                         "description": "Organization of the account; this service keeps none."},
        "owner": {"anyOf": [{"$ref": "#/components/schemas/PersonReference"}, {"type": "null"}],
                  "readOnly": true, "description": "The account's first administrator.",
                  "examples": [{"id": 1, "name": "Ann Lee", "nodeID": "bG9jYWxob3N0L1BlcnNvbi8x"}]},
        "directory_account": {"anyOf": [{"$ref": "#/components/schemas/AccountReference"}, {"type": "null"}],
                              "readOnly": true,
                              "description": "Account that shares its people; null, as no account does."}
    }
}"##;

const ENUM_VALUE: &str = r#"{
    "type": "object", "description": "A value of an enumeration.",
    "required": ["id", "txt"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^\\x00]+$",
               "description": "The value as properties hold it.", "examples": ["in_production"]},
        "txt": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\x00]+$",
                "description": "What people call it, in the language of the caller.",
                "examples": ["In Production"]},
        "code": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^\\x00]+$",
                 "description": "Only for time zones: the name in the IANA database.",
                 "examples": ["Europe/Amsterdam"]}
    }
}"#;

record_schemas!(PERSON =>
    Person: |record| schema::output(record, "The person of the token."),
);
literal_schema!(Account: schema::from_json(schema::parse(ACCOUNT)),
    "AccountReference" => ACCOUNT_REFERENCE,
    "NamedReference" => NAMED_REFERENCE,
    "PersonReference" => PERSON_SCHEMA,
);
literal_schema!(Enumerations: enumerations_schema(), "EnumValue" => ENUM_VALUE);

/// Enumerations that do not belong to a record's field, after those that do.
pub const CURRENCY: &str = "currency";
/// See [`CURRENCY`].
pub const TIME_ZONES: &str = "time_zone";

/// Every enumeration is a property of its own: a map would say nothing about what is in it.
fn enumerations_schema() -> RefOr<Schema> {
    let mut names: Vec<&str> = enumerations().map(|(name, _)| name).collect();
    names.extend([CURRENCY, TIME_ZONES]);
    let list = |name: &str| {
        json!({
            "type": "array", "maxItems": 500, "readOnly": true,
            "items": {"$ref": "#/components/schemas/EnumValue"},
            "description": format!("Values of `{name}`."),
        })
    };
    let properties: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), list(name))).collect();
    schema::from_json(json!({
        "type": "object", "description": "Enumerations by `<record>.<field>`.",
        "required": names, "properties": properties,
    }))
}
