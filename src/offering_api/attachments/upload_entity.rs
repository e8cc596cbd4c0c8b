//! Table `uploads`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use sea_orm::entity::prelude::*;

/// A stored file that an account uploaded.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uploads")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub file_key: String,
    pub name: String,
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the content, as hexadecimal text.
    pub digest: String,
    /// Where the store has it. Each upload gets a place of its own, so that nothing ever overwrites a
    /// file that is in use.
    pub blob: String,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}
