//! `/v1/attachments`, attachments in records, and the sweep.
use appmarket::kernel::config::UploadShape;
use appmarket::offering_api::attachments::sweep::{Swept, sweep};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::client::Client;
use crate::support::{Answer, TestApp, unprocessable};

const STORAGE: &str = "/v1/attachments/storage";
const UPLOAD: &str = "/v1/attachments";
const OFFERINGS: &str = "/v1/app_offerings";
/// Divides the parts of a body.
pub const BOUNDARY: &str = "----boundary";

/// A part of a multipart body: name, file name and bytes.
pub type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// Posts parts as multipart/form-data.
pub async fn post_parts(client: &Client, path: &str, parts: &[Part<'_>]) -> Answer {
    send(client, path, multipart(parts)).await
}

async fn send(client: &Client, path: &str, body: Vec<u8>) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    client.clone().with("content-type", &kind).send(Method::POST, path, body).await
}

/// A body of parts, divided by [`BOUNDARY`].
pub fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, bytes) in parts {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The provider's parameters in a description, as text.
fn parameters(description: &Value) -> Vec<(String, String)> {
    let provider = description["provider"].as_str().unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parameters = description[provider].as_object().unwrap();
    parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Posts a file with parameters before it.
async fn post_file(
    client: &Client,
    parameters: &[(String, String)],
    name: &str,
    bytes: &[u8],
) -> Answer {
    let mut parts: Vec<Part<'_>> =
        parameters.iter().map(|(name, value)| (name.as_str(), None, value.as_bytes())).collect();
    parts.push(("file", Some(name), bytes));
    post_parts(client, UPLOAD, &parts).await
}

/// Asks for a description and uploads with it, without a token. Returns the key.
pub async fn upload(app: &TestApp, owner: &Client, name: &str, kind: &str, bytes: &[u8]) -> String {
    let mut parameters = parameters(&owner.get(STORAGE).await.expect(200));
    parameters.insert(0, ("Content-Type".to_owned(), kind.to_owned()));
    let answer = post_file(&app.anonymous(), &parameters, name, bytes).await.expect(200);
    answer["key"].as_str().unwrap().to_owned()
}

/// An address of this service without its origin.
pub fn path(uri: &Value) -> String {
    uri.as_str().unwrap().strip_prefix("https://api.example.test").unwrap().to_owned()
}

/// How many files the store holds in a folder, unfinished ones included.
pub fn stored(app: &TestApp, folder: &str) -> usize {
    let folder = app.folder().join("files").join(folder);
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// A text with every hexadecimal digit of the random part of a key replaced.
fn without_chance(value: &Value, key: &str) -> Value {
    let random = key.split('/').nth(6).unwrap().split('-').nth(1).unwrap();
    assert_eq!(random.len(), 16);
    serde_json::from_str(&value.to_string().replace(random, "3f9a1c0e3f9a1c0e")).unwrap()
}

async fn is_nothing_stored(app: &TestApp) -> bool {
    // Files are removed in the background when an upload breaks off.
    for _ in 0..100 {
        if stored(app, "uploads") == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stored(app, "uploads") == 0 && app.count("SELECT COUNT(*) FROM uploads").await == 0
}

fn s3() -> impl Future<Output = TestApp> {
    TestApp::sqlite_with(|config| config.upload_shape = UploadShape::S3)
}

on_both! {
    async fn the_description_of_an_upload_is_whole(app: TestApp) {
        let description = app.acme().get("/v1/attachments/storage/").await.expect(200);
        let key = description["local"]["key"].as_str().unwrap();
        let signature = description["local"]["x-4me-signature"].as_str().unwrap();
        assert_eq!(signature.len(), 64);
        assert_eq!(without_chance(&description, key), json!({
            "size_limit": 20_971_520, "allowed_extensions": [], "provider": "local",
            "upload_uri": "https://api.example.test/v1/attachments",
            "local": {
                "key": "attachments/acme/2026/02/01/1/1769933700-3f9a1c0e3f9a1c0e/${filename}",
                "x-4me-expiration": "2026-02-01T09:15:00Z", "x-4me-signature": signature,
            },
        }));
        let again = app.acme().get(STORAGE).await.expect(200);
        assert_ne!(again["local"]["key"], key);
    }

    async fn an_upload_needs_no_token(app: TestApp) {
        let description = app.acme().get(STORAGE).await.expect(200);
        let answer =
            post_file(&app.anonymous(), &parameters(&description), "logo.png", b"a picture").await;
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        let key = description["local"]["key"].as_str().unwrap().replace("${filename}", "logo.png");
        assert_eq!(answer.expect(200), json!({"key": key}));
        assert_eq!(app.count(&format!(
            "SELECT COUNT(*) FROM uploads WHERE account_id = 'acme' AND file_key = '{key}' \
             AND name = 'logo.png' AND size = 9 AND content_type = 'application/octet-stream'"
        )).await, 1);
        assert_eq!(stored(&app, "uploads"), 1);
    }

    async fn parts_come_in_any_order_and_under_their_newer_names(app: TestApp) {
        let local = app.acme().get(STORAGE).await.expect(200)["local"].clone();
        let text = |name: &str| local[name].as_str().unwrap().as_bytes();
        let answer = post_parts(&app.acme(), UPLOAD, &[
            ("X-Xurrent-signature", None, text("x-4me-signature")),
            ("Content-Type", None, b"text/plain; charset=utf-8"),
            ("something-else", None, b"is ignored"),
            ("key", None, text("key")),
            ("X-Xurrent-expiration", None, text("x-4me-expiration")),
            ("file", Some("notes.txt"), b"text"),
            ("after", None, b"is ignored"),
        ]).await;
        let key = answer.expect(200)["key"].as_str().unwrap().to_owned();
        assert!(key.ends_with("/notes.txt"));
        let count = "SELECT COUNT(*) FROM uploads WHERE content_type = 'text/plain'";
        assert_eq!(app.count(count).await, 1);
    }

    async fn names_of_files_cannot_leave_their_folder(app: TestApp) {
        let description = app.acme().get(STORAGE).await.expect(200);
        let parameters = parameters(&description);
        let folder = description["local"]["key"].as_str().unwrap().replace("${filename}", "");
        let name = r"..\\..\\..\\etc/passwd";
        let answer = post_file(&app.anonymous(), &parameters, name, b"x").await.expect(200);
        assert_eq!(answer, json!({"key": format!("{folder}passwd")}));
        let refused = post_file(&app.anonymous(), &parameters, "..", b"x").await.expect(422);
        assert_eq!(refused, unprocessable("The part file has no usable file name"));
    }

    async fn a_client_may_put_the_name_into_the_key(app: TestApp) {
        let description = app.acme().get(STORAGE).await.expect(200);
        let mut parameters = parameters(&description);
        parameters[0].1 = parameters[0].1.replace("${filename}", "named.png");
        let answer = post_file(&app.anonymous(), &parameters, "blob", b"x").await.expect(200);
        assert_eq!(answer, json!({"key": parameters[0].1}));
    }

    async fn a_caller_with_a_token_may_leave_the_parameters_out(app: TestApp) {
        let answer = post_parts(&app.acme(), UPLOAD, &[("file", Some("a.txt"), b"x")]).await;
        let answer = answer.expect(200);
        let key = answer["key"].as_str().unwrap();
        assert_eq!(without_chance(&answer, key), json!({
            "key": "attachments/acme/2026/02/01/1/1769933700-3f9a1c0e3f9a1c0e/a.txt"
        }));
        let refused = post_parts(&app.anonymous(), UPLOAD, &[("file", Some("a.txt"), b"x")]).await;
        let told = "The upload lacks the parts: key, x-4me-expiration, x-4me-signature";
        assert_eq!(refused.expect(422), unprocessable(told));
    }

    async fn an_upload_may_be_repeated_but_not_replaced(app: TestApp) {
        let parameters = parameters(&app.acme().get(STORAGE).await.expect(200));
        let first = post_file(&app.anonymous(), &parameters, "a.txt", b"one").await.expect(200);
        let again = post_file(&app.anonymous(), &parameters, "a.txt", b"one").await.expect(200);
        assert_eq!(first, again);
        let other = post_file(&app.anonymous(), &parameters, "a.txt", b"two").await.expect(422);
        assert_eq!(other, unprocessable("Another file was uploaded under this key before"));
        let beside = post_file(&app.anonymous(), &parameters, "b.txt", b"two").await.expect(200);
        assert_ne!(first, beside);
        assert_eq!(app.count("SELECT COUNT(*) FROM uploads").await, 2);
        assert_eq!(stored(&app, "uploads"), 2);
    }

    async fn of_two_files_under_one_key_one_wins(app: TestApp) {
        let parameters = parameters(&app.acme().get(STORAGE).await.expect(200));
        let client = app.anonymous();
        let (one, two) = tokio::join!(
            post_file(&client, &parameters, "a.txt", b"one"),
            post_file(&client, &parameters, "a.txt", b"two"),
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
        assert_eq!(app.count("SELECT COUNT(*) FROM uploads").await, 1);
        assert_eq!(stored(&app, "uploads"), 1);
    }

    async fn an_idempotency_key_answers_the_first_key_again(app: TestApp) {
        let client = app.acme().with("idempotency-key", "one");
        let first = post_parts(&client, UPLOAD, &[("file", Some("a.txt"), b"x")]).await.expect(200);
        let again = post_parts(&client, UPLOAD, &[("file", Some("a.txt"), b"x")]).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), first);
        let other = post_parts(&client, UPLOAD, &[("file", Some("a.txt"), b"y")]).await;
        let told = "The Idempotency-Key was used before with another request";
        assert_eq!(other.expect(422), unprocessable(told));
        assert_eq!(stored(&app, "uploads"), 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM uploads").await, 1);
    }

    async fn a_forged_upload_is_refused(app: TestApp) {
        let good = parameters(&app.acme().get(STORAGE).await.expect(200));
        type Forge = fn(&str) -> String;
        let forgeries: [(usize, Forge); 8] = [
            (0, |key| key.replace("/acme/", "/globex/")),
            (0, |key| key.replace("attachments/acme/2026/02/01/1/", "attachments/acme/2026/02/01/2/")),
            (0, |key| key.replace("${filename}", "deeper/${filename}")),
            (1, |_| "2027-02-01T09:15:00Z".to_owned()),
            (1, |_| "tomorrow".to_owned()),
            (2, |_| "00".repeat(32)),
            (2, |signature| signature[..32].to_owned()),
            (2, |_| "not hexadecimal".to_owned()),
        ];
        for (at, forge) in forgeries {
            let mut forged = good.clone();
            forged[at].1 = forge(&forged[at].1);
            let refused = post_file(&app.anonymous(), &forged, "a.txt", b"x").await.expect(403);
            assert_eq!(refused, json!({"message": "Forbidden"}), "{forged:?}");
        }
        assert!(is_nothing_stored(&app).await);
    }

    async fn a_token_of_another_account_does_not_go_with_the_signature(app: TestApp) {
        let parameters = parameters(&app.acme().get(STORAGE).await.expect(200));
        let refused = post_file(&app.globex(), &parameters, "a.txt", b"x").await.expect(403);
        assert_eq!(refused, json!({"message": "Forbidden"}));
        assert!(is_nothing_stored(&app).await);
    }

    async fn an_upload_expires_after_an_hour(app: TestApp) {
        let parameters = parameters(&app.acme().get(STORAGE).await.expect(200));
        app.advance_seconds(3600);
        let refused = post_file(&app.anonymous(), &parameters, "a.txt", b"x").await.expect(422);
        let told = "The upload has expired; ask for a new one at /v1/attachments/storage";
        assert_eq!(refused, unprocessable(told));
        assert!(is_nothing_stored(&app).await);
    }

    async fn an_upload_without_its_parts_is_refused(app: TestApp) {
        let good = parameters(&app.acme().get(STORAGE).await.expect(200));
        let lacks = |names: &str| unprocessable(&format!("The upload lacks the parts: {names}"));
        let anonymous = app.anonymous();
        let refused = post_file(&anonymous, &good[..1], "a.txt", b"x").await.expect(422);
        assert_eq!(refused, lacks("x-4me-expiration, x-4me-signature"));
        let refused = post_parts(&anonymous, UPLOAD, &[]).await.expect(422);
        assert_eq!(refused, lacks("key, x-4me-expiration, x-4me-signature"));
        let parts: Vec<Part<'_>> =
            good.iter().map(|(name, value)| (name.as_str(), None, value.as_bytes())).collect();
        let refused = post_parts(&anonymous, UPLOAD, &parts).await.expect(422);
        assert_eq!(refused, lacks("file"));
        let nameless: Vec<Part<'_>> =
            parts.iter().copied().chain([("file", None, b"x".as_slice())]).collect();
        let refused = post_parts(&anonymous, UPLOAD, &nameless).await.expect(422);
        assert_eq!(refused, unprocessable("The part file has no usable file name"));
        let policy = [("policy".to_owned(), "e30=".to_owned())];
        let refused = post_file(&anonymous, &policy, "a.txt", b"x").await.expect(422);
        assert_eq!(refused, lacks("key, x-amz-credential, x-amz-signature"));
        assert!(is_nothing_stored(&app).await);
    }

    async fn a_malformed_body_is_refused(app: TestApp) {
        let form = json!({"message": "The body must be multipart/form-data with a boundary"});
        let refused = app.acme().post(UPLOAD, json!({"key": "x"})).await.expect(400);
        assert_eq!(refused, form);
        let whole = multipart(&[("file", Some("a.txt"), b"the beginning of a file")]);
        // The end of the file never came.
        let cut = whole[..whole.len() - 20].to_vec();
        assert_eq!(send(&app.acme(), UPLOAD, cut).await.expect(400), malformed());
        assert_eq!(send(&app.acme(), UPLOAD, b"nonsense".to_vec()).await.expect(400), malformed());
        let text: &[Part<'_>] = &[("key", None, b"\xff\xfe"), ("file", Some("a"), b"x")];
        let refused = post_parts(&app.acme(), UPLOAD, text).await.expect(400);
        assert_eq!(refused, json!({"message": "The part key is not valid UTF-8"}));
        assert!(is_nothing_stored(&app).await);
    }

    async fn texts_before_the_file_are_bounded(app: TestApp) {
        let long = vec![b'x'; 20_000];
        let refused = post_parts(&app.acme(), UPLOAD, &[("key", None, &long)]).await.expect(413);
        assert_eq!(refused, json!({"message": "Payload Too Large: the limit is 16384 bytes"}));
        // Neither a boundary nor the end of a part's head is ever found.
        let mut endless = format!("--{BOUNDARY}\r\nX-Head: ").into_bytes();
        endless.resize(3 * 1024 * 1024, b'x');
        let refused = send(&app.acme(), UPLOAD, endless).await.expect(413);
        assert_eq!(refused, json!({"message": "Payload Too Large: the limit is 1048576 bytes"}));
        let names: Vec<String> = (0..51).map(|number| format!("part{number}")).collect();
        let many: Vec<Part<'_>> = names.iter().map(|name| (name.as_str(), None, b"".as_slice())).collect();
        let refused = post_parts(&app.acme(), UPLOAD, &many).await.expect(422);
        assert_eq!(refused, unprocessable("The upload has more than 50 parts before its file"));
    }

    async fn attached_files_are_shown_and_open_without_a_token(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let logo = upload(&app, &app.acme(), "logo.png", "image/png", b"\x89PNG").await;
        let page = upload(&app, &app.acme(), "Übersicht.html", "text/html", b"<script>").await;
        let mut body = offering("Ticket Echo", instance);
        body["description_attachments"] = json!([{"key": logo, "filesize": "4", "inline": true}]);
        body["features_attachments"] = json!([{"key": page}]);
        let record = app.acme().post(OFFERINGS, body).await.expect(201);
        let uri = |at: usize| path(&record["attachments"][at]["uri"]);
        assert_eq!(record["attachments"], json!([
            {"id": 1, "key": logo, "name": "logo.png", "size": 4, "inline": true,
             "uri": record["attachments"][0]["uri"], "created_at": "2026-02-01T09:15:00+01:00",
             "nodeID": "ZXhhbXBsZS50ZXN0L0F0dGFjaG1lbnQvMQ"},
            {"id": 2, "key": page, "name": "Übersicht.html", "size": 8, "inline": false,
             "uri": record["attachments"][1]["uri"], "created_at": "2026-02-01T09:15:00+01:00",
             "nodeID": "ZXhhbXBsZS50ZXN0L0F0dGFjaG1lbnQvMg"},
        ]));
        let read = app.acme().get("/v1/app_offerings/1").await.expect(200);
        assert_eq!(read, record);
        let list = app.acme().get("/v1/app_offerings?fields=attachments").await.expect(200);
        assert_eq!(list[0]["attachments"], record["attachments"]);

        let shown = app.anonymous().with("accept", "image/*").get(&uri(0)).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.bytes, b"\x89PNG");
        assert_eq!(shown.header("content-type"), "image/png");
        assert_eq!(shown.header("content-length"), "4");
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        // 08:15 now; addresses are made for the end of the next hour.
        assert_eq!(shown.header("cache-control"), "private, max-age=6300");
        assert_eq!(shown.header("content-disposition"),
            "inline; filename=\"logo.png\"; filename*=UTF-8''logo.png");
        let saved = app.anonymous().get(&uri(1)).await;
        assert_eq!(saved.bytes, b"<script>");
        assert_eq!(saved.header("content-type"), "application/octet-stream");
        assert_eq!(saved.header("content-disposition"),
            "attachment; filename=\"_bersicht.html\"; filename*=UTF-8''%C3%9Cbersicht.html");
        let by_name = uri(0).replace("/files/1?", "/files/ZXhhbXBsZS50ZXN0L0F0dGFjaG1lbnQvMQ?");
        assert_eq!(app.anonymous().get(&by_name).await.bytes, b"\x89PNG");
    }

    async fn only_the_very_address_opens_a_file(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let mut body = offering("Ticket Echo", instance);
        let one = upload(&app, &app.acme(), "one", "text/plain", b"one").await;
        let two = upload(&app, &app.acme(), "two", "text/plain", b"two").await;
        body["description_attachments"] = json!([{"key": one}, {"key": two}]);
        let record = app.acme().post(OFFERINGS, body).await.expect(201);
        let uri = path(&record["attachments"][0]["uri"]);
        let unknown = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"
        });
        let (address, query) = uri.split_once('?').unwrap();
        let (expires, signature) = query.split_once('&').unwrap();
        for wrong in [
            uri.replace("/files/1", "/files/2"),
            uri.replace("/files/1", "/files/999"),
            uri.replace("/files/1", "/files/one"),
            uri.replace("expires=", "expires=9"),
            format!("{address}?{expires}"),
            format!("{address}?{signature}"),
            format!("{address}?{expires}&signature={}", "00".repeat(32)),
            format!("{address}?{expires}&signature=x"),
            format!("{address}?expires=x&{signature}"),
            address.to_owned(),
            uri[..uri.len() - 32].to_owned(),
        ] {
            assert_eq!(app.anonymous().get(&wrong).await.expect(404), unknown, "{wrong}");
        }
        assert_eq!(app.anonymous().get(&uri).await.bytes, b"one");
        app.advance_seconds(6299);
        assert_eq!(app.anonymous().get(&uri).await.bytes, b"one");
        app.advance_seconds(1);
        assert_eq!(app.anonymous().get(&uri).await.expect(404), unknown);
        let fresh = app.acme().get("/v1/app_offerings/1").await.expect(200);
        let fresh = path(&fresh["attachments"][0]["uri"]);
        assert_eq!(app.anonymous().get(&fresh).await.bytes, b"one");
    }

    async fn files_are_removed_from_a_record_and_audited(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let one = upload(&app, &app.acme(), "one", "text/plain", b"one").await;
        let two = upload(&app, &app.acme(), "two", "text/plain", b"two").await;
        let mut body = offering("Ticket Echo", instance);
        body["description_attachments"] = json!([{"key": one}]);
        let record = app.acme().post(OFFERINGS, body).await.expect(201);
        let uri = path(&record["attachments"][0]["uri"]);
        app.advance_seconds(60);
        let changed = app.acme().patch("/v1/app_offerings/1", json!({"description_attachments": [
            {"key": one, "_destroy": true}, {"key": two}, {"key": "never attached", "_destroy": "1"},
        ]})).await.expect(200);
        assert_eq!(changed["attachments"].as_array().unwrap().len(), 1);
        assert_eq!(changed["attachments"][0]["key"], two);
        assert_eq!(changed["updated_at"], "2026-02-01T09:16:00+01:00");
        assert_eq!(app.anonymous().get(&uri).await.status, 404);
        let audit = app.acme().get("/v1/app_offerings/1/audit").await.expect(200);
        assert_eq!(audit[0]["changes"], json!({
            "description_attachments": [[one], [two]]
        }));
        assert_eq!(audit[1]["changes"]["description_attachments"], json!([null, [one]]));
        // What is attached already is no change.
        app.advance_seconds(60);
        let same = app.acme().patch("/v1/app_offerings/1", json!({"description_attachments": [
            {"key": two}
        ]})).await.expect(200);
        assert_eq!(same, changed);
    }

    async fn files_that_the_account_has_not_uploaded_are_refused(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let foreign = upload(&app, &app.globex(), "one", "text/plain", b"one").await;
        let mut body = offering("Ticket Echo", instance);
        body["service_instance_id"] = json!(999);
        body["description_attachments"] = json!([{"key": foreign}]);
        body["features_attachments"] = json!([{"key": "attachments/unknown"}]);
        body["compliance_attachments"] = json!([{"filesize": 1}]);
        let refused = app.acme().post(OFFERINGS, body).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
            ["service_instance", "Service instance must exist"],
            ["description_attachments", "Description attachments is invalid"],
            ["features_attachments", "Features attachments is invalid"],
            ["compliance_attachments", "Compliance attachments is invalid"],
        ]}));
        assert_eq!(app.count("SELECT COUNT(*) FROM attachments").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
    }

    async fn publishing_copies_the_files(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let one = upload(&app, &app.acme(), "one", "text/plain", b"one").await;
        let mut body = offering("Ticket Echo", instance);
        body["description_attachments"] = json!([{"key": one}]);
        app.acme().post(OFFERINGS, body).await.expect(201);
        let published =
            app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        assert_eq!(published["attachments"][0]["key"], one);
        assert_eq!(published["attachments"][0]["id"], 2);
        app.acme().patch("/v1/app_offerings/1", json!({"description_attachments": [
            {"key": one, "_destroy": true}
        ]})).await.expect(200);
        // The customer's file is not the draft's.
        let seen = app.globex().get("/v1/app_offerings/2").await.expect(200);
        let file = app.anonymous().get(&path(&seen["attachments"][0]["uri"])).await;
        assert_eq!(file.bytes, b"one");
    }

    async fn what_nobody_takes_up_is_swept_away(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let used = upload(&app, &app.acme(), "used", "text/plain", b"used").await;
        let mut body = offering("Ticket Echo", instance);
        body["description_attachments"] = json!([{"key": used}]);
        app.acme().post(OFFERINGS, body).await.expect(201);
        upload(&app, &app.acme(), "unused", "text/plain", b"unused").await;
        // A crash left one file without a row, and one that never ended.
        let folder = app.folder().join("files/uploads");
        std::fs::write(folder.join("0123"), b"orphan").unwrap();
        std::fs::write(folder.join("4567#1"), b"half").unwrap();
        assert_eq!(sweep(&app.state).await.unwrap(), Swept::default());
        assert_eq!(stored(&app, "uploads"), 4);

        // Files bear the machine's time, which is later than the test's.
        app.advance_seconds(100 * 365 * 86_400);
        let swept = sweep(&app.state).await.unwrap();
        assert_eq!(swept, Swept { uploads: 1, files: 2, unfinished: 1 });
        assert_eq!(stored(&app, "uploads"), 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM uploads").await, 1);
        let record = app.acme().get("/v1/app_offerings/1").await.expect(200);
        let file = app.anonymous().get(&path(&record["attachments"][0]["uri"])).await;
        assert_eq!(file.bytes, b"used");
        assert_eq!(sweep(&app.state).await.unwrap(), Swept::default());
    }
}

