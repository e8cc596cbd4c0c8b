//! Routes of the token endpoint.
use axum::extract::{Request, State};
use axum::response::Response;

use super::dto::{AccessToken, TokenRefusal, TokenRequest};
use super::{dto, service};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::http::body::{self, BODY_LIMIT};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "oauth";

/// Get an access token
///
/// Exchanges the id and secret of an OAuth client for a token, which is then sent as
/// `Authorization: Bearer …`. The id and secret are part of the body, a form or JSON, or are sent as
/// HTTP Basic (RFC 6749, 2.3.1), but not both. Attempts are counted by address.
#[utoipa::path(
    post, path = "/token", tag = TAG, operation_id = "create_token",
    request_body(
        content(
            (TokenRequest = "application/x-www-form-urlencoded"),
            (TokenRequest = "application/json"),
        ),
        description = "What is asked for.",
    ),
    responses(
        (status = OK, description = "The token, which is not shown again.", body = AccessToken),
        (status = BAD_REQUEST, description = "The request cannot be granted; `error` says why.", body = TokenRefusal),
        (status = UNAUTHORIZED, description = "There is no client of this id and secret.", body = TokenRefusal),
    ),
)]
pub async fn create_token(State(state): State<AppState>, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let body = body::read(body, BODY_LIMIT).await?;
    let answer = match dto::Ask::read(&parts.headers, &body) {
        Ok(ask) => service::issue(&state, ask).await?,
        Err(refusal) => Err(refusal),
    };
    Ok(dto::answer(answer))
}
