//! Pages of a list (contract 1.7): an offset and a size.
use super::query::Query;
use crate::kernel::error::Result;

/// Largest page.
const LARGEST: i64 = 200;

/// Which rows of a list are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows before the first one.
    pub start: i64,
    /// Most rows. With 0, rows are only counted.
    pub size: i64,
}

impl Page {
    /// Reads `startIndex` and `pageSize`, which is `default` unless it is given.
    ///
    /// # Errors
    /// 400 for what is no integer or out of range.
    pub fn parse(query: &Query, default: i64) -> Result<Self> {
        Ok(Self {
            start: query.int("startIndex", 0..=i64::from(i32::MAX))?.unwrap_or(0),
            size: query.int("pageSize", 0..=LARGEST)?.unwrap_or(default),
        })
    }

    /// `pageCount` of a list of so many rows.
    pub fn pages(self, total: i64) -> i64 {
        if self.size == 0 { 0 } else { (total + self.size - 1) / self.size }
    }

    /// The rows of this page, of all rows in their order.
    pub fn of<T>(self, rows: Vec<T>) -> Vec<T> {
        let (start, size) = (usize::try_from(self.start), usize::try_from(self.size));
        rows.into_iter().skip(start.unwrap_or(usize::MAX)).take(size.unwrap_or(0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::error::Error;

    fn page(query: &str) -> Result<Page> {
        Page::parse(&Query::parse(Some(query)), 20)
    }

    #[test]
    fn pages_are_read_with_their_defaults() {
        let table = [
            ("", 0, 20),
            ("startIndex=&pageSize=", 0, 20),
            ("startindex=40&PAGESIZE=10", 40, 10),
            ("pageSize=200", 0, 200),
            ("pageSize=0", 0, 0),
            ("startIndex=2147483647", 2_147_483_647, 20),
        ];
        for (query, start, size) in table {
            assert_eq!(page(query).unwrap(), Page { start, size }, "{query}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_name() {
        let table = [
            ("startIndex=-1", "startIndex", "must be an integer from 0 to 2147483647."),
            ("startIndex=2147483648", "startIndex", "must be an integer from 0 to 2147483647."),
            ("startIndex=x&pageSize=x", "startIndex", "must be an integer from 0 to 2147483647."),
            ("pageSize=201", "pageSize", "must be an integer from 0 to 200."),
            ("pageSize=-1", "pageSize", "must be an integer from 0 to 200."),
            ("pageSize=1.5", "pageSize", "must be an integer from 0 to 200."),
        ];
        for (query, parameter, why) in table {
            let Err(Error::Coded(coded)) = page(query) else { panic!("{query} is accepted") };
            assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            assert_eq!(coded.data, data.map(|(name, value)| (name, value.to_owned())), "{query}");
        }
    }

    #[test]
    fn pages_are_counted_and_cut() {
        let table = [(20, 0, 0), (20, 1, 1), (20, 20, 1), (20, 21, 2), (1, 5, 5), (0, 5, 0)];
        for (size, total, pages) in table {
            assert_eq!(Page { start: 0, size }.pages(total), pages, "{total} in pages of {size}");
        }
        let of = |start, size| Page { start, size }.of(vec!["a", "b", "c"]);
        assert_eq!(of(0, 2), ["a", "b"]);
        assert_eq!(of(2, 2), ["c"]);
        assert_eq!(of(3, 2), [""; 0]);
        assert_eq!(of(0, 0), [""; 0]);
    }
}
