//! UI extensions: the forms by which customers configure an app (contract 3.4).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/ui_extensions` | `http::list`, `http::create` |
//! | GET, PATCH, PUT | `/v1/ui_extensions/{id}` | `http::get`, `http::update` |
//! | GET | `/v1/ui_extensions/{id}/audit` | `http::audit` |
//! | GET | `/v1/ui_extensions/{id}/versions` | `version_http::list` |
//! | GET | `/v1/ui_extensions/{id}/versions/{version_id}` | `version_http::get` |
//! | GET | `/v1/ui_extensions/{id}/versions/{version_id}/audit` | `version_http::audit` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;
pub mod service;
pub mod version_dto;
pub mod version_entity;
mod version_http;
mod versions;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::get, http::update))
        .routes(routes!(http::audit))
        .routes(routes!(version_http::list))
        .routes(routes!(version_http::get))
        .routes(routes!(version_http::audit))
}
