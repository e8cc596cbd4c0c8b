//! Routes of app instances.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use http::Uri;

use super::dto::{
    AppInstance, AppInstanceItem, AppInstanceQuery, COLLECTION, ConfigurationPage,
    CreateAppInstance, RECORD, UpdateAppInstance,
};
use super::entity::{AUDIT, OF_OFFERING, ONE, SEEN};
use super::upgrade_dto::{InstallForm, Upgrade};
use super::{configuration, service, upgrade};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{self, BareWrite, Write};
use crate::offering_api::{app_offerings, audit_lines};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "app_instances";
/// OpenAPI tag of what hangs on an offering, which is where a reader of the document looks.
const OFFERINGS: &str = "app_offerings";

/// What either party sees.
const ALL: Scope = Scope { condition: SEEN, id: 0 };

/// List app instances
///
/// What the caller's account has installed, and what others have installed of its offerings. Records of
/// a foreign provider carry `account`.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_app_instances",
    params(AppInstanceQuery),
    responses((status = OK, description = "One page of app instances.", body = Vec<AppInstanceItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, Some(ALL), &uri).await
}

/// List enabled app instances
///
/// Those that the provider has not disabled, whatever the other switches say.
#[utoipa::path(
    get, path = "/enabled", tag = TAG, operation_id = "list_enabled_app_instances",
    params(AppInstanceQuery),
    responses((status = OK, description = "One page of enabled app instances.", body = Vec<AppInstanceItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn list_enabled(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("enabled"), Some(ALL), &uri).await
}

/// List disabled app instances
///
/// Those that the provider has disabled.
#[utoipa::path(
    get, path = "/disabled", tag = TAG, operation_id = "list_disabled_app_instances",
    params(AppInstanceQuery),
    responses((status = OK, description = "One page of disabled app instances.", body = Vec<AppInstanceItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn list_disabled(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("disabled"), Some(ALL), &uri).await
}

/// Get an app instance
///
/// One that the caller's account has installed or provided.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_app_instance",
    params(("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1")),
    responses((status = OK, description = "The app instance.", body = AppInstance)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, ONE, &id).await
}

/// Install an app
///
/// Installs the latest published version of an offering in the caller's account, or in the provider's
/// own account also its draft. Generates there what the app needs: a webhook with a policy and a key pair,
/// copies of the automation rules, and an OAuth application for each grant type among the scopes. The
/// provider is told by `app_instance.create`; the secrets go to its webhook for
/// `app_instance.secrets-update`, once.
///
/// An app with a configuration page is installed with `enabled_by_customer` false: read
/// `/v1/app_instances/{id}/configuration` for where to send the browser.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_app_instance",
    request_body(content = CreateAppInstance, description = "What to install.", example = json!({
        "app_offering_id": 2, "custom_fields": [{"id": "url", "value": "https://globex.example.org"}]
    })),
    responses((status = CREATED, description = "The new app instance.", body = AppInstance)),
    security(("oauth2" = ["app-instance:Create"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update an app instance
///
/// Each party has its switch: `disabled` is the provider's, `enabled_by_customer` the customer's; either
/// may suspend and lift that. While one of them is off, automation rules, webhook and OAuth applications of the
/// app are disabled. Writing `app_offering_id` approves the update to another published version: the
/// customer gets its automation rules and scopes in place of the former ones.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_app_instance",
    params(("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1")),
    request_body(content = UpdateAppInstance, description = "The fields to change.", example = json!({
        "suspended": true, "suspension_comment": "The endpoint has moved."
    })),
    responses((status = OK, description = "The changed app instance.", body = AppInstance)),
    security(("oauth2" = ["app-instance:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}

/// Remove an app
///
/// Removes the app from the customer account with all that was generated there. Only the customer does
/// so; the provider disables instead.
#[utoipa::path(
    delete, path = "/{id}", tag = TAG, operation_id = "delete_app_instance",
    params(("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1")),
    responses((status = NO_CONTENT, description = "The app is gone.")),
    security(("oauth2" = ["app-instance:Delete"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::delete(&state, write, &id).await
}

/// List the audit entries of an app instance
///
/// What happened to the record, newest first, by whichever party. The provider's list of all entries has
/// them.
#[utoipa::path(
    get, path = "/{id}/audit", tag = TAG, operation_id = "list_app_instance_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = resource::record_id(&RECORD, &id, &caller)?;
    resource::require(&state, &caller, &RECORD, Scope { condition: ONE, id }).await?;
    audit_lines::list_of(&state, &caller, AUDIT, id, &uri).await
}

/// Preview the update of an app instance
///
/// What would change for the customer between the installed version and the latest published one. The
/// customer approves it by writing `app_offering_id`.
#[utoipa::path(
    get, path = "/{id}/upgrade", tag = TAG, operation_id = "get_app_instance_upgrade",
    params(("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1")),
    responses((status = OK, description = "What would change.", body = Upgrade)),
    security(("oauth2" = ["app-instance:Read"])),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn upgrade(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    upgrade::preview(&state, &caller, &id).await
}

/// Get the way to the configuration of an app
///
/// Where to send the browser of the customer's administrator to configure the app, valid for a day. It
/// leads over this service to the app's own page, and from there back to a page that enables the app. The
/// first answer (302) sets a cookie in the browser, and without that cookie the last page answers 403: so the
/// whole way is gone in one browser, and the app, which is told the last address, cannot confirm by itself.
/// The address is shown to administrators of the customer only.
#[utoipa::path(
    get, path = "/{id}/configuration", tag = TAG, operation_id = "get_app_instance_configuration",
    params(("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1")),
    responses((status = OK, description = "Where to send the browser.", body = ConfigurationPage)),
    security(("oauth2" = ["app-instance:Update"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn configuration(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    configuration::show(&state, &caller, &id).await
}

/// List the instances of an app offering
///
/// Where this draft or published version is installed, as far as the caller's account is the provider or the
/// customer.
#[utoipa::path(
    get, path = "", tag = OFFERINGS, operation_id = "list_app_instances_of_app_offering",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        AppInstanceQuery,
    ),
    responses((status = OK, description = "One page of app instances.", body = Vec<AppInstanceItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn list_of_offering(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    of_offering(&state, &caller, &id, None, &uri).await
}

/// List the enabled instances of an app offering
///
/// Those that the provider has not disabled, whatever the other switches say.
#[utoipa::path(
    get, path = "/enabled", tag = OFFERINGS, operation_id = "list_enabled_app_instances_of_app_offering",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        AppInstanceQuery,
    ),
    responses((status = OK, description = "One page of enabled app instances.", body = Vec<AppInstanceItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn list_enabled_of_offering(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    of_offering(&state, &caller, &id, Some("enabled"), &uri).await
}

/// List the disabled instances of an app offering
///
/// Those that the provider has disabled.
#[utoipa::path(
    get, path = "/disabled", tag = OFFERINGS, operation_id = "list_disabled_app_instances_of_app_offering",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        AppInstanceQuery,
    ),
    responses((status = OK, description = "One page of disabled app instances.", body = Vec<AppInstanceItem>)),
    security(("oauth2" = ["app-instance:Read"])),
)]
pub async fn list_disabled_of_offering(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    of_offering(&state, &caller, &id, Some("disabled"), &uri).await
}

async fn of_offering(
    state: &AppState,
    caller: &Caller,
    id: &str,
    subset: Option<&'static str>,
    uri: &Uri,
) -> Result<Response> {
    let record = &app_offerings::dto::RECORD;
    let id = resource::record_id(record, id, caller)?;
    let visible = Scope { condition: app_offerings::entity::VISIBLE, id };
    resource::require(state, caller, record, visible).await?;
    let scope = Scope { condition: OF_OFFERING, id };
    resource::list(state, caller, &COLLECTION, subset, Some(scope), uri).await
}

/// Get the form of an app offering
///
/// What a customer fills in when this draft or version is installed: the inputs of its UI extension, whose ids
/// are those of the `custom_fields` of the app instance. An offering without a UI extension asks for nothing.
#[utoipa::path(
    get, path = "/form", tag = OFFERINGS, operation_id = "get_app_offering_form",
    params(("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1")),
    responses((status = OK, description = "The inputs of the form, in their order.", body = InstallForm)),
    security(("oauth2" = ["app-offering:Read"])),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn form(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    service::form(&state, &caller, &id).await
}
