//! App offerings: the listing of an app, as a draft and its published versions (contract 2).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/app_offerings` | `http::list`, `http::create` |
//! | GET | `/v1/app_offerings/{latest_internal,…}` | `http::list_latest_internal`, … |
//! | GET, PATCH, PUT | `/v1/app_offerings/{id}` | `http::get`, `http::update` |
//! | POST | `/v1/app_offerings/{id}/avatar` | `http::upload_avatar` |
//! | GET | `/v1/app_offerings/{id}/audit` | `http::audit` |
//! | … | `/v1/app_offerings/{id}/scopes` | [`scopes`] |
//!
//! `…/{id}/publish` and `…/{id}/automation_rules` stand above offerings: the family's table of URLs
//! mounts them from folders of their own.
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod avatar;
pub mod dto;
pub mod entity;
mod http;
pub mod locking;
pub mod scopes;
pub mod service;

/// The lists and the offering itself.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::list_latest_internal))
        .routes(routes!(http::list_latest_published))
        .routes(routes!(http::list_all_latest_published))
        .routes(routes!(http::list_consumed))
        .routes(routes!(http::get, http::update))
}

/// What hangs on one offering, below `/{id}`.
pub fn router_of_one() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::upload_avatar)).routes(routes!(http::audit))
}
