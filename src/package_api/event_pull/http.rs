//! Routes of events that are asked for.
use axum::extract::State;
use axum::response::Response;

use super::dto::{Event, EventCollection, MEMBERS};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::appinstall::context;
use crate::package_api::call::Call;
use crate::package_api::convention::list::{List, ListParams, PAGE, PageSize};
use crate::package_api::convention::member::described;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "event_pull";

/// List recent events
///
/// A page of what happened to installs of the account's applications, and to all in its tenants, in the
/// order in which it happened unless `sortBy` says otherwise: the events that subscriptions are told of,
/// whether or not there is one. They are kept for the days that the operator has set.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_recent_events",
    params(
        ListParams,
        PageSize,
        ("x-vol-tenant" = Option<i32>, Header, minimum = 1, example = 1,
         description = "Number of a tenant: only events in it."),
    ),
    responses((status = OK, description = "A page of events.", body = EventCollection)),
    security(("oauth2" = ["event:Read"])),
    extensions(("x-members" = json!(described(MEMBERS)))),
)]
pub async fn list_recent_events(State(state): State<AppState>, call: Call) -> Result<Response> {
    let list = List::parse(&call.query, PAGE, MEMBERS)?;
    let tenant = context::tenant(&call.headers)?;
    let (source, account) = (state.store.committed(), &call.caller.principal.account);
    call.found(&service::list(source, account, tenant, list).await?)
}

/// Get a recent event
///
/// An event of an install of one of the account's applications, or in one of its tenants.
#[utoipa::path(
    get, path = "/{eventId}", tag = TAG, operation_id = "get_recent_event",
    params(("eventId" = String, Path, min_length = 32, max_length = 36,
            example = "6f1c2a349b1e4f0a8f570d3e5b7a9c11",
            description = "Id of the event, with or without dashes.")),
    responses((status = OK, description = "The event.", body = Event)),
    security(("oauth2" = ["event:Read"])),
)]
pub async fn get_recent_event(State(state): State<AppState>, call: Call) -> Result<Response> {
    let (source, account) = (state.store.committed(), &call.caller.principal.account);
    call.found(&service::get(source, account, &call.target.text("eventId")).await?)
}
