//! Table `attachments`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use sea_orm::entity::prelude::*;

/// A stored file that a field of a record uses.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attachments")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub record_type: String,
    pub record_id: i64,
    /// The text that uses it, `description`.
    pub field: String,
    pub file_key: String,
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Whether the text shows it.
    pub inline: bool,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
