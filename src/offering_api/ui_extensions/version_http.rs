//! Routes of the versions of UI extensions.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::http::TAG;
use super::version_dto::{
    COLLECTION, RECORD, UiExtensionVersion, UiExtensionVersionItem, UiExtensionVersionQuery,
};
use super::{dto, version_entity, versions};
use crate::audit_of;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::{OWN_RECORD, Scope};
use crate::offering_api::access::Caller;
use crate::offering_api::audit_lines;
use crate::offering_api::resource;

/// List the versions of a UI extension
///
/// From the first one to the one that is being prepared.
#[utoipa::path(
    get, path = "/{id}/versions", tag = TAG, operation_id = "list_ui_extension_versions",
    params(
        ("id" = String, Path, description = "Number or nodeID of the UI extension.", example = "1"),
        UiExtensionVersionQuery,
    ),
    responses((status = OK, description = "One page of versions.", body = Vec<UiExtensionVersionItem>)),
    security(("oauth2" = ["ui-extension:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = resource::record_id(&dto::RECORD, &id, &caller)?;
    resource::require(&state, &caller, &dto::RECORD, Scope::own(id)).await?;
    let scope = Scope { condition: version_entity::OF_EXTENSION, id };
    resource::list(&state, &caller, &COLLECTION, None, Some(scope), &uri).await
}

/// Get a version of a UI extension
///
/// With its code.
#[utoipa::path(
    get, path = "/{id}/versions/{version_id}", tag = TAG, operation_id = "get_ui_extension_version",
    params(
        ("id" = String, Path, description = "Number or nodeID of the UI extension.", example = "1"),
        ("version_id" = String, Path, description = "Number or nodeID of the version.", example = "1"),
    ),
    responses((status = OK, description = "The version.", body = UiExtensionVersion)),
    security(("oauth2" = ["ui-extension:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, version_id)): Path<(String, String)>,
) -> Result<Response> {
    versions::locate(&state, &caller, &id, &version_id).await?;
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &version_id).await
}

/// List the audit entries of a version of a UI extension
///
/// What happened to the version, newest first.
#[utoipa::path(
    get, path = "/{id}/versions/{version_id}/audit", tag = TAG,
    operation_id = "list_ui_extension_version_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the UI extension.", example = "1"),
        ("version_id" = String, Path, description = "Number or nodeID of the version.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["ui-extension:Read"])),
)]
pub async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, version_id)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let (_, version) = versions::locate(&state, &caller, &id, &version_id).await?;
    audit_lines::list_of(&state, &caller, audit_of!("ui_extension_version"), version, &uri).await
}
