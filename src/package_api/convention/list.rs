//! Pages of rows that are filtered and sorted here, one by one (contract 1.7): also by members that no
//! table has, and with one meaning of case on both databases.
use utoipa::IntoParams;

use crate::kernel::error::Result;
use crate::package_api::convention::filter::Filter;
use crate::package_api::convention::member::Member;
use crate::package_api::convention::page::Page;
use crate::package_api::convention::query::Query;
use crate::package_api::convention::refusal;
use crate::package_api::convention::sort::Order;

/// Longest `sortBy`, in bytes.
const LONGEST_ORDER: usize = 2048;

/// Size of a page unless another is asked for.
pub const PAGE: i64 = 20;
/// Size of a page of packages of one version, unless another is asked for.
pub const PAGE_OF_PACKAGES: i64 = 50;

/// Parameters that pages have.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `List::parse` reads")]
pub struct ListParams {
    /// Number of items before the first one of the page.
    #[param(rename = "startIndex", minimum = 0, maximum = 2147483647, default = 0, example = 0)]
    start_index: Option<i32>,
    /// What the items are sorted by: names of members, each with `asc` or `desc` behind it, separated by
    /// commas. Items that are equal in these are sorted by their numbers.
    #[param(rename = "sortBy", max_length = 2048, example = "name asc")]
    sort_by: Option<String>,
    /// Which items the list has: comparisons `<member> <operator> <value>`, joined by `and`. Operators
    /// are `eq`, `ne`, `gt`, `ge`, `lt`, `le` (these four of numbers and dates), `cont` (contains) and `sw`
    /// (starts with) of texts, and `in`, which takes a list as in `[1,3]`. Case does not matter. `null` is no
    /// value, of `eq` and `ne`. A value stands as it is or in quotes, `'…'` or `"…"`, with a backslash before a
    /// quote in it; it needs them when one of its words is `and`, `or` or `not`, or it has parentheses. A day
    /// is its midnight in UTC.
    #[param(max_length = 2048, example = "name cont 'loyal'")]
    filter: Option<String>,
}

/// How many items a page has.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `List::parse` reads")]
pub struct PageSize {
    /// Most items of a page; 0 only counts them.
    #[param(rename = "pageSize", minimum = 0, maximum = 200, default = json!(PAGE), example = 20)]
    page_size: Option<i32>,
}

/// How many packages of one version a page has.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `List::parse` reads")]
pub struct PageSizeOfPackages {
    /// Most packages of a page; 0 only counts them.
    #[param(rename = "pageSize", minimum = 0, maximum = 200, default = json!(PAGE_OF_PACKAGES), example = 50)]
    page_size: Option<i32>,
}

/// What a request asks of a list of rows, `T`.
#[derive(Debug)]
pub struct List<T: 'static> {
    /// Which of the rows that are left.
    pub page: Page,
    /// In which order.
    pub order: Order<T>,
    /// Which rows are left.
    pub filter: Filter<T>,
}

impl<T: 'static> List<T> {
    /// Reads `startIndex`, `pageSize`, `sortBy` and `filter`.
    ///
    /// # Errors
    /// 400 for what is malformed or names no member.
    pub fn parse(query: &Query, size: i64, members: &'static [Member<T>]) -> Result<Self> {
        let sort_by = query.text("sortBy")?;
        if sort_by.is_some_and(|text| text.len() > LONGEST_ORDER) {
            let why = format!("must have at most {LONGEST_ORDER} bytes.");
            return Err(refusal::missing("sortBy", &why));
        }
        Ok(Self {
            page: Page::parse(query, size)?,
            order: Order::parse(sort_by, members)?,
            filter: Filter::parse(query.text("filter")?, members)?,
        })
    }

    /// Whether all rows are wanted in the order they have anyway, so that the database can page.
    pub fn is_plain(&self) -> bool {
        self.order.is_none() && self.filter.is_none()
    }
}

/// Takes rows one by one, in the order of the list, and keeps those of the page.
#[derive(Debug)]
pub struct Gathered<T: 'static> {
    list: List<T>,
    total: i64,
    rows: Vec<T>,
}

