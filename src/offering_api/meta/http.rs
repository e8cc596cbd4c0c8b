//! Routes that belong to no record.
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::TAG;
use crate::offering_api::access::Caller;
use crate::offering_api::envelope;

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
    envelope::json(&json!({
        "limit": standing.limit, "remaining": standing.remaining, "reset": standing.reset,
    }))
}
