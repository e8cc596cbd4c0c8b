//! Receiving the bytes of a file. They stream into the store under a key of their own; when they are whole
//! and durable there, a row makes them known. What a crash leaves in between nobody sees, and the sweep
//! removes.
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use md5::{Digest, Md5};

use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::package_api::call::Call;
use crate::package_api::convention::refusal;

/// Folder of the store where files of packages are.
pub const FOLDER: &str = "packages";

/// A request whose body is a file. Nothing is read of it yet.
#[derive(Debug)]
pub struct Upload {
    /// Who asks for what.
    pub call: Call,
    /// The bytes, whatever their type.
    pub body: Body,
}

impl FromRequest<AppState> for Upload {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let call = Call::from_request_parts(&mut parts, state).await?;
        Ok(Self { call, body })
    }
}

/// Bytes that are in the store and that no row names yet.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Their key in the store. Each upload has its own, and nothing is ever written under it again.
    pub key: String,
    /// How many they are.
    pub size: i64,
    /// Their MD5, in hexadecimal digits.
    pub check_sum: String,
}

/// Refuses a body that says of itself that it is too large, before it is read.
///
/// # Errors
/// 413.
pub fn check_length(headers: &HeaderMap, limit: u64) -> Result<()> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > limit => Err(refusal::too_large(limit)),
        _ => Ok(()),
    }
}

/// Streams a body into the store.
///
/// # Errors
/// 413 when it is too large, 400 when the client stopped in the middle of it; nothing is kept then.
pub async fn stream(state: &AppState, mut body: Body) -> Result<Blob> {
    let limit = state.config.package_file_size_limit;
    let key = new_key();
    let mut file = state.storage.begin(&key)?;
    let mut hash = Md5::new();
    let mut size: u64 = 0;
    let read = async {
        while let Some(frame) = body.frame().await {
            // The client hung up, or paused for too long.
            let frame = frame.map_err(|_| refusal::missing("body", "ended early."))?;
            // Trailers are no part of the file.
            let Ok(bytes) = frame.into_data() else { continue };
            size += bytes.len() as u64;
            if size > limit {
                return Err(refusal::too_large(limit));
            }
            hash.update(&bytes);
            file.write(bytes).await?;
        }
        Ok(())
    };
    if let Err(error) = read.await {
        file.abandon().await;
        return Err(error);
    }
    file.finish().await?;
    let size = i64::try_from(size).map_err(Error::internal)?;
    Ok(Blob { key, size, check_sum: hex::encode(hash.finalize()) })
}

/// Puts bytes that are at hand into the store.
///
/// # Errors
/// The store's.
pub async fn put(state: &AppState, bytes: Bytes) -> Result<Blob> {
    let size = i64::try_from(bytes.len()).map_err(Error::internal)?;
    let blob = Blob { key: new_key(), size, check_sum: hex::encode(Md5::digest(&bytes)) };
    state.storage.put(&blob.key, bytes).await?;
    Ok(blob)
}

fn new_key() -> String {
    format!("{FOLDER}/{:032x}", rand::random::<u128>())
}

/// Lets go of bytes that no row names.
pub async fn discard(state: &AppState, blob: &str) {
    if let Err(error) = state.storage.delete(blob).await {
        tracing::warn!(%error, blob, "a superfluous file stays until the next sweep");
    }
}
