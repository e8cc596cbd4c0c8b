//! Tickets of applications (contract 1.3).
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{Application, World, refused};
use crate::support::{Answer, TestApp};

const PATH: &str = "/api/platform/applications/authtickets";
const OAUTH: &str = "/api/platform/applications/authtickets/oauth";
const REFRESH: &str = "/api/platform/applications/authtickets/refresh-ticket";
const KEY: &str = "acme01.loyalty.1.0.0.Release";
/// An operation that needs a token and a behavior.
const PROTECTED: &str = "/api/platform/appdev/apppackages/acme01.loyalty.1.0.0.Release";
const WRONG: &str = "ffffffffffffffffffffffffffffffff";

/// Demands the one refusal that a wrong key and a wrong secret get.
#[track_caller]
fn denied(answer: Answer) {
    denied_as(answer, "key or secret");
}

/// Demands the refusal that names what was sent.
#[track_caller]
fn denied_as(answer: Answer, sent: &str) {
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let message = &format!("Invalid Credentials: {sent} not accepted.");
    let data = [("CredentialsName", "Invalid credentials")];
    refused(answer, 401, "INVALID_CREDENTIALS", message, &data);
}

/// Demands the refusal of an access token.
#[track_caller]
fn expired(answer: Answer) {
    let message = "The access token is missing, not valid or expired.";
    let data = [("OperationName", "get_package"), ("WWW-Authenticate", "Bearer")];
    refused(answer, 401, "INVALID_ACCESS_TOKEN", message, &data);
}

