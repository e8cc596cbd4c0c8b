//! The wire of the delivery log.
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::record::field::{Choices, Field, Kind, MAX_SAFE_INTEGER, MAX_URL};
use crate::kernel::record::{Collection, Predefined, Record, schema};
use crate::{list_parameters, literal_schema, record_schemas};

/// Type in nodeIDs.
const NODE_TYPE: &str = "WebhookDelivery";

/// States of deliveries.
static STATE: Choices = Choices {
    name: "WebhookDeliveryState",
    doc: "How far a delivery has come.",
    words: &["waiting", "delivered", "failed"],
};

/// A delivery, field by field; the message and the attempts are shown beside.
pub static RECORD: Record = Record {
    name: "webhook_delivery",
    table: "deliveries",
    node_type: NODE_TYPE,
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L1dlYmhvb2tEZWxpdmVyeS8x""#),
        Field::text("delivery_id", 36)
            .listed()
            .filterable()
            .doc("What the receiver knows it by: the header `X-Xurrent-Delivery`.")
            .example(r#""0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11""#),
        Field::text("origin_id", 36)
            .nullable()
            .listed()
            .filterable()
            .doc(
                "Of what is delivered once more: `delivery_id` of the first time, the header \
                 `X-Xurrent-Delivery-Origin`.",
            )
            .example("null"),
        Field::text("event", 128)
            .listed()
            .filterable()
            .doc("Event that the message tells of.")
            .example(r#""app_instance.create""#),
        Field::text("object", 128)
            .listed()
            .filterable()
            .doc("Record that it is about: messages about one record leave in order.")
            .example(r#""app_instance:31""#),
        Field::choice("state", &STATE)
            .listed()
            .doc(
                "`waiting` for its next attempt, or for the webhook to be enabled and verified; \
                 `delivered`; or `failed`: it is given up.",
            )
            .example(r#""delivered""#),
        Field::new("attempt_count", "attempts", Kind::Integer { min: 0, max: MAX_SAFE_INTEGER })
            .listed()
            .doc("How often it was tried.")
            .example("1"),
        Field::new("next_attempt_at", "next_attempt_at", Kind::Timestamp)
            .nullable()
            .listed()
            .doc("When it is tried next; null when it is not, or waits for the webhook.")
            .example("null"),
        Field::new("finished_at", "finished_at", Kind::Timestamp)
            .nullable()
            .listed()
            .doc("When it was delivered or given up.")
            .example(r#""2026-02-01T09:15:00+01:00""#),
        Field::created_at().listed().filterable().sortable(),
    ],
};

/// The deliveries of a webhook, newest first.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["-id"],
    counted: false,
    foreign: false,
    predefined: &[
        Predefined { name: "waiting", condition: "t.state = 'waiting'", foreign: false },
        Predefined { name: "delivered", condition: "t.state = 'delivered'", foreign: false },
        Predefined { name: "failed", condition: "t.state = 'failed'", foreign: false },
    ],
};

/// The delivery with its message and its attempts.
fn with_attempts(record: &Record) -> RefOr<Schema> {
    let schema = schema::output(record, "A delivery with its message and its attempts.");
    let mut schema = schema::to_json(&schema);
    let text = |max: u32, nullable: bool, description: &str, example: serde_json::Value| {
        let kind = if nullable { json!(["string", "null"]) } else { json!("string") };
        json!({"type": kind, "maxLength": max, "pattern": schema::ANY_TEXT,
               "description": description, "examples": [example]})
    };
    let number = |description: &str, example: i64| {
        json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": MAX_SAFE_INTEGER,
               "description": description, "examples": [example]})
    };
    let time = json!({"type": "string", "format": "date-time", "maxLength": 40,
        "description": "When it began, to the millisecond, in UTC.",
        "examples": ["2026-02-01T08:15:00.250Z"]});
    schema["properties"]["message"] = json!({
        "$ref": "#/components/schemas/LoggedMessage",
        "description": "The message as it is before it is signed: secrets in it are `********`.",
    });
    schema["properties"]["attempts"] = json!({
        "type": "array", "maxItems": 100, "description": "The attempts, in their order.",
        "examples": [[]],
        "items": {
            "title": "DeliveryAttempt", "type": "object", "description": "A request, and what came back.",
            "required": ["number", "started_at", "duration", "request_url", "request_headers",
                         "response_status", "response_body", "error"],
            "properties": {
                "number": number("1 for the first.", 1),
                "started_at": time,
                "duration": number("How long it took, in milliseconds.", 52),
                "request_url": text(MAX_URL * 3, false, "Where it went, without name and password.",
                                    json!("https://echo.example.org/in")),
                "request_headers": {
                    "type": "object", "maxProperties": 100, "description": "Headers of the request; credentials are `********`.",
                    "patternProperties": {"^[a-z0-9-]+$": text(65_536, false, "Value of the header.", json!("*/*"))},
                    "examples": [{"content-type": "application/json; charset=utf-8"}],
                },
                "response_status": {"type": ["integer", "null"], "format": "int32", "minimum": 100,
                    "maximum": 999, "description": "Status of the answer; null when there was none.",
                    "examples": [200]},
                "response_body": text(
                    65_536,
                    true,
                    "The first 64 KiB of the answer, or what came of it; null when there was none, and when the \
                     message had secrets in it, which the answer might repeat.",
                    json!("OK"),
                ),
                "error": text(1000, true, "Why there was no answer.", json!(null)),
            },
        },
    });
    if let Some(required) = schema["required"].as_array_mut() {
        required.extend([json!("message"), json!("attempts")]);
    }
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    WebhookDelivery: with_attempts,
    WebhookDeliveryItem: |record| schema::item(record, "A delivery in a list: the selected fields."),
    QueuedWebhookDelivery: |record| schema::output(record, "A delivery that has just been queued."),
);
list_parameters!(COLLECTION => WebhookDeliveryQuery);

literal_schema!(ReplayRequest: schema::from_json(json!({
    "type": "object", "description": "What to deliver once more.", "required": ["since"],
    "properties": {"since": {
        "type": "string", "format": "date-time", "maxLength": 40,
        "description": "Messages that were given up at this time or later.",
        "examples": ["2026-02-01T09:15:00+01:00"],
    }},
})));
literal_schema!(Replayed: schema::from_json(json!({
    "type": "object", "description": "What was queued.", "required": ["count", "more"],
    "properties": {
        "count": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 1000,
                  "description": "How many messages are delivered once more.", "examples": [3]},
        "more": {"type": "boolean", "examples": [false],
                 "description": "Whether there are others: repeat the call for those."},
    },
})));
