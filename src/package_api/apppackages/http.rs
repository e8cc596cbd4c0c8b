//! Routes of packages.
use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::dto::{AppDevPackage, PackageRequest, Shown};
use super::{clone, create, delete, project, read, update};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Command, PackageWrite, Write};
use crate::package_api::model::known::Known;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "apppackages";

/// Create a new core package
///
/// Makes a version of an application with its release package. The key says which: the version it names
/// must not exist. A new application starts empty; a new version of a known one continues the highest
/// version below it (or else the highest) with a copy of its release package: behaviors, subscriptions,
/// capability types, attributes and files. Status, secret and installs are not copied. A new application has the
/// name that it has in the key, and is a theme when `parentThemeAppKey` names one, or else an application.
#[utoipa::path(
    post, path = "/create", tag = TAG, operation_id = "create_app_package",
    request_body(content = PackageRequest, description = "Key of the new version, and its parent theme.", example = json!({
        "appKey": "acme01.loyalty.1.1.0.Release", "parentThemeAppKey": null
    })),
    responses(
        (status = OK, description = "The new release package, with its children.", body = AppDevPackage),
        (status = CONFLICT, description = "The version exists (`ITEM_ALREADY_EXISTS`); the parent theme is not a published theme, or the application is no theme (`VALIDATION_CONFLICT`); or a request with this `Idempotency-Key` is still running."),
    ),
    security(("oauth2" = ["developer:Create"])),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    create::create(&state, write).await
}

/// Get a package
///
/// A package of the caller's developer account. With `skipDevAccountCheck` also a published theme of any
/// account, and a package with an active install in a tenant of the caller's account; both without the
/// secret, and of the installs with those in the caller's tenants. An application may always read the package that it has logged in with.
#[utoipa::path(
    get, path = "/{applicationKey}", tag = TAG, operation_id = "get_package",
    params(
        ("applicationKey" = String, Path, min_length = 1, max_length = 200,
         description = "Key of the package: namespace, application, version and package; without the last, the release package.",
         example = "acme01.loyalty.1.0.0.Release"),
        Shown,
    ),
    responses((status = OK, description = "The package.", body = AppDevPackage)),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn get(
    State(state): State<AppState>,
    Extension(known): Extension<Known>,
    call: Call,
) -> Result<Response> {
    let key = call.target.key()?;
    call.caller.require(call.caller.is_own_key(&key))?;
    let children = call.query.flag("includeChildren")?.unwrap_or_default();
    let skip = call.query.flag("skipDevAccountCheck")?.unwrap_or_default();
    let source = state.store.committed();
    let now = state.clock.now_millis();
    let (row, sight) = known.seen(source, &key, &call.caller, skip, now).await?;
    call.found(&read::package(source, &state, &row, sight, children).await?)
}

/// Create a package
///
/// Makes a package as the body describes it, with its children: the release package of a new version, of a
/// known application or a new one, or another package of a known version that is not locked. The key is
/// `appKey`, or is made of `namespace`, `appId`, the three parts of the version and `packageName`, which is
/// `Release` when it is left out. A new application needs `applicationName`; its type is
/// `applicationTypeId`, 1 when it is left out. This is the way to make a theme without parent. What all
/// packages of a version share is taken from the body only when the version is new.
#[utoipa::path(
    post, path = "/project", tag = TAG, operation_id = "create_package",
    params(("projectId" = Option<i32>, Query, minimum = 0, maximum = 2147483647,
        description = "Kept with the package; it has no effect.", example = 17)),
    request_body(content = AppDevPackage, description = "The new package. Members that only the server sets are ignored.", example = json!({
        "appKey": "acme01.loyalty.1.1.0.AnnsWork", "packageDescription": "Points for returns",
        "applicationBehaviors": [{"behaviorId": 102}]
    })),
    responses(
        (status = OK, description = "The new package, with its children.", body = AppDevPackage),
        (status = NOT_FOUND, description = "There is no such parent theme."),
        (status = CONFLICT, description = "The package exists (`ITEM_ALREADY_EXISTS`); its version is locked; a version does not exist and the package is not its release; the status is another one than 0 or 1; a `themeEngineVersion` of no theme; the parent theme is not a published theme; a behavior, capability type or contract is unknown (all `VALIDATION_CONFLICT`); or a request with this `Idempotency-Key` is still running."),
        (status = PAYLOAD_TOO_LARGE, description = "The body is larger than 16 MiB."),
    ),
    security(("oauth2" = ["developer:Create"])),
)]
pub async fn create_project(
    State(state): State<AppState>,
    PackageWrite(write): PackageWrite,
) -> Result<Response> {
    project::create(&state, write).await
}

