//! `Idempotency-Key`: a POST that is repeated changes nothing twice.
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{CREATE, malformed};
use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{World, refused};

fn with_key(client: &Client) -> Client {
    client.clone().with("idempotency-key", "order-1")
}

fn points() -> Value {
    json!({"appKey": "acme01.points.1.0.0"})
}

on_both! {
    async fn a_repetition_gets_the_first_answer_again(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let first = with_key(&client).post(CREATE, points()).await;
        assert!(!first.headers.contains_key("idempotency-replayed"));
        app.advance_seconds(1800);
        let again = with_key(&client).post("/platform/AppDev/apppackages/CREATE/", points()).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        for name in ["etag", "content-type"] {
            assert_eq!(again.header(name), first.header(name));
        }
        let first = first.expect(200);
        assert_eq!(again.expect(200), first);
        // What is to be shown of it may differ.
        let path = format!("{CREATE}?responseFields=sharedSecret");
        let part = with_key(&client).post(&path, points()).await.expect(200);
        assert_eq!(part, json!({"sharedSecret": first["sharedSecret"]}));
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 2);
        // Without the key it is a second create.
        client.post(CREATE, points()).await.expect(409);
    }

    async fn kept_answers_are_sealed(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let made = with_key(&client).post(CREATE, points()).await.expect(200);
        let secret = made["sharedSecret"].as_str().unwrap();
        assert_eq!(app.count("SELECT COUNT(*) FROM idempotency_keys").await, 1);
        for text in [secret, "acme01"] {
            let sql = format!("SELECT COUNT(*) FROM idempotency_keys WHERE body LIKE '%{text}%'");
            assert_eq!(app.count(&sql).await, 0);
        }
    }

    async fn a_key_is_good_for_one_request(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        with_key(&client).post(CREATE, points()).await.expect(200);
        let why = "The Idempotency-Key was used before with another request";
        let message = format!("Validation Error: {why}");
        let other = json!({"appKey": "acme01.other.1.0.0"});
        for (path, body) in [(CREATE.to_owned(), other), (format!("{CREATE}?projectId=7"), points())] {
            let answer = with_key(&client).post(&path, body).await;
            refused(answer, 422, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", why)]);
        }
        // Of another account it is another key.
        let theirs = world.client(&world.application("globex01.app.1.0.0").await).await;
        let body = json!({"appKey": "globex01.points.1.0.0"});
        with_key(&theirs).post(CREATE, body).await.expect(200);
    }

    async fn of_parallel_repetitions_one_makes_it(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let client = with_key(&client);
        let answers = join_all((0..4).map(|_| client.post(CREATE, points()))).await;
        let why = "A request with this Idempotency-Key is still running; try again soon";
        let message = format!("Validation Error: {why}");
        let mut made = 0;
        for answer in answers {
            if answer.status == 200 {
                made += 1;
                answer.expect(200);
            } else {
                refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", why)]);
            }
        }
        assert!(made >= 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 2);
    }

    async fn keys_that_are_none_are_refused(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let why = "must have 1 to 255 visible ASCII characters.";
        for key in ["", "é", &"k".repeat(256)] {
            let answer = client.clone().with("idempotency-key", key).post(CREATE, points()).await;
            malformed(answer, "Idempotency-Key", why);
        }
    }
}
