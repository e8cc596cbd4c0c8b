//! One file per resource, named as in `src/offering_api`, and what all of them do alike.
mod app_offering_automation_rules;
mod app_offering_lists;
mod app_offering_publishing;
mod app_offering_scopes;
mod app_offerings;
mod attachments;
mod conventions;
mod meta;
mod oauth;
mod pictures;
mod service_instances;
mod ui_extensions;
mod webhook_deliveries;
mod webhook_policies;
mod webhooks;
