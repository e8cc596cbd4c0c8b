//! What a kind of lane knows and the engine does not.
use futures_util::future::BoxFuture;
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::entity;
use crate::kernel::error::Result;
use crate::kernel::events;

/// Which lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LaneKey {
    /// Kind of the lane, a [`Channel::kind`].
    pub kind: &'static str,
    /// Number of the webhook, or of the subscription.
    pub target: i64,
    /// What else tells lanes of a target apart; may be empty.
    pub name: String,
}

/// A message to be delivered.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Where it goes.
    pub lane: LaneKey,
    /// Account that owns the receiver, and sees the delivery.
    pub account: String,
    /// Id of the delivery: a UUID with dashes. [`NewDelivery::secrets`] is sealed for it.
    pub delivery_id: String,
    /// Id of the first delivery of what is delivered once more.
    pub origin_id: Option<String>,
    /// Number of the event that it tells of.
    pub event_id: Option<i64>,
    /// Name of the event.
    pub event: String,
    /// What it is about, as in `app_instance:31`: messages of one object leave in order.
    pub object: String,
    /// What the channel makes the message of: a JSON object without secrets.
    pub payload: Value,
    /// More of it, sealed for [`Purpose::Message`](crate::kernel::secret::Purpose::Message) and the
    /// delivery's id; forgotten once delivered.
    pub secrets: Option<String>,
    /// How long it waits before its first attempt, in milliseconds: for what the receiver is to be told first on
    /// another way.
    pub pause: i64,
}

/// A request that tries to deliver a message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The delivery.
    pub delivery: entity::Model,
    /// The request, made anew (and signed) for each attempt.
    pub request: http::Request<bytes::Bytes>,
}

/// What is to be done with a lane.
#[derive(Debug)]
pub enum Composed {
    /// These requests are to be sent. A delivery without one waits until the lane is resumed, and later
    /// ones of its object with it.
    Send(Vec<Message>),
    /// The receiver is switched off: all waits until the lane is [resumed](super::resume).
    Hold,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Status and first 64 KiB of the answer, or why there was none.
    pub answer: std::result::Result<Answer, String>,
    /// When it began, in milliseconds since the epoch.
    pub started_at: i64,
    /// How long it took, in milliseconds.
    pub duration: i64,
}

impl Outcome {
    /// What came of it, in words: `404 Not Found`, `connection refused`.
    pub fn told(&self) -> String {
        match &self.answer {
            Ok(Answer { status, .. }) => match status.canonical_reason() {
                Some(reason) => format!("{} {reason}", status.as_u16()),
                None => status.as_u16().to_string(),
            },
            Err(reason) => reason.clone(),
        }
    }
}

/// A receiver's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: http::StatusCode,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// The first 64 KiB of its body.
    pub body: bytes::Bytes,
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is delivered.
    Delivered,
    /// It is tried again after so many milliseconds.
    Retry(i64),
    /// It is given up.
    Failed,
    /// It is given up, because the receiver wants no messages any more: the channel is about to switch it
    /// off. No other message of the lane leaves before it is asked again.
    Gone,
}

/// An attempt that is about to be recorded.
#[derive(Debug)]
pub struct Settled {
    /// The delivery as it was before.
    pub delivery: entity::Model,
    /// What came of it.
    pub outcome: Outcome,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// One kind of lane.
pub trait Channel: Send + Sync {
    /// Its name in the database.
    fn kind(&self) -> &'static str;

    /// Who is to be told of these events, which have just got their place in the feed.
    ///
    /// # Errors
    /// The database's.
    fn recipients<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        events: &'t [events::entity::Model],
    ) -> BoxFuture<'t, Result<Vec<NewDelivery>>>;

    /// Makes the requests of a lane's deliveries that are due, oldest first; `now` in milliseconds since
    /// the epoch.
    ///
    /// # Errors
    /// The database's: the lane is tried again.
    fn compose<'t>(
        &'t self,
        lane: &'t entity::lane::Model,
        due: Vec<entity::Model>,
        now: i64,
    ) -> BoxFuture<'t, Result<Composed>>;

    /// How long an attempt may take, in milliseconds.
    fn timeout(&self) -> i64;

    /// What becomes of a delivery after its attempt of this number, counted from 1.
    fn judge(&self, delivery: &entity::Model, attempt: i64, outcome: &Outcome) -> Verdict;

    /// What follows from a lane's attempts beside, in the transaction that records them: a receiver that
    /// fails for too long is switched off.
    ///
    /// # Errors
    /// The database's: nothing is recorded, and the messages go out again.
    fn settle<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        lane: &'t entity::lane::Model,
        settled: &'t [Settled],
        now: i64,
    ) -> BoxFuture<'t, Result<()>>;
}
