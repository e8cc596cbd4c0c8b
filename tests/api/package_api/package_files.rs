//! `/platform/developer/packages/{applicationKey}/…`: files of packages, and the sweep.
use std::convert::Infallible;
use std::time::Duration;

use appmarket::package_api::model::author::Author;
use appmarket::package_api::package_files::sweep::{Swept, sweep};
use appmarket::package_api::package_files::{receive, seed};
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{Application, World, refusal, refused, tenant};
use crate::support::{Answer, TestApp};

const BASE: &str = "/api/platform/developer/packages";
const DAY: i64 = 24 * 60 * 60;
const INVALID: &str = "MISSING_OR_INVALID_PARAMETER";
const CONFLICT: &str = "VALIDATION_CONFLICT";

/// The release of `acme01.loyalty` 1.0.0 and a client with its ticket.
pub async fn loyalty<'a>(app: &'a TestApp) -> (World<'a>, Application, Client) {
    let world = World::new(app).await;
    let loyalty = world.application("acme01.loyalty.1.0.0").await;
    let client = world.client(&loyalty).await;
    (world, loyalty, client)
}

fn files(application: &Application, path: &str) -> String {
    format!("{BASE}/{}/files/{path}", application.key)
}

fn file_metadata(application: &Application, path: &str) -> String {
    format!("{BASE}/{}/filemetadata/{path}", application.key)
}

fn rename(application: &Application) -> String {
    format!("{BASE}/{}/files_rename", application.key)
}

fn metadata(application: &Application) -> String {
    format!("{BASE}/{}/metadata", application.key)
}

/// Stores bytes under a path.
pub async fn upload(client: &Client, to: &Application, path: &str, bytes: &[u8]) -> Answer {
    client.send(Method::POST, &files(to, path), bytes.to_vec()).await
}

async fn moved(client: &Client, of: &Application, old: &str, new: &str) -> Answer {
    client.post(&rename(of), json!({"oldFullPath": old, "newFullPath": new})).await
}

