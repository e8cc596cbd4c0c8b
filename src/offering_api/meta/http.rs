//! Routes that belong to no record.
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::dto::{Account, Enumerations, Person};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::access::Caller;
use crate::offering_api::{envelope, resource};

/// OpenAPI tag of these operations; always the folder's name.
const TAG: &str = "meta";

/// An empty object.
#[derive(Debug, Serialize, ToSchema)]
pub struct Root {}

/// How many requests the caller may still make.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateLimit {
    /// Requests per hour.
    #[schema(minimum = 1, maximum = 9007199254740991_i64, example = 3600)]
    pub limit: i64,
    /// Requests left in this hour.
    #[schema(minimum = 0, maximum = 9007199254740991_i64, example = 3599)]
    pub remaining: i64,
    /// When the hour ends, in seconds since 1970-01-01T00:00:00Z.
    #[schema(minimum = 0, maximum = 9007199254740991_i64, example = 1769940000)]
    pub reset: i64,
}

/// Greet the service
///
/// Answers an empty object, to show that the service is there. Needs no token.
#[utoipa::path(
    get, path = "/v1", tag = TAG, operation_id = "get_root",
    responses((status = OK, description = "An empty object.", body = Root)),
)]
pub async fn root() -> Response {
    envelope::json(&json!({}))
}

/// Get the caller
///
/// The person of the token.
#[utoipa::path(
    get, path = "/v1/me", tag = TAG, operation_id = "get_me",
    responses((status = OK, description = "The person of the token.", body = Person)),
    security(("oauth2" = ["me:Read"])),
)]
pub async fn me(State(state): State<AppState>, caller: Caller) -> Result<Response> {
    service::me(&state, &caller).await
}

/// Get the account
///
/// The account in whose context the call is executed.
#[utoipa::path(
    get, path = "/v1/account", tag = TAG, operation_id = "get_account",
    responses((status = OK, description = "The account.", body = Account)),
    security(("oauth2" = ["account:Read"])),
)]
pub async fn account(State(state): State<AppState>, caller: Caller) -> Result<Response> {
    service::account(&state, &caller).await
}

/// List the enumerations
///
/// The values that fields of the type enumeration can have, with what people call them in the
/// caller's language; and the languages, currencies and time zones.
#[utoipa::path(
    get, path = "/v1/enums", tag = TAG, operation_id = "get_enums",
    responses((status = OK, description = "All enumerations.", body = Enumerations)),
    security(("oauth2" = ["enum:Read"])),
)]
pub async fn enums(caller: Caller) -> Response {
    service::enumerations(&caller)
}

/// Get the request limits
///
/// Tells the caller's standing without counting the call; may be asked once a second.
#[utoipa::path(
    get, path = "/v1/rate_limit", tag = TAG, operation_id = "get_rate_limit",
    responses((status = OK, description = "The caller's standing.", body = RateLimit)),
    security(("oauth2" = ["rate-limit:Read"])),
)]
pub async fn rate_limit(caller: Caller) -> Response {
    let standing = caller.standing;
    let body = json!({
        "limit": standing.limit, "remaining": standing.remaining, "reset": standing.reset,
    });
    resource::found(&caller, &body)
}
