//! Offerings as changes begin: loaded and locked. Below all that changes an offering or what belongs to
//! it.
use sea_orm::{DatabaseTransaction, QueryFilter, QuerySelect};

use super::dto::RECORD;
use super::entity::{self, COLUMN, Entity, Model};
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::{self, Scope};
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

/// Refuses to change what customers have agreed to: a published version that is installed stays as it is, but
/// for its texts and pictures.
///
/// # Errors
/// 422 for such a version.
pub async fn refuse_installed(transaction: &DatabaseTransaction, offering: &Model) -> Result<()> {
    if is_installed(transaction, offering).await? {
        return Err(Error::Unprocessable(
            "The version is installed: change the draft and publish it".to_owned(),
        ));
    }
    Ok(())
}

/// Whether this is a published version that is installed somewhere.
///
/// # Errors
/// The database's.
pub async fn is_installed(transaction: &DatabaseTransaction, offering: &Model) -> Result<bool> {
    let scope = Scope { condition: entity::INSTALLED, id: offering.id };
    let source = Source::Transaction(transaction);
    select::exists(source, &RECORD, scope, &offering.account_id).await
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
