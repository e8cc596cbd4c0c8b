//! Removing the bytes that no file has any more: those of overwritten and deleted files, and what a crash
//! left without a row or unfinished.
use super::receive::FOLDER;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::storage::sweep::orphans;

/// Milliseconds that bytes may wait for their row, and downloads for their bytes.
const WAITS: i64 = 24 * 60 * 60 * 1000;

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that no file has.
    pub files: u64,
    /// Blobs that were begun and never finished.
    pub unfinished: u64,
}

/// Removes what is older than a day and in no use.
///
/// Nothing that a file has can be removed between looking and removing: a row takes over the bytes of
/// another one only while it holds the other's package, whose rows nobody can remove meanwhile.
///
/// # Errors
/// The database's and the store's; the next sweep goes on.
pub async fn sweep(state: &AppState) -> Result<Swept> {
    let before = state.clock.now_millis() - WAITS;
    let files = orphans(&state.store, &state.storage, FOLDER, "package_files", before).await?;
    let unfinished = state.storage.remove_unfinished(FOLDER, before).await?;
    Ok(Swept { files, unfinished })
}
