//! What the rest of the service relies on of a store of files, on each kind of store: the local folder,
//! and, when `APPMARKET_TEST_S3_ENDPOINT` names a server with a bucket `appmarket-test`, one that speaks
//! S3.
use appmarket::kernel::config::Config;
use appmarket::kernel::error::Error;
use appmarket::kernel::storage::{Page, Storage, Stored};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use tempfile::TempDir;

/// Larger than what any store takes at once, and no multiple of it.
const LARGE: usize = 11 * 1024 * 1024 + 7;

/// Runs each test on every kind of store.
macro_rules! on_each_store {
    ($($(#[$meta:meta])* async fn $name:ident($store:ident: Storage) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn check($store: Storage) $body

                #[tokio::test]
                async fn folder() {
                    let folder = TempDir::new().unwrap();
                    let config = Config { data: folder.path().to_owned(), ..Config::default() };
                    check(Storage::open(&config).unwrap()).await;
                }

                #[cfg(test_s3)]
                #[tokio::test]
                async fn bucket() {
                    check(Storage::open(&bucket_config()).unwrap()).await;
                }
            }
        )*
    };
}

/// The bucket of the tests, in which each has a place of its own.
#[cfg(test_s3)]
pub fn use_bucket(config: &mut Config) {
    let place = rand::random::<u64>();
    config.storage_url = Some(format!("s3://appmarket-test/{place:016x}"));
    config.storage_endpoint = Some(std::env::var("APPMARKET_TEST_S3_ENDPOINT").unwrap());
    config.storage_access_key_id = Some("test".to_owned());
    config.storage_secret_access_key = Some("test".to_owned());
}

#[cfg(test_s3)]
fn bucket_config() -> Config {
    let mut config = Config::default();
    use_bucket(&mut config);
    config
}

/// Bytes that repeat too late for a lost or doubled piece to go unnoticed.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 65_521 % 251) as u8).collect()
}

async fn read(store: &Storage, key: &str) -> Option<Vec<u8>> {
    let (size, bytes) = store.get(key).await.unwrap()?;
    let pieces: Vec<Bytes> = bytes.try_collect().await.unwrap();
    let bytes = pieces.concat();
    assert_eq!(size, bytes.len() as u64);
    Some(bytes)
}

/// Keys of all files of a folder.
async fn keys(store: &Storage, folder: &str) -> Vec<String> {
    let page = store.page(folder, "", None, 1000, |_| true).await.unwrap();
    page.files.into_iter().map(|file| file.key).collect()
}

async fn fill(store: &Storage, keys: &[&str]) {
    for key in keys {
        store.put(key, Bytes::copy_from_slice(key.as_bytes())).await.unwrap();
    }
}

