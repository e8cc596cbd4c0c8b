//! Into the queue, and out of it: what other parts of the service may do with deliveries.
//!
//! Transactions that touch several lanes lock them in the order of their numbers: here the foreign keys
//! of the new deliveries do, which wait for whoever is about to leave a lane as empty.
use std::collections::HashMap;

use sea_orm::DatabaseTransaction;
use serde::Serialize;

use super::channel::{LaneKey, NewDelivery};
use crate::kernel::db::{Query, Row, Source, execute};
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;

/// Deliveries written by one statement.
const CHUNK: usize = 1_000;

#[derive(Serialize)]
struct LaneRow<'a> {
    account_id: &'a str,
    kind: &'a str,
    target_id: i64,
    name: &'a str,
}

const LANE: &[&str] = &["account_id text", "kind text", "target_id bigint", "name text"];

#[derive(Serialize)]
struct DeliveryRow<'a> {
    lane_id: i64,
    account_id: &'a str,
    delivery_id: &'a str,
    origin_id: Option<&'a str>,
    event_id: Option<i64>,
    event: &'a str,
    object: &'a str,
    payload: String,
    secrets: Option<&'a str>,
    due_at: i64,
}

const DELIVERY: &[&str] = &[
    "lane_id bigint",
    "account_id text",
    "delivery_id text",
    "origin_id text",
    "event_id bigint",
    "event text",
    "object text",
    "payload text",
    "secrets text",
    "due_at bigint",
];

/// Queues messages in the transaction of what they tell of; `now` in milliseconds since the epoch, as
/// [`Clock::now_millis`](crate::kernel::clock::Clock::now_millis) tells it. They leave soon after the
/// commit.
///
/// # Errors
/// The database's.
pub async fn enqueue(
    transaction: &DatabaseTransaction,
    deliveries: &[NewDelivery],
    now: i64,
) -> Result<()> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let dialect = Source::Transaction(transaction).dialect();
    let lanes = lanes(transaction, deliveries).await?;
    let mut rows = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let lane = lanes.get(&delivery.lane);
        rows.push(DeliveryRow {
            lane_id: *lane.ok_or_else(|| Error::internal("a lane is missing"))?,
            account_id: &delivery.account,
            delivery_id: &delivery.delivery_id,
            origin_id: delivery.origin_id.as_deref(),
            event_id: delivery.event_id,
            event: &delivery.event,
            object: &delivery.object,
            payload: delivery.payload.to_string(),
            secrets: delivery.secrets.as_deref(),
            due_at: now + delivery.pause,
        });
    }
    // Within a lane as they came.
    rows.sort_by_key(|row| row.lane_id);
    for rows in rows.chunks(CHUNK) {
        let mut sql = Sql::new(dialect);
        sql.push(
            "INSERT INTO deliveries (lane_id, account_id, delivery_id, origin_id, event_id, event, \
             object, payload, secrets, state, attempts, next_attempt_at, created_at) \
             SELECT v.lane_id, v.account_id, v.delivery_id, v.origin_id, v.event_id, v.event, \
             v.object, v.payload, v.secrets, 'waiting', 0, v.due_at, ",
        );
        // To the second, as it is shown and asked for.
        sql.bind(now - now % 1000).push(" FROM ").rows(DELIVERY, rows)?;
        execute(transaction, sql.query(false)).await?;
    }
    // Behind the insertion: who has left a lane as empty without seeing these has done so before it.
    let mut ids: Vec<i64> = lanes.into_values().collect();
    ids.sort_unstable();
    let rows: Vec<Id> = ids.into_iter().map(|id| Id { id }).collect();
    let mut sql = Sql::new(dialect);
    sql.push("UPDATE delivery_lanes SET due_at = ").bind(now);
    sql.push(" WHERE (due_at IS NULL OR due_at > ")
        .bind(now)
        .push(") AND id IN (SELECT v.id FROM ");
    sql.rows(Id::COLUMNS, &rows)?.push(")");
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// A number, as a row of a statement.
#[derive(Serialize)]
pub(super) struct Id {
    pub(super) id: i64,
}

