//! Files of packages (contract 3.7).
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

pub mod copy;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
