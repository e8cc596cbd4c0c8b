//! App instances: apps that are installed in the account of a customer (contract 3.1, 4).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/app_instances` | `http::list`, `http::create` |
//! | GET | `/v1/app_instances/{enabled,disabled}` | `http::list_enabled`, `http::list_disabled` |
//! | GET, PATCH, PUT, DELETE | `/v1/app_instances/{id}` | `http::get`, `http::update`, `http::delete` |
//! | GET | `/v1/app_instances/{id}/audit` | `http::audit` |
//! | GET | `/v1/app_instances/{id}/upgrade` | `http::upgrade` |
//! | GET | `/v1/app_instances/{id}/configuration` | `http::configuration` |
//! | … | `/v1/app_instances/{id}/automation_rules` | [`automation_rules`] |
//! | GET | `/v1/app_offerings/{id}/app_instances` | `http::list_of_offering` |
//! | GET | `/v1/app_offerings/{id}/app_instances/{enabled,disabled}` | `http::list_enabled_of_offering`, `http::list_disabled_of_offering` |
//! | GET | `/v1/app_offerings/{id}/form` | `http::form` |
//! | GET | `/accounts/{account}/app_instances/{id}/configure` | `pages::configure` |
//! | GET, POST | `/accounts/{account}/app_instances/{id}/confirm_configuration` | `pages::ask`, `pages::confirm` |
//!
//! What happens when: `service` takes the steps of an install's life, `rules` say who may take them,
//! `form` reads what the customer filled in, `provisioning` makes what the app needs in the customer
//! account, `messages` tell of it, `configuration` leads the customer's browser through the app's own page.
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod automation_rules;
mod configuration;
pub mod dto;
pub mod entity;
mod form;
mod http;
pub mod messages;
mod pages;
mod provisioning;
mod rules;
pub mod service;
mod upgrade;
mod upgrade_dto;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::list_enabled))
        .routes(routes!(http::list_disabled))
        .routes(routes!(http::get, http::update, http::delete))
        .routes(routes!(http::audit))
        .routes(routes!(http::upgrade))
        .routes(routes!(http::configuration))
}

/// The instances of one version of an offering, below that version.
pub fn router_of_offering() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::list_of_offering))
        .routes(routes!(http::list_enabled_of_offering))
        .routes(routes!(http::list_disabled_of_offering))
}

/// What customers fill in, below an offering.
pub fn router_of_form() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::form))
}

/// The pages on the host of the customer account.
pub fn router_of_account() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(pages::configure))
        .routes(routes!(pages::ask, pages::confirm))
}
