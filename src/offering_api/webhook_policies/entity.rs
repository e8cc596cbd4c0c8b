//! Table `webhook_policies`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// A policy; its keys are in `webhook_policy_keys`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_policies")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub name: String,
    /// That of the key that signs.
    pub jwt_alg: String,
    pub jwt_audience: Option<String>,
    /// Minutes.
    pub jwt_claim_expires_in: Option<i64>,
    pub disabled: bool,
    pub created_at: i64,
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Audited for Model {
    const RECORD: &'static Record = &RECORD;

    fn account(&self) -> &str {
        &self.account_id
    }

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }
}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}

/// SQL condition for a policy that a webhook or an installed app uses; `{id}` is the row. It names the
/// tables that refer to policies, so that nothing here has to import them.
pub const USED: &str = "t.id = {id} AND (\
     EXISTS (SELECT 1 FROM webhooks w WHERE w.webhook_policy_id = t.id) \
     OR EXISTS (SELECT 1 FROM app_instances i WHERE i.webhook_policy_id = t.id))";

/// SQL condition for the policy of an installed app.
pub const OF_INSTANCE: &str =
    "t.id = {id} AND EXISTS (SELECT 1 FROM app_instances i WHERE i.webhook_policy_id = t.id)";

/// The same for one whose key the app knows from having been told it, and does not look up.
pub const OF_INSTANCE_BY_KEY: &str = "t.id = {id} AND EXISTS (SELECT 1 FROM app_instances i \
     JOIN webhooks w ON w.id = i.webhook_id \
     WHERE i.webhook_policy_id = t.id AND NOT w.openid_connect_discovery)";
