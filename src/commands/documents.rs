//! `appmarket openapi`: writes what is generated under `openapi/`, or compares it.
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::contract;
use super::report::{Failure, Report};
use crate::api;
use crate::kernel::clock::Clock;

/// What is to be done with them.
#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {
    /// Write nothing; fail when a committed file is out of date
    #[arg(long, group = "instead")]
    check: bool,
    /// Write nothing; tell what has changed since the documents were released
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
        stale.push(format!("openapi/{name}"));
        if !args.check {
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
