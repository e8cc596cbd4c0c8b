//! Who has a lane, and what is due in it.
use std::collections::HashMap;

use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use super::entity::{self, lane};
use super::queue::Id;
use crate::kernel::db::{Row, Source, Store, execute};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;

/// A wish for lanes.
pub(super) struct Claim {
    /// Kinds that this worker can serve.
    pub(super) kinds: Vec<&'static str>,
    /// The worker.
    pub(super) holder: String,
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    /// Until when it is to have them.
    pub(super) until: i64,
    /// Most lanes.
    pub(super) limit: i64,
    /// Most lanes of one account, with those that the worker has.
    pub(super) per_account: i64,
    /// Most lanes of one receiver, likewise.
    pub(super) per_receiver: i64,
    /// Lanes that the worker has.
    pub(super) had: Vec<Had>,
}

/// How many lanes of a receiver a worker has.
#[derive(Serialize)]
pub(super) struct Had {
    pub(super) account_id: String,
    pub(super) kind: String,
    pub(super) target_id: i64,
    pub(super) lanes: i64,
}

impl Had {
    const COLUMNS: &[&str] = &["account_id text", "kind text", "target_id bigint", "lanes bigint"];
}

impl Claim {
    /// Adds the condition that lanes are there to be taken.
    fn free<'s>(&self, sql: &'s mut Sql) -> &'s mut Sql {
        sql.push("due_at <= ").bind(self.now).push(" AND leased_until <= ").bind(self.now);
        sql.push(" AND kind IN (");
        for (at, kind) in self.kinds.iter().enumerate() {
            sql.push(if at == 0 { "" } else { ", " }).bind(*kind);
        }
        sql.push(")")
    }

    /// Begins a query with lanes that are there to be taken, without those that would be too many of one
    /// account or receiver: `fair`.
    fn fair<'s>(&self, sql: &'s mut Sql) -> Result<&'s mut Sql> {
        sql.push("WITH had AS (SELECT * FROM ").rows(Had::COLUMNS, &self.had)?;
        sql.push("), due AS (SELECT id, account_id, kind, target_id, ");
        sql.push("row_number() OVER (PARTITION BY account_id ORDER BY due_at, id) AS of_account, ");
        sql.push(
            "row_number() OVER (PARTITION BY kind, target_id ORDER BY due_at, id) AS of_receiver ",
        );
        self.free(sql.push("FROM delivery_lanes WHERE "));
        sql.push(
            "), fair AS (SELECT id FROM due WHERE of_account + CAST(COALESCE((SELECT SUM(had.lanes) ",
        );
        sql.push("FROM had WHERE had.account_id = due.account_id), 0) AS bigint) <= ")
            .bind(self.per_account);
        sql.push(
            " AND of_receiver + COALESCE((SELECT had.lanes FROM had WHERE had.kind = due.kind ",
        );
        sql.push("AND had.target_id = due.target_id), 0) <= ").bind(self.per_receiver);
        Ok(sql.push(")"))
    }
}

/// Takes lanes in which something is due, those that have waited longest first, and of no account and no
/// receiver so many that there are none for others.
pub(super) async fn claim(store: &Store, claim: Claim) -> Result<Vec<lane::Model>> {
    if claim.kinds.is_empty() || claim.limit < 1 {
        return Ok(Vec::new());
    }
    // Most of the time there are none, and looking is cheaper than locking.
    let mut sql = Sql::new(store.dialect());
    claim.fair(&mut sql)?.push(" SELECT id FROM fair LIMIT 1");
    let any = |any: &mut bool, _: &dyn Row| *any = true;
    if !store.committed().fetch(sql.query(false), false, any).await? {
        return Ok(Vec::new());
    }
    store.write_unheard(claim, |transaction, claim| take(transaction, claim).boxed()).await
}

async fn take(transaction: &DatabaseTransaction, claim: &Claim) -> Result<Vec<lane::Model>> {
    let source = Source::Transaction(transaction);
    let mut sql = Sql::new(source.dialect());
    claim.fair(&mut sql)?;
    sql.push(", free AS (SELECT id FROM delivery_lanes WHERE id IN (SELECT id FROM fair) AND ");
    // Once more: who locks a lane that was taken meanwhile sees it as it is now.
    claim.free(&mut sql).push(" ORDER BY due_at LIMIT ").bind(claim.limit);
    sql.postgres(" FOR NO KEY UPDATE SKIP LOCKED");
    sql.push(") UPDATE delivery_lanes SET holder = ").bind(claim.holder.as_str());
    sql.push(", leased_until = ").bind(claim.until);
    sql.push(" WHERE id IN (SELECT id FROM free) ");
    sql.push("RETURNING id, account_id, kind, target_id, name, due_at, leased_until, resumes");
    let holder = claim.holder.clone();
    let read = move |lanes: &mut Vec<lane::Model>, row: &dyn Row| {
        let int = |at| row.int(at).unwrap_or_default();
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        lanes.push(lane::Model {
            id: int(0),
            account_id: text(1),
            kind: text(2),
            target_id: int(3),
            name: text(4),
            due_at: row.int(5),
            holder: Some(holder.clone()),
            leased_until: int(6),
            resumes: int(7),
        });
    };
    source.fetch(sql.query(false), Vec::new(), read).await
}

/// A worker that goes on with lanes.
pub(super) struct Prolong {
    pub(super) lanes: Vec<i64>,
    pub(super) holder: String,
    pub(super) until: i64,
}

