//! Stored files, through object_store: in a local folder, or in a bucket of a store that speaks S3.
//! [`sweep`] removes what nobody knows of any more.
mod local;
mod s3;
pub mod sweep;

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    GetResult, GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
    PutPayloadMut,
};
use tokio::sync::SemaphorePermit;

use local::Folder;

use crate::kernel::config::Config;
use crate::kernel::error::{Error, Result};

/// Bytes of a file that are read from a local folder at once, or gathered before they are written there:
/// what a file on its way takes of memory. Smaller files are written at once.
const CHUNK: usize = 256 * 1024;
/// Smaller pieces of a file on its way in are put together, larger ones kept as they came.
const SMALL: usize = 8 * 1024;

/// Where files are kept.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    place: Place,
}

/// What differs between the stores.
#[derive(Clone, Debug)]
enum Place {
    Folder(Folder),
    Bucket,
}

/// A stored file, as a list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, in milliseconds since the epoch.
    pub modified: i64,
}

/// Some files of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The files, in the byte order of their keys.
    pub files: Vec<Stored>,
    /// Whether further ones follow.
    pub has_more: bool,
}

impl Storage {
    /// Files where the configuration says: in a bucket, or in the data folder, in a folder of its own,
    /// which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or opened, or the address of the bucket not be understood. A
    /// bucket that cannot be reached shows only when it is used.
    pub fn open(config: &Config) -> Result<Self> {
        if let Some(address) = &config.storage_url {
            return Ok(Self { store: s3::open(address, config)?, place: Place::Bucket });
        }
        Self::local(&config.data.join("files"))
    }

    /// Files in a local folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn local(folder: &FilePath) -> Result<Self> {
        let folder = Folder::new(folder);
        Ok(Self { store: Arc::new(folder.open()?), place: Place::Folder(folder) })
    }

    /// Keeps a file, replacing one of the same key.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.store
            .put(&path(key)?, PutPayload::from_bytes(bytes))
            .await
            .map_err(|error| self.place.failed(error))?;
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
            Err(error) => Err(self.place.failed(error)),
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
            Ok(GetResult { meta, payload: GetResultPayload::File(file, _), .. }) => {
                Ok(Some((meta.size, local::stream(file, meta.size, CHUNK))))
            }
            Ok(found) => Ok(Some((found.meta.size, found.into_stream()))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.place.failed(error)),
        }
    }

    /// Begins a file that arrives in pieces. Nothing is seen of it until it is finished.
    ///
    /// # Errors
    /// As a key that names no file: 404.
    pub fn begin(&self, key: &str) -> Result<NewFile> {
        let part = match self.place {
            Place::Folder(_) => CHUNK,
            Place::Bucket => s3::PART,
        };
        Ok(NewFile {
            storage: self.clone(),
            key: path(key)?,
            part,
            gathered: PutPayloadMut::new(),
            upload: None,
        })
    }

    /// Removes a file; one that is not there is gone already.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.place.failed(error)),
        }
    }

    /// Files of a folder and of those below it: the first `most` that are wanted by their keys, begin with
    /// `beginning` within the folder and come behind the key `after`.
    ///
    /// # Errors
    /// The store's. A folder that is not there has no files.
    pub async fn page(
        &self,
        folder: &str,
        beginning: &str,
        after: Option<&str>,
        most: usize,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Page> {
        let folder = path(folder)?;
        let wanted = format!("{folder}/{beginning}");
        let mut files = match after {
            Some(after) => self.store.list_with_offset(Some(&folder), &path(after)?),
            None => self.store.list(Some(&folder)),
        };
        let mut first = BTreeMap::new();
        while let Some(file) = files.next().await {
            let file = file.map_err(|error| self.place.failed(error))?;
            let key = file.location.as_ref();
            if !key.starts_with(&wanted) || !is_wanted(key) {
                continue;
            }
            let modified = file.last_modified.timestamp_millis();
            first.insert(file.location.to_string(), (file.size, modified));
            if first.len() > most + 1 {
                // A folder lists its files in any order; no more of them are kept than are asked for.
                first.pop_last();
            }
            // A bucket lists them in that of their keys.
            if matches!(self.place, Place::Bucket) && first.len() > most {
                break;
            }
        }
        let has_more = first.len() > most;
        let stored = |(key, (size, modified))| Stored { key, size, modified };
        Ok(Page { files: first.into_iter().take(most).map(stored).collect(), has_more })
    }

    /// Keys of the files in a folder that were written before a point in time, given in milliseconds
    /// since the epoch.
    pub fn older_than(&self, folder: &str, time: i64) -> BoxStream<'static, Result<String>> {
        let files = self.store.list(Some(&Path::from(folder)));
        let place = self.place.clone();
        let old = move |file: object_store::Result<object_store::ObjectMeta>| match file {
            Ok(file) => {
                let is_old = file.last_modified.timestamp_millis() < time;
                std::future::ready(is_old.then(|| Ok(file.location.to_string())))
            }
            Err(error) => std::future::ready(Some(Err(place.failed(error)))),
        };
        files.filter_map(old).boxed()
    }

    /// Removes what is left of files in a folder that were begun before a point in time, given in
    /// milliseconds since the epoch, and never finished, because the process ended. A bucket keeps such
    /// parts where no list shows them; a rule of its life cycle removes them
    /// (`AbortIncompleteMultipartUpload`).
    ///
    /// # Errors
    /// The store's.
    pub async fn remove_unfinished(&self, folder: &str, time: i64) -> Result<u64> {
        match &self.place {
            Place::Folder(files) => files.remove_unfinished(folder, time).await,
            Place::Bucket => Ok(0),
        }
    }
}

