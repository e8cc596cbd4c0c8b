//! The wire of app offerings (contract 2.2, 2.3).
use utoipa::openapi::{RefOr, Schema};

use super::scopes::dto as scopes;
use crate::kernel::record::field::{Derived, Field, Kind};
use crate::kernel::record::render::{write_account, write_int, write_text};
use crate::kernel::record::{Collection, Predefined, Record, Reference, schema};
use crate::offering_api::service_instances::dto as service_instances;
use crate::offering_api::ui_extensions::dto as ui_extensions;
use crate::offering_api::webhook_policies::dto::ALGORITHM;
use crate::{attachments_output, list_parameters, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "AppOffering";

/// Longest `reference`: a name, an underscore and an account id.
pub const REFERENCE_MAX: u32 = 161;

/// App offerings, field by field.
pub static RECORD: Record = Record {
    name: "app_offering",
    table: "app_offerings",
    node_type: NODE_TYPE,
    fields: &[
        Field::id().doc("Number of the record. A draft and each published version have their own."),
        Field::node_id(r#""bG9jYWxob3N0L0FwcE9mZmVyaW5nLzEy""#),
        Field::source(),
        Field::source_id(),
        Field::text("reference", REFERENCE_MAX)
            .writable()
            .listed()
            .filterable()
            .sortable()
            .doc(
                "Name of the offering that stays the same over all its versions; unique over all \
                 accounts. Left out on create it becomes the account id, an underscore and the name in \
                 lower case with blanks replaced by underscores. Fixed once the offering is published.",
            )
            .example(r#""acme_ticket_echo""#),
        Field::text("name", 128)
            .writable()
            .required()
            .listed()
            .filterable()
            .sortable()
            .doc("Name of the app.")
            .example(r#""Ticket Echo""#),
        Field::text("card_description", 255)
            .writable()
            .nullable()
            .doc("Short text on the app's card in the store.")
            .example(r#""Echoes every note of a ticket.""#),
        Field::long_text("description")
            .writable()
            .doc("What the app does, as Markdown.")
            .example(r#""Sends every note to your own endpoint.""#),
        Field::long_text("features")
            .writable()
            .doc("What the app offers, as Markdown.")
            .example(r#""* Signed messages\n* Retries""#),
        Field::long_text("compliance")
            .writable()
            .doc("What the tab \"Security & Compliance\" says, as Markdown.")
            .example(r#""Data stays in the EU.""#),
        Field::boolean("disabled")
            .writable()
            .filterable()
            .doc("Blocks new installs. Customers who have the app keep it, and may update it."),
        Field::new("picture_uri", "picture_uri", Kind::Picture)
            .writable()
            .nullable()
            .doc("Address of the app's picture. A picture that was written as a `data:` URL is kept here.")
            .example(r#""https://example.org/ticket-echo.png""#),
        Field::choice("policy_jwt_alg", &ALGORITHM)
            .writable()
            .required()
            .nullable()
            .listed()
            .doc("Algorithm by which the webhook messages of an instance are signed.")
            .example(r#""rs512""#),
        Field::new("policy_jwt_audience", "policy_jwt_audience", Kind::LongText { max_bytes: 2048 })
            .writable()
            .nullable()
            .listed()
            .doc("`aud` claim of the signed messages.")
            .example(r#""ticket-echo""#),
        Field::new("policy_jwt_claim_expires_in", "policy_jwt_claim_expires_in", Kind::Duration { min: 1 })
            .writable()
            .nullable()
            .listed()
            .doc(
                "Minutes after which a signed message expires (`exp` claim), at least 1; also as `\"hhh:mm\"`. \
                 Null for never.",
            )
            .example("10"),
        Field::reference("service_instance", "service_instance_id", &service_instances::REFERENCE)
            .writable()
            .required()
            .listed()
            .doc("Service instance for requests about this app.")
            .example(r#"{"id":1,"name":"Our Integration","nodeID":"bG9jYWxob3N0L1NlcnZpY2VJbnN0YW5jZS8x"}"#),
        Field::reference("ui_extension_version", "ui_extension_version_id", &ui_extensions::VERSION_REFERENCE)
            .writable()
            .nullable()
            .doc("Form by which customers configure the app: a version of a UI extension of category `app_offering`.")
            .example(
                r#"{"id":1,"name":"Note dispatcher settings","version":1,
                    "nodeID":"bG9jYWxob3N0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x",
                    "ui_extension":{"id":1,"name":"Note dispatcher settings","category":"app_offering",
                    "title":"Settings","localized_title":"Settings","nodeID":"bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"}}"#,
            ),
        Field::text("webhook_uri_template", 255)
            .writable()
            .required()
            .nullable()
            .listed()
            .format(URL_TEMPLATE)
            .doc(
                "Where an instance's webhook messages go; `{account}` stands for the customer's account id. \
                 Customers read it: it must not contain a name or password.",
            )
            .example(r#""https://echo.example.org/hook?account={account}""#),
        Field::text("configuration_uri_template", 255)
            .writable()
            .nullable()
            .format(URL_TEMPLATE)
            .doc(
                "Page of the app where a customer configures it after the install; `{account}` stands for the \
                 customer's account id. It must not contain a name or password.",
            )
            .example(r#""https://echo.example.org/setup?account={account}""#),
        Field::boolean("openid_connect_discovery")
            .writable()
            .doc("Whether receivers find the keys of an instance's messages by OpenID Connect discovery."),
        Field::boolean("requires_enabled_oauth_person")
            .writable()
            .doc("Whether the app's person must be enabled, so that it can be mentioned for instance."),
        Field::derived("attachments", &ATTACHMENTS)
            .doc("Files that the texts use.")
            .example("[]"),
        Field::attachments("description_attachments", "Files to add to the description, or to remove from it."),
        Field::attachments("features_attachments", "Files to add to the features, or to remove from them."),
        Field::attachments("compliance_attachments", "Files to add to the compliance text, or to remove from it."),
        Field::boolean("published")
            .filterable()
            .doc("Whether this is a published version rather than the draft."),
        Field::boolean("latest")
            .filterable()
            .doc("Whether this is the newest published version, or the draft.")
            .example("true"),
        Field::created_at().listed().filterable().sortable(),
        Field::updated_at().listed().filterable().sortable(),
    ],
};

static ATTACHMENTS: Derived = attachments_output!("app_offering");

/// What a URL template looks like before `{account}` is replaced; the service checks it after.
pub const URL_TEMPLATE: &str = r"^(?:[Hh][Tt][Tt][Pp][Ss]?://[^/\\\s]\S*|)$";

/// Lists of app offerings.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["reference"],
    counted: true,
    foreign: true,
    predefined: &[
        Predefined {
            name: "latest_internal",
            condition: "t.account_id = {account} AND NOT t.published",
            foreign: false,
        },
        Predefined {
            name: "latest_published",
            condition: "t.account_id = {account} AND t.published AND t.latest",
            foreign: false,
        },
        Predefined {
            name: "all_latest_published",
            condition: "t.published AND t.latest AND (t.account_id = {account} OR t.account_id IN \
                        (SELECT provider_id FROM trusts WHERE customer_id = {account}))",
            foreign: true,
        },
        Predefined {
            name: "consumed",
            condition: "t.id IN (SELECT app_offering_id FROM app_instances \
                        WHERE customer_account_id = {account})",
            foreign: true,
        },
    ],
};

/// How other records show and name an app offering: by `reference`, not by name (contract 1.7).
pub static REFERENCE: Reference = Reference {
    output: Derived {
        joins: &["LEFT JOIN app_offerings ao ON ao.id = t.app_offering_id"],
        columns: &[
            "ao.id",
            "ao.reference",
            "ao.source_id",
            "ao.disabled",
            "ao.account_id",
            "CASE WHEN ao.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = ao.account_id) END",
        ],
        write: |out, row, at, view| {
            let Some(id) = row.int(at) else {
                out.extend_from_slice(b"null");
                return;
            };
            out.extend_from_slice(b"{\"id\":");
            write_int(out, Some(id));
            out.extend_from_slice(b",\"reference\":");
            write_text(out, row.text(at + 1).as_deref());
            view.write_node_id(out, NODE_TYPE, id);
            if let Some(source_id) = row.text(at + 2) {
                out.extend_from_slice(b",\"sourceID\":");
                write_text(out, Some(&source_id));
            }
            if row.bool(at + 3) == Some(true) {
                out.extend_from_slice(b",\"disabled\":true");
            }
            if let (Some(account), Some(name)) = (row.text(at + 4), row.text(at + 5)) {
                write_account(out, &account, &name);
            }
            out.push(b'}');
        },
        schema: ("AppOfferingReference", REFERENCE_SCHEMA),
    },
    node_type: NODE_TYPE,
};

const REFERENCE_SCHEMA: &str = r##"{
    "type": "object", "description": "An app offering.",
    "required": ["id", "reference", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the draft or published version.", "examples": [1]},
        "reference": {"type": "string", "maxLength": 161, "pattern": "^[^\\x00]*$",
                      "description": "Name of the offering over all its versions.",
                      "examples": ["note-dispatcher"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the offering.",
                   "examples": ["bG9jYWxob3N0L0FwcE9mZmVyaW5nLzE"]},
        "sourceID": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                     "description": "Only when it is set: id in the system it came from.",
                     "examples": ["ERP-4711"]},
        "disabled": {"type": "boolean", "examples": [true],
                     "description": "Only when the offering is disabled: `true`."},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when it belongs to another account than the caller's."}
    }
}"##;

/// What customers have agreed to, as bodies name it: fixed in a version that they have installed.
const AGREED: [&str; 8] = [
    "policy_jwt_alg",
    "policy_jwt_audience",
    "policy_jwt_claim_expires_in",
    "ui_extension_version_id",
    "webhook_uri_template",
    "openid_connect_discovery",
    "new_scopes",
    "scopes_to_delete",
];

fn update(record: &Record) -> RefOr<Schema> {
    let text = "Changes to an app offering. Properties left out keep their value.";
    let schema = scopes::nested(schema::input(record, text, false));
    let sentence = "A change to a published version that is installed is refused with 422.";
    let mut schema = schema::to_json(&schema::with_sentence(schema, &AGREED, sentence));
    // Only a create makes one of the name.
    schema["properties"]["reference"]["minLength"] = 1.into();
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    AppOffering: |record| schema::output(record, "An app offering: a draft or a published version."),
    AppOfferingItem: |record| schema::item(record, "An app offering in a list: the selected fields."),
    CreateAppOffering: |record| scopes::nested(schema::input(record, "A new app offering.", true)),
    UpdateAppOffering: update,
);
list_parameters!(COLLECTION => AppOfferingQuery);

/// Parts of an avatar upload.
#[derive(Clone, Copy, Debug)]
pub struct AvatarForm;

impl utoipa::PartialSchema for AvatarForm {
    fn schema() -> RefOr<Schema> {
        schema::from_json(schema::parse(
            r##"{
                "type": "object", "description": "A picture.", "required": ["avatar"],
                "properties": {
                    "avatar_file_name": {"type": "string", "maxLength": 255, "pattern": "^[^\\x00]*$",
                        "description": "Name of the file. Sent by clients; the content decides.",
                        "examples": ["ticket-echo.png"]},
                    "avatar": {"type": "string", "format": "binary",
                        "description": "The picture, or the text of its `data:` URL; at most 700 000 bytes."}
                }
            }"##,
        ))
    }
}

impl utoipa::ToSchema for AvatarForm {
    fn name() -> std::borrow::Cow<'static, str> {
        "AvatarForm".into()
    }
}
