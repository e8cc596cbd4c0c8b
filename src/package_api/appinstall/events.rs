//! What is to be told to subscribers: events of installs, written with the change they tell of (contract
//! 4.2, 5.2).
use sea_orm::{DatabaseTransaction, EntityTrait, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::entity::Model;
use super::topic::Topic;
use crate::directory::tickets::Actor;
use crate::kernel::error::{Error, Result};
use crate::kernel::events::{self, NewEvent};
use crate::package_api::appsubscriptions::dto::ApplicationSubscription;
use crate::package_api::call::Call;

/// Type of the record that events of installs happen to, in the feed.
pub const RECORD_TYPE: &str = "entitlement";

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
        /// Developer account that owns the application.
        pub owner_account_id: String,
        /// Tenant that it happened in.
        pub tenant_id: i64,
        /// Site that it happened in.
        pub site_id: Option<i64>,
        /// The install it is about.
        pub entitlement_id: i64,
        /// What has changed: key of the installed package.
        pub entity_id: String,
        /// Application that caused it; subscriptions with `noCallback` of its own are not told.
        pub caused_by: Option<i64>,
        /// Correlation id of the request that caused it.
        pub correlation_id: String,
        /// Who is told: JSON array of [`Recipient`](super::Recipient).
        pub recipients: String,
        /// Milliseconds since the epoch.
        pub occurred_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What caused an event.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// The application whose call it was; `None` for a person's.
    pub application: Option<i64>,
    /// Whose call it was, as person of their account.
    pub person: i64,
    /// Correlation id of the call.
    pub correlation: &'a str,
}

impl<'a> From<&'a Call> for Cause<'a> {
    fn from(call: &'a Call) -> Self {
        let application = match call.caller.principal.actor {
            Actor::App { application, .. } => Some(application),
            Actor::Developer { .. } => None,
        };
        let person = call.caller.principal.person;
        Self { application, person, correlation: &call.correlation }
    }
}

/// Something that happened to an install.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// Id of the event, from [`new_id`].
    pub id: &'a str,
    /// What.
    pub topic: Topic,
    /// The install.
    pub install: &'a Model,
    /// The install whose place it took.
    pub former: Option<&'a Model>,
    /// Key of the installed package.
    pub key: &'a str,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// A subscription that is told of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Number of the subscription.
    pub subscription: i64,
    /// Developer account that owns the application.
    pub account: String,
    /// Number of the version whose secret signs.
    pub version: i64,
    /// Where to.
    pub endpoint: String,
}

/// A new id of an event. It is made before the transaction, which may be repeated.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Writes an event into the transaction of the change, with who is told of it, and into the feed of the
/// tenant's account under the same id.
///
/// # Errors
/// The database's.
pub async fn write(
    transaction: &DatabaseTransaction,
    cause: Cause<'_>,
    happened: Happened<'_>,
) -> Result<()> {
    let Happened { id, topic, install, former, key, at } = happened;
    let recipients = recipients(topic.as_str(), install, former, cause.application)?;
    let row = entity::ActiveModel {
        event_id: Set(id.to_owned()),
        topic: Set(topic.as_str().to_owned()),
        account_id: Set(install.account_id.clone()),
        owner_account_id: Set(install.owner_account_id.clone()),
        tenant_id: Set(install.tenant_id),
        site_id: Set(install.site_id),
        entitlement_id: Set(install.id),
        entity_id: Set(key.to_owned()),
        caused_by: Set(cause.application),
        correlation_id: Set(cause.correlation.to_owned()),
        recipients: Set(serde_json::to_string(&recipients).map_err(Error::internal)?),
        occurred_at: Set(at),
        ..Default::default()
    };
    entity::Entity::insert(row).exec_without_returning(transaction).await?;
    let event = NewEvent {
        account: &install.account_id,
        name: topic.as_str(),
        record_type: RECORD_TYPE,
        record_id: install.id,
        person: Some(cause.person),
        audit_line: None,
        payload: json!({
            "app_key": key, "tenant_id": install.tenant_id, "site_id": install.site_id,
            "correlation_id": cause.correlation,
        }),
        secrets: None,
        now: at,
    };
    events::record_as(transaction, id.to_owned(), event).await
}

