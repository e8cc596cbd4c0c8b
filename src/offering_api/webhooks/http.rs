//! Routes of webhooks.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{
    COLLECTION, CreateWebhook, RECORD, UpdateWebhook, Webhook, WebhookItem, WebhookQuery,
    WrittenWebhook,
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
const TAG: &str = "webhooks";

/// List webhooks
///
/// Every webhook of the caller's account.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_webhooks",
    params(WebhookQuery),
    responses((status = OK, description = "One page of webhooks.", body = Vec<WebhookItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// List enabled webhooks
///
/// Those of the caller's account that are not disabled.
#[utoipa::path(
    get, path = "/enabled", tag = TAG, operation_id = "list_enabled_webhooks",
    params(WebhookQuery),
    responses((status = OK, description = "One page of webhooks.", body = Vec<WebhookItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn list_enabled(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("enabled"), None, &uri).await
}

/// List disabled webhooks
///
/// Those of the caller's account that are disabled, by a user or by themselves; `last_error` tells why.
#[utoipa::path(
    get, path = "/disabled", tag = TAG, operation_id = "list_disabled_webhooks",
    params(WebhookQuery),
    responses((status = OK, description = "One page of webhooks.", body = Vec<WebhookItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn list_disabled(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("disabled"), None, &uri).await
}

/// Get a webhook
///
/// With all its fields.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_webhook",
    params(("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1")),
    responses((status = OK, description = "The webhook.", body = Webhook)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &id).await
}

/// Create a webhook
///
/// Its address is sent a message `webhook.verify` at once, and nothing else before its `callback` was
/// called: what happens meanwhile waits for that. Unless another webhook of the account with exactly this
/// address is verified.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_webhook",
    request_body(content = CreateWebhook, description = "The new webhook.", example = json!({
        "event": "app_instance.secrets-update", "name": "Secrets of Ticket Echo",
        "uri": "https://echo.example.org/secrets", "webhook_policy_id": 1,
        "app_offering_references": ["acme_ticket_echo"]
    })),
    responses((status = CREATED, description = "The new webhook.", body = WrittenWebhook)),
    security(("oauth2" = ["webhook:Create"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update a webhook
///
/// Changes the fields that the body names. A new address is verified anew, and what happens meanwhile waits
/// for that. As long as the address is not verified, each update sends another `webhook.verify`, whose code
/// takes the place of the former.
///
/// The webhook of an installed app keeps its event, address and policy, and is enabled only while the app is.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_webhook",
    params(("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1")),
    request_body(content = UpdateWebhook, description = "The fields to change.", example = json!({
        "disabled": false
    })),
    responses((status = OK, description = "The changed webhook.", body = WrittenWebhook)),
    security(("oauth2" = ["webhook:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}

/// Delete a webhook
///
/// With its delivery log, and with what was yet to be delivered. Refused for the webhook of an installed
/// app.
#[utoipa::path(
    delete, path = "/{id}", tag = TAG, operation_id = "delete_webhook",
    params(("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1")),
    responses(
        (status = NO_CONTENT, description = "The webhook is gone."),
        (status = UNPROCESSABLE_ENTITY, description = "It is in use."),
    ),
    security(("oauth2" = ["webhook:Delete"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::delete(&state, write, &id).await
}

/// Test a webhook
///
/// Sends a message of its event about a record with the number 12345, which need not exist, also when
/// the webhook is disabled or its address not verified. Its `payload` is empty, whatever the event.
#[utoipa::path(
    post, path = "/{id}/test", tag = TAG, operation_id = "test_webhook",
    params(("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1")),
    responses((status = NO_CONTENT, description = "The message is on its way.")),
    security(("oauth2" = ["webhook:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn test(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::test(&state, write, &id).await
}

/// List the audit entries of a webhook
///
/// What happened to it, newest first. Names, passwords and secrets are not told, only that they changed.
#[utoipa::path(
    get, path = "/{id}/audit", tag = TAG, operation_id = "list_webhook_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["webhook:Read"])),
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
    audit_lines::list_of(&state, &caller, audit_of!("webhook"), id, &uri).await
}
