//! Events of installs on their way to the applications that subscribed to them (contract 4.2 to 4.5).
//!
//! * Who is told is settled with the change itself (`appinstall::events`): the subscriptions of the
//!   install's snapshot, whatever becomes of install and subscription afterwards. So an application hears
//!   that it was switched off, replaced or removed. Only with a subscription that is deleted the messages go
//!   that still wait for it (contract 3.10).
//! * A subscription has a lane for each tenant and topic (contract 4.3), whose messages leave in order: one that
//!   fails or is slow holds back those behind it, and no others.
//! * Whatever is no 200 is tried again about once a minute, for 14 days.
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::kernel::delivery::entity::{self, attempt, lane};
use crate::kernel::delivery::{
    Channel, Composed, LaneKey, Message, NewDelivery, Outcome, Settled, Verdict,
};
use crate::kernel::error::{Error, Result};
use crate::kernel::events;
use crate::kernel::state::Kernel;
use crate::package_api::appinstall::events::{RECORD_TYPE, Recipient, entity as package_events};
use crate::package_api::appsubscriptions::entity::LANE;

mod message;

pub use message::Body;
use message::{Message as Notification, Places};

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(45);
/// How long after an attempt the next one begins, in milliseconds, …
const INTERVAL: i64 = 60_000;
/// … and how much sooner or later, so that what failed together does not return together.
const JITTER: i64 = 5_000;
/// How long a message is tried, in milliseconds.
const LIFETIME: i64 = 14 * 24 * 60 * 60 * 1000;
/// Attempts in a row that are kept, beside the first: there are some 20,000 in 14 days.
const KEPT: i64 = 10;

/// The way to subscriptions of packages.
pub struct Subscriptions(Kernel);

impl Subscriptions {
    /// The way out of this service.
    pub fn new(kernel: Kernel) -> Self {
        Self(kernel)
    }

    async fn told(
        transaction: &DatabaseTransaction,
        events: &[events::entity::Model],
    ) -> Result<Vec<NewDelivery>> {
        let numbers: BTreeMap<&str, i64> = events
            .iter()
            .filter(|event| event.record_type == RECORD_TYPE)
            .map(|event| (event.event_id.as_str(), event.id))
            .collect();
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let found = package_events::Entity::find()
            .filter(package_events::Column::EventId.is_in(numbers.keys().copied()));
        let mut told = Vec::new();
        for event in found.all(transaction).await? {
            let recipients: Vec<Recipient> =
                serde_json::from_str(&event.recipients).map_err(Error::internal)?;
            for recipient in recipients {
                told.push((
                    numbers.get(event.event_id.as_str()).copied(),
                    delivery(&event, recipient)?,
                ));
            }
        }
        // In the order of the feed, whatever order the database found them in.
        told.sort_by_key(|(number, _)| *number);
        Ok(told.into_iter().map(|(number, it)| NewDelivery { event_id: number, ..it }).collect())
    }

    async fn requests(&self, due: Vec<entity::Model>, now: i64) -> Result<Composed> {
        let notifications: Vec<Notification> =
            due.iter().map(Notification::of).collect::<Result<_>>()?;
        let places = Places::find(&self.0, &notifications).await?;
        let messages = due.into_iter().zip(notifications).map(|(delivery, notification)| {
            let request = notification.request(&delivery, &places, now)?;
            Ok(Message { delivery, request })
        });
        messages.collect::<Result<_>>().map(Composed::Send)
    }

    /// Forgets attempts between the first and the last ones of what goes on failing.
    async fn prune(transaction: &DatabaseTransaction, settled: &[Settled]) -> Result<()> {
        for Settled { delivery, .. } in settled {
            // The attempts before this one.
            let before = delivery.attempts;
            if before > KEPT && before % KEPT == 0 {
                attempt::Entity::delete_many()
                    .filter(attempt::Column::DeliveryId.eq(delivery.id))
                    .filter(attempt::Column::Number.between(2, before - KEPT))
                    .exec(transaction)
                    .await?;
            }
        }
        Ok(())
    }
}

