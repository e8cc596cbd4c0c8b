//! The committed documents, byte for byte, and the Swagger UI that shows them.
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use crate::kernel::error::Error;

/// A committed document; `build.rs` writes the table.
struct Document {
    name: &'static str,
    bytes: &'static [u8],
    gzip: &'static [u8],
    tag: &'static str,
}

static DOCUMENTS: &[Document] = include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// Lets the vendored page run its own scripts and call this service, and nothing else. The UI writes
/// style attributes, hence `unsafe-inline` for styles.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// `/openapi/…` and `/docs`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    // Both at once: each call of `config` replaces the one before.
    let config = Config::new([
        Url::new("App Offerings", "/openapi/app-offerings.json"),
        Url::new("App Packages", "/openapi/app-packages.json"),
    ])
    .deep_linking(true)
    .display_operation_id(true)
    .display_request_duration(true)
    .default_models_expand_depth(0)
    .doc_expansion("none")
    .filter(true)
    .persist_authorization(true)
    .try_it_out_enabled(true)
    // The badge of a remote validator has no place on a page without remote hosts.
    .validator_url("none");
    Router::new()
        .merge(SwaggerUi::new("/docs").config(config))
        .layer(from_fn(page_policy))
        .route("/openapi/{name}", get(document))
}

async fn page_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = HeaderValue::from_static(PAGE_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn document(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let document =
        DOCUMENTS.iter().find(|document| document.name == name).ok_or(Error::NotFound)?;
    let has = |name: header::HeaderName, wanted: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains(wanted))
    };
    let mut response = Response::new(Body::empty());
    if has(header::IF_NONE_MATCH, document.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if has(header::ACCEPT_ENCODING, "gzip") {
        *response.body_mut() = Body::from(document.gzip);
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    } else {
        *response.body_mut() = Body::from(document.bytes);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ETAG, HeaderValue::from_static(document.tag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}