impl Id {
    pub(super) const COLUMNS: &[&str] = &["id bigint"];
}

/// Lets go what a lane's channel has held, because the receiver was switched on. In the transaction that
/// does that; `now` in milliseconds since the epoch.
///
/// # Errors
/// The database's.
pub async fn resume(
    transaction: &DatabaseTransaction,
    kind: &str,
    target: i64,
    now: i64,
) -> Result<()> {
    // First the lanes: a worker that is about to hold something waits here, and finds out.
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("UPDATE delivery_lanes SET resumes = resumes + 1, due_at = ").bind(now);
    sql.push(" WHERE kind = ").bind(kind).push(" AND target_id = ").bind(target);
    execute(transaction, sql.query(false)).await?;
    let held = "state = 'waiting' AND next_attempt_at IS NULL AND lane_id IN (";
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("UPDATE deliveries SET next_attempt_at = ").bind(now).push(" WHERE ").push(held);
    sql.push("SELECT id FROM delivery_lanes WHERE kind = ").bind(kind);
    sql.push(" AND target_id = ").bind(target).push(")");
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// Has the first attempt at messages of a name begin at `due` that would begin later, in milliseconds since
/// the epoch: what they waited for has come.
///
/// # Errors
/// The database's.
pub async fn bring_forward(
    transaction: &DatabaseTransaction,
    kind: &str,
    targets: &[i64],
    event: &str,
    due: i64,
) -> Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let dialect = Source::Transaction(transaction).dialect();
    let targets: Vec<Id> = targets.iter().map(|&id| Id { id }).collect();
    // First the lanes, as all do.
    let mut sql = Sql::new(dialect);
    sql.push("UPDATE delivery_lanes SET due_at = ").bind(due).push(" WHERE kind = ").bind(kind);
    sql.push(" AND (due_at IS NULL OR due_at > ")
        .bind(due)
        .push(") AND target_id IN (SELECT v.id FROM ");
    sql.rows(Id::COLUMNS, &targets)?.push(")");
    execute(transaction, sql.query(false)).await?;
    let mut sql = Sql::new(dialect);
    sql.push("UPDATE deliveries SET next_attempt_at = ").bind(due);
    sql.push(" WHERE state = 'waiting' AND attempts = 0 AND next_attempt_at > ").bind(due);
    sql.push(" AND event = ")
        .bind(event)
        .push(" AND lane_id IN (SELECT id FROM delivery_lanes WHERE kind = ");
    sql.bind(kind).push(" AND target_id IN (SELECT v.id FROM ");
    sql.rows(Id::COLUMNS, &targets)?.push("))");
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// Gives up the messages of a name that no event made, that hold secrets and that still wait for a receiver,
/// because what is in them is void, and forgets their secrets. In the transaction that makes it void; `now`
/// in milliseconds since the epoch. What comes behind them no longer waits for them.
///
/// # Errors
/// The database's.
pub async fn give_up(
    transaction: &DatabaseTransaction,
    kind: &str,
    target: i64,
    event: &str,
    now: i64,
) -> Result<()> {
    let dialect = Source::Transaction(transaction).dialect();
    // Locks them, so that no worker records anything meanwhile; and somebody looks who comes next.
    let mut sql = Sql::new(dialect);
    sql.push("UPDATE delivery_lanes SET due_at = ").bind(now).push(" WHERE kind = ").bind(kind);
    sql.push(" AND target_id = ").bind(target);
    execute(transaction, sql.query(false)).await?;
    let mut sql = Sql::new(dialect);
    sql.push("UPDATE deliveries SET state = 'failed', next_attempt_at = NULL, secrets = NULL, ");
    sql.push("finished_at = ").bind(now).push(" WHERE state = 'waiting' AND event = ").bind(event);
    sql.push(" AND event_id IS NULL AND secrets IS NOT NULL AND lane_id IN (");
    sql.push("SELECT id FROM delivery_lanes WHERE kind = ").bind(kind);
    sql.push(" AND target_id = ").bind(target).push(")");
    execute(transaction, sql.query(false)).await?;
    Ok(())
}

/// Removes the lanes of a receiver with all that is and was in them, in the transaction that removes the
/// receiver.
///
/// # Errors
/// The database's.
pub async fn forget(transaction: &DatabaseTransaction, kind: &str, target: i64) -> Result<()> {
    for (start, end) in [
        // Locks them, so that no worker records anything meanwhile.
        ("UPDATE delivery_lanes SET due_at = NULL WHERE id IN (", ")"),
        (
            "DELETE FROM delivery_attempts WHERE delivery_id IN \
             (SELECT d.id FROM deliveries d WHERE d.lane_id IN (",
            "))",
        ),
        ("DELETE FROM deliveries WHERE lane_id IN (", ")"),
        ("DELETE FROM delivery_lanes WHERE id IN (", ")"),
    ] {
        let mut sql = Sql::new(Source::Transaction(transaction).dialect());
        sql.push(start).push("SELECT id FROM delivery_lanes WHERE kind = ").bind(kind);
        sql.push(" AND target_id = ").bind(target).push(end);
        execute(transaction, sql.query(false)).await?;
    }
    Ok(())
}

/// Numbers of the lanes, which are made when they are missing.
async fn lanes(
    transaction: &DatabaseTransaction,
    deliveries: &[NewDelivery],
) -> Result<HashMap<LaneKey, i64>> {
    let mut wanted: HashMap<&LaneKey, LaneRow> = HashMap::new();
    for delivery in deliveries {
        let NewDelivery { lane, account, .. } = delivery;
        let LaneKey { kind, target, name } = lane;
        wanted.entry(lane).or_insert(LaneRow {
            account_id: account,
            kind,
            target_id: *target,
            name,
        });
    }
    let mut known = find_lanes(transaction, &wanted).await?;
    if known.len() < wanted.len() {
        let mut missing: Vec<LaneRow> = wanted
            .iter()
            .filter(|(key, _)| !known.contains_key(**key))
            .map(|(_, &LaneRow { account_id, kind, target_id, name })| LaneRow {
                account_id,
                kind,
                target_id,
                name,
            })
            .collect();
        missing.sort_by_key(|row| (row.kind, row.target_id, row.name));
        let dialect = Source::Transaction(transaction).dialect();
        let mut sql = Sql::new(dialect);
        sql.push(
            "INSERT INTO delivery_lanes (account_id, kind, target_id, name, leased_until, resumes) \
             SELECT v.account_id, v.kind, v.target_id, v.name, 0, 0 FROM ",
        );
        sql.rows(LANE, &missing)?;
        // Another may make them at the same time.
        sql.push(" WHERE true ON CONFLICT (kind, target_id, name) DO NOTHING");
        execute(transaction, sql.query(false)).await?;
        known = find_lanes(transaction, &wanted).await?;
    }
    Ok(known)
}

async fn find_lanes(
    transaction: &DatabaseTransaction,
    wanted: &HashMap<&LaneKey, LaneRow<'_>>,
) -> Result<HashMap<LaneKey, i64>> {
    let source = Source::Transaction(transaction);
    let rows: Vec<&LaneRow> = wanted.values().collect();
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT l.id, l.kind, l.target_id, l.name FROM ").rows(LANE, &rows)?;
    sql.push(
        " JOIN delivery_lanes l ON l.kind = v.kind AND l.target_id = v.target_id AND l.name = v.name",
    );
    let query: Query = sql.query(false);
    let read = |found: &mut Vec<(i64, String, i64, String)>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        found.push((
            row.int(0).unwrap_or_default(),
            text(1),
            row.int(2).unwrap_or_default(),
            text(3),
        ));
    };
    let found = source.fetch(query, Vec::new(), read).await?;
    let mut lanes = HashMap::with_capacity(found.len());
    for (id, kind, target, name) in found {
        // The kind as the channel's own word for it.
        let key =
            wanted.keys().find(|key| key.target == target && key.name == name && key.kind == kind);
        if let Some(key) = key {
            lanes.insert((*key).clone(), id);
        }
    }
    Ok(lanes)
}
