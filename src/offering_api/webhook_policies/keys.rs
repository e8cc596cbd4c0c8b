//! Keys of policies: made, replaced, and found by receivers.
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::key_entity::{self, ActiveModel, COLUMN, Entity};
use crate::kernel::error::{Error, Result};
use crate::kernel::secret::{MasterKey, Purpose};
use crate::kernel::signature::{Algorithm, SigningKey};

/// How long receivers find a key that was replaced, in milliseconds: twice as long as they may remember
/// what they found (contract 4.4).
const OVERLAP: i64 = 2 * 60 * 60 * 1000;

/// Keys that are made at a time. An RSA key takes a second of a processor.
static TURNS: Semaphore = Semaphore::const_new(1);

/// A key that is about to sign for a policy.
#[derive(Debug)]
pub struct NewKey {
    id: String,
    key: SigningKey,
    public_key_pem: String,
}

impl NewKey {
    /// Makes a key. Takes up to some seconds, so never inside a transaction, which others wait for.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub async fn generate(algorithm: Algorithm) -> Result<Self> {
        let _turn = TURNS.acquire().await.map_err(Error::internal)?;
        let key = SigningKey::generate(algorithm).await?;
        let public_key_pem = key.public_key_pem()?;
        Ok(Self { id: uuid::Uuid::new_v4().to_string(), key, public_key_pem })
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// Its `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key (SubjectPublicKeyInfo, PEM).
    pub fn public_key_pem(&self) -> &str {
        &self.public_key_pem
    }

    /// Makes it the key that signs for a policy; returns the id of the one that did. The caller has
    /// locked the policy, or has just made it.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_for(
        &self,
        transaction: &DatabaseTransaction,
        master: &MasterKey,
        policy: i64,
        now: i64,
    ) -> Result<Option<String>> {
        // Those that nobody finds any more leave by the way.
        Entity::delete_many()
            .filter(COLUMN.webhook_policy_id.eq(policy))
            .filter(COLUMN.shown_until.lte(now))
            .exec(transaction)
            .await?;
        let former = Entity::signing(policy).one(transaction).await?;
        let former = match former {
            Some(former) => {
                let id = former.id.clone();
                let mut row: ActiveModel = former.into();
                row.shown_until = Set(Some(now + OVERLAP));
                row.update(transaction).await?;
                Some(id)
            }
            None => None,
        };
        let private = master.seal(Purpose::PolicyKey, self.id.as_bytes(), &self.key.to_pkcs8()?);
        let row = ActiveModel {
            id: Set(self.id.clone()),
            webhook_policy_id: Set(policy),
            algorithm: Set(self.algorithm().name().to_owned()),
            public_key: Set(self.key.public_jwk(&self.id).to_string()),
            private_key: Set(private),
            shown_until: Set(None),
            created_at: Set(now),
        };
        Entity::insert(row).exec_without_returning(transaction).await?;
        Ok(former)
    }
}

/// The private key of a row.
///
/// # Errors
/// 500 when another master key has sealed it.
pub fn open(master: &MasterKey, row: &key_entity::Model) -> Result<SigningKey> {
    let pkcs8 = master.open(Purpose::PolicyKey, row.id.as_bytes(), &row.private_key);
    let algorithm = Algorithm::parse(&row.algorithm);
    let key =
        algorithm.zip(pkcs8).and_then(|(algorithm, it)| SigningKey::from_pkcs8(algorithm, &it));
    key.ok_or_else(|| Error::internal(format!("the key {} cannot be opened", row.id)))
}

/// What receivers find: the key that signs, then those that it has taken the place of.
///
/// # Errors
/// The database's.
pub async fn shown(db: &impl ConnectionTrait, policy: i64, now: i64) -> Result<Value> {
    let texts: Vec<String> = Entity::of(policy)
        .filter(COLUMN.shown_until.is_null().or(COLUMN.shown_until.gt(now)))
        .order_by_desc(key_entity::Column::CreatedAt)
        .select_only()
        .column(key_entity::Column::PublicKey)
        .into_tuple()
        .all(db)
        .await?;
    let keys: Result<Vec<Value>, _> = texts.iter().map(|text| serde_json::from_str(text)).collect();
    Ok(json!({"keys": keys.map_err(Error::internal)?}))
}
