//! Installs as they are shown.
use super::dto::ApplicationEntitlement;
use crate::kernel::db::Source;
use crate::kernel::error::Result;

/// The installs of a package, by number.
///
/// # Errors
/// The database's.
pub async fn of_package(_source: Source<'_>, _package: i64) -> Result<Vec<ApplicationEntitlement>> {
    Ok(Vec::new())
}
