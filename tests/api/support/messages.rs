//! Every message that any test's receiver gets is held against the documents: its entry among the
//! `webhooks` of its family, and `events.json`. A member or header that they do not name fails the test.
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};

use super::contract::{Document, documents};
use super::receiver::{Received, Receiver};

impl Receiver {
    /// A receiver of messages, all of which must be as the documents say.
    pub fn start() -> Self {
        Self::checked_by(problems)
    }
}

/// `events.json` as the code builds it.
pub static EVENTS: LazyLock<Document> =
    LazyLock::new(|| Document::new("events", appmarket::api::document::messages::events(), None));

/// Headers that say nothing of the message, whatever it is.
const TRANSPORT: &[&str] = &["accept", "content-length", "content-type", "host"];

/// The message of a request: of a signed one what its token tells.
pub fn told(received: &Received) -> Value {
    let body = received.json();
    match token(&body) {
        Some(token) => part(token, 1)["data"].clone(),
        None => body,
    }
}

/// The token of a signed message.
fn token(body: &Value) -> Option<&str> {
    body.get("jwt")?.as_str()
}

/// Header or claims of a token.
pub fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// What the documents do not say of a message.
pub fn problems(received: &Received) -> Vec<String> {
    let [offerings, packages] = documents();
    let is_notification = received.headers.contains_key("x-vol-hmac-sha256");
    let (document, member) =
        if is_notification { (packages, "topic") } else { (offerings, "event") };
    let (body, message) = (received.json(), told(received));
    let Some(event) = message[member].as_str() else {
        return vec![format!("no {member}: {message}")];
    };
    let entry = &document.value["webhooks"][event]["post"];
    if entry.is_null() {
        return vec![format!("{event} is not documented: {message}")];
    }
    let mut problems = Vec::new();
    if received.method != Method::POST || received.header("content-type") != JSON {
        problems.push(format!("{} of {}", received.method, received.header("content-type")));
    }
    let schema = &entry["requestBody"]["content"]["application/json"]["schema"];
    problems.extend(unlike(document, schema, &body));
    // What the token tells is the same message as without one.
    problems.extend(unlike(document, schema, &message));
    problems.extend(EVENTS.problems("", &body));
    problems.extend(EVENTS.problems(&format!("/$defs/{event}"), &message));
    if let Some(token) = token(&body) {
        let parts = json!([part(token, 0), part(token, 1)]);
        let signed = "properties/jwt/contentSchema";
        let schema = format!("/components/schemas/SignedMessage/{signed}");
        problems.extend(document.problems(&schema, &parts));
        problems.extend(EVENTS.problems(&format!("/$defs/SignedMessage/{signed}"), &parts));
    }
    problems.extend(headers(document, entry, received));
    let name = |problem: String| format!("{event}: {problem}\n{body:#}");
    problems.into_iter().map(name).collect()
}

/// What a value is not as a reference to a schema has it, or as one of several has it.
fn unlike(document: &'static Document, schema: &Value, value: &Value) -> Vec<String> {
    let choices = schema["anyOf"].as_array().map_or(std::slice::from_ref(schema), Vec::as_slice);
    let problems = choices.iter().map(|choice| {
        let pointer = choice["$ref"].as_str().unwrap().trim_start_matches('#');
        document.problems(pointer, value)
    });
    let problems: Vec<Vec<String>> = problems.collect();
    let fits = problems.iter().any(Vec::is_empty);
    if fits { Vec::new() } else { problems.concat() }
}

const JSON: &str = "application/json; charset=utf-8";

/// What the entry does not say of the headers.
fn headers(document: &'static Document, entry: &Value, received: &Received) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known = Vec::new();
    for reference in entry["parameters"].as_array().unwrap() {
        let pointer = reference["$ref"].as_str().unwrap().trim_start_matches('#');
        let parameter = document.value.pointer(pointer).unwrap();
        let name = parameter["name"].as_str().unwrap().to_ascii_lowercase();
        match received.headers.get(&name) {
            Some(value) => {
                let text = value.to_str().unwrap();
                let is_number = parameter["schema"]["type"] == "integer";
                let value = if is_number { text.parse().unwrap() } else { json!(text) };
                let found = document.problems(&format!("{pointer}/schema"), &value);
                problems.extend(found.into_iter().map(|problem| format!("{name}: {problem}")));
            }
            None if parameter["required"] == true => problems.push(format!("no header {name}")),
            None => {}
        }
        known.push(name);
    }
    let names = received.headers.keys().map(http::HeaderName::as_str);
    let unknown = names.filter(|it| !known.iter().any(|known| known == it));
    let unknown = unknown.filter(|name| !TRANSPORT.contains(name));
    problems.extend(unknown.map(|name| format!("the header {name} is not documented")));
    problems
}
