//! One file per resource, named as in `src/offering_api`, and what all of them do alike.
mod app_offerings;
mod attachments;
mod conventions;
mod meta;
mod oauth;
mod pictures;
mod service_instances;
mod ui_extensions;
