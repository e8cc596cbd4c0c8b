//! Addresses of logs that need no token: whoever has one has the log, for four hours.
use axum::response::Response;
use http::{HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::sites;
use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::file;
use crate::kernel::secret::Purpose;
use crate::package_api::convention::query::Query;
use crate::package_api::convention::refusal;

/// Where logs are downloaded.
const PATH: &str = "/api/platform/appdev/headless-app/files/";
/// Seconds that an address is valid.
const LIFETIME: i64 = 4 * 60 * 60;
/// What may stand in a path as it is.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of a log; `key` is its key below the folder of all logs.
pub fn address(state: &AppState, key: &str) -> String {
    let expires = state.clock.now_millis().div_euclid(1000) + LIFETIME;
    let signature = state.site.key.sign(Purpose::Storage, &parts(key, &expires.to_string()));
    format!(
        "{}{PATH}{}?expires={expires}&signature={}",
        state.site.public_url,
        utf8_percent_encode(key, PLAIN),
        hex::encode(signature)
    )
}

/// What a signature covers.
fn parts<'a>(key: &'a str, expires: &'a str) -> [&'a [u8]; 3] {
    [b"log", key.as_bytes(), expires.as_bytes()]
}

/// Answers a log.
///
/// # Errors
/// 404 for whatever is not a valid address that has not expired, and for a log that is gone.
pub async fn serve(state: &AppState, key: &str, query: &Query) -> Result<Response> {
    let not_found = || refusal::not_found("log", "Key", key);
    let expires = query.text("expires")?.unwrap_or_default();
    let signature = query.text("signature")?.and_then(|text| hex::decode(text).ok());
    let signature = signature.filter(|it| it.len() == 32).ok_or_else(not_found)?;
    if !state.site.key.verify(Purpose::Storage, &parts(key, expires), &signature) {
        return Err(not_found());
    }
    let left = expires.parse::<i64>().unwrap_or_default() - state.clock.now_millis() / 1000;
    if left <= 0 {
        return Err(not_found());
    }
    let found = state.storage.get(&sites::stored(key)).await?;
    let (size, bytes) = found.ok_or_else(not_found)?;
    let name = key.rsplit('/').next().unwrap_or(key);
    let disposition = file::disposition(false, name);
    let kind = HeaderValue::from_static("application/octet-stream");
    let mut response = file::stream(size, bytes, kind);
    let headers = response.headers_mut();
    for (header, text) in [
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, format!("private, max-age={left}")),
    ] {
        headers.insert(header, HeaderValue::from_str(&text).map_err(Error::internal)?);
    }
    Ok(response)
}
