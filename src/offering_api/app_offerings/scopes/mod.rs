//! Scopes of app offerings: what an app may do in the account of a customer (contract 3.2).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/app_offerings/{id}/scopes` | `http::list`, `http::create` |
//! | GET, PATCH, PUT, DELETE | `/v1/app_offerings/{id}/scopes/{scope_id}` | `http::get`, `http::update`, `http::delete` |
//!
//! `new_scopes` and `scopes_to_delete` in the body of an offering do the same: see [`nested`].
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;
pub mod nested;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::list, http::create)).routes(routes!(
        http::get,
        http::update,
        http::delete
    ))
}
