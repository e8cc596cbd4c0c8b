//! What happens, as a feed per account: every change leaves an event in its own transaction. The same rows
//! become the messages that go out.
//!
//! Events are numbered by when their change began, but seen when it is committed, which is another order.
//! So the order of the feed is given afterwards, to all that is committed, by whoever has locked the next
//! position (`kernel::delivery::dispatch`): who reads on from a position misses nothing.
use sea_orm::{DatabaseTransaction, EntityTrait, Set};
use serde_json::Value;

use crate::kernel::error::Result;

pub mod entity;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    /// In whose feed it is.
    pub account: &'a str,
    /// What, as in `app_instance.create`.
    pub name: &'a str,
    /// Type of the record that it happened to, `app_instance`.
    pub record_type: &'a str,
    /// Number of the record.
    pub record_id: i64,
    /// Who did it; `None` for what the service does by itself.
    pub person: Option<i64>,
    /// Entry of the audit trail that tells the same.
    pub audit_line: Option<i64>,
    /// What messages say of it beside that: an object without secrets.
    pub payload: Value,
    /// Secret parts of messages, sealed for [`Purpose::Message`](crate::kernel::secret::Purpose::Message)
    /// and the event's id; forgotten once the messages are made.
    pub secrets: Option<Secrets>,
    /// Milliseconds since the epoch.
    pub now: i64,
}

/// Sealed parts of an event.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Id of the event that they were sealed for.
    pub event_id: String,
    /// The sealed JSON object.
    pub sealed: String,
}

/// Writes an event into the transaction of the change.
///
/// # Errors
/// The database's.
pub async fn record(transaction: &DatabaseTransaction, event: NewEvent<'_>) -> Result<()> {
    let event_id = match &event.secrets {
        Some(Secrets { event_id, .. }) => event_id.clone(),
        None => uuid::Uuid::new_v4().to_string(),
    };
    record_as(transaction, event_id, event).await
}

/// Writes an event under an id, a new UUID with dashes that is told elsewhere too. What is sealed in the
/// event is sealed for this id.
///
/// # Errors
/// The database's.
pub async fn record_as(
    transaction: &DatabaseTransaction,
    event_id: String,
    event: NewEvent<'_>,
) -> Result<()> {
    let row = entity::ActiveModel {
        event_id: Set(event_id),
        account_id: Set(event.account.to_owned()),
        name: Set(event.name.to_owned()),
        record_type: Set(event.record_type.to_owned()),
        record_id: Set(event.record_id),
        person_id: Set(event.person),
        audit_line_id: Set(event.audit_line),
        payload: Set(event.payload.to_string()),
        secrets: Set(event.secrets.map(|secrets| secrets.sealed)),
        position: Set(None),
        created_at: Set(event.now),
        ..Default::default()
    };
    entity::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}
