//! `/platform/developer/authtickets`.
use appmarket::directory::developers::{self, NewDeveloper};
use http::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{World, operated, refused};
use crate::support::{Answer, TestApp};

const PATH: &str = "/api/platform/developer/authtickets";
const EMAIL: &str = "Ann@acme.example";
const PASSWORD: &str = "correct horse";

/// Lets Ann Lee work for an account.
async fn ann(app: &TestApp, account: &str) {
    let db = app.state.store.begin().await.unwrap();
    let new = NewDeveloper { account, email: EMAIL, name: Some("Ann Lee"), password: PASSWORD };
    developers::create(&db, new, app.state.clock.now_millis()).await.unwrap();
    db.commit().await.unwrap();
}

fn log_in() -> Value {
    json!({"emailAddress": EMAIL, "password": PASSWORD})
}

/// A ticket for the account of this number.
async fn ticket(app: &TestApp, account: i64) -> Value {
    let path = format!("{PATH}/?developerAccountId={account}");
    app.anonymous().post(&path, log_in()).await.expect(200)
}

/// Takes a text out of a ticket.
fn take(ticket: &mut Value, name: &str) -> String {
    ticket[name].take().as_str().unwrap().to_owned()
}

/// A client that calls for a developer.
fn client(app: &TestApp, ticket: &Value) -> Client {
    app.anonymous().with("x-vol-user-claims", ticket["accessToken"].as_str().unwrap())
}

#[track_caller]
fn refused_password(answer: Answer) {
    refused_credentials(answer, "e-mail address or password");
}

#[track_caller]
fn refused_token(answer: Answer) {
    refused_credentials(answer, "refresh token");
}

#[track_caller]
fn refused_credentials(answer: Answer, sent: &str) {
    let message = &format!("Invalid Credentials: {sent} not accepted.");
    let data = [("CredentialsName", "Invalid credentials")];
    refused(answer, 401, "INVALID_CREDENTIALS", message, &data);
}

