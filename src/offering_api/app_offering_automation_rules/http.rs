//! Routes of automation rules.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{
    AppOfferingAutomationRule, AppOfferingAutomationRuleItem, AppOfferingAutomationRuleQuery,
    COLLECTION, CreateAppOfferingAutomationRule, RECORD, UpdateAppOfferingAutomationRule,
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
const TAG: &str = "app_offering_automation_rules";
/// OpenAPI tag of what hangs on an offering, which is where a reader of the document looks.
const OFFERINGS: &str = "app_offerings";

/// List automation rules
///
/// The rules of all drafts and published versions of the caller's account.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_app_offering_automation_rules",
    params(AppOfferingAutomationRuleQuery),
    responses((status = OK, description = "One page of automation rules.", body = Vec<AppOfferingAutomationRuleItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, None, None, &uri).await
}

/// List automation rules for requests
///
/// The rules of the caller's account that are about requests.
#[utoipa::path(
    get, path = "/for_requests", tag = TAG, operation_id = "list_app_offering_automation_rules_for_requests",
    params(AppOfferingAutomationRuleQuery),
    responses((status = OK, description = "One page of automation rules for requests.", body = Vec<AppOfferingAutomationRuleItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn list_for_requests(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("for_requests"), None, &uri).await
}

/// List automation rules for tasks
///
/// The rules of the caller's account that are about tasks.
#[utoipa::path(
    get, path = "/for_tasks", tag = TAG, operation_id = "list_app_offering_automation_rules_for_tasks",
    params(AppOfferingAutomationRuleQuery),
    responses((status = OK, description = "One page of automation rules for tasks.", body = Vec<AppOfferingAutomationRuleItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn list_for_tasks(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("for_tasks"), None, &uri).await
}

/// List automation rules for configuration items
///
/// The rules of the caller's account that are about configuration items.
#[utoipa::path(
    get, path = "/for_cis", tag = TAG, operation_id = "list_app_offering_automation_rules_for_cis",
    params(AppOfferingAutomationRuleQuery),
    responses((status = OK, description = "One page of automation rules for configuration items.", body = Vec<AppOfferingAutomationRuleItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn list_for_cis(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("for_cis"), None, &uri).await
}

/// List automation rules for problems
///
/// The rules of the caller's account that are about problems.
#[utoipa::path(
    get, path = "/for_problems", tag = TAG, operation_id = "list_app_offering_automation_rules_for_problems",
    params(AppOfferingAutomationRuleQuery),
    responses((status = OK, description = "One page of automation rules for problems.", body = Vec<AppOfferingAutomationRuleItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn list_for_problems(
    State(state): State<AppState>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    resource::list(&state, &caller, &COLLECTION, Some("for_problems"), None, &uri).await
}

/// Get an automation rule
///
/// With all its fields.
#[utoipa::path(
    get, path = "/{id}", tag = TAG, operation_id = "get_app_offering_automation_rule",
    params(("id" = String, Path, description = "Number or nodeID of the automation rule.", example = "1")),
    responses((status = OK, description = "The automation rule.", body = AppOfferingAutomationRule)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    resource::get(&state, &caller, &RECORD, OWN_RECORD, &id).await
}

/// Create an automation rule
///
/// Adds a rule to a draft, or to a published version that is not installed; one that is answers 422. Customers get
/// a version's rules when they install it or update to it.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "create_app_offering_automation_rule",
    request_body(
        content = CreateAppOfferingAutomationRule, description = "The new automation rule.",
        example = json!({
            "app_offering_id": 1, "rulable_type": "Req", "name": "Dispatch notes",
            "trigger": "on note added",
            "expressions": "text: note.text\nurl: rule_app_instance.custom_fields.url",
            "condition": "text is not empty",
            "actions": "a1: call webhook '{app_offering_webhook}' with payload 'text url'"
        }),
    ),
    responses((status = CREATED, description = "The new automation rule.", body = AppOfferingAutomationRule)),
    security(("oauth2" = ["app-offering-automation-rule:Create"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::create(&state, write).await
}

/// Update an automation rule
///
/// Fields left out keep their value. Rules of a published version stay as they are while it is installed: 422.
#[utoipa::path(
    method(patch, put), path = "/{id}", tag = TAG, operation_id = "update_app_offering_automation_rule",
    params(("id" = String, Path, description = "Number or nodeID of the automation rule.", example = "1")),
    request_body(
        content = UpdateAppOfferingAutomationRule, description = "The fields to change.",
        example = json!({"description": "Sends each *public* note."}),
    ),
    responses((status = OK, description = "The changed automation rule.", body = AppOfferingAutomationRule)),
    security(("oauth2" = ["app-offering-automation-rule:Update"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn update(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Response> {
    service::update(&state, write, &id).await
}

/// Delete an automation rule
///
/// Rules of a published version stay while it is installed (422): customers get those of another version by
/// updating.
#[utoipa::path(
    delete, path = "/{id}", tag = TAG, operation_id = "delete_app_offering_automation_rule",
    params(("id" = String, Path, description = "Number or nodeID of the automation rule.", example = "1")),
    responses(
        (status = NO_CONTENT, description = "The automation rule is gone."),
        (status = UNPROCESSABLE_ENTITY, description = "The version is installed."),
    ),
    security(("oauth2" = ["app-offering-automation-rule:Delete"])),
    extensions(("x-required-role" = json!("account_administrator"))),
)]
pub async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    BareWrite(write): BareWrite,
) -> Result<Response> {
    service::delete(&state, write, &id).await
}

/// List the audit entries of an automation rule
///
/// What happened to the record, newest first.
#[utoipa::path(
    get, path = "/{id}/audit", tag = TAG, operation_id = "list_app_offering_automation_rule_audit_lines",
    params(
        ("id" = String, Path, description = "Number or nodeID of the automation rule.", example = "1"),
        audit_lines::dto::RecordAuditQuery,
    ),
    responses((status = OK, description = "One page of entries.", body = Vec<audit_lines::dto::RecordAuditLineItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn audit(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = resource::record_id(&RECORD, &id, &caller)?;
    resource::require(&state, &caller, &RECORD, Scope::own(id)).await?;
    let entries = audit_of!("app_offering_automation_rule");
    audit_lines::list_of(&state, &caller, entries, id, &uri).await
}

/// List the automation rules of an app offering
///
/// The rules that this draft or published version of the caller's account brings along.
#[utoipa::path(
    get, path = "", tag = OFFERINGS, operation_id = "list_automation_rules_of_app_offering",
    params(
        ("id" = String, Path, description = "Number or nodeID of the app offering.", example = "1"),
        AppOfferingAutomationRuleQuery,
    ),
    responses((status = OK, description = "One page of automation rules.", body = Vec<AppOfferingAutomationRuleItem>)),
    security(("oauth2" = ["app-offering-automation-rule:Read"])),
)]
pub async fn list_of_offering(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    service::list_of(&state, &caller, &id, &uri).await
}
