//! Audit lines: who did what to which record (contract 3.9). The kernel writes them; here they are read.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/v1/audit_lines` | `http::list` |
//! | GET | `/v1/audit_lines/{id}` | `http::get` |
//!
//! `GET /v1/<resource>/{id}/audit` is declared by each resource and answered by [`list_of`].
use axum::http::Uri;
use axum::response::Response;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::access::Caller;
use super::resource;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::Scope;

pub mod dto;
mod http;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(http::list)).routes(routes!(http::get))
}

/// SQL condition for the entries of one record of the caller's account; `{id}` is the record.
#[macro_export]
macro_rules! audit_of {
    ($record_type:literal) => {
        concat!(
            "t.account_id = {account} AND t.record_type = '",
            $record_type,
            "' AND t.record_id = {id}"
        )
    };
}

/// Answers the entries of one record, newest first. The caller has shown that the record exists.
///
/// # Errors
/// 400 for a query that cannot be understood.
pub async fn list_of(
    state: &AppState,
    caller: &Caller,
    condition: &'static str,
    id: i64,
    uri: &Uri,
) -> Result<Response> {
    let scope = Scope { condition, id };
    resource::list(state, caller, &dto::OF_RECORD, None, Some(scope), uri).await
}
