//! How a command ends.
use serde_json::Value;

/// What a command says when it is done: text for people, JSON for programs.
pub(super) struct Report {
    pub text: String,
    pub json: Value,
}

impl Report {
    pub(super) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json }
    }
}

/// Why a command failed, in words for people.
pub(super) type Failure = Box<dyn std::error::Error>;
