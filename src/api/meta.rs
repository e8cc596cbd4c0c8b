//! Health checks, for whoever runs the service. They need no token, count for no limit, and are no
//! part of the documents.
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::directory::state::AppState;
use crate::migrations;

/// Addresses that whoever runs the service asks all the time.
pub const WATCHED: &[&str] = &["/healthz", "/readyz", "/version"];

/// `/healthz`, `/readyz`, `/version`.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/version", get(version))
}

/// The process runs.
async fn healthz() -> Response {
    answer(StatusCode::OK, &json!({"status": "ok"}))
}

/// The database answers on both sides and every migration has run.
async fn readyz(State(state): State<AppState>) -> Response {
    if let Err(error) = state.store.ping().await {
        tracing::warn!(%error, "not ready: the database does not answer");
        return not_ready("The database does not answer.");
    }
    match migrations::is_current(state.store.connection()).await {
        Ok(true) => answer(StatusCode::OK, &json!({"status": "ready"})),
        Ok(false) => not_ready("The database is not migrated; run `appmarket migrate`."),
        Err(error) => {
            tracing::warn!(%error, "not ready: the migrations cannot be read");
            not_ready("The database is not migrated; run `appmarket migrate`.")
        }
    }
}

/// Which program this is.
async fn version() -> Response {
    let version = json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "revision": env!("BUILD_REVISION"),
    });
    answer(StatusCode::OK, &version)
}

fn not_ready(detail: &str) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, detail);
    response.headers_mut().insert(header::RETRY_AFTER, 1.into());
    response
}

/// A refusal outside of the families (RFC 9457).
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason();
    let problem = json!({
        "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail,
    });
    let mut response = answer(status, &problem);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, json)], body.to_string()).into_response()
}
