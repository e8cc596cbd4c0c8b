//! What surrounds every request: the path is normalised, a panic becomes a 500, and the headers that
//! every answer has are added (contract 1.1, 1.4).
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};

use crate::directory::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RUNTIME: HeaderName = HeaderName::from_static("x-runtime");

/// The outermost layer.
pub async fn outermost(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    normalise(&mut request);
    let id = uuid::Uuid::new_v4();
    let span = tracing::debug_span!("request", %id, method = %request.method(), path = request.uri().path());
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tracing::Instrument::instrument(answer, span.clone()).await {
        Ok(response) => response,
        Err(_) => {
            // The panic's own message is in the log.
            tracing::error!(parent: &span, %id, "a request panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    put_in_words(&mut response);
    let elapsed = started.elapsed().as_micros();
    if response.status().is_server_error() {
        tracing::error!(parent: &span, %id, status = response.status().as_u16(), "answered");
    } else {
        tracing::debug!(parent: &span, status = response.status().as_u16(), elapsed, "answered");
    }
    let headers = response.headers_mut();
    if let Ok(id) =
        HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
    {
        headers.insert(REQUEST_ID, id);
    }
    // Milliseconds.
    let runtime = format!("{}.{:03}", elapsed / 1000, elapsed % 1000);
    if let Ok(runtime) = HeaderValue::from_str(&runtime) {
        headers.insert(RUNTIME, runtime);
    }
    // Pages that may be kept, and those that load scripts, say so themselves.
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000; includeSubDomains"),
    );
    // Browsers may use the service from its own pages, such as the Swagger UI.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, state.origin.clone());
    response
}

/// Refusals from outside the families, which come without a body, say in JSON what they are.
fn put_in_words(response: &mut Response) {
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_refusal || response.headers().contains_key(header::CONTENT_TYPE) {
        return;
    }
    let message = status.canonical_reason().unwrap_or("Error");
    *response.body_mut() = Body::from(serde_json::json!({"message": message}).to_string());
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, json);
}

/// Takes `/` off the end of an operation's path, and `.json` off that of the app offerings (contract
/// 1.1): both forms are the same operation, without a redirect. The pages of the Swagger UI and the
/// documents keep their names, and so do the files of packages.
fn normalise(request: &mut Request) {
    let path = request.uri().path();
    let is_page = |folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if is_page("/docs") || is_page("/openapi") {
        return;
    }
    let is_offering = |path: &str| path == "/token" || path == "/v1" || path.starts_with("/v1/");
    let short = path.trim_end_matches('/');
    let short = short.strip_suffix(".json").filter(|it| is_offering(it)).unwrap_or(short);
    if short.len() == path.len() || short.is_empty() {
        return;
    }
    let mut text = short.to_owned();
    if let Some(query) = request.uri().query() {
        text.push('?');
        text.push_str(query);
    }
    let mut parts = request.uri().clone().into_parts();
    // A shorter valid path is a valid path.
    parts.path_and_query = PathAndQuery::try_from(text).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        // What handlers make links and cursors from: both forms are one list.
        request.extensions_mut().insert(OriginalUri(uri.clone()));
        *request.uri_mut() = uri;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_go_from_all_operations_and_json_from_offerings() {
        const FILE: &str = "/api/platform/developer/packages/acme.app.1.0.0.Release/files/a.json";
        let with_slash = format!("{FILE}/");
        for (path, routed) in [
            ("/v1/app_offerings.json", "/v1/app_offerings"),
            ("/v1/app_offerings/1.json/?name=a.json", "/v1/app_offerings/1?name=a.json"),
            ("/v1.json", "/v1"),
            ("/token.json", "/token"),
            ("/healthz/", "/healthz"),
            (FILE, FILE),
            (&with_slash, FILE),
            ("/v10/a.json", "/v10/a.json"),
            ("/tokens.json", "/tokens.json"),
            ("/openapi/app-offerings.json", "/openapi/app-offerings.json"),
            ("/docs/", "/docs/"),
            ("/", "/"),
        ] {
            let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
            normalise(&mut request);
            assert_eq!(request.uri().to_string(), routed, "{path}");
        }
    }
}
