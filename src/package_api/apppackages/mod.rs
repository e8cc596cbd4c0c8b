//! App packages (contract 3.1 to 3.9).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

pub mod dto;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
