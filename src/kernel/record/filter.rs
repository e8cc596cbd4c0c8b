//! The filter grammar of contract 1.12: `?field=<operator><value>`.
//!
//! ```text
//! param = key "=" expr
//! key   = field | field "!" | "ids" | "ids!" | reference "_id" ["!"]
//! expr  = "" | "!" | ["!"] value *("," value)
//!       | ">" ["="] value ["<" ["="] value] | "<" ["="] value [">" ["="] value]
//! ```
use std::collections::HashSet;

use super::field::{Field, Kind, Record};
use super::view::View;
use crate::kernel::db::Param;
use crate::kernel::error::{Error, Result};
use crate::kernel::node_id;
use crate::kernel::time_zone::parse_timestamp;

/// A condition on one field.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The field.
    pub field: &'static Field,
    /// What must hold.
    pub test: Test,
}

/// What a filter demands.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// No value.
    Empty,
    /// Any value.
    Present,
    /// One of these values, or (`not`) none of them.
    Among {
        /// None of them.
        not: bool,
        /// The values.
        values: Vec<Param>,
    },
    /// Within bounds; the flag says whether the bound itself is included.
    Range {
        /// Lower bound.
        low: Option<(Param, bool)>,
        /// Upper bound.
        high: Option<(Param, bool)>,
    },
}

impl Kind {
    /// A filter takes several values, separated by commas.
    pub(super) const fn is_among(self) -> bool {
        matches!(
            self,
            Self::Id
                | Self::Integer { .. }
                | Self::Duration { .. }
                | Self::Choice(_)
                | Self::Reference(_)
                | Self::Derived(_)
        )
    }

    /// A filter takes bounds.
    pub(super) const fn is_within(self) -> bool {
        matches!(self, Self::Id | Self::Integer { .. } | Self::Duration { .. } | Self::Timestamp)
    }
}

/// Most conditions of one list, and most values of one set: far more than a client can mean, far fewer
/// than a database refuses.
const MAX_FILTERS: usize = 100;
const MAX_VALUES: usize = 1_000;

/// Reads the filters among a query's parameters: decoded key, decoded value, and whether the raw
/// value had an unencoded comma.
///
/// # Errors
/// 400 with the messages of the contract.
pub fn parse(
    record: &'static Record,
    parameters: Vec<(String, String, bool)>,
    view: &View,
) -> Result<Vec<Filter>> {
    if parameters.len() > MAX_FILTERS {
        return Err(Error::BadRequest(format!("A list takes at most {MAX_FILTERS} filters")));
    }
    let mut found = Vec::with_capacity(parameters.len());
    let (mut unknown, mut refused): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for (key, value, has_comma) in parameters {
        let (name, negated) = match key.strip_suffix('!') {
            Some(name) => (name, true),
            None => (key.as_str(), false),
        };
        match find(record, name) {
            None => unknown.push(name.to_owned()),
            Some(field) if !field.filterable => refused.push(field.name),
            Some(field) => found.push((field, negated, value, has_comma)),
        }
    }
    if !unknown.is_empty() {
        return Err(Error::BadRequest(format!("Unknown fields: {}", listed(&unknown))));
    }
    if !refused.is_empty() {
        let refused = listed(&refused);
        return Err(Error::BadRequest(format!("Filtering not allowed on fields: {refused}")));
    }
    found
        .into_iter()
        .map(|(field, negated, value, has_comma)| {
            let expression = Expression { field, negated, text: &value, has_comma };
            Ok(Filter { field, test: expression.parse(record, view)? })
        })
        .collect()
}

/// Names for a message: each once, in the order in which they came.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let mut seen = HashSet::new();
    let names = names.iter().map(AsRef::as_ref).filter(|name| seen.insert(*name));
    names.collect::<Vec<_>>().join(", ")
}

/// The field that a filter key names: itself, `ids`, or a reference with `_id`. One whose record is known
/// by a text, as accounts are, is an output of its own with that text's column.
fn find(record: &Record, name: &str) -> Option<&'static Field> {
    if name == "ids" {
        return record.field("id");
    }
    record.field(name).or_else(|| {
        let field = record.field(name.strip_suffix("_id")?)?;
        matches!(field.kind, Kind::Reference(_) | Kind::Derived(_)).then_some(field)
    })
}

