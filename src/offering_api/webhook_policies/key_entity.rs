//! Table `webhook_policy_keys`.
use sea_orm::entity::prelude::*;

/// A key of a policy: the one that signs, or one that it has taken the place of.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_policy_keys")]
pub struct Model {
    /// `kid` of what it signs: a UUID with dashes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The policy.
    pub webhook_policy_id: i64,
    /// What it signs with, in lower case: `es256`.
    pub algorithm: String,
    /// The public key as receivers find it: a JSON Web Key.
    pub public_key: String,
    /// The private key as PKCS#8, sealed for `PolicyKey` and the id.
    pub private_key: String,
    /// When receivers no longer find it, in milliseconds since the epoch; `None` for the one that signs.
    pub shown_until: Option<i64>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The keys of a policy.
    pub fn of(policy: i64) -> Select<Self> {
        Self::find().filter(COLUMN.webhook_policy_id.eq(policy))
    }

    /// The key that signs for a policy.
    pub fn signing(policy: i64) -> Select<Self> {
        Self::of(policy).filter(COLUMN.shown_until.is_null())
    }
}
