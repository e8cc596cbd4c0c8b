//! UI extensions: the forms by which customers configure an app (contract 3.4).
pub mod dto;
pub mod entity;
pub mod version_entity;

use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
