//! Reading the feed.
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;

use super::dto::{MAX_LIMIT, MAX_NAME};
use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::answer;
use crate::kernel::node_id;
use crate::kernel::record::field::MAX_SAFE_INTEGER;
use crate::kernel::record::render::{
    write_disablable_reference, write_int, write_text, write_time,
};
use crate::kernel::record::select::Sql;
use crate::offering_api::access::Caller;

/// Which part of the feed.
#[derive(Debug, PartialEq, Eq)]
struct FeedQuery {
    after: i64,
    limit: i64,
    event: Option<String>,
}

impl FeedQuery {
    /// # Errors
    /// 400 that names the parameter and what it may be.
    fn parse(raw: &str) -> Result<Self> {
        let mut query = Self { after: 0, limit: MAX_LIMIT, event: None };
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            let number = |least: i64, most: i64| {
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse().ok().filter(|it| digits && (least..=most).contains(it));
                number.ok_or_else(|| {
                    Error::BadRequest(format!(
                        "Invalid {name}: use a number from {least} to {most}"
                    ))
                })
            };
            match &*name {
                "after" => query.after = number(0, MAX_SAFE_INTEGER)?,
                "limit" => query.limit = number(1, MAX_LIMIT)?,
                "event" => {
                    let is_name = (1..=MAX_NAME).contains(&value.len()) && !value.contains('\0');
                    let wrong = "Invalid event: use a name as in app_offering.update";
                    let name = is_name.then(|| value.clone().into_owned());
                    query.event = Some(name.ok_or_else(|| Error::BadRequest(wrong.to_owned()))?);
                }
                _ => {
                    return Err(Error::BadRequest(format!(
                        "Unknown parameter: {name}; there are after, event, limit"
                    )));
                }
            }
        }
        Ok(query)
    }

    /// Where it goes on behind a position.
    fn next(&self, public_url: &str, path: &str, position: i64) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("after", &position.to_string());
        if let Some(event) = &self.event {
            pairs.append_pair("event", event);
        }
        pairs.append_pair("limit", &self.limit.to_string());
        format!("<{public_url}{path}?{}>; rel=\"next\"", pairs.finish())
    }
}

/// Events of the caller's account behind a position.
///
/// # Errors
/// 400 for a query that cannot be understood.
pub(super) async fn list(state: &AppState, caller: &Caller, uri: &Uri) -> Result<Response> {
    let query = FeedQuery::parse(uri.query().unwrap_or_default())?;
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT e.position, e.event_id, e.name, e.record_type, e.record_id, e.audit_line_id, \
         e.payload, e.created_at, p.id, p.name, NULL, p.account_id, \
         CASE WHEN p.account_id <> e.account_id THEN a.name END, p.disabled \
         FROM events e LEFT JOIN people p ON p.id = e.person_id \
         LEFT JOIN accounts a ON a.id = p.account_id WHERE e.account_id = ",
    );
    sql.bind(&*caller.view.account).push(" AND e.position > ").bind(query.after);
    if let Some(event) = &query.event {
        sql.push(" AND e.name = ").bind(event.as_str());
    }
    sql.push(" ORDER BY e.position LIMIT ").bind(query.limit);
    let view = caller.view.clone();
    let read = move |(body, last): &mut (Vec<u8>, i64), row: &dyn Row| {
        body.extend_from_slice(if body.is_empty() {
            b"[{\"position\":"
        } else {
            b",{\"position\":"
        });
        *last = row.int(0).unwrap_or_default();
        write_int(body, Some(*last));
        let kind = row.text(3).unwrap_or_default();
        for (name, at) in [("id", 1), ("event", 2), ("object_type", 3)] {
            body.extend_from_slice(format!(",\"{name}\":").as_bytes());
            write_text(body, row.text(at).as_deref());
        }
        let mut number = |name: &str, node_type: &str, id: i64| {
            let node_id = node_id::encode(&view.site.domain, node_type, id);
            body.extend_from_slice(
                format!(",\"{name}_id\":{id},\"{name}_nodeID\":\"{node_id}\"").as_bytes(),
            );
        };
        number("object", &node_type(&kind), row.int(4).unwrap_or_default());
        if let Some(line) = row.int(5) {
            number("audit_line", "AuditLine", line);
        }
        body.extend_from_slice(b",\"person\":");
        write_disablable_reference(body, row, 8, &view, "Person");
        body.extend_from_slice(b",\"payload\":");
        body.extend_from_slice(row.text(6).as_deref().unwrap_or("{}").as_bytes());
        body.extend_from_slice(b",\"created_at\":");
        write_time(body, row.int(7), &view);
        body.push(b'}');
    };
    let start = (Vec::new(), query.after);
    // A name that is rare may be far away.
    let feed = sql.query(query.event.is_some());
    let (mut body, last) = state.store.committed().fetch(feed, start, read).await?;
    body.extend_from_slice(if body.is_empty() { b"[]" } else { b"]" });
    let mut response = answer::found(caller.if_none_match.as_ref(), body);
    let next = query.next(&state.site.public_url, uri.path(), last);
    // What is known leads on as it did.
    if response.status() == StatusCode::OK
        && let Ok(next) = HeaderValue::from_str(&next)
    {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

/// Type in the nodeIDs of a kind of records: `app_offering` is `AppOffering`.
fn node_type(record: &str) -> String {
    let word = |word: &str| {
        let mut signs = word.chars();
        let first = signs.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(signs).collect::<String>()
    };
    record.split('_').map(word).collect()
}
