//! Table `automation_rules`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// A rule of an installed app.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_rules")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The customer's.
    pub account_id: String,
    pub app_instance_id: i64,
    pub name: String,
    pub rulable_type: String,
    /// `trigger` on the wire, which is a keyword of SQL.
    pub trigger_on: String,
    pub position: i64,
    pub description: Option<String>,
    pub expressions: Option<String>,
    pub condition: Option<String>,
    pub actions: Option<String>,
    pub disabled: bool,
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
    /// The only way to read this table: the rules of one instance.
    pub fn of(instance: i64) -> Select<Self> {
        Self::find().filter(COLUMN.app_instance_id.eq(instance))
    }
}

/// SQL condition for the rules of an instance that the caller may see; `{id}` is the instance.
pub const OF_INSTANCE: &str = "t.app_instance_id = {id}";
