//! The wire of public keys: JWKs (RFC 7517, RFC 7518).
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::signing_keys::SigningKey;

/// The keys that access tokens are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys: the present one, the next when its time is near, and former ones until the last token
    /// that they signed has expired.
    #[schema(max_items = 100)]
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwk {
    /// Family of the algorithm: elliptic curves.
    #[schema(max_length = 10, example = "EC")]
    pub kty: &'static str,
    /// The curve.
    #[schema(max_length = 10, example = "P-256")]
    pub crv: &'static str,
    /// First coordinate of the point, as Base64 for URLs.
    #[schema(
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    )]
    pub x: String,
    /// Second coordinate of the point, as Base64 for URLs.
    #[schema(
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    )]
    pub y: String,
    /// Id of the key, `kid` in the header of a token.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9_-]+$", example = "Yx3dQm0c7T1vKq8R")]
    pub kid: String,
    /// What the key is for: signatures.
    #[schema(max_length = 10, example = "sig")]
    pub r#use: &'static str,
    /// The algorithm.
    #[schema(max_length = 10, example = "ES256")]
    pub alg: &'static str,
}

impl From<&SigningKey> for Jwk {
    fn from(key: &SigningKey) -> Self {
        let (x, y) = key.coordinates();
        Self {
            kty: "EC",
            crv: "P-256",
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
            kid: key.id.clone(),
            r#use: "sig",
            alg: "ES256",
        }
    }
}
