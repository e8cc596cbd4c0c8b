//! Automation rules that an app offering brings along (contract 3.3).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET, POST | `/v1/app_offering_automation_rules` | `http::list`, `http::create` |
//! | GET | `/v1/app_offering_automation_rules/{for_requests,…}` | `http::list_for_requests`, … |
//! | GET, PATCH, PUT, DELETE | `/v1/app_offering_automation_rules/{id}` | `http::get`, `http::update`, `http::delete` |
//! | GET | `/v1/app_offering_automation_rules/{id}/audit` | `http::audit` |
//! | GET | `/v1/app_offerings/{id}/automation_rules` | `http::list_of_offering` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod dto;
pub mod entity;
mod http;
pub mod service;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::list, http::create))
        .routes(routes!(http::list_for_requests))
        .routes(routes!(http::list_for_tasks))
        .routes(routes!(http::list_for_cis))
        .routes(routes!(http::list_for_problems))
        .routes(routes!(http::get, http::update, http::delete))
        .routes(routes!(http::audit))
}

/// The rules of one offering, below that offering.
pub fn router_of_offering() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::list_of_offering))
}
