//! Routes of service instances.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{
    COLLECTION, CreateServiceInstance, RECORD, ServiceInstance, ServiceInstanceItem,
    ServiceInstanceQuery, UpdateServiceInstance,
};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::OWN_RECORD;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{self, Write};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "service_instances";

/// List service instances
///
/// Every service instance of the caller's account.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_service_instances",
    params(ServiceInstanceQuery),
    responses((status = OK, description = "One page of service instances.", body = Vec<ServiceInstanceItem>)),
    security(("oauth2" = ["service-instance:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// List active service instances
///
/// Those of the caller's account that are not discontinued.
#[utoipa::path(
    get, path = "/active", tag = TAG, operation_id = "list_active_service_instances",
    params(ServiceInstanceQuery),
    responses((status = OK, description = "One page of service instances.", body = Vec<ServiceInstanceItem>)),
    security(("oauth2" = ["service-instance:Read"])),
)]
pub async fn list_active(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("active"), None, &uri).await
}

/// List inactive service instances
///
/// Those of the caller's account that are discontinued.
#[utoipa::path(
    get, path = "/inactive", tag = TAG, operation_id = "list_inactive_service_instances",
    params(ServiceInstanceQuery),
    responses((status = OK, description = "One page of service instances.", body = Vec<ServiceInstanceItem>)),
    security(("oauth2" = ["service-instance:Read"])),
)]
pub async fn list_inactive(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("inactive"), None, &uri).await
}

/// Get a service instance
///
/// With all its fields.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_service_instance",
    params(("id" = String, Path, description = "Number or nodeID of the service instance.", example = "1")),
    responses((status = OK, description = "The service instance.", body = ServiceInstance)),
    security(("oauth2" = ["service-instance:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &id).await
}

/// Create a service instance
///
/// Services, teams and calendars are not kept here: they are named by number, or by number and name.
/// A number without a name gets the one that the account knows, else its type and number
/// (`Service 7`).
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_service_instance",
    request_body(content = CreateServiceInstance, description = "The new service instance.", example = json!({
        "name": "Echo Test", "service": {"id": 2, "name": "Echo"}, "status": "in_production",
        "support_team": {"id": 5, "name": "Integration Desk"}
    })),
    responses((status = CREATED, description = "The new service instance.", body = ServiceInstance)),
    security(("oauth2" = ["service-instance:Create"])),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update a service instance
///
/// Changes the fields that the body names. The name of a service, team or calendar that comes with its
/// number is taken over by all service instances of the account that show it.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_service_instance",
    params(("id" = String, Path, description = "Number or nodeID of the service instance.", example = "1")),
    request_body(content = UpdateServiceInstance, description = "The fields to change.", example = json!({
        "remarks": "Runs in two data centres.", "time_zone": "Amsterdam"
    })),
    responses((status = OK, description = "The changed service instance.", body = ServiceInstance)),
    security(("oauth2" = ["service-instance:Update"])),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}
