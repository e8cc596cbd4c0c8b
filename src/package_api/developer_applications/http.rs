//! Routes of versions and packages by their names.
use axum::extract::State;
use axum::response::Response;

use super::dto::{ApplicationVersionsCollection, PackageNamesCollection};
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::Call;
use crate::package_api::convention::key::ApplicationName;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "developer_applications";

/// Get app versions
///
/// The versions of an application of the account, highest first. This path is close to that of package
/// names: no application key is `versions`.
#[utoipa::path(
    get, path = "/versions/{nsAndAppId}", tag = TAG, operation_id = "list_app_versions",
    params(("nsAndAppId" = String, Path, max_length = 200, example = "acme01.loyalty",
            description = "Namespace and name of the application; of a longer key these two count.")),
    responses(
        (status = OK, description = "The versions.", body = ApplicationVersionsCollection),
        (status = NOT_FOUND, description = "There is no such application, or it is another account's."),
    ),
    security(("oauth2" = ["developer:Read"])),
)]
pub async fn list_app_versions(State(state): State<AppState>, call: Call) -> Result<Response> {
    let text = call.target.text("nsAndAppId");
    let name = ApplicationName::parse(&text, "nsAndAppId")?;
    call.found(&service::versions(state.store.committed(), &call.caller, &name).await?)
}

/// Get app package names
///
/// The names of the packages of a version of the account: the release package first, then the others by
/// name.
#[utoipa::path(
    get, path = "/{applicationKey}/packagenames", tag = TAG,
    operation_id = "list_app_package_names",
    params(("applicationKey" = String, Path, max_length = 200, example = "acme01.loyalty.1.0.0",
            description = "Key of the version, or of any of its packages: its package does not count.")),
    responses(
        (status = OK, description = "The names.", body = PackageNamesCollection),
        (status = NOT_FOUND, description = "There is no such version, or it is another account's."),
    ),
    security(("oauth2" = ["developer:Read"])),
)]
pub async fn list_app_package_names(State(state): State<AppState>, call: Call) -> Result<Response> {
    let key = call.target.key()?;
    call.found(&service::package_names(state.store.committed(), &call.caller, &key).await?)
}
