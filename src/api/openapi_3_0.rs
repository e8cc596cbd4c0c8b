//! The 3.0.3 flavour of a document, for generators that do not read 3.1 yet. Derived, never edited: it
//! says the same in older words.
use serde_json::{Map, Value, json};

use super::document::{messages, remove_unused};
use super::soundness::{self, Unsound};

/// Derives the 3.0.3 flavour.
///
/// # Errors
/// What is wrong with the document: what cannot be followed cannot be said in other words.
pub fn derive(document: &Value) -> Result<Value, Unsound> {
    soundness::check(document)?;
    // As they are before any is converted.
    let schemas = &document["components"]["schemas"];
    let mut document = document.clone();
    document["openapi"] = "3.0.3".into();
    if let Some(members) = document.as_object_mut() {
        // It knows no messages that go out; then nothing refers to their parts.
        members.shift_remove("webhooks");
    }
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| tag["name"] != messages::TAG);
    }
    if let Some(components) = document["components"].as_object_mut() {
        for name in ["schemas", "parameters", "headers", "responses"] {
            for (_, component) in
                components.get_mut(name).and_then(Value::as_object_mut).into_iter().flatten()
            {
                convert(component, name == "schemas", schemas);
            }
        }
    }
    if let Some(paths) = document.get_mut("paths") {
        convert(paths, false, schemas);
    }
    remove_unused(&mut document);
    Ok(document)
}

/// Converts every schema in a value; `is_schema` says whether the value itself is one. `schemas` are those that
/// can be referred to.
fn convert(value: &mut Value, is_schema: bool, schemas: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| convert(item, is_schema, schemas)),
        Value::Object(object) if is_schema => convert_schema(object, schemas),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match name.as_str() {
                    "schema" => convert(value, true, schemas),
                    // Values, not descriptions.
                    "example" | "examples" => {}
                    _ => convert(value, false, schemas),
                }
            }
        }
        _ => {}
    }
}

fn convert_schema(schema: &mut Map<String, Value>, schemas: &Value) {
    for name in ["properties", "patternProperties"] {
        for (_, property) in
            schema.get_mut(name).and_then(Value::as_object_mut).into_iter().flatten()
        {
            convert(property, true, schemas);
        }
    }
    for name in ["items", "additionalProperties", "not", "allOf", "anyOf", "oneOf"] {
        if let Some(inner) = schema.get_mut(name) {
            convert(inner, true, schemas);
        }
    }
    // Names cannot be told by a pattern there; what their values are can be.
    if let Some(Value::Object(patterns)) = schema.remove("patternProperties")
        && let Some((_, values)) = patterns.into_iter().next()
    {
        schema.insert("additionalProperties".to_owned(), values);
    }
    // `type: ["string", "null"]` → `nullable`.
    if let Some(Value::Array(types)) = schema.get("type") {
        let others: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
        let nullable = others.len() != types.len();
        match <[Value; 1]>::try_from(others) {
            Ok([only]) => schema.insert("type".to_owned(), only),
            Err(_) => schema.remove("type"),
        };
        if nullable {
            schema.insert("nullable".to_owned(), true.into());
        }
    }
    // `anyOf: [X, null]` → `allOf: [X], nullable`; of several choices the first takes the null.
    for name in ["anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = schema.get(name) else { continue };
        let mut others: Vec<Value> =
            choices.iter().filter(|choice| choice["type"] != "null").cloned().collect();
        if others.len() == choices.len() {
            continue;
        }
        schema.remove(name);
        match others.as_mut_slice() {
            [only] if only.get("$ref").is_some() => {
                let name = only["$ref"].as_str().and_then(|it| it.rsplit('/').next());
                let named = &schemas[name.unwrap_or_default()];
                // 3.0.3 knows `nullable` only beside a type.
                let kind = named["type"].as_str().unwrap_or("object");
                schema.insert("type".to_owned(), kind.into());
                schema.insert("nullable".to_owned(), true.into());
                if let Some(words) = named["enum"].as_array() {
                    // Of a reference and words a null would have to be one of both.
                    let words = words.iter().cloned().chain([Value::Null]);
                    schema.insert("enum".to_owned(), words.collect());
                } else {
                    schema.insert("allOf".to_owned(), others.into());
                }
            }
            choices => {
                if let Some(first) = choices.first_mut() {
                    first["nullable"] = true.into();
                }
                schema.insert(name.to_owned(), others.into());
            }
        }
    }
    if let Some(constant) = schema.remove("const") {
        schema.insert("enum".to_owned(), json!([constant]));
    }
    if let Some(Value::Array(examples)) = schema.remove("examples")
        && let Some(first) = examples.into_iter().next()
    {
        schema.insert("example".to_owned(), first);
    }
    // Nothing may stand beside a `$ref`.
    if schema.len() > 1
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{"$ref": reference}]));
    }
}
