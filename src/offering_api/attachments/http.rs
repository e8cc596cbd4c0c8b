//! Routes of attachments.
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;

use super::dto::{FileBytes, FileQuery, StorageDescription, UploadForm, UploadedFile, UploadedXml};
use super::upload::Upload;
use super::{download, grant, pictures, upload as receiving};
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::offering_api::access::Caller;
use crate::offering_api::envelope;

/// OpenAPI tag of these operations; always the folder's name.
const TAG: &str = "attachments";

/// Describe an upload
///
/// Where and how to upload a file. Post it to `upload_uri` within an hour as multipart/form-data: the
/// parameters under the name of the `provider`, unchanged, then the part `file`.
#[utoipa::path(
    get, path = "/storage", tag = TAG, operation_id = "get_attachment_storage",
    responses((status = OK, description = "How to upload a file.", body = StorageDescription)),
    security(("oauth2" = ["attachment:Read"])),
)]
pub async fn storage(State(state): State<AppState>, caller: Caller) -> Response {
    envelope::json(&grant::describe(&state, &caller))
}

/// Upload a file
///
/// Takes the parameters of `GET /v1/attachments/storage` and the file, which must be the last part. The
/// signature among them proves the account: no token is needed. A caller with a token may leave all
/// parameters out. The answer has the form of the provider: JSON for `local`, XML for `s3`. The same
/// upload may be repeated.
///
/// The file is forgotten when no record takes its key up within 24 hours.
#[utoipa::path(
    post, path = "", tag = TAG, operation_id = "upload_attachment",
    request_body(
        content = UploadForm, content_type = "multipart/form-data",
        description = "The parameters of the upload, then the file.",
        encoding(("file" = (content_type = "application/octet-stream"))),
    ),
    responses(
        (status = OK, description = "The file is stored; provider `local`.", body = UploadedFile),
        (status = CREATED, description = "The file is stored; provider `s3`.",
         body = UploadedXml, content_type = "application/xml"),
    ),
    security(("oauth2" = ["attachment:Create"]), ()),
)]
pub async fn upload(State(state): State<AppState>, upload: Upload) -> Result<Response> {
    receiving::receive(&state, upload).await
}

/// Download an attached file
///
/// The address stands in the `attachments` of a record, is valid for one to two hours and needs no
/// token. PNG, JPEG, GIF, WebP, PDF and plain text are shown by browsers; everything else is saved.
#[utoipa::path(
    get, path = "/files/{id}", tag = TAG, operation_id = "download_attachment",
    params(
        ("id" = String, Path, description = "Number or nodeID of the attachment.", example = "1"),
        FileQuery,
    ),
    responses((status = OK, description = "The file.", content(
        (FileBytes = "application/octet-stream"),
        (FileBytes = "application/pdf"),
        (FileBytes = "image/gif"),
        (FileBytes = "image/jpeg"),
        (FileBytes = "image/png"),
        (FileBytes = "image/webp"),
        (FileBytes = "text/plain"),
    ))),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn file(
    State(state): State<AppState>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    download::serve(&state, &id, uri.query()).await
}

/// Get a picture
///
/// The address stands in the `picture_uri` of a record, never changes and needs no token.
#[utoipa::path(
    get, path = "/pictures/{name}", tag = TAG, operation_id = "get_picture",
    params(("name" = String, Path, description = "Name of the picture.", min_length = 68,
            max_length = 69, pattern = "^[0-9a-f]{64}\\.(png|jpg|gif|webp)$",
            example = "3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e3f9a1c0e.png")),
    responses((status = OK, description = "The picture.", content(
        (FileBytes = "image/gif"),
        (FileBytes = "image/jpeg"),
        (FileBytes = "image/png"),
        (FileBytes = "image/webp"),
    ))),
    extensions(("x-appmarket-extension" = json!(true))),
)]
pub async fn picture(State(state): State<AppState>, Path(name): Path<String>) -> Result<Response> {
    pictures::serve(&state, &name).await
}
