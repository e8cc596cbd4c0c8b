//! Automation rules that an installed app has brought along into the account of its customer
//! (contract 3.3): copies, which change with the installed version only.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/v1/app_instances/{id}/automation_rules` | `http::list` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::list))
}
