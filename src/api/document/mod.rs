//! The documents, a file for each family. Here are the passes that any document goes through.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kernel::record::schema;

mod links;
pub mod messages;
pub mod offerings;
pub mod packages;
pub(super) mod pagination;

/// A document as it is committed and served.
pub fn to_text(document: &Value) -> String {
    // A JSON value always has a text.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

/// The same in YAML: 1.2 as well as 1.1, which takes more for a date than its quotes say.
pub fn to_yaml(document: &Value) -> String {
    // So has it in YAML.
    let text = yaml_serde::to_string(document).unwrap_or_default();
    let quoted = |line: &str| {
        let entry = line.trim_start_matches(['-', ' ']);
        // What stands in quotes has them already.
        let is_plain = !entry.starts_with(['"', '\'']);
        let value = entry.split_once(": ").map_or(entry, |(_, value)| value);
        let before = &line[..line.len() - value.len()];
        let is_value = before.ends_with(": ") || before.ends_with("- ");
        if is_plain && is_value && is_date(value) {
            format!("{before}'{value}'\n")
        } else {
            format!("{line}\n")
        }
    };
    text.lines().map(quoted).collect()
}

/// Whether a text begins as dates and times do.
fn is_date(text: &str) -> bool {
    let form = |(byte, place): (u8, &u8)| {
        if *place == b'0' { byte.is_ascii_digit() } else { byte == *place }
    };
    text.len() >= 10 && text.bytes().zip(b"0000-00-00").all(form)
}

/// What a document says of itself.
fn info(title: &str, version: &str, description: &str) -> Value {
    json!({
        "title": title,
        "version": version,
        "description": description,
        "contact": {"name": "The operator of this server"},
        "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
    })
}

/// The tags that operations have, of those of a family: name and description, in their order.
fn tags(known: &[(&str, &str)], used: &BTreeSet<String>) -> Value {
    let used = known.iter().filter(|(name, _)| used.contains(*name));
    used.map(|(name, text)| json!({"name": name, "description": text})).collect()
}

/// Where a body may be a form or JSON, the form comes first: the Swagger UI then shows fields.
fn form_first(operation: &mut Value) {
    let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    let Some(content) = content else { return };
    const FORM: &str = "application/x-www-form-urlencoded";
    if let Some(form) = content.shift_remove(FORM) {
        content.shift_insert(0, FORM.to_owned(), form);
    }
}

/// Extensions come from a hash map, in another order each time; the document is always the same.
fn order_extensions(operation: &mut Value) {
    let Some(operation) = operation.as_object_mut() else { return };
    let mut names: Vec<String> =
        operation.keys().filter(|name| name.starts_with("x-")).cloned().collect();
    names.sort_unstable();
    for name in names {
        // Taken out and put back: at the end, one after the other.
        if let Some(value) = operation.shift_remove(&name) {
            operation.insert(name, value);
        }
    }
}

/// Headers of a response, by reference: these, and those that every response has.
fn header_references(names: &[&str]) -> Value {
    let common = ["X-Request-Id", "X-Runtime", "Access-Control-Allow-Origin"];
    let reference =
        |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.iter().chain(&common).map(reference).collect())
}

/// Makes a component of each schema that has a `title`, under that name, and refers to it in its place.
///
/// Generators make a type of each object and each choice. Components give it their name; for others they
/// invent one from the way there, as `AuditChangesValueInnerAnyOfInner`.
fn name_schemas(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut named = Map::new();
    for schema in schemas.values_mut() {
        lift(schema, &mut named);
    }
    for (name, schema) in named {
        assert!(!schemas.contains_key(&name), "{name} means something else already");
        schemas.insert(name, schema);
    }
}

fn lift(value: &mut Value, named: &mut Map<String, Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| lift(item, named)),
        Value::Object(object) => {
            for (name, inner) in object.iter_mut() {
                // Values, not descriptions.
                if !["example", "examples", "default", "enum", "const"].contains(&name.as_str()) {
                    lift(inner, named);
                }
            }
            // A property may be called `title` too.
            if !object.get("title").is_some_and(Value::is_string) {
                return;
            }
            let Some(Value::String(title)) = object.shift_remove("title") else { return };
            let mut place = Map::new();
            if let Some(here) = object.shift_remove(schema::HERE) {
                place.insert("description".to_owned(), here);
            }
            for name in ["readOnly", "writeOnly"] {
                place.extend(object.shift_remove(name).map(|value| (name.to_owned(), value)));
            }
            let is_nullable = object.get("type") == Some(&json!(["object", "null"]));
            if is_nullable {
                object.insert("type".to_owned(), "object".into());
            }
            let reference = json!({"$ref": format!("#/components/schemas/{title}")});
            let (name, value_of_place) = if is_nullable {
                ("anyOf", json!([reference, {"type": "null"}]))
            } else {
                ("$ref", reference["$ref"].clone())
            };
            place.insert(name.to_owned(), value_of_place);
            let schema = Value::Object(std::mem::replace(object, place));
            let known = named.entry(title.clone()).or_insert_with(|| schema.clone());
            assert!(*known == schema, "{title} is two things:\n{known}\n{schema}");
        }
        _ => {}
    }
}

