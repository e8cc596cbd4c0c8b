//! Signed tokens: compact JWS (RFC 7515) with ES256 and nothing else, as RFC 8725 advises: the
//! algorithm is ours to choose, never the token's.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kernel::error::{Error, Result};

/// Longest token that is looked at, in bytes: ours have about one thousand.
const LONGEST: usize = 4096;
/// The one algorithm.
const ALGORITHM: &str = "ES256";

/// A private key with its public part.
pub struct KeyPair(EcdsaKeyPair);

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

impl KeyPair {
    /// A new private key, as PKCS#8.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub fn generate() -> Result<Vec<u8>> {
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_| Error::internal("cannot make a key: no randomness"))
    }

    /// Reads a private key; `None` when it is none for ES256.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let random = SystemRandom::new();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random).ok().map(Self)
    }

    /// The public part: an uncompressed point, 0x04 and two coordinates of 32 bytes.
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }
}

/// Header of the tokens that are made.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// What counts of the header of a token that came in. Keys that it carries or points to are none of
/// ours, so they are not even read.
#[derive(Deserialize)]
struct Given {
    alg: String,
    kid: String,
    crit: Option<serde::de::IgnoredAny>,
}

/// Signs `payload` by the key of this id.
///
/// # Errors
/// When the payload has no JSON form or the machine no randomness to give.
pub fn sign(key: &KeyPair, kid: &str, payload: &impl Serialize) -> Result<String> {
    let header = Header { alg: ALGORITHM, kid, typ: "JWT" };
    let mut token = encode(&header)?;
    token.push('.');
    token.push_str(&encode(payload)?);
    let signature = key
        .0
        .sign(&SystemRandom::new(), token.as_bytes())
        .map_err(|_| Error::internal("cannot sign: no randomness"))?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
    Ok(token)
}

fn encode(part: &impl Serialize) -> Result<String> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(Error::internal)
}

/// A token that may be right: its form is, its signature was not looked at. Nothing it claims can be
/// read before [`Unverified::verify`].
#[derive(Debug)]
pub struct Unverified<'a> {
    kid: String,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart; `None` when it is none of ours by its form: too long, another algorithm,
    /// no key id, extensions that must be understood, padding.
    pub fn parse(token: &'a str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Given = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.alg != ALGORITHM || header.crit.is_some() || header.kid.is_empty() {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { kid: header.kid, signed, payload, signature })
    }

    /// Which key is said to have signed it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the token says, if this public key (a point, as [`KeyPair::public`] gives it) signed it.
    pub fn verify<T: DeserializeOwned>(&self, public: &[u8]) -> Option<T> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(self.signed.as_bytes(), &self.signature)
            .ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(self.payload).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key() -> KeyPair {
        KeyPair::from_pkcs8(&KeyPair::generate().unwrap()).unwrap()
    }

    fn read(token: &str, key: &KeyPair) -> Option<Value> {
        Unverified::parse(token)?.verify(key.public())
    }

    /// A token with this header, signed as it should be.
    fn signed(header: &Value, payload: &Value, key: &KeyPair) -> String {
        let text = format!("{}.{}", encode(header).unwrap(), encode(payload).unwrap());
        let signature = key.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    #[test]
    fn what_is_signed_can_be_read_with_its_key_only() {
        let (ours, other) = (key(), key());
        let payload = json!({"sub": "acme01.loyalty.1.0.0.Release", "exp": 1_770_000_000});
        let token = sign(&ours, "k1", &payload).unwrap();
        assert_eq!(Unverified::parse(&token).unwrap().kid(), "k1");
        assert_eq!(read(&token, &ours), Some(payload));
        assert_eq!(read(&token, &other), None);
        let header = token.split('.').next().unwrap();
        let header: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        assert_eq!(header, json!({"alg": "ES256", "kid": "k1", "typ": "JWT"}));
        assert_eq!((ours.public().len(), ours.public()[0]), (65, 4));
    }

    /// The example of RFC 7515, appendix A.3: our verification is not just the inverse of our signing.
    #[test]
    fn a_signature_of_the_standard_verifies() {
        let coordinate = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let public = [
            vec![4],
            coordinate("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            coordinate("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        ]
        .concat();
        let token = Unverified {
            kid: String::new(),
            signed: "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG\
                     FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            payload: "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb29\
                      0Ijp0cnVlfQ",
            signature: coordinate(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
        };
        assert_eq!(
            token.verify::<Value>(&public),
            Some(json!({"iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true}))
        );
    }

    #[test]
    fn headers_choose_nothing() {
        let key = key();
        let payload = json!({"sub": "x"});
        let good = json!({"alg": "ES256", "kid": "k1"});
        assert_eq!(read(&signed(&good, &payload, &key), &key), Some(payload.clone()));
        let wrong = [
            json!({"alg": "none", "kid": "k1"}),
            json!({"alg": "es256", "kid": "k1"}),
            json!({"alg": "HS256", "kid": "k1"}),
            json!({"alg": "ES384", "kid": "k1"}),
            json!({"kid": "k1"}),
            json!({"alg": "ES256"}),
            json!({"alg": "ES256", "kid": ""}),
            json!({"alg": "ES256", "kid": 1}),
            json!({"alg": "ES256", "kid": "k1", "crit": []}),
            json!({"alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false}),
            json!(["ES256"]),
        ];
        for header in wrong {
            assert_eq!(read(&signed(&header, &payload, &key), &key), None, "{header}");
        }
    }

    #[test]
    fn forged_tokens_are_refused() {
        let key = key();
        let token = sign(&key, "k1", &json!({"sub": "x"})).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let (header, payload, signature) = (parts[0], parts[1], parts[2]);
        let unsigned = encode(&json!({"alg": "none"})).unwrap();
        let other = encode(&json!({"sub": "y"})).unwrap();
        let long = sign(&key, "k1", &json!({"sub": "x".repeat(LONGEST)})).unwrap();
        let wrong = [
            String::new(),
            "..".to_owned(),
            format!("{unsigned}.{payload}."),
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
            format!("{header}.{other}.{signature}"),
            format!("{header}.{payload}.{signature}="),
            format!("{header}.{payload}.{signature}AA"),
            format!("{header}.{payload}.{}", &signature[..84]),
            format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
            format!(" {token}"),
            format!("{token} "),
            format!("{token}.{signature}"),
            long,
        ];
        for token in wrong {
            assert_eq!(read(&token, &key), None, "{token}");
        }
    }
}
