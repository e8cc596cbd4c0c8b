//! Serving attached files by pre-signed addresses: whoever has the address has the file, for an hour
//! or two.
use std::collections::HashMap;

use axum::response::Response;
use http::{HeaderValue, header};

use super::dto;
use super::upload::ANY_TYPE;
use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::file;
use crate::kernel::node_id;
use crate::kernel::record::select::Sql;
use crate::kernel::secret::Purpose;

/// Content types that a browser may show; everything else is saved. None of them can run scripts.
const SHOWN: [&str; 6] =
    ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"];

/// What is known of an attached file.
#[derive(Default)]
struct Attached {
    file_key: String,
    name: String,
    blob: String,
    content_type: String,
}

/// Answers an attached file.
///
/// # Errors
/// 404 for whatever is not a valid address that has not expired.
pub async fn serve(state: &AppState, id: &str, query: Option<&str>) -> Result<Response> {
    let id = id.parse().ok().or_else(|| node_id::decode(&state.site.domain, dto::NODE_TYPE, id));
    let id: i64 = id.ok_or(Error::NotFound)?;
    let query: HashMap<_, _> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect();
    let expires = query.get("expires").ok_or(Error::NotFound)?;
    let signature = query.get("signature").and_then(|text| hex::decode(&**text).ok());
    let signature = signature.filter(|it| it.len() == 32).ok_or(Error::NotFound)?;
    let file = find(state, id).await?.ok_or(Error::NotFound)?;
    let number = id.to_string();
    let parts = [b"file", number.as_bytes(), file.file_key.as_bytes(), expires.as_bytes()];
    if !state.site.key.verify(Purpose::Storage, &parts, &signature) {
        return Err(Error::NotFound);
    }
    let left = expires.parse::<i64>().unwrap_or_default() - state.clock.now_millis() / 1000;
    if left <= 0 {
        return Err(Error::NotFound);
    }
    let Some((size, bytes)) = state.storage.get(&file.blob).await? else {
        tracing::error!(id, blob = file.blob, "an attached file is not in the store");
        return Err(Error::NotFound);
    };
    let shown = SHOWN.into_iter().find(|known| *known == file.content_type);
    let disposition = file::disposition(shown.is_some(), &file.name);
    let content_type = HeaderValue::from_static(shown.unwrap_or(ANY_TYPE));
    let mut response = file::stream(size, bytes, content_type);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).map_err(Error::internal)?,
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_str(&format!("private, max-age={left}")).map_err(Error::internal)?,
    );
    Ok(response)
}

async fn find(state: &AppState, id: i64) -> Result<Option<Attached>> {
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT a.file_key, a.name, u.blob, u.content_type FROM attachments a \
         JOIN uploads u ON u.file_key = a.file_key WHERE a.id = ",
    )
    .bind(id);
    let read = |found: &mut Option<Attached>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        *found = Some(Attached {
            file_key: text(0),
            name: text(1),
            blob: text(2),
            content_type: text(3),
        });
    };
    state.store.committed().fetch(sql.query(false), None, read).await
}
