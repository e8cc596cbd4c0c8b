//! The wire of the preview of an update.
use serde_json::{Value, json};

use crate::kernel::record::field::{Choices, MAX_CUSTOM_FIELD_ID};
use crate::kernel::record::schema::{self, ANY_TEXT};
use crate::literal_schema;
use crate::offering_api::app_offering_automation_rules::dto::RULABLE_TYPE;
use crate::offering_api::app_offerings::dto::REFERENCE_MAX;
use crate::offering_api::app_offerings::scopes::dto::{EFFECT, GRANT_TYPE};
use crate::offering_api::webhook_policies::dto::ALGORITHM;

literal_schema!(Upgrade: schema::from_json(upgrade()));
literal_schema!(InstallForm: schema::from_json(json!({
    "type": "array", "maxItems": MOST, "items": field(), "description": "The inputs of a form, in their order.",
    "examples": [[{"id": "url", "required": true, "secret": false}]],
})));

/// Most elements of a list: far more than an app has.
const MOST: u32 = 10_000;

fn upgrade() -> Value {
    json!({
        "type": "object",
        "description": "What would change between the installed and the latest published version. Without \
                        a newer version nothing would: all lists are empty.",
        "required": ["available", "installed", "latest", "consent_needed", "scopes", "automation_rules",
                     "custom_fields", "webhook_uri", "configuration_uri", "policy_jwt_alg"],
        "properties": {
            "available": flag("Whether there is another version than the installed one."),
            "installed": version("The installed version.", false),
            "latest": version("The version to update to, by writing its number as `app_offering_id`.", true),
            "consent_needed": flag(
                "Whether the app may do or learn more: by actions that are allowed now or denied no longer, \
                 by rules that are new or changed, because messages go to another address, because its form \
                 demands what it did not demand before, or because its configuration page is on another host."),
            "scopes": differences("UpgradeScopes", "Actions of the scopes.", scope(), None),
            "automation_rules": differences(
                "UpgradeAutomationRules",
                "Automation rules. Those of one name and type are taken for the same.",
                rule(false), Some(rule(true))),
            "custom_fields": differences("UpgradeCustomFields", "Inputs of the form.", field(), Some(field())),
            "webhook_uri": change("UriChange", "Address of the webhook, when it differs.", uri()),
            "configuration_uri": change("UriChange", "Address of the configuration page, when it differs.", uri()),
            "policy_jwt_alg": change(
                "AlgorithmChange",
                "Algorithm of the signatures, when it differs. The customer's policy then gets a new key.",
                schema::nullable(ALGORITHM.reference())),
        },
    })
}

fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description, "examples": [true]})
}

fn text(max: u32, description: &str, example: &str) -> Value {
    json!({"type": "string", "maxLength": max, "pattern": ANY_TEXT, "description": description,
           "examples": [example]})
}

fn choice(choices: &Choices, description: &str) -> Value {
    let mut schema = choices.reference();
    schema["description"] = description.into();
    schema
}

fn version(description: &str, is_nullable: bool) -> Value {
    let kind = if is_nullable { json!(["object", "null"]) } else { json!("object") };
    json!({
        "title": "UpgradeVersion", "type": kind, "description": "A version of an app offering.",
        schema::HERE: description, "required": ["id", "reference", "nodeID"],
        "properties": {
            "id": {"type": "integer", "format": "int64", "minimum": 1,
                   "maximum": crate::kernel::record::field::MAX_SAFE_INTEGER,
                   "description": "Number of the version.", "examples": [2]},
            "reference": text(REFERENCE_MAX, "Name of the offering over all its versions.", "note-dispatcher"),
            "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                       "description": "nodeID of the version.",
                       "examples": ["bG9jYWxob3N0L0FwcE9mZmVyaW5nLzI"]},
        },
    })
}

fn differences(title: &str, description: &str, item: Value, changed: Option<Value>) -> Value {
    let list = |item: &Value, description: &str| json!({"type": "array", "maxItems": MOST, "items": item, "description": description});
    let mut schema = json!({
        "title": title, "type": "object", "description": description, "required": ["added", "removed"],
        "properties": {
            "added": list(&item, "In the latest version only."),
            "removed": list(&item, "In the installed version only."),
        },
    });
    if let Some(changed) = changed {
        schema["required"] = json!(["added", "removed", "changed"]);
        schema["properties"]["changed"] = list(&changed, "In both, as the latest version has it.");
    }
    schema
}

fn scope() -> Value {
    json!({
        "title": "UpgradeScope", "type": "object", "description": "What an app may do, or may not.",
        "required": ["effect", "grant_type", "action", "conditions"],
        "properties": {
            "effect": choice(&EFFECT, "Whether the action is allowed or denied."),
            "grant_type": choice(
                &GRANT_TYPE, "Whether the app acts for itself or for the person who signed in."),
            "action": text(128, "The action.", "request:Read"),
            "conditions": {"type": "array", "maxItems": 100,
                "items": {"type": "string", "maxLength": 1000, "pattern": ANY_TEXT},
                "description": "Conditions under which the scope applies.", "examples": [[]]},
        },
    })
}

fn rule(is_changed: bool) -> Value {
    let mut schema = json!({
        "title": if is_changed { "ChangedAutomationRule" } else { "UpgradeAutomationRule" },
        "type": "object", "description": "An automation rule.",
        "required": ["name", "rulable_type", "trigger"],
        "properties": {
            "name": text(128, "Name of the rule.", "Dispatch notes"),
            "rulable_type": choice(&RULABLE_TYPE, "Type of the records that the rule is about."),
            "trigger": text(128, "When the rule is run.", "on note added"),
        },
    });
    if is_changed {
        schema["required"] = json!(["name", "rulable_type", "trigger", "fields"]);
        schema["properties"]["fields"] = json!({
            "type": "array", "maxItems": 6, "description": "What differs.", "examples": [["actions"]],
            "items": {"type": "string", "enum": ["trigger", "position", "description", "expressions",
                                                  "condition", "actions"]},
        });
    }
    schema
}

fn field() -> Value {
    json!({
        "title": "FormField", "type": "object", "description": "An input of the form.",
        "required": ["id", "required", "secret"],
        "properties": {
            "id": text(MAX_CUSTOM_FIELD_ID, "Id of the custom field.", "url"),
            "required": flag("Whether it must be filled in."),
            "secret": flag("Whether its value goes to the provider only, and is not kept."),
        },
    })
}

fn uri() -> Value {
    json!({"type": ["string", "null"], "maxLength": 16_384, "pattern": ANY_TEXT,
           "examples": ["https://echo.example.org/hook?account=globex"]})
}

fn change(title: &str, description: &str, value: Value) -> Value {
    let with = |text: &str| {
        let mut value = value.clone();
        value["description"] = text.into();
        value
    };
    json!({
        "title": title, "type": ["object", "null"], "description": "A setting that differs.",
        schema::HERE: description, "required": ["before", "after"],
        "properties": {
            "before": with("In the installed version; null for none."),
            "after": with("In the latest version; null for none."),
        },
    })
}
