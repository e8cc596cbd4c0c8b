//! Removing stored files that no row knows: a crash left them behind, or what named them is gone.
use std::collections::HashSet;

use futures_util::StreamExt;

use super::Storage;
use crate::kernel::db::{Row, Store};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;

/// Files that are looked up together.
const GROUP: usize = 500;

/// Removes the files of a folder that no row of `table` names as its `blob`, and returns how many. Only
/// those written before a point in time, given in milliseconds since the epoch: a younger one may still
/// get its row.
///
/// # Errors
/// The database's and the store's; what is left the next sweep removes.
pub async fn orphans(
    store: &Store,
    storage: &Storage,
    folder: &str,
    table: &'static str,
    before: i64,
) -> Result<u64> {
    let mut removed = 0;
    let mut groups = storage.older_than(folder, before).chunks(GROUP);
    while let Some(group) = groups.next().await {
        let files = group.into_iter().collect::<Result<Vec<String>>>()?;
        let known = known(store, table, &files).await?;
        for file in files.iter().filter(|file| !known.contains(*file)) {
            storage.delete(file).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Those files that a row names.
async fn known(store: &Store, table: &'static str, files: &[String]) -> Result<HashSet<String>> {
    let mut sql = Sql::new(store.dialect());
    sql.push("SELECT blob FROM ").push(table).push(" WHERE blob IN (");
    for (at, file) in files.iter().enumerate() {
        sql.push(if at == 0 { "" } else { ", " }).bind(file.as_str());
    }
    sql.push(")");
    let read = |known: &mut HashSet<String>, row: &dyn Row| {
        known.extend(row.text(0).map(std::borrow::Cow::into_owned));
    };
    store.committed().fetch(sql.query(false), HashSet::new(), read).await
}
