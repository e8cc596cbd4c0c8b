//! What an application may do, package by package (contract 3.9).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/platform/appdev/apppackages/{packageId}/behaviors` | `http::get`, `http::update` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;
pub mod service;

/// The routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::get, http::update))
}
