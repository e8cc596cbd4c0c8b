//! Removing what nobody will ask for again: uploads that no record took up within a day, files that a
//! crash left without a row, and the beginnings of files that never ended.
use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use super::{entity, pictures, upload, upload_entity};
use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::kernel::storage::sweep::orphans;

/// How often the service sweeps.
pub const EVERY: Duration = Duration::from_secs(60 * 60);
/// Milliseconds that an upload may wait for its record.
const WAITS: i64 = 24 * 60 * 60 * 1000;
/// Rows that are looked at together.
const GROUP: usize = 500;

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that no record took up.
    pub uploads: u64,
    /// Files without an upload, those of the uploads above among them.
    pub files: u64,
    /// Files that were begun and never finished.
    pub unfinished: u64,
}

/// Removes what is older than a day and in no use.
///
/// # Errors
/// The database's and the store's; the next sweep goes on.
pub async fn sweep(state: &AppState) -> Result<Swept> {
    let before = state.clock.now_millis() - WAITS;
    let uploads = forget_uploads(state, before).await?;
    let files = orphans(&state.store, &state.storage, upload::FOLDER, "uploads", before).await?;
    let mut unfinished = 0;
    for folder in [upload::FOLDER, pictures::FOLDER] {
        unfinished += state.storage.remove_unfinished(folder, before).await?;
    }
    Ok(Swept { uploads, files, unfinished })
}

async fn forget_uploads(state: &AppState, before: i64) -> Result<u64> {
    let mut forgotten = 0;
    let mut last = 0;
    loop {
        // Found by reading; the writer is held only for those that will go.
        let mut sql = Sql::new(state.store.dialect());
        sql.push("SELECT u.id FROM uploads u WHERE u.id > ").bind(last);
        sql.push(" AND u.created_at < ").bind(before);
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM attachments a WHERE a.file_key = u.file_key) \
             ORDER BY u.id LIMIT ",
        );
        sql.push(&GROUP.to_string());
        let read = |ids: &mut Vec<i64>, row: &dyn Row| ids.extend(row.int(0));
        let ids = state.store.committed().fetch(sql.query(true), Vec::new(), read).await?;
        let Some(&greatest) = ids.last() else { return Ok(forgotten) };
        last = greatest;
        forgotten +=
            state.store.write(ids, |transaction, ids| forget(transaction, ids).boxed()).await?;
    }
}

/// Forgets uploads unless a record has taken them up by now.
async fn forget(transaction: &DatabaseTransaction, ids: &[i64]) -> Result<u64> {
    // Whoever attaches an upload holds its row until done: first wait for them, then look.
    let held = upload_entity::Entity::find()
        .filter(upload_entity::COLUMN.id.is_in(ids.iter().copied()))
        .lock_exclusive()
        .all(transaction)
        .await?;
    let attached = Query::select()
        .column(entity::Column::FileKey)
        .from(entity::Entity)
        .and_where(
            entity::Column::FileKey.is_in(held.iter().map(|upload| upload.file_key.as_str())),
        )
        .to_owned();
    let gone = upload_entity::Entity::delete_many()
        .filter(upload_entity::COLUMN.id.is_in(held.iter().map(|upload| upload.id)))
        .filter(upload_entity::Column::FileKey.not_in_subquery(attached))
        .exec(transaction)
        .await?;
    Ok(gone.rows_affected)
}
