//! What is told of a page, and the headers that lead from one to the next (contract 1.9).
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::cursor::{Cursor, Position};
use super::query::ListQuery;
use super::view::View;

/// Beyond this many matches a filtered list is not counted exactly.
pub const COUNT_LIMIT: i64 = 100_000;

/// What is known of a page once it is read.
#[derive(Debug, Default)]
pub struct PageInfo {
    /// Rank of the first item, from 0.
    pub start: i64,
    /// Number of items on this page.
    pub len: i64,
    /// All items of the list, on whatever page.
    pub total: i64,
    /// Whether `total` stopped at [`COUNT_LIMIT`].
    pub has_more: bool,
    /// Whether items precede this page.
    pub has_previous: bool,
    /// Sort keys of the first and the last item.
    pub ends: Option<(Vec<Value>, Vec<Value>)>,
}

/// Adds `Link` and `X-Pagination-*`.
pub fn write_headers(
    headers: &mut HeaderMap,
    query: &ListQuery,
    info: &PageInfo,
    path: &str,
    view: &View,
) {
    let per_page = i64::from(query.per_page);
    let current = match query.position {
        Position::Page(page) => page,
        _ => info.start / per_page + 1,
    };
    let pages = (info.total + per_page - 1) / per_page;
    headers.insert("x-pagination-per-page", per_page.into());
    headers.insert("x-pagination-current-page", current.into());
    headers.insert("x-pagination-total-pages", pages.into());
    headers.insert("x-pagination-total-entries", info.total.into());
    if info.total >= COUNT_LIMIT {
        headers.insert("x-pagination-throttled", HeaderValue::from_static("true"));
    }
    let cursor = |keys: &Vec<Value>, offset| {
        Cursor { offset, keys: keys.clone() }.seal(view, query.context())
    };
    let mut links = Links { query, path, view, text: String::new() };
    let by_number = matches!(query.position, Position::Page(_));
    if let Some((first, last)) = &info.ends {
        let start = cursor(first, info.start);
        let end = cursor(last, info.start + info.len - 1);
        for (name, value) in
            [("x-pagination-start-cursor", &start), ("x-pagination-end-cursor", &end)]
        {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        if info.has_previous && !by_number {
            links.add("first", None);
            links.add("prev", Some(("search_before", &start)));
        }
        if info.has_more && !by_number {
            links.add("next", Some(("search_after", &end)));
        }
    }
    if by_number && pages > 0 {
        if current > 1 {
            links.add("first", Some(("page", "1")));
            // From beyond the end the last page is the previous one.
            links.add("prev", Some(("page", &(current - 1).min(pages).to_string())));
        }
        if current < pages {
            links.add("next", Some(("page", &(current + 1).to_string())));
        }
    }
    if !links.text.is_empty()
        && let Ok(value) = HeaderValue::from_str(&links.text)
    {
        headers.insert(http::header::LINK, value);
    }
}

struct Links<'a> {
    query: &'a ListQuery,
    path: &'a str,
    view: &'a View,
    text: String,
}

impl Links<'_> {
    /// Adds one link. Clients split on `,` and `;` without regard to brackets: exactly one parameter,
    /// no blank after the comma, and none of these characters inside the URL.
    fn add(&mut self, rel: &str, position: Option<(&str, &str)>) {
        let Self { query, path, view, text } = self;
        if !text.is_empty() {
            text.push(',');
        }
        text.push('<');
        text.push_str(view.site.public_url.trim_end_matches('/'));
        text.push_str(path);
        let mut separator = '?';
        for pair in query.kept() {
            text.push(separator);
            separator = '&';
            for character in pair.chars() {
                match character {
                    ',' => text.push_str("%2C"),
                    ';' => text.push_str("%3B"),
                    '<' => text.push_str("%3C"),
                    '>' => text.push_str("%3E"),
                    '"' => text.push_str("%22"),
                    other => text.push(other),
                }
            }
        }
        if let Some((name, value)) = position {
            text.push(separator);
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text.push_str(">; rel=\"");
        text.push_str(rel);
        text.push('"');
    }
}
