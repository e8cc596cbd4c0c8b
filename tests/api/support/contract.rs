//! Every answer that any test gets is held against the document of its family: status, headers and body.
//! An undocumented status, header or property fails the test that met it.
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use appmarket::package_api::convention::paths::{Paths, is_ours};
use http::Method;
use jsonschema::Validator;
use serde_json::Value;

use super::client::Answer;

/// The document of a family.
pub struct Document {
    /// The family's folder below `src`.
    pub family: &'static str,
    /// As the code builds it.
    pub value: Value,
    /// The same with closed objects, so that a property which it does not name is found.
    closed: Value,
    /// Its addresses, where they may be written in several ways.
    paths: Option<Paths>,
    /// Validators by JSON pointer of the schema.
    validators: Mutex<HashMap<String, &'static Validator>>,
}

impl Document {
    pub fn new(family: &'static str, value: Value, paths: Option<Paths>) -> Self {
        let mut closed = value.clone();
        close(&mut closed);
        Self { family, value, closed, paths, validators: Mutex::default() }
    }
}

static OFFERINGS: LazyLock<Document> =
    LazyLock::new(|| Document::new("offering_api", appmarket::api::offerings(), None));

static PACKAGES: LazyLock<Document> = LazyLock::new(|| {
    let value = appmarket::api::packages();
    let paths = Paths::of(&value);
    Document::new("package_api", value, Some(paths))
});

/// The documents of both families.
pub fn documents() -> [&'static Document; 2] {
    [&OFFERINGS, &PACKAGES]
}

/// Headers that HTTP itself or the transport adds, whatever the operation.
const TRANSPORT: &[&str] = &[
    "allow",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "pragma",
    "referrer-policy",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
];

/// The operation that a request meets, with its document and its path there.
pub fn operation(
    method: &Method,
    path: &str,
) -> Option<(&'static Document, String, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default();
    let document: &'static Document = if is_ours(path) { &PACKAGES } else { &OFFERINGS };
    let path = match &document.paths {
        Some(paths) => paths.canonical(path)?,
        None => {
            let path = path.trim_end_matches('/');
            // Elsewhere it belongs to the name: `jwks.json`.
            let is_record = |it: &&str| it.starts_with("/v1") || *it == "/token";
            path.strip_suffix(".json").filter(is_record).unwrap_or(path).to_owned()
        }
    };
    let wanted: Vec<&str> = path.split('/').collect();
    let paths = document.value["paths"].as_object().unwrap();
    // A literal segment wins over a parameter.
    let (found, item) = paths
        .iter()
        .filter(|(template, item)| matches(template, item, &wanted))
        .min_by_key(|(template, _)| template.matches('{').count())?;
    let method = if method == Method::HEAD { Method::GET } else { method.clone() };
    let operation = item.get(method.as_str().to_ascii_lowercase())?;
    Some((document, found.clone(), operation))
}

/// Whether a path fits a template, of which the last parameter may take several segments.
fn matches(template: &str, item: &Value, wanted: &[&str]) -> bool {
    let parts: Vec<&str> = template.split('/').collect();
    let takes_rest = item.to_string().contains("x-multi-segment");
    (parts.len() == wanted.len() || takes_rest && parts.len() < wanted.len())
        && parts.iter().zip(wanted).all(|(part, text)| part.starts_with('{') || part == text)
}

