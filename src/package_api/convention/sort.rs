//! `sortBy` (contract 1.7): `field [asc|desc], field …`.
use std::cmp::Ordering;

use super::member::{Cell, Member, named};
use super::refusal;
use crate::kernel::error::{Error, Result};

/// An order of rows, `T`.
#[derive(Debug)]
pub struct Order<T: 'static>(Vec<Key<T>>);

#[derive(Debug)]
struct Key<T: 'static> {
    member: &'static Member<T>,
    is_descending: bool,
}

impl<T: 'static> Order<T> {
    /// Reads the parameter; none or blanks leave rows where they are.
    ///
    /// # Errors
    /// 400 for a member that is unknown or no scalar, and for what is no direction.
    pub fn parse(text: Option<&str>, members: &'static [Member<T>]) -> Result<Self> {
        let text = text.filter(|text| !text.trim_ascii().is_empty());
        let keys = text.into_iter().flat_map(|text| text.split(','));
        keys.map(|key| Key::parse(key, members)).collect::<Result<_>>().map(Self)
    }

    /// Whether rows stay where they are.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Which of two rows comes first. Equal rows keep the order of their ids when rows in that order
    /// are sorted by this, since sorting is stable.
    pub fn compare(&self, left: &T, right: &T) -> Ordering {
        let compare = |key: &Key<T>| {
            let order = compare(&(key.member.read)(left), &(key.member.read)(right));
            if key.is_descending { order.reverse() } else { order }
        };
        self.0.iter().map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl<T: 'static> Key<T> {
    fn parse(text: &str, members: &'static [Member<T>]) -> Result<Self> {
        let mut words = text.split_ascii_whitespace();
        let name = words.next().ok_or_else(|| {
            refused(
                "must be names of members separated by commas, each with asc or desc behind it.",
            )
        })?;
        let member = named(members, name)
            .ok_or_else(|| refused(&format!("names {name}, which is no member to sort by.")))?;
        let is_descending = match (words.next(), words.next()) {
            (None, _) => false,
            (Some(word), None) if word.eq_ignore_ascii_case("asc") => false,
            (Some(word), None) if word.eq_ignore_ascii_case("desc") => true,
            _ => {
                return Err(refused(&format!("must have asc, desc or a comma behind {name}.")));
            }
        };
        Ok(Self { member, is_descending })
    }
}

/// `null` comes first; the case of texts does not count (contract 1.7).
fn compare(left: &Cell<'_>, right: &Cell<'_>) -> Ordering {
    match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        (left, right) => (*left != Cell::Null).cmp(&(*right != Cell::Null)),
    }
}

fn refused(why: &str) -> Error {
    refusal::missing("sortBy", why)
}

#[cfg(test)]
mod tests {
    use super::super::member::Kind;
    use super::*;

    struct Row(i64, Option<&'static str>, bool);

    static MEMBERS: [Member<Row>; 3] = [
        Member { name: "id", kind: Kind::Int, read: |row| row.0.into() },
        Member { name: "version.name", kind: Kind::Text, read: |row| row.1.into() },
        Member { name: "isLocked", kind: Kind::Bool, read: |row| row.2.into() },
    ];

    fn sorted(text: Option<&str>) -> Vec<i64> {
        let mut rows = [
            Row(1, Some("b"), true),
            Row(2, None, false),
            Row(3, Some("B"), false),
            Row(4, Some("a"), true),
            Row(5, Some("Äa"), false),
            Row(6, Some("b"), false),
        ];
        let order = Order::parse(text, &MEMBERS).unwrap();
        assert_eq!(order.is_none(), text.is_none_or(|text| text.trim().is_empty()));
        rows.sort_by(|left, right| order.compare(left, right));
        rows.map(|row| row.0).to_vec()
    }

    #[test]
    fn rows_are_sorted() {
        let table: [(Option<&str>, [i64; 6]); 10] = [
            (None, [1, 2, 3, 4, 5, 6]),
            (Some(" "), [1, 2, 3, 4, 5, 6]),
            (Some("id"), [1, 2, 3, 4, 5, 6]),
            (Some("ID DESC"), [6, 5, 4, 3, 2, 1]),
            (Some("isLocked"), [2, 3, 5, 6, 1, 4]),
            (Some("islocked desc"), [1, 4, 2, 3, 5, 6]),
            (Some("version.name asc"), [2, 4, 1, 3, 6, 5]),
            (Some("Version.Name desc"), [5, 1, 3, 6, 4, 2]),
            (Some(" isLocked  desc , id desc "), [4, 1, 6, 5, 3, 2]),
            (Some("isLocked,version.name,id desc"), [2, 6, 3, 5, 4, 1]),
        ];
        for (text, expected) in table {
            assert_eq!(sorted(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_order_is_refused() {
        let empty =
            "must be names of members separated by commas, each with asc or desc behind it.";
        let table = [
            (",", empty),
            (" , ", empty),
            ("id,", empty),
            ("id,,isLocked", empty),
            ("name", "names name, which is no member to sort by."),
            ("version", "names version, which is no member to sort by."),
            ("sharedSecret asc", "names sharedSecret, which is no member to sort by."),
            ("id up", "must have asc, desc or a comma behind id."),
            ("id asc desc", "must have asc, desc or a comma behind id."),
            ("id isLocked", "must have asc, desc or a comma behind id."),
        ];
        for (text, why) in table {
            let Err(Error::Coded(coded)) = Order::parse(Some(text), &MEMBERS) else {
                panic!("{text} is accepted")
            };
            assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
            let data = [("ParameterName", "sortBy"), ("ErrorMessage", why)];
            assert_eq!(coded.data, data.map(|(name, value)| (name, value.to_owned())), "{text}");
        }
    }
}
