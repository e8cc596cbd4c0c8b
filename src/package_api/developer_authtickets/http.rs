//! Routes of developers' tickets.
use axum::extract::State;
use axum::response::Response;

use super::dto::{DeveloperAdminUserAuthTicket, LogIn, refresh_token};
use super::service::{self, Choice};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::http::answer;
use crate::package_api::call::{self, Anonymous, Question};
use crate::package_api::convention::refusal;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "developer_authtickets";

/// Sign in as a developer
///
/// Gets tokens for a developer, who then acts for the account that `developerAccountId` says, with every
/// behavior that is not private. Without it the tokens act for no account; the ticket tells which there
/// are to choose from. After ten failures for one name from one address within two seconds, or
/// sixty within an hour, every log-in of this name from there is refused for a while, with the right
/// password too.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "authenticate_developer",
    params(("developerAccountId" = Option<i32>, Query, minimum = 1,
        description = "Number of the account that the tokens are to act for.", example = 3)),
    request_body(content = LogIn, description = "Address and password of the developer."),
    responses(
        (status = OK, description = "The tokens.", body = DeveloperAdminUserAuthTicket),
        (status = UNAUTHORIZED, description = "There is no developer of this address and password."),
        (status = FORBIDDEN, description = "The developer does not work for this account."),
    ),
    security(()),
)]
pub async fn authenticate(State(state): State<AppState>, request: Anonymous) -> Result<Response> {
    let Anonymous { question, body, address } = request;
    let choice = Choice { account: account(&question)?, operation: "authenticate_developer" };
    let log_in = LogIn::read(&body)?;
    question.told(&service::authenticate(&state, &address, log_in, choice).await?)
}

/// Renew a developer's access token
///
/// The body is the ticket that is to be renewed; its `refreshToken` counts. The refresh token stays the
/// same and expires when it would have. Without `developerAccountId` the tokens go on to act for the
/// account that was chosen at the log-in.
#[utoipa::path(
    put, path = "", tag = TAG, operation_id = "refresh_developer_ticket",
    params(("developerAccountId" = Option<i32>, Query, minimum = 1,
        description = "Number of the account that the new access token is to act for.", example = 3)),
    request_body(content = DeveloperAdminUserAuthTicket, description = "The ticket to renew.", example = json!({
        "refreshToken": "S7dq1vNnX4mYb0cWz8kTgR2hJp5uEaLf9oQiVxCyBtDsMjKw"
    })),
    responses(
        (status = OK, description = "The ticket with its new access token.", body = DeveloperAdminUserAuthTicket),
        (status = UNAUTHORIZED, description = "The refresh token is not a developer's, or no longer good."),
        (status = FORBIDDEN, description = "The developer does not work for this account."),
    ),
    security(()),
)]
pub async fn refresh(State(state): State<AppState>, request: Anonymous) -> Result<Response> {
    let Anonymous { question, body, .. } = request;
    let choice = Choice { account: account(&question)?, operation: "refresh_developer_ticket" };
    let token = refresh_token(&body)?;
    question.told(&service::refresh(&state, token, choice).await?)
}

/// Revoke a developer's refresh token
///
/// Access tokens that were made with it stay good until they expire.
#[utoipa::path(
    delete, path = "", tag = TAG, operation_id = "delete_developer_ticket",
    params(("refreshToken" = String, Query, min_length = 1, max_length = 200,
        description = "The refresh token.", example = "S7dq1vNnX4mYb0cWz8kTgR2hJp5uEaLf9oQiVxCyBtDsMjKw")),
    responses(
        (status = OK, description = "The refresh token is revoked. No body."),
        (status = NOT_FOUND, description = "There is no such refresh token of a developer."),
    ),
    security(()),
)]
pub async fn delete(State(state): State<AppState>, question: Question) -> Result<Response> {
    let token = question.query.text("refreshToken")?.map(str::trim).unwrap_or_default();
    if token.is_empty() {
        let why = "must be the refresh token to revoke.";
        return Err(refusal::missing("refreshToken", why));
    }
    service::revoke(&state, token.to_owned()).await?;
    Ok(answer::changed(call::nothing()))
}

/// The account that is asked for.
fn account(question: &Question) -> Result<Option<i64>> {
    question.query.int("developerAccountId", 1..=i64::from(i32::MAX))
}
