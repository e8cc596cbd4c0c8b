//! A local folder of stored files, and what only the file system tells of it.
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::local::LocalFileSystem;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::kernel::error::{Error, Result};

/// Parts of files that are written at the same time.
const WRITERS: usize = 4;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    writers: Arc<Semaphore>,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), writers: Arc::new(Semaphore::new(WRITERS)) }
    }

    /// The right to write a part, as soon as few enough others do.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        self.writers.acquire().await.map_err(Error::internal)
    }

    /// Opens the folder, which is made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made or opened.
    pub(super) fn open(&self) -> Result<LocalFileSystem> {
        std::fs::create_dir_all(&self.path).map_err(Error::internal)?;
        let store = LocalFileSystem::new_with_prefix(&self.path).map_err(Error::internal)?;
        // What was acknowledged survives power loss.
        Ok(store.with_fsync(true))
    }

    /// Removes what is left of files in a folder of this one that were begun before a point in time,
    /// given in milliseconds since the epoch, and never finished. The store keeps them as
    /// `<name>#<number>` and lists them nowhere.
    ///
    /// # Errors
    /// The file system's.
    pub(super) async fn remove_unfinished(&self, folder: &str, time: i64) -> Result<u64> {
        let mut removed = 0;
        let mut entries = match tokio::fs::read_dir(self.path.join(folder)).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(Error::internal(error)),
        };
        while let Some(entry) = entries.next_entry().await.map_err(Error::internal)? {
            if !entry.file_name().to_string_lossy().contains('#') {
                continue;
            }
            // One that vanishes meanwhile was finished or given up.
            let Ok(modified) = entry.metadata().await.and_then(|it| it.modified()) else {
                continue;
            };
            let age = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            if i64::try_from(age.as_millis()).is_ok_and(|modified| modified < time)
                && tokio::fs::remove_file(entry.path()).await.is_ok()
            {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// The bytes of an open file of `size` bytes, in pieces of at most `piece`. Each is read on a thread where
/// waiting for the disk does no harm; object_store's own stream goes there for every 8 KiB, which takes
/// longer than reading.
pub(super) fn stream(
    file: File,
    size: u64,
    piece: usize,
) -> BoxStream<'static, object_store::Result<Bytes>> {
    let read = move |(file, left): (File, u64)| async move {
        if left == 0 {
            return Ok(None);
        }
        let length = usize::try_from(left).map_or(piece, |left| left.min(piece));
        let read = tokio::task::spawn_blocking(move || read(file, length)).await;
        let (file, bytes) = read.map_err(std::io::Error::other).flatten().map_err(failed)?;
        Ok(Some((bytes, (file, left - length as u64))))
    };
    stream::try_unfold((file, size), read).boxed()
}

/// Reads exactly `length` bytes: a file that has become shorter must not seem whole.
fn read(mut file: File, length: usize) -> std::io::Result<(File, Bytes)> {
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok((file, bytes.into()))
}

fn failed(error: std::io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "local folder", source: Box::new(error) }
}
