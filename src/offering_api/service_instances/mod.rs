//! Service instances: what requests about an app are registered for (contract 3.5).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/service_instances` | `http::list`, `http::create` |
//! | GET | `/v1/service_instances/{active,inactive}` | `http::list_active`, `http::list_inactive` |
//! | GET, PATCH, PUT | `/v1/service_instances/{id}` | `http::get`, `http::update`, `http::replace` |
pub mod dto;
pub mod entity;

use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
}
