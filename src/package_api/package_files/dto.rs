//! The wire of package files (contract 2.7).
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::entity;
use crate::package_api::convention::time::Time;

/// The package that a request is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "documents what `Target::key` reads")]
pub struct PackageKey {
    /// Key of the package; without its last part, of the release package.
    #[param(
        rename = "applicationKey",
        min_length = 1,
        max_length = 200,
        example = "acme01.loyalty.1.0.0.Release"
    )]
    application_key: String,
}

/// A file of a package, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileMetadata {
    /// Id of the file. Opaque; it stays when the file is overwritten or renamed.
    #[schema(nullable, max_length = 20, pattern = "^f[0-9a-f]+$", example = "f1a2")]
    pub id: String,
    /// Media type, by the extension of the name; `application/octet-stream` for an unknown one.
    #[serde(rename = "type")]
    #[schema(max_length = 255, example = "application/json")]
    pub media_type: String,
    /// Path from the package's root.
    #[schema(nullable, min_length = 1, max_length = 1024, example = "assets/functions.json")]
    pub path: String,
    /// MD5 of the bytes.
    #[schema(
        nullable,
        max_length = 32,
        pattern = "^[0-9a-f]{32}$",
        example = "b1946ac92492d2347c6235b4d2611184"
    )]
    pub check_sum: String,
    /// Number of bytes.
    #[schema(minimum = 0, example = 6)]
    pub size_in_bytes: i64,
    /// Who wrote it, and when.
    pub audit_info: FileAuditInfo,
}

/// Who wrote a file, and when. An application is named by its key, a developer as `dev-` with their
/// number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileAuditInfo {
    /// When the file was last written or renamed, by the server's clock.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:20:00.000Z")]
    pub update_date: Time,
    /// When the file was first written.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:18:00.000Z")]
    pub create_date: Time,
    /// Who last wrote or renamed it.
    #[schema(nullable, max_length = 200, example = "dev-7")]
    pub update_by: String,
    /// Who first wrote it.
    #[schema(nullable, max_length = 200, example = "dev-7")]
    pub create_by: String,
}

/// A folder with everything below it. Folders exist through the files in them only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolderMetadata {
    /// Its name; empty at the root.
    #[schema(nullable, max_length = 255, example = "assets")]
    pub name: String,
    /// Its path from the package's root; empty at the root.
    #[schema(nullable, max_length = 1024, example = "assets")]
    pub full_path: String,
    /// Files in it, in the byte order of their names.
    pub files: Vec<FileMetadata>,
    /// Folders in it, in the byte order of their names.
    #[schema(no_recursion)]
    pub sub_folders: Vec<FolderMetadata>,
}

/// The bytes of a file.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary, max_length = 2_147_483_647)]
#[expect(dead_code, reason = "documents what is streamed")]
pub struct FileBytes(Vec<u8>);

/// A file's present path and its new one. Separators may be `/`, `\` or `|`.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `body::Object` reads, whatever the case of the names")]
pub struct RenameInfo {
    /// Path of the file. Needed.
    #[schema(max_length = 3072, example = "assets|src|a.js")]
    old_full_path: Option<String>,
    /// Path that it is to have. Needed.
    #[schema(max_length = 3072, example = "assets|src|b.js")]
    new_full_path: Option<String>,
}

impl From<&entity::Model> for FileMetadata {
    fn from(file: &entity::Model) -> Self {
        Self {
            id: format!("f{:x}", file.id),
            media_type: file.media_type.clone(),
            path: file.path.clone(),
            check_sum: file.check_sum.clone(),
            size_in_bytes: file.size,
            audit_info: FileAuditInfo {
                update_date: Time(file.updated_at),
                create_date: Time(file.created_at),
                update_by: file.updated_by.clone(),
                create_by: file.created_by.clone(),
            },
        }
    }
}
