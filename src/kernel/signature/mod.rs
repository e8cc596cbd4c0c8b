//! How outgoing messages are signed: compact JWS (RFC 7515) with the six algorithms that a webhook
//! policy offers, and the Standard Webhooks scheme.
mod standard_webhooks;

use std::borrow::Cow;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kernel::error::{Error, Result};
use crate::kernel::message_schema::Uuid;

pub use self::standard_webhooks::{InvalidSecret, Secret};

/// Size of RSA keys that are made, in bits: as strong as P-256 (NIST SP 800-57, table 2).
const RSA_SIZE: KeySize = KeySize::Rsa3072;
/// Characters in a line of PEM (RFC 7468, 2).
const PEM_LINE: usize = 64;

/// How a JWS is signed (RFC 7518, 3.1). On the wire of policies in lower case: `es512`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// ECDSA with P-521 and SHA-512.
    Es512,
}

/// What makes keys and signatures of an algorithm.
enum Method {
    Rsa(&'static dyn RsaEncoding),
    /// With the name of the curve in keys (RFC 7518, 6.2.1.1).
    Ec(&'static EcdsaSigningAlgorithm, &'static str),
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384, Self::Es512];

    /// The one with this name in policies.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Name in policies: `es512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "rs256",
            Self::Rs384 => "rs384",
            Self::Rs512 => "rs512",
            Self::Es256 => "es256",
            Self::Es384 => "es384",
            Self::Es512 => "es512",
        }
    }

    /// Name in JOSE headers and keys: `ES512`.
    pub fn jose_name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    fn method(self) -> Method {
        match self {
            Self::Rs256 => Method::Rsa(&RSA_PKCS1_SHA256),
            Self::Rs384 => Method::Rsa(&RSA_PKCS1_SHA384),
            Self::Rs512 => Method::Rsa(&RSA_PKCS1_SHA512),
            Self::Es256 => Method::Ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Self::Es384 => Method::Ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Self::Es512 => Method::Ec(&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
        }
    }
}

/// A private key with its public part, for one algorithm.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({:?}, …)", self.algorithm)
    }
}

/// The protected header of a JWS.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "SignatureHeader", description = "The header of a signed token (JWS).")]
pub struct Header<'a> {
    /// Always `JWT`.
    #[schemars(extend("const" = "JWT"))]
    typ: &'a str,
    /// Algorithm of the signature, as the policy has it.
    #[schemars(with = "JoseName", example = &"ES256")]
    alg: &'a str,
    /// Id of the key: by it receivers find the right one of those that they know.
    #[schemars(with = "Uuid", example = &"0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11")]
    kid: &'a str,
}

/// Stands in schemas for the name of an algorithm in JOSE headers.
#[derive(Debug)]
pub struct JoseName;

impl JsonSchema for JoseName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JoseName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Algorithm::ALL.map(Algorithm::jose_name)})
    }
}

