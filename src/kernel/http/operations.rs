//! What a document says of an operation.
use serde_json::Value;

/// Content types of an operation's successes.
pub fn successes(operation: &Value) -> impl Iterator<Item = &str> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    responses
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| response["content"].as_object())
        .flat_map(|content| content.keys().map(String::as_str))
}
