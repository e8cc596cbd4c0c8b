//! Table `app_instances`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::Condition;
use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// An app that is installed in the account of a customer.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_instances")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The provider's.
    pub account_id: String,
    pub customer_account_id: String,
    /// The draft, whatever version is installed.
    pub offering_id: i64,
    /// What is installed: a version, or in the provider's own account also the draft.
    pub app_offering_id: i64,
    pub customer_representative_id: Option<i64>,
    pub disabled: bool,
    pub enabled_by_customer: bool,
    pub suspended: bool,
    pub suspension_comment: Option<String>,
    pub custom_fields: Option<String>,
    pub webhook_id: Option<i64>,
    pub webhook_policy_id: Option<i64>,
    /// What the codes of the configuration are made for; `None` when there is nothing to confirm.
    pub confirmation: Option<String>,
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

    /// Where it is installed; whoever knows the offering calls it by the reference of that.
    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.customer_account_id)
    }
}

impl Model {
    /// Whether the app does anything: none of the three switches is off.
    pub fn is_effective(&self) -> bool {
        !self.disabled && self.enabled_by_customer && !self.suspended
    }
}

impl Entity {
    /// The only way to read this table: what an account has provided or installed.
    pub fn of(account: &str) -> Select<Self> {
        let parties = Condition::any()
            .add(COLUMN.account_id.eq(account))
            .add(COLUMN.customer_account_id.eq(account));
        Self::find().filter(parties)
    }
}

/// SQL condition for what a caller may see: what their account has provided or installed.
pub const SEEN: &str = "(t.account_id = {account} OR t.customer_account_id = {account})";

/// [`SEEN`], of one record.
pub const ONE: &str =
    "t.id = {id} AND (t.account_id = {account} OR t.customer_account_id = {account})";

/// [`SEEN`], of one version of an offering; `{id}` is the version.
pub const OF_OFFERING: &str =
    "t.app_offering_id = {id} AND (t.account_id = {account} OR t.customer_account_id = {account})";

/// SQL condition for the entries about one record, whichever party asks: they are the provider's.
pub const AUDIT: &str = "t.record_type = 'app_instance' AND t.record_id = {id} AND t.account_id = \
     (SELECT account_id FROM app_instances WHERE id = {id})";