/// The bytes of a file.
async fn download(client: &Client, of: &Application, path: &str) -> Vec<u8> {
    let key = &of.key;
    let path = format!("/api/platform/appdev/filebasedpackage/packages/{key}?fileName={path}");
    let answer = client.get(&path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.bytes
}

/// Paths of all files of a package, folder by folder.
async fn paths(client: &Client, of: &Application) -> Vec<String> {
    fn gather(folder: &Value, paths: &mut Vec<String>) {
        for file in folder["files"].as_array().unwrap() {
            paths.push(file["path"].as_str().unwrap().to_owned());
        }
        folder["subFolders"].as_array().unwrap().iter().for_each(|folder| gather(folder, paths));
    }
    let mut paths = Vec::new();
    gather(&client.get(&metadata(of)).await.expect(200), &mut paths);
    paths
}

/// `assetFileCount` and `updateDate` of a package.
async fn count(client: &Client, of: &Application) -> (i64, String) {
    let path = format!("/api/platform/appdev/apppackages/{}", of.key);
    let package = client.get(&path).await.expect(200);
    let date = package["updateDate"].as_str().unwrap().to_owned();
    (package["assetFileCount"].as_i64().unwrap(), date)
}

/// How many files the store has for packages, unfinished ones included.
fn blobs(app: &TestApp) -> usize {
    let folder = app.folder().join("files").join(receive::FOLDER);
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Waits until that many are left: what breaks off is removed in the background.
async fn expect_blobs(app: &TestApp, expected: usize) {
    for _ in 0..100 {
        if blobs(app) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(blobs(app), expected);
}

/// Makes everything in the store older than a day.
fn age(app: &TestApp) {
    let folder = app.folder().join("files").join(receive::FOLDER);
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(old).unwrap();
    }
}

/// A request whose body comes in pieces, without a length.
fn streamed<E>(
    client_token: &str,
    path: &str,
    pieces: impl futures_util::Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Request<Body>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    Request::post(path)
        .header("authorization", format!("Bearer {client_token}"))
        .body(Body::from_stream(pieces))
        .unwrap()
}

async fn body_of(response: axum::response::Response) -> Value {
    let bytes = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

fn correlation(body: &Value) -> &str {
    body["correlationId"].as_str().unwrap()
}

/// What a file of `acme01.loyalty` shows that was written at the start.
fn shown(id: &Value, kind: &str, path: &str, check_sum: &str, size: i64) -> Value {
    json!({
        "id": id, "type": kind, "path": path, "checkSum": check_sum, "sizeInBytes": size,
        "auditInfo": {
            "updateDate": "2026-02-01T08:15:00.000Z", "createDate": "2026-02-01T08:15:00.000Z",
            "updateBy": "acme01.loyalty.1.0.0.Release", "createBy": "acme01.loyalty.1.0.0.Release",
        },
    })
}

const HELLO: &str = "b1946ac92492d2347c6235b4d2611184";
const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

on_both! {
    async fn a_file_is_stored_and_shown(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        // JSON by its label only.
        let labelled = client.clone().with("content-type", "application/json; charset=utf-8");
        let answer = upload(&labelled, &loyalty, "assets%2Ffunctions.json", b"hello\n").await;
        let file = answer.expect(200);
        let id = file["id"].as_str().unwrap();
        assert!(id.len() > 1 && id.starts_with('f'), "{id}");
        let expected = shown(&file["id"], "application/json", "assets/functions.json", HELLO, 6);
        assert_eq!(file, expected);
        let members: Vec<&String> = file.as_object().unwrap().keys().collect();
        assert_eq!(members, ["id", "type", "path", "checkSum", "sizeInBytes", "auditInfo"]);
        let one = client.get(&file_metadata(&loyalty, "assets%2Ffunctions.json")).await;
        assert_eq!(one.expect(200), expected);
        let tree = client.get(&metadata(&loyalty)).await;
        assert_eq!(tree.expect(200), json!({
            "name": "", "fullPath": "", "files": [], "subFolders": [{
                "name": "assets", "fullPath": "assets", "files": [expected], "subFolders": [],
            }],
        }));
        assert_eq!(download(&client, &loyalty, "assets/functions.json").await, b"hello\n");
        assert_eq!(count(&client, &loyalty).await.0, 1);
        assert_eq!(blobs(&app), 1);
    }

    async fn check_10_files_come_back_as_they_went(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let labelled = client.clone().with("content-type", "application/json; charset=utf-8");
        let no_json: &[u8] = &[0xff, 0xfe, b'{', 0, b'\r', b'\n'];
        for (path, bytes, check_sum) in [
            ("assets%2Ffunctions.json", b"hello\n".as_slice(), HELLO),
            ("assets/dist/a.json", no_json, "a167a33e49896aad2c0b68269ae4cc7d"),
            ("assets%7Cempty.json", b"", EMPTY),
        ] {
            let file = upload(&labelled, &loyalty, path, bytes).await.expect(200);
            assert_eq!(file["checkSum"], check_sum, "{path}");
            for spelling in ["%2F", "/", "%7C"] {
                let path = path.replace("%2F", "/").replace("%7C", "/").replace('/', spelling);
                assert_eq!(client.get(&file_metadata(&loyalty, &path)).await.expect(200), file, "{path}");
                assert_eq!(download(&client, &loyalty, &path).await, bytes, "{path}");
            }
        }
    }

    async fn of_two_racing_renames_one_wins(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        for path in ["a", "b"] {
            upload(&client, &loyalty, path, path.as_bytes()).await.expect(200);
        }
        // Two files to one path.
        let [one, other] = [("a", "c"), ("b", "C")].map(|(old, new)| {
            let (client, loyalty) = (client.clone(), loyalty.clone());
            tokio::spawn(async move { (moved(&client, &loyalty, old, new).await, new) })
        });
        let answers = [one.await.unwrap(), other.await.unwrap()];
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(answer, _)| answer.status == 200);
        let ([(won, path)], [(lost, taken)]) =
            (<[_; 1]>::try_from(won).unwrap(), <[_; 1]>::try_from(lost).unwrap());
        assert_eq!(won.expect(200)["path"], path);
        let message = format!("Item already exists: file {taken}");
        refused(lost, 409, "ITEM_ALREADY_EXISTS", &message, &[("FilePath", taken)]);
        // One file to two paths.
        let [one, other] = ["d", "e"].map(|new| {
            let (client, loyalty) = (client.clone(), loyalty.clone());
            tokio::spawn(async move { moved(&client, &loyalty, "c", new).await })
        });
        let answers = [one.await.unwrap(), other.await.unwrap()];
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        let ([won], [lost]) =
            (<[_; 1]>::try_from(won).unwrap(), <[_; 1]>::try_from(lost).unwrap());
        let path = won.expect(200)["path"].as_str().unwrap().to_owned();
        refused(lost, 404, "ITEM_NOT_FOUND", "Item not found: file c", &[("FilePath", "c")]);
        assert!(["d", "e"].contains(&path.as_str()));
        assert_eq!(paths(&client, &loyalty).await.len(), 2);
        assert_eq!(count(&client, &loyalty).await.0, 2);
    }

    async fn an_empty_package_has_an_empty_root(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let root = json!({"name": "", "fullPath": "", "files": [], "subFolders": []});
        let tree = client.get(&metadata(&loyalty)).await;
        let tag = tree.header("etag").to_owned();
        assert_eq!(tree.expect(200), root);
        let again = client.clone().with("if-none-match", &tag).get(&metadata(&loyalty)).await;
        assert_eq!(again.expect(304), Value::Null);
    }

    async fn every_spelling_of_a_path_names_the_same_file(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let first = upload(&client, &loyalty, "Assets%2FSrc%2FA.js", b"0").await.expect(200);
        let spellings = [
            "Assets/Src/A.js", "assets%2fsrc%2fa.js", "assets%7Csrc%7Ca.js", "assets|src|a.js",
            "assets%5Csrc%5Ca.js", "./assets/./src//a.js", "/assets/src/a.js/", "ASSETS/SRC/A.JS",
        ];
        for (at, path) in spellings.iter().enumerate() {
            let file = upload(&client, &loyalty, path, format!("{at}").as_bytes()).await.expect(200);
            assert_eq!((&file["id"], &file["path"]), (&first["id"], &json!("Assets/Src/A.js")), "{path}");
            let found = client.get(&file_metadata(&loyalty, path)).await.expect(200);
            assert_eq!(found, file, "{path}");
        }
        // Routes in other spellings.
        let (key, path) = (loyalty.key.to_uppercase(), "assets/src/a.js");
        for route in [
            format!("/platform/developer/packages/{key}/filemetadata/{path}"),
            format!("/API/Platform/Developer/PACKAGES/{key}/FileMetadata/{path}/?responsefields="),
        ] {
            assert_eq!(client.get(&route).await.expect(200)["checkSum"], json!("8f14e45fceea167a5a36dedd4bea2543"));
        }
        assert_eq!(count(&client, &loyalty).await.0, 1);
        assert_eq!(paths(&client, &loyalty).await, ["Assets/Src/A.js"]);
    }

    async fn a_request_without_a_body_stores_an_empty_file(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let file = upload(&client, &loyalty, "empty", b"").await.expect(200);
        assert_eq!(file, shown(&file["id"], "application/octet-stream", "empty", EMPTY, 0));
        assert_eq!(download(&client, &loyalty, "empty").await, b"");
    }

    async fn an_overwritten_file_keeps_its_id_and_creation(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let other = world.client(&world.application("acme01.points.1.0.0").await).await;
        let first = upload(&client, &loyalty, "a.js", b"hello\n").await.expect(200);
        app.advance_seconds(60);
        let second = upload(&other, &loyalty, "A.JS", b"").await.expect(200);
        assert_eq!(second, json!({
            "id": first["id"], "type": "text/javascript", "path": "a.js", "checkSum": EMPTY,
            "sizeInBytes": 0, "auditInfo": {
                "updateDate": "2026-02-01T08:16:00.000Z", "createDate": "2026-02-01T08:15:00.000Z",
                "updateBy": "acme01.points.1.0.0.Release", "createBy": "acme01.loyalty.1.0.0.Release",
            },
        }));
        assert_eq!(count(&client, &loyalty).await, (1, "2026-02-01T08:16:00.000Z".to_owned()));
        assert_eq!(download(&client, &loyalty, "a.js").await, b"");
    }

    async fn check_11_a_stale_copy_does_not_overwrite(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        app.state.clock.advance(500);
        // Whatever the time, when there is no file.
        let path = files(&loyalty, "a.js?lastModifiedTime=2001-01-01T00:00:00Z");
        let first = client.send(Method::POST, &path, b"hello\n".to_vec()).await.expect(200);
        app.advance_seconds(60);
        for time in ["2026-02-01T08:15:00.499Z", "2026-02-01T08:15:00Z", "2026-02-01T09:15:00.2%2B01:00"] {
            let path = files(&loyalty, &format!("a.js?lastmodifiedtime={time}"));
            let answer = client.send(Method::POST, &path, b"stale".to_vec()).await;
            let why = "LastModifedTime is before the last update of the stored file.";
            refused(answer, 409, CONFLICT, &format!("Validation Error: {why}"), &[("ErrorMessage", why)]);
        }
        assert_eq!(client.get(&file_metadata(&loyalty, "a.js")).await.expect(200), first);
        assert_eq!(count(&client, &loyalty).await.1, "2026-02-01T08:15:00.500Z");
        assert_eq!(blobs(&app), 1);
        for time in ["2026-02-01T08:15:00.500Z", "2026-02-01T08:16:00.500Z", "", "%20", "2036-01-01T00:00:00"] {
            let path = files(&loyalty, &format!("a.js?lastModifiedTime={time}"));
            let answer = client.send(Method::POST, &path, b"hello\n".to_vec()).await;
            assert_eq!(answer.expect(200)["auditInfo"]["updateDate"], "2026-02-01T08:16:00.500Z", "{time}");
        }
        let path = files(&loyalty, "a.js?lastModifiedTime=yesterday");
        let why = "must be an ISO 8601 date and time, as in 2026-03-04T09:15:00.000Z.";
        refused(
            client.send(Method::POST, &path, Vec::new()).await, 400, INVALID,
            &format!("Missing or invalid parameter: lastModifiedTime {why}"),
            &[("ParameterName", "lastModifiedTime"), ("ErrorMessage", why)],
        );
    }

    async fn no_path_leaves_the_package(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let (long_name, long) = ("a".repeat(256), vec!["a".repeat(204); 5].join("/") + "/b");
        let table = [
            ("..", "must not contain `..`."),
            ("../a", "must not contain `..`."),
            ("a/../../b", "must not contain `..`."),
            ("%2e%2e/a", "must not contain `..`."),
            ("%2E%2E%2Fetc%2Fpasswd", "must not contain `..`."),
            ("a%5C..%5Cb", "must not contain `..`."),
            ("a%7C..%7Cb", "must not contain `..`."),
            ("C:%5CWindows%5Cwin.ini", "must not begin with a drive."),
            ("c:/a", "must not begin with a drive."),
            ("a%00.js", "must not contain control characters."),
            ("a%0D%0Ab", "must not contain control characters."),
            ("%2F", "must name a file."),
            ("%7C.%5C", "must name a file."),
            (long_name.as_str(), "must have at most 255 bytes between two separators."),
            (long.as_str(), "must have at most 1024 bytes."),
        ];
        for (path, why) in table {
            let message = format!("Missing or invalid parameter: filepath {why}");
            let data = [("ParameterName", "filepath"), ("ErrorMessage", why)];
            refused(upload(&client, &loyalty, path, b"x").await, 400, INVALID, &message, &data);
            let answer = client.delete(&files(&loyalty, path)).await;
            refused(answer, 400, INVALID, &message, &data);
            let answer = client.get(&file_metadata(&loyalty, path)).await;
            refused(answer, 400, INVALID, &message, &data);
        }
        let answer = upload(&client, &loyalty, "a%FF", b"x").await;
        let why = "must be UTF-8 text.";
        refused(
            answer, 400, INVALID, &format!("Missing or invalid parameter: filepath {why}"),
            &[("ParameterName", "filepath"), ("ErrorMessage", why)],
        );
        // The longest that may be.
        let (name, long) = ("a".repeat(255), vec!["a".repeat(204); 5].join("/"));
        for path in [name, long] {
            assert_eq!(upload(&client, &loyalty, &path, b"x").await.expect(200)["path"], path);
            client.delete(&files(&loyalty, &path)).await.expect(200);
        }
        // Decoded once: a strange name, but one within the package.
        let file = upload(&client, &loyalty, "%252e%252e/a", b"x").await.expect(200);
        assert_eq!(file["path"], "%2e%2e/a");
        assert_eq!(paths(&client, &loyalty).await, ["%2e%2e/a"]);
        for nothing in [format!("{BASE}/{}/files/", loyalty.key), format!("{BASE}/{}/files", loyalty.key)] {
            let answer = client.send(Method::POST, &nothing, Vec::new()).await;
            assert_eq!(answer.expect(404)["errorCode"], "ITEM_NOT_FOUND");
        }
        assert_eq!(blobs(&app), 3);
    }

    async fn a_path_is_never_a_file_and_a_folder(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        for path in ["a/b/c", "ab", "d"] {
            upload(&client, &loyalty, path, b"x").await.expect(200);
        }
        let clash = |new: &str, old: &str| {
            format!("{new} and {old} cannot both be there: one would be a file and a folder.")
        };
        for (path, with) in [("a", "a/b/c"), ("A/B", "a/b/c"), ("a/b/c/d", "a/b/c"), ("AB/x/y", "ab")] {
            let why = clash(path, with);
            let message = format!("Validation Error: {why}");
            let data = [("ErrorMessage", why.as_str())];
            refused(upload(&client, &loyalty, path, b"x").await, 409, CONFLICT, &message, &data);
            refused(moved(&client, &loyalty, "d", path).await, 409, CONFLICT, &message, &data);
        }
        // What only begins alike is no folder.
        for path in ["a/b/c.d", "a/b-c", "a.b", "a0", "a-/x"] {
            upload(&client, &loyalty, path, b"x").await.expect(200);
        }
        // A file may move into a folder of its own name, and out of it.
        assert_eq!(moved(&client, &loyalty, "d", "d/d").await.expect(200)["path"], "d/d");
        assert_eq!(moved(&client, &loyalty, "d/d", "D").await.expect(200)["path"], "D");
        assert_eq!(count(&client, &loyalty).await.0, 8);
        assert_eq!(blobs(&app), 8);
    }

    async fn a_deleted_file_is_gone(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        for path in ["assets/a.js", "assets/b.js"] {
            upload(&client, &loyalty, path, path.as_bytes()).await.expect(200);
        }
        app.advance_seconds(1);
        let answer = client.delete(&files(&loyalty, "Assets%7CA.js")).await;
        assert!(!answer.headers.contains_key("content-type"));
        assert_eq!(answer.expect(200), Value::Null);
        assert_eq!(count(&client, &loyalty).await, (1, "2026-02-01T08:15:01.000Z".to_owned()));
        assert_eq!(paths(&client, &loyalty).await, ["assets/b.js"]);
        for gone in ["assets/a.js", "assets", "assets/b.js/c"] {
            let message = format!("Item not found: file {gone}");
            let data = [("FilePath", gone)];
            let answer = client.delete(&files(&loyalty, gone)).await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
            let answer = client.get(&file_metadata(&loyalty, gone)).await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
            let answer = moved(&client, &loyalty, gone, "x").await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
        }
        let stale = client.clone().with("if-match", "W/\"0\"").delete(&files(&loyalty, "assets/b.js")).await;
        refused(stale, 412, "PRECONDITION_FAILED", "If-Match names another state of the record; read it again.", &[]);
        let one = client.get(&file_metadata(&loyalty, "assets/b.js")).await;
        let tag = one.header("etag").to_owned();
        let path = files(&loyalty, "assets/b.js");
        assert_eq!(client.clone().with("if-match", &tag).delete(&path).await.expect(200), Value::Null);
        assert_eq!(count(&client, &loyalty).await.0, 0);
    }

    async fn a_file_that_somebody_else_has_changed_stays(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let stale = |answer| {
            let message = "If-Match names another state of the record; read it again.";
            refused(answer, 412, "PRECONDITION_FAILED", message, &[]);
        };
        let with = |tag: &str| client.clone().with("if-match", tag);
        // There is no state of a file that is not there.
        for tag in ["*", "W/\"0\""] {
            stale(upload(&with(tag), &loyalty, "a.js", b"mine").await);
        }
        assert_eq!(count(&client, &loyalty).await.0, 0);
        let known = upload(&client, &loyalty, "a.js", b"mine").await.header("etag").to_owned();
        app.advance_seconds(1);
        let newer = upload(&with(&known), &loyalty, "a.js", b"yours").await;
        let newer = newer.header("etag").to_owned();
        stale(upload(&with(&known), &loyalty, "a.js", b"mine again").await);
        stale(moved(&with(&known), &loyalty, "a.js", "b.js").await);
        assert_eq!(download(&client, &loyalty, "a.js").await, b"yours");
        assert_eq!(paths(&client, &loyalty).await, ["a.js"]);
        assert_eq!(moved(&with(&newer), &loyalty, "a.js", "b.js").await.expect(200)["path"], "b.js");
        assert_eq!(upload(&with("*"), &loyalty, "b.js", b"all").await.expect(200)["sizeInBytes"], 3);
    }

    async fn a_renamed_file_keeps_its_bytes(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let file = upload(&client, &loyalty, "assets/src/a.js", b"hello\n").await.expect(200);
        upload(&client, &loyalty, "b.js", b"").await.expect(200);
        app.advance_seconds(60);
        let mut expected = shown(&file["id"], "application/json", "lib/B.json", HELLO, 6);
        expected["auditInfo"]["updateDate"] = "2026-02-01T08:16:00.000Z".into();
        let body = json!({"OldFullPath": "assets|SRC|a.js", "NEWFULLPATH": "lib|B.json", "other": 1});
        assert_eq!(client.post(&rename(&loyalty), body).await.expect(200), expected);
        assert_eq!(download(&client, &loyalty, "lib/B.json").await, b"hello\n");
        assert_eq!(paths(&client, &loyalty).await, ["b.js", "lib/B.json"]);
        assert_eq!(count(&client, &loyalty).await, (2, "2026-02-01T08:16:00.000Z".to_owned()));
        // Another case of letters is another name for the same file.
        expected["path"] = "LIB/b.JSON".into();
        assert_eq!(moved(&client, &loyalty, "lib/B.json", "LIB/b.JSON").await.expect(200), expected);
        assert_eq!(moved(&client, &loyalty, "LIB/b.JSON", "LIB/b.JSON").await.expect(200), expected);
        refused(
            moved(&client, &loyalty, "b.js", "lib/B.JSON").await, 409, "ITEM_ALREADY_EXISTS",
            "Item already exists: file lib/B.JSON", &[("FilePath", "lib/B.JSON")],
        );
        assert_eq!(blobs(&app), 2);
    }

    async fn a_rename_needs_two_paths(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"x").await.expect(200);
        let table = [
            (json!({}), "oldFullPath", "must name a file."),
            (json!({"oldFullPath": null, "newFullPath": "b"}), "oldFullPath", "must name a file."),
            (json!({"oldFullPath": "a"}), "newFullPath", "must name a file."),
            (json!({"oldFullPath": "a", "newFullPath": "../b"}), "newFullPath", "must not contain `..`."),
            (json!({"oldFullPath": "a|..|a", "newFullPath": "b"}), "oldFullPath", "must not contain `..`."),
            (json!({"oldFullPath": "a", "newFullPath": "b\u{0}"}), "newFullPath", "must not contain NUL."),
            (json!({"oldFullPath": 7, "newFullPath": "b"}), "oldFullPath", "must be a text."),
        ];
        for (body, parameter, why) in table {
            let answer = client.post(&rename(&loyalty), body.clone()).await;
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            refused(answer, 400, INVALID, &message, &data);
        }
        for body in ["", "[]", "null", "{"] {
            let answer = client.send(Method::POST, &rename(&loyalty), body.into()).await.expect(400);
            assert_eq!(answer["additionalErrorData"][0]["value"], "renameInfo", "{body}");
        }
        assert_eq!(paths(&client, &loyalty).await, ["a"]);
    }

    async fn files_of_a_locked_version_can_only_be_read(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"hello\n").await.expect(200);
        for (status, name) in [(2, "Submitted For Certification"), (3, "Certified"), (5, "Published"), (6, "Retired")] {
            world.set_status(&loyalty, status).await;
            let why = format!("version 1.0.0 of acme01.loyalty is locked, because its status is {name}.");
            for answer in [
                upload(&client, &loyalty, "a", b"x").await,
                upload(&client, &loyalty, "b", b"x").await,
                client.delete(&files(&loyalty, "a")).await,
                moved(&client, &loyalty, "a", "b").await,
            ] {
                refused(answer, 409, CONFLICT, &format!("Validation Error: {why}"), &[("ErrorMessage", &why)]);
            }
            assert_eq!(download(&client, &loyalty, "a").await, b"hello\n");
            assert_eq!(paths(&client, &loyalty).await, ["a"]);
            // What is not there is not there, locked or not.
            client.delete(&files(&loyalty, "b?responseFields=((")).await.expect(404);
            moved(&client, &loyalty, "b", "c").await.expect(404);
        }
        world.set_status(&loyalty, 4).await;
        upload(&client, &loyalty, "a", b"x").await.expect(200);
        expect_blobs(&app, 2).await;
    }

    async fn files_of_another_account_are_not_there(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"x").await.expect(200);
        let stranger = world.client(&world.application("globex01.spy.1.0.0").await).await;
        let key = "acme01.loyalty.1.0.0.Release";
        let unknown = Application { key: "acme01.nothing.1.0.0.Release".to_owned(), ..loyalty.clone() };
        for (client, of) in [(&stranger, &loyalty), (&client, &unknown)] {
            let message = format!("Item not found: package {}", of.key);
            let data = [("AppKey", of.key.as_str())];
            for answer in [
                upload(client, of, "a", b"y").await,
                client.delete(&files(of, "a")).await,
                moved(client, of, "a", "b").await,
                client.get(&metadata(of)).await,
                client.get(&file_metadata(of, "a")).await,
            ] {
                refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
            }
        }
        let malformed = client.get(&format!("{BASE}/{key}.x/metadata")).await.expect(400);
        assert_eq!(malformed["additionalErrorData"][0]["value"], "applicationKey");
        assert_eq!(download(&client, &loyalty, "a").await, b"x");
        assert_eq!(blobs(&app), 1);
    }

    async fn each_operation_needs_its_behavior(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"x").await.expect(200);
        let none = world.application_with("acme01.none.1.0.0", &[]).await;
        let caller = world.client(&none).await;
        let forbidden = |answer: Answer, operation: &str, behavior: &str| {
            let message = format!("Forbidden: the access token lacks the behavior {behavior}.");
            let data = [("OperationName", operation), ("BehaviorId", behavior)];
            refused(answer, 403, "FORBIDDEN", &message, &data);
        };
        forbidden(upload(&caller, &loyalty, "a", b"y").await, "upsert_package_file", "63");
        forbidden(caller.delete(&files(&loyalty, "a")).await, "delete_package_file", "64");
        forbidden(moved(&caller, &loyalty, "a", "b").await, "rename_package_file", "63");
        forbidden(caller.get(&metadata(&loyalty)).await, "get_package_metadata", "62");
        forbidden(caller.get(&file_metadata(&loyalty, "a")).await, "get_package_file_metadata", "62");
        // Its own package an application may always read.
        assert_eq!(paths(&caller, &none).await, Vec::<String>::new());
        caller.get(&file_metadata(&none, "a")).await.expect(404);
        // One that may only update.
        let editor = world.application_with("acme01.editor.1.0.0", &["Developer Asset Update"]).await;
        let editor = world.client(&editor).await;
        forbidden(upload(&editor, &loyalty, "b", b"y").await, "upsert_package_file", "61");
        upload(&editor, &loyalty, "a", b"y").await.expect(200);
        assert_eq!(download(&client, &loyalty, "a").await, b"y");
        expect_blobs(&app, 2).await;
    }

    async fn sixteen_uploads_at_once_all_succeed(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let uploads = (0..16).map(|at| {
            let (client, loyalty) = (client.clone(), loyalty.clone());
            tokio::spawn(async move {
                let path = format!("assets/{at}.js");
                upload(&client, &loyalty, &path, &vec![at; 100_000]).await.expect(200)
            })
        });
        let mut ids: Vec<Value> = Vec::new();
        for upload in uploads.collect::<Vec<_>>() {
            ids.push(upload.await.unwrap()["id"].clone());
        }
        ids.sort_by_key(Value::to_string);
        ids.dedup();
        assert_eq!(ids.len(), 16);
        assert_eq!(count(&client, &loyalty).await.0, 16);
        assert_eq!(paths(&client, &loyalty).await.len(), 16);
        assert_eq!(download(&client, &loyalty, "assets/9.js").await, vec![9; 100_000]);
    }

    async fn sixteen_uploads_of_one_file_make_one_file(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let uploads = (0..16).map(|at| {
            let (client, loyalty) = (client.clone(), loyalty.clone());
            tokio::spawn(async move {
                upload(&client, &loyalty, "a.js", &vec![at; 1000]).await.expect(200)
            })
        });
        let mut answers = Vec::new();
        for upload in uploads.collect::<Vec<_>>() {
            answers.push(upload.await.unwrap());
        }
        assert!(answers.iter().all(|answer| answer["id"] == answers[0]["id"]));
        assert_eq!(count(&client, &loyalty).await.0, 1);
        let last = client.get(&file_metadata(&loyalty, "a.js")).await.expect(200);
        assert!(answers.contains(&last));
        let bytes = download(&client, &loyalty, "a.js").await;
        assert_eq!(bytes, vec![bytes[0]; 1000]);
        // What was overwritten goes with the sweep.
        age(&app);
        assert_eq!(sweep(&app.state).await.unwrap(), Swept { files: 15, unfinished: 0 });
        assert_eq!(download(&client, &loyalty, "a.js").await, bytes);
    }

    async fn a_repeated_upload_is_answered_as_the_first(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let once = client.clone().with("idempotency-key", "one");
        let path = "a.js?lastModifiedTime=2026-02-01T08:15:00Z";
        let first = upload(&once, &loyalty, path, b"one").await.expect(200);
        app.advance_seconds(60);
        upload(&client, &loyalty, "a.js", b"two").await.expect(200);
        let again = upload(&once, &loyalty, path, b"one").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), first);
        assert_eq!(download(&client, &loyalty, "a.js").await, b"two");
        refused(
            upload(&once, &loyalty, path, b"three").await, 422, CONFLICT,
            "Validation Error: The Idempotency-Key was used before with another request",
            &[("ErrorMessage", "The Idempotency-Key was used before with another request")],
        );
        // Neither left its bytes.
        expect_blobs(&app, 2).await;
    }

    async fn answers_are_limited_to_the_wanted_members(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let file = upload(&client, &loyalty, "a/b.js?responseFields=path,auditInfo(createBy)", b"x").await;
        assert_eq!(file.expect(200), json!({
            "path": "a/b.js", "auditInfo": {"createBy": "acme01.loyalty.1.0.0.Release"},
        }));
        let path = metadata(&loyalty) + "?responseFields=subFolders(name,files(checkSum))";
        assert_eq!(client.get(&path).await.expect(200), json!({"subFolders": [
            {"name": "a", "files": [{"checkSum": "9dd4e461268c8034f5c8564e155c67a6"}]},
        ]}));
    }

    async fn writes_are_told_in_the_audit_trail(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"hello\n").await.expect(200);
        upload(&client, &loyalty, "a", b"").await.expect(200);
        moved(&client, &loyalty, "a", "b").await.expect(200);
        client.delete(&files(&loyalty, "b")).await.expect(200);
        let package = loyalty.package;
        let entries = [
            ("create", "a", json!({"package_id": [null, package], "path": [null, "a"],
                "check_sum": [null, HELLO], "size": [null, 6]})),
            ("update", "a", json!({"check_sum": [HELLO, EMPTY], "size": [6, 0]})),
            ("update", "b", json!({"path": ["a", "b"]})),
            ("destroy", "b", json!({"package_id": [package, null], "path": ["b", null],
                "check_sum": [EMPTY, null], "size": [0, null]})),
        ];
        let all = "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package_file'";
        assert_eq!(app.count(all).await, 4);
        for (action, label, changes) in entries {
            // The person is the application's own.
            let entry = format!(
                "{all} AND action = '{action}' AND record_label = '{label}' AND account_id = 'acme' \
                 AND changes = '{changes}' AND person_id = (SELECT person_id FROM applications)"
            );
            assert_eq!(app.count(&entry).await, 1, "{action} {label}");
        }
    }

    async fn a_file_that_is_too_large_leaves_nothing(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let limit = app.state.config.package_file_size_limit;
        assert_eq!(limit, 67_108_864);
        // The length says it, and nothing of the body is read.
        let too_long = client.clone().with("content-length", "67108865");
        let message = "The request is too large: at most 67108864 bytes are taken.";
        let answer = upload(&too_long, &loyalty, "a", b"x").await;
        refused(answer, 413, "REQUEST_TOO_LARGE", message, &[("MaxBytes", "67108864")]);
        // Nothing says it; the byte too many is found when it comes.
        let token = world.ticket(&loyalty).await;
        let piece = Bytes::from(vec![7; 1024 * 1024]);
        let pieces = stream::iter((0..64).map(move |_| Ok::<_, Infallible>(piece.clone())))
            .chain(stream::iter([Ok(Bytes::from_static(b"x"))]));
        let request = streamed(&token, &files(&loyalty, "a"), pieces);
        let response = app.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 413);
        let body = body_of(response).await;
        let data = [("MaxBytes", "67108864")];
        assert_eq!(body, refusal(correlation(&body), "REQUEST_TOO_LARGE", message, &data));
        expect_blobs(&app, 0).await;
        assert_eq!(count(&client, &loyalty).await.0, 0);
    }

    async fn a_client_that_stops_leaves_nothing(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let token = world.ticket(&loyalty).await;
        let piece = Bytes::from(vec![7; 1024 * 1024]);
        let pieces = stream::iter([Ok(piece.clone()), Err(std::io::Error::other("gone"))]);
        let request = streamed(&token, &files(&loyalty, "a"), pieces);
        let response = app.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 400);
        let body = body_of(response).await;
        let data = [("ParameterName", "body"), ("ErrorMessage", "ended early.")];
        let message = "Missing or invalid parameter: body ended early.";
        assert_eq!(body, refusal(correlation(&body), INVALID, message, &data));
        // A connection that breaks takes the whole request with it.
        let pieces = stream::iter([Ok::<_, Infallible>(piece)]).chain(stream::pending());
        let request = streamed(&token, &files(&loyalty, "a"), pieces);
        let router = app.router.clone();
        let running = tokio::spawn(async move { router.oneshot(request).await });
        expect_blobs(&app, 1).await;
        running.abort();
        expect_blobs(&app, 0).await;
        assert_eq!(paths(&client, &loyalty).await, Vec::<String>::new());
    }

    /// What a process leaves that ends between storing the bytes and naming them.
    async fn bytes_without_a_row_are_seen_by_nobody_and_collected(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"hello\n").await.expect(200);
        let left = receive::put(&app.state, Bytes::from_static(b"lost")).await.unwrap();
        let folder = app.folder().join("files").join(receive::FOLDER);
        std::fs::write(folder.join("0123#1"), b"half").unwrap();
        assert_eq!(paths(&client, &loyalty).await, ["a"]);
        assert_eq!(count(&client, &loyalty).await.0, 1);
        // What is younger than a day may still get its row.
        app.state.clock.advance(appmarket::kernel::clock::Clock::system().now_millis() - app.state.clock.now_millis());
        assert_eq!(sweep(&app.state).await.unwrap(), Swept::default());
        app.advance_seconds(DAY + 60);
        assert_eq!(sweep(&app.state).await.unwrap(), Swept { files: 1, unfinished: 1 });
        assert_eq!(sweep(&app.state).await.unwrap(), Swept::default());
        assert_eq!(app.state.storage.size(&left.key).await.unwrap(), None);
        assert_eq!(blobs(&app), 1);
    }

    async fn a_new_version_shares_the_bytes_of_its_source(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let original = upload(&client, &loyalty, "Assets/a.js", b"hello\n").await.expect(200);
        upload(&client, &loyalty, "b", b"").await.expect(200);
        app.advance_seconds(60);
        let body = json!({"appKey": "acme01.loyalty.1.1.0"});
        let made = client.post("/api/platform/appdev/apppackages/create", body).await.expect(200);
        assert_eq!(made["assetFileCount"], 2);
        let next = Application { key: "acme01.loyalty.1.1.0.Release".to_owned(), ..loyalty.clone() };
        let copy = client.get(&file_metadata(&next, "assets/A.js")).await.expect(200);
        assert_ne!(copy["id"], original["id"]);
        let mut expected = shown(&copy["id"], "text/javascript", "Assets/a.js", HELLO, 6);
        for date in ["updateDate", "createDate"] {
            expected["auditInfo"][date] = "2026-02-01T08:16:00.000Z".into();
        }
        assert_eq!(copy, expected);
        assert_eq!(blobs(&app), 2);
        // Each goes its own way from here.
        upload(&client, &loyalty, "Assets/a.js", b"changed").await.expect(200);
        client.delete(&files(&loyalty, "b")).await.expect(200);
        assert_eq!(download(&client, &next, "Assets/a.js").await, b"hello\n");
        age(&app);
        assert_eq!(sweep(&app.state).await.unwrap(), Swept::default());
        client.delete(&files(&next, "Assets/a.js")).await.expect(200);
        assert_eq!(sweep(&app.state).await.unwrap(), Swept { files: 1, unfinished: 0 });
        assert_eq!(download(&client, &next, "b").await, b"");
    }

    async fn check_04_a_new_version_continues_the_release_and_nothing_else(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let packages = "/api/platform/appdev/apppackages";
        let configuration = json!({
            "packageDescription": "The first", "appConfigUrl": "https://loyalty.acme.example/",
            "applicationSubscriptions": [{"applicationEndPoint": "https://loyalty.acme.example/hooks",
                "events": [{"eventId": 52}], "noCallback": true}],
            "applicationAttributes": [{"subsystem": "Order", "sourceTenantId": 7}],
        });
        let path = format!("{packages}/{}", loyalty.key);
        client.put(&path, configuration).await.expect(200);
        upload(&client, &loyalty, "assets/a.js", b"hello\n").await.expect(200);
        let clone = format!("{path}/clone/Work");
        assert_eq!(client.post(&clone, json!({})).await.expect(200)["assetFileCount"], 1);
        let work = Application { key: "acme01.loyalty.1.0.0.Work".to_owned(), ..loyalty.clone() };
        upload(&client, &work, "work.js", b"x").await.expect(200);
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let install = "/api/platform/appdev/appinstall/application/entitlement";
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox});
        client.post(install, body).await.expect(200);
        let old = client.get(&format!("{path}?includeChildren=true")).await.expect(200);
        assert_eq!(old["applicationEntitlements"].as_array().unwrap().len(), 1);

        let body = json!({"appKey": "acme01.loyalty.1.1.0"});
        let made = client.post(&format!("{packages}/create"), body).await.expect(200);
        let next = Application { key: "acme01.loyalty.1.1.0.Release".to_owned(), ..loyalty.clone() };
        assert_eq!(paths(&client, &next).await, ["assets/a.js"]);
        assert_eq!(download(&client, &next, "assets/a.js").await, b"hello\n");
        let list = format!("{packages}/applications/acme01.loyalty.1.1.0/packages");
        let list = client.get(&list).await.expect(200);
        assert_eq!((&list["totalCount"], &list["items"][0]["appKey"]), (&json!(1), &json!(next.key)));
        // The same but for what is new, and for where it is installed.
        let mut expected = old.clone();
        for name in ["id", "applicationId", "packageGuid", "sharedSecret"] {
            assert_ne!(made[name], old[name], "{name}");
            expected[name] = made[name].clone();
        }
        // What one package is for is no part of its configuration.
        expected["packageDescription"] = Value::Null;
        expected["minorVersion"] = 1.into();
        expected["appKey"] = next.key.clone().into();
        expected["hasApplicationVersions"] = true.into();
        expected["applicationEntitlements"] = json!([]);
        let id = &made["id"];
        for child in expected["applicationBehaviors"].as_array_mut().unwrap() {
            child["packageId"] = id.clone();
        }
        let subscription = &mut expected["applicationSubscriptions"][0];
        subscription["packageId"] = id.clone();
        subscription["applicationSubscriptionId"] =
            made["applicationSubscriptions"][0]["applicationSubscriptionId"].clone();
        expected["applicationAttributes"][0]["packageId"] = id.clone();
        assert_eq!(made, expected);
    }

    async fn a_deleted_package_gives_its_bytes_back(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "shared", b"hello\n").await.expect(200);
        let path = format!("/api/platform/appdev/apppackages/{}/clone/Work", loyalty.key);
        client.post(&path, json!({})).await.expect(200);
        let work = Application { key: "acme01.loyalty.1.0.0.Work".to_owned(), ..loyalty.clone() };
        assert_eq!(download(&client, &work, "shared").await, b"hello\n");
        upload(&client, &work, "own", b"x").await.expect(200);
        age(&app);
        let path = format!("/api/platform/appdev/apppackages/{}", work.key);
        assert_eq!(client.delete(&path).await.expect(200), Value::Null);
        client.get(&metadata(&work)).await.expect(404);
        assert_eq!(sweep(&app.state).await.unwrap(), Swept { files: 1, unfinished: 0 });
        assert_eq!(download(&client, &loyalty, "shared").await, b"hello\n");
    }

    /// Clients read no more than some levels of JSON; the server itself must not care.
    async fn the_deepest_path_is_stored_and_shown(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let path = vec!["a"; 512].join("/");
        upload(&client, &loyalty, &path, b"x").await.expect(200);
        let token = world.ticket(&loyalty).await;
        for query in ["", "?responseFields=subFolders"] {
            let request = Request::get(metadata(&loyalty) + query)
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap();
            let response = app.router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200, "{query}");
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap();
            let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
            assert_eq!(text.matches("\"subFolders\":").count(), 512, "{query}");
        }
        client.delete(&files(&loyalty, &path)).await.expect(200);
    }

    async fn the_demo_package_has_files(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let db = app.state.store.begin().await.unwrap();
        let author = Author {
            account: "acme".to_owned(),
            person: 1,
            by: "demo".to_owned(),
            now: 0,
            operation: "test".to_owned(),
        };
        seed::fill(&db, &app.state, loyalty.package, &author).await.unwrap();
        db.commit().await.unwrap();
        assert_eq!(paths(&client, &loyalty).await, ["assets/functions.json", "assets/dist/greet.js"]);
        let functions = download(&client, &loyalty, "assets/functions.json").await;
        let functions: Value = serde_json::from_slice(&functions).unwrap();
        assert_eq!(functions["exports"][0]["id"], "greet");
        assert_eq!(count(&client, &loyalty).await.0, 2);
    }
}

