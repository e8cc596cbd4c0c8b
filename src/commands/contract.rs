//! What has changed in the documents since they were released, told in `openapi/CHANGELOG.md`.
//!
//! The released documents lie compressed under `openapi/released`: a clone without history has them too.
use std::io::{Read, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use flate2::Compression;
use semver::Version;
use serde_json::{Value, json};

use super::report::{Failure, Report};
use crate::api::changes::{self, Change};
use crate::api::{self, document, soundness};

const CHANGELOG: &str = "CHANGELOG.md";
const UNRELEASED: &str = "## Unreleased\n";

/// A document as it was released and as it is.
struct Contract {
    name: &'static str,
    old: Value,
    new: Value,
}

impl Contract {
    fn read(folder: &Path, name: &'static str, new: Value) -> Result<Self, Failure> {
        let path = folder.join("released").join(format!("{name}.gz"));
        let told = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
        let packed = std::fs::read(&path).map_err(|error| told(&error))?;
        let mut text = String::new();
        let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
        reader.read_to_string(&mut text).map_err(|error| told(&error))?;
        let old = serde_json::from_str(&text).map_err(|error| told(&error))?;
        soundness::check(&new).map_err(|error| format!("openapi/{name}: {error}"))?;
        Ok(Self { name, old, new })
    }

    fn versions(&self) -> Result<[Version; 2], Failure> {
        let version = |document: &Value| {
            Version::parse(document["info"]["version"].as_str().unwrap_or_default())
        };
        Ok([version(&self.old)?, version(&self.new)?])
    }

    /// What the changelog says of it; nothing when there is nothing to say.
    fn section(&self, changes: &[Change]) -> Result<String, Failure> {
        let [old, new] = self.versions()?;
        if changes.is_empty() && old == new {
            return Ok(String::new());
        }
        let title = self.new["info"]["title"].as_str().unwrap_or_default();
        let mut text = match old == new {
            true => format!("\n### {title}\n\n"),
            false => format!("\n### {title} {new} (was {old})\n\n"),
        };
        let (breaking, others): (Vec<_>, Vec<_>) = changes.iter().partition(|it| it.breaks);
        for change in breaking.into_iter().chain(others) {
            let mark = if change.breaks { "**Breaking:** " } else { "" };
            text.push_str(&format!("- {mark}`{}`: {}\n", change.place, change.what));
        }
        Ok(text)
    }

    /// What breaks although the major version is the released one.
    fn refused<'a>(&self, changes: &'a [Change]) -> Result<Vec<&'a Change>, Failure> {
        let [old, new] = self.versions()?;
        let is_allowed = new.major > old.major;
        Ok(changes.iter().filter(|change| change.breaks && !is_allowed).collect())
    }
}

/// Both documents, with what has changed.
fn contracts(folder: &Path) -> Result<Vec<(Contract, Vec<Change>)>, Failure> {
    let (offerings, packages) = (api::offerings(), api::packages());
    [("app-offerings.json", offerings), ("app-packages.json", packages)]
        .into_iter()
        .map(|(name, new)| {
            let contract = Contract::read(folder, name, new)?;
            let changes = changes::between(&contract.old, &contract.new);
            Ok((contract, changes))
        })
        .collect()
}

/// `openapi/CHANGELOG.md` as it should be.
///
/// # Errors
/// When there is no changelog to write into or nothing to compare with, and every change that breaks although the
/// major version of its document has not risen.
pub(super) fn changelog(folder: &Path) -> Result<(&'static str, String), Failure> {
    let contracts = contracts(folder)?;
    let mut refused = Vec::new();
    let mut section = String::new();
    for (contract, changes) in &contracts {
        let name = contract.name;
        let broken = contract.refused(changes)?;
        refused.extend(broken.iter().map(|it| format!("openapi/{name}{}: {}", it.place, it.what)));
        section.push_str(&contract.section(changes)?);
    }
    if !refused.is_empty() {
        return Err(format!(
            "{}\nThis breaks those who use the released documents: raise the major version of the document, \
             or leave it as it was.",
            refused.join("\n")
        )
        .into());
    }
    if section.is_empty() {
        section.push_str("\nNothing.\n");
    }
    let text = std::fs::read_to_string(folder.join(CHANGELOG))?;
    Ok((CHANGELOG, with_section(&text, &section)?))
}

/// The changelog with another text below its heading for what is not released.
fn with_section(text: &str, section: &str) -> Result<String, Failure> {
    let (before, after) = text
        .split_once(UNRELEASED)
        .ok_or_else(|| format!("openapi/{CHANGELOG} has no line {:?}", UNRELEASED.trim()))?;
    let rest = after.find("\n## ").map_or("", |place| &after[place..]);
    Ok(format!("{before}{UNRELEASED}{section}{rest}"))
}

/// Tells what has changed since the release, and whether it breaks; writes nothing.
pub(super) fn tell(folder: &Path) -> Result<Report, Failure> {
    let mut lines = Vec::new();
    let mut told = Vec::new();
    for (contract, changes) in contracts(folder)? {
        let name = contract.name;
        for Change { place, what, breaks } in changes {
            let mark = if breaks { "breaking " } else { "" };
            lines.push(format!("{mark}{name}{place}: {what}"));
            told.push(json!({"document": name, "place": place, "what": what, "breaks": breaks}));
        }
    }
    let text = if lines.is_empty() { "Nothing has changed.".to_owned() } else { lines.join("\n") };
    Ok(Report::new(text, json!({"changes": told})))
}

/// Makes the documents of today the released ones, and their changes a section of the changelog.
pub(super) fn release(folder: &Path, now: i64) -> Result<Report, Failure> {
    let (_, text) = changelog(folder)?;
    let mut names = Vec::new();
    let contracts = contracts(folder)?;
    let mut is_new = false;
    for (contract, changes) in &contracts {
        let [old, new] = contract.versions()?;
        let is_same = changes.is_empty() && new == old;
        if !is_same && new <= old {
            let name = contract.name;
            return Err(format!(
                "openapi/{name} is not what was released as {old}: raise its version, `VERSION` in \
                 src/api/document"
            )
            .into());
        }
        is_new |= !is_same;
    }
    if !is_new {
        return Err("nothing has changed since the documents were released".into());
    }
    for (contract, _) in &contracts {
        let path = folder.join("released").join(format!("{}.gz", contract.name));
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(document::to_text(&contract.new).as_bytes())?;
        std::fs::write(path, packer.finish()?)?;
        let title = contract.new["info"]["title"].as_str().unwrap_or_default();
        let [_, version] = contract.versions()?;
        names.push(format!("{title} {version}"));
    }
    let names = names.join(", ");
    let date = DateTime::<Utc>::from_timestamp_millis(now).unwrap_or_default().format("%Y-%m-%d");
    let heading = format!("{UNRELEASED}\nNothing.\n\n## {date}: {names}\n");
    std::fs::write(folder.join(CHANGELOG), text.replacen(UNRELEASED, &heading, 1))?;
    Ok(Report::new(format!("Released {names}."), json!({"released": names})))
}
