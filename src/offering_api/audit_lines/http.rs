//! Routes of audit lines.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{AuditLine, AuditLineItem, AuditLineQuery, COLLECTION, RECORD};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::OWN_RECORD;
use crate::offering_api::access::Caller;
use crate::offering_api::resource;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "audit_lines";

/// List audit entries
///
/// Everything that happened to the records of the caller's account, newest first. `changes` is shown
/// by the single entry and by the `audit` list of a record.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_audit_lines",
    params(AuditLineQuery),
    responses((status = OK, description = "One page of entries.", body = Vec<AuditLineItem>)),
    security(("oauth2" = ["audit-line:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// Get an audit entry
///
/// With what changed.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_audit_line",
    params(("id" = String, Path, description = "Number or nodeID of the entry.", example = "1")),
    responses((status = OK, description = "The entry.", body = AuditLine)),
    security(("oauth2" = ["audit-line:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &id).await
}
