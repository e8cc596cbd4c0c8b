//! Stored files, through object_store: a local folder. [`sweep`] removes what nobody knows of any more.
mod local;
pub mod sweep;

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};

use local::Folder;

use crate::kernel::error::{Error, Result};

/// Bytes of a file that are gathered before they are written: what a file on its way in takes of
/// memory, twice.
const CHUNK: usize = 256 * 1024;

/// Where files are kept.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    local: Folder,
}

impl Storage {
    /// Files in a local folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn local(folder: &FilePath) -> Result<Self> {
        let local = Folder::new(folder);
        Ok(Self { store: Arc::new(local.open()?), local })
    }

    /// Keeps a file, replacing one of the same key.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.store
            .put(&path(key)?, PutPayload::from_bytes(bytes))
            .await
            .map_err(Error::internal)?;
        Ok(())
    }

    /// Size in bytes of a file; `None` when there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        match self.store.head(&path(key)?).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// A file's size and bytes, streamed; `None` when there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn get(
        &self,
        key: &str,
    ) -> Result<Option<(u64, BoxStream<'static, object_store::Result<Bytes>>)>> {
        match self.store.get(&path(key)?).await {
            Ok(found) => Ok(Some((found.meta.size, found.into_stream()))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// Begins a file that arrives in pieces. Nothing is seen of it until it is finished.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin(&self, key: &str) -> Result<NewFile> {
        let upload = self.store.put_multipart(&path(key)?).await.map_err(Error::internal)?;
        Ok(NewFile(WriteMultipart::new_with_chunk_size(upload, CHUNK)))
    }

    /// Removes a file; one that is not there is gone already.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// Keys of the files in a folder that were written before a point in time, given in milliseconds
    /// since the epoch.
    pub fn older_than(&self, folder: &str, time: i64) -> BoxStream<'static, Result<String>> {
        let files = self.store.list(Some(&Path::from(folder)));
        let old = move |file: object_store::Result<object_store::ObjectMeta>| match file {
            Ok(file) => {
                let is_old = file.last_modified.timestamp_millis() < time;
                std::future::ready(is_old.then(|| Ok(file.location.to_string())))
            }
            Err(error) => std::future::ready(Some(Err(Error::internal(error)))),
        };
        files.filter_map(old).boxed()
    }

    /// Removes what is left of files in a folder that were begun before a point in time, given in
    /// milliseconds since the epoch, and never finished, because the process ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn remove_unfinished(&self, folder: &str, time: i64) -> Result<u64> {
        self.local.remove_unfinished(folder, time).await
    }
}

/// A file on its way into the store. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct NewFile(WriteMultipart);

impl NewFile {
    /// Appends a piece; waits for the store when it is behind.
    ///
    /// # Errors
    /// The store's.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.wait_for_capacity(1).await.map_err(Error::internal)?;
        self.0.write(bytes);
        Ok(())
    }

    /// Makes the file seen, whole and durable.
    ///
    /// # Errors
    /// The store's; nothing is seen of the file then.
    pub async fn finish(self) -> Result<()> {
        self.0.finish().await.map_err(Error::internal)?;
        Ok(())
    }

    /// Removes what was written so far.
    pub async fn abandon(self) {
        if let Err(error) = self.0.abort().await {
            tracing::warn!(%error, "an unfinished file could not be removed");
        }
    }
}

/// A key as the store takes it; one that the store could read as another path does not exist.
fn path(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|_| Error::NotFound)
}
