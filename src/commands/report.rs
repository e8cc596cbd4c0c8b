//! How a command ends.
use std::io::Write;

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

    /// Says it.
    pub(super) fn print(&self, as_json: bool) {
        let text = if as_json { self.json.to_string() } else { self.text.clone() };
        // Whoever closed the pipe does not want to read it.
        drop(writeln!(std::io::stdout(), "{text}"));
    }
}

/// Why a command failed, in words for people.
pub(super) type Failure = Box<dyn std::error::Error>;
