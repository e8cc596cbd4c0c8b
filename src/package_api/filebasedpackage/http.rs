//! The route of packages as files.
use axum::extract::State;
use axum::response::Response;

use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::Call;
use crate::package_api::model::lookup::{self, Which};
use crate::package_api::package_files::dto::{FileBytes, PackageKey};
use crate::package_api::package_files::path::FilePath;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "filebasedpackage";

/// Get a file of a package, or all of it
///
/// With `fileName` the bytes of that file, of the type that its extension stands for. Without it a zip
/// archive for an own source control: `package.definition.json`, which is the package with its children
/// but without secret and installs, and every file below `files/`. The same package makes the same
/// archive. An application may always read the package that it has logged in with.
#[utoipa::path(
    get, path = "/packages/{applicationKey}", tag = TAG, operation_id = "get_package_file",
    params(
        PackageKey,
        ("fileName" = Option<String>, Query, max_length = 3072,
         description = "Path of a file from the package's root, in any case of its letters; its separators are `/`, `\\` or `|`.",
         example = "assets/functions.json"),
        ("responseFields" = Option<String>, Query, max_length = 4096,
         description = "Without effect: the answer is no JSON.", example = ""),
    ),
    responses((status = OK, description = "The bytes of the file, or of the archive.",
        content(
            (FileBytes = "*/*"),
            (FileBytes = "application/zip"),
        ),
        headers(("Content-Disposition" = String,
            description = "`attachment` with the name of the file; that of the archive is the package's key.")))),
    security(("oauth2" = ["developer-asset:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn get(State(state): State<AppState>, call: Call) -> Result<Response> {
    let key = call.target.key()?;
    call.caller.require(call.caller.is_own_key(&key))?;
    let wanted = call.query.text("fileName")?.filter(|name| !name.trim().is_empty());
    let path = wanted.map(|name| FilePath::parse(name, "fileName")).transpose()?;
    let row = lookup::own(state.store.committed(), Which::Key(&key), &call.caller).await?;
    match path {
        Some(path) => service::one(&state, &row, &path).await,
        None => service::archive(&state, &row).await,
    }
}
