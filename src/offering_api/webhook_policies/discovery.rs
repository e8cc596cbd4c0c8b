//! Where receivers find the keys of a policy (OpenID Connect Discovery 1.0; contract 4.4).
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use super::dto::{OpenIdConfiguration, PolicyKeys};
use super::{keys, service};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::envelope;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "webhook_policies";

/// How long receivers may remember what they found, in seconds: an hour.
const REMEMBERED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Discover a webhook policy
///
/// Who signs the messages of webhooks with this policy and `openid_connect_discovery`, and where the keys
/// are. On the host of the account it is `/webhook_policies/{name}/.well-known/openid-configuration`.
#[utoipa::path(
    get, path = "/{name}/.well-known/openid-configuration", tag = TAG,
    operation_id = "get_webhook_policy_configuration",
    params(
        ("account" = String, Path, description = "Id of the account.", min_length = 1, max_length = 32,
         pattern = "^[a-z0-9-]+$", example = "wdc"),
        ("name" = String, Path, description = "Name of the policy.", min_length = 56, max_length = 56,
         pattern = "^[0-9a-f]{56}$",
         example = "5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203"),
    ),
    responses((status = OK, description = "Who signs, and where the keys are.", body = OpenIdConfiguration)),
)]
pub async fn configuration(
    State(state): State<AppState>,
    Path((account, name)): Path<(String, String)>,
) -> Result<Response> {
    let policy = service::named(&state, &account, &name).await?;
    let issuer = service::issuer(&state.site, &policy);
    let jwks = format!("{issuer}/.well-known/jwks.json");
    Ok(public(&json!({"issuer": issuer, "jwks_uri": jwks})))
}

/// Get the keys of a webhook policy
///
/// The public key that signs and those that it has taken the place of within the last two hours. On the
/// host of the account it is `/webhook_policies/{name}/.well-known/jwks.json`.
#[utoipa::path(
    get, path = "/{name}/.well-known/jwks.json", tag = TAG, operation_id = "get_webhook_policy_keys",
    params(
        ("account" = String, Path, description = "Id of the account.", min_length = 1, max_length = 32,
         pattern = "^[a-z0-9-]+$", example = "wdc"),
        ("name" = String, Path, description = "Name of the policy.", min_length = 56, max_length = 56,
         pattern = "^[0-9a-f]{56}$",
         example = "5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203"),
    ),
    responses((status = OK, description = "The keys.", body = PolicyKeys)),
)]
pub async fn keys(
    State(state): State<AppState>,
    Path((account, name)): Path<(String, String)>,
) -> Result<Response> {
    let policy = service::named(&state, &account, &name).await?;
    let keys = keys::shown(state.store.connection(), policy.id, state.clock.now()).await?;
    Ok(public(&keys))
}

fn public(value: &Value) -> Response {
    let mut response = envelope::json(value);
    response.headers_mut().insert(header::CACHE_CONTROL, REMEMBERED);
    response
}