/// What the texts of a filter look like, for the document. What a pattern cannot know stays open: a
/// nodeID of another type, a day that no month has.
pub(super) fn pattern(field: &Field) -> String {
    const NUMBER: &str = "-?[0-9]+";
    // Numbers and nodeIDs.
    const ID: &str = "[A-Za-z0-9_-]+";
    const TIMESTAMP: &str = "[0-9TtZz:.+ -]+";
    let equal = |value: &str| format!("!?{value}");
    let among = |value: &str| format!("!?{value}(,{value})*");
    let within = |value: &str| format!("<=?{value}(>=?{value})?|>=?{value}(<=?{value})?");
    let mut forms = match field.kind {
        Kind::Id => vec![among(ID), within(NUMBER)],
        Kind::Integer { .. } | Kind::Duration { .. } => vec![among(NUMBER), within(NUMBER)],
        Kind::Timestamp => vec![equal(TIMESTAMP), within(TIMESTAMP)],
        Kind::Reference(_) => vec![among(ID)],
        Kind::Choice(choices) => vec![among(&format!("({})", choices.words.join("|")))],
        // Whatever is not true is false, but a comparison or a set.
        Kind::Boolean => vec!["![^,]+|[^!<>,][^,]*".to_owned()],
        // Texts. A comma is part of them if it comes encoded, which a pattern does not see, and stands between two
        // where there may be several.
        _ => vec![r"![^\x00]+|[^!<>\x00][^\x00]*".to_owned()],
    };
    if field.nullable {
        forms.insert(0, "!?".to_owned());
    }
    format!("^({})$", forms.join("|"))
}

struct Expression<'a> {
    field: &'static Field,
    /// The key ended with `!`.
    negated: bool,
    text: &'a str,
    has_comma: bool,
}

