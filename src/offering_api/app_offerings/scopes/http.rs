//! Routes of scopes.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{
    AppOfferingScope, AppOfferingScopeItem, AppOfferingScopeQuery, CreateAppOfferingScope,
    UpdateAppOfferingScope,
};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{BareWrite, Write};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "app_offerings/scopes";

/// List the scopes of an app offering
///
/// What the app may do in the account of a customer. Whoever may see the offering may see its scopes.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_app_offering_scopes",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        AppOfferingScopeQuery,
    ),
    responses((status = OK, description = "One page of scopes.", body = Vec<AppOfferingScopeItem>)),
    security(("oauth2" = ["app-offering-scope:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    service::list(&state, &caller, &id, &uri).await
}

/// Get a scope of an app offering
///
/// With all its fields.
#[utoipa::path(
    get, path = "/{scope_id}", tag = TAG, operation_id = "get_app_offering_scope",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        ("scope_id" = String, Path, description = "Number or nodeID of the scope.", example = "1"),
    ),
    responses((status = OK, description = "The scope.", body = AppOfferingScope)),
    security(("oauth2" = ["app-offering-scope:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, scope_id)): Path<(String, String)>,
) -> Result<Response> {
    service::get(&state, &caller, &id, &scope_id).await
}

/// Add a scope to an app offering
///
/// The property `new_scopes` of an app offering does the same. A published version takes no more scopes while it
/// is installed: 422.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_app_offering_scope",
    params(("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1")),
    request_body(content = CreateAppOfferingScope, description = "The new scope.", example = json!({
        "effect": "allow", "grant_type": "client_credentials",
        "actions": ["request:Create", "request:Read"]
    })),
    responses((status = CREATED, description = "The new scope.", body = AppOfferingScope)),
    security(("oauth2" = ["app-offering-scope:Create"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::create(&state, write, &id).await
}

/// Update a scope of an app offering
///
/// `actions` and `conditions` are replaced as a whole. Scopes of a published version stay as they are while it is
/// installed: 422.
#[utoipa::path(
    method(patch, put), path = "/{scope_id}", tag = TAG, operation_id = "update_app_offering_scope",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        ("scope_id" = String, Path, description = "Number or nodeID of the scope.", example = "1"),
    ),
    request_body(content = UpdateAppOfferingScope, description = "The fields to change.", example = json!({
        "actions": ["request:All"]
    })),
    responses((status = OK, description = "The changed scope.", body = AppOfferingScope)),
    security(("oauth2" = ["app-offering-scope:Update"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn update(
    State(state): State<AppState>,
    Path((id, scope_id)): Path<(String, String)>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id, &scope_id).await
}

/// Remove a scope from an app offering
///
/// The property `scopes_to_delete` of an app offering does the same. Scopes of a published version stay while it
/// is installed: 422.
#[utoipa::path(
    delete, path = "/{scope_id}", tag = TAG, operation_id = "delete_app_offering_scope",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        ("scope_id" = String, Path, description = "Number or nodeID of the scope.", example = "1"),
    ),
    responses(
        (status = NO_CONTENT, description = "The scope is gone."),
        (status = UNPROCESSABLE_ENTITY, description = "The version is installed."),
    ),
    security(("oauth2" = ["app-offering-scope:Delete"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn delete(
    State(state): State<AppState>,
    Path((id, scope_id)): Path<(String, String)>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::delete(&state, write, &id, &scope_id).await
}
