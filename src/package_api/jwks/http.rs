//! Routes of public keys.
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};

use super::dto::{Jwk, Jwks};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::Question;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "jwks";

/// Get the public keys
///
/// The keys that access tokens are signed with (ES256). A key is shown at least an hour before it signs
/// and until the last token that it signed has expired; so keys that were read may be kept for as long as
/// `Cache-Control` says. Both `/.well-known/jwks.json` and `/api/.well-known/jwks.json` are answered.
#[utoipa::path(
    get, path = "/jwks.json", tag = TAG, operation_id = "get_jwks",
    responses((status = OK, description = "The keys.", body = Jwks, headers(
        ("Cache-Control" = String, description = "How long the keys may be kept: `public, max-age=300`.")
    ))),
    security(()),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn get(State(state): State<AppState>, question: Question) -> Result<Response> {
    let keys = state.tickets.keys().public(&state.kernel).await?;
    let keys = keys.iter().map(|key| Jwk::from(&**key)).collect();
    let mut response = question.found(&Jwks { keys })?;
    // Shorter than the hour for which a key is shown before it signs.
    let kept = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}