#[track_caller]
fn refused_parameter(answer: Answer, parameter: &str, why: &str) {
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

#[track_caller]
fn refused_account(answer: Answer, operation: &str, account: i64) {
    let message = format!("Forbidden: the developer does not work for account {account}.");
    refused(answer, 403, "FORBIDDEN", &message, &[("OperationName", operation)]);
}

on_both! {
    async fn a_developer_signs_in_for_an_account(app: TestApp) {
        ann(&app, "acme").await;
        let answer = app.anonymous().post(&format!("{PATH}/?developerAccountId=1"), log_in()).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let mut ticket = answer.expect(200);
        let access = take(&mut ticket, "accessToken");
        assert_eq!(take(&mut ticket, "jwtAccessToken"), access);
        assert_eq!(access.split('.').count(), 3);
        assert_eq!(take(&mut ticket, "refreshToken").len(), 48);
        let catalogue = &app.state.catalogue.behaviors;
        let open = catalogue.all().iter().filter(|behavior| !behavior.is_private);
        let behaviors: Vec<i64> = open.map(|behavior| behavior.id).collect();
        assert_eq!(behaviors.len(), 126);
        let acme = json!({"id": 1, "name": "Acme"});
        assert_eq!(ticket, json!({
            "accessToken": null, "accessTokenExpiration": "2026-02-01T09:15:00.000Z",
            "refreshToken": null, "refreshTokenExpiration": "2026-02-02T08:15:00.000Z",
            "jwtAccessToken": null, "createdOn": "2026-02-01T08:15:00.000Z",
            "user": {"userId": "1", "firstName": "Ann", "lastName": "Lee", "emailAddress": EMAIL,
                "userName": EMAIL},
            "account": acme, "availableAccounts": [acme], "grantedBehaviors": behaviors,
        }));
    }

    async fn check_12_developers_call_with_only_the_header_of_users(app: TestApp) {
        ann(&app, "acme").await;
        ann(&app, "globex").await;
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let path = format!("/api/platform/appdev/apppackages/{}", loyalty.key);
        let acme = client(&app, &ticket(&app, 1).await);
        let package = acme.get(&path).await.expect(200);
        assert_eq!(package["sharedSecret"], json!(loyalty.secret));
        let body = json!({"applicationEndPoint": "https://a.example/", "packageId": loyalty.package,
            "events": [{"eventId": 1}]});
        acme.post("/api/platform/appdev/appsubscriptions/events", body).await.expect(200);
        let entry = "SELECT COUNT(*) FROM audit_lines l JOIN people p ON p.id = l.person_id \
                     WHERE l.record_type = 'package_subscription' AND p.name = 'Ann Lee' \
                     AND p.account_id = 'acme'";
        assert_eq!(app.count(entry).await, 1);

        let globex = client(&app, &ticket(&app, 2).await);
        let message = format!("Item not found: package {}", loyalty.key);
        let data = [("AppKey", loyalty.key.as_str())];
        refused(globex.get(&path).await, 404, "ITEM_NOT_FOUND", &message, &data);
        // The same token serves as bearer.
        let bearer = ticket(&app, 1).await["accessToken"].as_str().unwrap().to_owned();
        assert_eq!(app.bearer(&bearer).get(&path).await.expect(200)["id"], package["id"]);
    }

    async fn without_an_account_a_ticket_owns_nothing(app: TestApp) {
        ann(&app, "globex").await;
        ann(&app, "acme").await;
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        for path in [PATH.to_owned(), format!("{PATH}/?developerAccountId=")] {
            let ticket = app.anonymous().post(&path, log_in()).await.expect(200);
            assert_eq!(ticket["account"], Value::Null);
            assert_eq!(ticket["availableAccounts"],
                json!([{"id": 1, "name": "Acme"}, {"id": 2, "name": "Globex"}]));
            assert_eq!(ticket["user"]["firstName"], "Ann");
            let path = format!("/api/platform/appdev/apppackages/{}", loyalty.key);
            let message = format!("Item not found: package {}", loyalty.key);
            let data = [("AppKey", loyalty.key.as_str())];
            let answer = client(&app, &ticket).get(&path).await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
        }
    }

    async fn whatever_is_wrong_the_refusal_is_the_same(app: TestApp) {
        ann(&app, "acme").await;
        let table = [
            json!({"emailAddress": EMAIL, "password": "correct horsf"}),
            json!({"emailAddress": "bob@acme.example", "password": PASSWORD}),
            json!({"emailAddress": EMAIL}),
            json!({"emailAddress": null, "password": PASSWORD}),
            json!({}),
        ];
        for body in table {
            refused_password(app.anonymous().post(PATH, body).await);
        }
        // An account is not told to whom may not sign in.
        let path = format!("{PATH}?developerAccountId=2");
        let body = json!({"emailAddress": EMAIL, "password": "correct horsf"});
        refused_password(app.anonymous().post(&path, body).await);
        app.execute("UPDATE developers SET disabled = TRUE").await;
        refused_password(app.anonymous().post(PATH, log_in()).await);
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 0);
    }

    async fn an_account_of_others_cannot_be_chosen(app: TestApp) {
        ann(&app, "acme").await;
        for account in [2, 99] {
            let path = format!("{PATH}?developerAccountId={account}");
            let answer = app.anonymous().post(&path, log_in()).await;
            refused_account(answer, "authenticate_developer", account);
        }
        let mine = ticket(&app, 1).await;
        let path = format!("{PATH}?developerAccountId=2");
        refused_account(app.anonymous().put(&path, mine).await, "refresh_developer_ticket", 2);
    }

    async fn requests_that_cannot_be_read_are_refused_by_name(app: TestApp) {
        let anybody = app.anonymous();
        let range = "must be an integer from 1 to 2147483647.";
        for query in ["developerAccountId=0", "DEVELOPERACCOUNTID=x"] {
            let path = format!("{PATH}?{query}");
            let answer = anybody.post(&path, log_in()).await;
            refused_parameter(answer, "developerAccountId", range);
            refused_parameter(anybody.put(&path, json!({})).await, "developerAccountId", range);
        }
        let empty = anybody.send(Method::POST, PATH, Vec::new()).await;
        refused_parameter(empty, "userAuthInfo", "is the body of this request, which is empty.");
        let answer = anybody.post(PATH, json!([])).await;
        refused_parameter(answer, "userAuthInfo", "must be a JSON object.");
        let answer = anybody.post(PATH, json!({"emailAddress": 7})).await;
        refused_parameter(answer, "emailAddress", "must be a text.");
        let long = json!({"emailAddress": EMAIL, "password": "x".repeat(201)});
        let answer = anybody.post(PATH, long).await;
        refused_parameter(answer, "password", "must have at most 200 characters.");
        let answer = anybody.put(PATH, json!(null)).await;
        refused_parameter(answer, "existingAuthTicket", "must be a JSON object.");
        for body in [json!({}), json!({"refreshToken": null}), json!({"refreshToken": " "})] {
            let answer = anybody.put(PATH, body).await;
            refused_parameter(answer, "refreshToken", "must be the refresh token of a ticket.");
        }
        for path in [PATH.to_owned(), format!("{PATH}?refreshToken=")] {
            let answer = anybody.delete(&path).await;
            refused_parameter(answer, "refreshToken", "must be the refresh token to revoke.");
        }
    }

    async fn who_fails_too_often_has_to_wait(app: TestApp) {
        ann(&app, "acme").await;
        let anybody = app.anonymous();
        let wrong = json!({"emailAddress": EMAIL.to_lowercase(), "password": "wrong"});
        for _ in 0..10 {
            refused_password(anybody.post(PATH, wrong.clone()).await);
        }
        // The right password too: it must not be found out by trying.
        for body in [wrong, log_in()] {
            let answer = anybody.post(PATH, body).await;
            assert_eq!(answer.header("retry-after"), "2");
            let message = "Too many requests; try again in 2 seconds.";
            refused(answer, 429, "EXCEEDED_MAX_RETRIES", message, &[]);
        }
        let other = json!({"emailAddress": "bob@acme.example", "password": "wrong"});
        refused_password(anybody.post(PATH, other).await);
        app.advance_seconds(2);
        anybody.post(PATH, log_in()).await.expect(200);
        // What succeeds is not counted.
        for _ in 0..11 {
            anybody.post(PATH, log_in()).await.expect(200);
        }
    }

    async fn many_guesses_at_once_are_no_better_than_a_few(app: TestApp) {
        ann(&app, "acme").await;
        let guess = |password: &str| {
            let (anybody, password) = (app.anonymous(), password.to_owned());
            async move {
                let body = json!({"emailAddress": EMAIL, "password": password});
                anybody.post(PATH, body).await.status.as_u16()
            }
        };
        let guesses = (0..30).map(|number| guess(&format!("guess {number}")));
        let answers = futures_util::future::join_all(guesses).await;
        let told = answers.iter().filter(|status| **status == 401).count();
        // Two passwords are looked at at a time, so one more may come through.
        assert!((10..=12).contains(&told), "{answers:?}");
        assert!(answers.iter().all(|status| [401, 429].contains(status)), "{answers:?}");
    }

    async fn a_ticket_is_renewed_with_its_refresh_token(app: TestApp) {
        ann(&app, "acme").await;
        ann(&app, "globex").await;
        let first = ticket(&app, 1).await;
        app.advance_seconds(600);
        let anybody = app.anonymous();
        let body = json!({"RefreshToken": first["refreshToken"]});
        let mut renewed = anybody.put(&format!("{PATH}/"), body.clone()).await.expect(200);
        let access = take(&mut renewed, "accessToken");
        assert_ne!(Some(access.as_str()), first["accessToken"].as_str());
        assert_eq!(take(&mut renewed, "jwtAccessToken"), access);
        let mut expected = first.clone();
        expected["accessToken"] = Value::Null;
        expected["jwtAccessToken"] = Value::Null;
        expected["accessTokenExpiration"] = "2026-02-01T09:25:00.000Z".into();
        expected["createdOn"] = "2026-02-01T08:25:00.000Z".into();
        assert_eq!(renewed, expected);
        let path = format!("{PATH}?developerAccountId=2");
        let other = anybody.put(&path, first.clone()).await.expect(200);
        assert_eq!(other["account"], json!({"id": 2, "name": "Globex"}));
        assert_eq!(other["refreshToken"], first["refreshToken"]);

        app.advance_seconds(86_399 - 600);
        anybody.put(PATH, body.clone()).await.expect(200);
        app.advance_seconds(1);
        refused_token(anybody.put(PATH, body).await);
    }

    async fn only_what_a_developer_may_still_use_is_renewed(app: TestApp) {
        ann(&app, "acme").await;
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let body = json!({"applicationId": loyalty.key, "sharedSecret": loyalty.secret});
        let path = "/api/platform/applications/authtickets";
        let of_app = app.anonymous().post(path, body).await.expect(200);
        refused_token(app.anonymous().put(PATH, of_app).await);
        let unknown = json!({"refreshToken": "x".repeat(48)});
        refused_token(app.anonymous().put(PATH, unknown).await);

        let mine = ticket(&app, 1).await;
        app.execute("UPDATE people SET disabled = TRUE WHERE name = 'Ann Lee'").await;
        refused_token(app.anonymous().put(PATH, mine.clone()).await);
        app.execute("UPDATE people SET disabled = FALSE WHERE name = 'Ann Lee'").await;
        app.anonymous().put(PATH, mine.clone()).await.expect(200);
        app.execute("UPDATE developers SET disabled = TRUE").await;
        refused_token(app.anonymous().put(PATH, mine).await);
    }

    async fn a_revoked_refresh_token_is_gone(app: TestApp) {
        ann(&app, "acme").await;
        let mine = ticket(&app, 1).await;
        let token = mine["refreshToken"].as_str().unwrap();
        let path = format!("/API/platform/Developer/AuthTickets/?refreshtoken={token}");
        let answer = app.anonymous().delete(&path).await;
        assert!(answer.headers.get("content-type").is_none());
        assert_eq!(answer.expect(200), Value::Null);
        let end = format!("…{}", &token[44..]);
        let message = format!("Item not found: refresh token {end}");
        let answer = app.anonymous().delete(&path).await;
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("RefreshToken", &end)]);
        refused_token(app.anonymous().put(PATH, mine.clone()).await);
        // The access token stays good until it expires.
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let path = format!("/api/platform/appdev/apppackages/{}", loyalty.key);
        client(&app, &mine).get(&path).await.expect(200);
    }

    async fn an_applications_refresh_token_is_not_revoked_here(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let body = json!({"applicationId": loyalty.key, "sharedSecret": loyalty.secret});
        let path = "/api/platform/applications/authtickets";
        let of_app = app.anonymous().post(path, body).await.expect(200);
        let token = of_app["refreshToken"].as_str().unwrap();
        let end = format!("…{}", &token[token.len() - 4..]);
        let answer = app.anonymous().delete(&format!("{PATH}?refreshToken={token}")).await;
        let message = format!("Item not found: refresh token {end}");
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("RefreshToken", &end)]);
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    }

    async fn a_developers_refresh_token_is_not_revoked_elsewhere(app: TestApp) {
        ann(&app, "acme").await;
        let token = take(&mut ticket(&app, 1).await, "refreshToken");
        let end = format!("…{}", &token[token.len() - 4..]);
        let path = format!("/api/platform/applications/authtickets/{token}");
        let message = format!("Item not found: refresh token {end}");
        let answer = app.anonymous().delete(&path).await;
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("RefreshToken", &end)]);
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    }

    async fn packages_name_the_developer_who_made_them(app: TestApp) {
        ann(&app, "globex").await;
        ann(&app, "acme").await;
        let world = World::new(&app).await;
        world.application("acme01.loyalty.1.0.0").await;
        let ticket = ticket(&app, 1).await;
        let path = "/api/platform/appdev/apppackages/acme01.loyalty.1.0.0/clone/ann";
        let made = client(&app, &ticket).post(path, json!({})).await.expect(200);
        assert_eq!(made["userId"], ticket["user"]["userId"]);
    }

    async fn fields_of_a_ticket_can_be_chosen(app: TestApp) {
        ann(&app, "acme").await;
        let path = "/platform/developer/AUTHTICKETS?developeraccountid=1&responseFields=user(userId),account";
        let body = json!({"EMAILADDRESS": " ann@ACME.example ", "Password": PASSWORD});
        let shown = app.anonymous().post(path, body).await.expect(200);
        assert_eq!(shown.to_string(), r#"{"user":{"userId":"1"},"account":{"id":1,"name":"Acme"}}"#);
    }

    async fn passwords_and_tokens_are_not_in_the_database(app: TestApp) {
        ann(&app, "acme").await;
        let mine = ticket(&app, 1).await;
        let plain = format!(
            "SELECT (SELECT COUNT(*) FROM developers WHERE password_hash LIKE '%{PASSWORD}%') + \
             (SELECT COUNT(*) FROM refresh_tokens WHERE hash = '{}')",
            mine["refreshToken"].as_str().unwrap()
        );
        assert_eq!(app.count(&plain).await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    }

    async fn operators_also_have_what_is_private(app: TestApp with operated) {
        ann(&app, "acme").await;
        ann(&app, "globex").await;
        let has_certify =
            |ticket: Value| ticket["grantedBehaviors"].as_array().unwrap().contains(&json!(25));
        assert!(has_certify(ticket(&app, 1).await));
        assert!(!has_certify(ticket(&app, 2).await));
    }
}
