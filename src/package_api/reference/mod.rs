//! What packages refer to: behaviors and their categories, events and capability types (contract 3.8, 5).
//! The last two are lists of this service's own, as no path of the vendor's is known.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/platform/reference/behaviors` | `http::list_behaviors` |
//! | GET | `/platform/reference/behaviors/categories` | `http::list_categories` |
//! | GET | `/platform/reference/behaviors/categories/{categoryId}` | `http::get_category` |
//! | GET | `/platform/reference/behaviors/{behaviorId}` | `http::get_behavior` |
//! | GET | `/platform/reference/events` | `http::list_events` |
//! | GET | `/platform/reference/capabilitytypes` | `http::list_capability_types` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list_behaviors))
        .routes(routes!(http::list_categories))
        .routes(routes!(http::get_category))
        .routes(routes!(http::get_behavior))
        .routes(routes!(http::list_events))
        .routes(routes!(http::list_capability_types))
}
