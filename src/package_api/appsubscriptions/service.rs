//! Subscriptions in the database.
use sea_orm::DatabaseTransaction;

use super::dto::ApplicationSubscription;
use crate::kernel::db::Source;
use crate::kernel::error::Result;

/// The subscriptions of a package, by number.
///
/// # Errors
/// The database's.
pub async fn of_package(
    _source: Source<'_>,
    _package: i64,
) -> Result<Vec<ApplicationSubscription>> {
    Ok(Vec::new())
}

/// Copies the subscriptions of one package into another, empty one.
///
/// # Errors
/// The database's.
pub async fn copy(
    _transaction: &DatabaseTransaction,
    _from: i64,
    _to: i64,
    _account: &str,
    _now: i64,
) -> Result<()> {
    Ok(())
}
