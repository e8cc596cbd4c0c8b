//! The root, the caller, their account, the request limits and the enumerations (contract 3.10, 1.17).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/v1` | `http::root` |
//! | GET | `/v1/me` | `http::me` |
//! | GET | `/v1/account` | `http::account` |
//! | GET | `/v1/enums` | `http::enums` |
//! | GET | `/v1/rate_limit` | `http::rate_limit` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;
pub mod service;

/// The routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::root))
        .routes(routes!(http::me))
        .routes(routes!(http::account))
        .routes(routes!(http::enums))
        .routes(routes!(http::rate_limit))
}
