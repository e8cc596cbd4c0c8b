//! The feed of events: everything that happened in the account, in order, to be read on from any place.
//! Ours: the contract has none.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/v1/events` | `http::list` |
//!
//! The kernel records events and gives them their places; here they are read.
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
mod http;
mod service;

/// The resource's route.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::list))
}
