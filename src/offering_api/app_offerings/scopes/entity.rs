//! Table `app_offering_scopes`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use sea_orm::entity::prelude::*;

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