/// What tells a recipient of an event.
fn delivery(event: &package_events::Model, recipient: Recipient) -> Result<NewDelivery> {
    let notification = Notification {
        event_id: event.event_id.clone(),
        entity_id: event.entity_id.clone(),
        occurred_at: event.occurred_at,
        correlation_id: event.correlation_id.clone(),
        tenant: event.tenant_id,
        site: event.site_id,
        version: recipient.version,
        endpoint: recipient.endpoint,
    };
    // What leaves in order, and what a slow answer delays.
    let scope = format!("tenant:{}:{}", event.tenant_id, event.topic);
    Ok(NewDelivery {
        lane: LaneKey { kind: LANE, target: recipient.subscription, name: scope.clone() },
        account: recipient.account,
        delivery_id: uuid::Uuid::new_v4().to_string(),
        origin_id: None,
        event_id: None,
        event: event.topic.clone(),
        object: scope,
        payload: serde_json::to_value(notification).map_err(Error::internal)?,
        secrets: None,
        pause: 0,
    })
}

/// What becomes of a message that was made at `created_at` and may be tried again `delay` after its attempt,
/// all in milliseconds. Its time begins when it is made, not when its event happened: after a long outage of
/// this service it is tried as any other.
fn verdict(created_at: i64, outcome: &Outcome, delay: i64) -> Verdict {
    if outcome.answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::OK) {
        return Verdict::Delivered;
    }
    let next = outcome.started_at + outcome.duration + delay;
    if next < created_at + LIFETIME { Verdict::Retry(delay) } else { Verdict::Failed }
}

impl Channel for Subscriptions {
    fn kind(&self) -> &'static str {
        LANE
    }

    fn recipients<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        events: &'t [events::entity::Model],
    ) -> BoxFuture<'t, Result<Vec<NewDelivery>>> {
        Self::told(transaction, events).boxed()
    }

    fn compose<'t>(
        &'t self,
        _: &'t lane::Model,
        due: Vec<entity::Model>,
        now: i64,
    ) -> BoxFuture<'t, Result<Composed>> {
        self.requests(due, now).boxed()
    }

    fn timeout(&self) -> i64 {
        i64::try_from(TIMEOUT.as_millis()).unwrap_or(i64::MAX)
    }

    fn judge(&self, delivery: &entity::Model, _: i64, outcome: &Outcome) -> Verdict {
        let delay = rand::random_range(INTERVAL - JITTER..=INTERVAL + JITTER);
        verdict(delivery.created_at, outcome, delay)
    }

    fn settle<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        _: &'t lane::Model,
        settled: &'t [Settled],
        _: i64,
    ) -> BoxFuture<'t, Result<()>> {
        Self::prune(transaction, settled).boxed()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;
    use crate::kernel::delivery::Answer;

    fn outcome(status: Option<u16>, started_at: i64, duration: i64) -> Outcome {
        let answer = status.map(|status| Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        });
        Outcome { answer: answer.ok_or_else(|| "timeout".to_owned()), started_at, duration }
    }

    #[test]
    fn only_200_is_delivered() {
        assert_eq!(verdict(0, &outcome(Some(200), 0, 5), INTERVAL), Verdict::Delivered);
        for status in
            [Some(201), Some(202), Some(204), Some(301), Some(307), Some(410), Some(503), None]
        {
            let again = Verdict::Retry(INTERVAL);
            assert_eq!(verdict(0, &outcome(status, 0, 5), INTERVAL), again, "{status:?}");
        }
        // However late.
        let late = outcome(Some(200), 3 * LIFETIME, 5);
        assert_eq!(verdict(0, &late, INTERVAL), Verdict::Delivered);
    }

    #[test]
    fn no_attempt_begins_after_14_days() {
        const DAY: i64 = 86_400_000;
        let made = 5 * DAY;
        let last = made + 14 * DAY - INTERVAL - 45_000;
        let again = |started_at| verdict(made, &outcome(None, started_at, 45_000), INTERVAL);
        assert_eq!(again(last - 1), Verdict::Retry(INTERVAL));
        assert_eq!(again(last), Verdict::Failed);
        assert_eq!(again(made + 30 * DAY), Verdict::Failed);
    }
}
