//! Versions and packages of an application by their names, for developers who choose one (contract 3.7).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/platform/developer/applications/versions/{nsAndAppId}` | `http::list_app_versions` |
//! | GET | `/platform/developer/applications/{applicationKey}/packagenames` | `http::list_app_package_names` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::list_app_versions))
        .routes(routes!(http::list_app_package_names))
}
