//! Keys derived from the one master key, and the hashes and signatures made with them.
//!
//! Tokens and client secrets are stored as keyed hashes: whoever reads the database can neither use
//! nor test them. What must be read again is sealed: encrypted, and bound to the row it belongs to.
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

/// Stands for a secret where people and programs look.
pub const MASK: &str = "********";

/// The master key of an installation: 32 bytes from which every other key is derived.
#[derive(Clone)]
pub struct MasterKey(Arc<Keys>);

/// What is made of a master key once and needed again and again.
struct Keys {
    bytes: [u8; 32],
    mac: Hmac<Sha256>,
    /// Tells master keys apart without telling anything about them.
    id: String,
    /// By their purposes.
    ciphers: [LessSafeKey; PURPOSES],
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What a derived key is for. Two purposes never share a key. New ones go to the end: the place in
/// this list is part of every hash and signature, so another order would void them all.
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
    /// Encryption of sealed texts.
    Seal,
    /// Hashes of refresh tokens.
    RefreshToken,
    /// Hashes and sealed texts of application secrets.
    SharedSecret,
    /// Sealed private keys that sign access tokens.
    SigningKey,
    /// Sealed answers that are kept for repetitions of a request.
    Answer,
    /// Sealed private keys that sign the messages of webhooks.
    PolicyKey,
    /// Sealed names, passwords and keys of webhooks.
    WebhookCredentials,
    /// Sealed parts of events and messages.
    Message,
    /// Hashes of the codes by which addresses and configurations are confirmed.
    Code,
    // What is added here becomes the last one of `PURPOSES`.
}

/// How many purposes there are; the place of the last one tells.
const PURPOSES: usize = Purpose::Code as usize + 1;

/// Form of sealed texts: `v1.<key id>.<base64url(nonce, ciphertext, tag)>`.
const SEAL: &str = "v1";

impl MasterKey {
    /// Reads a key from text: 64 hexadecimal digits (white space around them is ignored).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.trim()).ok()?;
        Some(Self::of(bytes.try_into().ok()?))
    }

    fn of(bytes: [u8; 32]) -> Self {
        let mac = Hmac::new_from_slice(&bytes).expect("HMAC takes a key of any length");
        let seal = Purpose::Seal as u8;
        let id = hex::encode(&sign(&mac, seal, &[b"key id"])[..4]);
        let ciphers = std::array::from_fn(|purpose| {
            let key = sign(&mac, seal, &[&[purpose as u8]]);
            let key = UnboundKey::new(&AES_256_GCM, &key).expect("AES-256 keys have 32 bytes");
            LessSafeKey::new(key)
        });
        Self(Arc::new(Keys { bytes, mac, id, ciphers }))
    }

    /// A new random key.
    pub fn generate() -> Self {
        Self::of(rand::random())
    }

    /// The key as 64 hexadecimal digits, for the key file.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.bytes)
    }

    /// HMAC-SHA-256 of `parts` under the key of one purpose. Parts are told apart by their length,
    /// so that no two lists of parts sign alike.
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        sign(&self.0.mac, purpose as u8, parts)
    }

    /// Whether `signature` signs `parts`; takes the same time for right and wrong.
    pub fn verify(&self, purpose: Purpose, parts: &[&[u8]], signature: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        let expected = self.sign(purpose, parts);
        let length = signature.len();
        (16..=32).contains(&length) && bool::from(expected[..length].ct_eq(signature))
    }

    /// Encrypts `plain` with AES-256-GCM, for one purpose and context (the guid of a row, say): a
    /// sealed text opens nowhere else. It names its key, so that the master key can be changed while
    /// texts under the former one are about.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = plain.to_vec();
        self.cipher(purpose)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(purpose, context)),
                &mut sealed,
            )
            .expect("AES-GCM refuses only texts above 64 GiB");
        let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        format!("{SEAL}.{}.{text}", self.0.id)
    }

    /// What [`MasterKey::seal`] has sealed for this purpose and context; `None` for anything else, as
    /// for what another master key has sealed.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &str) -> Option<Vec<u8>> {
        let (id, text) = sealed.strip_prefix(SEAL)?.strip_prefix('.')?.split_once('.')?;
        if id != self.0.id {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(bytes.get(..NONCE_LEN)?).ok()?;
        let plain = self.cipher(purpose).open_in_place(
            nonce,
            Aad::from(bound_to(purpose, context)),
            &mut bytes[NONCE_LEN..],
        );
        plain.ok().map(|plain| plain.to_vec())
    }

    fn cipher(&self, purpose: Purpose) -> &LessSafeKey {
        &self.0.ciphers[purpose as usize]
    }
}

