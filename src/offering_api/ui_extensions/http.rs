//! Routes of UI extensions.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{
    COLLECTION, CreateUiExtension, RECORD, UiExtension, UiExtensionItem, UiExtensionQuery,
    UpdateUiExtension,
};
use super::service;
use crate::audit_of;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::{OWN_RECORD, Scope};
use crate::offering_api::access::Caller;
use crate::offering_api::audit_lines;
use crate::offering_api::resource::{self, Write};

/// OpenAPI tag of this resource; always the folder's name.
pub(super) const TAG: &str = "ui_extensions";

/// List UI extensions
///
/// Every UI extension of the caller's account.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_ui_extensions",
    params(UiExtensionQuery),
    responses((status = OK, description = "One page of UI extensions.", body = Vec<UiExtensionItem>)),
    security(("oauth2" = ["ui-extension:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// Get a UI extension
///
/// With the code of its active version. The prepared version has an address of its own.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_ui_extension",
    params(("id" = String, Path, description = "Number or nodeID of the UI extension.", example = "1")),
    responses((status = OK, description = "The UI extension.", body = UiExtension)),
    security(("oauth2" = ["ui-extension:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &id).await
}

/// Create a UI extension
///
/// Makes a UI extension whose version 1 is being prepared, or with `activate` is active; then version
/// 2 is being prepared. `active_version.id` is what an app offering takes as its
/// `ui_extension_version_id`.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_ui_extension",
    request_body(content = CreateUiExtension, description = "The new UI extension.", example = json!({
        "name": "Echo settings", "category": "app_offering", "title": "Settings",
        "html": "<label for=\"url\">Endpoint</label>\n<input id=\"url\" class=\"required\">",
        "css": "label { display: block; }", "activate": true
    })),
    responses((status = CREATED, description = "The new UI extension.", body = UiExtension)),
    security(("oauth2" = ["ui-extension:Create"])),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update a UI extension
///
/// Code is written to the prepared version, so that an answer shows it only once it is activated;
/// everything else takes effect at once.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_ui_extension",
    params(("id" = String, Path, description = "Number or nodeID of the UI extension.", example = "1")),
    request_body(content = UpdateUiExtension, description = "The fields to change.", example = json!({
        "css": "label { font-weight: bold; }", "activate": true
    })),
    responses((status = OK, description = "The changed UI extension.", body = UiExtension)),
    security(("oauth2" = ["ui-extension:Update"])),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}

/// List the audit entries of a UI extension
///
/// What happened to the record and to the code of its prepared version, newest first.
#[utoipa::path(
    get, path = "/{id}/audit", tag = TAG, operation_id = "list_ui_extension_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the UI extension.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["ui-extension:Read"])),
)]
pub async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = resource::record_id(&RECORD, &id, &caller)?;
    resource::require(&state, &caller, &RECORD, Scope::own(id)).await?;
    audit_lines::list_of(&state, &caller, audit_of!("ui_extension"), id, &uri).await
}
