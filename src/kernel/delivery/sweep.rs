//! Events and deliveries that were kept long enough.
use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use super::queue::Id;
use crate::kernel::db::{Row, Source, execute};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::kernel::state::Kernel;

const DAY: i64 = 86_400_000;
/// Rows that one transaction removes, so that others need not wait for long.
const CHUNK: u64 = 500;

/// How many were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Events.
    pub events: u64,
    /// Deliveries, with their attempts.
    pub deliveries: u64,
}

/// Removes events and deliveries that are older than the settings `event_retention_days` and
/// `delivery_retention_days` say. Deliveries count from when they were delivered or given up, or from when
/// they were made as long as their receiver is switched off.
///
/// # Errors
/// The database's; the next sweep goes on.
pub async fn sweep(kernel: &Kernel) -> Result<Swept> {
    let now = kernel.clock.now_millis();
    let before = |days: u32| now - i64::from(days) * DAY;
    let mut swept = Swept::default();
    let until = before(kernel.config.delivery_retention_days);
    for old in [
        "d.finished_at IS NOT NULL AND d.finished_at < ",
        "d.state = 'waiting' AND d.next_attempt_at IS NULL AND d.created_at < ",
    ] {
        loop {
            let removed = kernel
                .store
                .write_unheard((old, until), |transaction, work| {
                    deliveries(transaction, *work).boxed()
                })
                .await?;
            swept.deliveries += removed;
            if removed < CHUNK {
                break;
            }
        }
    }
    let until = before(kernel.config.event_retention_days);
    loop {
        let removed = kernel
            .store
            .write_unheard(until, |transaction, until| events(transaction, *until).boxed())
            .await?;
        swept.events += removed;
        if removed < CHUNK {
            return Ok(swept);
        }
    }
}

async fn deliveries(
    transaction: &DatabaseTransaction,
    (old, until): (&'static str, i64),
) -> Result<u64> {
    let source = Source::Transaction(transaction);
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT d.id FROM deliveries d WHERE ").push(old).bind(until);
    sql.push(" ORDER BY d.id LIMIT ").bind(CHUNK as i64);
    let read = |ids: &mut Vec<Id>, row: &dyn Row| ids.extend(row.int(0).map(|id| Id { id }));
    let ids = source.fetch(sql.query(false), Vec::new(), read).await?;
    let mut removed = 0;
    for start in [
        "DELETE FROM delivery_attempts WHERE delivery_id IN (SELECT v.id FROM ",
        "DELETE FROM deliveries WHERE id IN (SELECT v.id FROM ",
    ] {
        let mut sql = Sql::new(source.dialect());
        sql.push(start).rows(Id::COLUMNS, &ids)?.push(")");
        removed = execute(transaction, sql.query(false)).await?;
    }
    Ok(removed)
}

async fn events(transaction: &DatabaseTransaction, until: i64) -> Result<u64> {
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE created_at < ");
    sql.bind(until).push(" AND position IS NOT NULL ORDER BY created_at LIMIT ");
    sql.bind(CHUNK as i64).push(")");
    execute(transaction, sql.query(false)).await
}
