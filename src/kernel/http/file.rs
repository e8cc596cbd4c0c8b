//! Answers that are files.
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// 200 with a file's bytes, of which there are `size`.
pub fn stream(
    size: u64,
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    content_type: HeaderValue,
) -> Response {
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, size.into());
    response
}

/// `Content-Disposition` with the name in ASCII for old clients and in full for others (RFC 6266).
/// What is not `shown` browsers save.
pub fn disposition(shown: bool, name: &str) -> String {
    // What RFC 5987 lets stand.
    const SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let kind = if shown { "inline" } else { "attachment" };
    let plain: String = name
        .chars()
        .map(|it| if matches!(it, ' '..='~') && !matches!(it, '"' | '\\' | '%') { it } else { '_' })
        .collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, SAFE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_their_header() {
        assert_eq!(
            disposition(true, "logo.png"),
            "inline; filename=\"logo.png\"; filename*=UTF-8''logo.png"
        );
        assert_eq!(
            disposition(false, "Über \"x\".html"),
            "attachment; filename=\"_ber _x_.html\"; filename*=UTF-8''%C3%9Cber%20%22x%22.html"
        );
    }
}
