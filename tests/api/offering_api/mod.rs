//! One file per resource, named as in `src/offering_api`.
mod app_offerings;
mod service_instances;
mod ui_extensions;
