//! `/platform/appdev/filebasedpackage/packages/{applicationKey}`: packages as files.
use std::io::{Cursor, Read};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use zip::ZipArchive;

use super::package_files::{loyalty, upload};
use crate::on_both;
use crate::support::packages::{Application, refused};

const INVALID: &str = "MISSING_OR_INVALID_PARAMETER";

fn package(application: &Application, query: &str) -> String {
    format!("/api/platform/appdev/filebasedpackage/packages/{}{query}", application.key)
}

/// Name, date and bytes of each file of an archive, in its order.
fn unpacked(archive: Vec<u8>) -> Vec<(String, String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let date = file.last_modified().unwrap().to_string();
        files.push((file.name().unwrap().into_owned(), date, bytes));
    }
    files
}

on_both! {
    async fn a_file_is_downloaded_as_it_was_stored(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let bytes = "{ \"größe\": 1 }".repeat(1000).into_bytes();
        upload(&client, &loyalty, "Assets/Größe.json", &bytes).await.expect(200);
        // Not compressed: clients want to see the length.
        let unpacking = client.clone().with("accept-encoding", "gzip");
        for name in ["Assets/Gr%C3%B6%C3%9Fe.json", "%5Cassets%7Cgr%C3%B6%C3%9Fe.JSON&responseFields=(("] {
            let name = name.replace("&responseFields=((", "&x=1");
            let answer = unpacking.get(&package(&loyalty, &format!("?filename={name}"))).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("content-length"), bytes.len().to_string());
            assert!(!answer.headers.contains_key("content-encoding"));
            assert_eq!(
                answer.header("content-disposition"),
                "attachment; filename=\"Gr__e.json\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.json"
            );
            assert_eq!(answer.bytes, bytes);
        }
        let none = client.get(&package(&loyalty, "?fileName=assets%2Fother.json")).await;
        refused(
            none, 404, "ITEM_NOT_FOUND", "Item not found: file assets/other.json",
            &[("FilePath", "assets/other.json")],
        );
        let folder = client.get(&package(&loyalty, "?fileName=Assets")).await;
        refused(folder, 404, "ITEM_NOT_FOUND", "Item not found: file Assets", &[("FilePath", "Assets")]);
    }

    async fn no_name_leaves_the_package(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        for (name, why) in [
            ("..%2Fa", "must not contain `..`."),
            ("%2F%2F", "must name a file."),
            ("C:%5Ca", "must not begin with a drive."),
            ("a%0Ab", "must not contain control characters."),
        ] {
            let answer = client.get(&package(&loyalty, &format!("?fileName={name}"))).await;
            let message = format!("Missing or invalid parameter: fileName {why}");
            let data = [("ParameterName", "fileName"), ("ErrorMessage", why)];
            refused(answer, 400, INVALID, &message, &data);
        }
        let nul = client.get(&package(&loyalty, "?fileName=a%00")).await.expect(400);
        assert_eq!(nul["additionalErrorData"][0]["value"], "fileName");
    }

    async fn a_package_is_an_archive(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "package.definition.json", b"mine").await.expect(200);
        app.advance_seconds(60);
        upload(&client, &loyalty, "assets/a.js", &[7; 300_000]).await.expect(200);
        upload(&client, &loyalty, "Z", b"").await.expect(200);
        let answer = client.clone().with("accept-encoding", "gzip").get(&package(&loyalty, "?fileName=")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/zip");
        assert!(!answer.headers.contains_key("content-encoding"));
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"acme01.loyalty.1.0.0.Release.zip\"; \
             filename*=UTF-8''acme01.loyalty.1.0.0.Release.zip"
        );
        let archive = answer.bytes;
        let mut files = unpacked(archive.clone());
        let (name, date, definition) = files.pop().unwrap();
        assert_eq!((name.as_str(), date.as_str()), ("package.definition.json", "2026-02-01 08:16:00"));
        let file = |name: &str, date: &str, bytes: &[u8]| (name.to_owned(), date.to_owned(), bytes.to_vec());
        assert_eq!(files, [
            file("files/Z", "2026-02-01 08:16:00", b""),
            file("files/assets/a.js", "2026-02-01 08:16:00", &[7; 300_000]),
            file("files/package.definition.json", "2026-02-01 08:15:00", b"mine"),
        ]);
        // The package as it is shown, in its order, but for the secret and the installs.
        let path = format!("/api/platform/appdev/apppackages/{}?includeChildren=true", loyalty.key);
        let mut shown = client.get(&path).await.expect(200);
        assert_eq!(shown["sharedSecret"], loyalty.secret.as_str());
        let members = shown.as_object_mut().unwrap();
        members.retain(|name, _| !["sharedSecret", "applicationEntitlements"].contains(&name.as_str()));
        assert_eq!(members.len(), 51);
        let definition = String::from_utf8(definition).unwrap();
        assert_eq!(definition, serde_json::to_string_pretty(&shown).unwrap());
        assert!(!definition.contains(&loyalty.secret));
        // Nothing changed, so the archive is the same, at another time too.
        app.advance_seconds(600);
        for query in ["", "?fileName=%20", "?x=1"] {
            assert!(client.get(&package(&loyalty, query)).await.bytes == archive, "{query}");
        }
        app.advance_seconds(1);
        upload(&client, &loyalty, "Z", b"").await.expect(200);
        assert!(client.get(&package(&loyalty, "")).await.bytes != archive);
    }

    async fn packages_of_others_are_not_there(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", b"x").await.expect(200);
        let stranger = world.client(&world.application("globex01.spy.1.0.0").await).await;
        for query in ["", "?fileName=a"] {
            refused(
                stranger.get(&package(&loyalty, query)).await, 404, "ITEM_NOT_FOUND",
                "Item not found: package acme01.loyalty.1.0.0.Release",
                &[("AppKey", "acme01.loyalty.1.0.0.Release")],
            );
        }
        let none = world.application_with("acme01.none.1.0.0", &[]).await;
        let caller = world.client(&none).await;
        refused(
            caller.get(&package(&loyalty, "?fileName=a")).await, 403, "FORBIDDEN",
            "Forbidden: the access token lacks the behavior 62.",
            &[("OperationName", "get_package_file"), ("BehaviorId", "62")],
        );
        // Its own package an application may always read.
        let own = unpacked(caller.get(&package(&none, "")).await.bytes);
        assert_eq!(own.len(), 1);
    }

    /// What was sent of an archive when the store fails must not seem whole.
    async fn an_archive_with_a_lost_file_breaks_off(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        upload(&client, &loyalty, "a", &[7; 300_000]).await.expect(200);
        upload(&client, &loyalty, "b", b"x").await.expect(200);
        std::fs::remove_dir_all(app.folder().join("files/packages")).unwrap();
        let request = Request::get(package(&loyalty, ""))
            .header("authorization", format!("Bearer {}", world.ticket(&loyalty).await))
            .body(Body::empty())
            .unwrap();
        let response = app.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.into_body().collect().await.is_err());
        let lost = client.get(&package(&loyalty, "?fileName=a")).await.expect(500);
        assert_eq!(lost["errorCode"], "UNEXPECTED_ERROR");
    }
}
