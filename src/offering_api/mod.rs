//! The app offerings family: publishers describe apps, customers install them.
//! Wire-compatible with the contract `app-offerings`.
use utoipa_axum::router::OpenApiRouter;

use crate::directory::state::AppState;
use crate::kernel::http::mount::Mount;

pub mod access;
pub mod envelope;
pub mod resource;

// A resource may import what its records refer to, and nothing that leads back to itself. So files, audit
// lines, UI extensions and service instances are at the bottom, offerings above them, then automation
// rules, and publishing on top; webhooks stand on their policies, what is delivered on webhooks, and
// installed apps on all of them. A test finds circles.
pub mod app_instances;
pub mod app_offering_automation_rules;
pub mod app_offerings;
pub mod attachments;
pub mod audit_lines;
pub mod events;
pub mod meta;
pub mod oauth;
pub mod publish;
pub mod service_instances;
pub mod ui_extensions;
pub mod webhook_deliveries;
pub mod webhook_policies;
pub mod webhooks;

/// The family's URL table, in the order of the document: the folder of every URL. Its `mod.rs` leads to
/// the handler.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .mount("/v1/app_offerings", app_offerings::router())
        .mount("/v1/app_offerings/{id}/publish", publish::router())
        .mount("/v1/app_offerings/{id}", app_offerings::router_of_one())
        .mount(
            "/v1/app_offerings/{id}/automation_rules",
            app_offering_automation_rules::router_of_offering(),
        )
        .mount("/v1/app_offerings/{id}/scopes", app_offerings::scopes::router())
        .mount("/v1/app_offerings/{id}/app_instances", app_instances::router_of_offering())
        .mount("/v1/app_offerings/{id}", app_instances::router_of_form())
        .mount("/v1/app_offering_automation_rules", app_offering_automation_rules::router())
        .mount("/v1/app_instances", app_instances::router())
        .mount("/v1/app_instances/{id}/automation_rules", app_instances::automation_rules::router())
        .mount("/accounts/{account}/app_instances", app_instances::router_of_account())
        .mount("/v1/ui_extensions", ui_extensions::router())
        .mount("/v1/service_instances", service_instances::router())
        .mount("/v1/webhook_policies", webhook_policies::router())
        .mount("/v1/webhooks", webhooks::router())
        .mount("/v1/webhooks/{id}", webhook_deliveries::router_of_webhook())
        .mount("/accounts/{account}/webhook_policies", webhook_policies::router_of_account())
        .mount("/accounts/{account}/webhooks", webhooks::router_of_account())
        .mount("/v1/attachments", attachments::router())
        .mount("/v1/audit_lines", audit_lines::router())
        .mount("/v1/events", events::router())
        .merge(meta::router())
        .merge(oauth::router())
}
