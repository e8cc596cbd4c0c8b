//! Routes of subscriptions.
use axum::extract::State;
use axum::response::Response;

use super::dto::ApplicationSubscription;
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Command, Write};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "appsubscriptions";

/// Create a subscription
///
/// Lets a package hear of events. `packageId`, `applicationEndPoint` and at least one event are needed;
/// an event is named by its id or by its name, and is named once however often it stands there. It takes
/// effect in a tenant when the application is installed there, or installed again. Not while the version
/// is locked.
///
/// With `noCallback` the application does not hear of what it did itself: of no call of any of its versions,
/// whichever of them has the subscription.
#[utoipa::path(
    post, path = "/events", tag = TAG, operation_id = "create_application_subscription",
    request_body(content = ApplicationSubscription, description = "The new subscription.", example = json!({
        "applicationSubscriptionId": 0, "applicationEndPoint": "https://loyalty.acme.example/hooks",
        "events": [{"eventId": 52, "eventName": "order.opened", "eventCategory": "Order",
            "apiVersionNumber": "1"}],
        "packageId": 4102, "noCallback": true
    })),
    responses(
        (status = OK, description = "The subscription, its events filled in from the catalogue.", body = ApplicationSubscription),
        (status = NOT_FOUND, description = "There is no such package, or it is another account's."),
        (status = CONFLICT, description = "The version is locked, or a request with the same `Idempotency-Key` is still running."),
    ),
    security(("oauth2" = ["developer:Update"])),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update a subscription
///
/// `applicationSubscriptionId` in the body says which. An `applicationEndPoint` or `events` that is null
/// or left out stays as it is; `noCallback` is false unless the body says true. The package cannot be
/// changed. Not while the version is locked.
#[utoipa::path(
    put, path = "/events", tag = TAG, operation_id = "update_application_subscription",
    request_body(content = ApplicationSubscription, description = "The subscription as it is to be.", example = json!({
        "applicationSubscriptionId": 91, "applicationEndPoint": "https://loyalty.acme.example/orders",
        "events": [{"eventName": "order.opened"}, {"eventName": "order.closed"}], "noCallback": true
    })),
    responses(
        (status = OK, description = "The changed subscription.", body = ApplicationSubscription),
        (status = NOT_FOUND, description = "There is no such subscription, or it is another account's."),
        (status = CONFLICT, description = "The version is locked, or the subscription belongs to another package."),
    ),
    security(("oauth2" = ["developer:Update"])),
)]
pub async fn update(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::update(&state, write).await
}

/// Delete a subscription
///
/// Messages that wait for it are dropped, and the package does not hear of its events where it is installed
/// from now on. Installs of today keep it as it was when they were made, and what happens to them is still
/// sent, until the package is installed there again. Not while the version is locked.
#[utoipa::path(
    delete, path = "/events/{applicationSubscriptionId}", tag = TAG, operation_id = "delete_application_subscription",
    params(("applicationSubscriptionId" = i32, Path, minimum = 1, description = "Number of the subscription.", example = 91)),
    responses(
        (status = OK, description = "The subscription is gone. No body."),
        (status = CONFLICT, description = "The version is locked."),
    ),
    security(("oauth2" = ["developer:Update"])),
)]
pub async fn delete(State(state): State<AppState>, Command(write): Command) -> Result<Response> {
    let id = write.call.target.int("applicationSubscriptionId")?;
    service::delete(&state, write, id).await
}

/// Get a subscription
///
/// One of the caller's developer account. An application may always read its own. The path has no
/// `events` in it, unlike those of changes.
#[utoipa::path(
    get, path = "/{subscriptionId}", tag = TAG, operation_id = "get_application_subscription",
    params(("subscriptionId" = i32, Path, minimum = 1, description = "Number of the subscription.", example = 91)),
    responses((status = OK, description = "The subscription.", body = ApplicationSubscription)),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn get(State(state): State<AppState>, call: Call) -> Result<Response> {
    let id = call.target.int("subscriptionId")?;
    call.found(&service::get(&state, &call.caller, id).await?)
}
