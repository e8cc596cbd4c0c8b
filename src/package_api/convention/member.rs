//! Members of a row by which lists are sorted and filtered.
use std::borrow::Cow;

/// A scalar member of a row, `T`.
#[derive(Debug)]
pub struct Member<T> {
    /// Its name on the wire, with dots where it is nested: `applicationVersion.majorVersion`.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// Reads it.
    pub read: fn(&T) -> Cell<'_>,
}

/// `"nameOnTheWire": Kind = |row| value,`
macro_rules! members {
    ($($name:literal: $kind:ident = |$row:ident| $value:expr,)+) => {
        &[$($crate::package_api::convention::member::Member { name: $name, kind: $crate::package_api::convention::member::Kind::$kind, read: |$row| $value.into() },)+]
    };
}
pub(crate) use members;

/// What values a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Integers.
    Int,
    /// Texts.
    Text,
    /// Booleans.
    Bool,
    /// Instants.
    Date,
}

/// A value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// `null`
    Null,
    /// An integer; of a date, milliseconds since the epoch.
    Int(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// A boolean.
    Bool(bool),
}

impl From<i64> for Cell<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<String> for Cell<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl<'a, V: Into<Self>> From<Option<V>> for Cell<'a> {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The members in words, for the document: their names by what their values are.
pub fn described<T>(members: &'static [Member<T>]) -> String {
    let kinds = [
        (Kind::Text, "texts"),
        (Kind::Int, "numbers"),
        (Kind::Bool, "booleans"),
        (Kind::Date, "dates"),
    ];
    let groups = kinds.into_iter().filter_map(|(kind, plural)| {
        let names = members.iter().filter(|member| member.kind == kind);
        let names: Vec<String> = names.map(|member| format!("`{}`", member.name)).collect();
        (!names.is_empty()).then(|| format!("{plural} {}", names.join(", ")))
    });
    format!("Members: {}.", groups.collect::<Vec<_>>().join("; "))
}

/// The member of this name, in any case.
pub(super) fn named<T>(members: &'static [Member<T>], name: &str) -> Option<&'static Member<T>> {
    members.iter().find(|member| member.name.eq_ignore_ascii_case(name))
}
