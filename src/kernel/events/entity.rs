//! Table `events`.
use sea_orm::entity::prelude::*;

/// Something that happened in an account.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Number of the event.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What readers know it by: a UUID with dashes.
    pub event_id: String,
    /// In whose feed it is.
    pub account_id: String,
    /// What happened, as in `app_instance.create`.
    pub name: String,
    /// Type of the record that it happened to.
    pub record_type: String,
    /// Number of the record that it happened to.
    pub record_id: i64,
    /// Who did it; `None` for what the service does by itself.
    pub person_id: Option<i64>,
    /// Entry of the audit trail that tells the same.
    pub audit_line_id: Option<i64>,
    /// JSON object.
    pub payload: String,
    /// Sealed JSON object; `None` once the messages are made.
    pub secrets: Option<String>,
    /// Place in the feed; `None` until it is given.
    pub position: Option<i64>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