/// Keeps lanes, as far as they are still the worker's.
pub(super) async fn prolong(store: &Store, work: Prolong) -> Result<()> {
    store.write_unheard(work, |transaction, work| keep(transaction, work).boxed()).await
}

async fn keep(transaction: &DatabaseTransaction, work: &Prolong) -> Result<()> {
    let rows: Vec<Id> = work.lanes.iter().map(|&id| Id { id }).collect();
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("UPDATE delivery_lanes SET leased_until = ").bind(work.until);
    sql.push(" WHERE holder = ").bind(work.holder.as_str()).push(" AND id IN (SELECT v.id FROM ");
    sql.rows(Id::COLUMNS, &rows)?.push(")");
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// What is due in a lane.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// What may be sent now, oldest first.
    pub(super) now: Vec<entity::Model>,
    /// What has to wait for an earlier message of its object.
    pub(super) behind: Vec<Behind>,
    /// Whether there may be more.
    pub(super) is_full: bool,
    /// [`lane::Model::resumes`] when it was read.
    pub(super) resumes: i64,
}

/// Messages of an object that wait for an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Behind {
    pub(super) lane_id: i64,
    pub(super) object: String,
    /// The earlier one.
    pub(super) id: i64,
    /// When that is tried; `None` while it is held.
    pub(super) until: Option<i64>,
}

/// Reads what is due in a lane, at most `limit` messages.
pub(super) async fn load(store: &Store, lane: i64, now: i64, limit: usize) -> Result<Due> {
    let mut sql = Sql::new(store.dialect());
    sql.push(
        "SELECT d.id, d.lane_id, d.account_id, d.delivery_id, d.origin_id, d.event_id, d.event, \
         d.object, d.payload, d.secrets, d.attempts, d.next_attempt_at, d.created_at, l.resumes \
         FROM deliveries d JOIN delivery_lanes l ON l.id = d.lane_id \
         WHERE d.state = 'waiting' AND d.lane_id = ",
    );
    sql.bind(lane).push(" AND d.next_attempt_at <= ").bind(now);
    // In the order of the index, which is that of the numbers unless something has failed.
    sql.push(" ORDER BY d.next_attempt_at, d.id LIMIT ").bind(as_param(limit));
    let mut due = store.committed().fetch(sql.query(false), Due::default(), read).await?;
    due.is_full = due.now.len() == limit;
    let Some(last) = due.now.last() else { return Ok(due) };
    let last = (last.next_attempt_at.unwrap_or_default(), last.id);
    due.now.sort_by_key(|delivery| delivery.id);
    due.behind = behind(store, &due.now, last).await?;
    due.now.retain(|delivery| {
        let waits = |it: &Behind| it.object == delivery.object && it.id < delivery.id;
        !due.behind.iter().any(waits)
    });
    Ok(due)
}

fn read(due: &mut Due, row: &dyn Row) {
    let int = |at| row.int(at).unwrap_or_default();
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    due.resumes = int(13);
    due.now.push(entity::Model {
        id: int(0),
        lane_id: int(1),
        account_id: text(2),
        delivery_id: text(3),
        origin_id: row.text(4).map(Into::into),
        event_id: row.int(5),
        event: text(6),
        object: text(7),
        payload: text(8),
        secrets: row.text(9).map(Into::into),
        state: entity::WAITING.to_owned(),
        attempts: int(10),
        next_attempt_at: row.int(11),
        finished_at: None,
        created_at: int(12),
    });
}

#[derive(Serialize)]
struct Object<'a> {
    lane_id: i64,
    object: &'a str,
    /// The newest message of it that was read.
    newest: i64,
}

const OBJECT: &[&str] = &["lane_id bigint", "object text", "newest bigint"];

/// Messages that wait, were not read because they are due behind the `last` one that was (time, number),
/// and yet come before one that was: it must not overtake them.
async fn behind(
    store: &Store,
    due: &[entity::Model],
    (time, number): (i64, i64),
) -> Result<Vec<Behind>> {
    let mut newest: HashMap<&str, Object> = HashMap::new();
    for delivery in due {
        let entity::Model { lane_id, object, id, .. } = delivery;
        newest.insert(object, Object { lane_id: *lane_id, object, newest: *id });
    }
    let rows: Vec<&Object> = newest.values().collect();
    let mut sql = Sql::new(store.dialect());
    sql.push("SELECT e.lane_id, e.object, e.id, e.next_attempt_at FROM ").rows(OBJECT, &rows)?;
    sql.push(" JOIN deliveries e ON e.lane_id = v.lane_id AND e.object = v.object ");
    sql.push("AND e.state = 'waiting' AND e.id < v.newest ");
    sql.push("WHERE e.next_attempt_at IS NULL OR e.next_attempt_at > ").bind(time);
    sql.push(" OR (e.next_attempt_at = ").bind(time).push(" AND e.id > ").bind(number).push(")");
    sql.push(" ORDER BY e.id");
    let read = |found: &mut Vec<Behind>, row: &dyn Row| {
        found.push(Behind {
            lane_id: row.int(0).unwrap_or_default(),
            object: row.text(1).unwrap_or_default().into_owned(),
            id: row.int(2).unwrap_or_default(),
            until: row.int(3),
        });
    };
    store.committed().fetch(sql.query(false), Vec::new(), read).await
}

/// A limit as SQL takes it.
fn as_param(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
