//! Table `ui_extensions`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use sea_orm::entity::prelude::*;

/// A UI extension; its code is in its versions.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ui_extensions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub name: String,
    pub category: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub disabled: bool,
    pub dark_mode_safe: bool,
    pub hide_note: bool,
    pub show_on_complete: bool,
    pub active_version_id: Option<i64>,
    pub prepared_version_id: Option<i64>,
    pub created_by_id: i64,
    pub updated_by_id: i64,
    pub source: String,
    pub source_id: Option<String>,
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

/// SQL condition for the caller's own record; `{id}` is the row.
pub const OWN: &str = "t.id = {id} AND t.account_id = {account}";
