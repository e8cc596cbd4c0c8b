//! Installs of packages in tenants: entitlements (contract 3.11).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/platform/appdev/appinstall/application/entitlement` | `http::list_entitlements`, `http::install_application` |
//! | GET | `/platform/appdev/appinstall/application/entitlement/{applicationEntitlementId}` | `http::get_entitlement` |
//! | POST | `/platform/appdev/appinstall/toproductiontenant` | `http::install_application_to_production` |
//! | GET | `/platform/appdev/appinstall/tenant/{tenantId}/entitlements` | `http::list_tenant_entitlements` |
//! | GET | `/platform/appdev/appinstall/applicationversion/{applicationId}/entitlements` | `http::list_version_entitlements` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod context;
pub mod dto;
pub mod entity;
pub mod events;
mod http;
mod input;
pub mod install;
mod outcome;
pub mod read;
pub mod topic;
pub mod uninstall;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list_entitlements, http::install_application))
        .routes(routes!(http::get_entitlement))
        .routes(routes!(http::install_application_to_production))
        .routes(routes!(http::list_tenant_entitlements))
        .routes(routes!(http::list_version_entitlements))
}
