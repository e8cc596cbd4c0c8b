//! Routes of audit lines.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{AuditLine, AuditLineItem, AuditLineQuery, COLLECTION, RECORD};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::access::Caller;
use crate::offering_api::resource;

/// The customer of an installed app is told of the changes to it, which are entries of the provider's account.
const SEEN: &str = "t.id = {id} AND (t.account_id = {account} OR (t.record_type = 'app_instance' \
     AND EXISTS (SELECT 1 FROM app_instances i \
     WHERE i.id = t.record_id AND i.customer_account_id = {account})))";

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
/// With what changed. The customer of an installed app finds the entries of its changes too.
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
    resource::get(&state, &caller, &RECORD, SEEN, &id).await
}
