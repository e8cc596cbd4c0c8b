//! Event subscriptions of packages (contract 3.10).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

pub mod dto;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