fn sort_schemas(components: &mut Value) {
    if let Some(schemas) = components["schemas"].as_object_mut() {
        schemas.sort_keys();
    }
}

/// An answer that is an array has at most so many items, unless it says otherwise.
fn bound_arrays(document: &mut Value, most: u32) {
    for item in document["paths"].as_object_mut().into_iter().flatten().map(|(_, item)| item) {
        for operation in item.as_object_mut().into_iter().flatten().map(|(_, operation)| operation)
        {
            let responses = operation["responses"].as_object_mut().into_iter().flatten();
            for (_, response) in responses {
                let Some(json) = response.pointer_mut("/content/application~1json") else {
                    continue;
                };
                if json["schema"]["type"] == "array" && json["schema"].get("maxItems").is_none() {
                    json["schema"]["maxItems"] = most.into();
                }
            }
        }
    }
}

/// Drops components that nothing refers to, until none is left.
pub(super) fn remove_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let mut dropped = false;
        for kind in ["schemas", "parameters", "headers", "responses"] {
            let Some(components) = document["components"][kind].as_object_mut() else { continue };
            let before = components.len();
            components.retain(|name, _| text.contains(&format!("\"#/components/{kind}/{name}\"")));
            dropped |= components.len() != before;
        }
        if !dropped {
            return;
        }
    }
}

/// A request header that is a parameter of operations.
fn parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema})
}

/// A header of answers.
fn header(description: &str, schema: Value) -> Value {
    json!({"description": description, "schema": schema})
}

/// The schema of a text.
fn text(max: u32, pattern: &str, example: &str) -> Value {
    json!({"type": "string", "maxLength": max, "pattern": pattern, "examples": [example]})
}

/// The schema of a number from 0 that every client can hold.
fn number(example: i64) -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": 9_007_199_254_740_991_i64,
           "examples": [example]})
}

/// Adds the members of another object.
fn extend(object: &mut Value, more: Value) {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
}

/// Request headers that both families understand.
fn shared_parameters() -> Value {
    json!({
        "IfNoneMatch": parameter(
            "If-None-Match",
            "An `ETag` that was answered before: answers 304 when nothing has changed.",
            text(1000, r"^[^\x00]*$", "W/\"0cc175b9c0f1b6a831c399e269772661\""),
        ),
        "IfMatch": parameter(
            "If-Match",
            "The `ETag` of the record as it was read: answers 412 when it has changed since.",
            text(1000, r"^[^\x00]*$", "W/\"0cc175b9c0f1b6a831c399e269772661\""),
        ),
        "IdempotencyKey": parameter(
            "Idempotency-Key",
            "A text of the caller's choice, new for each intended change. A repetition with the same \
             key within 24 hours gets the first answer again, and changes nothing; another request with it is \
             refused with 422.",
            text(255, r"^[!-~]([ -~]*[!-~])?$", "2f1c7c58-8a0e-4a53-9a3e-6f6b0a6a7a11"),
        ),
        "Prefer": parameter(
            "Prefer",
            "`handling=strict` refuses unknown properties instead of ignoring them (RFC 7240).",
            text(200, r"^[^\x00]*$", "handling=strict"),
        ),
    })
}

/// Headers that answers of both families have.
fn shared_headers() -> Value {
    json!({
        "Access-Control-Allow-Origin": header(
            "Origin from which browsers may call: the service's own.",
            text(255, r"^[^\x00]*$", "https://api.example.test"),
        ),
        "Content-Disposition": header(
            "Name of the file, and whether browsers show or save it (RFC 6266).",
            text(4000, r"^(inline|attachment); .*$",
                 "inline; filename=\"logo.png\"; filename*=UTF-8''logo.png"),
        ),
        "ETag": header(
            "Tag of this state, for `If-None-Match` and `If-Match`.",
            text(40, "^W/\"[0-9a-f]{32}\"$", "W/\"0cc175b9c0f1b6a831c399e269772661\""),
        ),
        "Idempotency-Replayed": header(
            "`true` when this is the answer to an earlier request with the same key.",
            json!({"type": "string", "enum": ["true"], "examples": ["true"]}),
        ),
        "Preference-Applied": header(
            "`handling=strict` when it was asked for.",
            json!({"type": "string", "enum": ["handling=strict"], "examples": ["handling=strict"]}),
        ),
        "Retry-After": header("Seconds to wait before the next try.", number(2)),
        "WWW-Authenticate": header(
            "How to authenticate: `Bearer`, or `Basic` where the credentials of an OAuth client were \
             sent so.",
            text(200, r"^(Bearer|Basic .+)$", "Bearer"),
        ),
        "X-RateLimit-Limit": header("Requests per hour.", number(3600)),
        "X-RateLimit-Remaining": header("Requests left in this hour.", number(3599)),
        "X-RateLimit-Reset": header("When the hour ends, in seconds since 1970.", number(1_769_940_000)),
        "X-Request-Id": header(
            "Id of the request in the server's log.",
            json!({"type": "string", "format": "uuid", "maxLength": 36,
                   "examples": ["0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11"]}),
        ),
        "X-Runtime": header("Milliseconds that the answer took.", text(20, r"^[0-9]+\.[0-9]{3}$", "1.250")),
    })
}
