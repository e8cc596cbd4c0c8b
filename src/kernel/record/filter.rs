//! The filter grammar of contract 1.12: `?field=<operator><value>`.
//!
//! ```text
//! param = key "=" expr
//! key   = field | field "!" | "ids" | "ids!" | reference "_id" ["!"]
//! expr  = "" | "!" | ["!"] value *("," value)
//!       | ">" ["="] value ["<" ["="] value] | "<" ["="] value [">" ["="] value]
//! ```
use super::{Field, Kind, Record};
use crate::kernel::db::Param;
use crate::kernel::error::{Error, Result};
use crate::kernel::node_id;
use crate::kernel::record::View;
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
        return Err(Error::BadRequest(format!("Unknown fields: {}", unknown.join(", "))));
    }
    if !refused.is_empty() {
        let refused = refused.join(", ");
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

/// The field that a filter key names: itself, `ids`, or a reference with `_id`.
fn find(record: &Record, name: &str) -> Option<&'static Field> {
    if name == "ids" {
        return record.field("id");
    }
    record.field(name).or_else(|| {
        let field = record.field(name.strip_suffix("_id")?)?;
        matches!(field.kind, Kind::Reference(_)).then_some(field)
    })
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
            Kind::Id
            | Kind::Integer { .. }
            | Kind::Duration
            | Kind::Choice(_)
            | Kind::Reference(_) => list.split(',').collect(),
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
        let comparable = matches!(
            self.field.kind,
            Kind::Id | Kind::Integer { .. } | Kind::Duration | Kind::Timestamp
        );
        if !comparable || self.negated {
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
            Kind::Choice(choices) if !choices.contains(&text) => Err(self.invalid(text)),
            Kind::Timestamp | Kind::Integer { .. } | Kind::Duration => self.scalar(text, view),
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
