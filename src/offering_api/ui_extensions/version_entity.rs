//! Table `ui_extension_versions`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::version_dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// One version of a UI extension's code.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ui_extension_versions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub ui_extension_id: i64,
    /// Counts from 1 within the UI extension.
    pub version_nr: i64,
    /// `being_prepared`, `active` or `archived`.
    pub status: String,
    pub html: Option<String>,
    pub css: Option<String>,
    pub javascript: Option<String>,
    pub form_definition: Option<String>,
    /// JSON array of texts.
    pub phrases: String,
    pub dark_mode_safe: bool,
    pub hide_note: bool,
    pub activated_at: Option<i64>,
    pub archived_at: Option<i64>,
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

    /// Its number; whoever knows its UI extension calls it by the name of that.
    fn label(&self) -> Cow<'_, str> {
        self.version_nr.to_string().into()
    }
}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}

/// SQL condition for the versions of one UI extension; `{id}` is the UI extension.
pub const OF_EXTENSION: &str = "t.ui_extension_id = {id} AND t.account_id = {account}";
