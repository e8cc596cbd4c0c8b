//! The wire of webhooks (contract 3.6), and the reference that installed apps show.
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::record::field::{Choices, Derived, Field, Kind, MAX_URL, Reference};
use crate::kernel::record::render::write_disablable_reference;
use crate::kernel::record::{Collection, Predefined, Record, schema};
use crate::offering_api::webhook_policies::dto as webhook_policies;
use crate::{attachments_output, list_parameters, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "Webhook";

/// Events that a webhook can be for. Records that this service does not keep never have any.
pub static EVENT: Choices = Choices {
    name: "EventName",
    doc: "Name of an event.",
    words: &[
        "app_instance.create",
        "app_instance.update",
        "app_instance.delete",
        SECRETS_UPDATE,
        "automation_rule",
        "webhook.verify",
        "broadcast.create",
        "broadcast.update",
        "ci.create",
        "ci.update",
        "contract.create",
        "contract.update",
        "flsa.create",
        "flsa.update",
        "knowledge_article.create",
        "knowledge_article.update",
        "organization.create",
        "organization.update",
        "out_of_office_period.create",
        "out_of_office_period.update",
        "out_of_office_period.delete",
        "person.create",
        "person.update",
        "problem.create",
        "problem.update",
        "problem.manager-changed",
        "problem.member-changed",
        "problem.note-added",
        "problem.status-changed",
        "problem.team-changed",
        "product.create",
        "product.update",
        "project.create",
        "project.update",
        "project.manager-changed",
        "project.note-added",
        "project.status-changed",
        "project_task.create",
        "project_task.update",
        "project_task.note-added",
        "project_task.status-changed",
        "release.create",
        "release.update",
        "release.manager-changed",
        "release.note-added",
        "request.create",
        "request.update",
        "request.agile-board-column-changed",
        "request.major-incident-status-changed",
        "request.member-changed",
        "request.note-added",
        "request.status-changed",
        "request.team-changed",
        "risk.create",
        "risk.update",
        "risk.manager-changed",
        "risk.note-added",
        "risk.status-changed",
        "service.create",
        "service.update",
        "service_instance.create",
        "service_instance.update",
        "service_offering.create",
        "service_offering.update",
        "sla.create",
        "sla.update",
        "task.create",
        "task.update",
        "task.member-changed",
        "task.note-added",
        "task.status-changed",
        "task.team-changed",
        "team.create",
        "team.update",
        "time_entry.create",
        "time_entry.update",
        "time_entry.delete",
        "workflow.create",
        "workflow.update",
        "workflow.manager-changed",
        "workflow.note-added",
        "workflow.status-changed",
    ],
};

/// Event that hands over secrets.
pub const SECRETS_UPDATE: &str = "app_instance.secrets-update";
/// The event by which an address is verified.
pub const VERIFY: &str = "webhook.verify";
/// What the names of events of installed apps begin with.
pub const OF_INSTANCES: &str = "app_instance.";
/// Most offerings that a webhook can be limited to.
const MAX_REFERENCES: u32 = 100;

/// The record, field by field.
pub static RECORD: Record = Record {
    name: "webhook",
    table: "webhooks",
    node_type: NODE_TYPE,
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L1dlYmhvb2svMQ""#),
        Field { filterable: false, ..Field::source() },
        Field { listed: false, filterable: false, sortable: false, ..Field::source_id() },
        Field::text("name", 128)
            .writable()
            .listed()
            .doc("Name of the webhook. Left out on create it is the name of the event.")
            .example(r#""Secrets of Ticket Echo""#),
        Field::choice("event", &EVENT)
            .writable()
            .required()
            .listed()
            .doc(
                "Event whose messages it gets. Those of records that are not kept here never happen.",
            )
            .example(r#""app_instance.secrets-update""#),
        Field::new("uri", "uri", Kind::Text { max: MAX_URL, format: Some(HTTP_URL) })
            .writable()
            .required()
            .listed()
            .doc(
                "Address that messages are posted to: public, unless the operator allows others. A name \
                 and password in it (`https://name:password@host/path`) are sent as HTTP Basic; they are \
                 shown as `********`, and an address of the same host that is written with `********` \
                 keeps them. A new address is verified before anything else goes there: it gets a \
                 message `webhook.verify`, whose `callback` is to be called within 24 hours.",
            )
            .example(r#""https://echo.example.org/secrets""#),
        Field::long_text("description")
            .writable()
            .doc("What it is for, as Markdown.")
            .example(r#""Receives what customers type into the form.""#),
        Field::attachments("description_attachments", "Files to add to the description, or to remove from it."),
        Field::derived("attachments", &ATTACHMENTS).doc("Files that the description uses.").example("[]"),
        Field::boolean("disabled")
            .writable()
            .listed()
            .doc(
                "Whether nothing is delivered. What happens meanwhile is not delivered later; what was \
                 waiting is. True by itself after 20 failures in a row over more than a week, or when \
                 the receiver answers 410: a message that is answered so is given up, and no other is \
                 sent any more.",
            ),
        Field::text("last_error", 1000)
            .nullable()
            .listed()
            .doc("Why it disabled itself; null otherwise.")
            .example("null"),
        Field::text("mail_exceptions_to", 1000)
            .writable()
            .nullable()
            .doc(
                "Mail addresses, separated by commas, of those who look after it. It is kept for them to \
                 see: this service sends no mail. See `last_error` and the delivery log.",
            )
            .example(r#""ann@acme.example""#),
        Field::new(
            "app_offering_references",
            "app_offering_references",
            Kind::Texts { max_items: MAX_REFERENCES, max: 200 },
        )
        .writable()
        .doc(
            "For events of installed apps: references of the offerings that it is limited to. Empty for \
             all. They may name offerings that are yet to be made.",
        )
        .example(r#"["acme_ticket_echo"]"#),
        Field::boolean("openid_connect_discovery")
            .writable()
            .doc(
                "Whether the `iss` claim of signed messages is the address of the policy, below which \
                 receivers find its keys (OpenID Connect Discovery), rather than that of the account.",
            ),
        Field::reference("webhook_policy", "webhook_policy_id", &webhook_policies::REFERENCE)
            .writable()
            .nullable()
            .doc("Policy that signs the messages; without one they are not signed.")
            .example(
                r#"{"id":1,"name":"5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203","nodeID":"bG9jYWxob3N0L1dlYmhvb2tQb2xpY3kvMQ"}"#,
            ),
        Field::boolean("standard_webhooks")
            .writable()
            .doc(
                "Whether messages also have the headers of Standard Webhooks (`webhook-id`, \
                 `webhook-timestamp`, `webhook-signature`), for which there are libraries. Setting it \
                 makes a secret, which that answer shows as `standard_webhooks_secret`; another one is \
                 made by setting it to false and to true again.",
            ),
        Field::new("verified_at", "verified_at", Kind::Timestamp)
            .nullable()
            .doc(
                "When the address was verified; null until then, and nothing is delivered: what happens \
                 meanwhile waits for it. An update sends another `webhook.verify`.",
            )
            .example(r#""2026-02-01T09:15:00+01:00""#),
        Field::created_at().listed(),
        Field::updated_at().listed(),
    ],
};

/// What an address looks like; the service checks it.
const HTTP_URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://\S+$";

static ATTACHMENTS: Derived = attachments_output!("webhook");

/// Lists of webhooks.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["id"],
    counted: true,
    foreign: false,
    predefined: &[
        Predefined {
            name: "enabled",
            condition: "t.account_id = {account} AND NOT t.disabled",
            foreign: false,
        },
        Predefined {
            name: "disabled",
            condition: "t.account_id = {account} AND t.disabled",
            foreign: false,
        },
    ],
};

/// How other records show and name a webhook.
pub static REFERENCE: Reference = Reference {
    output: Derived {
        joins: &["LEFT JOIN webhooks wh ON wh.id = t.webhook_id"],
        columns: &[
            "wh.id",
            "wh.name",
            "wh.source_id",
            "wh.account_id",
            "CASE WHEN wh.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = wh.account_id) END",
            "wh.disabled",
        ],
        write: |out, row, at, view| write_disablable_reference(out, row, at, view, NODE_TYPE),
        schema: ("WebhookReference", REFERENCE_SCHEMA),
    },
    node_type: NODE_TYPE,
};

const REFERENCE_SCHEMA: &str = r##"{
    "type": "object", "description": "A webhook.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the webhook.", "examples": [1]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                 "description": "Name of the webhook.", "examples": ["Ticket Echo"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the webhook.",
                   "examples": ["bG9jYWxob3N0L1dlYmhvb2svMQ"]},
        "sourceID": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                     "description": "Only when it is set: id in the system it came from.",
                     "examples": ["ERP-4711"]},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when it belongs to another account than the caller's."},
        "disabled": {"type": "boolean", "description": "Only when it is true: the webhook is disabled.",
                     "examples": [true]}
    }
}"##;

/// The webhook, with the secret of Standard Webhooks when that is new.
fn with_secret(record: &Record) -> RefOr<Schema> {
    let schema = schema::output(record, "A webhook that was made or changed.");
    let mut schema = schema::to_json(&schema);
    schema["properties"]["standard_webhooks_secret"] = json!({
        "type": "string", "maxLength": 100, "pattern": "^whsec_[A-Za-z0-9+/]+=*$",
        "description": "The secret of Standard Webhooks. Only the answer shows it that makes it.",
        "examples": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    });
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    Webhook: |record| schema::output(record, "A webhook."),
    WrittenWebhook: with_secret,
    WebhookItem: |record| schema::item(record, "A webhook in a list: the selected fields."),
    CreateWebhook: |record| schema::input(record, "A new webhook.", true),
    UpdateWebhook: |record| schema::input(
        record, "Changes to a webhook. Properties left out keep their value.", false),
);
list_parameters!(COLLECTION => WebhookQuery);
