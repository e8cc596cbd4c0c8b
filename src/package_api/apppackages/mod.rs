//! Packages and the versions they belong to (contract 2.5, 3.1 to 3.6, 3.8).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST | `/platform/appdev/apppackages/create` | `http::create` |
//! | GET | `/platform/appdev/apppackages/{applicationKey}` | `http::get` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod children;
pub mod create;
pub mod dto;
mod http;
pub mod read;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::create))
        .routes(routes!(http::get))
}
