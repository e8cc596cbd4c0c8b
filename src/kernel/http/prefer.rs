//! The `Prefer` header (RFC 7240).
use http::HeaderMap;

/// Whether a request asks for `handling=strict`: what the server does not know is to be refused, not
/// ignored.
pub fn is_strict(headers: &HeaderMap) -> bool {
    headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split([',', ';']).any(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            name.trim().eq_ignore_ascii_case("handling")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("strict")
        })
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn strictness_is_one_preference_among_others() {
        for (lines, strict) in [
            (["handling=strict"].as_slice(), true),
            (&[], false),
            (&["respond-async, Handling = \"STRICT\""], true),
            (&["return=minimal", "wait=10; handling=strict"], true),
            (&["handling=lenient"], false),
            (&["handling"], false),
            (&["strict"], false),
            (&["return=\"handling\""], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("prefer", HeaderValue::from_static(line));
            }
            assert_eq!(is_strict(&headers), strict, "{lines:?}");
        }
    }
}
