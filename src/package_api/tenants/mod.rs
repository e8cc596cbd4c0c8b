//! Tenants and their sites, in which applications are installed (contract 3.8e). They are made on the
//! server's command line.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/platform/tenants/{tenantId}` | `http::get_tenant` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;
pub mod service;
pub mod site_entity;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::get_tenant))
}
