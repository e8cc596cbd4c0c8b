//! Writes a client of each 3.0.3 document, and gives progenitor the documents in the words that it knows.
use std::collections::BTreeSet;
use std::{env, fs, path::Path};

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::{Value, json};

/// Schemas of refusals of the app offerings, which progenitor's client reads as one type. The ones that ask for more
/// come first: of several that fit, serde takes the first. The app packages have one schema for all.
const REFUSALS: [&str; 5] =
    ["Problem", "ValidationFailed", "TooManyRequests", "TokenRefusal", "Message"];

fn main() {
    let documents = env::var("DOCUMENTS").expect("DOCUMENTS is the folder of the documents");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    println!("cargo::rerun-if-env-changed=DOCUMENTS");
    for name in ["app-offerings", "app-packages"] {
        let path = Path::new(&documents).join(format!("{name}-3.0.json"));
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("the documents are in their folder");
        let mut document: Value = serde_json::from_str(&text).expect("a document is JSON");
        adapt(&mut document);
        let document = serde_json::from_value(document).expect("a document is of OpenAPI 3.0");
        let mut settings = GenerationSettings::new();
        settings.with_interface(InterfaceStyle::Builder);
        let client = Generator::new(&settings)
            .generate_tokens(&document)
            .expect("progenitor reads the document");
        let file = syn::parse2(client).expect("progenitor writes Rust");
        fs::write(Path::new(&out).join(format!("{name}.rs")), prettyplease::unparse(&file))
            .expect("cargo made the folder");
    }
}

/// Drops the limits of texts: progenitor makes a type of each text that has some, 200 000 lines in all, and the
/// server checks them anyway.
fn without_limits(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "string") {
                object.retain(|name, _| {
                    !["pattern", "minLength", "maxLength"].contains(&name.as_str())
                });
            }
            object
                .iter_mut()
                .filter(|(name, _)| *name != "example")
                .for_each(|(_, inner)| without_limits(inner));
        }
        Value::Array(items) => items.iter_mut().for_each(without_limits),
        _ => {}
    }
}

/// Says the same in the part of OpenAPI that progenitor reads; the README beside this file says why each is needed.
fn adapt(document: &mut Value) {
    without_limits(document);
    let components = document["components"].take();
    let mut refusals = BTreeSet::new();
    for (_, item) in document["paths"].as_object_mut().expect("a document has paths") {
        let item = item.as_object_mut().expect("a path has operations");
        item.retain(|_, operation| {
            operation["requestBody"]["content"].get("multipart/form-data").is_none()
        });
        for (_, operation) in item {
            if let Some(content) =
                operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut)
            {
                if content.len() > 1 {
                    content.retain(|kind, _| kind == "application/json");
                }
                if let Some(bytes) = content.get_mut("application/octet-stream") {
                    bytes["schema"] = json!({"type": "string", "format": "binary"});
                }
            }
            let responses =
                operation["responses"].as_object_mut().expect("an operation has responses");
            responses.retain(|status, response| {
                if status.starts_with('2') {
                    return true;
                }
                let whole = match response["$ref"].as_str() {
                    Some(reference) => {
                        components.pointer(reference.trim_start_matches("#/components")).expect("references lead somewhere")
                    }
                    None => &*response,
                };
                let content = whole["content"].as_object().into_iter().flatten();
                let schemas: Vec<&str> = content
                    .filter(|(kind, _)| kind.ends_with("json"))
                    .filter_map(|(_, content)| content["schema"]["$ref"].as_str()?.rsplit('/').next())
                    .collect();
                let [schema] = schemas[..] else { return false };
                let schema = match REFUSALS.iter().find(|name| **name == schema) {
                    Some(name) => {
                        refusals.insert(*name);
                        "Refusal"
                    }
                    None => schema,
                };
                *response = json!({
                    "description": whole["description"],
                    "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}},
                });
                true
            });
        }
    }
    document["components"] = components;
    let reference = |name: &&str| json!({"$ref": format!("#/components/schemas/{name}")});
    let any: Vec<Value> =
        REFUSALS.iter().filter(|name| refusals.contains(**name)).map(reference).collect();
    if !any.is_empty() {
        document["components"]["schemas"]["Refusal"] = json!({"oneOf": any});
    }
}
