//! Table `service_instances`.
#![expect(missing_docs, reason = "a column means what its field in `dto.rs` says")]
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::RECORD;
use crate::kernel::audit::Audited;
use crate::kernel::record::Record;

/// A service instance. Services, teams and calendars are known by number and name only.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_instances")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: String,
    pub name: String,
    pub status: String,
    pub service_id: i64,
    pub service_name: String,
    /// Organization that provides the service.
    pub provider_id: Option<i64>,
    pub provider_name: Option<String>,
    pub support_team_id: Option<i64>,
    pub support_team_name: Option<String>,
    pub first_line_team_id: Option<i64>,
    pub first_line_team_name: Option<String>,
    pub maintenance_window_id: Option<i64>,
    pub maintenance_window_name: Option<String>,
    pub remarks: Option<String>,
    pub picture_uri: Option<String>,
    pub time_zone: Option<String>,
    pub custom_fields: Option<String>,
    pub impact: Option<String>,
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
