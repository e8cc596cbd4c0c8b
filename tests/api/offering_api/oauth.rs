//! `/token`.
use appmarket::directory::oauth_clients::{self, Credentials};
use appmarket::directory::people;
use appmarket::directory::permission::Scopes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::{Answer, Client};

async fn client(app: &TestApp, scopes: &[&str]) -> Credentials {
    let db = app.state.store.begin().await.unwrap();
    let person = people::find(&db, "acme", None).await.unwrap();
    let scopes = Scopes::parse(scopes.iter().copied()).unwrap();
    let now = app.state.clock.now();
    let made =
        oauth_clients::create(&db, &app.state.site.key, "acme", person.id, &scopes, now).await;
    db.commit().await.unwrap();
    made.unwrap()
}

async fn post(client: Client, body: &str) -> Answer {
    client.send(Method::POST, "/token", body.as_bytes().to_vec()).await
}

fn form(credentials: &Credentials, more: &str) -> String {
    let Credentials { client_id, client_secret, .. } = credentials;
    format!(
        "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}{more}"
    )
}

fn basic(app: &TestApp, id: &str, secret: &str) -> Client {
    let encoded = STANDARD.encode(format!("{id}:{secret}"));
    app.anonymous().with("authorization", &format!("Basic {encoded}"))
}

#[track_caller]
fn refused(answer: Answer, status: u16, error: &str, description: &str) {
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("x-ratelimit-limit"), "3600");
    assert_eq!(answer.expect(status), json!({"error": error, "error_description": description}));
}

const NO_CLIENT: &str = "There is no client of this id and secret";

async fn token_count(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM tokens WHERE oauth_client_id IS NOT NULL").await
}

/// Demands a token and shows that it works.
async fn use_token(app: &TestApp, answer: Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let body = answer.expect(200);
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 3600);
    let token = body["access_token"].as_str().unwrap();
    app.bearer(token).get("/v1/app_offerings").await.expect(200);
    body
}

