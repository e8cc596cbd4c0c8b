//! Routes of the delivery log.
use axum::extract::{OriginalUri, Path, State};
use axum::http::Uri;
use axum::response::Response;

use super::dto::{
    COLLECTION, QueuedWebhookDelivery, ReplayRequest, Replayed, WebhookDelivery,
    WebhookDeliveryItem, WebhookDeliveryQuery,
};
use super::log::{self, OF_WEBHOOK};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{self, BareWrite, Write};
use crate::offering_api::webhooks::dto::RECORD as WEBHOOK;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "webhook_deliveries";

/// List the deliveries of a webhook
///
/// What was sent to it, is on its way or was given up, newest first; for as long as the operator keeps it.
#[utoipa::path(
    get, path = "/deliveries", tag = TAG, operation_id = "list_webhook_deliveries",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        WebhookDeliveryQuery,
    ),
    responses((status = OK, description = "One page of deliveries.", body = Vec<WebhookDeliveryItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    list_subset(&state, &caller, &id, None, &uri).await
}

/// List the waiting deliveries of a webhook
///
/// Those that wait for their next attempt, or for the webhook to be enabled and verified.
#[utoipa::path(
    get, path = "/deliveries/waiting", tag = TAG, operation_id = "list_waiting_webhook_deliveries",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        WebhookDeliveryQuery,
    ),
    responses((status = OK, description = "One page of deliveries.", body = Vec<WebhookDeliveryItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn list_waiting(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    list_subset(&state, &caller, &id, Some("waiting"), &uri).await
}

/// List the delivered deliveries of a webhook
///
/// Those that the receiver has taken.
#[utoipa::path(
    get, path = "/deliveries/delivered", tag = TAG, operation_id = "list_delivered_webhook_deliveries",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        WebhookDeliveryQuery,
    ),
    responses((status = OK, description = "One page of deliveries.", body = Vec<WebhookDeliveryItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn list_delivered(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    list_subset(&state, &caller, &id, Some("delivered"), &uri).await
}

/// List the failed deliveries of a webhook
///
/// Those that are given up, which `replay` and `redeliver` send once more.
#[utoipa::path(
    get, path = "/deliveries/failed", tag = TAG, operation_id = "list_failed_webhook_deliveries",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        WebhookDeliveryQuery,
    ),
    responses((status = OK, description = "One page of deliveries.", body = Vec<WebhookDeliveryItem>)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn list_failed(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    list_subset(&state, &caller, &id, Some("failed"), &uri).await
}

async fn list_subset(
    state: &AppState,
    caller: &Caller,
    webhook: &str,
    subset: Option<&str>,
    uri: &Uri,
) -> Result<Response> {
    let id = resource::record_id(&WEBHOOK, webhook, caller)?;
    resource::require(state, caller, &WEBHOOK, Scope::own(id)).await?;
    let scope = Scope { condition: OF_WEBHOOK, id };
    resource::list(state, caller, &COLLECTION, subset, Some(scope), uri).await
}

/// Get a delivery
///
/// With its message and what came of each attempt.
#[utoipa::path(
    get, path = "/deliveries/{delivery_id}", tag = TAG, operation_id = "get_webhook_delivery",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        ("delivery_id" = String, Path, description = "Number, nodeID or `delivery_id` of the delivery.", example = "1"),
    ),
    responses((status = OK, description = "The delivery.", body = WebhookDelivery)),
    security(("oauth2" = ["webhook:Read"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Response> {
    log::get(&state, &caller, &id, &delivery).await
}

/// Deliver a message once more
///
/// Queues the message anew, under a new id; the header `X-Xurrent-Delivery-Origin` tells the first one.
/// Refused while the message waits, and when its secrets were delivered: those are not kept.
#[utoipa::path(
    post, path = "/deliveries/{delivery_id}/redeliver", tag = TAG, operation_id = "redeliver_webhook_delivery",
    params(
        ("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1"),
        ("delivery_id" = String, Path, description = "Number, nodeID or `delivery_id` of the delivery.", example = "1"),
    ),
    responses((status = CREATED, description = "The new delivery.", body = QueuedWebhookDelivery)),
    security(("oauth2" = ["webhook:Update"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn redeliver(
    State(state): State<AppState>,
    Path((id, delivery)): Path<(String, String)>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    log::redeliver(&state, write, &id, &delivery).await
}

/// Deliver once more what has failed
///
/// Queues what was given up since a time and was not delivered once more already, oldest first; at most
/// 1,000 messages at a time.
#[utoipa::path(
    post, path = "/replay", tag = TAG, operation_id = "replay_webhook_deliveries",
    params(("id" = String, Path, description = "Number or nodeID of the webhook.", example = "1")),
    request_body(content = ReplayRequest, description = "Since when.", example = json!({
        "since": "2026-02-01T09:15:00+01:00"
    })),
    responses((status = OK, description = "How many are on their way.", body = Replayed)),
    security(("oauth2" = ["webhook:Update"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn replay(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    log::replay(&state, write, &id).await
}
