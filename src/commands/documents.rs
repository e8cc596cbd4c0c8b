//! `appmarket openapi`: writes what is generated under `openapi/`, or compares it.
use std::path::Path;

use serde_json::json;

use super::report::{Failure, Report};
use crate::api;

/// Every generated file with its content.
fn files() -> Vec<(&'static str, String)> {
    api::generated_files()
}

/// Writes or checks the files in `openapi/` of the current folder.
pub(super) fn run(check: bool) -> Result<Report, Failure> {
    let folder = Path::new("openapi");
    if !folder.is_dir() {
        return Err("there is no folder openapi/ here; run this in the source tree".into());
    }
    let mut stale = Vec::new();
    for (name, content) in files() {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() == Some(content.as_str()) {
            continue;
        }
        stale.push(format!("openapi/{name}"));
        if !check {
            std::fs::write(&path, content)?;
        }
    }
    let list = stale.join(", ");
    match (check, stale.is_empty()) {
        (_, true) => Ok(Report::new("openapi/ is up to date.", json!({"stale": []}))),
        (true, false) => {
            Err(format!("out of date: {list}; run `appmarket openapi` and commit the result")
                .into())
        }
        (false, false) => Ok(Report::new(format!("Wrote {list}."), json!({"written": stale}))),
    }
}
