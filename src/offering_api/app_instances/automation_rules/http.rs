//! Routes of the automation rules of an installed app.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{AutomationRuleItem, AutomationRuleQuery, COLLECTION};
use super::entity::OF_INSTANCE;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::app_instances;
use crate::offering_api::resource;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "app_instances/automation_rules";

/// List the automation rules of an app instance
///
/// The rules that the installed version has brought along into the customer account. The provider sees
/// them as well.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_automation_rules_of_app_instance",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app instance.", example = "1"),
        AutomationRuleQuery,
    ),
    responses((status = OK, description = "One page of automation rules.", body = Vec<AutomationRuleItem>)),
    security(("oauth2" = ["automation-rule:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let record = &app_instances::dto::RECORD;
    let id = resource::record_id(record, &id, &caller)?;
    let scope = Scope { condition: app_instances::entity::ONE, id };
    resource::require(&state, &caller, record, scope).await?;
    let scope = Scope { condition: OF_INSTANCE, id };
    resource::list(&state, &caller, &COLLECTION, None, Some(scope), &uri).await
}
