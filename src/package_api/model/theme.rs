//! Ranges of versions of a parent theme.
use super::versions::Number;

/// A published version of a parent theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its version.
    pub number: Number,
    /// Its name.
    pub name: String,
}

impl Candidate {
    /// Reads `[[major, minor, revision, name], …]`, as the look-up of a package gathers them.
    pub fn list(json: &str) -> Vec<Self> {
        let read: Vec<(i64, i64, i64, String)> = serde_json::from_str(json).unwrap_or_default();
        let candidate =
            |(major, minor, revision, name)| Self { number: (major, minor, revision), name };
        read.into_iter().map(candidate).collect()
    }
}

/// A range of versions in the notation of npm (contract 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range(Vec<semver::VersionReq>);

impl Range {
    /// Reads a range; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        semver::VersionReq::parse(text).ok().map(|it| Self(vec![it]))
    }

    /// Whether a version is in the range.
    pub fn holds(&self, (major, minor, revision): Number) -> bool {
        let part = |number: i64| u64::try_from(number).unwrap_or_default();
        let version = semver::Version::new(part(major), part(minor), part(revision));
        self.0.iter().any(|range| range.matches(&version))
    }
}

/// The newest candidate in the range that is above `parent`.
pub fn newest<'a>(
    candidates: &'a [Candidate],
    parent: Number,
    range: &Range,
) -> Option<&'a Candidate> {
    candidates
        .iter()
        .filter(|it| it.number > parent && range.holds(it.number))
        .max_by_key(|it| it.number)
}
