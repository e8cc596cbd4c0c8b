//! Whether a document can be worked with at all: what every later step takes for granted.
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// What is wrong with a document, each with its place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unsound(Vec<String>);

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// The place of a member below another one, as a JSON pointer (RFC 6901).
pub fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// What a `$ref` leads to.
pub(super) fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// References lead somewhere, each operation has a name of its own and shows how it is asked, and what schemas show
/// is what they describe.
///
/// # Errors
/// Everything that is not so.
pub fn check(document: &Value) -> Result<(), Unsound> {
    let mut wrong = Vec::new();
    walk(document, document, "#", &mut wrong);
    let mut named = BTreeMap::new();
    for kind in ["paths", "webhooks"] {
        for (path, item) in document[kind].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let place = below(&below(&format!("#/{kind}"), path), method);
                match operation["operationId"].as_str() {
                    None => wrong.push(format!("{place}: there is no operationId")),
                    Some(id) => {
                        if let Some(first) = named.insert(id, place.clone()) {
                            wrong.push(format!("{place}: the operationId {id} is that of {first}"));
                        }
                    }
                }
                // Messages are written by the service alone.
                let media = request_media(operation).filter(|_| kind == "paths");
                for (kind, media) in media {
                    if !shows_example(document, media) {
                        let place = below(&format!("{place}/requestBody/content"), kind);
                        wrong.push(format!("{place}: there is no example"));
                    }
                }
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Unsound(wrong)) }
}

/// Bodies of requests that people write by hand.
fn request_media(operation: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
    content.into_iter().flatten().filter(|(kind, _)| kind.ends_with("json"))
}

/// Whether a body can be shown: as a whole, or member by member.
fn shows_example(document: &Value, media: &Value) -> bool {
    let has = |value: &Value| value.get("example").is_some() || value.get("examples").is_some();
    if has(media) {
        return true;
    }
    let mut schema = &media["schema"];
    while let Some(next) = schema["$ref"].as_str().and_then(|it| target(document, it)) {
        schema = next;
    }
    // Of several forms that a body may have each one shows itself.
    if ["allOf", "anyOf", "oneOf"].into_iter().any(|it| schema.get(it).is_some()) {
        return true;
    }
    let shows = |member: &Value| {
        has(member)
            || ["$ref", "enum", "const", "items", "properties", "allOf", "anyOf", "oneOf"]
                .iter()
                .any(|it| member.get(it).is_some())
            || member["type"] == "boolean"
    };
    has(schema)
        || schema["properties"].as_object().is_some_and(|all| all.iter().all(|(_, it)| shows(it)))
}

fn walk(document: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(document, item, &format!("{place}/{index}"), wrong);
            }
        }
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && target(document, reference).is_none()
            {
                wrong.push(format!("{place}/$ref: {reference} leads nowhere"));
            }
            examples(document, value, place, wrong);
            for (name, inner) in object {
                // Values, not descriptions.
                if !["example", "examples", "default", "enum", "const"].contains(&name.as_str()) {
                    walk(document, inner, &below(place, name), wrong);
                }
            }
        }
        _ => {}
    }
}

/// What a schema shows and takes as default is of its type and one of its values.
fn examples(document: &Value, schema: &Value, place: &str, wrong: &mut Vec<String>) {
    // Beside a reference stands what one place has of its own.
    let is_null = |it: &Value| it["type"] == "null";
    let (described, is_nullable) = match schema["anyOf"].as_array().map(Vec::as_slice) {
        // One that may be null.
        Some([one, null]) if is_null(null) => (one, true),
        _ => (schema, schema["nullable"] == true),
    };
    let referred = described["$ref"].as_str().and_then(|it| target(document, it));
    let described = referred.unwrap_or(described);
    let types: Vec<&str> = match &described["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let shown = schema["examples"].as_array().into_iter().flatten();
    let shown = shown.map(|value| ("examples", value));
    let others = ["example", "default"].into_iter().filter_map(|it| Some((it, schema.get(it)?)));
    for (member, value) in shown.chain(others) {
        let is_null = value.is_null() && is_nullable;
        if !is_null && !types.iter().any(|it| is_of(value, it)) {
            wrong
                .push(format!("{place}/{member}: {value} is not of the type {}", types.join(", ")));
        }
        let values = described["enum"].as_array();
        if !is_null && values.is_some_and(|values| !values.contains(value)) {
            wrong.push(format!("{place}/{member}: {value} is not one of the values in enum"));
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
