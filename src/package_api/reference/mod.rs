//! What packages refer to: behaviors and their categories (contract 5).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
