//! Pictures of records: `data:` URLs, avatars, and `/v1/attachments/pictures`.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use super::attachments::{path, post_parts, stored};
use crate::on_both;
use crate::support::TestApp;

const OFFERINGS: &str = "/v1/app_offerings";
const AVATAR: &str = "/v1/app_offerings/1/avatar";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest of a picture";

fn data_url(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

/// An offering with this picture.
async fn create(app: &TestApp, picture: &str) -> Value {
    let instance = service_instance(app, "acme").await;
    let mut body = offering("Ticket Echo", instance);
    body["picture_uri"] = json!(picture);
    app.acme().post(OFFERINGS, body).await.expect(201)
}

on_both! {
    async fn a_data_url_becomes_a_picture_that_opens_without_a_token(app: TestApp) {
        let record = create(&app, &data_url("image/png", PNG)).await;
        let uri = path(&record["picture_uri"]);
        let name = uri.strip_prefix("/v1/attachments/pictures/").unwrap();
        assert_eq!(name.len(), 68);
        assert!(name.ends_with(".png"));
        let picture = app.anonymous().with("accept", "image/avif,image/*").get(&uri).await;
        assert_eq!(picture.status, 200);
        assert_eq!(picture.bytes, PNG);
        assert_eq!(picture.header("content-type"), "image/png");
        assert_eq!(picture.header("content-length"), PNG.len().to_string());
        assert_eq!(picture.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(picture.header("x-content-type-options"), "nosniff");
        let audit = app.acme().get("/v1/app_offerings/1/audit").await.expect(200);
        assert_eq!(audit[0]["changes"]["picture_uri"], json!([null, uri]));
    }

    async fn a_picture_is_what_its_bytes_are(app: TestApp) {
        let record = create(&app, &data_url("image/png", b"GIF89a and more")).await;
        let uri = path(&record["picture_uri"]);
        assert_eq!(app.anonymous().get(&uri).await.header("content-type"), "image/gif");
        for bytes in [b"\xff\xd8\xff\xe0".as_slice(), b"RIFF\x10\0\0\0WEBPVP8 "] {
            let body = json!({"picture_uri": data_url("image/x", bytes)});
            let record = app.acme().patch("/v1/app_offerings/1", body).await.expect(200);
            let picture = app.anonymous().get(&path(&record["picture_uri"])).await;
            assert_eq!(picture.bytes, bytes);
        }
    }

    async fn writing_the_same_picture_changes_nothing(app: TestApp) {
        let record = create(&app, &data_url("image/png", PNG)).await;
        app.advance_seconds(60);
        for same in [json!(data_url("image/png", PNG)), record["picture_uri"].clone()] {
            let body = json!({"picture_uri": same});
            let again = app.acme().patch("/v1/app_offerings/1", body).await.expect(200);
            assert_eq!(again, record);
        }
        assert_eq!(stored(&app, "pictures"), 1);
        let count = "SELECT COUNT(*) FROM app_offerings WHERE picture_uri LIKE '/v1/attachments/%'";
        assert_eq!(app.count(count).await, 1);
        let gone = app.acme().patch("/v1/app_offerings/1", json!({"picture_uri": ""})).await;
        assert_eq!(gone.expect(200)["picture_uri"], Value::Null);
    }

    async fn an_address_elsewhere_stays_as_it_is(app: TestApp) {
        let record = create(&app, "https://example.org/ticket-echo.png").await;
        assert_eq!(record["picture_uri"], "https://example.org/ticket-echo.png");
    }

    async fn what_is_no_picture_is_refused(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let large = [PNG, &vec![b'x'; 512 * 1024]].concat();
        for wrong in [
            data_url("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            data_url("image/png", b"<html>"),
            data_url("text/html", PNG),
            data_url("image/png", b""),
            data_url("image/png", &large),
            "data:image/png,plain".to_owned(),
            "data:image/png;base64,*".to_owned(),
            "/v1/attachments/pictures/x.png".to_owned(),
            "javascript:alert(1)".to_owned(),
            "example.org/x.png".to_owned(),
        ] {
            let mut body = offering("Ticket Echo", instance);
            body["picture_uri"] = json!(wrong);
            let refused = app.acme().post(OFFERINGS, body).await.expect(422);
            assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
                ["picture_uri", "Picture uri is invalid"]
            ]}), "{}", &wrong[..wrong.len().min(60)]);
        }
        let mut body = offering("Ticket Echo", instance);
        body["picture_uri"] = json!(data_url("image/png", &vec![b'x'; 540_000]));
        let refused = app.acme().post(OFFERINGS, body).await.expect(422);
        assert_eq!(refused["errors"], json!([
            ["picture_uri", "Picture uri is too long (maximum is 700000 characters)"]
        ]));
        // Nor does a good picture of a bad body stay.
        let mut body = offering("", instance);
        body["picture_uri"] = json!(data_url("image/png", PNG));
        app.acme().post(OFFERINGS, body).await.expect(422);
        assert_eq!(stored(&app, "pictures"), 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
    }

    async fn unknown_pictures_are_not_found(app: TestApp) {
        let hash = "0f".repeat(32);
        for name in [format!("{hash}.png"), format!("{hash}.svg"), "x".into(), "%2e%2e".into()] {
            let answer = app.anonymous().get(&format!("/v1/attachments/pictures/{name}")).await;
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.expect(404), json!({
                "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"
            }));
        }
    }

    async fn an_avatar_becomes_the_picture(app: TestApp) {
        create(&app, "https://example.org/old.png").await;
        app.advance_seconds(60);
        let record = post_parts(&app.acme(), AVATAR, &[
            ("avatar_file_name", None, b"echo.png"), ("avatar", Some("echo.png"), PNG),
        ]).await.expect(200);
        assert_eq!(record["updated_at"], "2026-02-01T09:16:00+01:00");
        let uri = path(&record["picture_uri"]);
        assert_eq!(app.anonymous().get(&uri).await.bytes, PNG);
        assert_eq!(app.acme().get("/v1/app_offerings/1").await.expect(200), record);
        let audit = app.acme().get("/v1/app_offerings/1/audit").await.expect(200);
        assert_eq!(audit[0]["changes"], json!({
            "picture_uri": ["https://example.org/old.png", uri]
        }));
        // As some clients send it.
        let url = data_url("image/gif", b"GIF89a and more");
        let record = post_parts(&app.acme(), AVATAR, &[("avatar", None, url.as_bytes())]).await;
        let uri = path(&record.expect(200)["picture_uri"]);
        assert_eq!(app.anonymous().get(&uri).await.bytes, b"GIF89a and more");
    }

    async fn an_avatar_that_is_no_picture_is_refused(app: TestApp) {
        let before = create(&app, "https://example.org/old.png").await;
        let refusal = |text: &str| json!({
            "message": "Validation Failed", "errors": [["avatar", format!("Avatar {text}")]]
        });
        let acme = app.acme();
        for (parts, told) in [
            (vec![("avatar", Some("x.svg"), b"<svg/>".as_slice())], "is invalid"),
            (vec![("avatar", Some("x.png"), b"".as_slice())], "can't be blank"),
            (vec![("avatar_file_name", None, b"x.png".as_slice())], "can't be blank"),
        ] {
            assert_eq!(post_parts(&acme, AVATAR, &parts).await.expect(422), refusal(told));
        }
        let large = vec![b'x'; 700_001];
        let refused = post_parts(&acme, AVATAR, &[("avatar", Some("x.png"), &large)]).await;
        assert_eq!(refused.expect(413), json!({
            "message": "Payload Too Large: the limit is 700000 bytes"
        }));
        let refused = acme.post(AVATAR, json!({"avatar": "x"})).await.expect(400);
        let told = "The body must be multipart/form-data with a boundary";
        assert_eq!(refused, json!({"message": told}));
        let unknown = "/v1/app_offerings/999/avatar";
        let missing = post_parts(&acme, unknown, &[("avatar", Some("x.png"), PNG)]).await;
        assert_eq!(missing.expect(404), json!({"message": "Not Found"}));
        let foreign = post_parts(&app.initech(), AVATAR, &[("avatar", Some("x.png"), PNG)]).await;
        assert_eq!(foreign.expect(404), json!({"message": "Not Found"}));
        assert_eq!(acme.get("/v1/app_offerings/1").await.expect(200), before);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 1);
    }

    async fn another_account_cannot_change_a_picture_that_it_sees(app: TestApp) {
        create(&app, "https://example.org/old.png").await;
        app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        let path = "/v1/app_offerings/2/avatar";
        let refused = post_parts(&app.globex(), path, &[("avatar", Some("x.png"), PNG)]).await;
        assert_eq!(refused.expect(403), json!({"message": "Forbidden"}));
    }
}
