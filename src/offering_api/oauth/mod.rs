//! The OAuth token endpoint: client credentials become a short-lived token (contract 1.2).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST | `/token` | `http::create_token` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod dto;
mod http;
pub mod service;

/// The resource's routes. At the root, not under `/v1`: that is where clients look for them.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::create_token))
}
