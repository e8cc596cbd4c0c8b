//! Who signs for a webhook, and the claims that are signed (contract 4.4): messages, and what its app is told
//! on other ways.
use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use schemars::JsonSchema;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::Serialize;

use super::entity::Model as Webhook;
use crate::kernel::error::{Error, Result};
use crate::kernel::message_schema::{Address, Seconds, Text};
use crate::kernel::secret::MasterKey;
use crate::kernel::signature::SigningKey;
use crate::kernel::state::Site;
use crate::offering_api::webhook_policies::key_entity::{self, Model as Key};
use crate::offering_api::webhook_policies::{entity as policy_entity, keys, service as policies};

/// Most keys that are remembered: a megabyte or two.
const MOST: usize = 512;

/// Keys that sign, opened and read once: by their `kid`, which never names another one.
#[derive(Debug, Default)]
pub struct Keys(Mutex<HashMap<String, Arc<SigningKey>>>);

impl Keys {
    /// The key of a row.
    fn get(&self, master: &MasterKey, row: &Key) -> Result<Arc<SigningKey>> {
        if let Some(known) = self.0.lock().get(&row.id) {
            return Ok(known.clone());
        }
        let key = Arc::new(keys::open(master, row)?);
        let mut known = self.0.lock();
        if known.len() >= MOST {
            // Who signs most is back soonest.
            known.clear();
        }
        known.insert(row.id.clone(), key.clone());
        Ok(key)
    }
}

/// Signs for a webhook, as its policy says.
#[derive(Debug)]
pub struct Signer {
    key: Arc<SigningKey>,
    kid: String,
    webhook: i64,
    issuer: String,
    audience: Option<String>,
    /// Seconds.
    lifetime: Option<i64>,
}

impl Signer {
    /// Who signs for a webhook; `None` for one without a policy, whose messages are not signed.
    ///
    /// # Errors
    /// 404 when the policy has been removed meanwhile, 500 when another master key has sealed its key; the
    /// database's.
    pub async fn of(
        db: &impl ConnectionTrait,
        site: &Site,
        keys: &Keys,
        webhook: &Webhook,
    ) -> Result<Option<Self>> {
        let Some(id) = webhook.webhook_policy_id else { return Ok(None) };
        let policy = policy_entity::Entity::find_by_id(id).one(db).await?;
        let key = key_entity::Entity::signing(id).one(db).await?;
        let (Some(policy), Some(key)) = (policy, key) else { return Err(Error::NotFound) };
        let discovers = webhook.openid_connect_discovery;
        Ok(Some(Self {
            key: keys.get(&site.key, &key)?,
            kid: key.id,
            webhook: webhook.id,
            issuer: if discovers {
                policies::issuer(site, &policy)
            } else {
                site.account_url(&webhook.account_id)
            },
            audience: policy.jwt_audience,
            lifetime: policy.jwt_claim_expires_in.map(|minutes| minutes * 60),
        }))
    }

    /// A signed token that tells `data`; `now` in seconds since the epoch.
    ///
    /// # Errors
    /// 500 when the data cannot be written as JSON.
    pub fn sign<T: Serialize>(&self, data: &T, now: i64) -> Result<String> {
        let claims = Claims {
            data,
            jti: hex::encode(rand::random::<[u8; 32]>()),
            sub: self.webhook.to_string(),
            iss: &self.issuer,
            iat: now,
            nbf: now,
            aud: self.audience.as_deref(),
            exp: self.lifetime.map(|seconds| now + seconds),
        };
        self.key.sign(&self.kid, &claims)
    }
}

/// What is signed, in the order of the contract (4.4).
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "SignedClaims", description = "The claims of a signed message.")]
pub struct Claims<'a, T> {
    /// The message.
    data: &'a T,
    /// Another one for each attempt.
    #[schemars(
        length(min = 64, max = 64),
        regex(pattern = "^[0-9a-f]{64}$"),
        example = &"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    jti: String,
    /// Number of the webhook, as a text.
    #[schemars(length(max = 19), regex(pattern = "^[1-9][0-9]*$"), example = &"77")]
    sub: String,
    /// Address of the account that owns the webhook; of a webhook with `openid_connect_discovery` that of the
    /// policy, below which its keys are found.
    #[schemars(with = "Address", example = &"https://acme.example.test")]
    iss: &'a str,
    /// When it was signed, in seconds since the epoch: now, at each attempt.
    #[schemars(with = "Seconds", example = 1_769_937_300)]
    iat: i64,
    /// The same.
    #[schemars(with = "Seconds", example = 1_769_937_300)]
    nbf: i64,
    /// Only when the policy has an audience: that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Text<2048>", example = &"ticket-echo")]
    aud: Option<&'a str>,
    /// Only when the policy says so: when it expires, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Seconds", example = 1_769_937_900)]
    exp: Option<i64>,
}
