//! What is to be told to subscribers: events of installs, written with the change they tell of (contract
//! 4.2, 5.2).
use sea_orm::{DatabaseTransaction, EntityTrait, Set};

use super::entity::Model;
use crate::directory::tickets::Actor;
use crate::kernel::error::Result;
use crate::package_api::call::Call;

/// Table `package_events`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// An event.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "package_events")]
    pub struct Model {
        /// Number of the event.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// What receivers know it by: a UUID with dashes.
        pub event_id: String,
        /// `application.installed`, say.
        pub topic: String,
        /// Developer account that owns the tenant.
        pub account_id: String,
        /// Tenant that it happened in.
        pub tenant_id: i64,
        /// Site that it happened in.
        pub site_id: Option<i64>,
        /// The install it is about; its subscriptions are told.
        pub entitlement_id: i64,
        /// What has changed: key of the installed package.
        pub entity_id: String,
        /// Application that caused it; subscriptions with `noCallback` of its own are not told.
        pub caused_by: Option<i64>,
        /// Correlation id of the request that caused it.
        pub correlation_id: String,
        /// Milliseconds since the epoch.
        pub occurred_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What happened to an installed application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// It was installed, or installed again.
    Installed,
    /// Another version or package took its place.
    Upgraded,
    /// It was switched on.
    Enabled,
    /// It was switched off.
    Disabled,
}

impl Topic {
    fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "application.installed",
            Self::Upgraded => "application.upgraded",
            Self::Enabled => "application.enabled",
            Self::Disabled => "application.disabled",
        }
    }
}

/// A new id of an event. It is made before the transaction, which may be repeated.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Writes an event into the transaction of the change: `id` is from [`new_id`], `key` that of the
/// installed package.
///
/// # Errors
/// The database's.
pub async fn write(
    transaction: &DatabaseTransaction,
    call: &Call,
    (id, topic): (&str, Topic),
    install: &Model,
    key: &str,
    now: i64,
) -> Result<()> {
    let caused_by = match call.caller.principal.actor {
        Actor::App { application, .. } => Some(application),
        Actor::Developer { .. } => None,
    };
    let row = entity::ActiveModel {
        event_id: Set(id.to_owned()),
        topic: Set(topic.as_str().to_owned()),
        account_id: Set(install.account_id.clone()),
        tenant_id: Set(install.tenant_id),
        site_id: Set(install.site_id),
        entitlement_id: Set(install.id),
        entity_id: Set(key.to_owned()),
        caused_by: Set(caused_by),
        correlation_id: Set(call.correlation.to_string()),
        occurred_at: Set(now),
        ..Default::default()
    };
    entity::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}
