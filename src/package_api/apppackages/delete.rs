//! Deleting a package (contract 3.8e). Its row stays, because its key is never used again.
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, Set, Statement};

use super::update;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::kernel::record::select::Sql;
use crate::package_api::appsubscriptions;
use crate::package_api::call::{self, Write};
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, Sight, Which};
use crate::package_api::model::packages;

/// Deletes a package with its files and subscriptions; its tickets end.
///
/// # Errors
/// 404 for a package of another account, 409 for the release, for a locked version and for a package that is
/// installed somewhere, 412 for a stale `If-Match`.
pub async fn delete(state: &AppState, write: Write) -> Result<Response> {
    let key = write.call.target.key()?;
    write
        .run(state, key, |transaction, state, write, key| {
            remove(transaction, state, write, key).boxed()
        })
        .await
}

async fn remove(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    key: &AppKey,
) -> Result<Answer> {
    let author = Author::of(state, &write.call.caller);
    let which = Which::Key(key);
    let row = lookup::lock(transaction, which, &author.account, Lock::Package).await?;
    update::check_precondition(transaction, state, write, &row, Sight::Own).await?;
    if row.package.is_release {
        return Err(refusal::conflict("the release package of a version cannot be deleted."));
    }
    row.unlocked()?;
    if is_installed(Source::Transaction(transaction), row.package.id, author.now).await? {
        let why = format!("the package {} is installed in a tenant.", row.key());
        return Err(refusal::conflict(&why));
    }
    let entry = audit::destroyed(&row.package)?.labelled(&row.key().to_string());
    entry.write(transaction, author.person, author.now).await?;
    empty(transaction, row.package.id).await?;
    let mut package: packages::entity::ActiveModel = row.package.into();
    package.is_deleted = Set(true);
    package.file_count = Set(0);
    package.updated_at = Set(author.now);
    package.update(transaction).await?;
    Ok(call::nothing())
}

/// Whether an install of the package has not ended.
async fn is_installed(source: Source<'_>, package: i64, now: i64) -> Result<bool> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT id FROM entitlements WHERE is_current AND package_id = ").bind(package);
    sql.push(" AND (ends_at IS NULL OR ends_at > ").bind(now).push(") LIMIT 1");
    source.fetch(sql.query(false), false, |found, _| *found = true).await
}

/// What else belongs to a package and goes with it. The bytes of files leave later, unless another package shares
/// them.
const BELONGINGS: [&str; 2] = ["package_files", "refresh_tokens"];

async fn empty(transaction: &DatabaseTransaction, package: i64) -> Result<()> {
    appsubscriptions::service::drop_all(transaction, package).await?;
    let backend = transaction.get_database_backend();
    for table in BELONGINGS {
        let sql = format!("DELETE FROM {table} WHERE package_id = $1");
        let statement = Statement::from_sql_and_values(backend, sql, [package.into()]);
        transaction.execute_raw(statement).await?;
    }
    Ok(())
}
