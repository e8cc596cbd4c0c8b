//! Webhooks: where the messages of an account go (contract 3.6, 4.5).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/webhooks` | `http::list`, `http::create` |
//! | GET | `/v1/webhooks/{enabled,disabled}` | `http::list_enabled`, `http::list_disabled` |
//! | GET, PATCH, PUT, DELETE | `/v1/webhooks/{id}` | `http::get`, `http::update`, `http::delete` |
//! | POST | `/v1/webhooks/{id}/test` | `http::test` |
//! | GET | `/v1/webhooks/{id}/audit` | `http::audit` |
//! | GET, POST | `/accounts/{account}/webhooks/{id}/verify` | `verification::follow`, `verification::confirm` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod address;
pub mod dto;
pub mod entity;
pub mod generated;
mod http;
pub mod messages;
pub mod service;
pub mod signer;
mod verification;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::list_enabled))
        .routes(routes!(http::list_disabled))
        .routes(routes!(http::get, http::update, http::delete))
        .routes(routes!(http::test))
        .routes(routes!(http::audit))
}

/// The routes on the host of an account.
pub fn router_of_account() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(verification::follow, verification::confirm))
}