on_both! {
    async fn a_client_gets_a_token_by_form_by_json_and_by_http_basic(app: TestApp) {
        let known = client(&app, &[]).await;
        assert_eq!((known.client_id.len(), known.client_secret.len()), (48, 64));
        let form = form(&known, "");
        let json = json!({"grant_type": "client_credentials", "client_id": known.client_id,
            "client_secret": known.client_secret})
        .to_string();
        let answers = [
            post(app.anonymous().with("content-type", "application/x-www-form-urlencoded"), &form)
                .await,
            post(
                app.anonymous()
                    .with("content-type", "application/json")
                    .with("x-4me-account", "acme"),
                &json,
            )
            .await,
            // What a body is shows in the body.
            post(app.anonymous().with("content-type", "application/x-www-form-urlencoded"), &json)
                .await,
            post(app.anonymous().with("content-type", "application/json"), &form).await,
            post(app.anonymous(), &format!("\n {json}\n")).await,
            post(app.anonymous(), &form).await,
            post(
                basic(&app, &known.client_id, &known.client_secret),
                "grant_type=client_credentials",
            )
            .await,
            post(
                basic(&app, &known.client_id, &known.client_secret),
                r#"{"grant_type":"client_credentials"}"#,
            )
            .await,
            post(
                basic(&app, &known.client_id, &known.client_secret),
                &format!(
                    "grant_type=client_credentials&client_id={}&client_secret=",
                    known.client_id
                ),
            )
            .await,
            // A bearer token says nothing about a client, not even a stale one.
            post(app.bearer("amt_stale"), &form).await,
            post(app.anonymous(), &format!("{form}&scope=&resource=x&scope2=y")).await,
        ];
        let count = answers.len();
        let mut seen = std::collections::BTreeSet::new();
        for answer in answers {
            let body = use_token(&app, answer).await;
            assert_eq!(
                body.as_object().unwrap().keys().collect::<Vec<_>>(),
                ["access_token", "token_type", "expires_in"]
            );
            seen.insert(body["access_token"].as_str().unwrap().to_owned());
        }
        assert_eq!(seen.len(), count);
        assert_eq!(token_count(&app).await, i64::try_from(count).unwrap());
        // Only a hash is kept.
        for token in &seen {
            assert_eq!(
                app.count(&format!("SELECT COUNT(*) FROM tokens WHERE hash LIKE '%{token}%'"))
                    .await,
                0
            );
        }
    }

    async fn credentials_of_http_basic_are_encoded_like_a_form(app: TestApp) {
        let known = client(&app, &[]).await;
        let encode =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let client = basic(&app, &encode(&known.client_id), &encode(&known.client_secret));
        use_token(&app, post(client, "grant_type=client_credentials").await).await;
    }

    async fn the_endpoint_may_end_with_a_slash(app: TestApp) {
        let known = client(&app, &[]).await;
        let body = form(&known, "").into_bytes();
        let answer = app.anonymous().send(Method::POST, "/token/", body).await;
        use_token(&app, answer).await;
    }

    async fn a_token_expires_when_it_said_it_would(app: TestApp) {
        let known = client(&app, &[]).await;
        let token = post(app.anonymous(), &form(&known, "")).await.expect(200);
        let token = token["access_token"].as_str().unwrap();
        app.advance_seconds(3599);
        app.bearer(token).get("/v1/me").await.expect(200);
        app.advance_seconds(1);
        assert_eq!(
            app.bearer(token).get("/v1/me").await.expect(401),
            json!({"message": "Unauthorized"})
        );
    }

    async fn expired_tokens_are_forgotten_when_the_next_is_made(app: TestApp) {
        let known = client(&app, &[]).await;
        post(app.anonymous(), &form(&known, "")).await.expect(200);
        app.advance_seconds(1800);
        post(app.anonymous(), &form(&known, "")).await.expect(200);
        assert_eq!(token_count(&app).await, 2);
        app.advance_seconds(1801);
        post(app.anonymous(), &form(&known, "")).await.expect(200);
        assert_eq!(token_count(&app).await, 2);
        // Personal tokens stay.
        app.acme().get("/v1/me").await.expect(200);
    }

    async fn a_client_may_ask_for_less_than_it_may_have(app: TestApp) {
        let known = client(&app, &["app-offering:All", "ui-extension:Read"]).await;
        let answer = post(app.anonymous(), &form(&known, "&scope=app-offering:Read")).await;
        let body = use_token(&app, answer).await;
        assert_eq!(body["scope"], "app-offering:Read");
        let narrow = app.bearer(body["access_token"].as_str().unwrap());
        narrow.post("/v1/app_offerings", json!({})).await.expect(403);
        narrow.get("/v1/me").await.expect(403);
        let answer =
            post(app.anonymous(), &form(&known, "&scope=app-offering:Read+ui-extension:Read"))
                .await;
        assert_eq!(use_token(&app, answer).await["scope"], "app-offering:Read ui-extension:Read");
        // Denials take away from what it has, and give nothing.
        let answer = post(app.anonymous(), &form(&known, "&scope=!ui-extension:Read")).await;
        let body = use_token(&app, answer).await;
        assert_eq!(body["scope"], "app-offering:All ui-extension:Read !ui-extension:Read");
        app.bearer(body["access_token"].as_str().unwrap()).get("/v1/me").await.expect(403);
        for scope in
            ["me:Read", "*", "*:Read", "app-offering:Read+me:Read", "app-offering-scope:Read"]
        {
            let answer = post(app.anonymous(), &form(&known, &format!("&scope={scope}"))).await;
            refused(answer, 400, "invalid_scope", "The client may not have this scope");
        }
        for scope in [
            "app-offering",
            "app-offering:read",
            "openid",
            "%22",
            "app-offering:Read,me:Read",
            "a%00b",
        ] {
            let answer = post(app.anonymous(), &form(&known, &format!("&scope={scope}"))).await;
            refused(
                answer,
                400,
                "invalid_scope",
                "A scope is a permission such as app-offering:Read; several are separated by blanks",
            );
        }
        assert_eq!(token_count(&app).await, 3);
    }

    async fn wrong_credentials_are_refused_without_saying_what_is_wrong(app: TestApp) {
        let known = client(&app, &[]).await;
        let other = client(&app, &[]).await;
        let (id, secret) = (&*known.client_id, &*known.client_secret);
        let wrong = [
            (id, &*other.client_secret),
            (id, &secret[1..]),
            (id, ""),
            ("", secret),
            ("", ""),
            ("unknown", secret),
            (&id[1..], secret),
            (secret, id),
            ("%00", secret),
            (id, "%00"),
            ("a%00b", "%FF"),
            (id, "%F0%9F%9A%80"),
        ];
        for (id, secret) in wrong {
            let body =
                format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
            let answer = post(app.anonymous(), &body).await;
            assert!(!answer.headers.contains_key("www-authenticate"));
            refused(answer, 401, "invalid_client", NO_CLIENT);
            let answer = post(basic(&app, id, secret), "grant_type=client_credentials").await;
            assert_eq!(
                answer.header("www-authenticate"),
                "Basic realm=\"appmarket\", charset=\"UTF-8\""
            );
            refused(answer, 401, "invalid_client", NO_CLIENT);
        }
        for header in ["Basic", "Basic !", "basic YQ==", "Basic /////w=="] {
            let answer = post(
                app.anonymous().with("authorization", header),
                "grant_type=client_credentials",
            )
            .await;
            assert!(answer.header("www-authenticate").starts_with("Basic "));
            refused(answer, 401, "invalid_client", NO_CLIENT);
        }
        refused(
            post(app.anonymous(), "grant_type=client_credentials").await,
            401,
            "invalid_client",
            NO_CLIENT,
        );
        assert_eq!(token_count(&app).await, 0);
    }

    async fn a_client_that_is_disabled_or_whose_person_is_gets_no_token(app: TestApp) {
        let known = client(&app, &[]).await;
        app.execute("UPDATE people SET disabled = TRUE").await;
        refused(post(app.anonymous(), &form(&known, "")).await, 401, "invalid_client", NO_CLIENT);
        app.execute("UPDATE people SET disabled = FALSE").await;
        let token = post(app.anonymous(), &form(&known, "")).await.expect(200);
        app.execute("UPDATE oauth_clients SET disabled = TRUE").await;
        refused(post(app.anonymous(), &form(&known, "")).await, 401, "invalid_client", NO_CLIENT);
        // And those it has are worth nothing.
        app.bearer(token["access_token"].as_str().unwrap()).get("/v1/me").await.expect(401);
    }

    async fn what_cannot_be_read_is_an_invalid_request(app: TestApp) {
        let known = client(&app, &[]).await;
        const MISSING: &str = "The parameter grant_type is missing";
        const UNREADABLE: &str = "The body is neither a form nor a JSON object";
        for (body, description) in [
            ("", MISSING),
            ("{}", MISSING),
            ("null", MISSING),
            ("[]", MISSING),
            ("grant_type=", MISSING),
            (r#"{"grant_type":null}"#, MISSING),
            (r#"{"grant_type":""}"#, MISSING),
            ("--x\r\nform-data", MISSING),
            ("{", UNREADABLE),
            ("{\"grant_type\":", UNREADABLE),
            ("{grant_type=client_credentials}", UNREADABLE),
            (r#"{"grant_type":["client_credentials"]}"#, "Every parameter must be a text"),
            (
                r#"{"grant_type":"client_credentials","client_id":5}"#,
                "Every parameter must be a text",
            ),
            (
                "grant_type=client_credentials&grant_type=client_credentials",
                "A parameter is sent more than once",
            ),
        ] {
            refused(post(app.anonymous(), body).await, 400, "invalid_request", description);
        }
        let answer = app
            .anonymous()
            .send(Method::POST, "/token", b"{\"grant_type\":\"\xff\"}".to_vec())
            .await;
        refused(answer, 400, "invalid_request", UNREADABLE);
        const TWICE: &str = "Credentials may be sent in one way only";
        let both =
            post(basic(&app, &known.client_id, &known.client_secret), &form(&known, "")).await;
        refused(both, 400, "invalid_request", TWICE);
        let another = "grant_type=client_credentials&client_id=another";
        refused(
            post(basic(&app, &known.client_id, &known.client_secret), another).await,
            400,
            "invalid_request",
            TWICE,
        );
        for grant in [
            "password",
            "authorization_code",
            "refresh_token",
            "Client_Credentials",
            "client_credentials+",
        ] {
            let body = form(&known, "").replace("client_credentials", grant);
            refused(
                post(app.anonymous(), &body).await,
                400,
                "unsupported_grant_type",
                "Only the grant_type client_credentials is supported",
            );
        }
        assert_eq!(token_count(&app).await, 0);
    }

    async fn other_refusals_are_those_of_every_operation(app: TestApp) {
        let huge = "x".repeat(2 * 1024 * 1024);
        assert_eq!(
            post(app.anonymous(), &huge).await.expect(413),
            json!({"message": "Payload Too Large: the limit is 1048576 bytes"})
        );
        let picky = app.anonymous().with("accept", "text/html");
        assert_eq!(post(picky, "").await.expect(406), json!({"message": "Not Acceptable"}));
        let answer = app.anonymous().get("/token").await;
        assert_eq!(answer.header("allow"), "POST");
        assert_eq!(answer.expect(405), json!({"message": "Method Not Allowed"}));
    }
}

#[tokio::test]
async fn attempts_are_counted_by_address() {
    let app = TestApp::sqlite_with(|config| config.rate_limit_burst = 3).await;
    let known = client(&app, &[]).await;
    for _ in 0..3 {
        post(basic(&app, &known.client_id, "wrong"), "grant_type=client_credentials")
            .await
            .expect(401);
    }
    let answer = post(app.anonymous(), &form(&known, "")).await;
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(
        answer.expect(429),
        json!({"message": "Too Many Requests", "documentation_url": "https://api.example.test/docs"})
    );
    app.advance_seconds(2);
    post(app.anonymous(), &form(&known, "")).await.expect(200);
}

#[tokio::test]
async fn the_operator_decides_how_long_tokens_live() {
    let app = TestApp::sqlite_with(|config| config.token_lifetime = 600).await;
    let known = client(&app, &[]).await;
    assert_eq!(post(app.anonymous(), &form(&known, "")).await.expect(200)["expires_in"], 600);
}
