//! Service instances: what requests about an app are registered for (contract 3.5).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/service_instances` | `http::list`, `http::create` |
//! | GET | `/v1/service_instances/{active,inactive}` | `http::list_active`, `http::list_inactive` |
//! | GET, PATCH, PUT | `/v1/service_instances/{id}` | `http::get`, `http::update` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;
mod names;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::list_active))
        .routes(routes!(http::list_inactive))
        .routes(routes!(http::get, http::update))
}
