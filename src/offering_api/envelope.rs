//! How this family's refusals look: bodies and headers (contract 1.4, 1.16).
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::directory::state::AppState;
use crate::kernel::error::{Error, Problem, chain};
use crate::kernel::http::answer::JSON;
use crate::kernel::language::Language;
use crate::kernel::language::labels::label;

/// Most characters of a text in a refusal.
pub const LONGEST: usize = 1000;

/// Whose error body an operation answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"message":"…"}`, as the vendor's operations.
    Message,
    /// RFC 9457 `application/problem+json`, for operations that are ours alone.
    Problem,
}

/// 200 with a JSON value, without a tag: for answers that do not depend on who asks, or that are never the same.
pub fn json(value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// The answer to a refused request: the error's body, and the headers that `draft` already has.
pub fn refusal(
    state: &AppState,
    error: &Error,
    form: Form,
    language: Language,
    draft: Response,
) -> Response {
    if let Error::Internal(cause) | Error::Unavailable(cause) = error {
        tracing::error!(error = %chain(cause.as_ref()), "a request failed");
    }
    let status = error.status();
    let body = match form {
        Form::Message => message(state, error, language),
        Form::Problem => problem(state, error, status, language),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.extend(draft.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
    let content_type = match form {
        Form::Message => JSON,
        Form::Problem => HeaderValue::from_static("application/problem+json"),
    };
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.remove(header::CONTENT_LENGTH);
    match error {
        Error::TooManyRequests(seconds) => {
            headers.insert(header::RETRY_AFTER, (*seconds).into());
        }
        Error::Unavailable(_) => {
            headers.insert(header::RETRY_AFTER, 1.into());
        }
        Error::Unauthorized => {
            // RFC 9110 11.6.1 asks for it.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    response
}

fn message(state: &AppState, error: &Error, language: Language) -> Value {
    let mut body = json!({"message": shown(error.to_string())});
    match error {
        Error::Invalid(problems) => {
            let pairs: Vec<Value> = problems
                .iter()
                .map(|problem| json!([problem.field, text(problem, language)]))
                .collect();
            body["errors"] = pairs.into();
        }
        // Every 422 has pairs; what is about no field is about the whole, `base`.
        Error::Unprocessable(text) => body["errors"] = json!([["base", shown(text.clone())]]),
        Error::TooManyRequests(_) => {
            body["documentation_url"] = documentation_url(state).into();
        }
        _ => {}
    }
    body
}

/// The page that explains the limits.
fn documentation_url(state: &AppState) -> String {
    let default = || format!("{}/docs", state.site.public_url);
    state.config.documentation_url.clone().unwrap_or_else(default)
}

fn problem(state: &AppState, error: &Error, status: StatusCode, language: Language) -> Value {
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": shown(error.to_string()),
    });
    if let Error::TooManyRequests(_) = error {
        body["documentation_url"] = documentation_url(state).into();
    }
    if let Error::Invalid(problems) = error {
        let list: Vec<Value> = problems
            .iter()
            .map(|problem| json!({"field": problem.field, "detail": text(problem, language)}))
            .collect();
        body["errors"] = list.into();
    }
    body
}

fn text(problem: &Problem, language: Language) -> String {
    shown(problem.violation.text(language, &label(problem.field, language)))
}

/// A text as the document bounds it, whatever it repeats of the request.
fn shown(text: String) -> String {
    let text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    match text.char_indices().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        None => text,
    }
}
