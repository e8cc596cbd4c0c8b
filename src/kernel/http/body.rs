//! Bodies that fit into memory, read whole.
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
