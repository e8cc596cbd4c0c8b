//! Packages as files (contract 3.5).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/platform/appdev/filebasedpackage/packages/{applicationKey}` | `http::get` |
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::directory::state::AppState;

mod http;
pub mod service;
pub mod zip;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::get))
}
