//! Webhook policies: the keys that sign the messages of webhooks, and where receivers find them
//! (contract 3.7, 4.4).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/webhook_policies` | `http::list`, `http::create` |
//! | GET | `/v1/webhook_policies/{enabled,disabled}` | `http::list_enabled`, `http::list_disabled` |
//! | GET, PATCH, PUT, DELETE | `/v1/webhook_policies/{id}` | `http::get`, `http::update`, `http::delete` |
//! | POST | `/v1/webhook_policies/{id}/rotate` | `http::rotate` |
//! | GET | `/v1/webhook_policies/{id}/audit` | `http::audit` |
//! | GET | `/accounts/{account}/webhook_policies/{name}/.well-known/openid-configuration` | `discovery::configuration` |
//! | GET | `/accounts/{account}/webhook_policies/{name}/.well-known/jwks.json` | `discovery::keys` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod discovery;
pub mod dto;
pub mod entity;
mod http;
pub mod key_entity;
pub mod keys;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::list_enabled))
        .routes(routes!(http::list_disabled))
        .routes(routes!(http::get, http::update, http::delete))
        .routes(routes!(http::rotate))
        .routes(routes!(http::audit))
}

/// The routes on the host of an account.
pub fn router_of_account() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(discovery::configuration))
        .routes(routes!(discovery::keys))
}
