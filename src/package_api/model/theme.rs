//! Updates of parent themes (contract 2.2, 2.5): which versions a range of npm takes, and which of them is
//! the newest.
use semver::{Comparator, Op, Prerelease, Version, VersionReq};

use super::versions::Number;

/// Versions that a theme accepts of its parent, in npm's notation: `^1.2.3`, `1.x || >=2.1 <3`,
/// `1.2 - 2.3`.
///
/// npm's grammar is read here and compared by the crate, of which carets, tildes and partial versions mean
/// the same. Two things differ from what Cargo reads: a bare `1.2.3` is that version alone, and blanks mean
/// "and". Versions here have no pre-release tags, so a range with one is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range(Vec<VersionReq>);

/// A published version of a theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its version.
    pub number: Number,
    /// `applicationName`.
    pub name: String,
}

impl Range {
    /// Reads a range; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        text.split("||").map(alternative).collect::<Option<_>>().map(Self)
    }

    /// Whether a version is in the range.
    pub fn holds(&self, (major, minor, revision): Number) -> bool {
        let part = |number| u64::try_from(number).ok();
        let (Some(major), Some(minor), Some(patch)) = (part(major), part(minor), part(revision))
        else {
            return false;
        };
        let version = Version::new(major, minor, patch);
        self.0.iter().any(|alternative| alternative.matches(&version))
    }
}

impl Candidate {
    /// Reads a JSON array of `[major, minor, revision, name]`, as the database gathers it.
    pub fn list(json: &str) -> Vec<Self> {
        // What cannot be read is the empty text: a theme without parent has no list.
        let rows: Vec<(i64, i64, i64, String)> = serde_json::from_str(json).unwrap_or_default();
        let candidate =
            |(major, minor, revision, name)| Self { number: (major, minor, revision), name };
        rows.into_iter().map(candidate).collect()
    }
}

/// The newest version that is above `parent` and in the range.
pub fn newest<'a>(
    published: &'a [Candidate],
    parent: Number,
    range: &Range,
) -> Option<&'a Candidate> {
    published
        .iter()
        .filter(|candidate| candidate.number > parent && range.holds(candidate.number))
        .max_by_key(|candidate| candidate.number)
}

/// What stands between two `||`.
fn alternative(text: &str) -> Option<VersionReq> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let comparators = match words.as_slice() {
        [from, "-", to] => {
            [comparator(Op::GreaterEq, from)?, comparator(Op::LessEq, to)?].into_iter().collect()
        }
        words => simple(words)?,
    };
    Some(VersionReq { comparators: comparators.into_iter().flatten().collect() })
}

/// Comparisons that must all hold. An operator may stand apart from its version.
fn simple(words: &[&str]) -> Option<Vec<Option<Comparator>>> {
    let mut comparators = Vec::with_capacity(words.len());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (op, rest) = operator(word);
        let version = if rest.is_empty() && op.is_some() { words.next()? } else { rest };
        let op = op.unwrap_or(Op::Exact);
        // npm reads a number behind a wildcard in some places, and in others it does not.
        if !matches!(op, Op::Caret | Op::Tilde) && has_part_behind_wildcard(version) {
            return None;
        }
        comparators.push(comparator(op, version)?);
    }
    Some(comparators)
}

/// Cuts the operator off.
fn operator(word: &str) -> (Option<Op>, &str) {
    let operators = [
        (">=", Op::GreaterEq),
        ("<=", Op::LessEq),
        ("~>", Op::Tilde),
        (">", Op::Greater),
        ("<", Op::Less),
        ("=", Op::Exact),
        ("~", Op::Tilde),
        ("^", Op::Caret),
    ];
    let cut = |(sign, op): (&str, Op)| word.strip_prefix(sign).map(|rest| (Some(op), rest));
    operators.into_iter().find_map(cut).unwrap_or((None, word))
}

/// Whether a wildcard has a number behind it, as in `1.x.3`.
fn has_part_behind_wildcard(version: &str) -> bool {
    let (numbers, _) = version.split_once('+').unwrap_or((version, ""));
    let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
    let mut parts = numbers.split('.').skip_while(|part| !is_wildcard(part));
    parts.any(|part| !is_wildcard(part))
}

