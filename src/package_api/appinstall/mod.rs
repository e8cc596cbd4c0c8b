//! Installs of packages in tenants (contract 3.11).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

pub mod dto;
pub mod read;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
