//! Who calls, and for which account (contract 1.2, 1.3).
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{PATH, refused};
use crate::offering_api::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;
use crate::support::app::START;
use crate::support::client::Client;

fn authorized(app: &TestApp, authorization: &str) -> Client {
    app.anonymous().with("authorization", authorization)
}

on_both! {
    async fn either_account_header_may_name_the_account_of_the_token(app: TestApp) {
        for names in [
            &["x-4me-account"][..],
            &["X-Xurrent-Account"],
            &["x-4me-account", "x-xurrent-account"],
        ] {
            let client = names.iter().fold(app.acme(), |client, name| client.with(name, "acme"));
            assert_eq!(client.get(PATH).await.expect(200), json!([]), "{names:?}");
        }
    }

    async fn an_account_header_that_names_another_account_is_refused(app: TestApp) {
        const MESSAGE: &str = "Invalid x-xurrent-account header";
        // One that exists, one that does not, one that trusts the caller: the answer is the same.
        for other in ["initech", "umbrella", "globex", "ACME", "", "acme "] {
            for name in ["x-4me-account", "x-xurrent-account"] {
                if other == "acme " {
                    // Blanks around a header's value are no part of it.
                    continue;
                }
                refused(app.acme().with(name, other).get(PATH).await, 400, MESSAGE);
            }
        }
        let conflicting =
            app.acme().with("x-4me-account", "acme").with("x-xurrent-account", "globex");
        refused(conflicting.get(PATH).await, 400, MESSAGE);
        let conflicting =
            app.acme().with("x-4me-account", "globex").with("x-xurrent-account", "acme");
        refused(conflicting.get(PATH).await, 400, MESSAGE);
        let twice = app.acme().with("x-4me-account", "acme").with("x-4me-account", "globex");
        refused(twice.get(PATH).await, 400, MESSAGE);
    }

    async fn a_refused_account_header_writes_nothing(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let client = app.acme().with("x-4me-account", "globex");
        let answer = client.post(PATH, offering("Echo", instance)).await;
        assert_eq!(answer.header("x-ratelimit-remaining"), "3599");
        refused(answer, 400, "Invalid x-xurrent-account header");
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
    }

    async fn the_scheme_bearer_is_understood_in_any_case(app: TestApp) {
        let token = app.token("acme", None, &[], None).await;
        for scheme in ["Bearer", "bearer", "BEARER"] {
            authorized(&app, &format!("{scheme} {token}")).get(PATH).await.expect(200);
        }
    }

    async fn older_clients_send_their_token_as_the_user_of_http_basic(app: TestApp) {
        let token = app.token("acme", None, &[], None).await;
        for plain in [format!("{token}:x"), format!("{token}:"), token.clone()] {
            let authorization = format!("Basic {}", STANDARD.encode(plain));
            authorized(&app, &authorization).get(PATH).await.expect(200);
        }
    }

    async fn without_a_valid_token_nothing_is_told_but_that(app: TestApp) {
        let token = app.token("acme", None, &[], None).await;
        let wrong = STANDARD.encode(format!("x:{token}"));
        let strangers = [
            app.anonymous(),
            authorized(&app, ""),
            authorized(&app, "Bearer"),
            authorized(&app, "Bearer "),
            authorized(&app, "Bearer amt_0000000000000000000000000000000000000000"),
            authorized(&app, &format!("Bearer {token}x")),
            authorized(&app, &format!("Bearer {}", &token[1..])),
            authorized(&app, &format!("Digest {token}")),
            authorized(&app, &token),
            authorized(&app, "Basic !!!"),
            authorized(&app, &format!("Basic {wrong}")),
        ];
        for stranger in strangers {
            let answer = stranger.get(PATH).await;
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "etag"]
            {
                assert!(!answer.headers.contains_key(name), "{name}");
            }
            refused(answer, 401, "Unauthorized");
        }
    }

    async fn a_token_is_refused_from_the_moment_it_expires(app: TestApp) {
        let token = app.token("acme", None, &[], Some(START + 60_000)).await;
        app.bearer(&token).get(PATH).await.expect(200);
        app.advance_seconds(59);
        app.bearer(&token).get(PATH).await.expect(200);
        app.advance_seconds(1);
        refused(app.bearer(&token).get(PATH).await, 401, "Unauthorized");
        // Also when it was never seen before.
        let token = app.token("acme", None, &[], Some(START)).await;
        refused(app.bearer(&token).get(PATH).await, 401, "Unauthorized");
    }

    async fn a_token_without_the_permission_is_refused(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let token = app.token("acme", None, &["app-offering:Read"], None).await;
        app.bearer(&token).get(PATH).await.expect(200);
        refused(app.bearer(&token).post(PATH, offering("Echo", instance)).await, 403, "Forbidden");
        let token = app.token("acme", None, &["*", "!app-offering:Read"], None).await;
        refused(app.bearer(&token).get(PATH).await, 403, "Forbidden");
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
    }

    async fn a_person_without_the_role_may_read_but_not_change(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let token = app.plain_person("acme").await;
        app.bearer(&token).get(PATH).await.expect(200);
        refused(app.bearer(&token).post(PATH, offering("Echo", instance)).await, 403, "Forbidden");
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
    }

    async fn tokens_of_a_disabled_person_are_refused_within_five_seconds(app: TestApp) {
        let token = app.token("acme", None, &[], None).await;
        app.bearer(&token).get(PATH).await.expect(200);
        app.execute("UPDATE people SET disabled = TRUE WHERE account_id = 'acme'").await;
        app.advance_seconds(5);
        refused(app.bearer(&token).get(PATH).await, 401, "Unauthorized");
    }
}
