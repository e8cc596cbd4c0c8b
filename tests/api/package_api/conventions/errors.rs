//! Refusals (contract 1.8, 1.9): one body for all of them, in the order of the contract.
use http::Method;
use serde_json::{Value, json};

use super::{CREATE, PACKAGES, malformed};
use crate::on_both;
use crate::support::packages::{World, refused};

on_both! {
    // Contract 8, line 8.
    async fn check_08_every_error_has_the_same_form(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let none = world.application_with("acme01.none.1.0.0", &[]).await;
        let none = world.client(&none).await;
        let get = |path: &str| (Method::GET, path.to_owned(), "");
        let create = |body: &'static str| (Method::POST, CREATE.to_owned(), body);
        let cases = [
            (&client, create("{}"), 400, "MISSING_OR_INVALID_PARAMETER"),
            (&client, create("{"), 400, "MISSING_OR_INVALID_PARAMETER"),
            (&client, create(r#"{"appKey":"globex01.x.1.0.0"}"#), 403, "FORBIDDEN"),
            (&none, create("{}"), 403, "FORBIDDEN"),
            (&client, get("/api/unknown"), 404, "ITEM_NOT_FOUND"),
            (&client, get(&format!("{PACKAGES}/acme01.x.1.0.0")), 404, "ITEM_NOT_FOUND"),
            (&client, get(CREATE), 405, "METHOD_NOT_ALLOWED"),
            (&client, create(r#"{"appKey":"acme01.loyalty.1.0.0"}"#), 409, "ITEM_ALREADY_EXISTS"),
        ];
        for (client, (method, path, body), status, code) in cases {
            let answer = client.send(method, &path, body.as_bytes().to_vec()).await;
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            let correlation = answer.header("x-vol-correlation").to_owned();
            let mut body = answer.expect(status);
            assert_eq!(body["errorCode"], code);
            let members: Vec<&String> = body.as_object().unwrap().keys().collect();
            let order = [
                "applicationName", "errorCode", "message", "correlationId", "items",
                "additionalErrorData", "exceptionDetail",
            ];
            assert_eq!(members, order);
            assert!(!body["message"].take().as_str().unwrap().is_empty());
            for data in body["additionalErrorData"].take().as_array().unwrap() {
                assert!(data["name"].is_string() && data["value"].is_string());
            }
            let expected = json!({
                "applicationName": "AppDev", "errorCode": code, "message": null,
                "correlationId": correlation, "items": [], "additionalErrorData": null,
                "exceptionDetail": null,
            });
            assert_eq!(body, expected);
        }
        let answer = app.anonymous().get(PACKAGES).await;
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    }

    async fn refusals_come_in_the_order_of_the_contract(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let none = world.application_with("acme01.none.1.0.0", &[]).await;
        let none = world.client(&none).await;
        let bad = format!("{CREATE}?responseFields=(");
        // The token before the behavior, that before the syntax, that before what is there.
        let answer = app.anonymous().post(&bad, json!([])).await;
        assert_eq!(answer.expect(401)["errorCode"], "INVALID_ACCESS_TOKEN");
        let answer = none.post(&bad, json!([])).await;
        let message = "Forbidden: the access token lacks the behavior 41.";
        let data = [("OperationName", "create_app_package"), ("BehaviorId", "41")];
        refused(answer, 403, "FORBIDDEN", message, &data);
        let why = "must be names separated by commas, as in appKey,items(id,name).";
        malformed(client.post(&bad, json!([])).await, "responseFields", why);
    }

    async fn other_accounts_packages_are_not_found(app: TestApp) {
        let world = World::new(&app).await;
        let theirs = world.application("globex01.secret.1.0.0").await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let none = "globex01.nothing.1.0.0.Release";
        for key in [theirs.key.as_str(), none] {
            let answer = client.get(&format!("{PACKAGES}/{key}?skipDevAccountCheck=true")).await;
            let message = format!("Item not found: package {key}");
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("AppKey", key)]);
        }
    }

    async fn a_broken_database_is_told_without_its_words(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        app.execute("ALTER TABLE application_versions RENAME COLUMN name_key TO gone").await;
        let answer = client.get(&format!("{PACKAGES}/acme01.loyalty.1.0.0")).await;
        let text = answer.text();
        let message = "Something went wrong; the correlation id finds it in the server's log.";
        refused(answer, 500, "UNEXPECTED_ERROR", message, &[]);
        assert!(!text.contains("name_key"), "{text}");
    }

    async fn answers_to_head_have_no_body(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let path = format!("{PACKAGES}/acme01.loyalty.1.0.0");
        let tag = client.get(&path).await.header("etag").to_owned();
        let answer = client.send(Method::HEAD, &path, Vec::new()).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        assert_eq!(answer.header("etag"), tag);
        let body: Value = Value::Null;
        assert_eq!(answer.expect(200), body);
    }
}
