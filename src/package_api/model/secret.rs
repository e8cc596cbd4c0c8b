//! The secret of a version, with which its packages log in (contract 2.5, member 10).
//!
//! Its owner may read it again, so it is sealed rather than hashed alone; the log-in compares keyed
//! hashes and opens nothing.
use subtle::ConstantTimeEq;

use crate::kernel::error::{Error, Result};
use crate::kernel::secret::{MasterKey, Purpose};
use crate::package_api::model::versions;

/// A new secret, in the three forms in which it is needed.
#[derive(Clone)]
pub struct SharedSecret {
    /// The secret: 32 hexadecimal digits.
    pub plain: String,
    /// As it is stored, bound to the guid of its version.
    pub sealed: String,
    /// Its keyed hash.
    pub hash: String,
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

impl SharedSecret {
    /// Makes a secret for the version with this guid.
    pub fn new(key: &MasterKey, guid: &str) -> Self {
        let plain = hex::encode(rand::random::<[u8; 16]>());
        let sealed = key.seal(Purpose::SharedSecret, guid.as_bytes(), plain.as_bytes());
        let hash = hash(key, &plain);
        Self { plain, sealed, hash }
    }

    /// Whether `given` is the secret behind a stored hash; takes the same time for right and wrong.
    pub fn same(key: &MasterKey, stored_hash: &str, given: &str) -> bool {
        hash(key, given).as_bytes().ct_eq(stored_hash.as_bytes()).into()
    }
}

/// The secret of a version, for its owner.
///
/// # Errors
/// 500 when another master key has sealed it.
pub fn show(key: &MasterKey, version: &versions::entity::Model) -> Result<String> {
    open(key, &version.guid, &version.shared_secret)
}

/// The secret of the version with this guid.
///
/// # Errors
/// 500 when another master key has sealed it.
pub fn open(key: &MasterKey, guid: &str, sealed: &str) -> Result<String> {
    let plain = key
        .open(Purpose::SharedSecret, guid.as_bytes(), sealed)
        .and_then(|plain| String::from_utf8(plain).ok());
    plain.ok_or_else(|| {
        Error::internal(
            "the secret of a version does not open: is this the master key it was sealed with?",
        )
    })
}

fn hash(key: &MasterKey, plain: &str) -> String {
    hex::encode(key.sign(Purpose::SharedSecret, &[plain.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_hash_and_opens_with_its_guid() {
        let key = MasterKey::parse(&"1".repeat(64)).unwrap();
        let secret = SharedSecret::new(&key, "guid");
        assert!(
            secret.plain.len() == 32 && secret.plain.bytes().all(|byte| byte.is_ascii_hexdigit())
        );
        assert_ne!(SharedSecret::new(&key, "guid").plain, secret.plain);
        assert!(SharedSecret::same(&key, &secret.hash, &secret.plain));
        assert!(!SharedSecret::same(&key, &secret.hash, &format!("{}0", secret.plain)));
        assert!(!SharedSecret::same(&key, &secret.hash, ""));
        let open = |guid: &[u8]| key.open(Purpose::SharedSecret, guid, &secret.sealed);
        assert_eq!(open(b"guid"), Some(secret.plain.clone().into_bytes()));
        assert_eq!(open(b"another"), None);
        assert_eq!(format!("{secret:?}"), "SharedSecret(…)");
    }
}
