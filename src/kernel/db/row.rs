//! A query with its parameters, and a row of its answer, whatever the driver.
use std::borrow::Cow;

use sea_orm::QueryResult;
use sea_orm::sea_query::Value;

/// A value bound to a placeholder.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// 64-bit integer: ids, times (milliseconds), durations (minutes).
    Int(i64),
    /// Text.
    Text(String),
    /// Boolean.
    Bool(bool),
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Param {
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Int(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::Bool(value) => value.into(),
        }
    }
}

/// SQL with the placeholders of its dialect, `?1` or `$1`, and what they stand for.
#[derive(Clone, Debug)]
pub struct Query {
    /// The statement.
    pub sql: String,
    /// Values of the placeholders.
    pub params: Vec<Param>,
    /// Whether the answer may take many rows' reading: such a query leaves the calling thread (SQLite)
    /// and the connections of the quick ones (PostgreSQL).
    pub scans: bool,
}

impl Query {
    /// A query that an index answers at once.
    pub fn new(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, scans: false }
    }

    /// A query that may have to read a whole table.
    pub fn scanning(sql: String, params: Vec<Param>) -> Self {
        Self { sql, params, scans: true }
    }
}

/// A row of an answer, read by position.
pub trait Row {
    /// An integer, or `None` for NULL.
    fn int(&self, index: usize) -> Option<i64>;
    /// A text, or `None` for NULL.
    fn text(&self, index: usize) -> Option<Cow<'_, str>>;
    /// A boolean, or `None` for NULL.
    fn bool(&self, index: usize) -> Option<bool>;
}

impl Row for rusqlite::Row<'_> {
    fn int(&self, index: usize) -> Option<i64> {
        self.get_ref(index).ok()?.as_i64_or_null().ok()?
    }

    fn text(&self, index: usize) -> Option<Cow<'_, str>> {
        self.get_ref(index).ok()?.as_str_or_null().ok()?.map(Cow::Borrowed)
    }

    fn bool(&self, index: usize) -> Option<bool> {
        self.int(index).map(|value| value != 0)
    }
}

impl Row for tokio_postgres::Row {
    fn int(&self, index: usize) -> Option<i64> {
        self.try_get(index).ok()?
    }

    fn text(&self, index: usize) -> Option<Cow<'_, str>> {
        self.try_get::<_, Option<&str>>(index).ok()?.map(Cow::Borrowed)
    }

    fn bool(&self, index: usize) -> Option<bool> {
        self.try_get(index).ok()?
    }
}

impl Row for QueryResult {
    fn int(&self, index: usize) -> Option<i64> {
        self.try_get_by_index(index).ok()?
    }

    fn text(&self, index: usize) -> Option<Cow<'_, str>> {
        self.try_get_by_index::<Option<String>>(index).ok()?.map(Cow::Owned)
    }

    fn bool(&self, index: usize) -> Option<bool> {
        self.try_get_by_index(index).ok()?
    }
}
