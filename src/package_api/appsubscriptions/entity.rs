//! Table `package_subscriptions`.
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use super::dto::{AppDevEvent, ApplicationSubscription};
use crate::kernel::audit::Audited;
use crate::kernel::error::{Error, Result};
use crate::kernel::record::{Field, Kind, Record};

/// Kind of the lanes on which messages to subscriptions go; a lane's target is the number of one.
pub const LANE: &str = "subscription";

/// A subscription of a package.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_subscriptions")]
pub struct Model {
    /// Number of the subscription.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Developer account that owns the package.
    pub account_id: String,
    /// The package.
    pub package_id: i64,
    /// `applicationEndPoint`.
    pub endpoint: String,
    /// JSON array of events as the catalogue had them when the subscription was written: a catalogue
    /// with other ids in its place does not change what is subscribed to.
    pub events: String,
    /// `noCallback`.
    pub no_callback: bool,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// What the audit trail tells of a subscription.
pub static RECORD: Record = Record {
    name: "package_subscription",
    table: "package_subscriptions",
    node_type: "PackageSubscription",
    fields: &[
        Field::new("package_id", "package_id", Kind::Integer { min: 1, max: i64::MAX }),
        Field::text("endpoint", 2000),
        Field::new("events", "events", Kind::CustomFields),
        Field::boolean("no_callback"),
    ],
};

impl Audited for Model {
    const RECORD: &'static Record = &RECORD;

    fn account(&self) -> &str {
        &self.account_id
    }

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.endpoint)
    }
}

impl Entity {
    /// The only way to read this table: rows of one account.
    pub fn of(account: &str) -> Select<Self> {
        Self::find().filter(COLUMN.account_id.eq(account))
    }
}

/// The events of the column.
///
/// # Errors
/// 500 when the column holds something else, which only this service writes.
pub fn events(column: &str) -> Result<Vec<AppDevEvent>> {
    serde_json::from_str(column).map_err(Error::internal)
}

impl Model {
    /// The subscription as it is shown.
    ///
    /// # Errors
    /// As [`events`].
    pub fn shown(self) -> Result<ApplicationSubscription> {
        Ok(ApplicationSubscription {
            application_subscription_id: self.id,
            events: events(&self.events)?,
            application_end_point: self.endpoint,
            package_id: self.package_id,
            no_callback: self.no_callback,
        })
    }
}
