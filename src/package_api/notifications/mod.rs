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
/// Attempts from one that the log tells of to the next: about an hour.
const TOLD_EVERY: i64 = 60;
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

/// Tells operators what is not taken, as owners of applications may not see it: when it begins, about once an hour
/// while it goes on, and when it is given up. Its address may hold secrets, so only numbers name it.
fn tell_failures(lane: &lane::Model, settled: &[Settled]) {
    for Settled { delivery, outcome, verdict } in settled {
        let is_told = match verdict {
            Verdict::Delivered => false,
            Verdict::Retry(_) => delivery.attempts % TOLD_EVERY == 0,
            Verdict::Failed | Verdict::Gone => true,
        };
        if is_told {
            tracing::warn!(
                subscription = lane.target_id,
                account = lane.account_id,
                delivery = delivery.delivery_id,
                topic = delivery.event,
                attempt = delivery.attempts + 1,
                given_up = !matches!(verdict, Verdict::Retry(_)),
                failure = outcome.told(),
                "a notification of a package was not taken"
            );
        }
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
        lane: &'t lane::Model,
        settled: &'t [Settled],
        _: i64,
    ) -> BoxFuture<'t, Result<()>> {
        tell_failures(lane, settled);
        Self::prune(transaction, settled).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::HeaderMap;
    use parking_lot::Mutex;

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

    /// What is written to the log, as lines.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_tells_of_failures_without_secrets() {
        let lane = lane::Model {
            id: 3,
            account_id: "acme".to_owned(),
            kind: LANE.to_owned(),
            target_id: 91,
            name: "tenant:7:application.installed".to_owned(),
            due_at: None,
            holder: None,
            leased_until: 0,
            resumes: 0,
        };
        let settled = |attempts, status, verdict| {
            let delivery = entity::Model {
                id: 1,
                lane_id: 3,
                account_id: "acme".to_owned(),
                delivery_id: "0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11".to_owned(),
                origin_id: None,
                event_id: None,
                event: "application.installed".to_owned(),
                object: lane.name.clone(),
                payload: r#"{"endpoint": "https://a.example/?key=canary"}"#.to_owned(),
                secrets: None,
                state: entity::WAITING.to_owned(),
                attempts,
                next_attempt_at: None,
                finished_at: None,
                created_at: 0,
            };
            Settled { delivery, outcome: outcome(status, 0, 5), verdict }
        };
        let again = Verdict::Retry(INTERVAL);
        let all = [
            settled(0, Some(200), Verdict::Delivered),
            settled(0, Some(503), again),
            settled(1, Some(503), again),
            settled(59, Some(503), again),
            settled(60, None, again),
            settled(61, Some(404), Verdict::Failed),
        ];
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || tell_failures(&lane, &all));
        let text = String::from_utf8(log.0.lock().clone()).unwrap();
        let line = |attempt: i64, given_up: bool, failure: &str| {
            format!(
                " WARN appmarket::package_api::notifications: a notification of a package was not taken \
                 subscription=91 account=\"acme\" delivery=\"0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11\" \
                 topic=\"application.installed\" attempt={attempt} given_up={given_up} failure={failure:?}"
            )
        };
        let told: Vec<&str> = text.lines().collect();
        assert_eq!(
            told,
            [
                line(1, false, "503 Service Unavailable"),
                line(61, false, "timeout"),
                line(62, true, "404 Not Found"),
            ]
        );
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
