//! Routes of the behaviors of a package.
use axum::extract::State;
use axum::response::Response;

use super::dto::BehaviorCategoryBehaviorCollection;
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::apppackages::dto::ApplicationBehavior;
use crate::package_api::call::{Call, Write};

/// OpenAPI tag of these operations; always the folder.
const TAG: &str = "apppackages/behaviors";

/// Get package behaviors
///
/// The behaviors of a package of the caller's developer account, by category. An application may always read
/// its own. The package is named by its number; a path with anything but a number does not exist.
#[utoipa::path(
    get, path = "/{packageId}/behaviors", tag = TAG, operation_id = "get_package_behaviors",
    params(("packageId" = i32, Path, minimum = 1, maximum = 2147483647, description = "Number of the package.", example = 4102)),
    responses((status = OK, description = "The behaviors, by category.", body = BehaviorCategoryBehaviorCollection)),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn get(State(state): State<AppState>, call: Call) -> Result<Response> {
    service::get(&state, &call).await
}

/// Update package behaviors
///
/// Replaces the behaviors of a package; an empty list removes all. Behaviors that a given one requires are
/// added, as `Order Read` is for `Order Update`. Private behaviors can be added by operators only. Access
/// tokens keep the behaviors they were issued with, and installs those of the time of the install.
#[utoipa::path(
    post, path = "/{packageId}/behaviors", tag = TAG, operation_id = "update_package_behaviors",
    params(("packageId" = i32, Path, minimum = 1, maximum = 2147483647, description = "Number of the package.", example = 4102)),
    request_body(content = Vec<ApplicationBehavior>, description = "The behaviors that the package is to have.", example = json!([
        {"behaviorId": 102}, {"behaviorId": 122}
    ])),
    responses(
        (status = OK, description = "The behaviors of the package, by category.", body = BehaviorCategoryBehaviorCollection),
        (status = PRECONDITION_FAILED, description = "`If-Match` names another state of the behaviors."),
        (status = CONFLICT, description = "A behavior is unknown, the version is locked, or a request with this `Idempotency-Key` is still running."),
    ),
    security(("oauth2" = ["developer:Update"])),
)]
pub async fn update(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::update(&state, write).await
}
