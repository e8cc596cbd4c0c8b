//! `filter` (contract 1.7): comparisons that must all hold.
//!
//! ```text
//! filter = clause *( SP "and" SP clause )
//! clause = path SP op SP value
//! op     = "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "cont" | "sw" | "in"
//! value  = quoted | bracket-list (only with in) | bare
//! ```
use std::cmp::Ordering;

use super::member::{Cell, Kind, Member, named};
use super::refusal;
use super::time::Time;
use crate::kernel::error::{Error, Result};

/// Longest filter, in bytes.
const LONGEST: usize = 2048;

/// Which rows, `T`, a list shows.
#[derive(Debug)]
pub struct Filter<T: 'static>(Vec<Clause<T>>);

#[derive(Debug)]
struct Clause<T: 'static> {
    member: &'static Member<T>,
    test: Test,
}

/// What a clause asks of a value.
#[derive(Debug, PartialEq, Eq)]
enum Test {
    /// Whether it is `null`, or is not.
    Null(bool),
    /// One of these.
    In(Vec<Literal>),
    /// Anything else, `null` too.
    NotEqual(Literal),
    /// On this side of a number or date, or on it.
    Order { number: i64, side: Ordering, or_equal: bool },
    /// A text that contains this.
    Contains(String),
    /// A text that begins with this.
    StartsWith(String),
}

/// A value of a filter. Texts are in lower case, dates in milliseconds since the epoch.
#[derive(Debug, PartialEq, Eq)]
enum Literal {
    Int(i64),
    Text(String),
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Order { side: Ordering, or_equal: bool },
    Contains,
    StartsWith,
    In,
}

/// Operators by their names.
const OPERATORS: [(&str, Operator); 9] = [
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("gt", Operator::Order { side: Ordering::Greater, or_equal: false }),
    ("ge", Operator::Order { side: Ordering::Greater, or_equal: true }),
    ("lt", Operator::Order { side: Ordering::Less, or_equal: false }),
    ("le", Operator::Order { side: Ordering::Less, or_equal: true }),
    ("cont", Operator::Contains),
    ("sw", Operator::StartsWith),
    ("in", Operator::In),
];

impl<T: 'static> Filter<T> {
    /// Reads the parameter; none or blanks show every row.
    ///
    /// # Errors
    /// 400 for a member or operator that is unknown, a value of the wrong type, and anything else that
    /// the grammar does not allow.
    pub fn parse(text: Option<&str>, members: &'static [Member<T>]) -> Result<Self> {
        let text = text.filter(|text| !text.trim_ascii().is_empty());
        let Some(text) = text else { return Ok(Self(Vec::new())) };
        if text.len() > LONGEST {
            return Err(refused(&format!("must have at most {LONGEST} bytes.")));
        }
        let mut reader = Reader { rest: text.trim_ascii(), members };
        let mut clauses = vec![reader.clause()?];
        while reader.takes_and()? {
            clauses.push(reader.clause()?);
        }
        Ok(Self(clauses))
    }

    /// Whether every row is shown.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row is shown.
    pub fn holds(&self, row: &T) -> bool {
        self.0.iter().all(|clause| clause.test.holds(&(clause.member.read)(row)))
    }
}

impl Test {
    fn holds(&self, cell: &Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Null(wanted), cell) => (*cell == Cell::Null) == *wanted,
            (Self::In(literals), cell) => literals.iter().any(|literal| literal.equals(cell)),
            (Self::NotEqual(literal), cell) => !literal.equals(cell),
            (Self::Order { number, side, or_equal }, Cell::Int(value)) => {
                let order = value.cmp(number);
                order == *side || *or_equal && order.is_eq()
            }
            (Self::Contains(part), Cell::Text(text)) => text.to_lowercase().contains(part),
            (Self::StartsWith(start), Cell::Text(text)) => text.to_lowercase().starts_with(start),
            _ => false,
        }
    }
}

impl Literal {
    fn equals(&self, cell: &Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Int(own), Cell::Int(value)) => own == value,
            (Self::Bool(own), Cell::Bool(value)) => own == value,
            (Self::Text(own), Cell::Text(text)) => *own == text.to_lowercase(),
            _ => false,
        }
    }
}

