//! Numbers of things that are kept inside other rows and have no table of their own (contract 2.6).
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use crate::kernel::error::{Error, Result};

/// What is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Capability types of packages, with their capabilities, domains and values.
    Capability,
    /// Purchases of licences.
    Transaction,
}

impl Series {
    fn name(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Transaction => "transaction",
        }
    }
}

/// Takes `count` numbers and returns the first of them; the others follow it. Everybody waits for the end
/// of the transaction, so it comes last in one.
///
/// # Errors
/// The database's.
pub async fn take(transaction: &DatabaseTransaction, series: Series, count: i64) -> Result<i64> {
    if count == 0 {
        return Ok(0);
    }
    let sql = "UPDATE wire_ids SET next = next + $1 WHERE name = $2 RETURNING next";
    let values = [count.into(), series.name().into()];
    let backend = transaction.get_database_backend();
    let row =
        transaction.query_one_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    // The migration has made a row for each series.
    let row = row.ok_or_else(|| Error::internal("a series of numbers is missing"))?;
    Ok(row.try_get::<i64>("", "next")? - count)
}
