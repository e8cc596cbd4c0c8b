//! Event subscriptions of packages (contract 3.10).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
pub mod input;
pub mod service;
pub mod signature;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