impl Place {
    /// Waits until few enough parts are being written. More at a time would not be written sooner.
    async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>> {
        match self {
            Self::Folder(folder) => folder.turn().await.map(Some),
            Self::Bucket => Ok(None),
        }
    }

    /// What a failure of the store is to a caller.
    fn failed(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        match self {
            Self::Folder(_) => Error::internal(error),
            // As with a database over the network: most likely it will be there again soon.
            Self::Bucket => Error::Unavailable(Arc::from(error.into())),
        }
    }
}

/// A file on its way into the store. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    storage: Storage,
    key: Path,
    /// Bytes that are written at once.
    part: usize,
    /// What is not written yet, always less than a part.
    gathered: PutPayloadMut,
    /// Where parts go; there is none before the first, nor once the file is finished or given up.
    upload: Option<Box<dyn MultipartUpload>>,
}

impl NewFile {
    /// Appends a piece; waits until the store has what makes up a whole part.
    ///
    /// # Errors
    /// The store's; the file cannot be finished then.
    pub async fn write(&mut self, mut piece: Bytes) -> Result<()> {
        while !piece.is_empty() {
            let missing = self.part - self.gathered.content_length();
            let next = piece.split_to(piece.len().min(missing));
            let is_whole = next.len() == missing;
            if next.len() < SMALL {
                self.gathered.extend_from_slice(&next);
            } else {
                self.gathered.push(next);
            }
            if is_whole {
                self.write_part().await?;
            }
        }
        Ok(())
    }

    async fn write_part(&mut self) -> Result<()> {
        let part = std::mem::take(&mut self.gathered).freeze();
        let failed = |error| self.storage.place.failed(error);
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.storage.store.put_multipart(&self.key).await.map_err(failed)?),
        };
        let _turn = self.storage.place.turn().await?;
        // Another reference to the part stays here, so that its memory is given back where it was taken:
        // an allocator keeps more of what another thread gives back.
        upload.put_part(part.clone()).await.map_err(failed)
    }

    /// Makes the file seen, whole and durable.
    ///
    /// # Errors
    /// The store's; nothing is seen of the file then.
    pub async fn finish(mut self) -> Result<()> {
        if self.upload.is_some() && !self.gathered.is_empty() {
            self.write_part().await?;
        }
        let written = match &mut self.upload {
            Some(upload) => upload.complete().await,
            None => {
                let whole = std::mem::take(&mut self.gathered).freeze();
                self.storage.store.put(&self.key, whole).await
            }
        };
        written.map_err(|error| self.storage.place.failed(error))?;
        self.upload = None;
        Ok(())
    }

    /// Removes what was written so far.
    pub async fn abandon(mut self) {
        if let Some(upload) = self.upload.take() {
            abort(upload).await;
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // A local file goes with its writer. A bucket must be told.
        if matches!(self.storage.place, Place::Bucket)
            && let Some(upload) = self.upload.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(abort(upload));
        }
    }
}

async fn abort(mut upload: Box<dyn MultipartUpload>) {
    if let Err(error) = upload.abort().await {
        tracing::warn!(%error, "an unfinished file could not be removed");
    }
}

/// A key as the store takes it; one that the store could read as another path does not exist.
fn path(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|_| Error::NotFound)
}
