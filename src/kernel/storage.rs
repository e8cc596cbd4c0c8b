//! Stored files, through object_store: a local folder.
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::kernel::error::{Error, Result};

/// Where files are kept.
#[derive(Clone, Debug)]
pub struct Storage(Arc<dyn ObjectStore>);

impl Storage {
    /// Files in a local folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn local(folder: &FilePath) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::internal)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(Error::internal)?;
        // What was acknowledged survives power loss.
        Ok(Self(Arc::new(store.with_fsync(true))))
    }

    /// Keeps a file, replacing one of the same key.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.0.put(&path(key)?, PutPayload::from_bytes(bytes)).await.map_err(Error::internal)?;
        Ok(())
    }

    /// Size in bytes of a file; `None` when there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        match self.0.head(&path(key)?).await {
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
        match self.0.get(&path(key)?).await {
            Ok(found) => Ok(Some((found.meta.size, found.into_stream()))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }
}

/// A key as the store takes it; one that the store could read as another path does not exist.
fn path(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|_| Error::NotFound)
}
