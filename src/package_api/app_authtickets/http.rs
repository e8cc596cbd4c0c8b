//! Routes of applications' tickets. All are anonymous: credentials in headers are not looked at (contract
//! 1.3.1), apart from those of an OAuth client. They take no `Idempotency-Key`, for their answers are
//! secrets.
use axum::extract::State;
use axum::response::Response;

use super::dto::{
    self, AppAuthInfo, AuthTicket, AuthTicketRequest, Grant, OAuthAccessTokenResponse,
    OauthAuthRequest,
};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::http::answer;
use crate::package_api::call::{self, Anonymous, Question};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "app_authtickets";

/// Authenticate an application
///
/// Gives a ticket for the key and the secret of an application: an access token for an hour and a refresh
/// token for a day, unless the operator of the server has set other times. What the access token allows
/// are the behaviors that the package has now; later changes take another ticket. After ten wrong secrets
/// for one key from one address within two seconds, or sixty within an hour, every log-in with this key
/// from there is refused for a while, with the right secret too.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "authenticate_app",
    request_body(content = AppAuthInfo, description = "Key and secret.", example = json!({
        "applicationId": "acme01.loyalty.1.0.0.Release",
        "sharedSecret": "0123456789abcdef0123456789abcdef"
    })),
    responses(
        (status = OK, description = "The ticket.", body = AuthTicket),
        (status = UNAUTHORIZED, description = "There is no package of this key, or its secret is another."),
    ),
    security(()),
)]
pub async fn authenticate(State(state): State<AppState>, request: Anonymous) -> Result<Response> {
    let credentials = dto::credentials(&request.body)?;
    let ticket = service::log_in(&state, &credentials, &request.address).await?;
    request.question.told(&AuthTicket::from(ticket))
}

/// Authenticate an application (OAuth)
///
/// The same ticket for OAuth clients (RFC 6749, 4.4 and 6): for `client_id` and `client_secret`, in the
/// body or as HTTP Basic, or for a `refresh_token`. Members may also be written `clientId`,
/// `clientSecret`, `refreshToken` and `grantType`. Refusals have the body of all other refusals, not that
/// of RFC 6749. Wrong secrets count together with those of the other log-in.
#[utoipa::path(
    post, path = "/oauth", tag = TAG, operation_id = "authenticate_app_oauth",
    request_body(
        content(
            (OauthAuthRequest = "application/json", example = json!({
                "client_id": "acme01.loyalty.1.0.0.Release",
                "client_secret": "0123456789abcdef0123456789abcdef",
                "grant_type": "client_credentials"
            })),
            (OauthAuthRequest = "application/x-www-form-urlencoded"),
        ),
        description = "What is asked for.",
    ),
    responses(
        (status = OK, description = "The ticket.", body = OAuthAccessTokenResponse),
        (status = UNAUTHORIZED, description = "There is no package of this key, its secret is another, or \
                                               the refresh token is unknown, revoked or expired."),
    ),
    security(()),
)]
pub async fn authenticate_oauth(
    State(state): State<AppState>,
    request: Anonymous,
) -> Result<Response> {
    let ticket = match dto::grant(&request.question.headers, &request.body)? {
        Grant::New(credentials) => service::log_in(&state, &credentials, &request.address).await?,
        Grant::Renewal { token, with } => {
            service::renew(&state, &token, &with, &request.address).await?
        }
    };
    let lifetime = state.tickets.access_lifetime();
    request.question.told(&OAuthAccessTokenResponse::of(ticket, lifetime))
}

/// Refresh an application ticket
///
/// Gives another access token for the refresh token of a ticket. The refresh token stays the same and
/// expires when it would have.
#[utoipa::path(
    put, path = "/refresh-ticket", tag = TAG, operation_id = "refresh_app_ticket",
    request_body(content = AuthTicketRequest, description = "The refresh token.", example = json!({
        "refreshToken": "Yx3dQm0c7T1vKq8RzP5sWn2bHf6jLg9aEu4iOyTcVrXwBkMh"
    })),
    responses(
        (status = OK, description = "The renewed ticket.", body = AuthTicket),
        (status = UNAUTHORIZED, description = "The refresh token is missing, unknown, revoked or expired."),
    ),
    security(()),
)]
pub async fn refresh(State(state): State<AppState>, request: Anonymous) -> Result<Response> {
    let token = dto::refresh_token(&request.body)?;
    let with = service::Credentials::default();
    let ticket = service::renew(&state, &token, &with, &request.address).await?;
    request.question.told(&AuthTicket::from(ticket))
}

/// Delete an application ticket
///
/// Revokes a refresh token. Access tokens stay valid until they expire.
#[utoipa::path(
    delete, path = "/{refreshToken}", tag = TAG, operation_id = "delete_app_ticket",
    params((
        "refreshToken" = String, Path, min_length = 1, max_length = 4000,
        description = "The refresh token.",
        example = "Yx3dQm0c7T1vKq8RzP5sWn2bHf6jLg9aEu4iOyTcVrXwBkMh",
    )),
    responses(
        (status = OK, description = "The refresh token is revoked."),
        (status = NOT_FOUND, description = "There is no such refresh token, or it has expired."),
    ),
    security(()),
)]
pub async fn delete(State(state): State<AppState>, question: Question) -> Result<Response> {
    service::revoke(&state, question.target.text("refreshToken")).await?;
    Ok(answer::changed(call::nothing()))
}
