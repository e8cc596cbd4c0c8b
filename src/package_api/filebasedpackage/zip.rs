//! A zip archive that is written while it is read: whatever its size, little of it is in memory, and a
//! client that stops reading stops the writing.
use std::io::{self, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Datelike, Timelike};
use futures_util::stream::{self, BoxStream, StreamExt};
use parking_lot::Mutex;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::kernel::storage::Storage;

/// Bytes that are handed on together.
const PIECE: usize = 64 * 1024;
/// Permissions of the files.
const MODE: u32 = 0o644;

/// A file of an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path in the archive.
    pub path: String,
    /// When it was last changed, in milliseconds since the epoch. The archive knows two seconds.
    pub changed_at: i64,
    /// What is in it.
    pub content: Content,
}

/// What is in a file of an archive.
#[derive(Clone, Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// A stored file.
    Blob {
        /// Its key in the store.
        key: String,
        /// How many bytes it has.
        size: u64,
    },
}

/// The archive of some files, uncompressed, in the byte order of their paths: the same files make the
/// same bytes. An error ends the stream, so that what was sent so far is no whole archive.
pub fn stream(storage: Storage, mut entries: Vec<Entry>) -> BoxStream<'static, io::Result<Bytes>> {
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    let written = Written::default();
    let archive = Archive {
        storage,
        entries: entries.into_iter(),
        current: None,
        writer: Some(ZipWriter::new_stream(written.clone())),
        written,
    };
    let next = |archive: Archive| async move {
        archive.next().await.inspect_err(|error| {
            tracing::error!(%error, "an archive could not be written to its end");
        })
    };
    stream::try_unfold(archive, next).boxed()
}

/// What the writer has written and nobody has taken yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<BytesMut>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn len(&self) -> usize {
        self.0.lock().len()
    }

    fn take(&self) -> Bytes {
        self.0.lock().split().freeze()
    }
}

/// An archive on its way.
struct Archive {
    storage: Storage,
    entries: std::vec::IntoIter<Entry>,
    /// The rest of the file that is being written.
    current: Option<BoxStream<'static, io::Result<Bytes>>>,
    /// Gone once the archive is finished.
    writer: Option<ZipWriter<StreamWriter<Written>>>,
    written: Written,
}

impl Archive {
    /// Writes until there is a piece to hand on; `None` at the end.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        while self.written.len() < PIECE && self.writer.is_some() {
            self.step().await?;
        }
        let piece = self.written.take();
        Ok((!piece.is_empty()).then_some((piece, self)))
    }

    async fn step(&mut self) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if let Some(bytes) = &mut self.current {
            match bytes.next().await {
                Some(bytes) => writer.write_all(&bytes?)?,
                None => self.current = None,
            }
        } else if let Some(entry) = self.entries.next() {
            writer.start_file(entry.path.as_str(), options(&entry))?;
            self.current = Some(open(&self.storage, entry.content).await?);
        } else if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        Ok(())
    }
}

