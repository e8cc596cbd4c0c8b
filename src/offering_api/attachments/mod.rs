//! Attachments: files that texts of other records use (contract 3.8).
pub mod dto;
pub mod entity;
pub mod service;
pub mod upload_entity;

use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
