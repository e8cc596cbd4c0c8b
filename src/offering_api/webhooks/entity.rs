//! Table `webhooks`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;
use std::collections::HashSet;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// A webhook.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub name: String,
    pub event: String,
    /// With `********` for the name and password in it: see `address`.
    pub uri: String,
    /// The name and password in the address, sealed.
    pub credentials: Option<String>,
    pub description: Option<String>,
    pub disabled: bool,
    pub last_error: Option<String>,
    pub mail_exceptions_to: Option<String>,
    /// JSON array of texts.
    pub app_offering_references: String,
    pub openid_connect_discovery: bool,
    pub webhook_policy_id: Option<i64>,
    pub standard_webhooks: bool,
    /// Key of Standard Webhooks, sealed.
    pub standard_key: Option<String>,
    /// When the address was verified; nothing is delivered before.
    pub verified_at: Option<i64>,
    /// Keyed hash of the code by which the address is, or was, verified: see `verification`.
    pub code_hash: Option<String>,
    pub code_expires_at: Option<i64>,
    /// Failed attempts since the last success.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<i64>,
    pub source: String,
    pub source_id: Option<String>,
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

impl Model {
    /// References of the offerings that it is limited to; `None` for all.
    pub fn limits(&self) -> Option<HashSet<String>> {
        let of: HashSet<String> = serde_json::from_str(&self.app_offering_references).ok()?;
        (!of.is_empty()).then_some(of)
    }
}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}

/// SQL condition for the webhook of an installed app; `{id}` is the row. It names the table that refers
/// to webhooks, so that nothing here has to import it.
pub const OF_INSTANCE: &str =
    "t.id = {id} AND EXISTS (SELECT 1 FROM app_instances i WHERE i.webhook_id = t.id)";

/// The same for that of an app that is switched on.
pub const OF_EFFECTIVE_INSTANCE: &str = "t.id = {id} AND EXISTS (SELECT 1 FROM app_instances i \
     WHERE i.webhook_id = t.id AND i.enabled_by_customer AND NOT i.disabled AND NOT i.suspended)";