/// One comparison; `Some(None)` when every version passes it.
#[expect(clippy::option_option, reason = "no comparison, and a comparison that all pass")]
fn comparator(op: Op, version: &str) -> Option<Option<Comparator>> {
    let version = version.strip_prefix('v').unwrap_or(version);
    // Which build it is plays no part in the order of versions.
    let numbers = match version.split_once('+') {
        Some((numbers, build)) => is_build(build).then_some(numbers)?,
        None => version,
    };
    let mut parts = numbers.split('.');
    let (major, minor, patch) = (part(parts.next()?)?, next(&mut parts)?, next(&mut parts)?);
    if parts.next().is_some() {
        return None;
    }
    let Some(major) = major else {
        // Nothing is above or below every version.
        let none =
            Comparator { op: Op::Less, major: 0, minor: None, patch: None, pre: Prerelease::EMPTY };
        return Some(matches!(op, Op::Greater | Op::Less).then_some(none));
    };
    // What follows a wildcard does not count.
    let patch = minor.and(patch);
    Some(Some(Comparator { op, major, minor, patch, pre: Prerelease::EMPTY }))
}

/// The next part of a version, if it has one.
#[expect(clippy::option_option, reason = "no number, and a wildcard")]
fn next<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<Option<u64>> {
    parts.next().map_or(Some(None), part)
}

