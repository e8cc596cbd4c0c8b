//! Lists of applications, versions and packages (contract 3.8).
use axum::extract::State;
use axum::response::Response;

use super::members;
use super::summary::{
    self, ApplicationSummary, ApplicationSummaryCollection, Named, PackageCollection,
    PackageListing,
};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::Call;
use crate::package_api::convention::key::{ApplicationName, LONGEST, is_name};
use crate::package_api::convention::list::{
    List, ListParams, PAGE, PAGE_OF_PACKAGES, PageSize, PageSizeOfPackages,
};
use crate::package_api::convention::member::described;
use crate::package_api::convention::refusal;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "apppackages";

/// Get application summary parents
///
/// A page of the account's applications: one row for each, which shows its highest version. They are
/// sorted by name unless `sortBy` says otherwise.
#[utoipa::path(
    get, path = "/collection", tag = TAG, operation_id = "list_applications",
    params(ListParams, PageSize),
    responses((status = OK, description = "A page of applications.", body = ApplicationSummaryCollection)),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-members" = json!(described(members::SUMMARY)))),
)]
pub async fn list_applications(State(state): State<AppState>, call: Call) -> Result<Response> {
    let list = List::parse(&call.query, PAGE, members::SUMMARY)?;
    let account = &call.caller.principal.account;
    let source = state.store.committed();
    call.found(&summary::applications(source, account, list).await?)
}

/// Get application summary children
///
/// All versions of the account's applications of a name, highest first; none when there is no such
/// application.
#[utoipa::path(
    get, path = "/apps/{appId}", tag = TAG, operation_id = "list_application_versions",
    params(("appId" = String, Path, min_length = 1, max_length = 101, example = "loyalty",
            description = "Name of the application, or with its namespace in front, `acme01.loyalty`.")),
    responses((status = OK, description = "The versions.", body = Vec<ApplicationSummary>)),
    security(("oauth2" = ["developer:Read"])),
)]
pub async fn list_application_versions(
    State(state): State<AppState>,
    call: Call,
) -> Result<Response> {
    let named = named(&call.target.text("appId"))?;
    let account = &call.caller.principal.account;
    let source = state.store.committed();
    call.found(&summary::versions(source, account, &named).await?)
}

/// Reads which applications are meant.
fn named(text: &str) -> Result<Named> {
    let text = text.trim();
    match text.contains('.') {
        true if text.len() <= 2 * LONGEST + 1 => {
            ApplicationName::parse(text, "appId").map(Named::Application)
        }
        _ if is_name(text) => Ok(Named::App(text.to_owned())),
        _ => Err(refusal::missing(
            "appId",
            "must be an application's name of 1 to 50 letters, digits, _ and -, or one with its \
             namespace in front, as in acme01.loyalty.",
        )),
    }
}

/// Get packages
///
/// A page of the packages of a version: the release package first, then the others by name, unless
/// `sortBy` says otherwise. Their child arrays and the secret are `null`.
#[utoipa::path(
    get, path = "/applications/{applicationKey}/packages", tag = TAG,
    operation_id = "list_packages",
    params(
        ("applicationKey" = String, Path, max_length = 200, example = "acme01.loyalty.1.0.0",
         description = "Key of the version, or of any of its packages."),
        ListParams,
        PageSizeOfPackages,
    ),
    responses(
        (status = OK, description = "A page of packages.", body = PackageCollection),
        (status = NOT_FOUND, description = "There is no such version, or it is another account's."),
    ),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-members" = json!(described(members::PACKAGE)))),
)]
pub async fn list_packages(State(state): State<AppState>, call: Call) -> Result<Response> {
    let key = call.target.key()?;
    let list = List::parse(&call.query, PAGE_OF_PACKAGES, members::PACKAGE)?;
    let source = state.store.committed();
    call.found(&summary::packages_of_version(source, &call.caller, &key, list).await?)
}

/// Get all packages
///
/// A page of the account's packages, of all versions, sorted by their numbers unless `sortBy` says
/// otherwise.
#[utoipa::path(
    get, path = "", tag = TAG, operation_id = "list_all_packages",
    params(ListParams, PageSize),
    responses((status = OK, description = "A page of packages.", body = PackageListing)),
    security(("oauth2" = ["developer:Read"])),
    extensions(("x-members" = json!(described(members::LISTING)))),
)]
pub async fn list_all_packages(State(state): State<AppState>, call: Call) -> Result<Response> {
    let list = List::parse(&call.query, PAGE, members::LISTING)?;
    let account = &call.caller.principal.account;
    let source = state.store.committed();
    call.found(&summary::packages(source, account, list).await?)
}
