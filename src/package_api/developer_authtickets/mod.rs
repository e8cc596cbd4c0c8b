//! Tickets of developers (contract 1.3.8).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST, PUT, DELETE | `/platform/developer/authtickets` | `http::authenticate`, `http::refresh`, `http::delete` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;
mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::authenticate, http::refresh, http::delete))
}
