//! nodeIDs: opaque, globally unique names of records (contract 1.15).
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Appends the nodeID of a record: unpadded URL-safe base64 of `<domain>/<Type>/<id>`.
pub fn write(out: &mut Vec<u8>, domain: &str, node_type: &str, id: i64) {
    let mut digits = [0_u8; 20];
    let digits = decimal(id, &mut digits);
    let mut plain = Vec::with_capacity(domain.len() + node_type.len() + digits.len() + 2);
    plain.extend_from_slice(domain.as_bytes());
    plain.push(b'/');
    plain.extend_from_slice(node_type.as_bytes());
    plain.push(b'/');
    plain.extend_from_slice(digits);
    let start = out.len();
    out.resize(start + plain.len().div_ceil(3) * 4, 0);
    let written = URL_SAFE_NO_PAD.encode_slice(&plain, &mut out[start..]).unwrap_or_default();
    out.truncate(start + written);
}

/// The nodeID as text.
pub fn encode(domain: &str, node_type: &str, id: i64) -> String {
    let mut out = Vec::new();
    write(&mut out, domain, node_type, id);
    String::from_utf8(out).unwrap_or_default()
}

/// The numeric id in a nodeID of this domain and type; `None` for anything else.
pub fn decode(domain: &str, node_type: &str, text: &str) -> Option<i64> {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let id = plain.strip_prefix(domain)?.strip_prefix('/')?.strip_prefix(node_type)?;
    let id: i64 = id.strip_prefix('/')?.parse().ok()?;
    // Only the canonical form is a name: "+7" and "007" are not.
    (encode(domain, node_type, id) == text).then_some(id)
}

/// Writes a number's digits into the buffer and returns them.
fn decimal(value: i64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        // A remainder of ten fits a byte.
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_leads_back_to_its_record_only() {
        let text = encode("example.test", "AppOffering", 12);
        assert_eq!(text, "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzEy");
        assert_eq!(decode("example.test", "AppOffering", &text), Some(12));
        assert_eq!(decode("example.test", "UiExtension", &text), None);
        assert_eq!(decode("other.test", "AppOffering", &text), None);
        assert_eq!(decode("example.test", "AppOffering", "ZXhhbXBsZS50ZXN0"), None);
        let padded = URL_SAFE_NO_PAD.encode("example.test/AppOffering/012");
        assert_eq!(decode("example.test", "AppOffering", &padded), None);
    }
}
