//! The fields that come with a file, whatever the shape of the upload.
use std::collections::HashMap;

use chrono::DateTime;

use crate::kernel::error::Error;

/// What a client echoes, by name in lower case.
pub type Fields = HashMap<String, String>;

/// The refusal of an upload that lacks parts.
pub fn lacking(names: &[&str]) -> Error {
    Error::Unprocessable(format!("The upload lacks the parts: {}", names.join(", ")))
}

/// The refusal of a description that was good once.
pub fn expired() -> Error {
    let text = "The upload has expired; ask for a new one at /v1/attachments/storage";
    Error::Unprocessable(text.to_owned())
}

/// A point in time, in seconds since the epoch, as text.
pub fn utc(seconds: i64, format: &str) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format(format).to_string()
}
