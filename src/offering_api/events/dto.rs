//! The wire of the feed.
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::kernel::record::field::MAX_SAFE_INTEGER;
use crate::kernel::record::schema;
use crate::literal_schema;
use crate::offering_api::audit_lines::dto::PERSON_SCHEMA;

/// Most events of one answer, and those of one that is not asked for a number.
pub const MAX_LIMIT: i64 = 100;
/// Longest name of an event.
pub const MAX_NAME: usize = 128;

/// Query parameters of the feed.
#[derive(Clone, Copy, Debug)]
pub struct EventQuery;

impl utoipa::IntoParams for EventQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: Value| {
            let value = json!({
                "name": name, "in": "query", "required": false,
                "description": description, "schema": schema,
            });
            serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        vec![
            parameter(
                "after",
                "`position` of the last event that is known. Default: the beginning.",
                json!({"type": "integer", "format": "int64", "minimum": 0, "default": 0,
                       "maximum": MAX_SAFE_INTEGER, "examples": [0]}),
            ),
            parameter(
                "event",
                "Only events of this name.",
                json!({"type": "string", "minLength": 1, "maxLength": MAX_NAME,
                       "pattern": "^[^\\x00]+$", "examples": ["app_offering.update"]}),
            ),
            parameter(
                "limit",
                "Most events of the answer.",
                json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": MAX_LIMIT,
                       "default": MAX_LIMIT, "examples": [100]}),
            ),
        ]
    }
}

const EVENT: &str = r##"{
    "type": "object", "description": "Something that happened in the account.",
    "required": ["position", "id", "event", "object_type", "object_id", "object_nodeID", "person",
                 "payload", "created_at"],
    "properties": {
        "position": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                     "readOnly": true, "examples": [1742],
                     "description": "Place in the feed: later ones have greater numbers, not always the next."},
        "id": {"type": "string", "minLength": 1, "maxLength": 36, "pattern": "^[0-9A-Za-z-]+$",
               "readOnly": true, "description": "Id of the event.",
               "examples": ["0f4f2a3e-7d5b-4a55-9a44-0c8f2f6d8f1e"]},
        "event": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\x00]+$",
                  "readOnly": true, "description": "What happened.", "examples": ["app_offering.update"]},
        "object_type": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z_]+$",
                        "readOnly": true, "description": "Type of the record that it happened to.",
                        "examples": ["app_offering"]},
        "object_id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                      "readOnly": true, "description": "Number of the record.", "examples": [14]},
        "object_nodeID": {"type": "string", "minLength": 1, "maxLength": 400,
                          "pattern": "^[A-Za-z0-9_-]+$", "readOnly": true,
                          "description": "nodeID of the record.",
                          "examples": ["bG9jYWxob3N0L0FwcE9mZmVyaW5nLzE0"]},
        "person": {"anyOf": [{"$ref": "#/components/schemas/PersonReference"}, {"type": "null"}],
                   "readOnly": true,
                   "description": "Who did it; null for what the service does by itself.",
                   "examples": [{"id": 1, "name": "Ann Lee", "nodeID": "bG9jYWxob3N0L1BlcnNvbi8x"}]},
        "audit_line_id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                          "readOnly": true, "examples": [901],
                          "description": "Number of the audit entry that tells what changed, if there is one."},
        "audit_line_nodeID": {"type": "string", "minLength": 1, "maxLength": 400,
                              "pattern": "^[A-Za-z0-9_-]+$", "readOnly": true,
                              "description": "nodeID of the audit entry.",
                              "examples": ["bG9jYWxob3N0L0F1ZGl0TGluZS85MDE"]},
        "payload": {"$ref": "#/components/schemas/EventPayload", "readOnly": true,
                    "description": "What else messages say of it; never secrets."},
        "created_at": {"type": "string", "format": "date-time", "maxLength": 25, "readOnly": true,
                       "description": "When it happened.", "examples": ["2026-02-01T09:15:00+01:00"]}
    }
}"##;

const PAYLOAD: &str = r##"{
    "type": "object", "maxProperties": 100,
    "description": "What messages say of an event, by name; which names depends on the event.",
    "examples": [{"disabled": false, "app_offering": {"id": 2, "reference": "acme_echo"}}],
    "additionalProperties": {
        "title": "EventValue", "description": "A value, or an object of such.",
        "anyOf": [
            {"type": "string", "maxLength": 65535, "pattern": "^[^\\x00]*$"},
            {"type": "integer", "format": "int64", "minimum": -9007199254740991, "maximum": 9007199254740991},
            {"type": "boolean"},
            {"$ref": "#/components/schemas/EventPayload"},
            {"type": "null"}
        ]
    }
}"##;

literal_schema!(
    Event: schema::from_json(schema::parse(EVENT)),
    "PersonReference" => PERSON_SCHEMA,
    "EventPayload" => PAYLOAD,
);
