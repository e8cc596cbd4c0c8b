//! Routes of webhook policies.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{
    COLLECTION, CreateWebhookPolicy, RECORD, UpdateWebhookPolicy, WebhookPolicy, WebhookPolicyItem,
    WebhookPolicyQuery, WebhookPolicyWithKey,
};
use super::service;
use crate::audit_of;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::{OWN_RECORD, Scope};
use crate::offering_api::access::Caller;
use crate::offering_api::audit_lines;
use crate::offering_api::resource::{self, BareWrite, Write};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "webhook_policies";

/// List webhook policies
///
/// Every policy of the caller's account.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_webhook_policies",
    params(WebhookPolicyQuery),
    responses((status = OK, description = "One page of webhook policies.", body = Vec<WebhookPolicyItem>)),
    security(("oauth2" = ["webhook-policy:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// List enabled webhook policies
///
/// Those of the caller's account that can be linked to webhooks.
#[utoipa::path(
    get, path = "/enabled", tag = TAG, operation_id = "list_enabled_webhook_policies",
    params(WebhookPolicyQuery),
    responses((status = OK, description = "One page of webhook policies.", body = Vec<WebhookPolicyItem>)),
    security(("oauth2" = ["webhook-policy:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn list_enabled(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("enabled"), None, &uri).await
}

/// List disabled webhook policies
///
/// Those of the caller's account that can no longer be linked to webhooks.
#[utoipa::path(
    get, path = "/disabled", tag = TAG, operation_id = "list_disabled_webhook_policies",
    params(WebhookPolicyQuery),
    responses((status = OK, description = "One page of webhook policies.", body = Vec<WebhookPolicyItem>)),
    security(("oauth2" = ["webhook-policy:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn list_disabled(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("disabled"), None, &uri).await
}

/// Get a webhook policy
///
/// With all its fields. Its public key is found by OpenID Connect discovery.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_webhook_policy",
    params(("id" = String, Path, description = "Number or nodeID of the webhook policy.", example = "1")),
    responses((status = OK, description = "The webhook policy.", body = WebhookPolicy)),
    security(("oauth2" = ["webhook-policy:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &id).await
}

/// Create a webhook policy
///
/// Makes a key pair, whose private half never leaves the server. The answer shows the public half, once:
/// repeated with the same `Idempotency-Key` the request is answered the same.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_webhook_policy",
    request_body(content = CreateWebhookPolicy, description = "The new webhook policy.", example = json!({
        "jwt_alg": "es256", "jwt_audience": "ticket-echo", "jwt_claim_expires_in": 10
    })),
    responses((status = CREATED, description = "The new webhook policy.", body = WebhookPolicyWithKey)),
    security(("oauth2" = ["webhook-policy:Create"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update a webhook policy
///
/// Changes the fields that the body names. Another `jwt_alg` means a new key, which signs from now on;
/// receivers find it by OpenID Connect discovery, and the former one for two more hours.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_webhook_policy",
    params(("id" = String, Path, description = "Number or nodeID of the webhook policy.", example = "1")),
    request_body(content = UpdateWebhookPolicy, description = "The fields to change.", example = json!({
        "jwt_claim_expires_in": 5
    })),
    responses((status = OK, description = "The changed webhook policy.", body = WebhookPolicy)),
    security(("oauth2" = ["webhook-policy:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}

/// Delete a webhook policy
///
/// Refused while webhooks use it.
#[utoipa::path(
    delete, path = "/{id}", tag = TAG, operation_id = "delete_webhook_policy",
    params(("id" = String, Path, description = "Number or nodeID of the webhook policy.", example = "1")),
    responses(
        (status = NO_CONTENT, description = "The webhook policy is gone."),
        (status = UNPROCESSABLE_ENTITY, description = "It is in use."),
    ),
    security(("oauth2" = ["webhook-policy:Delete"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::delete(&state, write, &id).await
}

/// Rotate the key of a webhook policy
///
/// Makes a new key pair of the same algorithm, which signs from now on. The answer shows the public half,
/// once. Receivers find the former key for two more hours. Refused for the policy of an installed app without
/// `openid_connect_discovery`, which knows the present key only.
#[utoipa::path(
    post, path = "/{id}/rotate", tag = TAG, operation_id = "rotate_webhook_policy",
    params(("id" = String, Path, description = "Number or nodeID of the webhook policy.", example = "1")),
    responses((status = OK, description = "The webhook policy with its new key.", body = WebhookPolicyWithKey)),
    security(("oauth2" = ["webhook-policy:Update"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn rotate(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::rotate(&state, write, &id).await
}

/// List the audit entries of a webhook policy
///
/// What happened to it, newest first. `signing_key` names the key that signs.
#[utoipa::path(
    get, path = "/{id}/audit", tag = TAG, operation_id = "list_webhook_policy_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook policy.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["webhook-policy:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = resource::record_id(&RECORD, &id, &caller)?;
    resource::require(&state, &caller, &RECORD, Scope::own(id)).await?;
    audit_lines::list_of(&state, &caller, audit_of!("webhook_policy"), id, &uri).await
}
