//! The app offerings family: publishers describe apps, customers install them.
//! Wire-compatible with the contract `app-offerings`.
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;
use crate::kernel::http::mount::Mount;

pub mod access;
pub mod envelope;
pub mod resource;

// Resources meet where the contract makes them meet: offerings name service instances and versions of
// UI extensions, and publishing copies scopes, rules and files.
pub mod app_offering_automation_rules;
pub mod app_offerings;
pub mod attachments;
pub mod audit_lines;
pub mod meta;
pub mod oauth;
pub mod service_instances;
pub mod ui_extensions;

/// The family's URL table.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .mount("/v1/app_offerings", app_offerings::router())
        .mount("/v1/app_offering_automation_rules", app_offering_automation_rules::router())
        .mount("/v1/ui_extensions", ui_extensions::router())
        .mount("/v1/service_instances", service_instances::router())
        .mount("/v1/attachments", attachments::router())
        .mount("/v1/audit_lines", audit_lines::router())
        .merge(meta::router())
        .merge(oauth::router())
}
