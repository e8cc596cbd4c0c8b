//! Credentials of a program as HTTP Basic (RFC 6749, 2.3.1).
use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

/// Id and secret of `Authorization: Basic`, the scheme in any case. `None` without that header and for
/// another scheme, which says nothing about a program; `Some(None)` for what cannot be read.
pub fn credentials(headers: &HeaderMap) -> Option<Option<(String, String)>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("basic").then(|| decode(rest.trim()))
}

/// Each part is encoded like a form's value before they are joined.
fn decode(encoded: &str) -> Option<(String, String)> {
    let plain = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
    };
    Some((decode(id)?, decode(secret)?))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn id_and_secret_are_read_from_their_header() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            credentials(&headers)
        };
        let basic = |plain: &[u8]| read(&format!("basic {}", STANDARD.encode(plain)));
        let pair = |id: &str, secret: &str| Some(Some((id.to_owned(), secret.to_owned())));
        assert_eq!(basic(b"a.b.1.0.0.Release:s"), pair("a.b.1.0.0.Release", "s"));
        assert_eq!(basic(b"a%3Ab+c:s%25:t"), pair("a:b c", "s%:t"));
        assert_eq!(basic(b":"), pair("", ""));
        for wrong in [b"no colon".as_slice(), b"\xFF:s", b"%FF:s"] {
            assert_eq!(basic(wrong), Some(None), "{wrong:?}");
        }
        assert_eq!(read("Basic !"), Some(None));
        assert_eq!(read("Basic"), Some(None));
        assert_eq!(read("Bearer YTpi"), None);
        assert_eq!(credentials(&HeaderMap::new()), None);
    }
}