/// Reads clauses from their text.
struct Reader<'a, T: 'static> {
    rest: &'a str,
    members: &'static [Member<T>],
}

/// A value as it is written.
struct Written {
    text: String,
    is_quoted: bool,
}

impl<'a, T: 'static> Reader<'a, T> {
    fn clause(&mut self) -> Result<Clause<T>> {
        let name = self.word();
        if name.is_empty() {
            return Err(refused(GRAMMAR));
        }
        let member = named(self.members, name)
            .ok_or_else(|| refused(&format!("names {name}, which is no member to filter by.")))?;
        let operator = self.word();
        let operator = operator_of(operator).ok_or_else(|| {
            refused(&format!(
                "must have eq, ne, gt, ge, lt, le, cont, sw or in behind {}.",
                member.name
            ))
        })?;
        let test = match operator {
            Operator::In => {
                let written = self.list()?;
                let literals = written.iter().map(|written| literal(member, written));
                Test::In(literals.collect::<Result<_>>()?)
            }
            operator => test(member, operator, &self.value()?)?,
        };
        Ok(Clause { member, test })
    }

    /// Whether another clause follows.
    fn takes_and(&mut self) -> Result<bool> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        if self.word().eq_ignore_ascii_case("and") {
            return Ok(true);
        }
        Err(refused(GRAMMAR))
    }

    /// The next word, and the blanks behind it.
    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|sign: char| sign.is_ascii_whitespace());
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_ascii_start();
        word
    }

    /// A quoted value, or a bare one, which goes up to the next `and`.
    fn value(&mut self) -> Result<Written> {
        if self.rest.starts_with(['\'', '"']) {
            let text = self.quoted()?;
            self.ends_word()?;
            return Ok(Written { text, is_quoted: true });
        }
        let end = word_at(self.rest, "and").unwrap_or(self.rest.len());
        let (bare, rest) = self.rest.split_at(end);
        let bare = bare.trim_ascii();
        if bare.is_empty() || self.rest.starts_with('[') {
            return Err(refused(GRAMMAR));
        }
        if joins(bare) {
            return Err(refused(JOINS));
        }
        self.rest = rest.trim_ascii_start();
        Ok(Written { text: bare.to_owned(), is_quoted: false })
    }

    /// `[a, 'b', c]`
    fn list(&mut self) -> Result<Vec<Written>> {
        self.rest = self.rest.strip_prefix('[').ok_or_else(|| refused(LIST))?.trim_ascii_start();
        let mut list = Vec::new();
        loop {
            let element = if self.rest.starts_with(['\'', '"']) {
                Written { text: self.quoted()?, is_quoted: true }
            } else {
                let end = self.rest.find([',', ']']).unwrap_or(self.rest.len());
                let (bare, rest) = self.rest.split_at(end);
                self.rest = rest;
                Written { text: bare.trim_ascii().to_owned(), is_quoted: false }
            };
            if element.text.is_empty() && !element.is_quoted {
                return Err(refused(LIST));
            }
            list.push(element);
            self.rest = self.rest.trim_ascii_start();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest.trim_ascii_start();
            } else {
                self.rest = self.rest.strip_prefix(']').ok_or_else(|| refused(LIST))?;
                self.ends_word()?;
                return Ok(list);
            }
        }
    }

    /// A value between quotes, in which a backslash takes the next sign as it is.
    fn quoted(&mut self) -> Result<String> {
        let mut signs = self.rest.char_indices();
        let quote = signs.next().map(|(_, sign)| sign);
        let mut text = String::new();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '\\' => text.extend(signs.next().map(|(_, sign)| sign)),
                sign if Some(sign) == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                sign => text.push(sign),
            }
        }
        Err(refused("has a quoted value without its closing quote."))
    }

    /// Takes the blanks behind a value, which must not run on.
    fn ends_word(&mut self) -> Result<()> {
        let rest = self.rest.trim_ascii_start();
        if rest.len() == self.rest.len() && !rest.is_empty() {
            return Err(refused(GRAMMAR));
        }
        self.rest = rest;
        Ok(())
    }
}

