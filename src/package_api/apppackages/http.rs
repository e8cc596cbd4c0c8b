//! Routes of packages.
use axum::extract::State;
use axum::response::Response;

use super::dto::{AppDevPackage, PackageRequest};
use super::{create, read};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Write};
use crate::package_api::model::lookup::{self, Which};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "apppackages";

/// Create a new core package
///
/// Makes a version of an application with its release package. The key says which: the version it names
/// must not exist. A new application starts empty; a new version of a known one continues the highest
/// version below it (or else the highest) with a copy of its release package: behaviors, subscriptions,
/// capability types, attributes and files. Status, secret and installs are not copied.
#[utoipa::path(
    post, path = "/create", tag = TAG, operation_id = "create_app_package",
    request_body(content = PackageRequest, description = "Key of the new version, and its parent theme.", example = json!({
        "appKey": "acme01.loyalty.1.1.0.Release", "parentThemeAppKey": null
    })),
    responses((status = OK, description = "The new release package, with its children.", body = AppDevPackage)),
    security(("oauth2" = ["developer:Create"])),
)]
pub async fn create(State(state): State<AppState>, write: Write) -> Result<Response> {
    create::create(&state, write).await
}

/// Get a package
///
/// A package of the caller's developer account. With `skipDevAccountCheck` also a published theme of any
/// account, and a package that is installed in a tenant of the caller's account; both without secret and
/// installs. An application may always read its own packages.
#[utoipa::path(
    get, path = "/{applicationKey}", tag = TAG, operation_id = "get_package",
    params(
        ("applicationKey" = String, Path, min_length = 1, max_length = 200,
         description = "Key of the package: namespace, application, version and package; without the last, the release package.",
         example = "acme01.loyalty.1.0.0.Release"),
        ("includeChildren" = Option<bool>, Query,
         description = "Whether behaviors, subscriptions, capability types, capabilities, attributes and installs are shown; else they are null.",
         example = true),
        ("skipDevAccountCheck" = Option<bool>, Query,
         description = "Whether packages of other accounts may be shown.", example = false),
    ),
    responses((status = OK, description = "The package.", body = AppDevPackage)),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn get(State(state): State<AppState>, call: Call) -> Result<Response> {
    let key = call.target.key()?;
    let children = call.query.flag("includeChildren")?.unwrap_or_default();
    let skip = call.query.flag("skipDevAccountCheck")?.unwrap_or_default();
    let source = state.store.committed();
    let (row, sight) = lookup::seen(source, Which::Key(&key), &call.caller, skip).await?;
    call.caller.require(lookup::is_callers_own(&row, &call.caller))?;
    call.found(&read::package(source, &state, &row, sight, children).await?)
}
