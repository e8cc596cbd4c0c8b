//! The documents, a file for each family. Here are the passes that any document goes through.
use serde_json::{Value, json};

pub mod offerings;

/// A document as it is committed and served.
pub fn to_text(document: &Value) -> String {
    // A JSON value always has a text.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
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
fn remove_unused(document: &mut Value) {
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
