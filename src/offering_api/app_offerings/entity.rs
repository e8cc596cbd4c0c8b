//! Table `app_offerings`: one row per draft and per published version.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// A draft (`draft_id` is null) or a published version of one (`draft_id` names the draft).
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_offerings")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub draft_id: Option<i64>,
    pub published: bool,
    /// The newest published version, or the draft.
    pub latest: bool,
    pub reference: String,
    pub name: String,
    pub card_description: Option<String>,
    pub description: Option<String>,
    pub features: Option<String>,
    pub compliance: Option<String>,
    pub disabled: bool,
    pub picture_uri: Option<String>,
    pub policy_jwt_alg: Option<String>,
    pub policy_jwt_audience: Option<String>,
    /// Minutes.
    pub policy_jwt_claim_expires_in: Option<i64>,
    pub service_instance_id: i64,
    pub ui_extension_version_id: Option<i64>,
    pub webhook_uri_template: Option<String>,
    pub configuration_uri_template: Option<String>,
    pub openid_connect_discovery: bool,
    pub requires_enabled_oauth_person: bool,
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
        Cow::Borrowed(&self.reference)
    }
}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}

/// SQL condition for what a caller may see (`{id}` is the row): own records, what providers that trust
/// the caller's account have published, and what is installed there.
pub const VISIBLE: &str = "t.id = {id} AND (t.account_id = {account} OR (t.published AND (EXISTS \
     (SELECT 1 FROM trusts WHERE provider_id = t.account_id AND customer_id = {account}) OR EXISTS \
     (SELECT 1 FROM app_instances WHERE app_offering_id = t.id AND customer_account_id = {account}))))";

/// SQL condition for a published version that is installed; `{id}` is the row. It names the table that refers
/// to versions, so that nothing here has to import it.
pub const INSTALLED: &str = "t.id = {id} AND t.published \
     AND EXISTS (SELECT 1 FROM app_instances i WHERE i.app_offering_id = t.id)";