/// Who is told of a topic: the subscriptions of the install's snapshot; and those of the install whose place
/// it took, which would not learn otherwise that they were replaced. What the new install says of an
/// address counts for that address, so that nobody is told twice.
///
/// A subscription with `noCallback` is not told of what its own application did (contract 4.5).
fn recipients(
    topic: &str,
    install: &Model,
    former: Option<&Model>,
    caused_by: Option<i64>,
) -> Result<Vec<Recipient>> {
    let mut known = Vec::new();
    let mut told = Vec::new();
    for install in [Some(install), former].into_iter().flatten() {
        let is_own = caused_by == Some(install.application_id);
        let mut subscriptions: Vec<ApplicationSubscription> =
            serde_json::from_str(&install.subscriptions).map_err(Error::internal)?;
        subscriptions.retain(|it| {
            it.events.iter().any(|event| event.event_name.eq_ignore_ascii_case(topic))
                && !known.contains(&it.application_end_point)
        });
        known.extend(subscriptions.iter().map(|it| it.application_end_point.clone()));
        told.extend(subscriptions.into_iter().filter(|it| !(it.no_callback && is_own)).map(|it| {
            Recipient {
                subscription: it.application_subscription_id,
                account: install.owner_account_id.clone(),
                version: install.version_id,
                endpoint: it.application_end_point,
            }
        }));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::tests::installed;
    use super::*;
    use serde_json::Value;

    const TOPIC: &str = "application.upgraded";

    fn subscription(id: i64, endpoint: &str, topic: &str, no_callback: bool) -> Value {
        json!({"applicationSubscriptionId": id, "applicationEndPoint": endpoint, "packageId": 4,
            "noCallback": no_callback, "events": [
                {"eventId": 52, "eventName": "order.opened", "eventCategory": "Order",
                 "apiVersionNumber": "1"},
                {"eventId": 5, "eventName": topic, "eventCategory": "Application",
                 "apiVersionNumber": "1"}]})
    }

    fn install(version: i64, subscriptions: &[Value]) -> Model {
        let subscriptions = Value::from(subscriptions.to_vec()).to_string();
        Model { version_id: version, subscriptions, ..installed(0, None, None) }
    }

    /// Subscription, version and address of each who is told.
    fn told(
        install: &Model,
        former: Option<&Model>,
        caused_by: Option<i64>,
    ) -> Vec<(i64, i64, String)> {
        let told = recipients(TOPIC, install, former, caused_by).unwrap();
        assert!(told.iter().all(|it| it.account == install.owner_account_id));
        told.into_iter().map(|it| (it.subscription, it.version, it.endpoint)).collect()
    }

    fn entry(subscription: i64, version: i64, endpoint: &str) -> (i64, i64, String) {
        (subscription, version, endpoint.to_owned())
    }

    #[test]
    fn who_subscribed_to_the_topic_is_told() {
        let now = install(
            3,
            &[
                subscription(1, "https://a.example", TOPIC, false),
                subscription(2, "https://a.example", "Application.Upgraded", true),
                subscription(3, "https://b.example", "application.installed", false),
            ],
        );
        let both = [entry(1, 3, "https://a.example"), entry(2, 3, "https://a.example")];
        // A person's call, and that of another application.
        assert_eq!(told(&now, None, None), both);
        assert_eq!(told(&now, None, Some(now.application_id + 1)), both);
        // Its own.
        assert_eq!(told(&now, None, Some(now.application_id)), both[..1]);
    }

    #[test]
    fn what_was_replaced_is_told_where_the_new_one_does_not_listen() {
        let former = install(
            2,
            &[
                subscription(1, "https://old.example", TOPIC, false),
                subscription(2, "https://same.example", TOPIC, false),
                subscription(3, "https://quiet.example", TOPIC, true),
            ],
        );
        let now = install(3, &[subscription(4, "https://same.example", TOPIC, true)]);
        let (same, old, quiet) = (
            entry(4, 3, "https://same.example"),
            entry(1, 2, "https://old.example"),
            entry(3, 2, "https://quiet.example"),
        );
        assert_eq!(told(&now, Some(&former), None), [same, old.clone(), quiet]);
        assert_eq!(told(&now, Some(&former), Some(now.application_id)), [old]);
        assert_eq!(told(&install(3, &[]), None, None), []);
    }
}