async fn open(
    storage: &Storage,
    content: Content,
) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
    match content {
        Content::Bytes(bytes) => Ok(stream::once(std::future::ready(Ok(bytes))).boxed()),
        Content::Blob { key, .. } => match storage.get(&key).await {
            Ok(Some((_, bytes))) => Ok(bytes.map(|it| it.map_err(io::Error::other)).boxed()),
            Ok(None) => Err(io::Error::new(io::ErrorKind::NotFound, format!("{key} is not there"))),
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

fn options(entry: &Entry) -> SimpleFileOptions {
    let is_large = match &entry.content {
        Content::Blob { size, .. } => *size > u64::from(u32::MAX),
        Content::Bytes(_) => false,
    };
    SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(date(entry.changed_at))
        .unix_permissions(MODE)
        .large_file(is_large)
}

/// A point in time as archives know it, in UTC; 1980 for what is outside of their calendar.
fn date(millis: i64) -> zip::DateTime {
    let read = |time: DateTime<chrono::Utc>| {
        let part = |part: u32| u8::try_from(part).ok();
        zip::DateTime::from_date_and_time(
            u16::try_from(time.year()).ok()?,
            part(time.month())?,
            part(time.day())?,
            part(time.hour())?,
            part(time.minute())?,
            part(time.second())?,
        )
        .ok()
    };
    DateTime::from_timestamp_millis(millis).and_then(read).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use futures_util::TryStreamExt;
    use tempfile::TempDir;
    use zip::ZipArchive;

    use super::*;

    /// 2026-03-04T09:15:03.500Z
    const TIME: i64 = 1_772_615_703_500;

    fn storage() -> (TempDir, Storage) {
        let folder = TempDir::new().unwrap();
        let storage = Storage::local(folder.path()).unwrap();
        (folder, storage)
    }

    fn entry(path: &str, content: Content) -> Entry {
        Entry { path: path.to_owned(), changed_at: TIME, content }
    }

    async fn whole(storage: &Storage, entries: &[Entry]) -> io::Result<Vec<u8>> {
        let pieces: Vec<Bytes> = stream(storage.clone(), entries.to_vec()).try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn the_same_files_make_the_same_archive() {
        let (_folder, storage) = storage();
        let large: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
        storage.put("packages/a", Bytes::from(large.clone())).await.unwrap();
        let blob = Content::Blob { key: "packages/a".to_owned(), size: 1_000_000 };
        let small = |text: &'static str| Content::Bytes(Bytes::from_static(text.as_bytes()));
        let mut entries = vec![
            entry("package.definition.json", small("{}")),
            entry("files/ä/ß.txt", small("ß")),
            entry("files/large", blob),
            entry("files/empty", small("")),
        ];
        let archive = whole(&storage, &entries).await.unwrap();
        entries.rotate_left(1);
        assert_eq!(whole(&storage, &entries).await.unwrap(), archive);

        let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
        let mut found = Vec::new();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            let time = file.last_modified().unwrap().to_string();
            found.push((file.name().unwrap().into_owned(), file.unix_mode(), time, bytes));
        }
        let shown = |path: &str, bytes: &[u8]| {
            (path.to_owned(), Some(0o100_644), "2026-03-04 09:15:02".to_owned(), bytes.to_vec())
        };
        assert_eq!(
            found,
            [
                shown("files/empty", b""),
                shown("files/large", &large),
                shown("files/ä/ß.txt", "ß".as_bytes()),
                shown("package.definition.json", b"{}"),
            ]
        );
    }

    #[tokio::test]
    async fn no_files_make_an_empty_archive() {
        let (_folder, storage) = storage();
        let archive = whole(&storage, &[]).await.unwrap();
        assert_eq!(ZipArchive::new(Cursor::new(archive)).unwrap().len(), 0);
    }

    /// What was sent must not look like a whole archive.
    #[tokio::test]
    async fn a_file_that_is_gone_breaks_the_archive_off() {
        let (_folder, storage) = storage();
        let gone = Content::Blob { key: "packages/gone".to_owned(), size: 1 };
        let large = Content::Bytes(Bytes::from(vec![7; 2 * PIECE]));
        let mut pieces = stream(storage, vec![entry("a", large), entry("b", gone)]);
        let first = pieces.next().await.unwrap().unwrap();
        assert!(first.len() >= 2 * PIECE);
        let error = pieces.next().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::NotFound, "packages/gone is not there")
        );
        assert!(pieces.next().await.is_none());
    }

    #[test]
    fn times_outside_of_the_calendar_are_its_first() {
        for (millis, text) in [
            (TIME, "2026-03-04 09:15:02"),
            (0, "1980-01-01 00:00:00"),
            (4_354_819_199_000, "2107-12-31 23:59:58"),
            (4_354_819_200_000, "1980-01-01 00:00:00"),
            (i64::MAX, "1980-01-01 00:00:00"),
        ] {
            assert_eq!(date(millis).to_string(), text, "{millis}");
        }
    }
}
