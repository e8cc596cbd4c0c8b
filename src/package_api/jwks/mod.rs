//! Public keys of access tokens (contract 1.3.7). Ours alone: whoever gets a token can check it.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/.well-known/jwks.json` | `http::get` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod dto;
mod http;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::get))
}
