//! The wire of scopes (contract 3.2).
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::record::field::{Choices, Field, Kind};
use crate::kernel::record::{Collection, Record, schema};
use crate::{list_parameters, record_schemas};

/// Operations that an action may name.
pub const OPERATIONS: [&str; 5] = ["Create", "Read", "Update", "Delete", "All"];

/// What a scope does with its actions.
pub static EFFECT: Choices = Choices {
    name: "ScopeEffect",
    doc: "Whether a scope allows or denies its actions.",
    words: &["allow", "deny"],
};
/// On whose behalf a scope is used.
pub static GRANT_TYPE: Choices = Choices {
    name: "ScopeGrantType",
    doc: "Whether an app acts for itself or for the person who signed in.",
    words: &["client_credentials", "authorization_code"],
};

/// Scopes, field by field.
pub static RECORD: Record = Record {
    name: "app_offering_scope",
    table: "app_offering_scopes",
    node_type: "AppOfferingScope",
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L0FwcE9mZmVyaW5nU2NvcGUvMQ""#),
        Field::choice("effect", &EFFECT)
            .writable()
            .listed()
            .default(r#""allow""#)
            .doc("Whether the actions are allowed or denied.")
            .example(r#""allow""#),
        Field::choice("grant_type", &GRANT_TYPE)
            .writable()
            .default(r#""client_credentials""#)
            .doc("Whether the app acts for itself or for the person who signed in.")
            .example(r#""client_credentials""#),
        Field::new("actions", "actions", Kind::Texts { max_items: 200, max: 128 })
            .writable()
            .required()
            .listed()
            .doc(
                "What may be done: a record type in kebab case, a colon, and `Create`, `Read`, \
                 `Update`, `Delete` or `All`.",
            )
            .example(r#"["request:Create","request:Read"]"#),
        Field::new("conditions", "conditions", Kind::Texts { max_items: 100, max: 1000 })
            .writable()
            .default("[]")
            .doc("Conditions under which the scope applies, as the app's publisher words them.")
            .example("[]"),
        Field::created_at(),
        Field::updated_at(),
    ],
};

/// The scopes of one offering.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["id"],
    counted: false,
    foreign: true,
    predefined: &[],
};

/// Most scopes that one write of an offering may add or remove.
pub const NESTED_MAX: u32 = 100;

/// What an action looks like; [`is_action`] checks it.
const ACTION: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*:(Create|Read|Update|Delete|All)$";

/// Whether a text is an action, `<record-type>:<Operation>`.
pub fn is_action(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.split_once(':').is_some_and(|(record, operation)| {
        record.starts_with(|first: char| first.is_ascii_lowercase())
            && record.split('-').all(is_word)
            && OPERATIONS.contains(&operation)
    })
}

/// Says what actions look like.
fn with_action_pattern(schema: RefOr<Schema>) -> RefOr<Schema> {
    let mut schema = schema::to_json(&schema);
    schema["properties"]["actions"]["items"]["pattern"] = ACTION.into();
    schema["properties"]["actions"]["minItems"] = 1.into();
    schema::from_json(schema)
}

/// Adds `new_scopes` and `scopes_to_delete` to the schema of an offering's body.
pub fn nested(schema: RefOr<Schema>) -> RefOr<Schema> {
    let mut schema = schema::to_json(&schema);
    let reference = json!({"$ref": "#/components/schemas/CreateAppOfferingScope"});
    let id = json!({"type": "integer", "format": "int64", "minimum": 1,
        "maximum": crate::kernel::record::field::MAX_SAFE_INTEGER});
    let list = |items: &Value, description: &str, example: Value| {
        json!({"type": "array", "maxItems": NESTED_MAX, "items": items,
               "description": description, "writeOnly": true, "examples": [example]})
    };
    schema["properties"]["new_scopes"] = list(
        &reference,
        "Scopes to add. Needs the permission `app-offering-scope:Create` too.",
        json!([{"actions": ["request:Create", "request:Read"]}]),
    );
    schema["properties"]["scopes_to_delete"] = list(
        &id,
        "Scopes of this offering to remove: their numbers; nodeIDs are accepted too. Needs the \
         permission `app-offering-scope:Delete` too.",
        json!([]),
    );
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    AppOfferingScope: |record| with_action_pattern(
        schema::output(record, "What an app may do in the account of a customer.")),
    AppOfferingScopeItem: |record| with_action_pattern(
        schema::item(record, "A scope in a list: the selected fields.")),
    CreateAppOfferingScope: |record| with_action_pattern(
        schema::input(record, "A new scope.", true)),
    UpdateAppOfferingScope: |record| with_action_pattern(schema::input(
        record, "Changes to a scope. Properties left out keep their value.", false)),
);
list_parameters!(COLLECTION => AppOfferingScopeQuery);

#[cfg(test)]
mod tests {
    use super::is_action;

    #[test]
    fn an_action_is_a_record_type_and_an_operation() {
        for good in ["request:Read", "product-category:Update", "ci:All", "sla2-x3:Delete"] {
            assert!(is_action(good), "{good}");
        }
        for bad in [
            "",
            ":",
            "request",
            "request:",
            ":Read",
            "request:read",
            "Request:Read",
            "-a:Read",
            "a-:Read",
            "a--b:Read",
            "1a:Read",
            "a b:Read",
            "a:Read ",
            "a:Read:All",
            "a:*",
            "*:Read",
            "!a:Read",
            "ä:Read",
            "a_b:Read",
            "request:Read\n",
        ] {
            assert!(!is_action(bad), "{bad:?}");
        }
    }
}
