//! A package as files (contract 3.5).
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};

use super::zip::{self, Content, Entry};
use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::file::{disposition, stream};
use crate::package_api::apppackages::read;
use crate::package_api::model::lookup::{PackageRow, Sight};
use crate::package_api::package_files::path::FilePath;
use crate::package_api::package_files::{entity, service};

/// Name of the package itself in its archive. Its files are in a folder of their own, so that one of them
/// may be called the same.
const DEFINITION: &str = "package.definition.json";

/// The bytes of one file.
///
/// # Errors
/// 404 when there is none of this path.
pub async fn one(state: &AppState, row: &PackageRow, path: &FilePath) -> Result<Response> {
    let found = service::find(state.store.committed(), row.package.id, path).await?;
    let file = found.ok_or_else(|| service::missing(path))?;
    let Some((size, bytes)) = state.storage.get(&file.blob).await? else {
        return Err(Error::internal(format!("file {} is not in the store", file.id)));
    };
    let kind = HeaderValue::from_str(&file.media_type).map_err(Error::internal)?;
    let name = file.path.rsplit('/').next().unwrap_or_default();
    attached(stream(size, bytes, kind), name)
}

/// The archive of a whole package.
///
/// # Errors
/// The database's. Those of the store break the archive off.
pub async fn archive(state: &AppState, row: &PackageRow) -> Result<Response> {
    let files = service::all(state.store.committed(), row.package.id).await?;
    let mut entries: Vec<Entry> = files.into_iter().map(entry).collect();
    entries.push(definition(state, row).await?);
    let body = Body::from_stream(zip::stream(state.storage.clone(), entries));
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("application/zip");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    attached(response, &format!("{}.zip", row.key()))
}

fn entry(file: entity::Model) -> Entry {
    Entry {
        path: format!("files/{}", file.path),
        changed_at: file.updated_at,
        content: Content::Blob { key: file.blob, size: file.size.unsigned_abs() },
    }
}

/// Members of a package that say nothing of the application: its secret, and where it is installed.
const OF_THIS_SERVICE: [&str; 2] = ["sharedSecret", "applicationEntitlements"];

/// An account that owns nothing.
const NOBODY: &str = "";

/// The package with its children, as it is shown, without what belongs to this service (contract 3.5). In
/// lines, for the comparisons of source control.
async fn definition(state: &AppState, row: &PackageRow) -> Result<Entry> {
    let sight = Sight::Foreign(NOBODY);
    let package = read::package(state.store.committed(), state, row, sight, true).await?;
    let mut package = serde_json::to_value(&package).map_err(Error::internal)?;
    if let Some(members) = package.as_object_mut() {
        members.retain(|name, _| !OF_THIS_SERVICE.contains(&name.as_str()));
    }
    let json = serde_json::to_vec_pretty(&package).map_err(Error::internal)?;
    Ok(Entry {
        path: DEFINITION.to_owned(),
        changed_at: row.package.updated_at.max(row.version.updated_at),
        content: Content::Bytes(Bytes::from(json)),
    })
}

fn attached(mut response: Response, name: &str) -> Result<Response> {
    let value = HeaderValue::from_str(&disposition(false, name)).map_err(Error::internal)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    Ok(response)
}
