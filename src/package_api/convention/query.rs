//! Query parameters (contract 1.1): names in any case, unknown ones ignored, an empty value is as good
//! as none.
use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;

use super::refusal;
use super::time::Time;
use crate::kernel::error::Result;

/// The query of a request: names with their values. `None` is a value that is no text; nobody minds
/// unless it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, Option<String>)>);

impl Query {
    /// Reads what stands behind the `?`.
    pub fn parse(raw: Option<&str>) -> Self {
        let pairs = pairs(raw.unwrap_or_default().as_bytes());
        Self(pairs.filter(|(_, value)| value.as_deref() != Some("")).collect())
    }

    /// A value as it was sent; of several with the same name the first.
    ///
    /// # Errors
    /// 400 for a value that is no UTF-8 text, or that contains NUL, which no database takes.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            None => Ok(None),
            Some((_, Some(value))) => Ok(Some(value)),
            Some((_, None)) => Err(refusal::missing(name, TEXT)),
        }
    }

    /// Every name and value as they were sent, apart from empty ones and those that are no text.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    /// An integer.
    ///
    /// # Errors
    /// 400 when it is none or outside the range.
    pub fn int(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.trim().parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(refusal::missing(
                name,
                &format!("must be an integer from {} to {}.", range.start(), range.end()),
            )),
        }
    }

    /// `true` or `false`, in any case: .NET writes `True`.
    ///
    /// # Errors
    /// 400 for any other text.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            text if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            _ => Err(refusal::missing(name, "must be true or false.")),
        }
    }

    /// A date; blanks are as good as none (contract 3.7).
    ///
    /// # Errors
    /// 400 when it cannot be read.
    pub fn date(&self, name: &str) -> Result<Option<Time>> {
        let text = self.text(name)?.map(str::trim).filter(|text| !text.is_empty());
        text.map(|text| Time::parse(text).ok_or_else(|| refusal::missing(name, DATE))).transpose()
    }
}

/// What a value must be, for messages.
pub(super) const TEXT: &str = "must be UTF-8 text without NUL.";
/// What a date must be, for messages.
pub(super) const DATE: &str = "must be an ISO 8601 date and time, as in 2026-03-04T09:15:00.000Z.";

/// Names and values of a query or form, decoded once: `+` is a blank, `%XX` a byte. A value that is no
/// UTF-8 text or contains NUL is `None`; a name that is none is one that nobody asks for.
pub(super) fn pairs(encoded: &[u8]) -> impl Iterator<Item = (String, Option<String>)> {
    let pairs = encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = decode(pair.get(at + 1..).unwrap_or_default());
        Some((decode(&pair[..at])?, value.filter(|value| !value.contains('\0'))))
    })
}

