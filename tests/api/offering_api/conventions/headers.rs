//! Headers and paths (contract 1.1, 1.4, 1.16).
use http::Method;
use serde_json::json;

use super::{PATH, refused};
use crate::offering_api::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::Answer;
use crate::support::contract::documents;

/// The headers that every answer has.
#[track_caller]
fn check_common_headers(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    assert_eq!(answer.header("access-control-allow-origin"), "https://api.example.test");
    let id = answer.header("x-request-id");
    assert!(id.len() == 36 && id.split('-').count() == 5, "{id}");
    assert!(answer.header("x-runtime").parse::<f64>().is_ok_and(|millis| millis >= 0.0));
}

#[track_caller]
fn check_limit_headers(answer: &Answer) {
    assert_eq!(answer.header("x-ratelimit-limit"), "3600");
    assert!(answer.header("x-ratelimit-remaining").parse::<i64>().is_ok());
    // 10:00 in Amsterdam, when the hour of the frozen clock ends.
    assert_eq!(answer.header("x-ratelimit-reset"), "1769936400");
}

on_both! {
    async fn successes_and_refusals_have_the_same_headers(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let created = app.acme().post(PATH, offering("Echo", instance)).await;
        assert_eq!(created.status, 201);
        for answer in [
            created,
            app.acme().get(PATH).await,
            app.acme().get(&format!("{PATH}/1")).await,
            app.acme().get("/v1/app_offerings?colour=red").await,
            app.acme().get(&format!("{PATH}/999")).await,
            app.acme().post(PATH, json!({})).await,
            app.acme().with("accept", "text/html").get(PATH).await,
            app.acme().with("if-match", "\"x\"").patch(&format!("{PATH}/1"), json!({})).await,
        ] {
            check_common_headers(&answer);
            check_limit_headers(&answer);
        }
        let ids: Vec<String> = [app.acme().get(PATH).await, app.acme().get(PATH).await]
            .iter()
            .map(|answer| answer.header("x-request-id").to_owned())
            .collect();
        assert_ne!(ids[0], ids[1]);
    }

    async fn refusals_without_a_caller_have_the_common_headers(app: TestApp) {
        for answer in [
            app.anonymous().get(PATH).await,
            app.acme().get("/v1/nothing").await,
            app.acme().delete(PATH).await,
        ] {
            check_common_headers(&answer);
        }
    }

    async fn a_known_tag_is_answered_with_304_and_nothing_else(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        for path in
            [PATH.to_owned(), format!("{PATH}/1"), "/v1/app_offerings?fields=name".to_owned()]
        {
            let first = app.acme().get(&path).await;
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with("W/\"") && tag.len() == 36, "{tag}");
            first.expect(200);
            let opaque = tag.trim_start_matches("W/").to_owned();
            for known in [tag.clone(), opaque, format!("\"x\", {tag}"), "*".to_owned()] {
                let again = app.acme().with("if-none-match", &known).get(&path).await;
                assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0), "{known}");
                assert_eq!(again.header("etag"), tag);
                check_limit_headers(&again);
            }
            app.acme().with("if-none-match", "W/\"x\"").get(&path).await.expect(200);
        }
        // What changed has another tag.
        let tag = app.acme().get(&format!("{PATH}/1")).await.header("etag").to_owned();
        app.acme().patch(&format!("{PATH}/1"), json!({"name": "Echo 2"})).await.expect(200);
        app.acme().with("if-none-match", &tag).get(&format!("{PATH}/1")).await.expect(200);
    }

    async fn answers_are_compressed_for_those_who_take_it(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        let plain = app.acme().get(PATH).await;
        assert!(!plain.headers.contains_key("content-encoding"));
        let client = app.acme().with("accept-encoding", "br;q=1, gzip;q=0.5");
        let packed = client.get(PATH).await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.header("vary").to_lowercase().contains("accept-encoding"));
        assert_eq!(packed.header("etag"), plain.header("etag"));
        assert_eq!(packed.bytes, plain.bytes);
    }

    async fn a_page_that_is_known_still_tells_that_the_list_has_grown(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("A", instance)).await.expect(201);
        let path = "/v1/app_offerings?per_page=1";
        let tag = app.acme().get(path).await.header("etag").to_owned();
        app.acme().post(PATH, offering("B", instance)).await.expect(201);
        let again = app.acme().with("if-none-match", &tag).get(path).await;
        assert_eq!(again.status, 304);
        assert_eq!(again.header("x-pagination-total-entries"), "2");
        assert!(again.header("link").ends_with("rel=\"next\""));
    }

    async fn a_change_that_was_meant_for_another_state_is_refused(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let path = format!("{PATH}/1");
        let created = app.acme().post(PATH, offering("Echo", instance)).await;
        let first = created.header("etag").to_owned();
        assert_eq!(app.acme().get(&path).await.header("etag"), first);
        let changed =
            app.acme().with("if-match", &first).patch(&path, json!({"name": "Two"})).await;
        let second = changed.header("etag").to_owned();
        assert_eq!(changed.expect(200)["name"], "Two");
        for stale in [&*first, "\"other\"", "nonsense"] {
            for method in [Method::PATCH, Method::PUT] {
                let body = br#"{"name":"Three"}"#.to_vec();
                let answer = app.acme().with("if-match", stale).send(method, &path, body).await;
                refused(answer, 412, "Precondition Failed");
            }
        }
        assert_eq!(app.acme().get(&path).await.header("etag"), second);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
        app.acme().with("if-match", "*").put(&path, json!({"name": "Three"})).await.expect(200);
    }

    async fn what_cannot_be_produced_is_not_acceptable(app: TestApp) {
        for accept in
            ["text/html", "application/xml, text/plain", "application/json;q=0", "image/*", "json"]
        {
            refused(app.acme().with("accept", accept).get(PATH).await, 406, "Not Acceptable");
        }
        for accept in [
            "application/json",
            "*/*",
            "application/*",
            "APPLICATION/JSON",
            "",
            "text/html, */*;q=0.1",
            "application/json; charset=utf-8",
            "text/xml,application/json;q=0.5",
        ] {
            app.acme().with("accept", accept).get(PATH).await.expect(200);
        }
        let instance = service_instance(&app, "acme").await;
        let answer =
            app.acme().with("accept", "text/html").post(PATH, offering("A", instance)).await;
        refused(answer, 406, "Not Acceptable");
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
    }

    async fn another_method_is_refused_with_those_there_are(app: TestApp) {
        let answer = app.acme().delete(&format!("{PATH}/1")).await;
        let mut allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed, ["GET", "HEAD", "PATCH", "PUT"]);
        refused(answer, 405, "Method Not Allowed");
        refused(app.acme().delete("/v1/me").await, 405, "Method Not Allowed");
    }

    async fn an_unknown_path_is_not_found(app: TestApp) {
        for path in [
            "/",
            "/v2",
            "/v1/nothing",
            "/v1/app_offerings/1/nothing",
            "/v1//app_offerings",
            "/token/x",
        ] {
            refused(app.acme().get(path).await, 404, "Not Found");
        }
    }

    async fn refusals_from_outside_the_family_say_what_they_are(app: TestApp) {
        for path in ["/docs/nothing", "/reference/nothing", "/openapi"] {
            refused(app.anonymous().get(path).await, 404, "Not Found");
        }
        for path in ["/healthz", "/readyz", "/version", "/docs/", "/reference/", "/openapi/app-offerings.json", "/openapi/events.json"] {
            refused(app.anonymous().post(path, json!({})).await, 405, "Method Not Allowed");
        }
    }

    async fn head_answers_as_get_does_without_a_body(app: TestApp) {
        let tag = app.acme().get(PATH).await.header("etag").to_owned();
        let answer = app.acme().send(Method::HEAD, PATH, Vec::new()).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        assert_eq!(answer.header("etag"), tag);
    }

    async fn every_path_may_end_with_a_slash_or_json(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post("/v1/app_offerings/", offering("A", instance)).await.expect(201);
        app.acme().post("/v1/app_offerings.json", offering("B", instance)).await.expect(201);
        app.acme().patch("/v1/app_offerings/1.json", json!({"name": "C"})).await.expect(200);
        app.acme().patch("/v1/app_offerings/1/", json!({"name": "D"})).await.expect(200);
        let readable = documents()[0].value["paths"]
            .as_object()
            .unwrap()
            .iter()
            // Pages of accounts have one address each.
            .filter(|(path, item)| path.starts_with("/v1") && item.get("get").is_some());
        let mut seen = 0;
        for (path, _) in readable {
            let path = path
                .split('/')
                .map(|part| if part.starts_with('{') { "1" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            // `/v1/rate_limit` may be asked once a second.
            app.advance_seconds(1);
            let plain = app.acme().get(&path).await;
            for form in [
                format!("{path}/"),
                format!("{path}.json"),
                format!("{path}/?x_ignored="),
                format!("{path}.json/"),
            ] {
                let form = form
                    .strip_suffix("?x_ignored=")
                    .map_or(form.clone(), |path| format!("{path}?"));
                app.advance_seconds(1);
                let answer = app.acme().get(&form).await;
                assert_eq!(answer.status, plain.status, "{form}: {}", answer.text());
                assert!(!answer.status.is_redirection(), "{form}");
            }
            seen += 1;
        }
        assert!(seen >= 10, "{seen}");
    }
}