impl Expression<'_> {
    fn parse(&self, record: &Record, view: &View) -> Result<Test> {
        let Self { field, negated, text, .. } = *self;
        let nullable = field.nullable;
        if text.is_empty() || text == "!" {
            // `name!=!` says "not present".
            let present = negated != (text == "!");
            if !nullable {
                return Err(self.unsupported(if negated {
                    "!="
                } else if present {
                    "=!"
                } else {
                    "="
                }));
            }
            return Ok(if present { Test::Present } else { Test::Empty });
        }
        if text.starts_with(['<', '>']) {
            return self.range(view);
        }
        let (not, list) = match text.strip_prefix('!') {
            Some(list) => (!negated, list),
            None => (negated, text),
        };
        let operator = if negated {
            "!="
        } else if not {
            "=!"
        } else {
            "="
        };
        let values: Vec<&str> = match field.kind {
            kind if kind.is_among() => list.split(',').collect(),
            Kind::Boolean if list.contains(',') => {
                return Err(Error::BadRequest(format!(
                    "Cannot filter on a set of values for field '{}'",
                    field.name
                )));
            }
            // An encoded comma is part of the text.
            _ if self.has_comma => {
                return Err(Error::BadRequest(format!(
                    "Cannot apply the '{operator}' operator to a set of values for field '{}'",
                    field.name
                )));
            }
            _ => vec![list],
        };
        if values.len() > MAX_VALUES {
            return Err(Error::BadRequest(format!(
                "Field '{}' takes at most {MAX_VALUES} values",
                field.name
            )));
        }
        let values = values
            .into_iter()
            .map(|value| self.value(value, record, view))
            .collect::<Result<Vec<_>>>()?;
        Ok(Test::Among { not, values })
    }

    fn range(&self, view: &View) -> Result<Test> {
        let text = self.text;
        let first = operator(text);
        let rest = &text[first.len()..];
        if !self.field.kind.is_within() || self.negated {
            let negation = if self.negated { "!" } else { "" };
            return Err(self.unsupported(&format!("{negation}={first}")));
        }
        let second_at = rest.find(['<', '>']).unwrap_or(rest.len());
        let (value, tail) = rest.split_at(second_at);
        let mut test = (None, None);
        for (operator, value) in [(first, value), (operator(tail), &tail[operator(tail).len()..])] {
            let slot = match operator.chars().next() {
                Some('>') => &mut test.0,
                Some('<') => &mut test.1,
                _ => continue,
            };
            if slot.is_some() || value.contains(['<', '>']) {
                // Two lower or two upper bounds.
                return Err(self.unsupported(&format!("={first}{operator}")));
            }
            *slot = Some((self.scalar(value, view)?, operator.ends_with('=')));
        }
        Ok(Test::Range { low: test.0, high: test.1 })
    }

    fn value(&self, text: &str, record: &Record, view: &View) -> Result<Param> {
        match self.field.kind {
            Kind::Reference(reference) => number(text)
                .or_else(|| node_id::decode(&view.site.domain, reference.node_type, text))
                .map(Param::Int)
                .ok_or_else(|| self.invalid(text)),
            Kind::Id => number(text)
                .or_else(|| node_id::decode(&view.site.domain, record.node_type, text))
                .map(Param::Int)
                .ok_or_else(|| self.invalid(text)),
            Kind::NodeId => node_id::decode(&view.site.domain, record.node_type, text)
                .map(Param::Int)
                .ok_or_else(|| self.invalid(text)),
            Kind::Boolean => Ok(Param::Bool(is_true(text))),
            Kind::Choice(choices) if !choices.words.contains(&text) => Err(self.invalid(text)),
            Kind::Timestamp | Kind::Integer { .. } | Kind::Duration { .. } => {
                self.scalar(text, view)
            }
            _ if text.contains('\0') => Err(self.invalid(&text.replace('\0', "\u{fffd}"))),
            _ if self.field.ignore_case => Ok(Param::Text(text.to_lowercase())),
            _ => Ok(Param::Text(text.to_owned())),
        }
    }

    fn scalar(&self, text: &str, view: &View) -> Result<Param> {
        let value = match self.field.kind {
            Kind::Timestamp => parse_timestamp(text, view.time_zone),
            _ => number(text),
        };
        value.map(Param::Int).ok_or_else(|| self.invalid(text))
    }

    fn invalid(&self, text: &str) -> Error {
        let shown: String = text.chars().take(100).collect();
        Error::BadRequest(format!("Invalid value '{shown}' for field '{}'", self.field.name))
    }

    fn unsupported(&self, operator: &str) -> Error {
        Error::BadRequest(format!(
            "Field '{}' does not support the '{operator}' operator",
            self.field.name
        ))
    }
}

