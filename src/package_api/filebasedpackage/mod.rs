//! Packages and their files as downloads (contract 3.5).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