/// A limit that an operator has set.
#[tokio::test]
async fn the_largest_size_is_a_setting() {
    let app = TestApp::sqlite_with(|config| config.package_file_size_limit = 1000).await;
    let (_world, loyalty, client) = loyalty(&app).await;
    upload(&client, &loyalty, "a", &[7; 1000]).await.expect(200);
    let answer = upload(&client, &loyalty, "a", &[7; 1001]).await;
    let message = "The request is too large: at most 1000 bytes are taken.";
    refused(answer, 413, "REQUEST_TOO_LARGE", message, &[("MaxBytes", "1000")]);
    assert_eq!(blobs(&app), 1);
}

/// The whole way with a bucket instead of the folder.
#[cfg(test_s3)]
#[tokio::test]
async fn files_live_in_a_bucket_too() {
    let app = TestApp::sqlite_with(crate::storage::use_bucket).await;
    let (world, loyalty, client) = loyalty(&app).await;
    let large: Vec<u8> = (0..7_000_000_u32).map(|at| (at % 251) as u8).collect();
    upload(&client, &loyalty, "a", b"hello\n").await.expect(200);
    upload(&client, &loyalty, "large", &large).await.expect(200);
    upload(&client, &loyalty, "a", b"new").await.expect(200);
    assert_eq!(download(&client, &loyalty, "a").await, b"new");
    assert!(download(&client, &loyalty, "large").await == large);
    let token = world.ticket(&loyalty).await;
    let pieces = stream::iter([Ok(Bytes::from(large)), Err(std::io::Error::other("gone"))]);
    let request = streamed(&token, &files(&loyalty, "b"), pieces);
    assert_eq!(app.router.clone().oneshot(request).await.unwrap().status(), 400);
    assert_eq!(paths(&client, &loyalty).await, ["a", "large"]);
    let kept = async || {
        app.state.storage.page("packages", "", None, 9, |_| true).await.unwrap().files.len()
    };
    assert_eq!(kept().await, 3);
    let now = appmarket::kernel::clock::Clock::system().now_millis();
    app.state.clock.advance(now - app.state.clock.now_millis());
    app.advance_seconds(DAY + 60);
    assert_eq!(sweep(&app.state).await.unwrap(), Swept { files: 1, unfinished: 0 });
    assert_eq!(kept().await, 2);
    // Its ticket has expired by now.
    let client = world.client(&loyalty).await;
    assert_eq!(download(&client, &loyalty, "a").await, b"new");
    assert!(!blobs_folder_exists(&app));
}

#[cfg(test_s3)]
fn blobs_folder_exists(app: &TestApp) -> bool {
    app.folder().join("files").exists()
}
