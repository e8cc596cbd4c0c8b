//! Recent events, for whoever asks for them instead of being told (contract 4.1).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/event/pull` | `http::list_recent_events` |
//! | GET | `/event/pull/{eventId}` | `http::get_recent_event` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod dto;
mod http;
mod service;
pub mod sweep;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::list_recent_events))
        .routes(routes!(http::get_recent_event))
}
