//! Routes of behaviors and their categories, events and capability types.
use axum::extract::State;
use axum::response::Response;

use super::dto::{
    Behavior, BehaviorCategory, BehaviorCategoryCollection, BehaviorCollection, CapabilityType,
    CapabilityTypeCollection, EventType, EventTypeCollection,
};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::Call;
use crate::package_api::convention::refusal;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "reference";

/// List behaviors
///
/// Everything that an application may be allowed to do. What a package asks for is a selection of it.
#[utoipa::path(
    get, path = "/behaviors", tag = TAG, operation_id = "list_behaviors",
    params(("userType" = Option<String>, Query, max_length = 50,
        description = "Only behaviors that this type of users may have, `Developer`, in any case of letters.",
        example = "Developer")),
    responses((status = OK, description = "The behaviors, by number.", body = BehaviorCollection)),
    security(("oauth2" = [])),
)]
pub async fn list_behaviors(State(state): State<AppState>, call: Call) -> Result<Response> {
    let user_type = call.query.text("userType")?;
    let behaviors = state.catalogue.behaviors.all().iter().map(Behavior::from);
    let behaviors = behaviors.filter(|it| user_type.is_none_or(|wanted| it.is_for(wanted.trim())));
    call.found(&BehaviorCollection::from(behaviors.collect::<Vec<_>>()))
}

/// Get a behavior
///
/// What it is called, and what comes with it.
#[utoipa::path(
    get, path = "/behaviors/{behaviorId}", tag = TAG, operation_id = "get_behavior",
    params(("behaviorId" = i32, Path, minimum = 1, description = "Number of the behavior.", example = 101)),
    responses((status = OK, description = "The behavior.", body = Behavior)),
    security(("oauth2" = [])),
)]
pub async fn get_behavior(State(state): State<AppState>, call: Call) -> Result<Response> {
    let id = call.target.int("behaviorId")?;
    let behavior = state.catalogue.behaviors.find(id);
    let behavior = behavior.ok_or_else(|| refusal::not_found("behavior", "BehaviorId", id))?;
    call.found(&Behavior::from(behavior))
}

/// List categories of behaviors
///
/// The groups in which behaviors are shown.
#[utoipa::path(
    get, path = "/behaviors/categories", tag = TAG, operation_id = "list_behavior_categories",
    responses((status = OK, description = "The categories, by number.", body = BehaviorCategoryCollection)),
    security(("oauth2" = [])),
)]
pub async fn list_categories(State(state): State<AppState>, call: Call) -> Result<Response> {
    let categories = state.catalogue.behaviors.categories().iter().map(BehaviorCategory::from);
    call.found(&BehaviorCategoryCollection::from(categories.collect::<Vec<_>>()))
}

/// Get a category of behaviors
///
/// One of the groups in which behaviors are shown.
#[utoipa::path(
    get, path = "/behaviors/categories/{categoryId}", tag = TAG, operation_id = "get_behavior_category",
    params(("categoryId" = i32, Path, minimum = 1, description = "Number of the category.", example = 5)),
    responses((status = OK, description = "The category.", body = BehaviorCategory)),
    security(("oauth2" = [])),
)]
pub async fn get_category(State(state): State<AppState>, call: Call) -> Result<Response> {
    let id = call.target.int("categoryId")?;
    let category = state.catalogue.behaviors.category(id);
    let category = category.ok_or_else(|| refusal::not_found("category", "CategoryId", id))?;
    call.found(&BehaviorCategory::from(category))
}

/// List events
///
/// Everything that an application can be told of: what the events of a subscription are chosen from.
#[utoipa::path(
    get, path = "/events", tag = TAG, operation_id = "list_events",
    responses((status = OK, description = "The events, by number.", body = EventTypeCollection)),
    security(("oauth2" = [])),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn list_events(State(state): State<AppState>, call: Call) -> Result<Response> {
    let events = state.catalogue.events.all().iter().map(EventType::from);
    call.found(&EventTypeCollection::from(events.collect::<Vec<_>>()))
}

/// List capability types
///
/// Everything that an application can do in place of the platform, with the calls that it then answers:
/// what the capability types of a package are chosen from.
#[utoipa::path(
    get, path = "/capabilitytypes", tag = TAG, operation_id = "list_capability_types",
    responses((status = OK, description = "The capability types, by number.", body = CapabilityTypeCollection)),
    security(("oauth2" = [])),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn list_capability_types(State(state): State<AppState>, call: Call) -> Result<Response> {
    let types = state.catalogue.capability_types.all().iter().map(CapabilityType::from);
    call.found(&CapabilityTypeCollection::from(types.collect::<Vec<_>>()))
}
