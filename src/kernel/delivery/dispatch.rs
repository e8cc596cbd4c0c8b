//! Gives events their place in the feed and makes deliveries of them: by one at a time, to all that is
//! committed, in the order in which their changes began.
use std::sync::Arc;

use futures_util::FutureExt;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::channel::Channel;
use super::pace::Pace;
use super::queue::enqueue;
use crate::kernel::db::{Row, Source, execute};
use crate::kernel::error::Result;
use crate::kernel::events::entity::{COLUMN, Entity};
use crate::kernel::record::select::Sql;
use crate::kernel::state::Kernel;

/// Most events that get their place together.
const EVENTS: u64 = 500;
/// Deliveries that one transaction is to make: on SQLite all other changes wait for it.
const DELIVERIES: u64 = 1_000;
/// The same while requests come.
const FEW_DELIVERIES: u64 = 64;

struct Work {
    channels: Arc<[Arc<dyn Channel>]>,
    events: u64,
    now: i64,
}

/// What was dispatched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    events: u64,
    deliveries: u64,
}

/// Dispatches, in portions that take about as long whatever an event leads to.
pub(super) struct Dispatcher {
    kernel: Kernel,
    pace: Pace,
    channels: Arc<[Arc<dyn Channel>]>,
    /// Most events that are taken together next.
    next: u64,
    last: Done,
}

impl Dispatcher {
    pub(super) fn new(kernel: Kernel, pace: Pace, channels: Arc<[Arc<dyn Channel>]>) -> Self {
        Self { kernel, pace, channels, next: 50, last: Done { events: 1, deliveries: 1 } }
    }

    /// So many events that they lead to about as many deliveries as one transaction is to make, if they
    /// are as those before.
    fn wanted(&self) -> u64 {
        let most = if self.pace.is_slow() { FEW_DELIVERIES } else { DELIVERIES };
        (most * self.last.events / self.last.deliveries.max(1)).clamp(1, EVENTS).min(self.next)
    }

    /// Dispatches some events; whether there were any.
    ///
    /// # Errors
    /// The database's, and the channels'.
    pub(super) async fn run(&mut self) -> Result<bool> {
        let store = &self.kernel.store;
        let mut sql = Sql::new(store.dialect());
        sql.push("SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT 1");
        let any = |any: &mut bool, _: &dyn Row| *any = true;
        if !store.committed().fetch(sql.query(false), false, any).await? {
            return Ok(false);
        }
        let _portion = self.pace.portion().await;
        let now = self.kernel.clock.now_millis();
        let events = self.wanted();
        let work = Work { channels: self.channels.clone(), events, now };
        let done = store
            .write_unheard(work, |transaction, work| dispatch(transaction, work).boxed())
            .await?;
        if done.events > 0 {
            // Carefully: those to come may lead to more.
            self.next = events * 2;
            self.last = done;
        }
        Ok(done.events > 0)
    }
}

#[derive(Serialize)]
struct Placed {
    id: i64,
    position: i64,
}

const PLACED: &[&str] = &["id bigint", "position bigint"];

async fn dispatch(transaction: &DatabaseTransaction, work: &Work) -> Result<Done> {
    let source = Source::Transaction(transaction);
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT next FROM event_positions WHERE id = 1").postgres(" FOR UPDATE SKIP LOCKED");
    let read = |next: &mut Option<i64>, row: &dyn Row| *next = row.int(0);
    let Some(next) = source.fetch(sql.query(false), None, read).await? else {
        // Another server is at it.
        return Ok(Done::default());
    };
    let waiting = Entity::find().filter(COLUMN.position.is_null()).order_by_asc(COLUMN.id);
    let mut events = waiting.limit(work.events).all(transaction).await?;
    let mut placed = Vec::with_capacity(events.len());
    for (event, position) in events.iter_mut().zip(next..) {
        event.position = Some(position);
        placed.push(Placed { id: event.id, position });
    }
    let Some(last) = placed.last() else { return Ok(Done::default()) };
    let mut done = Done { events: placed.len() as u64, deliveries: 0 };

    let mut sql = Sql::new(source.dialect());
    sql.push("UPDATE event_positions SET next = ").bind(last.position + 1).push(" WHERE id = 1");
    execute(transaction, sql.query(false)).await?;
    let mut sql = Sql::new(source.dialect());
    sql.push("UPDATE events AS e SET position = v.position, secrets = NULL FROM ");
    sql.rows(PLACED, &placed)?.push(" WHERE e.id = v.id");
    execute(transaction, sql.query(false)).await?;
    for channel in work.channels.iter() {
        let deliveries = channel.recipients(transaction, &events).await?;
        done.deliveries += deliveries.len() as u64;
        enqueue(transaction, &deliveries, work.now).await?;
    }
    Ok(done)
}
