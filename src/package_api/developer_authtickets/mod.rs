//! Tickets of developers (contract 1.3.8).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