on_each_store! {
    async fn a_file_is_kept_replaced_and_removed(store: Storage) {
        assert_eq!(read(&store, "packages/a").await, None);
        assert_eq!(store.size("packages/a").await.unwrap(), None);
        fill(&store, &["packages/a"]).await;
        assert_eq!(read(&store, "packages/a").await.unwrap(), b"packages/a");
        store.put("packages/a", Bytes::from_static(b"new")).await.unwrap();
        assert_eq!(read(&store, "packages/a").await.unwrap(), b"new");
        assert_eq!(store.size("packages/a").await.unwrap(), Some(3));
        store.put("packages/empty", Bytes::new()).await.unwrap();
        assert_eq!(read(&store, "packages/empty").await.unwrap(), b"");
        for _ in 0..2 {
            // The second time there is nothing left to remove, which is what was wanted.
            store.delete("packages/a").await.unwrap();
        }
        assert_eq!(keys(&store, "packages").await, ["packages/empty"]);
    }

    async fn a_file_that_arrives_in_pieces_is_seen_when_it_is_whole(store: Storage) {
        // Five MiB are a whole number of what either store takes at once.
        let files = [
            ("packages/empty", 0), ("packages/small", 1000), ("packages/even", 5 * 1024 * 1024),
            ("packages/large", LARGE),
        ];
        for (key, length) in files {
            let bytes = pattern(length);
            let mut file = store.begin(key).unwrap();
            let mut rest = Bytes::from(bytes.clone());
            for size in [1, 8191, 8192, 100_003, 0, 700_001].into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                file.write(rest.split_to(rest.len().min(size))).await.unwrap();
            }
            assert_eq!(read(&store, key).await, None, "{key}");
            file.finish().await.unwrap();
            assert!(read(&store, key).await.unwrap() == bytes, "{key}");
        }
    }

    async fn files_that_arrive_at_once_do_not_wait_for_each_other(store: Storage) {
        let mut files: Vec<_> =
            (0..8).map(|number| store.begin(&format!("packages/{number}")).unwrap()).collect();
        // All are begun before any is finished.
        for _ in 0..2 {
            let pieces = files.iter_mut().map(|file| file.write(pattern(LARGE / 2).into()));
            futures_util::future::try_join_all(pieces).await.unwrap();
        }
        let finished = files.into_iter().map(|file| file.finish());
        futures_util::future::try_join_all(finished).await.unwrap();
        let expected = [pattern(LARGE / 2), pattern(LARGE / 2)].concat();
        for number in 0..8 {
            assert!(read(&store, &format!("packages/{number}")).await.unwrap() == expected);
        }
    }

    async fn a_file_that_is_given_up_leaves_nothing(store: Storage) {
        for length in [10, LARGE] {
            let mut file = store.begin("packages/a").unwrap();
            file.write(pattern(length).into()).await.unwrap();
            file.abandon().await;
            let mut file = store.begin("packages/b").unwrap();
            file.write(pattern(length).into()).await.unwrap();
            drop(file);
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(keys(&store, "packages").await, Vec::<String>::new());
        assert_eq!(store.remove_unfinished("packages", i64::MAX).await.unwrap(), 0);
    }

    async fn pages_follow_one_another_in_the_order_of_keys(store: Storage) {
        fill(&store, &[
            "hosting/b/2026-11-02/y", "hosting/b/2026-11-01/z", "hosting/b/2026-11-01/a",
            "hosting/b/2026-12-01/a", "hosting/b/2026-11-02/Z", "hosting/b/2026-11-02-x",
            "hosting/bb/2026-11-01/a", "hosting/a/2026-11-01/a",
        ]).await;
        let all = [
            "hosting/b/2026-11-01/a", "hosting/b/2026-11-01/z", "hosting/b/2026-11-02-x",
            "hosting/b/2026-11-02/Z", "hosting/b/2026-11-02/y", "hosting/b/2026-12-01/a",
        ];
        for most in 1..=7 {
            let mut found = Vec::new();
            loop {
                let after = found.last().cloned();
                let page: Page =
                    store.page("hosting/b", "", after.as_deref(), most, |_| true).await.unwrap();
                found.extend(page.files.iter().map(|file| file.key.clone()));
                assert_eq!(page.has_more, found.len() < all.len());
                if !page.has_more {
                    break;
                }
                assert_eq!(page.files.len(), most);
            }
            assert_eq!(found, all);
        }
        let month = store.page("hosting/b", "2026-11-0", Some(all[1]), 2, |_| true).await.unwrap();
        let listed: Vec<&str> = month.files.iter().map(|file| file.key.as_str()).collect();
        assert_eq!((listed.as_slice(), month.has_more), (&all[2..4], true));
        let rest = store.page("hosting/b", "2026-11-0", Some(all[3]), 2, |_| true).await.unwrap();
        let [Stored { key, size: 22, modified }] = rest.files.as_slice() else { panic!("{rest:?}") };
        assert_eq!((key.as_str(), rest.has_more), (all[4], false));
        let now = appmarket::kernel::clock::Clock::system().now_millis();
        assert!((now - 60_000..=now + 60_000).contains(modified), "{modified} {now}");
        assert_eq!(store.page("hosting/b", "", None, 0, |_| true).await.unwrap().files, []);
        for folder in ["hosting/c", "hosting/b/2026", "nowhere"] {
            assert_eq!(store.page(folder, "", None, 9, |_| true).await.unwrap(), Page::default(), "{folder}");
        }
    }

    async fn files_are_told_apart_by_age(store: Storage) {
        fill(&store, &["packages/a", "packages/b", "uploads/c"]).await;
        let old = |time| {
            let store = store.clone();
            async move {
                let mut keys: Vec<String> =
                    store.older_than("packages", time).map(Result::unwrap).collect().await;
                keys.sort();
                keys
            }
        };
        assert_eq!(old(i64::MAX).await, ["packages/a", "packages/b"]);
        assert_eq!(old(0).await, Vec::<String>::new());
    }

    async fn what_could_be_another_path_is_no_file(store: Storage) {
        for key in ["../a", "packages/../../a", "packages//a", "packages/./a", "packages/a\0"] {
            assert!(matches!(store.get(key).await, Err(Error::NotFound)), "{key:?}");
            assert!(matches!(store.begin(key), Err(Error::NotFound)), "{key:?}");
            let put = store.put(key, Bytes::new()).await;
            assert!(matches!(put, Err(Error::NotFound)), "{key:?}");
        }
    }
}

