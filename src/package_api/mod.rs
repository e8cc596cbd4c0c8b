//! The app packages family: developers make application versions and packages, tenants install them.
//! Wire-compatible with the contract `app-packages`.
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;
use crate::kernel::http::mount::Mount;

pub mod access;
pub mod call;
pub mod convention;
pub mod model;

// A resource may import those above it in this list, and nothing that leads back to itself. A test finds
// circles.
pub mod jwks;
pub mod reference;
pub mod tenants;

pub mod app_authtickets;
pub mod developer_authtickets;

pub mod package_files;

pub mod appsubscriptions;

pub mod appinstall;
pub mod event_pull;
pub mod notifications;

pub mod apppackages;

pub mod applications;
pub mod developer_applications;
pub mod filebasedpackage;
pub mod headless_app;

/// The family's URL table, in the order of the document: the folder of every URL. Its `mod.rs` leads to
/// the handler. The service answers all of it below `/api` too (contract 1.1).
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .mount("/platform/applications/authtickets", app_authtickets::router())
        .mount("/platform/developer/authtickets", developer_authtickets::router())
        .mount("/platform/appdev/apppackages", apppackages::router())
        .mount("/platform/appdev/filebasedpackage", filebasedpackage::router())
        .mount("/platform/developer/packages", package_files::router())
        .mount("/platform/developer/applications", developer_applications::router())
        .mount("/platform/appdev/appsubscriptions", appsubscriptions::router())
        .mount("/platform/appdev/appinstall", appinstall::router())
        .mount("/platform/appdev/headless-app", headless_app::router())
        .mount("/event/pull", event_pull::router())
        .mount("/platform/applications", applications::router())
        .mount("/platform/tenants", tenants::router())
        .mount("/platform/reference", reference::router())
        .mount("/.well-known", jwks::router())
}
