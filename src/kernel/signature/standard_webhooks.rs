//! Signatures as <https://www.standardwebhooks.com> describes them, which ready libraries of many
//! languages verify.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::kernel::secret::hmac_sha256;

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// Bytes of secrets that are made.
const LENGTH: usize = 32;
/// Bytes that secrets may have: the specification's limits.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that sender and receiver share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Not a secret of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ and the Base64 of 24 to 64 bytes")]
pub struct InvalidSecret;

impl Secret {
    /// A new random secret.
    pub fn generate() -> Self {
        Self(rand::random::<[u8; LENGTH]>().to_vec())
    }

    /// Reads a secret: `whsec_` and Base64.
    ///
    /// # Errors
    /// When it has another form or length.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        let bytes = STANDARD.decode(text).map_err(|_| InvalidSecret)?;
        if LENGTHS.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }

    /// The secret as receivers enter it into their libraries. To be sealed before it is stored.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// Value of `webhook-signature` for a message that is sent with this `webhook-id`, this
    /// `webhook-timestamp` (seconds since the epoch) and this body. While a secret is being replaced the
    /// header holds both signatures, a blank between them.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        format!("v1,{}", STANDARD.encode(hmac_sha256(&self.0, &signed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message that the specification's own libraries are tested with.
    #[test]
    fn the_published_example_is_signed_alike() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_read_as_they_are_shown() {
        let secret = Secret::generate();
        assert_ne!(secret, Secret::generate());
        assert_eq!(secret.0.len(), LENGTH);
        assert_eq!(Secret::parse(&secret.expose()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let of = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
        assert!(Secret::parse(&of(24)).is_ok() && Secret::parse(&of(64)).is_ok());
        let bare = of(32).split_off(PREFIX.len());
        for text in ["", "whsec_", "whsec_???", &bare, &of(23), &of(65), &format!("{} ", of(32))] {
            assert_eq!(Secret::parse(text), Err(InvalidSecret), "{text}");
        }
        let told = InvalidSecret.to_string();
        assert_eq!(told, "must be whsec_ and the Base64 of 24 to 64 bytes");
    }
}
