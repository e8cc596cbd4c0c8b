//! Routes of installs.
use axum::extract::State;
use axum::response::Response;

use super::context;
use super::dto::ApplicationEntitlement;
use super::install::{self, Kind};
use super::read;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Write};
use crate::package_api::convention::refusal;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "appinstall";

/// Install an application
///
/// In a sandbox tenant of the caller's account, or in one of its sites: any package of the account, or
/// a published one of any account, unless it is retired. The body names the package by `packageId`,
/// `appKey` or both, and the tenant by `tenantId`; the licence may have dates, a type and transactions.
///
/// What the package may do, hear of and offer is taken over as it is now; later changes of the package
/// take effect when it is installed again. Installing the same package again keeps the entitlement while it is
/// active, and of its licence what the body leaves out: dates, type and purchases, to which those of the body are added
/// (an end of null makes it open-ended); one that has ended stays as it is, and one that was to begin later is
/// revoked, beside a new one. Another version or package takes the place of what is installed
/// there, whose entitlement is revoked; `application.upgraded` also goes to the subscriptions of what was
/// replaced, signed with the secret of its version.
#[utoipa::path(
    post, path = "/application/entitlement", tag = TAG, operation_id = "install_application",
    request_body(content = ApplicationEntitlement, description = "What to install where.", example = json!({
        "appKey": "acme01.loyalty.1.1.0.Release", "tenantId": 1, "siteId": null
    })),
    responses(
        (status = OK, description = "The entitlement.", body = ApplicationEntitlement),
        (status = NOT_FOUND, description = "There is no such tenant, site or package, or the package is not for the caller."),
    ),
    security(("oauth2" = ["application:Create"])),
)]
pub async fn install_application(State(state): State<AppState>, write: Write) -> Result<Response> {
    install::install(&state, write, Kind::Sandbox).await
}

/// Install an application to a production tenant
///
/// As installing in a sandbox, but in a production tenant: only release packages whose version is
/// certified or published.
#[utoipa::path(
    post, path = "/toproductiontenant", tag = TAG,
    operation_id = "install_application_to_production",
    request_body(content = ApplicationEntitlement, description = "What to install where.", example = json!({
        "appKey": "acme01.loyalty.1.0.0.Release", "tenantId": 2, "siteId": null
    })),
    responses(
        (status = OK, description = "The entitlement.", body = ApplicationEntitlement),
        (status = NOT_FOUND, description = "There is no such tenant, site or package, or the package is not for the caller."),
    ),
    security(("oauth2" = ["application:Create"])),
)]
pub async fn install_application_to_production(
    State(state): State<AppState>,
    write: Write,
) -> Result<Response> {
    install::install(&state, write, Kind::Production).await
}

/// List entitlements
///
/// All entitlements of the account's applications, and all in its tenants, by their numbers: also those
/// that have expired or were revoked.
#[utoipa::path(
    get, path = "/application/entitlement", tag = TAG, operation_id = "list_entitlements",
    params(("x-vol-tenant" = Option<i32>, Header, minimum = 1, example = 1,
            description = "Number of a tenant: only entitlements in it.")),
    responses((status = OK, description = "The entitlements.", body = Vec<ApplicationEntitlement>)),
    security(("oauth2" = ["application:Read"])),
)]
pub async fn list_entitlements(State(state): State<AppState>, call: Call) -> Result<Response> {
    let tenant = context::tenant(&call.headers)?;
    list(&state, &call, tenant).await
}

/// Get an entitlement
///
/// An entitlement of one of the account's applications, or in one of its tenants.
#[utoipa::path(
    get, path = "/application/entitlement/{applicationEntitlementId}", tag = TAG,
    operation_id = "get_entitlement",
    params(("applicationEntitlementId" = i32, Path, minimum = 1, example = 611,
            description = "Number of the entitlement.")),
    responses((status = OK, description = "The entitlement.", body = ApplicationEntitlement)),
    security(("oauth2" = ["application:Read"])),
)]
pub async fn get_entitlement(State(state): State<AppState>, call: Call) -> Result<Response> {
    let id = call.target.int("applicationEntitlementId")?;
    let (source, now) = (state.store.committed(), state.clock.now_millis());
    let found = read::one(source, &call.caller.principal.account, id, now).await?;
    let missing = || refusal::not_found("entitlement", "ApplicationEntitlementId", id);
    call.found(&found.ok_or_else(missing)?)
}

/// List entitlements of a tenant
///
/// All entitlements in a tenant of the account, or, in a tenant of another account, those of the
/// account's applications; none when there are none.
#[utoipa::path(
    get, path = "/tenant/{tenantId}/entitlements", tag = TAG,
    operation_id = "list_tenant_entitlements",
    params(("tenantId" = i32, Path, minimum = 1, description = "Number of the tenant.", example = 1)),
    responses((status = OK, description = "The entitlements.", body = Vec<ApplicationEntitlement>)),
    security(("oauth2" = ["application:Read"])),
)]
pub async fn list_tenant_entitlements(
    State(state): State<AppState>,
    call: Call,
) -> Result<Response> {
    let tenant = call.target.int("tenantId")?;
    list(&state, &call, Some(tenant)).await
}

/// List entitlements of a version
///
/// All entitlements of a version of one of the account's applications, in tenants of any account.
#[utoipa::path(
    get, path = "/applicationversion/{applicationId}/entitlements", tag = TAG,
    operation_id = "list_version_entitlements",
    params(("applicationId" = i32, Path, minimum = 1, example = 731,
            description = "Number of the version: `applicationId` of its packages.")),
    responses(
        (status = OK, description = "The entitlements.", body = Vec<ApplicationEntitlement>),
        (status = NOT_FOUND, description = "There is no such version, or it is another account's."),
    ),
    security(("oauth2" = ["application:Read"])),
)]
pub async fn list_version_entitlements(
    State(state): State<AppState>,
    call: Call,
) -> Result<Response> {
    let version = call.target.int("applicationId")?;
    let (source, now) = (state.store.committed(), state.clock.now_millis());
    let account = &call.caller.principal.account;
    call.found(&read::of_own_version(source, account, version, now).await?)
}

async fn list(state: &AppState, call: &Call, tenant: Option<i64>) -> Result<Response> {
    let (source, now) = (state.store.committed(), state.clock.now_millis());
    let account = &call.caller.principal.account;
    call.found(&read::of_account(source, account, tenant, now).await?)
}