impl<T: 'static> Gathered<T> {
    /// Nothing yet.
    pub fn new(list: List<T>) -> Self {
        Self { list, total: 0, rows: Vec::new() }
    }

    /// Takes the next row.
    pub fn add(&mut self, row: T) {
        let List { page, order, filter } = &self.list;
        if !filter.holds(&row) {
            return;
        }
        self.total += 1;
        let end = page.start + page.size;
        if order.is_none() {
            if (page.start + 1..=end).contains(&self.total) {
                self.rows.push(row);
            }
            return;
        }
        self.rows.push(row);
        // What is beyond the page by now stays beyond it: a long list is not kept as a whole.
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        if self.rows.len() > end.saturating_mul(2).saturating_add(1_000) {
            self.sort();
            self.rows.truncate(end);
        }
    }

    /// The number of rows in the list, and those of the page.
    pub fn finish(mut self) -> (i64, Vec<T>) {
        if self.list.order.is_none() {
            return (self.total, self.rows);
        }
        self.sort();
        (self.total, self.list.page.of(self.rows))
    }

    /// Equal rows stay in the order in which they came.
    fn sort(&mut self) {
        let order = &self.list.order;
        self.rows.sort_by(|left, right| order.compare(left, right));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package_api::convention::member::Kind;

    struct Row {
        id: i64,
        group: i64,
    }

    static MEMBERS: [Member<Row>; 2] = [
        Member { name: "id", kind: Kind::Int, read: |row| row.id.into() },
        Member { name: "group", kind: Kind::Int, read: |row| row.group.into() },
    ];

    /// The list of rows 1 to 5,000, in ten groups.
    fn gathered(query: &str) -> (i64, Vec<i64>) {
        let query = Query::parse(Some(query));
        let mut gathered = Gathered::new(List::parse(&query, 3, &MEMBERS).unwrap());
        for id in 1..=5_000 {
            gathered.add(Row { id, group: id % 10 });
        }
        let (total, rows) = gathered.finish();
        (total, rows.into_iter().map(|row| row.id).collect())
    }

    #[test]
    fn pages_are_cut_out_of_what_is_left_in_its_order() {
        let table: [(&str, i64, &[i64]); 10] = [
            ("filter=group+eq+7", 500, &[7, 17, 27]),
            ("filter=group+eq+7&startIndex=2&pageSize=2", 500, &[27, 37]),
            ("filter=group+eq+7&startIndex=499", 500, &[4997]),
            ("filter=group+eq+7&startIndex=500", 500, &[]),
            ("filter=group+eq+10", 0, &[]),
            ("filter=group+eq+7&pageSize=0", 500, &[]),
            ("sortBy=id+desc&startIndex=1", 5_000, &[4_999, 4_998, 4_997]),
            // Equal rows keep the order of their ids, however often they were sorted.
            ("sortBy=group+desc&startIndex=499", 5_000, &[4_999, 8, 18]),
            ("sortBy=group&startIndex=4998&pageSize=9", 5_000, &[4_989, 4_999]),
            ("sortBy=id+desc&filter=id+le+2", 2, &[2, 1]),
        ];
        for (query, total, ids) in table {
            assert_eq!(gathered(query), (total, ids.to_vec()), "{query}");
        }
    }

    #[test]
    fn rows_beyond_the_page_are_let_go() {
        let query = Query::parse(Some("sortBy=group+desc"));
        let mut gathered = Gathered::new(List::parse(&query, 3, &MEMBERS).unwrap());
        for id in 1..=100_000 {
            gathered.add(Row { id, group: id % 10 });
            assert!(gathered.rows.len() <= 1_006);
        }
    }

    #[test]
    fn only_a_list_without_filter_and_order_is_plain() {
        let table =
            [("", true), ("startIndex=4", true), ("sortBy=id", false), ("filter=id+eq+1", false)];
        for (query, is_plain) in table {
            let parsed = Query::parse(Some(query));
            let list = List::parse(&parsed, 3, &MEMBERS).unwrap();
            assert_eq!(list.is_plain(), is_plain, "{query}");
        }
    }
}
