//! Routes of package files.
use axum::extract::State;
use axum::response::Response;

use super::dto::{FileBytes, FileMetadata, FolderMetadata, PackageKey, RenameInfo};
use super::path::FilePath;
use super::receive::Upload;
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::call::{Call, Command, Write};
use crate::package_api::model::lookup::{self, PackageRow, Which};

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "package_files";

/// What the document says of uploads, of which any content type will do.
pub(super) const ANY_TYPE: &str = "application/octet-stream";

/// Upsert a package file
///
/// Stores the bytes of the body under a path, whatever content type they claim; no body is an empty file.
/// A path that differs from a known one only by case means the known one. An overwritten file keeps its
/// id and its creation. With `lastModifiedTime` a file that was written since is left alone. A file that
/// is not there yet needs the behavior *Developer Asset Create* too.
#[utoipa::path(
    post, path = "/{applicationKey}/files/{*filepath}", tag = TAG, operation_id = "upsert_package_file",
    params(
        PackageKey,
        ("filepath" = String, Path, min_length = 1, max_length = 3072,
         description = "Path from the package's root; its separators are `%2F`, `/` or `|`. Empty and `.` names do not count; `..` is refused. At most 1024 bytes, 255 between two separators.",
         example = "assets|functions.json"),
        ("lastModifiedTime" = Option<String>, Query, max_length = 35,
         description = "When the caller's copy was last changed, as an ISO 8601 date and time. When the stored file is younger, it stays, and the answer is 409. Without it the file is overwritten.",
         example = "2026-03-04T09:20:00.000Z"),
    ),
    request_body(content = FileBytes, content_type = "application/octet-stream",
        description = "The bytes of the file. Any content type will do."),
    responses(
        (status = OK, description = "The stored file.", body = FileMetadata),
        (status = PRECONDITION_FAILED, description = "`If-Match` names another state of the file, or there is none yet."),
        (status = CONFLICT, description = "The version is locked; the stored file is younger than `lastModifiedTime` (then the message begins with `Validation Error: LastModifedTime`); the path, or a part of it, would be both a file and a folder; or the `Idempotency-Key` is in use."),
        (status = PAYLOAD_TOO_LARGE, description = "The file is larger than the operator allows, 64 MiB by default."),
    ),
    security(("oauth2" = ["developer-asset:Update"])),
)]
pub async fn upsert(State(state): State<AppState>, upload: Upload) -> Result<Response> {
    service::upsert(&state, upload).await
}

/// Delete a package file
///
/// Folders cannot be deleted: they go with their last file.
#[utoipa::path(
    delete, path = "/{applicationKey}/files/{*filepath}", tag = TAG, operation_id = "delete_package_file",
    params(
        PackageKey,
        ("filepath" = String, Path, min_length = 1, max_length = 3072,
         description = "Path of the file, in any case of its letters.", example = "assets|functions.json"),
    ),
    responses(
        (status = OK, description = "The file is gone."),
        (status = CONFLICT, description = "The version is locked."),
    ),
    security(("oauth2" = ["developer-asset:Delete"])),
)]
pub async fn delete(State(state): State<AppState>, Command(write): Command) -> Result<Response> {
    service::remove(&state, write).await
}

/// Rename a package file
///
/// Gives a file another path: another name, another folder, or another case of letters. Its id, bytes and
/// creation stay; its type is that of the new name.
#[utoipa::path(
    post, path = "/{applicationKey}/files_rename", tag = TAG, operation_id = "rename_package_file",
    params(PackageKey),
    request_body(content = RenameInfo, description = "The present and the new path.",
        example = json!({"oldFullPath": "assets|src|a.js", "newFullPath": "assets|src|b.js"})),
    responses(
        (status = OK, description = "The file with its new path.", body = FileMetadata),
        (status = PRECONDITION_FAILED, description = "`If-Match` names another state of the file."),
        (status = CONFLICT, description = "The version is locked; there is a file of the new path (`ITEM_ALREADY_EXISTS`, all others `VALIDATION_CONFLICT`); the new path, or a part of it, would be both a file and a folder; or the `Idempotency-Key` is in use."),
    ),
    security(("oauth2" = ["developer-asset:Update"])),
)]
pub async fn rename(State(state): State<AppState>, write: Write) -> Result<Response> {
    service::rename(&state, write).await
}

/// Get the metadata of a package
///
/// All files of the package as a tree of folders, for tools that compare check sums to find out what to
/// upload. A folder is spelt as in the first of its files. An application may always read the package that
/// it has logged in with.
#[utoipa::path(
    get, path = "/{applicationKey}/metadata", tag = TAG, operation_id = "get_package_metadata",
    params(PackageKey),
    responses((status = OK, description = "The root with everything below it.", body = FolderMetadata,
        example = json!({"name": "", "fullPath": "", "files": [], "subFolders": [
            {"name": "assets", "fullPath": "assets", "subFolders": [], "files": [{
                "id": "f1a2", "type": "application/json", "path": "assets/functions.json",
                "checkSum": "b1946ac92492d2347c6235b4d2611184", "sizeInBytes": 6,
                "auditInfo": {"updateDate": "2026-03-04T09:20:00.000Z",
                    "createDate": "2026-03-04T09:18:00.000Z", "updateBy": "dev-7", "createBy": "dev-7"}
            }]}
        ]}))),
    security(("oauth2" = ["developer-asset:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn metadata(State(state): State<AppState>, call: Call) -> Result<Response> {
    let row = readable(&state, &call).await?;
    call.found(&service::tree(state.store.committed(), row.package.id).await?)
}

/// Get the metadata of a package file
///
/// A single file, for tools that ask whether it is there. An application may always read the package that it
/// has logged in with.
#[utoipa::path(
    get, path = "/{applicationKey}/filemetadata/{*filepath}", tag = TAG,
    operation_id = "get_package_file_metadata",
    params(
        PackageKey,
        ("filepath" = String, Path, min_length = 1, max_length = 3072,
         description = "Path of the file, in any case of its letters.", example = "assets|functions.json"),
    ),
    responses((status = OK, description = "The file.", body = FileMetadata)),
    security(("oauth2" = ["developer-asset:Read"])),
    extensions(("x-own-package" = json!(true))),
)]
pub async fn file_metadata(State(state): State<AppState>, call: Call) -> Result<Response> {
    let row = readable(&state, &call).await?;
    let path = FilePath::parse(&call.target.text("filepath"), "filepath")?;
    let found = service::find(state.store.committed(), row.package.id, &path).await?;
    let file = found.ok_or_else(|| service::missing(&path))?;
    call.found(&FileMetadata::from(&file))
}

/// The package of a request, if the caller may read its files.
async fn readable(state: &AppState, call: &Call) -> Result<PackageRow> {
    let key = call.target.key()?;
    call.caller.require(call.caller.is_own_key(&key))?;
    lookup::own(state.store.committed(), Which::Key(&key), &call.caller).await
}