impl SigningKey {
    /// Makes a key, aside from the threads that answer requests: an RSA key takes up to seconds. To be
    /// called before a transaction begins, not in it.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub async fn generate(algorithm: Algorithm) -> Result<Self> {
        let made = tokio::task::spawn_blocking(move || {
            let pair = match algorithm.method() {
                Method::Rsa(encoding) => Pair::Rsa(RsaKeyPair::generate(RSA_SIZE)?, encoding),
                Method::Ec(method, curve) => Pair::Ec(EcdsaKeyPair::generate(method)?, curve),
            };
            Ok::<_, aws_lc_rs::error::Unspecified>(Self { algorithm, pair })
        });
        made.await.map_err(Error::internal)?.map_err(Error::internal)
    }

    /// Reads a private key; `None` when it is none for this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Option<Self> {
        let pair = match algorithm.method() {
            Method::Rsa(encoding) => Pair::Rsa(RsaKeyPair::from_pkcs8(pkcs8).ok()?, encoding),
            Method::Ec(method, curve) => {
                Pair::Ec(EcdsaKeyPair::from_pkcs8(method, pkcs8).ok()?, curve)
            }
        };
        Some(Self { algorithm, pair })
    }

    /// The private key as PKCS#8 (RFC 5208), DER. To be sealed before it is stored.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(pair, _) => {
                let der: Pkcs8V1Der = pair.as_der().map_err(Error::internal)?;
                Ok(der.as_ref().to_vec())
            }
            Pair::Ec(pair, _) => {
                pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()).map_err(Error::internal)
            }
        }
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as SubjectPublicKeyInfo in PEM (RFC 7468, 13), as `public_key_pem` shows it.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn public_key_pem(&self) -> Result<String> {
        let der: PublicKeyX509Der = match &self.pair {
            Pair::Rsa(pair, _) => pair.public_key().as_der(),
            Pair::Ec(pair, _) => pair.public_key().as_der(),
        }
        .map_err(Error::internal)?;
        let text = STANDARD.encode(der.as_ref());
        let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, next) = rest.split_at(rest.len().min(PEM_LINE));
            pem.push_str(line);
            pem.push('\n');
            rest = next;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        Ok(pem)
    }

    /// The public key as a JWK (RFC 7517) for signatures of this algorithm, as key sets publish it.
    pub fn public_jwk(&self, kid: &str) -> Value {
        let alg = self.algorithm.jose_name();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair, _) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA", "kid": kid, "use": "sig", "alg": alg,
                    "n": encode(public.modulus().big_endian_without_leading_zero()),
                    "e": encode(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair, curve) => {
                // Uncompressed (SEC 1, 2.3.3): a byte, then both coordinates with their leading zeros,
                // which RFC 7518, 6.2.1.2, keeps.
                let coordinates = &pair.public_key().as_ref()[1..];
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                json!({
                    "kty": "EC", "kid": kid, "use": "sig", "alg": alg,
                    "crv": curve, "x": encode(x), "y": encode(y),
                })
            }
        }
    }

    /// Signs claims as a compact JWS, whose header names the key. Signatures of ES* are
    /// `r‖s` (RFC 7518, 3.4), not DER.
    ///
    /// # Errors
    /// When the claims have no JSON form or the machine no randomness to give.
    pub fn sign(&self, kid: &str, claims: &impl Serialize) -> Result<String> {
        let header = Header { typ: "JWT", alg: self.algorithm.jose_name(), kid };
        let mut token = encode(&header)?;
        token.push('.');
        token.push_str(&encode(claims)?);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, token.as_bytes(), &mut signature).map(|()| signature)
            }
            Pair::Ec(pair, _) => {
                pair.sign(&random, token.as_bytes()).map(|signature| signature.as_ref().to_vec())
            }
        }
        .map_err(Error::internal)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

