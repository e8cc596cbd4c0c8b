//! Copies of all files of a package, for a new version or a clone.
use sea_orm::DatabaseTransaction;

use crate::kernel::db::{Row, Source};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;

/// Copies the files of one package into another, empty one, and returns how many. The copies are made
/// `now` by `by`; they share the bytes of the originals. The caller holds both packages, so that no file
/// of the source goes meanwhile, and writes the number of files to the target.
///
/// # Errors
/// The database's.
pub async fn files(
    transaction: &DatabaseTransaction,
    from: i64,
    to: i64,
    account: &str,
    by: &str,
    now: i64,
) -> Result<i64> {
    let source = Source::Transaction(transaction);
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "INSERT INTO package_files (account_id, package_id, path, path_key, media_type, check_sum, \
         size, blob, created_by, updated_by, created_at, updated_at) SELECT ",
    );
    sql.bind(account).push(", ").bind(to);
    sql.push(", path, path_key, media_type, check_sum, size, blob, ");
    sql.bind(by).push(", ").bind(by).push(", ").bind(now).push(", ").bind(now);
    sql.push(" FROM package_files WHERE package_id = ").bind(from);
    sql.push(" ORDER BY path_key RETURNING id");
    source.fetch(sql.query(false), 0, |copied: &mut i64, _: &dyn Row| *copied += 1).await
}
