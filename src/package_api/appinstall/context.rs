//! The tenant and site in whose context a request is made (contract 1.4).
use http::HeaderMap;

use crate::kernel::error::Result;
use crate::package_api::convention::refusal;

/// `x-vol-tenant`: number of a tenant, if there is one.
///
/// # Errors
/// 400 for what is no number.
pub fn tenant(headers: &HeaderMap) -> Result<Option<i64>> {
    number(headers, "x-vol-tenant")
}

/// `x-vol-site`: number of a site, if there is one.
///
/// # Errors
/// 400 for what is no number.
pub fn site(headers: &HeaderMap) -> Result<Option<i64>> {
    number(headers, "x-vol-site")
}

/// An empty header is as good as none, as empty parameters are.
fn number(headers: &HeaderMap, name: &str) -> Result<Option<i64>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or("-").trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse::<i32>().ok().filter(|number| *number >= 1);
    let number = number.ok_or_else(|| {
        refusal::missing(name, &format!("must be an integer from 1 to {}.", i32::MAX))
    })?;
    Ok(Some(number.into()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(value: &'static [u8]) -> Result<Option<i64>> {
        let mut headers = HeaderMap::new();
        headers.insert("x-vol-tenant", HeaderValue::from_bytes(value).unwrap());
        assert_eq!(site(&headers).unwrap(), None);
        tenant(&headers)
    }

    #[test]
    fn the_context_is_a_number_or_none() {
        assert_eq!(tenant(&HeaderMap::new()).unwrap(), None);
        assert_eq!(of(b"").unwrap(), None);
        assert_eq!(of(b" 7 ").unwrap(), Some(7));
        assert_eq!(of(b"2147483647").unwrap(), Some(2_147_483_647));
        for wrong in [&b"0"[..], b"-1", b"2147483648", b"1.0", b"acme", b"\xE9"] {
            let refused = of(wrong).unwrap_err();
            let expected = "Missing or invalid parameter: x-vol-tenant must be an integer from 1 to \
                            2147483647.";
            assert_eq!(
                (refused.status().as_u16(), refused.to_string()),
                (400, expected.to_owned())
            );
        }
    }
}