fn encode(part: &impl Serialize) -> Result<String> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use ring::signature as other;

    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn read(part: &str) -> Value {
        serde_json::from_slice(&decode(part)).unwrap()
    }

    /// Whether another library, which knows all but ES512, finds the token signed by the key in the JWK.
    fn verifies(jwk: &Value, token: &str) -> bool {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (signed, signature) = (signed.as_bytes(), decode(signature));
        let part = |name: &str| decode(jwk[name].as_str().unwrap());
        let point = || [vec![4], part("x"), part("y")].concat();
        let rsa = |method: &other::RsaParameters| {
            let public = other::RsaPublicKeyComponents { n: part("n"), e: part("e") };
            public.verify(method, signed, &signature).is_ok()
        };
        let ec = |method: &'static dyn other::VerificationAlgorithm| {
            other::UnparsedPublicKey::new(method, point()).verify(signed, &signature).is_ok()
        };
        match jwk["alg"].as_str().unwrap() {
            "RS256" => rsa(&other::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => rsa(&other::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => rsa(&other::RSA_PKCS1_2048_8192_SHA512),
            "ES256" => ec(&other::ECDSA_P256_SHA256_FIXED),
            "ES384" => ec(&other::ECDSA_P384_SHA384_FIXED),
            _ => {
                use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
                let public = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point());
                public.verify(signed, &signature).is_ok()
            }
        }
    }

    #[test]
    fn algorithms_are_found_by_the_name_in_policies() {
        for algorithm in Algorithm::ALL {
            let name = algorithm.name();
            assert_eq!(Algorithm::parse(name), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), json!(name));
            assert_eq!(algorithm.jose_name(), name.to_ascii_uppercase());
        }
        for name in ["none", "hs256", "ES256", "es521", ""] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    /// What libraries of other languages make of it: `tests/clients/webhook_signatures`.
    #[tokio::test]
    async fn every_algorithm_signs_what_others_verify() {
        let claims = json!({"sub": "7", "aud": "receiver", "data": {"subject": "Ünïcode ✓"}});
        for algorithm in Algorithm::ALL {
            let made = SigningKey::generate(algorithm).await.unwrap();
            let key = SigningKey::from_pkcs8(algorithm, &made.to_pkcs8().unwrap()).unwrap();
            let (jwk, pem) = (key.public_jwk("k1"), key.public_key_pem().unwrap());
            assert_eq!((&jwk, &pem), (&made.public_jwk("k1"), &made.public_key_pem().unwrap()));
            let token = key.sign("k1", &claims).unwrap();
            let parts: Vec<&str> = token.split('.').collect();
            assert_eq!(parts.len(), 3);
            let alg = algorithm.jose_name();
            assert_eq!(read(parts[0]), json!({"typ": "JWT", "alg": alg, "kid": "k1"}));
            assert_eq!(read(parts[1]), claims);
            assert!(verifies(&jwk, &token), "{alg}");
            let mut altered = claims.clone();
            altered["sub"] = json!("8");
            let forged = format!("{}.{}.{}", parts[0], encode(&altered).unwrap(), parts[2]);
            assert!(!verifies(&jwk, &forged), "{alg}");
        }
    }

    #[tokio::test]
    async fn keys_have_the_sizes_of_their_algorithms() {
        for (algorithm, signature, names) in [
            (Algorithm::Rs256, 384, ["n", "e"]),
            (Algorithm::Es256, 64, ["x", "y"]),
            (Algorithm::Es384, 96, ["x", "y"]),
            (Algorithm::Es512, 132, ["x", "y"]),
        ] {
            let key = SigningKey::generate(algorithm).await.unwrap();
            let token = key.sign("k1", &json!({})).unwrap();
            assert_eq!(decode(token.rsplit('.').next().unwrap()).len(), signature);
            let jwk = key.public_jwk("a");
            let lengths = names.map(|name| decode(jwk[name].as_str().unwrap()).len());
            let half = signature / 2;
            let expected = if algorithm == Algorithm::Rs256 { [384, 3] } else { [half, half] };
            assert_eq!(lengths, expected, "{algorithm:?}");
            let mut others: Vec<&String> = jwk.as_object().unwrap().keys().collect();
            others.retain(|name| !names.contains(&name.as_str()));
            let curve = (algorithm != Algorithm::Rs256).then_some("crv");
            assert_eq!(
                others,
                [Some("kty"), Some("kid"), Some("use"), Some("alg"), curve]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
            );

            let pem = key.public_key_pem().unwrap();
            let lines: Vec<&str> = pem.lines().collect();
            let (first, body, last) =
                (lines[0], &lines[1..lines.len() - 1], lines[lines.len() - 1]);
            assert_eq!(first, "-----BEGIN PUBLIC KEY-----");
            assert_eq!(last, "-----END PUBLIC KEY-----");
            assert!(body[..body.len() - 1].iter().all(|line| line.len() == 64), "{pem}");
            assert!((1..=64).contains(&body[body.len() - 1].len()) && pem.ends_with("-\n"));
            assert!(
                !format!("{key:?}").contains(&STANDARD.encode(key.to_pkcs8().unwrap())[60..80])
            );
        }
    }

    #[tokio::test]
    async fn a_key_serves_its_own_kind_only() {
        let ec = SigningKey::generate(Algorithm::Es256).await.unwrap().to_pkcs8().unwrap();
        let rsa = SigningKey::generate(Algorithm::Rs256).await.unwrap().to_pkcs8().unwrap();
        for algorithm in Algorithm::ALL {
            let is_rsa = algorithm.name().starts_with("rs");
            assert_eq!(SigningKey::from_pkcs8(algorithm, &rsa).is_some(), is_rsa);
            let is_own = algorithm == Algorithm::Es256;
            assert_eq!(SigningKey::from_pkcs8(algorithm, &ec).is_some(), is_own);
            for wrong in [&ec[..ec.len() - 1], b"", b"-----BEGIN PRIVATE KEY-----"] {
                assert!(SigningKey::from_pkcs8(algorithm, wrong).is_none());
            }
        }
    }
}
