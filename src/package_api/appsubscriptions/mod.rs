//! Event subscriptions of packages (contract 3.10).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST, PUT | `/platform/appdev/appsubscriptions/events` | `http::create`, `http::update` |
//! | DELETE | `/platform/appdev/appsubscriptions/events/{applicationSubscriptionId}` | `http::delete` |
//! | GET | `/platform/appdev/appsubscriptions/{subscriptionId}` | `http::get` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;
pub mod input;
pub mod service;
pub mod signature;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::create, http::update))
        .routes(routes!(http::delete))
        .routes(routes!(http::get))
}
