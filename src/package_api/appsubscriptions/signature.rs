//! The signature of event notifications, `x-vol-hmac-sha256` (contract 4.4). Despite its name it is no
//! HMAC.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What notifications of an application version are signed with. It is made of the version's shared
/// secret and stands for it: neither signing nor verifying needs the secret itself.
#[derive(Clone, PartialEq, Eq)]
pub struct NotificationKey(String);

impl std::fmt::Debug for NotificationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NotificationKey(…)")
    }
}

impl NotificationKey {
    /// The key of a shared secret.
    pub fn of(secret: &str) -> Self {
        Self(digest(&[secret.as_bytes(), secret.as_bytes()]))
    }

    /// The signature of a notification: `date` is the text of its `Date` header, `body` its bytes. 44
    /// characters of Base64.
    pub fn sign(&self, date: &str, body: &[u8]) -> String {
        digest(&[self.0.as_bytes(), date.as_bytes(), body])
    }
}

/// SHA-256 of `parts` in a row, as Base64 with padding.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const DATE: &str = "Wed, 04 Mar 2026 09:15:00 GMT";
    const BODY: &str = concat!(
        r#"{"eventId":"6f1c2a34-9b1e-4f0a-8f57-0d3e5b7a9c11","topic":"application.installed","#,
        r#""entityId":"acme01.loyalty.1.0.0.Release","timestamp":"2026-03-04T09:14:59.120Z","#,
        r#""correlationId":"5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f","isTest":false}"#,
    );

    /// Line 14 of the contract's checklist.
    #[test]
    fn check_14_the_signature_is_that_of_the_test_vector() {
        assert_eq!(BODY.len(), 229);
        let key = NotificationKey::of(SECRET);
        assert_eq!(key.0, "qK5ubukpq+o6/PxSWMjM1vhSc+DUYm0mxyefMlD3fI4=");
        let signature = key.sign(DATE, BODY.as_bytes());
        assert_eq!(signature, "926iaXZdsN9rW9rT+a/mnLsNqciIp+35tXjBE8DoLbs=");
    }

    #[test]
    fn every_part_is_signed() {
        let key = NotificationKey::of(SECRET);
        let signature = key.sign(DATE, BODY.as_bytes());
        let other_date = DATE.replace("09:15:00", "09:15:01");
        let others = [
            key.sign(&other_date, BODY.as_bytes()),
            key.sign(DATE, &BODY.as_bytes()[1..]),
            NotificationKey::of(&SECRET[1..]).sign(DATE, BODY.as_bytes()),
        ];
        assert!(others.iter().all(|other| *other != signature));
        assert_eq!(signature.len(), 44);
    }
}