fn malformed() -> Value {
    json!({"message": "The multipart body is malformed or ended early"})
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let app = TestApp::sqlite_with(|config| config.upload_size_limit = 100_000).await;
    let parameters = parameters(&app.acme().get(STORAGE).await.expect(200));
    let exact = vec![b'x'; 100_000];
    post_file(&app.anonymous(), &parameters, "fits", &exact).await.expect(200);
    let larger = vec![b'x'; 100_001];
    let refused = post_file(&app.anonymous(), &parameters, "too large", &larger).await;
    let told = json!({"message": "Payload Too Large: the limit is 100000 bytes"});
    assert_eq!(refused.expect(413), told);
    assert_eq!(stored(&app, "uploads"), 1);
    assert_eq!(app.count("SELECT COUNT(*) FROM uploads").await, 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    use tower::ServiceExt;
    let app = TestApp::sqlite().await;
    let parameters = parameters(&app.acme().get(STORAGE).await.expect(200));
    let mut parts: Vec<Part<'_>> =
        parameters.iter().map(|(name, value)| (name.as_str(), None, value.as_bytes())).collect();
    let file = vec![b'x'; 1_000_000];
    parts.push(("file", Some("a.bin"), &file));
    let body = multipart(&parts);
    let half = bytes::Bytes::from(body[..600_000].to_vec());
    let pieces = futures_util::stream::iter([
        Ok(half),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    let request = http::Request::post(UPLOAD)
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(axum::body::Body::from_stream(pieces))
        .unwrap();
    let answer = app.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(is_nothing_stored(&app).await);
}

#[tokio::test]
async fn the_description_of_an_s3_upload_is_whole() {
    let app = s3().await;
    let description = app.acme().get(STORAGE).await.expect(200);
    let s3 = &description["s3"];
    let key = s3["key"].as_str().unwrap();
    assert_eq!(
        without_chance(&description, key),
        json!({
            "size_limit": 20_971_520, "allowed_extensions": [], "provider": "s3",
            "upload_uri": "https://api.example.test/v1/attachments",
            "s3": {
                "acl": "private",
                "key": "attachments/acme/2026/02/01/1/1769933700-3f9a1c0e3f9a1c0e/${filename}",
                "policy": s3["policy"], "success_action_status": 201,
                "x-amz-algorithm": "AWS4-HMAC-SHA256",
                "x-amz-credential": "appmarket/20260201/local/s3/aws4_request",
                "x-amz-date": "20260201T081500Z", "x-amz-server-side-encryption": "AES256",
                "x-amz-signature": s3["x-amz-signature"],
            },
        })
    );
    let policy = STANDARD.decode(s3["policy"].as_str().unwrap()).unwrap();
    let policy: Value = serde_json::from_slice(&policy).unwrap();
    assert_eq!(
        without_chance(&policy, key),
        json!({
            "expiration": "2026-02-01T09:15:00.000Z",
            "conditions": [
                {"bucket": "appmarket"},
                {"acl": "private"},
                {"success_action_status": "201"},
                {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
                {"x-amz-credential": "appmarket/20260201/local/s3/aws4_request"},
                {"x-amz-date": "20260201T081500Z"},
                {"x-amz-server-side-encryption": "AES256"},
                ["starts-with", "$key",
                 "attachments/acme/2026/02/01/1/1769933700-3f9a1c0e3f9a1c0e/"],
                ["starts-with", "$Content-Type", ""],
                ["content-length-range", 0, 20_971_520],
            ],
        })
    );
}

#[tokio::test]
async fn an_s3_upload_answers_xml() {
    let app = s3().await;
    let description = app.acme().get(STORAGE).await.expect(200);
    let parameters = parameters(&description);
    let client = app.anonymous().with("accept", "application/xml");
    let answer = post_file(&client, &parameters, "a&b <c>'.txt", b"test").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), "application/xml");
    let folder = description["s3"]["key"].as_str().unwrap().replace("${filename}", "");
    let location =
        format!("https://api.example.test/v1/attachments/{folder}a%26b%20%3Cc%3E%27.txt");
    assert_eq!(answer.header("location"), location);
    assert_eq!(
        answer.text(),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{location}</Location>\
             <Bucket>appmarket</Bucket><Key>{folder}a&amp;b &lt;c&gt;&apos;.txt</Key><ETag>&quot;\
             9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08&quot;</ETag>\
             </PostResponse>"
        )
    );
    let again = post_file(&client, &parameters, "a&b <c>'.txt", b"test").await;
    assert_eq!(again.text(), answer.text());
    let instance = service_instance(&app, "acme").await;
    let mut body = offering("Ticket Echo", instance);
    body["description_attachments"] = json!([{"key": format!("{folder}a&b <c>'.txt")}]);
    let record = app.acme().post(OFFERINGS, body).await.expect(201);
    assert_eq!(record["attachments"][0]["name"], "a&b <c>'.txt");
}

#[tokio::test]
async fn a_forged_s3_upload_is_refused() {
    let app = s3().await;
    let good = parameters(&app.acme().get(STORAGE).await.expect(200));
    let at = |name: &str| good.iter().position(|(known, _)| known == name).unwrap();
    let with = |name: &str, value: &str| {
        let mut forged = good.clone();
        forged[at(name)].1 = value.to_owned();
        forged
    };
    let policy = STANDARD.decode(&good[at("policy")].1).unwrap();
    let policy = String::from_utf8(policy).unwrap();
    let wider = STANDARD.encode(policy.replace("/acme/", "/globex/"));
    let key = &good[at("key")].1;
    for forged in [
        with("policy", &wider),
        with("policy", "not Base64"),
        with("x-amz-signature", &"00".repeat(32)),
        with("x-amz-signature", "00"),
        with("x-amz-signature", "x"),
        with("x-amz-credential", "appmarket/20260202/local/s3/aws4_request"),
        with("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20260201/local/s3/aws4_request"),
        with("x-amz-credential", "appmarket"),
        with("key", &key.replace("/acme/", "/globex/")),
        with("key", &key.replace("${filename}", "deeper/${filename}")),
        with("acl", "public-read"),
        with("success_action_status", "200"),
        with("x-amz-algorithm", "none"),
        with("x-amz-date", "20260202T081500Z"),
        good.iter().filter(|(name, _)| name != "acl").cloned().collect(),
    ] {
        let refused = post_file(&app.anonymous(), &forged, "a.txt", b"x").await.expect(403);
        assert_eq!(refused, json!({"message": "Forbidden"}), "{forged:?}");
    }
    app.advance_seconds(3600);
    let refused = post_file(&app.anonymous(), &good, "a.txt", b"x").await.expect(422);
    let told = "The upload has expired; ask for a new one at /v1/attachments/storage";
    assert_eq!(refused, unprocessable(told));
    assert!(is_nothing_stored(&app).await);
}
