//! Versions of applications and names of their packages (contract 3.7).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
