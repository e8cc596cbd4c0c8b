//! Table `ui_extensions`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

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

/// SQL condition for a UI extension of which an app offering has a version as its form; `{id}` is the
/// row. It names the table of offerings, which refer to UI extensions, so that nothing here has to
/// import them.
pub const USED_BY_OFFERING: &str = "t.id = {id} AND EXISTS (SELECT 1 FROM app_offerings o \
     JOIN ui_extension_versions v ON v.id = o.ui_extension_version_id \
     WHERE v.ui_extension_id = t.id AND o.account_id = {account})";
