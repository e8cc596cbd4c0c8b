//! Installed applications, as their tenant sees them (contract 3.8e). They are made by installs.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, PUT | `/platform/applications/{appId}` | `http::get`, `http::update` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::get, http::update))
}
