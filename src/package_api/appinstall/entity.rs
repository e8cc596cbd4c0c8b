//! Table `entitlements`.
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use crate::kernel::audit::Audited;
use crate::kernel::record::{Field, Kind, Record};

/// An install of a package in a tenant or in one of its sites, as it was when it was made: what the
/// package may do, hear of and offer later takes effect by another install only.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entitlements")]
pub struct Model {
    /// Number of the entitlement.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Developer account that owns the tenant.
    pub account_id: String,
    /// Developer account that owns the application.
    pub owner_account_id: String,
    /// The application.
    pub application_id: i64,
    /// Its version.
    pub version_id: i64,
    /// The installed package.
    pub package_id: i64,
    /// Where it is installed.
    pub tenant_id: i64,
    /// Where in the tenant; `None` for the whole of it.
    pub site_id: Option<i64>,
    /// The site, or 0 for the whole tenant.
    pub place: i64,
    /// Whether it is the last install of the application in this place.
    pub is_current: bool,
    /// When another version or package took its place, in milliseconds since the epoch.
    pub revoked_at: Option<i64>,
    /// Kind of the licence.
    pub license_type: String,
    /// When the licence begins, in milliseconds since the epoch.
    pub starts_at: i64,
    /// When the licence ends, in milliseconds since the epoch.
    pub ends_at: Option<i64>,
    /// When it was installed, or installed again, in milliseconds since the epoch.
    pub installed_at: i64,
    /// The developer who did it, as person of their account.
    pub installed_by: Option<i64>,
    /// Id of the installed application in the tenant: the same for all versions that follow one another.
    pub installation_id: String,
    /// Whether the application is switched on.
    pub enabled: bool,
    /// Whether it has been configured.
    pub initialized: bool,
    /// The package's behaviors at the time: JSON array of ids.
    pub behaviors: String,
    /// The package's subscriptions at the time: JSON array of contract 2.6.
    pub subscriptions: String,
    /// The package's capability types at the time: JSON array of contract 2.6.
    pub capability_types: String,
    /// Purchases of the licence: JSON array of contract 2.6.
    pub transactions: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// What the audit trail tells of an install.
pub static RECORD: Record = Record {
    name: "entitlement",
    table: "entitlements",
    node_type: "Entitlement",
    fields: &[
        Field::new("application_id", "application_id", NUMBER),
        Field::new("version_id", "version_id", NUMBER),
        Field::new("package_id", "package_id", NUMBER),
        Field::new("tenant_id", "tenant_id", NUMBER),
        Field::new("site_id", "site_id", NUMBER).nullable(),
        Field::boolean("is_current"),
        Field::text("license_type", 100),
        Field::boolean("enabled"),
        Field::boolean("initialized"),
        Field::new("behaviors", "behaviors", Kind::CustomFields),
        Field::new("subscriptions", "subscriptions", Kind::CustomFields),
        Field::new("capability_types", "capability_types", Kind::CustomFields),
        Field::new("transactions", "transactions", Kind::CustomFields),
    ],
};

const NUMBER: Kind = Kind::Integer { min: 1, max: i64::MAX };

impl Audited for Model {
    const RECORD: &'static Record = &RECORD;

    fn account(&self) -> &str {
        &self.account_id
    }

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.installation_id)
    }
}

impl Model {
    /// Whether the licence holds at a time, in milliseconds since the epoch.
    pub fn is_active(&self, now: i64) -> bool {
        self.revoked_at.is_none() && holds(self.starts_at, self.ends_at, now)
    }
}

/// Whether a licence with this beginning and end holds at a time, all in milliseconds since the epoch.
pub fn holds(starts_at: i64, ends_at: Option<i64>, now: i64) -> bool {
    starts_at <= now && ends_at.is_none_or(|end| now < end)
}
