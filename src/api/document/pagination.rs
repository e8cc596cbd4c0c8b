//! `x-pagination`: how the pages of a list follow one another, in a form that generators can write helpers from.
use serde_json::{Value, json};

/// The parameter that each way of going on has, and what is said of operations that have it. Each name leads to
/// a parameter of the operation, or to a header or member of its 200.
fn ways() -> [(&'static str, Value); 4] {
    [
        (
            "search_after",
            json!({
                "style": "link",
                "next": {"header": "Link", "rel": "next"},
                "parameters": {
                    "size": "per_page", "page": "page", "after": "search_after", "before": "search_before",
                },
                "response_headers": {
                    "size": "X-Pagination-Per-Page",
                    "page": "X-Pagination-Current-Page",
                    "pages": "X-Pagination-Total-Pages",
                    "total": "X-Pagination-Total-Entries",
                    "before": "X-Pagination-Start-Cursor",
                    "after": "X-Pagination-End-Cursor",
                },
            }),
        ),
        (
            "after",
            json!({
                "style": "feed",
                "next": {"header": "Link", "rel": "next"},
                "parameters": {"size": "limit", "after": "after"},
            }),
        ),
        (
            "startIndex",
            json!({
                "style": "offset",
                "parameters": {"size": "pageSize", "offset": "startIndex"},
                "members": {
                    "items": "items", "size": "pageSize", "offset": "startIndex", "pages": "pageCount",
                    "total": "totalCount",
                },
            }),
        ),
        (
            "nextToken",
            json!({
                "style": "token",
                "next": {"member": "nextToken"},
                "parameters": {"size": "maxResults", "after": "nextToken"},
            }),
        ),
    ]
}

/// Member of an operation that says it.
pub const EXTENSION: &str = "x-pagination";

/// Marks a list that has pages.
pub(super) fn mark(operation: &mut Value) {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let names: Vec<&str> = parameters.filter_map(|it| it["name"].as_str()).collect();
    if let Some((_, how)) = ways().into_iter().find(|(name, _)| names.contains(name)) {
        operation[EXTENSION] = how;
    }
}
