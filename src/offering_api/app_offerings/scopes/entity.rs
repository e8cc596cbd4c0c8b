//! Table `app_offering_scopes`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// Longest label of an audit entry, in characters.
const LABEL_MAX: usize = 200;

/// A scope of a draft or of a published version.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_offering_scopes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub app_offering_id: i64,
    pub effect: String,
    pub grant_type: String,
    /// A JSON array.
    pub actions: String,
    /// A JSON array.
    pub conditions: String,
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

    /// A scope is known by what it allows: `allow request:Read`.
    fn label(&self) -> Cow<'_, str> {
        let actions: Vec<String> = serde_json::from_str(&self.actions).unwrap_or_default();
        let label = format!("{} {}", self.effect, actions.join(", "));
        label.chars().take(LABEL_MAX).collect()
    }
}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}

/// SQL condition for the scopes of an offering that the caller may see; `{id}` is the offering.
pub const OF_OFFERING: &str = "t.app_offering_id = {id}";

/// SQL condition for a scope of an offering that the caller may see.
pub const ONE: &str = "t.id = {id}";
