//! Routes of tenants.
use axum::extract::State;
use axum::response::Response;

use super::dto::Tenant;
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::Call;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "tenants";

/// Get a tenant
///
/// With its sites. Callers see the tenants of their account, and those in which their application is
/// installed: the application that calls, or any of the account of a developer.
#[utoipa::path(
    get, path = "/{tenantId}", tag = TAG, operation_id = "get_tenant",
    params(("tenantId" = i32, Path, minimum = 1, description = "Number of the tenant.", example = 1)),
    responses((status = OK, description = "The tenant.", body = Tenant)),
    security(("oauth2" = [])),
)]
pub async fn get_tenant(State(state): State<AppState>, call: Call) -> Result<Response> {
    let id = call.target.int("tenantId")?;
    call.found(&service::get(&state, &call.caller, id).await?)
}