/// A part of a version: a number without leading zeros, or a wildcard.
#[expect(clippy::option_option, reason = "no part of a version, and a wildcard")]
fn part(text: &str) -> Option<Option<u64>> {
    if is_wildcard(text) {
        return Some(None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_number && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok().map(Some) } else { None }
}

fn is_wildcard(part: &str) -> bool {
    matches!(part, "x" | "X" | "*")
}

/// Whether this is what may stand behind the `+` of a version: words of ASCII letters, digits and hyphens.
fn is_build(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'-')
    };
    text.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        let mut parts = text.split('.').map(|part| part.parse().unwrap());
        let number = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(parts.next(), None, "{text}");
        number
    }

    /// A range with versions that are in it, and versions that are not.
    type Line = (&'static str, &'static [&'static str], &'static [&'static str]);

    /// The examples of npm's manual of ranges, each with the versions at its edges.
    const DOCUMENTED: [Line; 36] = [
        (">=1.2.7", &["1.2.7", "1.2.8", "2.5.3", "1.3.9"], &["1.2.6", "1.1.0"]),
        (">=1.2.7 <1.3.0", &["1.2.7", "1.2.8", "1.2.99"], &["1.2.6", "1.3.0", "1.1.0"]),
        ("1.2.7 || >=1.2.9 <2.0.0", &["1.2.7", "1.2.9", "1.4.6"], &["1.2.8", "2.0.0"]),
        ("1.2.3 - 2.3.4", &["1.2.3", "2.3.4"], &["1.2.2", "2.3.5"]),
        ("1.2 - 2.3.4", &["1.2.0", "2.3.4"], &["1.1.9", "2.3.5"]),
        ("1.2.3 - 2.3", &["1.2.3", "2.3.9"], &["1.2.2", "2.4.0"]),
        ("1.2.3 - 2", &["1.2.3", "2.9.9"], &["1.2.2", "3.0.0"]),
        ("*", &["0.0.0", "9.9.9"], &[]),
        ("", &["0.0.0", "9.9.9"], &[]),
        ("1.x", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("1.2.x", &["1.2.0", "1.2.9"], &["1.1.9", "1.3.0"]),
        ("1", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("1.x.x", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("1.2", &["1.2.0", "1.2.9"], &["1.1.9", "1.3.0"]),
        ("1.2.*", &["1.2.0", "1.2.9"], &["1.1.9", "1.3.0"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.2.2", "1.3.0"]),
        ("~1.2", &["1.2.0", "1.2.9"], &["1.1.9", "1.3.0"]),
        ("~1", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("~0.2.3", &["0.2.3", "0.2.9"], &["0.2.2", "0.3.0"]),
        ("~0.2", &["0.2.0", "0.2.9"], &["0.1.9", "0.3.0"]),
        ("~0", &["0.0.0", "0.9.9"], &["1.0.0"]),
        ("^1.2.3", &["1.2.3", "1.9.9"], &["1.2.2", "2.0.0"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.2.2", "0.3.0"]),
        ("^0.0.3", &["0.0.3"], &["0.0.2", "0.0.4"]),
        ("^1.2.x", &["1.2.0", "1.9.9"], &["1.1.9", "2.0.0"]),
        ("^0.0.x", &["0.0.0", "0.0.9"], &["0.1.0"]),
        ("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]),
        ("^1.x", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("^0.x", &["0.0.0", "0.9.9"], &["1.0.0"]),
        ("1.2.3", &["1.2.3"], &["1.2.2", "1.2.4"]),
        ("=v1.2.3", &["1.2.3"], &["1.2.2", "1.2.4"]),
        ("> 1.2.3", &["1.2.4"], &["1.2.3"]),
        (">1", &["2.0.0"], &["1.9.9"]),
        (">1.2", &["1.3.0"], &["1.2.9"]),
        ("<=1.2", &["1.2.9"], &["1.3.0"]),
        ("<1.2", &["1.1.9"], &["1.2.0"]),
    ];

    #[test]
    fn ranges_hold_what_npms_manual_says() {
        for (text, within, beyond) in DOCUMENTED {
            let range = Range::parse(text).unwrap_or_else(|| panic!("{text} is a range"));
            for version in within {
                assert!(range.holds(number(version)), "{text} takes {version}");
            }
            for version in beyond {
                assert!(!range.holds(number(version)), "{text} does not take {version}");
            }
        }
    }

    #[test]
    fn unusual_ranges_are_read_as_npm_reads_them() {
        let table: [Line; 18] = [
            ("  ^1.2.3  ", &["1.2.3"], &["2.0.0"]),
            ("~>1.2.3", &["1.2.3"], &["1.3.0"]),
            (">= 1.2.3 < 2", &["1.2.3", "1.9.9"], &["1.2.2", "2.0.0"]),
            ("^1||^3", &["1.0.0", "3.9.9"], &["2.0.0", "4.0.0"]),
            ("^1 || ", &["0.0.1", "7.0.0"], &[]),
            ("~*.1", &["0.0.1", "7.0.0"], &[]),
            ("^1.x.3", &["1.0.0", "1.9.9"], &["2.0.0"]),
            ("1.x.3 - 2", &["1.0.0", "2.9.9"], &["0.9.9", "3.0.0"]),
            ("1.2.3+build", &["1.2.3"], &["1.2.4"]),
            ("^v1.2.3+b.1", &["1.2.3", "1.9.9"], &["1.2.2", "2.0.0"]),
            ("1.2+b-7", &["1.2.0", "1.2.9"], &["1.3.0"]),
            ("*+b", &["0.0.0", "7.0.0"], &[]),
            ("1.2.3+b - 2.3.4+c", &["1.2.3", "2.3.4"], &["1.2.2", "2.3.5"]),
            ("v*", &["0.0.0", "7.0.0"], &[]),
            (">=*", &["0.0.0", "7.0.0"], &[]),
            ("<*", &[], &["0.0.0", "7.0.0"]),
            (">x", &[], &["0.0.0", "7.0.0"]),
            (">2 <1", &[], &["0.0.0", "1.5.0", "3.0.0"]),
        ];
        for (text, within, beyond) in table {
            let range = Range::parse(text).unwrap_or_else(|| panic!("{text} is a range"));
            let holds = |version: &&&str| range.holds(number(version));
            assert_eq!(within.iter().filter(holds).count(), within.len(), "{text}");
            assert_eq!(beyond.iter().filter(holds).count(), 0, "{text}");
        }
        assert!(!Range::parse("*").unwrap().holds((-1, 0, 0)));
    }

    #[test]
    fn what_is_no_range_is_not_read() {
        let wrong = [
            "latest",
            "1.2.3.4",
            "1..2",
            "1.",
            ".1",
            "01.2.3",
            "1.2.3-beta",
            "1.2.3+",
            "1.2.3+a..b",
            "1.2.3+a_b",
            "1.2.3+é",
            "+b",
            "*.1",
            "x.3.1",
            "1.*.3",
            "1.x.3+b",
            ">=*.1",
            "v*.1",
            "^",
            "^ ",
            ">=",
            "1.2.3 -",
            "- 1.2.3",
            "1.2.3 - 2.3.4 - 3",
            "1 - ^2",
            "^^1",
            "=>1",
            "1,2",
            "-1.0.0",
            "1.a.0",
            "99999999999999999999.0.0",
            "1 | 2",
            "é",
            "vv1",
            "^1 || latest",
        ];
        for text in wrong {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_update_is_above_the_parent_and_in_the_range() {
        let list =
            r#"[[1,10,0,"Ten"],[1,9,9,"Nine"],[2,0,0,"Two"],[1,2,3,"Parent"],[1,0,0,"Old"]]"#;
        let published = Candidate::list(list);
        assert_eq!(published.len(), 5);
        let newest = |parent, range| {
            newest(&published, parent, &Range::parse(range).unwrap()).map(|it| it.name.as_str())
        };
        let table = [
            ((1, 2, 3), "^1.2.3", Some("Ten")),
            ((1, 2, 3), "*", Some("Two")),
            ((1, 2, 3), "~1.2.3", None),
            ((1, 10, 0), "^1.2.3", None),
            ((2, 0, 0), "*", None),
            ((1, 2, 3), "<1.10", Some("Nine")),
            ((0, 9, 0), "1.0 - 1.1", Some("Old")),
        ];
        for (parent, range, expected) in table {
            assert_eq!(newest(parent, range), expected, "{parent:?} {range}");
        }
        assert_eq!(Candidate::list(""), []);
        assert_eq!(Candidate::list("[]"), []);
    }
}
