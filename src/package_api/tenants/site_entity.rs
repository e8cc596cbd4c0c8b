//! Table `sites`.
use sea_orm::entity::prelude::*;

/// A storefront of a tenant.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sites")]
pub struct Model {
    /// Number of the site.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its tenant.
    pub tenant_id: i64,
    /// Name for people.
    pub name: String,
    /// Host under which clients reach it; without one, the tenant's.
    pub domain: Option<String>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
