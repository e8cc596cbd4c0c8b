//! `Idempotency-Key`: a POST that is repeated changes nothing twice.
use appmarket::kernel::db::Dialect;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{PATH, refused};
use crate::offering_api::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::client::Client;
use crate::support::{TestApp, unprocessable};

fn with_key(client: Client) -> Client {
    client.with("idempotency-key", "order-1")
}

async fn offerings(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM app_offerings").await
}

on_both! {
    async fn a_repetition_gets_the_first_answer_again(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let body = offering("Echo", instance);
        let first = with_key(app.acme()).post(PATH, body.clone()).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        app.acme().patch("/v1/app_offerings/1", json!({"name": "Changed since"})).await.expect(200);
        app.advance_seconds(24 * 3600 - 1);
        let again = with_key(app.acme()).post(PATH, body).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        for name in ["location", "etag", "content-type"] {
            assert_eq!(again.header(name), first.header(name));
        }
        assert_eq!(again.expect(201), first.expect(201));
        assert_eq!(offerings(&app).await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
    }

    async fn a_key_is_good_for_one_body(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        with_key(app.acme()).post(PATH, offering("Echo", instance)).await.expect(201);
        let answer = with_key(app.acme()).post(PATH, offering("Other", instance)).await;
        let told = "The Idempotency-Key was used before with another request";
        assert_eq!(answer.expect(422), unprocessable(told));
        assert_eq!(offerings(&app).await, 1);
    }

    async fn a_key_is_good_for_one_account_and_path(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let theirs = service_instance(&app, "globex").await;
        with_key(app.acme()).post(PATH, offering("Echo", instance)).await.expect(201);
        with_key(app.globex()).post(PATH, offering("Echo", theirs)).await.expect(201);
        let published = with_key(app.acme()).post("/v1/app_offerings/1/publish", json!({})).await;
        assert_eq!(published.expect(201)["published"], true);
        assert_eq!(offerings(&app).await, 3);
    }

    async fn a_refused_request_may_be_mended_and_sent_with_its_key(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        with_key(app.acme()).post(PATH, offering("", instance)).await.expect(422);
        with_key(app.acme()).post(PATH, offering("", instance)).await.expect(422);
        assert_eq!(app.count("SELECT COUNT(*) FROM idempotency_keys").await, 0);
        with_key(app.acme()).post(PATH, offering("Echo", instance)).await.expect(201);
        assert_eq!(offerings(&app).await, 1);
    }

    async fn a_key_is_forgotten_after_a_day(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        with_key(app.acme()).post(PATH, offering("Echo", instance)).await.expect(201);
        app.advance_seconds(24 * 3600);
        let answer = with_key(app.acme()).post(PATH, offering("Other", instance)).await;
        assert!(!answer.headers.contains_key("idempotency-replayed"));
        assert_eq!(answer.expect(201)["name"], "Other");
        assert_eq!(offerings(&app).await, 2);
    }

    async fn of_requests_at_the_same_time_one_is_carried_out(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let answers = join_all((0..8).map(|_| {
            let (client, body) = (with_key(app.acme()), offering("Echo", instance));
            async move { client.post(PATH, body).await }
        }))
        .await;
        let mut made = 0;
        for answer in answers {
            if answer.status == 201 {
                made += 1;
                assert_eq!(answer.expect(201)["id"], 1);
            } else {
                refused(
                    answer,
                    409,
                    "A request with this Idempotency-Key is still running; try again soon",
                );
            }
        }
        assert!(made >= 1);
        assert_eq!(offerings(&app).await, 1);
    }

    async fn while_a_request_is_running_its_repetition_is_put_off(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        // Holds up every change until it ends.
        let holding = app.state.store.begin().await.unwrap();
        if app.state.store.dialect() == Dialect::Postgres {
            holding.execute_unprepared("LOCK TABLE app_offerings IN EXCLUSIVE MODE").await.unwrap();
        }
        let send = || {
            let (client, body) = (with_key(app.acme()), offering("Echo", instance));
            async move { client.post(PATH, body).await }
        };
        let mut answers = FuturesUnordered::from_iter([send(), send()]);
        let first = answers.next().await.unwrap();
        refused(first, 409, "A request with this Idempotency-Key is still running; try again soon");
        holding.rollback().await.unwrap();
        answers.next().await.unwrap().expect(201);
        let again = send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        again.expect(201);
    }

    async fn a_key_that_is_none_is_refused(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        for key in ["", " ", &"x".repeat(256), "schlüssel"] {
            let answer = app
                .acme()
                .with("idempotency-key", key)
                .post(PATH, offering("Echo", instance))
                .await;
            refused(answer, 400, "The Idempotency-Key must have 1 to 255 visible ASCII characters");
        }
        assert_eq!(offerings(&app).await, 0);
        let longest = "x".repeat(255);
        app.acme()
            .with("idempotency-key", &longest)
            .post(PATH, offering("Echo", instance))
            .await
            .expect(201);
    }
}
