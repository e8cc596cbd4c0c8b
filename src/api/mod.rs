//! Everything the service answers: the families, their documents and Swagger UI, and health checks.
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use http::{HeaderMap, Method, StatusCode, Version, header};
use serde_json::Value;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::timeout::RequestBodyTimeoutLayer;
use utoipa::openapi::OpenApi;

use self::account_host::AccountHost;
use self::layers::Addresses;
use self::soundness::Unsound;
use crate::directory::state::AppState;
use crate::kernel::config::Config;
use crate::kernel::error::Error;
use crate::package_api::convention::paths::{Paths, is_ours};
use crate::{offering_api, package_api};

mod account_host;
mod asset;
pub mod changes;
pub mod document;
mod documents;
mod layers;
mod meta;
pub mod openapi_3_0;
pub mod soundness;

/// The documents as they are committed: what the service tells and does at run time is read from them, since making
/// them takes longer than starting.
const OFFERINGS: &str = "app-offerings.json";
const PACKAGES: &str = "app-packages.json";

/// The document of the offerings family, made from its handlers.
pub fn offerings() -> Value {
    document::offerings::finish(&offering_api::router().to_openapi())
}

/// The document of the packages family, made from its handlers.
pub fn packages() -> Value {
    document::packages::finish(&package_api::router().to_openapi())
}

/// Every file under `openapi/` that is made anew each time, with its content.
///
/// # Errors
/// What is wrong with a document that handlers make.
pub fn generated_files() -> Result<Vec<(&'static str, String)>, Unsound> {
    let (offerings, packages) = (offerings(), packages());
    Ok(vec![
        ("app-offerings-3.0.json", document::to_text(&openapi_3_0::derive(&offerings)?)),
        (OFFERINGS, document::to_text(&offerings)),
        ("app-packages-3.0.json", document::to_text(&openapi_3_0::derive(&packages)?)),
        (PACKAGES, document::to_text(&packages)),
        ("config.schema.json", Config::json_schema()),
        ("events.json", document::to_text(&document::messages::events())),
    ])
}

/// How long a client may pause in the middle of a request's body. One that stops for good would hold
/// its connection for ever.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// The whole service.
pub fn router(state: AppState) -> Router {
    let (packages, paths) = packages_router(&state);
    let (offerings, accounts) = offerings_router(&state);
    let addresses = Arc::new(Addresses { packages: paths, accounts });
    // Each family behind its own addresses, so that what it does not find is refused in its own words.
    let families = tower::service_fn(move |request: Request| {
        let family = if is_ours(request.uri().path()) { &packages } else { &offerings };
        family.clone().oneshot(request)
    });
    let service = Router::new()
        .merge(documents::router(&state.site.public_url))
        .merge(meta::router().with_state(state.clone()))
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .fallback_service(families)
        .layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE))
        .layer(CompressionLayer::new().compress_when(worth_compressing()));
    // Paths are normalised before anything is routed, hence the router around the router.
    Router::new()
        .fallback_service(service)
        .layer(from_fn_with_state((state, addresses), layers::outermost))
}

/// With what it answers on the hosts of accounts.
fn offerings_router(state: &AppState) -> (Router, AccountHost) {
    let document = documents::operations(OFFERINGS);
    let operations = Arc::new(offering_api::access::Operations::of(&document));
    let (family, handled) = offering_api::router().split_for_parts();
    check(OFFERINGS, &handled, |path, method| operations.find(path, method).is_some());
    let family = family
        .fallback(|| async { Error::NotFound })
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .layer(from_fn_with_state((state.clone(), operations), offering_api::access::guard))
        .with_state(state.clone());
    (family, AccountHost::of(&document, &state.site.account_url))
}

/// With the addresses that it answers.
fn packages_router(state: &AppState) -> (Router, Paths) {
    let document = documents::operations(PACKAGES);
    let behaviors = &state.catalogue.behaviors;
    let operations = Arc::new(package_api::access::Operations::of(&document, behaviors));
    let (family, handled) = package_api::router().split_for_parts();
    check(PACKAGES, &handled, |path, method| operations.find(path, method).is_some());
    let family = family
        .fallback(|| async { Error::NotFound })
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .layer(from_fn_with_state((state.clone(), operations), package_api::access::guard))
        .with_state(state.clone());
    (family, Paths::of(&document))
}

/// Who may call an operation is read from the committed document alone: what is not there must not be served. That
/// the document says of each what its handler does, `appmarket openapi --check` shows.
fn check(name: &str, handled: &OpenApi, is_known: impl Fn(&str, &Method) -> bool) {
    for (path, item) in &handled.paths.paths {
        let methods = [
            (Method::DELETE, &item.delete),
            (Method::GET, &item.get),
            (Method::HEAD, &item.head),
            (Method::OPTIONS, &item.options),
            (Method::PATCH, &item.patch),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::TRACE, &item.trace),
        ];
        for (method, operation) in methods {
            assert!(
                operation.is_none() || is_known(path, &method),
                "openapi/{name} does not know {method} {path}: write it with `appmarket openapi` and build again"
            );
        }
    }
}

/// Stored files are not: most are compressed already, and clients want to see their length.
fn worth_compressing() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/pdf"))
        .and(is_no_download)
}

fn is_no_download(_: StatusCode, _: Version, headers: &HeaderMap, _: &http::Extensions) -> bool {
    let disposition = headers.get(header::CONTENT_DISPOSITION);
    disposition.is_none_or(|it| !it.as_bytes().starts_with(b"attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rest of the suite shows that nothing is missing: each of its servers has been through this.
    #[test]
    #[should_panic(expected = "openapi/x.json does not know PATCH /v1/")]
    fn what_the_document_does_not_know_is_not_served() {
        let handled = offering_api::router().to_openapi();
        check("x.json", &handled, |_, method| *method != Method::PATCH);
    }
}
