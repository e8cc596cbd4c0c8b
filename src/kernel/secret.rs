//! Keys derived from the one master key, and the hashes and signatures made with them.
//!
//! Tokens and client secrets are stored as keyed hashes: whoever reads the database can neither use
//! nor test them.
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The master key of an installation: 32 bytes from which every other key is derived.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What a derived key is for. Two purposes never share a key.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Hashes of access tokens.
    Token,
    /// Hashes of OAuth client secrets.
    ClientSecret,
    /// Signatures of page cursors.
    Cursor,
    /// Signatures of uploads and of expiring links to stored files.
    Storage,
}

impl MasterKey {
    /// Reads a key from text: 64 hexadecimal digits (white space around them is ignored).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.trim()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// A new random key.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The key as 64 hexadecimal digits, for the key file.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// HMAC-SHA-256 of `parts` under the key of one purpose. Parts are told apart by their length,
    /// so that no two lists of parts sign alike.
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac();
        mac.update(&[purpose as u8]);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether `signature` signs `parts`; takes the same time for right and wrong.
    pub fn verify(&self, purpose: Purpose, parts: &[&[u8]], signature: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        let expected = self.sign(purpose, parts);
        let length = signature.len();
        (16..=32).contains(&length) && bool::from(expected[..length].ct_eq(signature))
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length")
    }
}

/// A random secret of `length` characters that are safe in URLs, headers and shells (62 letters and
/// digits: 5.95 bits each).
pub fn random_text(length: usize) -> String {
    use rand::RngExt;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(length).map(char::from).collect()
}

/// HMAC-SHA-256 as other protocols define it, with a key of theirs.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// SHA-256 of `parts`, as hexadecimal text.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
