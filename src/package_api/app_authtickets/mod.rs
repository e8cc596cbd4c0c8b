//! Tickets of applications: log-in, renewal and revocation (contract 1.3.2 to 1.3.6).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST | `/platform/applications/authtickets` | `http::authenticate` |
//! | POST | `/platform/applications/authtickets/oauth` | `http::authenticate_oauth` |
//! | PUT | `/platform/applications/authtickets/refresh-ticket` | `http::refresh` |
//! | DELETE | `/platform/applications/authtickets/{refreshToken}` | `http::delete` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod dto;
mod http;
mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::authenticate))
        .routes(routes!(http::authenticate_oauth))
        .routes(routes!(http::refresh))
        .routes(routes!(http::delete))
}