const GRAMMAR: &str = "must be <member> <operator> <value>, joined by and, as in \
                       name cont 'loyal' and applicationStatusId in [1,3].";
const JOINS: &str = "has or, not or a parenthesis in a value without quotes: conditions are joined by and \
                     alone, and a value with such a word stands in quotes, as in name eq 'black or white'.";
const LIST: &str = "must have a list behind in, as in [1,3].";

fn operator_of(name: &str) -> Option<Operator> {
    OPERATORS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, it)| *it)
}

/// Whether a bare value has what joins conditions in other languages. Whoever means that would get other
/// rows than they ask for (contract 1.7). A value of one word is itself, whatever it is.
fn joins(bare: &str) -> bool {
    let is_join = |word: &str| ["or", "not"].iter().any(|join| word.eq_ignore_ascii_case(join));
    let has_blanks = bare.contains(|sign: char| sign.is_ascii_whitespace());
    bare.contains(['(', ')']) || has_blanks && bare.split_ascii_whitespace().any(is_join)
}

/// A date, or a day, which is its midnight in UTC.
fn date(text: &str) -> Option<Time> {
    Time::parse(text).or_else(|| Time::parse(&format!("{text}T00:00:00Z")))
}

/// Where a word stands, in any case, between blanks.
fn word_at(text: &str, word: &str) -> Option<usize> {
    let mut start = 0;
    text.split(|sign: char| sign.is_ascii_whitespace()).find_map(|part| {
        let at = start;
        start += part.len() + 1;
        // At the very beginning it is a value.
        (at > 0 && part.eq_ignore_ascii_case(word)).then_some(at)
    })
}

fn test<T>(member: &Member<T>, operator: Operator, written: &Written) -> Result<Test> {
    let is_null = !written.is_quoted && written.text.eq_ignore_ascii_case("null");
    match operator {
        Operator::Equal if is_null => Ok(Test::Null(true)),
        Operator::NotEqual if is_null => Ok(Test::Null(false)),
        Operator::Equal => Ok(Test::In(vec![literal(member, written)?])),
        Operator::NotEqual => Ok(Test::NotEqual(literal(member, written)?)),
        Operator::Contains if member.kind == Kind::Text => {
            Ok(Test::Contains(written.text.to_lowercase()))
        }
        Operator::StartsWith if member.kind == Kind::Text => {
            Ok(Test::StartsWith(written.text.to_lowercase()))
        }
        Operator::Order { side, or_equal } if matches!(member.kind, Kind::Int | Kind::Date) => {
            match literal(member, written)? {
                Literal::Int(number) => Ok(Test::Order { number, side, or_equal }),
                _ => Err(wrong_type(member)),
            }
        }
        Operator::Contains | Operator::StartsWith => {
            Err(refused(&format!("uses cont or sw on {}, which is no text.", member.name)))
        }
        _ => Err(refused(&format!(
            "orders by {}, which is neither a number nor a date.",
            member.name
        ))),
    }
}

fn literal<T>(member: &Member<T>, written: &Written) -> Result<Literal> {
    let text = written.text.as_str();
    let literal = match member.kind {
        Kind::Text => Some(Literal::Text(text.to_lowercase())),
        Kind::Int => text.parse().ok().map(Literal::Int),
        Kind::Date => date(text).map(|Time(millis)| Literal::Int(millis)),
        Kind::Bool if text.eq_ignore_ascii_case("true") => Some(Literal::Bool(true)),
        Kind::Bool if text.eq_ignore_ascii_case("false") => Some(Literal::Bool(false)),
        Kind::Bool => None,
    };
    literal.ok_or_else(|| wrong_type(member))
}

fn wrong_type<T>(member: &Member<T>) -> Error {
    let kind = match member.kind {
        Kind::Text => "a text",
        Kind::Int => "an integer",
        Kind::Bool => "true or false",
        Kind::Date => "an ISO 8601 date, with or without a time",
    };
    refused(&format!("must compare {} with {kind}.", member.name))
}

