//! What surrounds every request: the path is normalised, a panic becomes a 500, and the headers that
//! every answer has are added (contract 1.1, 1.4).
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};

use super::account_host::AccountHost;
use crate::directory::state::AppState;
use crate::kernel::error::Error;
use crate::package_api::convention::envelope::{CORRELATION, Correlation, Refused};
use crate::package_api::convention::paths::{Paths, is_ours};
use crate::package_api::convention::refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RUNTIME: HeaderName = HeaderName::from_static("x-runtime");

/// What follows in the path is a refresh token (contract 1.3.5): not for the log.
const TOKENS: &str = "/platform/applications/authtickets/";

/// What is known of addresses.
#[derive(Debug)]
pub struct Addresses {
    /// Of app packages.
    pub packages: Paths,
    /// On the hosts of accounts.
    pub accounts: AccountHost,
}

/// The outermost layer.
pub async fn outermost(
    State((state, addresses)): State<(AppState, Arc<Addresses>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::new_v4();
    let correlation = is_ours(request.uri().path()).then(|| {
        let correlation = Correlation::of(request.headers(), id);
        request.extensions_mut().insert(correlation.clone());
        correlation
    });
    normalise(&mut request, &addresses);
    let path = loggable(request.uri().path()).to_owned();
    let span = tracing::debug_span!("request", %id, method = %request.method(), path);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tracing::Instrument::instrument(answer, span.clone()).await {
        Ok(response) => response,
        Err(_) => {
            // The panic's own message is in the log.
            tracing::error!(parent: &span, %id, "a request panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    match &correlation {
        Some(correlation) => refuse(&mut response, &path, correlation),
        None => put_in_words(&mut response),
    }
    // Whoever watches the service, or may not use it, is in no hurry.
    if !response.status().is_client_error() && !super::meta::WATCHED.contains(&&*path) {
        state.traffic.note(started);
    }
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
    if let Some(id) = correlation.and_then(|id| HeaderValue::from_str(&id.text()).ok()) {
        headers.insert(CORRELATION, id);
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

/// A path as it may be logged.
fn loggable(path: &str) -> &str {
    if path.starts_with(TOKENS) { TOKENS } else { path }
}

/// Whether a response says that something is refused and not yet why.
fn is_wordless(response: &Response) -> bool {
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    is_refusal && !response.headers().contains_key(header::CONTENT_TYPE)
}

/// Refusals from outside the families say in JSON what they are.
fn put_in_words(response: &mut Response) {
    if !is_wordless(response) {
        return;
    }
    let message = response.status().canonical_reason().unwrap_or("Error");
    *response.body_mut() = Body::from(serde_json::json!({"message": message}).to_string());
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, json);
}

/// Refusals from outside the packages family that are about its addresses have its body, which its
/// clients read whatever happened (contract 1.8). A panic is one.
fn refuse(response: &mut Response, path: &str, correlation: &Correlation) {
    if !is_wordless(response) {
        return;
    }
    let error = if response.status().is_server_error() {
        refusal::unexpected()
    } else {
        Error::BadRequest(response.status().canonical_reason().unwrap_or_default().to_owned())
    };
    let refused = Refused { operation: "", path, correlation };
    *response = refused.answer(&error, response.headers());
}

/// Turns the path into the one form that is routed: both forms are the same operation, without a
/// redirect.
fn normalise(request: &mut Request, addresses: &Addresses) {
    let path = request.uri().path();
    let is_package = is_ours(path);
    let routed = if is_package {
        addresses.packages.canonical(path)
    } else {
        let route = addresses.accounts.route(request);
        short(route.as_deref().unwrap_or(path)).map(str::to_owned).or(route)
    };
    let Some(mut text) = routed.filter(|routed| routed != path) else { return };
    if let Some(query) = request.uri().query() {
        text.push('?');
        text.push_str(query);
    }
    let mut parts = request.uri().clone().into_parts();
    // Parts of a valid path are a valid path.
    parts.path_and_query = PathAndQuery::try_from(text).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        if !is_package {
            // What handlers of offerings make links and cursors from: both forms are one list. Packages
            // keep the address as it was written, for what they say about it.
            request.extensions_mut().insert(OriginalUri(uri.clone()));
        }
        *request.uri_mut() = uri;
    }
}

/// The path without `/` at the end of an operation's, and without `.json` at that of the app offerings
/// (contract 1.1 of theirs). The pages that show the documents keep their names, and so do these.
fn short(path: &str) -> Option<&str> {
    let is_page = |folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if ["/docs", "/reference", "/openapi"].into_iter().any(is_page) {
        return None;
    }
    let is_offering = |path: &str| path == "/token" || path == "/v1" || path.starts_with("/v1/");
    let short = path.trim_end_matches('/');
    let short = short.strip_suffix(".json").filter(|it| is_offering(it)).unwrap_or(short);
    Some(short).filter(|short| !short.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn addresses() -> Addresses {
        let packages = Paths::of(&json!({"paths": {
            "/platform/appdev/apppackages/create": {},
            "/platform/developer/packages/{applicationKey}/files/{*filepath}": {},
        }}));
        let offerings = json!({"paths": {"/accounts/{account}/webhooks/{id}/verify": {}}});
        let accounts = AccountHost::of(&offerings, "https://example.test/of/{account}");
        Addresses { packages, accounts }
    }

    #[test]
    fn slashes_go_from_all_operations_and_json_from_offerings() {
        const FILE: &str = "/platform/developer/packages/acme.app.1.0.0.Release/files/a.json";
        let (long, slash) = (format!("/API{FILE}"), format!("{FILE}/?lastModifiedTime="));
        let with_query = format!("{FILE}?lastModifiedTime=");
        for (path, routed) in [
            ("/v1/app_offerings.json", "/v1/app_offerings"),
            ("/v1/app_offerings/1.json/?name=a.json", "/v1/app_offerings/1?name=a.json"),
            ("/v1.json", "/v1"),
            ("/token.json", "/token"),
            ("/healthz/", "/healthz"),
            (FILE, FILE),
            (&long, FILE),
            (&slash, &with_query),
            (
                "/Platform/AppDev/AppPackages/Create/?x=Y/",
                "/platform/appdev/apppackages/create?x=Y/",
            ),
            ("/api/unknown/", "/api/unknown/"),
            ("/v10/a.json", "/v10/a.json"),
            ("/tokens.json", "/tokens.json"),
            ("/openapi/app-offerings.json", "/openapi/app-offerings.json"),
            ("/docs/", "/docs/"),
            ("/reference/", "/reference/"),
            ("/of/wdc/webhooks/7/verify/?code=a", "/accounts/wdc/webhooks/7/verify?code=a"),
            ("/accounts/wdc/webhooks/7/verify", "/accounts/wdc/webhooks/7/verify"),
            ("/", "/"),
        ] {
            let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
            normalise(&mut request, &addresses());
            assert_eq!(request.uri().to_string(), routed, "{path}");
        }
    }

    #[test]
    fn tokens_in_paths_are_not_logged() {
        assert_eq!(loggable("/platform/applications/authtickets/s3cret"), TOKENS);
        assert_eq!(
            loggable("/platform/applications/authtickets"),
            "/platform/applications/authtickets"
        );
    }

    #[test]
    fn wordless_refusals_get_the_words_of_their_family() {
        let correlation = Correlation::of(&http::HeaderMap::new(), uuid::Uuid::nil());
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        refuse(&mut response, "/platform/x", &correlation);
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
        let mut response = StatusCode::REQUEST_TIMEOUT.into_response();
        refuse(&mut response, "/platform/x", &correlation);
        assert_eq!(response.status(), 400);
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        refuse(&mut response, "/platform/x", &correlation);
        assert_eq!(response.status(), 304);
        assert!(!response.headers().contains_key(header::CONTENT_TYPE));
    }
}