/// Panics when the document does not know this answer.
#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let Some((document, template, operation)) = operation(method, path) else { return };
    let id = operation["operationId"].as_str().unwrap();
    let status = answer.status.as_u16().to_string();
    let place = format!("{id} {status}");
    let mut response = &operation["responses"][&status];
    assert!(
        !response.is_null(),
        "{place}: this status is not documented: {}",
        String::from_utf8_lossy(&answer.bytes)
    );
    let mut pointer = format!(
        "/paths/{}/{}/responses/{status}",
        template.replace('~', "~0").replace('/', "~1"),
        method.as_str().to_ascii_lowercase()
    );
    if let Some(reference) = response["$ref"].as_str() {
        pointer = reference.trim_start_matches('#').to_owned();
        response = document.value.pointer(&pointer).unwrap();
    }
    check_headers(&place, response, answer);
    note(document.family, &place);
    let content = response["content"].as_object();
    let Some(content) = content else {
        assert!(answer.bytes.is_empty(), "{place}: a body that is not documented");
        return;
    };
    if *method == Method::HEAD {
        return;
    }
    let kind = answer.header("content-type").split(';').next().unwrap().to_owned();
    let Some(media) = content.get(&kind) else {
        // Files, whose bytes are whatever was stored.
        assert!(content.contains_key("*/*"), "{place}: {kind} is not documented");
        return;
    };
    if !kind.ends_with("json") {
        return;
    }
    let body: Value =
        serde_json::from_slice(&answer.bytes).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert!(media.get("schema").is_some(), "{place}: no schema");
    let media_key = kind.replace('/', "~1");
    let problems = document.problems(&format!("{pointer}/content/{media_key}/schema"), &body);
    assert!(problems.is_empty(), "{place}: {problems:#?}\n{body:#}");
}

fn check_headers(place: &str, response: &Value, answer: &Answer) {
    let documented: Vec<String> = response["headers"]
        .as_object()
        .map(|headers| headers.keys().map(|name| name.to_ascii_lowercase()).collect())
        .unwrap_or_default();
    for name in answer.headers.keys() {
        let known = documented.iter().any(|known| known == name.as_str());
        assert!(
            known || TRANSPORT.contains(&name.as_str()),
            "{place}: the header {name} is not documented"
        );
    }
}

impl Document {
    /// What a value is not as the schema at this JSON pointer has it.
    pub fn problems(&'static self, pointer: &str, value: &Value) -> Vec<String> {
        let errors = self.validator(pointer).iter_errors(value);
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    /// The validator of a schema.
    fn validator(&self, pointer: &str) -> &'static Validator {
        let mut validators = self.validators.lock().unwrap();
        if let Some(known) = validators.get(pointer) {
            return known;
        }
        // As little as there need be: all of it is looked at each time.
        let is_needed = |name: &str| match name {
            "paths" => pointer.starts_with("/paths/"),
            "webhooks" => false,
            "oneOf" => pointer.is_empty(),
            _ => true,
        };
        let members = self.closed.as_object().unwrap().iter();
        let mut schema: Value = members
            .filter(|(name, _)| is_needed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !pointer.is_empty() {
            let pointer = pointer.replace('{', "%7B").replace('}', "%7D");
            schema["$ref"] = format!("#{pointer}").into();
        }
        let validator = jsonschema::options().should_validate_formats(true).build(&schema);
        let validator =
            Box::leak(Box::new(validator.unwrap_or_else(|error| panic!("{pointer}: {error}"))));
        validators.insert(pointer.to_owned(), validator);
        validator
    }
}

/// Closes every object schema that says nothing about further properties.
fn close(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(object) => {
            let is_schema = object.get("type").is_some_and(|kind| {
                kind == "object"
                    || kind.as_array().is_some_and(|kinds| kinds.iter().any(|it| it == "object"))
            });
            if is_schema && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(close);
        }
        _ => {}
    }
}

/// Notes what an operation has answered, when a folder for such notes is named: `.ci/statuses.py` reads them.
fn note(family: &str, place: &str) {
    static FOLDER: LazyLock<Option<OsString>> =
        LazyLock::new(|| std::env::var_os("APPMARKET_TEST_SEEN"));
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let Some(folder) = FOLDER.as_ref() else { return };
    // Both families have operations of the same name.
    let line = format!("{family} {place}\n");
    if SEEN.lock().unwrap().insert(line.clone()) {
        let file = Path::new(folder).join(std::process::id().to_string());
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        // One write, so that lines of several threads do not mix.
        file.write_all(line.as_bytes()).unwrap();
    }
}
