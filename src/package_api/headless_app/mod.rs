//! Logs and builds of hosted sites (contract 3.12).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
