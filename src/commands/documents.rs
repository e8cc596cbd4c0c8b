//! `appmarket openapi`: writes what is generated under `openapi/`, or compares it.
use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::contract;
use super::report::{Failure, Report};
use crate::api;
use crate::api::soundness::below;
use crate::kernel::clock::Clock;

/// What is to be done with them.
#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {
    /// Write nothing; fail when a committed file is out of date
    #[arg(long, group = "instead")]
    check: bool,
    /// Write nothing; tell what has changed since the documents were released, and which of it breaks; never fails for it
    #[arg(long, group = "instead")]
    changes: bool,
    /// Make the documents of today the released ones
    #[arg(long, group = "instead")]
    release: bool,
}

/// Writes, checks, or tells of the files in `openapi/` of the current folder.
pub(super) fn run(args: &OpenapiArgs) -> Result<Report, Failure> {
    let folder = Path::new("openapi");
    if !folder.is_dir() {
        return Err("there is no folder openapi/ here; run this in the source tree".into());
    }
    if args.changes {
        return contract::tell(folder);
    }
    if args.release {
        return contract::release(folder, Clock::system().now());
    }
    let mut files = api::generated_files()?;
    files.push(contract::changelog(folder)?);
    let mut stale = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() == Some(content.as_str()) {
            continue;
        }
        if args.check {
            let place = difference(&path, &content).map(|it| format!("#{it}")).unwrap_or_default();
            stale.push(format!("openapi/{name}{place}"));
        } else {
            stale.push(format!("openapi/{name}"));
            std::fs::write(&path, content)?;
        }
    }
    let list = stale.join(", ");
    match (args.check, stale.is_empty()) {
        (_, true) => Ok(Report::new("openapi/ is up to date.", json!({"stale": []}))),
        (true, false) => {
            Err(format!("out of date: {list}; run `appmarket openapi` and commit the result")
                .into())
        }
        (false, false) => Ok(Report::new(format!("Wrote {list}."), json!({"written": stale}))),
    }
}

/// Where a committed JSON file first differs from what it should be, as a JSON pointer.
fn difference(path: &Path, content: &str) -> Option<String> {
    let committed = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    first_difference(&committed, &serde_json::from_str(content).ok()?)
}

fn first_difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.keys().chain(other.keys()).find_map(|name| match (one.get(name), other.get(name)) {
                (Some(one), Some(other)) => Some(below("", name) + &first_difference(one, other)?),
                _ => Some(below("", name)),
            })
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut shared = one.iter().zip(other).enumerate();
            let differ =
                |(index, (one, other))| Some(format!("/{index}{}", first_difference(one, other)?));
            let longer =
                || (one.len() != other.len()).then(|| format!("/{}", one.len().min(other.len())));
            shared.find_map(differ).or_else(longer)
        }
        (one, other) => (one != other).then(String::new),
    }
}
