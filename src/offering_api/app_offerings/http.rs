//! Routes of app offerings.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::avatar::{self, AvatarUpload};
use super::dto::{
    AppOffering, AppOfferingItem, AppOfferingQuery, AvatarForm, COLLECTION, CreateAppOffering,
    RECORD, UpdateAppOffering,
};
use super::{entity, service};
use crate::audit_of;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::audit_lines;
use crate::offering_api::resource::{self, Write};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "app_offerings";

/// List app offerings
///
/// Every draft and every published version of the caller's account.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_app_offerings",
    params(AppOfferingQuery),
    responses((status = OK, description = "One page of app offerings.", body = Vec<AppOfferingItem>)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// List drafts
///
/// The drafts of the caller's account.
#[utoipa::path(
    get, path = "/latest_internal", tag = TAG, operation_id = "list_latest_internal_app_offerings",
    params(AppOfferingQuery),
    responses((status = OK, description = "One page of drafts.", body = Vec<AppOfferingItem>)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn list_latest_internal(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("latest_internal"), None, &uri).await
}

/// List the newest published versions
///
/// The newest published version of each offering of the caller's account.
#[utoipa::path(
    get, path = "/latest_published", tag = TAG, operation_id = "list_latest_published_app_offerings",
    params(AppOfferingQuery),
    responses((status = OK, description = "One page of published versions.", body = Vec<AppOfferingItem>)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn list_latest_published(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("latest_published"), None, &uri).await
}

/// List what can be installed
///
/// The newest published version of each offering of the caller's account and of the providers that
/// trust it. Records of others carry `account`. Disabled offerings are listed too, as `disabled`; they
/// cannot be installed.
#[utoipa::path(
    get, path = "/all_latest_published", tag = TAG, operation_id = "list_all_latest_published_app_offerings",
    params(AppOfferingQuery),
    responses((status = OK, description = "One page of published versions.", body = Vec<AppOfferingItem>)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn list_all_latest_published(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("all_latest_published"), None, &uri).await
}

/// List what is installed
///
/// The versions that are installed in the caller's account.
#[utoipa::path(
    get, path = "/consumed", tag = TAG, operation_id = "list_consumed_app_offerings",
    params(AppOfferingQuery),
    responses((status = OK, description = "One page of installed versions.", body = Vec<AppOfferingItem>)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn list_consumed(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("consumed"), None, &uri).await
}

/// Get an app offering
///
/// A record of the caller's account, or a published version of a provider that trusts it.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_app_offering",
    params(("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1")),
    responses((status = OK, description = "The app offering.", body = AppOffering)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get_visible(&state, &caller, &RECORD, entity::VISIBLE, &id).await
}

/// Create an app offering
///
/// Makes a draft. Customers see it once it is published.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_app_offering",
    request_body(content = CreateAppOffering, description = "The new draft.", example = json!({
        "name": "Ticket Echo", "policy_jwt_alg": "es256", "policy_jwt_claim_expires_in": 10,
        "service_instance_id": 1,
        "webhook_uri_template": "https://echo.example.org/hook?account={account}"
    })),
    responses((status = CREATED, description = "The new draft.", body = AppOffering)),
    security(("oauth2" = ["app-offering:Create"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update an app offering
///
/// Changes a draft, which reaches customers when it is published, or a published version, which takes
/// effect at once. What customers have agreed to stays while they have the version installed: scopes, the
/// address of the webhook and how it signs, and the UI extension.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_app_offering",
    params(("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1")),
    request_body(content = UpdateAppOffering, description = "The fields to change.", example = json!({
        "card_description": "Echoes every note of a ticket."
    })),
    responses((status = OK, description = "The changed app offering.", body = AppOffering)),
    security(("oauth2" = ["app-offering:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}

/// Upload the picture of an app offering
///
/// Keeps the picture here and sets `picture_uri`. PNG, JPEG, GIF and WebP of at most 512 KB are known by
/// their content, whatever they are named.
#[utoipa::path(
    post, path = "/avatar", tag = TAG, operation_id = "upload_app_offering_avatar",
    params(("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1")),
    request_body(
        content = AvatarForm, content_type = "multipart/form-data", description = "The picture.",
        encoding(("avatar" = (content_type = "image/png, image/jpeg, image/gif, image/webp"))),
    ),
    responses((status = OK, description = "The changed app offering.", body = AppOffering)),
    security(("oauth2" = ["app-offering:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn upload_avatar(
    State(state): State<AppState>,
    Path(id): Path<String>,
    upload: AvatarUpload,
) -> Result<Response> {
    avatar::receive(&state, upload, &id).await
}

/// List the audit entries of an app offering
///
/// What happened to the record, newest first.
#[utoipa::path(
    get, path = "/audit", tag = TAG, operation_id = "list_app_offering_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["app-offering:Read"])),
)]
pub async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = resource::record_id(&RECORD, &id, &caller)?;
    resource::require(&state, &caller, &RECORD, Scope::own(id)).await?;
    audit_lines::list_of(&state, &caller, audit_of!("app_offering"), id, &uri).await
}
