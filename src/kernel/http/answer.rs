//! Answers with a JSON body: what was found, what a change made, and the tags by which clients tell
//! whether they know it already.
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use xxhash_rust::xxh3::xxh3_128;

use crate::kernel::idempotency::Answer;

/// Content type of every JSON body.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The weak entity tag of a body. It tells states of one record apart, of which nobody gains anything by
/// making two look alike: the hash need not withstand that.
pub fn etag(body: &[u8]) -> String {
    let mut tag = String::with_capacity(36);
    tag.push_str("W/\"");
    tag.push_str(&hex::encode(xxh3_128(body).to_be_bytes()));
    tag.push('"');
    tag
}

/// Whether `If-None-Match` or `If-Match` names this tag. Weak tags are compared by what they quote:
/// all of ours are weak.
pub fn names_tag(header: &str, tag: &str) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    header.trim() == "*" || header.split(',').any(|candidate| opaque(candidate) == opaque(tag))
}

/// 200 with a JSON body and its tag, or 304 when `If-None-Match` names that tag.
pub fn found(if_none_match: Option<&HeaderValue>, body: Vec<u8>) -> Response {
    tagged(if_none_match, &etag(&body), body)
}

/// As [`found`], with a tag of the caller's: that of a whole record for a body that shows parts of it.
pub fn tagged(if_none_match: Option<&HeaderValue>, tag: &str, body: Vec<u8>) -> Response {
    let known = if_none_match.and_then(|header| header.to_str().ok());
    let mut response = if known.is_some_and(|known| names_tag(known, tag)) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response
    };
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What a change answers.
pub fn changed(answer: Answer) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    if let Some(location) = answer.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if !answer.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, JSON);
        if let Ok(tag) = HeaderValue::from_str(&etag(&answer.body)) {
            headers.insert(header::ETAG, tag);
        }
        *response.body_mut() = Body::from(answer.body);
    }
    response
}

/// Tells how a change was handled: strictly, as the caller wished, and whether the answer is one that was
/// kept.
pub fn marked(mut response: Response, is_strict: bool, replayed: bool) -> Response {
    let headers = response.headers_mut();
    if is_strict {
        headers.insert("preference-applied", HeaderValue::from_static("handling=strict"));
    }
    if replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}
