//! Offerings as changes begin: loaded and locked. Below all that changes an offering or what belongs to
//! it.
use sea_orm::{DatabaseTransaction, QueryFilter, QuerySelect};

use super::dto::RECORD;
use super::entity::{self, COLUMN, Entity, Model};
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::resource;

/// Loads an offering of the caller's account for a change, and locks it.
///
/// # Errors
/// 403 for one of a provider that lets the caller see it, 404 for any other.
pub async fn find(transaction: &DatabaseTransaction, caller: &Caller, id: i64) -> Result<Model> {
    if let Some(found) = lock(transaction, &caller.identity.account, id).await? {
        return Ok(found);
    }
    let scope = Scope { condition: entity::VISIBLE, id };
    resource::show(transaction, &RECORD, scope, caller).await?;
    Err(Error::Forbidden)
}

/// Loads an offering of an account, and keeps others from changing it until the transaction ends: two
/// who publish it, change it or add rules to it do so one after the other. On SQLite all writes do.
///
/// # Errors
/// The database's.
pub async fn lock(
    transaction: &DatabaseTransaction,
    account: &str,
    id: i64,
) -> Result<Option<Model>> {
    let offering = Entity::of(account).filter(COLUMN.id.eq(id)).lock_exclusive();
    Ok(offering.one(transaction).await?)
}
