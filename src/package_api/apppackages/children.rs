//! The configuration of a package: what belongs to it alone.
use sea_orm::DatabaseTransaction;

use crate::kernel::error::Result;
use crate::package_api::model::packages;

/// Capability types and attributes of one package as those of another, with numbers of their own.
///
/// # Errors
/// The database's.
pub async fn copy(
    _transaction: &DatabaseTransaction,
    from: &packages::entity::Model,
    _to: &packages::entity::Model,
) -> Result<(String, String)> {
    Ok((from.capability_types.clone(), from.attributes.clone()))
}
