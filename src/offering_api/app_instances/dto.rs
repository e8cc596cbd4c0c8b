//! The wire of app instances (contract 3.1).
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::record::field::{Derived, Field, Kind};
use crate::kernel::record::render::{write_disablable_reference, write_text};
use crate::kernel::record::schema::ACCOUNT_REFERENCE;
use crate::kernel::record::{Collection, Predefined, Record, Reference, schema};
use crate::offering_api::app_offerings::dto as app_offerings;
use crate::offering_api::audit_lines::dto::PERSON_SCHEMA;
use crate::offering_api::webhook_policies::dto as webhook_policies;
use crate::offering_api::webhooks::dto as webhooks;
use crate::{attachments_output, list_parameters, literal_schema, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "AppInstance";

/// App instances, field by field.
pub static RECORD: Record = Record {
    name: "app_instance",
    table: "app_instances",
    node_type: NODE_TYPE,
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L0FwcEluc3RhbmNlLzE""#),
        Field::reference("app_offering", "app_offering_id", &app_offerings::REFERENCE)
            .writable()
            .required()
            .listed()
            .filterable()
            .doc(
                "The installed version. A new install takes the latest published one, or in the \
                 provider's own account the draft. Another version of the same offering is taken by \
                 writing it here: thereby the customer approves what it brings along.",
            )
            .example(r#"{"id":2,"reference":"note-dispatcher","nodeID":"bG9jYWxob3N0L0FwcE9mZmVyaW5nLzI"}"#),
        CUSTOMER_ACCOUNT,
        Field::reference("customer_representative", "customer_representative_id", &REPRESENTATIVE)
            .writable()
            .nullable()
            .doc(
                "Who answers for the app in the customer account: an Account Administrator of it. Left \
                 out on create it is whoever installs. Only the customer changes it.",
            )
            .example(r#"{"id":2,"name":"Greg Hill","nodeID":"bG9jYWxob3N0L1BlcnNvbi8y"}"#),
        Field::boolean("disabled")
            .writable()
            .listed()
            .filterable()
            .doc(
                "Switched off by the provider, who alone changes it: automation rules, webhook and \
                 tokens of the app in the customer account do nothing.",
            ),
        // What a create makes of it depends on the app.
        Field { default: None, ..Field::boolean("enabled_by_customer") }
            .writable()
            .listed()
            .doc(
                "Switched on by the customer, who alone changes it. False after the install of an app \
                 with a configuration page until the configuration is confirmed. Null is false, as for all \
                 booleans.",
            )
            .example("true"),
        Field::boolean("suspended")
            .writable()
            .doc("Switched off for a while; by either party, and by either lifted."),
        Field::long_text("suspension_comment")
            .writable()
            .doc("Why it is suspended; from either party.")
            .example(r#""The endpoint has moved.""#),
        Field::new("custom_fields", "custom_fields", Kind::CustomFields)
            .writable()
            .doc(
                "What the form of the app asks for, by the ids of its inputs. Fields that a change does \
                 not mention keep their value; a null value removes one, null instead of the list all \
                 of them. Secrets go to the provider's webhook for `app_instance.secrets-update`; they \
                 are neither kept nor shown.",
            )
            .example(r#"[{"id":"url","value":"https://globex.example.org"}]"#),
        Field::attachments(
            "custom_fields_attachments",
            "Files to add to the custom fields, or to remove from them.",
        ),
        Field::reference("webhook", "webhook_id", &webhooks::REFERENCE)
            .nullable()
            .doc("The webhook that was generated in the customer account; null for an app without one.")
            .example(r#"{"id":1,"name":"Note dispatcher","nodeID":"bG9jYWxob3N0L1dlYmhvb2svMQ"}"#),
        Field::reference("webhook_policy", "webhook_policy_id", &webhook_policies::REFERENCE)
            .nullable()
            .doc("The generated policy by which the messages of that webhook are signed.")
            .example(
                r#"{"id":1,"name":"0f4c1d2e3b5a69788796a5b4c3d2e1f00f4c1d2e3b5a69788796a5b4","nodeID":"bG9jYWxob3N0L1dlYmhvb2tQb2xpY3kvMQ"}"#,
            ),
        Field::derived("attachments", &ATTACHMENTS)
            .doc("Files that the custom fields use.")
            .example("[]"),
        Field::created_at().listed().filterable().sortable(),
        Field::updated_at().listed().filterable().sortable(),
    ],
};

/// Shown as an account, kept and filtered as its id.
const CUSTOMER_ACCOUNT: Field = {
    let mut field = Field::derived("customer_account", &CUSTOMER)
        .listed()
        .filterable()
        .doc(
            "Account in which the app is installed. A create may name it as `customer_account_id`.",
        )
        .example(r#"{"id":"globex","name":"Globex"}"#);
    field.column = "customer_account_id";
    field
};

static CUSTOMER: Derived = Derived {
    joins: &["JOIN accounts ca ON ca.id = t.customer_account_id"],
    columns: &["ca.id", "ca.name"],
    write: |out, row, at, _| {
        out.extend_from_slice(b"{\"id\":");
        write_text(out, row.text(at).as_deref());
        out.extend_from_slice(b",\"name\":");
        write_text(out, row.text(at + 1).as_deref());
        out.push(b'}');
    },
    schema: ("AccountReference", ACCOUNT_REFERENCE),
};

static REPRESENTATIVE: Reference = Reference {
    output: Derived {
        joins: &["LEFT JOIN people cr ON cr.id = t.customer_representative_id"],
        columns: &[
            "cr.id",
            "cr.name",
            "NULL",
            "cr.account_id",
            "CASE WHEN cr.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = cr.account_id) END",
            "cr.disabled",
        ],
        write: |out, row, at, view| write_disablable_reference(out, row, at, view, "Person"),
        schema: ("PersonReference", PERSON_SCHEMA),
    },
    node_type: "Person",
};

static ATTACHMENTS: Derived = attachments_output!("app_instance");

/// Lists of app instances.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["id"],
    // Two accounts see one record.
    counted: false,
    foreign: true,
    predefined: &[
        Predefined { name: "enabled", condition: "NOT t.disabled", foreign: true },
        Predefined { name: "disabled", condition: "t.disabled", foreign: true },
    ],
};

/// Adds the way in which a create names the customer.
fn with_customer(schema: RefOr<Schema>) -> RefOr<Schema> {
    let mut schema = schema::to_json(&schema);
    schema["properties"]["customer_account_id"] = json!({
        "type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[a-z0-9-]+$",
        "description": "Account in which the app is installed: the caller's own, which is also the \
                        default. An app is installed by an administrator of its customer.",
        "examples": ["globex"],
    });
    schema::from_json(schema)
}

fn create(record: &Record) -> RefOr<Schema> {
    let schema = with_customer(schema::input(record, "An app to install.", true));
    let schema = schema::with_sentence(
        schema,
        &["enabled_by_customer"],
        "Left out it is true. For an app with a configuration page this is ignored: it is false until \
         the app is configured.",
    );
    schema::with_sentence(
        schema,
        &["disabled"],
        "True is refused with 422 for an app of another account.",
    )
}

fn update(record: &Record) -> RefOr<Schema> {
    let text = "Changes to an app instance. Properties left out keep their value.";
    schema::with_sentence(
        schema::input(record, text, false),
        &["enabled_by_customer"],
        "An administrator of the customer may switch an app with a configuration page on here too, \
         without its page.",
    )
}

record_schemas!(RECORD =>
    AppInstance: |record| schema::output(record, "An app that is installed in a customer account."),
    AppInstanceItem: |record| schema::item(record, "An app instance in a list: the selected fields."),
    CreateAppInstance: create,
    UpdateAppInstance: update,
);
list_parameters!(COLLECTION => AppInstanceQuery);

literal_schema!(ConfigurationPage: schema::from_json(schema::parse(CONFIGURATION)));

const CONFIGURATION: &str = r#"{
    "type": "object", "description": "Where to send the browser that configures the app.",
    "required": ["configuration_uri", "expires_at"],
    "properties": {
        "configuration_uri": {
            "type": ["string", "null"], "format": "uri", "maxLength": 2048,
            "description": "Where to send the browser; null when there is nothing to confirm: the app has no configuration page, or `enabled_by_customer` is true.",
            "examples": ["https://globex.example.test/app_instances/bG9jYWxob3N0L0FwcEluc3RhbmNlLzE/configure?code=q0V9zYc1n2m3b4v5c6x7z8a9s0d1f2g3h4j5k6l7p8o&expires_at=1769940000&person_id=2"]
        },
        "expires_at": {
            "type": ["string", "null"], "format": "date-time", "maxLength": 25,
            "description": "Until when.", "examples": ["2026-02-02T09:15:00+01:00"]
        }
    }
}"#;

literal_schema!(Page: schema::from_json(json!({
    "type": "string", "maxLength": 10_000, "pattern": schema::ANY_TEXT, "description": "A page for people.",
})));
