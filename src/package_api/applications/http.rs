//! Routes of installed applications.
use axum::extract::State;
use axum::response::Response;

use super::dto::InstalledApplication;
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Write};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "applications";

/// Get an installed application
///
/// An application that is installed in the tenant of `x-vol-tenant`, by its id there, the key of the
/// installed package, or namespace and name. With `x-vol-site` the install in this site comes before
/// that in the whole tenant. The owner of the tenant and that of the application may see it.
#[utoipa::path(
    get, path = "/{appId}", tag = TAG, operation_id = "get_installed_application",
    params(
        ("appId" = String, Path, max_length = 200, example = "acme01.loyalty",
         description = "Id of the installed application, key of its package, or namespace and name."),
        ("x-vol-tenant" = i32, Header, minimum = 1, description = "Number of the tenant.", example = 1),
        ("x-vol-site" = Option<i32>, Header, minimum = 1, example = 1,
         description = "Number of a site of the tenant."),
    ),
    responses((status = OK, description = "The installed application.", body = InstalledApplication)),
    security(("oauth2" = ["application:Read"])),
)]
pub async fn get(State(state): State<AppState>, call: Call) -> Result<Response> {
    let wanted = service::Wanted::read(&call)?;
    call.found(&service::get(&state, &call, &wanted).await?)
}

/// Update an installed application
///
/// Switches it on or off by `enabled`, of which subscribers are told, and says by `initialized` whether
/// it has been configured.
#[utoipa::path(
    put, path = "/{appId}", tag = TAG, operation_id = "update_installed_application",
    params(
        ("appId" = String, Path, max_length = 200, example = "acme01.loyalty",
         description = "Id of the installed application, key of its package, or namespace and name."),
        ("x-vol-tenant" = i32, Header, minimum = 1, description = "Number of the tenant.", example = 1),
        ("x-vol-site" = Option<i32>, Header, minimum = 1, example = 1,
         description = "Number of a site of the tenant."),
    ),
    request_body(content = InstalledApplication, description = "What to switch.", example = json!({
        "enabled": true, "initialized": true
    })),
    responses((status = OK, description = "The installed application.", body = InstalledApplication)),
    security(("oauth2" = ["application:Update"])),
)]
pub async fn update(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::update(&state, write).await
}
