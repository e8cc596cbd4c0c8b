//! Table `tenants`.
use sea_orm::entity::prelude::*;

/// A place of an account's in which applications are installed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    /// Number of the tenant.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Developer account that owns it.
    pub account_id: String,
    /// Name for people.
    pub name: String,
    /// Whether it is for trying things out; otherwise it is a production tenant.
    pub is_sandbox: bool,
    /// Host under which clients reach it; without one, this service's.
    pub domain: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
