//! Bodies that fit into memory, read whole; and those that nobody wants.
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::kernel::error::{Error, Result};

/// Largest JSON body, in bytes. Every text of the largest record at its limit fits several times.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 when it is longer, 400 when the client stopped in the middle of it.
pub async fn read(body: axum::body::Body, limit: usize) -> Result<Bytes> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::PayloadTooLarge(limit)),
        // The client stopped in the middle, or paused for too long.
        Err(_) => Err(Error::BadRequest("The request body ended early".to_owned())),
    }
}

/// Most bytes of an unwanted body that are waited for.
const UNWANTED: usize = 64 * BODY_LIMIT;

/// Throws a body away as it arrives: a client that is not heard out may lose the answer. One that goes on
/// for too long, or stops in the middle, is left alone.
pub async fn discard(mut body: axum::body::Body) {
    let mut left = UNWANTED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