fn decode(encoded: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(encoded).ok()?.replace('+', " ");
    let text = percent_decode_str(&text).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::error::Error;

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw))
    }

    /// Parameter and reason of a refusal.
    fn refused<T: std::fmt::Debug>(result: Result<T>) -> (String, String) {
        let Err(Error::Coded(coded)) = result else { panic!("{result:?} is no refusal") };
        assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
        let [(_, parameter), (_, why)] = coded.data.try_into().unwrap();
        (parameter, why)
    }

    #[test]
    fn names_match_in_any_case_and_values_keep_theirs() {
        let query = query("ResponseFields=appKey%2Cid&PAGESIZE=5&x=1&x=2&X=3&b%61r=%C3%A9+%2B");
        let text = |name| query.text(name).unwrap();
        assert_eq!(text("responseFields"), Some("appKey,id"));
        assert_eq!(text("pageSize"), Some("5"));
        assert_eq!(text("x"), Some("1"));
        assert_eq!(text("bar"), Some("é +"));
        assert_eq!(text("pageSiz"), None);
    }

    #[test]
    fn an_empty_value_is_none() {
        for raw in ["", "&", "&&=&", "responseFields", "responseFields=", "responsefields=&y=1"] {
            assert_eq!(query(raw).text("responseFields").unwrap(), None, "{raw}");
        }
        assert_eq!(Query::parse(None), Query::default());
        // The first that says something counts.
        assert_eq!(query("a=&a=1&a=2").text("a").unwrap(), Some("1"));
    }

    #[test]
    fn values_are_decoded_once() {
        let table = [
            ("a=%2561", "%61"),
            ("a=b=c", "b=c"),
            ("a=%zz%", "%zz%"),
            ("a=?/", "?/"),
            ("a=%26%3D", "&="),
        ];
        for (raw, value) in table {
            assert_eq!(query(raw).text("a").unwrap(), Some(value), "{raw}");
        }
    }

    #[test]
    fn texts_that_are_none_are_refused_when_they_are_asked_for() {
        for raw in ["filter=%FF", "FILTER=%C3", "filter=a%00b", "a=1&filter=%ED%A0%80"] {
            let query = query(raw);
            let expected = ("filter".to_owned(), TEXT.to_owned());
            assert_eq!(refused(query.text("filter")), expected, "{raw}");
            assert_eq!(refused(query.int("filter", 0..=9)), expected, "{raw}");
            assert_eq!(refused(query.flag("filter")), expected, "{raw}");
            assert_eq!(refused(query.date("filter")), expected, "{raw}");
            assert_eq!(query.text("sortBy").unwrap(), None, "{raw}");
        }
        assert_eq!(query("%FF=1&a=2"), query("a=2"));
        let query = query("x=%FF&a=2");
        assert_eq!(query.pairs().collect::<Vec<_>>(), [("a", "2")]);
    }

    #[test]
    fn integers_are_read_within_their_range() {
        let int = |raw: &str| query(raw).int("pageSize", 0..=200);
        assert_eq!(int("").unwrap(), None);
        assert_eq!(int("pageSize=").unwrap(), None);
        for (raw, number) in [("0", 0), ("200", 200), ("007", 7), ("+20", 20), ("%2B20", 20)] {
            assert_eq!(int(&format!("pagesize={raw}")).unwrap(), Some(number), "{raw}");
        }
        let why = "must be an integer from 0 to 200.".to_owned();
        for raw in ["-1", "201", "1.0", "1e2", "ten", "99999999999999999999", "1%2C000", "+"] {
            let refused = refused(int(&format!("pagesize={raw}")));
            assert_eq!(refused, ("pageSize".to_owned(), why.clone()), "{raw}");
        }
    }

    #[test]
    fn flags_are_true_or_false() {
        let flag = |raw: &str| query(&format!("INCLUDECHILDREN={raw}")).flag("includeChildren");
        let table =
            [("", None), ("true", Some(true)), ("True", Some(true)), ("FALSE", Some(false))];
        for (raw, value) in table {
            assert_eq!(flag(raw).unwrap(), value, "{raw}");
        }
        for raw in ["1", "yes", "truee", "+"] {
            let expected = ("includeChildren".to_owned(), "must be true or false.".to_owned());
            assert_eq!(refused(flag(raw)), expected, "{raw}");
        }
    }

    #[test]
    fn dates_are_read_and_blank_ones_are_none() {
        let date = |raw: &str| query(&format!("lastmodifiedtime={raw}")).date("lastModifiedTime");
        assert_eq!(date("").unwrap(), None);
        assert_eq!(date("++").unwrap(), None);
        assert_eq!(date("1970-01-01T00:00:01.5Z").unwrap(), Some(Time(1_500)));
        // An offset whose `+` was not escaped.
        assert_eq!(date("1970-01-01T01:00:01+01:00").unwrap(), Some(Time(1_000)));
        for raw in ["yesterday", "2026-03-04", "0"] {
            assert_eq!(
                refused(date(raw)),
                ("lastModifiedTime".to_owned(), DATE.to_owned()),
                "{raw}"
            );
        }
    }
}
