//! Publishing an app offering: its draft is copied, with all that belongs to it, into a version that
//! customers see (contract 2.6).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST | `/v1/app_offerings/{id}/publish` | `http::publish` |
//!
//! A folder of its own, because it stands above all that it copies: offerings, scopes, automation
//! rules and files.
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod belongings;
mod http;
pub mod service;

/// The route.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::publish))
}
