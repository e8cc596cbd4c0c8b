//! Packages and the versions they belong to (contract 2.5, 3.1 to 3.6, 3.8).
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST | `/platform/appdev/apppackages/create` | `http::create` |
//! | POST | `/platform/appdev/apppackages/project` | `http::create_project` |
//! | GET, PUT, DELETE | `/platform/appdev/apppackages/{applicationKey}` | `http::get`, `http::update`, `http::delete` |
//! | POST | `/platform/appdev/apppackages/{applicationKey}/clone/{packageName}` | `http::clone_package` |
//! | … | `/platform/appdev/apppackages/{packageId}/behaviors` | [`behaviors`] |
//! | GET | `/platform/appdev/apppackages` | `list_http::list_all_packages` |
//! | GET | `/platform/appdev/apppackages/collection` | `list_http::list_applications` |
//! | GET | `/platform/appdev/apppackages/apps/{appId}` | `list_http::list_application_versions` |
//! | GET | `/platform/appdev/apppackages/applications/{applicationKey}/packages` | `list_http::list_packages` |
use axum::Extension;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;
use crate::package_api::model::known::Known;

pub mod behaviors;
pub mod children;
pub mod clone;
pub mod create;
pub mod delete;
pub mod dto;
mod http;
pub mod input;
mod list_http;
mod members;
pub mod project;
pub mod read;
pub mod summary;
pub mod update;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::create))
        .routes(routes!(http::create_project))
        .routes(routes!(http::get, http::update, http::delete))
        .routes(routes!(http::clone_package))
        .merge(behaviors::router())
        .routes(routes!(list_http::list_all_packages))
        .routes(routes!(list_http::list_applications))
        .routes(routes!(list_http::list_application_versions))
        .routes(routes!(list_http::list_packages))
        .layer(Extension(Known::default()))
}