/// HMAC-SHA-256 of a purpose and parts, by a keyed state of it.
fn sign(mac: &Hmac<Sha256>, purpose: u8, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = mac.clone();
    mac.update(&[purpose]);
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// What a sealed text is bound to; the purpose has one byte, so no two pairs look alike.
fn bound_to(purpose: Purpose, context: &[u8]) -> Vec<u8> {
    [[purpose as u8].as_slice(), context].concat()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> MasterKey {
        MasterKey::parse(&digit.repeat(64)).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_where_it_belongs() {
        let (key, another) = (key("1"), key("2"));
        for plain in [b"".as_slice(), b"0123456789abcdef", &[0, 255, 7]] {
            let sealed = key.seal(Purpose::SharedSecret, b"row 1", plain);
            let open = |purpose, context: &[u8]| key.open(purpose, context, &sealed);
            assert_eq!(open(Purpose::SharedSecret, b"row 1"), Some(plain.to_vec()));
            assert_eq!(open(Purpose::SharedSecret, b"row 2"), None);
            assert_eq!(open(Purpose::SharedSecret, b""), None);
            assert_eq!(open(Purpose::SigningKey, b"row 1"), None);
            assert_eq!(another.open(Purpose::SharedSecret, b"row 1", &sealed), None);
        }
    }

    #[test]
    fn sealed_texts_name_their_key_and_hide_the_rest() {
        let (one, other) = (key("1"), key("2"));
        let sealed = one.seal(Purpose::SharedSecret, b"row", b"secret");
        let again = one.seal(Purpose::SharedSecret, b"row", b"secret");
        assert_ne!(sealed, again);
        let parts: Vec<&str> = sealed.split('.').collect();
        assert_eq!(parts[..2], ["v1", &one.0.id]);
        // Nonce, six bytes and tag: 34 bytes, as Base64 without padding.
        assert_eq!((parts.len(), parts[1].len(), parts[2].len()), (3, 8, 46));
        assert_ne!(one.0.id, other.0.id);
    }

    #[test]
    fn what_is_no_sealed_text_does_not_open() {
        let key = key("1");
        let sealed = key.seal(Purpose::SharedSecret, b"row", b"secret");
        let mut changed = sealed.clone().into_bytes();
        let last = changed.len() - 3;
        changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
        let wrong = [
            String::new(),
            "secret".to_owned(),
            sealed.replacen("v1", "v2", 1),
            format!("v1.{}.", key.0.id),
            format!("v1.{}.AAAA", key.0.id),
            format!("v1.{}.{}", key.0.id, "A".repeat(46)),
            format!("{sealed}="),
            sealed[..sealed.len() - 4].to_owned(),
            String::from_utf8(changed).unwrap(),
        ];
        for text in wrong {
            assert_eq!(key.open(Purpose::SharedSecret, b"row", &text), None, "{text}");
        }
    }

    #[test]
    fn purposes_keep_their_places() {
        use Purpose::{
            Answer, ClientSecret, Code, Cursor, Message, PolicyKey, RefreshToken, Seal,
            SharedSecret, SigningKey, Storage, Token, WebhookCredentials,
        };
        let places = [
            Token,
            ClientSecret,
            Cursor,
            Storage,
            Seal,
            RefreshToken,
            SharedSecret,
            SigningKey,
            Answer,
            PolicyKey,
            WebhookCredentials,
            Message,
            Code,
        ];
        assert_eq!(places.map(|purpose| purpose as u8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }
}