fn refused(why: &str) -> Error {
    refusal::missing("filter", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row {
        id: i64,
        name: Option<&'static str>,
        is_locked: bool,
        date: Option<i64>,
    }

    static MEMBERS: [Member<Row>; 4] = [
        Member { name: "version.id", kind: Kind::Int, read: |row| row.id.into() },
        Member { name: "name", kind: Kind::Text, read: |row| row.name.into() },
        Member { name: "isLocked", kind: Kind::Bool, read: |row| row.is_locked.into() },
        Member { name: "updateDate", kind: Kind::Date, read: |row| row.date.into() },
    ];

    fn kept(text: Option<&str>) -> Vec<i64> {
        let row = |id, name, is_locked, date| Row { id, name, is_locked, date };
        let rows = [
            row(1, Some("Loyalty"), true, Some(0)),
            row(2, Some("bread and butter"), false, Some(1_000)),
            row(3, Some("O'Neill \"x\""), false, Some(2_000)),
            row(4, None, true, None),
            row(5, Some("null"), false, Some(-1)),
            row(6, Some("ÄRGER, [x]"), false, Some(1_001)),
        ];
        let filter = Filter::parse(text, &MEMBERS).unwrap();
        assert_eq!(filter.is_none(), text.is_none_or(|text| text.trim().is_empty()));
        rows.iter().filter(|row| filter.holds(row)).map(|row| row.id).collect()
    }

    #[test]
    fn rows_are_compared() {
        let table: [(&str, &[i64]); 46] = [
            ("version.id eq 2", &[2]),
            ("VERSION.ID EQ 2", &[2]),
            ("version.id ne 2", &[1, 3, 4, 5, 6]),
            ("version.id gt 4", &[5, 6]),
            ("version.id ge 4", &[4, 5, 6]),
            ("version.id lt 2", &[1]),
            ("version.id le 2", &[1, 2]),
            ("version.id in [1,3]", &[1, 3]),
            ("version.id in [ 1 , '3' ,9 ]", &[1, 3]),
            ("version.id eq '2'", &[2]),
            ("version.id eq -1", &[]),
            ("  version.id   gt  1  and  version.id lt 4  ", &[2, 3]),
            ("version.id gt 1 AND version.id lt 4 and isLocked eq false", &[2, 3]),
            ("name eq loyalty", &[1]),
            ("name eq LOYALTY", &[1]),
            ("name ne loyalty", &[2, 3, 4, 5, 6]),
            ("name cont YAL", &[1]),
            ("name sw loy", &[1]),
            ("name sw yal", &[]),
            ("name cont ' '", &[2, 3, 6]),
            ("name eq 'bread and butter'", &[2]),
            ("name eq \"bread and butter\" and version.id eq 2", &[2]),
            ("name eq bread", &[]),
            ("name sw bread and version.id eq 2", &[2]),
            ("name eq 'O\\'Neill \"x\"'", &[3]),
            ("name eq \"O'Neill \\\"x\\\"\"", &[3]),
            ("name eq O'Neill \"x\"", &[3]),
            ("name eq ''", &[]),
            ("name in ['bread and butter', null, loyalty]", &[1, 2, 5]),
            ("name in ['ärger, [x]']", &[6]),
            ("name sw ärger", &[6]),
            ("name eq null", &[4]),
            ("name eq NULL", &[4]),
            ("name ne null", &[1, 2, 3, 5, 6]),
            ("name eq 'null'", &[5]),
            ("name cont null", &[5]),
            ("isLocked eq True", &[1, 4]),
            ("isLocked ne true", &[2, 3, 5, 6]),
            ("updateDate ge 1970-01-01T00:00:01Z", &[2, 3, 6]),
            ("updateDate lt 1970-01-01T00:00:00.000", &[5]),
            ("updateDate eq 1970-01-01T01:00:01 01:00", &[2]),
            ("updateDate eq null and isLocked eq true", &[4]),
            ("updateDate ge 1970-01-01", &[1, 2, 3, 6]),
            ("updateDate eq 1970-01-01", &[1]),
            ("updateDate in [1970-01-01, 1970-01-01T00:00:01Z]", &[1, 2]),
            ("updateDate lt '1970-01-01' and isLocked eq false", &[5]),
        ];
        for (text, expected) in table {
            assert_eq!(kept(Some(text)), expected, "{text}");
        }
        for none in [None, Some(""), Some("  ")] {
            assert_eq!(kept(none), [1, 2, 3, 4, 5, 6]);
        }
    }

    #[test]
    fn a_word_that_joins_conditions_elsewhere_may_be_a_value() {
        for text in [
            "name eq or",
            "name eq not",
            "name eq and",
            "name eq 'a or b'",
            "name eq 'a (b)'",
            "name in [a or b, not (c)]",
            "name eq notable orchids",
        ] {
            assert_eq!(kept(Some(text)), [0; 0], "{text}");
        }
    }

    const TO_DATE: &str = "must compare updateDate with an ISO 8601 date, with or without a time.";

    #[test]
    fn what_does_not_follow_the_grammar_is_refused() {
        let operators = "must have eq, ne, gt, ge, lt, le, cont, sw or in behind name.";
        let table = [
            ("name", operators),
            ("name like x", operators),
            ("name = x", operators),
            ("name eq", GRAMMAR),
            ("name eq x and", GRAMMAR),
            ("name eq 'x' and ", GRAMMAR),
            ("name eq 'x'y", GRAMMAR),
            ("name eq 'x' y", GRAMMAR),
            ("name eq 'x", "has a quoted value without its closing quote."),
            ("name eq 'x\\'", "has a quoted value without its closing quote."),
            ("name eq [x]", GRAMMAR),
            ("name in x", LIST),
            ("name in", LIST),
            ("name in []", LIST),
            ("name in [x", LIST),
            ("name in [x,]", LIST),
            ("name in ['x' y]", LIST),
            ("name in [x]y", GRAMMAR),
            ("name eq x or name eq y", JOINS),
            ("name eq x OR isLocked ne true", JOINS),
            ("name eq black or white", JOINS),
            ("version.id eq 1 and name eq x or", JOINS),
            ("name eq x not isLocked eq true", JOINS),
            ("name eq Not x", JOINS),
            ("name eq x (y)", JOINS),
            ("name eq (x)", JOINS),
            ("name eq x) and version.id eq 1", JOINS),
            ("(name eq x)", "names (name, which is no member to filter by."),
            ("sharedSecret eq x", "names sharedSecret, which is no member to filter by."),
            ("version eq x", "names version, which is no member to filter by."),
            ("version.id eq x", "must compare version.id with an integer."),
            ("version.id eq 1.5", "must compare version.id with an integer."),
            ("version.id gt null", "must compare version.id with an integer."),
            ("version.id in [1,null]", "must compare version.id with an integer."),
            ("isLocked eq 1", "must compare isLocked with true or false."),
            ("updateDate gt today", TO_DATE),
            ("updateDate gt 2026-13-01", TO_DATE),
            ("updateDate gt 2026-11", TO_DATE),
            ("updateDate gt 2026-11-22T", TO_DATE),
            ("updateDate gt 2026-11-22 or updateDate eq null", JOINS),
            ("name gt a", "orders by name, which is neither a number nor a date."),
            ("isLocked le true", "orders by isLocked, which is neither a number nor a date."),
            ("version.id cont 1", "uses cont or sw on version.id, which is no text."),
            ("updateDate sw 2026", "uses cont or sw on updateDate, which is no text."),
        ];
        for (text, why) in table {
            assert_refused(text, why);
        }
        assert!(Filter::parse(Some(&format!("name eq {}", "x".repeat(2040))), &MEMBERS).is_ok());
        let long = format!("name eq {}", "x".repeat(2041));
        assert_refused(&long, "must have at most 2048 bytes.");
    }

    fn assert_refused(text: &str, why: &str) {
        let Err(Error::Coded(coded)) = Filter::parse(Some(text), &MEMBERS) else {
            panic!("{text} is accepted")
        };
        assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"), "{text}");
        let data = [("ParameterName", "filter"), ("ErrorMessage", why)];
        assert_eq!(coded.data, data.map(|(name, value)| (name, value.to_owned())), "{text}");
    }
}