/// Update a package
///
/// Changes what the body has; what it leaves out stays. Null removes `applicationDescription`,
/// `packageDescription`, `appConfigUrl` and `themeEngineVersion`, and leaves everything else as it is. A list of
/// children replaces the children that are there: those with a number are changed, those without are
/// made, all others are removed. Name, description, status and parent theme are shared by all packages of
/// the version. In a version whose status locks it, nothing but the status can be changed. A body that
/// changes nothing leaves the dates as they are.
#[utoipa::path(
    put, path = "/{applicationKey}", tag = TAG, operation_id = "update_package",
    params(("applicationKey" = String, Path, min_length = 1, max_length = 200,
        description = "Key of the package: namespace, application, version and package; without the last, the release package.",
        example = "acme01.loyalty.1.0.0.Release")),
    request_body(content = AppDevPackage, description = "What is to be changed. Members that only the server sets are ignored.", example = json!({
        "applicationName": "Loyalty", "packageDescription": "Points for returns",
        "applicationBehaviors": [{"behaviorId": 102}, {"behaviorId": 122}]
    })),
    responses(
        (status = OK, description = "The package, with its children.", body = AppDevPackage),
        (status = CONFLICT, description = "The version is locked; the status cannot follow the present one; the body is of another package: its id, a part of its key or its key; a child, a behavior, a capability type or a contract is unknown; a `themeEngineVersion` of no theme; the parent theme is not a published theme; or a range without a parent, or that does not hold its version."),
        (status = PAYLOAD_TOO_LARGE, description = "The body is larger than 16 MiB."),
    ),
    security(("oauth2" = ["developer:Update"])),
)]
pub async fn update(
    State(state): State<AppState>,
    PackageWrite(write): PackageWrite,
) -> Result<Response> {
    update::update(&state, write).await
}

/// Delete a package
///
/// Deletes a package with its files and subscriptions, and the tickets it was given. Its key is never used
/// again. Release packages, packages of a locked version and packages that are installed in a tenant
/// cannot be deleted.
#[utoipa::path(
    delete, path = "/{applicationKey}", tag = TAG, operation_id = "delete_package",
    params(("applicationKey" = String, Path, min_length = 1, max_length = 200,
        description = "Key of the package: namespace, application, version and package.",
        example = "acme01.loyalty.1.0.0.AnnsWork")),
    responses(
        (status = OK, description = "The package is deleted."),
        (status = CONFLICT, description = "It is a release package, its version is locked, or it is installed in a tenant."),
    ),
    security(("oauth2" = ["developer:Delete"])),
)]
pub async fn delete(State(state): State<AppState>, Command(write): Command) -> Result<Response> {
    delete::delete(&state, write).await
}

/// Clone a package
///
/// Copies the configuration and the files of a package into a new package of the same version, which gets
/// the name of the path. Installs are not copied. A body is ignored. Names stay taken when their package
/// is deleted, and a locked version takes no further packages.
#[utoipa::path(
    post, path = "/{applicationKey}/clone/{packageName}", tag = TAG, operation_id = "clone_package",
    params(
        ("applicationKey" = String, Path, min_length = 1, max_length = 200,
         description = "Key of the package to copy: namespace, application, version and package; without the last, the release package.",
         example = "acme01.loyalty.1.0.0.Release"),
        ("packageName" = String, Path, min_length = 1, max_length = 50, pattern = "^[A-Za-z0-9_-]+$",
         description = "Name of the new package.", example = "AnnsWork"),
    ),
    responses(
        (status = OK, description = "The new package, with its children.", body = AppDevPackage),
        (status = CONFLICT, description = "The name is or was taken (`ITEM_ALREADY_EXISTS`), the version is locked (`VALIDATION_CONFLICT`), or a request with this `Idempotency-Key` is still running."),
    ),
    security(("oauth2" = ["developer:Create"])),
)]
pub async fn clone_package(
    State(state): State<AppState>,
    Command(write): Command,
) -> Result<Response> {
    clone::clone(&state, write).await
}