/// Demands a 400 about a parameter.
#[track_caller]
fn malformed(answer: Answer, parameter: &str, why: &str) {
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

async fn loyalty(app: &TestApp) -> Application {
    World::new(app).await.application("acme01.loyalty.1.0.0").await
}

async fn log_in(app: &TestApp, key: &str, secret: &str) -> Answer {
    let body = json!({"applicationId": key, "sharedSecret": secret});
    app.anonymous().post(PATH, body).await
}

async fn ticket(app: &TestApp, application: &Application) -> Value {
    log_in(app, &application.key, &application.secret).await.expect(200)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn form(app: &TestApp) -> Client {
    app.anonymous().with("content-type", "application/x-www-form-urlencoded")
}

/// What a token says.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

on_both! {
    async fn an_application_logs_in(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let answer = log_in(&app, KEY, &loyalty.secret).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.headers.contains_key("etag"));
        let ticket = answer.expect(200);
        let (access, refresh) = (text(&ticket, "accessToken"), text(&ticket, "refreshToken"));
        assert_eq!(ticket, json!({
            "accessToken": access, "accessTokenExpiration": "2026-02-01T09:15:00.000Z",
            "refreshToken": refresh, "refreshTokenExpiration": "2026-02-02T08:15:00.000Z",
        }));
        let members: Vec<&String> = ticket.as_object().unwrap().keys().collect();
        let order =
            ["accessToken", "accessTokenExpiration", "refreshToken", "refreshTokenExpiration"];
        assert_eq!(members, order);
        assert_eq!(refresh.len(), 48);
        assert_eq!(app.bearer(&access).get(PROTECTED).await.expect(200)["appKey"], KEY);
    }

    async fn keys_and_members_are_read_in_every_form(app: TestApp) {
        let loyalty = loyalty(&app).await;
        for key in ["acme01.loyalty.1.0.0", " ACME01.Loyalty.01.0.0.RELEASE "] {
            log_in(&app, key, &loyalty.secret).await.expect(200);
        }
        let body = json!({"ApplicationId": KEY, "SHAREDSECRET": loyalty.secret, "other": 1});
        let path = "/Platform/Applications/AuthTickets/?responseFields=refreshTokenExpiration&x=";
        let answer = app.anonymous().post(path, body).await;
        let expected = json!({"refreshTokenExpiration": "2026-02-02T08:15:00.000Z"});
        assert_eq!(answer.expect(200), expected);
        // Credentials in headers are not looked at.
        let body = json!({"applicationId": KEY, "sharedSecret": loyalty.secret});
        app.bearer("expired").post(PATH, body).await.expect(200);
    }

    async fn a_token_says_whose_it_is(app: TestApp) {
        let world = World::new(&app).await;
        let names = ["Developer Read", "Developer Create"];
        let loyalty = world.application_with("acme01.loyalty.1.0.0", &names).await;
        let mut said = claims(&text(&ticket(&app, &loyalty).await, "accessToken"));
        assert!(said["sid"].take().is_string());
        let app_claims = "https://www.kibocommerce.com/app_claims";
        assert!(said[app_claims]["rnd"].take().is_string());
        let site = app.state.site.public_url.as_str();
        let now = 1_769_933_700;
        assert_eq!(said, json!({
            "unique_name": KEY, "sub": KEY, "sid": null, "iss": site, "aud": site,
            "iat": now, "nbf": now, "exp": now + 3600,
            app_claims: {
                "aid": loyalty.version.to_string(), "akey": KEY,
                // 41 and 42: bits 9 and 10 of the second word.
                "bv": [1, 1536],
                "exp": now + 3600, "rnd": null, "b.appname": "loyalty",
            },
        }));
    }

    async fn every_wrong_credential_gets_the_same_refusal(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let secret = loyalty.secret.as_str();
        for (key, secret) in [
            (KEY, WRONG),
            (KEY, ""),
            (KEY, &secret[..31]),
            (KEY, &secret.to_uppercase().replace(|it: char| it.is_ascii_digit(), "A")),
            ("acme01.loyalty.9.9.9.Release", secret),
            ("acme01.loyalty.1.0.0.Work", secret),
            ("acme01.unknown.1.0.0.Release", secret),
            ("nonsense", secret),
            ("", secret),
        ] {
            denied(log_in(&app, key, secret).await);
            let body = json!({"client_id": key, "client_secret": secret});
            denied(app.anonymous().post(OAUTH, body).await);
            app.advance_seconds(2);
        }
        for body in [json!({}), json!({"applicationId": KEY}), json!({"sharedSecret": secret})] {
            denied(app.anonymous().post(PATH, body).await);
        }
        for body in [json!({}), json!({"client_id": KEY})] {
            denied(app.anonymous().post(OAUTH, body).await);
        }
        let body = json!({"grant_type": "refresh_token"});
        denied_as(app.anonymous().post(OAUTH, body).await, "refresh token");
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 0);
    }

    async fn bodies_that_are_none_are_refused_by_their_name(app: TestApp) {
        let send = async |path: &str, body: &str| {
            app.anonymous().send(Method::POST, path, body.as_bytes().to_vec()).await
        };
        for (path, parameter) in [(PATH, "appAuthInfo"), (OAUTH, "oauthAuthRequest")] {
            let empty = "is the body of this request, which is empty.";
            malformed(send(path, "").await, parameter, empty);
            malformed(send(path, "null").await, parameter, "must be a JSON object.");
            malformed(send(path, "[]").await, parameter, "must be a JSON object.");
            let none = "is the body of this request, which is no JSON.";
            malformed(send(path, "{").await, parameter, none);
        }
        malformed(send(PATH, r#"{"applicationId": 7}"#).await, "applicationId", "must be a text.");
        let answer = send(OAUTH, r#"{"grant_type": "password"}"#).await;
        let why = "must be client_credentials, client, refresh_token, or be left out.";
        malformed(answer, "grant_type", why);
        let answer = app.anonymous().put(REFRESH, json!([])).await;
        malformed(answer, "authTicketRequest", "must be a JSON object.");
        let answer = send(&format!("{PATH}?responseFields=("), "{}").await;
        let why = "must be names separated by commas, as in appKey,items(id,name).";
        malformed(answer, "responseFields", why);
    }

    async fn a_deleted_package_logs_in_no_more(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let ticket = ticket(&app, &loyalty).await;
        let refresh = json!({"refreshToken": ticket["refreshToken"]});
        let access = app.bearer(&text(&ticket, "accessToken"));
        access.get(PROTECTED).await.expect(200);
        app.execute("UPDATE packages SET is_deleted = true").await;
        denied(log_in(&app, KEY, &loyalty.secret).await);
        denied_as(app.anonymous().put(REFRESH, refresh).await, "refresh token");
        app.advance_seconds(5);
        expired(access.get(PROTECTED).await);
    }

    // Contract 8, line 9.
    async fn check_09_oauth_in_all_its_spellings(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let secret = &loyalty.secret;
        let mut refresh = String::new();
        for body in [
            json!({"client_id": KEY, "client_secret": secret, "grant_type": "client_credentials"}),
            json!({"client_id": KEY, "client_secret": secret}),
            json!({"clientId": KEY, "clientSecret": secret, "grantType": "client"}),
            json!({"ClientId": KEY, "ClientSecret": secret, "GrantType": "client_credentials"}),
            json!({"client_id": KEY, "client_secret": secret, "grant_type": null, "refresh_token": ""}),
        ] {
            let issued = app.anonymous().post(OAUTH, body.clone()).await.expect(200);
            refresh = text(&issued, "refresh_token");
            assert_eq!(issued, json!({
                "access_token": issued["access_token"], "token_type": "bearer", "expires_in": 3600,
                "refresh_token": refresh,
            }), "{body}");
            let token = text(&issued, "access_token");
            app.bearer(&token).get(PROTECTED).await.expect(200);
            app.anonymous().with("x-vol-app-claims", &token).get(PROTECTED).await.expect(200);
        }
        for body in [
            json!({"grant_type": "client_credentials", "refresh_token": refresh}),
            json!({"grant_type": "refresh_token", "refresh_token": refresh}),
            json!({"refreshToken": refresh}),
            json!({"refresh_token": refresh, "client_id": KEY, "client_secret": secret}),
        ] {
            let issued = app.anonymous().post(OAUTH, body.clone()).await.expect(200);
            assert_eq!(text(&issued, "refresh_token"), refresh, "{body}");
            app.bearer(&text(&issued, "access_token")).get(PROTECTED).await.expect(200);
        }
        // Credentials beside a refresh token must be right too.
        for body in [
            json!({"refresh_token": refresh, "client_id": KEY, "client_secret": WRONG}),
            json!({"refresh_token": refresh, "client_id": "acme01.other.1.0.0", "client_secret": secret}),
            json!({"refresh_token": "unknown", "client_id": KEY, "client_secret": secret}),
        ] {
            denied_as(app.anonymous().post(OAUTH, body).await, "refresh token, key or secret");
        }
    }

    async fn oauth_takes_forms_and_basic(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let secret = &loyalty.secret;
        let body = format!("grant_type=client_credentials&client_id={KEY}&client_secret={secret}");
        form(&app).send(Method::POST, OAUTH, body.into_bytes()).await.expect(200);
        let basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let grant = || b"grant_type=client_credentials".to_vec();
        let client = form(&app).with("authorization", &basic(KEY, secret));
        client.send(Method::POST, OAUTH, grant()).await.expect(200);
        for wrong in [basic(KEY, WRONG), "Basic !".to_owned()] {
            let client = form(&app).with("authorization", &wrong);
            denied(client.send(Method::POST, OAUTH, grant()).await);
        }
        let answer = form(&app).send(Method::POST, OAUTH, b"client_id=%FF".to_vec()).await;
        malformed(answer, "client_id", "must be UTF-8 text without NUL.");
    }

    async fn a_refresh_token_renews_the_access_token(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let first = ticket(&app, &loyalty).await;
        let refresh = text(&first, "refreshToken");
        app.advance_seconds(3600);
        expired(app.bearer(&text(&first, "accessToken")).get(PROTECTED).await);
        let body = json!({"RefreshToken": refresh});
        let renewed = app.anonymous().put(REFRESH, body.clone()).await.expect(200);
        assert_eq!(renewed, json!({
            "accessToken": renewed["accessToken"],
            "accessTokenExpiration": "2026-02-01T10:15:00.000Z",
            "refreshToken": refresh, "refreshTokenExpiration": "2026-02-02T08:15:00.000Z",
        }));
        app.bearer(&text(&renewed, "accessToken")).get(PROTECTED).await.expect(200);
        app.advance_seconds(23 * 3600 - 1);
        app.anonymous().put(REFRESH, body.clone()).await.expect(200);
        app.advance_seconds(1);
        denied_as(app.anonymous().put(REFRESH, body).await, "refresh token");
        for body in [json!({}), json!({"refreshToken": null}), json!({"refreshToken": "x"})] {
            denied_as(app.anonymous().put(REFRESH, body).await, "refresh token");
        }
    }

    async fn behaviors_are_those_of_the_log_in(app: TestApp) {
        let world = World::new(&app).await;
        let names = ["Developer Read", "Developer Create"];
        let loyalty = world.application_with("acme01.loyalty.1.0.0", &names).await;
        let before = ticket(&app, &loyalty).await;
        app.execute("UPDATE packages SET behaviors = '[]'").await;
        let create = "/api/platform/appdev/apppackages/create";
        let try_it = async |token: &str, key: &str| {
            app.bearer(token).post(create, json!({"appKey": key})).await
        };
        try_it(&text(&before, "accessToken"), "acme01.a.1.0.0").await.expect(200);
        let body = json!({"refreshToken": before["refreshToken"]});
        let renewed = app.anonymous().put(REFRESH, body).await.expect(200);
        let answer = try_it(&text(&renewed, "accessToken"), "acme01.b.1.0.0").await;
        let message = "Forbidden: the access token lacks the behavior 41.";
        let data = [("OperationName", "create_app_package"), ("BehaviorId", "41")];
        refused(answer, 403, "FORBIDDEN", message, &data);
    }

    async fn a_refresh_token_is_revoked_once(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let ticket = ticket(&app, &loyalty).await;
        let refresh = text(&ticket, "refreshToken");
        let path = format!("{PATH}/{refresh}");
        let answer = app.anonymous().delete(&path).await;
        assert!(!answer.headers.contains_key("content-type"));
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        denied_as(app.anonymous().put(REFRESH, json!({"refreshToken": refresh})).await, "refresh token");
        // Access tokens stay valid.
        app.bearer(&text(&ticket, "accessToken")).get(PROTECTED).await.expect(200);
        let told = format!("…{}", &refresh[44..]);
        let message = format!("Item not found: refresh token {told}");
        let answer = app.anonymous().delete(&path).await;
        assert!(!answer.text().contains(&refresh));
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("RefreshToken", &told)]);
        let answer = app.anonymous().delete(&format!("{PATH}/%FF")).await;
        malformed(answer, "refreshToken", "must be UTF-8 text.");
    }

    async fn secrets_and_tokens_are_not_stored_as_they_are(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let ticket = ticket(&app, &loyalty).await;
        for secret in [&loyalty.secret, &text(&ticket, "refreshToken")] {
            for (table, columns) in [
                ("application_versions", "shared_secret || secret_hash"),
                ("refresh_tokens", "hash"),
                ("audit_lines", "changes || record_label"),
            ] {
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE {columns} LIKE '%{secret}%'");
                assert_eq!(app.count(&sql).await, 0, "{table}");
            }
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    }

    async fn repeated_failures_are_slowed_down(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let other = world.application("acme01.other.1.0.0").await;
        for _ in 0..10 {
            denied(log_in(&app, KEY, WRONG).await);
        }
        // Now even the right secret has to wait; other applications have not.
        let answer = log_in(&app, "ACME01.loyalty.1.0.0", &loyalty.secret).await;
        assert_eq!(answer.header("retry-after"), "2");
        let message = "Too many requests; try again in 2 seconds.";
        refused(answer, 429, "EXCEEDED_MAX_RETRIES", message, &[]);
        log_in(&app, &other.key, &other.secret).await.expect(200);
        app.advance_seconds(2);
        // Successes count for nothing.
        for _ in 0..70 {
            log_in(&app, KEY, &loyalty.secret).await.expect(200);
        }
        for _ in 0..5 {
            for _ in 0..10 {
                denied(log_in(&app, KEY, WRONG).await);
            }
            app.advance_seconds(2);
        }
        let answer = log_in(&app, KEY, &loyalty.secret).await;
        // Until the hour is over: it is 9:15:12 now.
        assert_eq!(answer.header("retry-after"), (45 * 60 - 12).to_string());
        assert_eq!(answer.status, 429);
    }

    async fn secrets_beside_refresh_tokens_are_counted_too(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let token = text(&ticket(&app, &loyalty).await, "refreshToken");
        let renew = async |secret: &str| {
            let body = json!({"refresh_token": token, "client_id": KEY, "client_secret": secret});
            app.anonymous().post(OAUTH, body).await
        };
        for _ in 0..10 {
            assert_eq!(renew(WRONG).await.status, 401);
        }
        let message = "Too many requests; try again in 2 seconds.";
        for answer in [renew(&loyalty.secret).await, log_in(&app, KEY, &loyalty.secret).await] {
            refused(answer, 429, "EXCEEDED_MAX_RETRIES", message, &[]);
        }
        // The token alone is no guess.
        app.anonymous().post(OAUTH, json!({"refresh_token": token})).await.expect(200);
        app.advance_seconds(2);
        renew(&loyalty.secret).await.expect(200);
    }

    async fn forged_tokens_are_refused(app: TestApp) {
        let loyalty = loyalty(&app).await;
        let token = text(&ticket(&app, &loyalty).await, "accessToken");
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let kid = serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
            ["kid"].clone();
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = encode(json!({"alg": "none", "kid": kid, "typ": "JWT"}));
        let hmac = encode(json!({"alg": "HS256", "kid": kid, "typ": "JWT"}));
        let foreign = encode(json!({"alg": "ES256", "kid": "another", "typ": "JWT"}));
        let mut said = claims(&token);
        said["exp"] = 4_000_000_000_i64.into();
        let longer = encode(said);
        for forged in [
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            format!("{hmac}.{payload}.{signature}"),
            format!("{foreign}.{payload}.{signature}"),
            format!("{header}.{longer}.{signature}"),
            format!("{header}.{payload}"),
            format!("{token}x"),
            app.token("acme", None, &["*"], None).await,
        ] {
            expired(app.bearer(&forged).get(PROTECTED).await);
            expired(app.anonymous().with("x-vol-app-claims", &forged).get(PROTECTED).await);
        }
        app.bearer(&token).get(PROTECTED).await.expect(200);
        // And the other way round.
        app.bearer(&token).get("/v1/app_offerings").await.expect(401);
    }
}