/// The comparison at the start of the text: `<`, `<=`, `>`, `>=` or nothing.
fn operator(text: &str) -> &str {
    let length = match text.as_bytes() {
        [b'<' | b'>', b'=', ..] => 2,
        [b'<' | b'>', ..] => 1,
        _ => 0,
    };
    &text[..length]
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// The contract's idea of true (1.8): these words in any case; anything else is false.
pub fn is_true(text: &str) -> bool {
    ["1", "t", "y", "true", "yes", "on"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono_tz::Tz;
    use serde_json::json;

    use super::*;
    use crate::kernel::record::field::{Choices, Derived, Reference};
    use crate::kernel::secret::MasterKey;
    use crate::kernel::state::Site;

    static TEAM: Reference = Reference {
        output: Derived { joins: &[], columns: &[], write: |_, _, _, _| {}, schema: ("", "{}") },
        node_type: "Team",
    };

    static ACCOUNT: Derived =
        Derived { joins: &[], columns: &["account"], write: |_, _, _, _| {}, schema: ("", "{}") };

    static STATUS: Choices = Choices { name: "Status", doc: "", words: &["new", "old"] };
    static IMPACT: Choices = Choices { name: "Impact", doc: "", words: &["low", "high"] };

    /// One field of every type that no list of the family combines.
    static RECORD: Record = Record {
        name: "thing",
        table: "things",
        node_type: "Thing",
        fields: &[
            Field::id().filterable(),
            Field::choice("status", &STATUS).filterable(),
            Field::choice("impact", &IMPACT).nullable().filterable(),
            Field::reference("team", "team_id", &TEAM).nullable().filterable(),
            Field::new("position", "position", Kind::Integer { min: 0, max: 99 }).filterable(),
            Field::new("delay", "delay", Kind::Duration { min: 0 }).nullable().filterable(),
            Field::text("subject", 80).ignore_case().filterable(),
            Field::long_text("remarks").nullable().filterable(),
            Field::boolean("disabled").filterable(),
            Field::derived("account", &ACCOUNT).filterable(),
            Field::created_at().filterable(),
        ],
    };

    fn view() -> View {
        let site = Site {
            public_url: "https://api.example.test".to_owned(),
            domain: "example.test".to_owned(),
            account_url: "https://{account}.example.test".to_owned(),
            key: MasterKey::generate(),
        };
        View { account: "acme".into(), time_zone: Tz::UTC, site: Arc::new(site), now: 0 }
    }

    fn test(key: &str, value: &str) -> Result<Test, String> {
        let parameters = vec![(key.to_owned(), value.to_owned(), value.contains(','))];
        match parse(&RECORD, parameters, &view()) {
            Ok(filters) => Ok(filters[0].test.clone()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn among(not: bool, values: &[Param]) -> Result<Test, String> {
        Ok(Test::Among { not, values: values.to_vec() })
    }

    fn range(low: Option<(i64, bool)>, high: Option<(i64, bool)>) -> Result<Test, String> {
        let bound = |(value, included)| (Param::Int(value), included);
        Ok(Test::Range { low: low.map(bound), high: high.map(bound) })
    }

    fn refused(text: &str) -> Result<Test, String> {
        Err(text.to_owned())
    }

    #[test]
    fn words_of_a_list_are_compared_alone_and_in_sets() {
        assert_eq!(test("status", "new"), among(false, &["new".into()]));
        assert_eq!(test("status", "new,old"), among(false, &["new".into(), "old".into()]));
        assert_eq!(test("status!", "new,old"), among(true, &["new".into(), "old".into()]));
        assert_eq!(test("status", "!new"), among(true, &["new".into()]));
        assert_eq!(test("status!", "!new"), among(false, &["new".into()]));
        assert_eq!(test("impact", ""), Ok(Test::Empty));
        assert_eq!(test("impact", "!"), Ok(Test::Present));
        assert_eq!(test("impact!", ""), Ok(Test::Present));
        for (value, message) in [
            ("New", "Invalid value 'New' for field 'status'"),
            ("new,", "Invalid value '' for field 'status'"),
            (">new", "Field 'status' does not support the '=>' operator"),
            ("", "Field 'status' does not support the '=' operator"),
        ] {
            assert_eq!(test("status", value), refused(message));
        }
    }

    #[test]
    fn references_are_compared_by_number_and_node_id_under_both_names() {
        let node_id = node_id::encode("example.test", "Team", 7);
        for key in ["team", "team_id"] {
            assert_eq!(test(key, "20"), among(false, &[20.into()]));
            assert_eq!(test(key, &format!("20,{node_id}")), among(false, &[20.into(), 7.into()]));
            assert_eq!(test(key, "!20"), among(true, &[20.into()]));
            assert_eq!(test(key, ""), Ok(Test::Empty));
            assert_eq!(test(key, "!"), Ok(Test::Present));
            assert_eq!(test(&format!("{key}!"), "4,5"), among(true, &[4.into(), 5.into()]));
            assert_eq!(test(key, ">4"), refused("Field 'team' does not support the '=>' operator"));
            let other = node_id::encode("example.test", "Thing", 7);
            assert_eq!(
                test(key, &other),
                refused(&format!("Invalid value '{other}' for field 'team'"))
            );
        }
        assert_eq!(test("status_id", "1"), refused("Unknown fields: status_id"));
    }

    #[test]
    fn numbers_and_minutes_are_compared_in_sets_and_ranges() {
        for key in ["position", "delay"] {
            assert_eq!(test(key, "5"), among(false, &[5.into()]));
            assert_eq!(test(key, "1,2"), among(false, &[1.into(), 2.into()]));
            assert_eq!(test(key, "!1,2"), among(true, &[1.into(), 2.into()]));
            assert_eq!(test(key, "<5"), range(None, Some((5, false))));
            assert_eq!(test(key, "<=5"), range(None, Some((5, true))));
            assert_eq!(test(key, ">5"), range(Some((5, false)), None));
            assert_eq!(test(key, ">=5"), range(Some((5, true)), None));
            assert_eq!(test(key, ">1<5"), range(Some((1, false)), Some((5, false))));
            assert_eq!(test(key, ">=1<5"), range(Some((1, true)), Some((5, false))));
            assert_eq!(test(key, "<=5>=1"), range(Some((1, true)), Some((5, true))));
            let message = format!("Field '{key}' does not support the '=>>=' operator");
            assert_eq!(test(key, ">1>=5"), refused(&message));
            let message = format!("Field '{key}' does not support the '!=<' operator");
            assert_eq!(test(&format!("{key}!"), "<5"), refused(&message));
            let message = format!("Invalid value 'five' for field '{key}'");
            assert_eq!(test(key, "five"), refused(&message));
        }
        assert_eq!(test("delay", ""), Ok(Test::Empty));
    }

    #[test]
    fn the_documented_patterns_are_what_is_taken() {
        let node_id = node_id::encode("example.test", "Thing", 7);
        let team = node_id::encode("example.test", "Team", 7);
        let texts = [
            "",
            "!",
            "!!",
            ",",
            "a,b",
            "!a,b",
            "a,",
            "new",
            "!new",
            "new,old",
            "!new,old",
            "New",
            "low",
            "5",
            "-5",
            "!5",
            "5,6",
            "!5,6",
            "5,!6",
            "<5",
            "<=5",
            ">5",
            ">=5",
            ">1<5",
            ">=1<=5",
            "<5>1",
            "<=5>=1",
            ">1>5",
            "<1<5",
            ">1<5<6",
            ">",
            "<=",
            "!<5",
            "=5",
            ">5,6",
            "yes",
            "!no",
            "yes,no",
            "2026-02-01",
            "2026-02-01T09:15:00+01:00",
            ">=2026-02-01T09:15:00Z<2026-03-01T00:00:00Z",
            "!2026-02-01T09:15:00Z",
            "a\0b",
            "\0",
            &node_id,
            &team,
        ];
        for field in RECORD.fields.iter().filter(|field| field.filterable) {
            let pattern = pattern(field);
            let documented =
                jsonschema::validator_for(&json!({"pattern": pattern})).expect("a pattern");
            let (mut taken, mut refused) = (0, 0);
            for text in texts {
                // Encoded commas, which stand for themselves.
                let parameters = vec![(field.name.to_owned(), text.to_owned(), false)];
                let read = parse(&RECORD, parameters, &view());
                let is_documented = documented.is_valid(&json!(text));
                match read {
                    Ok(_) => {
                        taken += 1;
                        assert!(is_documented, "{} takes {text:?}, {pattern} does not", field.name);
                    }
                    // What only the records know: numbers of another type.
                    Err(Error::BadRequest(text)) if is_documented => {
                        assert!(text.starts_with("Invalid value '"), "{}: {text}", field.name);
                    }
                    Err(_) => refused += 1,
                }
            }
            assert!(taken > 2 && refused > 2, "{}: {taken} taken, {refused} refused", field.name);
        }
    }

    #[test]
    fn texts_are_compared_as_they_are_or_in_lower_case() {
        assert_eq!(test("remarks", "Ärger"), among(false, &["Ärger".into()]));
        assert_eq!(test("subject", "Ärger"), among(false, &["ärger".into()]));
        assert_eq!(
            test("subject", "a,b"),
            refused("Cannot apply the '=' operator to a set of values for field 'subject'")
        );
    }
}
