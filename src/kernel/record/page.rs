//! Pages: by number and by cursor, and the headers that lead from one to the next (contract 1.9).
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::query::ListQuery;
use crate::kernel::record::View;
use crate::kernel::secret::Purpose;

/// Beyond this many matches a filtered list is not counted exactly.
pub const COUNT_LIMIT: i64 = 100_000;
/// Bytes of a cursor's signature.
const SIGNATURE: usize = 16;

/// Where in a list a page is.
#[derive(Clone, Debug)]
pub enum Position {
    /// The first page, with cursors leading on.
    First,
    /// A page by its number, from 1.
    Page(i64),
    /// What follows a cursor.
    After(Cursor),
    /// What precedes a cursor.
    Before(Cursor),
}

/// A place in a list: the sort keys of an item, and its rank when it was shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// Rank of the item in the list, from 0. A hint: later changes may have moved it.
    pub offset: i64,
    /// Values of the sort keys, the id last.
    pub keys: Vec<Value>,
}

impl Cursor {
    /// The cursor as text, signed for one account, list and order.
    pub fn seal(&self, view: &View, context: &str) -> String {
        let mut plain = format!("{{\"offset\":{},\"cursor\":", self.offset).into_bytes();
        // Values that came from rows always have a JSON form.
        serde_json::to_writer(&mut plain, &self.keys).unwrap_or_default();
        plain.push(b'}');
        let signature = sign(view, context, &plain);
        plain.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(plain)
    }

    /// Reads a cursor; `None` when it is not one of this account, list and order.
    pub fn open(text: &str, view: &View, context: &str, keys: usize) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let (plain, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        let parts: [&[u8]; 3] = [view.account.as_bytes(), context.as_bytes(), plain];
        if !view.site.key.verify(Purpose::Cursor, &parts, signature) {
            return None;
        }
        let value: Value = serde_json::from_slice(plain).ok()?;
        let cursor = Self {
            offset: value.get("offset")?.as_i64()?,
            keys: value.get("cursor")?.as_array()?.clone(),
        };
        (cursor.keys.len() == keys).then_some(cursor)
    }
}

fn sign(view: &View, context: &str, plain: &[u8]) -> [u8; 32] {
    view.site.key.sign(Purpose::Cursor, &[view.account.as_bytes(), context.as_bytes(), plain])
}

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
