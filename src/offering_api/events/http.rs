//! The route of the feed.
use axum::extract::{OriginalUri, State};
use axum::response::Response;

use super::dto::{Event, EventQuery};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::access::Caller;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "events";

/// Read the feed of events
///
/// Everything that happened in the caller's account, oldest first: the changes of records and what else
/// webhooks are told of. `Link` always leads on, with `rel="next"`: where there is nothing yet, it is the
/// place to look again. So whoever keeps the last `position`, or the last link, misses nothing and gets
/// nothing twice. Events are kept for as many days as the operator has set, 30 unless told otherwise.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_events",
    params(EventQuery),
    responses((status = OK, description = "Events, oldest first.", body = Vec<Event>, headers(
        ("Link" = String, description = "Where the feed goes on: `rel=\"next\"`."),
    ))),
    security(("oauth2" = ["event:Read"])),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    service::list(&state, &caller, &uri).await
}
