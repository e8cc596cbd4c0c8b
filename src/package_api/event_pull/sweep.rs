//! Events that were kept long enough.
use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use crate::kernel::db::{Source, execute};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::kernel::state::Kernel;

const DAY: i64 = 86_400_000;
/// Rows that one transaction removes, so that others need not wait for long.
const CHUNK: u64 = 500;

/// Removes events that are older than the setting `event_retention_days` says and have left the feed; tells
/// how many. Messages about them have all that they need.
///
/// # Errors
/// The database's; the next sweep goes on.
pub async fn sweep(kernel: &Kernel) -> Result<u64> {
    let until = kernel.clock.now_millis() - i64::from(kernel.config.event_retention_days) * DAY;
    let mut swept = 0;
    loop {
        let removed = kernel
            .store
            .write_unheard(until, |transaction, until| remove(transaction, *until).boxed())
            .await?;
        swept += removed;
        if removed < CHUNK {
            return Ok(swept);
        }
    }
}

async fn remove(transaction: &DatabaseTransaction, until: i64) -> Result<u64> {
    let mut sql = Sql::new(Source::Transaction(transaction).dialect());
    sql.push("DELETE FROM package_events WHERE id IN (SELECT p.id FROM package_events p ");
    sql.push("WHERE p.occurred_at < ").bind(until);
    // One that is in the feed without a place has not been told yet.
    sql.push(" AND NOT EXISTS (SELECT 1 FROM events e WHERE e.event_id = p.event_id) ");
    sql.push(&format!("ORDER BY p.occurred_at LIMIT {CHUNK})"));
    execute(transaction, sql.query(false)).await
}
