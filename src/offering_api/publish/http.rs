//! The route of publishing.
use axum::extract::{Path, State};
use axum::response::Response;

use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::app_offerings::dto::AppOffering;
use crate::offering_api::resource::BareWrite;

/// OpenAPI tag: what is published, which is where a reader of the document looks.
const TAG: &str = "app_offerings";

/// Publish an app offering
///
/// Copies the draft with its scopes, automation rules and files into a new published version, which
/// becomes the newest. The draft stays; from now on its `reference` is fixed.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "publish_app_offering",
    params(("id" = String, Path, description = "Number or nodeID of the draft.", example = "1")),
    responses((status = CREATED, description = "The new published version.", body = AppOffering)),
    security(("oauth2" = ["app-offering:Update"])),
    extensions(
        ("x-required-role" = json!("account_administrator")),
        ("x-appmarket-extension" = json!(true)),
    ),
)]
pub async fn publish(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::publish(&state, write, &id).await
}