/// What a process left that ended in the middle of a file.
#[tokio::test]
async fn a_folder_forgets_what_was_never_finished() {
    let folder = TempDir::new().unwrap();
    let store = Storage::local(folder.path()).unwrap();
    fill(&store, &["packages/a"]).await;
    let left = folder.path().join("packages").join("b#1");
    std::fs::write(&left, b"half").unwrap();
    assert_eq!(keys(&store, "packages").await, ["packages/a"]);
    assert_eq!(store.remove_unfinished("packages", 0).await.unwrap(), 0);
    assert!(left.exists());
    assert_eq!(store.remove_unfinished("packages", i64::MAX).await.unwrap(), 1);
    assert!(!left.exists());
    assert_eq!(keys(&store, "packages").await, ["packages/a"]);
}

/// A file that became shorter under its reader must not seem whole.
#[tokio::test]
async fn a_file_that_is_cut_breaks_off() {
    let folder = TempDir::new().unwrap();
    let store = Storage::local(folder.path()).unwrap();
    store.put("a", Bytes::from(pattern(LARGE))).await.unwrap();
    let (_, bytes) = store.get("a").await.unwrap().unwrap();
    let file = std::fs::File::options().write(true).open(folder.path().join("a")).unwrap();
    file.set_len(1000).unwrap();
    let error = bytes.try_collect::<Vec<Bytes>>().await.unwrap_err();
    assert_eq!(error.to_string(), "Generic local folder error: failed to fill whole buffer");
}

/// Parts that are given up are no use to anybody, but a bucket keeps them until it is told.
#[cfg(test_s3)]
#[tokio::test]
async fn a_bucket_forgets_the_parts_of_what_is_given_up() {
    let config = bucket_config();
    let store = Storage::open(&config).unwrap();
    let (_, place) = config.storage_url.as_ref().unwrap().rsplit_once('/').unwrap();
    let list = format!("{}/appmarket-test?uploads", config.storage_endpoint.as_ref().unwrap());
    let unfinished = async || {
        let list = reqwest::get(&list).await.unwrap().text().await.unwrap();
        assert!(list.contains("ListMultipartUploadsResult"), "{list}");
        list.matches(place).count()
    };
    let mut abandoned = store.begin("a").unwrap();
    abandoned.write(pattern(LARGE).into()).await.unwrap();
    let mut dropped = store.begin("b").unwrap();
    dropped.write(pattern(LARGE).into()).await.unwrap();
    assert_eq!(unfinished().await, 2);
    abandoned.abandon().await;
    assert_eq!(unfinished().await, 1);
    drop(dropped);
    for _ in 0..100 {
        if unfinished().await == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(unfinished().await, 0);
}

/// A store that is not there is like a database that is not there: try again soon.
#[tokio::test]
async fn a_bucket_that_cannot_be_reached_is_unavailable() {
    let config = Config {
        storage_url: Some("s3://appmarket-test".to_owned()),
        // Nothing listens on this port.
        storage_endpoint: Some("http://127.0.0.1:9".to_owned()),
        storage_access_key_id: Some("test".to_owned()),
        storage_secret_access_key: Some("test".to_owned()),
        ..Config::default()
    };
    let store = Storage::open(&config).unwrap();
    assert!(matches!(store.size("a").await, Err(Error::Unavailable(_))));
    let file = store.begin("a").unwrap();
    assert!(matches!(file.finish().await, Err(Error::Unavailable(_))));
}
