//! Who calls, and how often (contract 1.3.1).
use appmarket::directory::developers::{self, NewDeveloper};
use http::Method;
use serde_json::json;

use super::{CREATE, PACKAGES};
use crate::on_both;
use crate::support::packages::{World, refused, tenant};
use crate::support::{Answer, TestApp};

const PATH: &str = "/api/platform/appdev/apppackages/acme01.loyalty.1.0.0.Release";

/// An access token of a developer who works for an account, and chooses it by its number.
async fn developer(app: &TestApp, account: &str, number: i64) -> String {
    let (email, password) = (format!("ann@{account}.example"), "correct horse");
    let db = app.state.store.begin().await.unwrap();
    let new = NewDeveloper { account, email: &email, name: Some("Ann Lee"), password };
    developers::create(&db, new, app.state.clock.now_millis()).await.unwrap();
    db.commit().await.unwrap();
    let path = format!("/api/platform/developer/authtickets/?developerAccountId={number}");
    let body = json!({"emailAddress": email, "password": password});
    let ticket = app.anonymous().post(&path, body).await.expect(200);
    ticket["accessToken"].as_str().unwrap().to_owned()
}

#[track_caller]
fn unknown(answer: Answer) {
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let message = "The access token is missing, not valid or expired.";
    let data = [("OperationName", "get_package"), ("WWW-Authenticate", "Bearer")];
    refused(answer, 401, "INVALID_ACCESS_TOKEN", message, &data);
}

on_both! {
    async fn a_token_may_come_in_either_header(app: TestApp) {
        let world = World::new(&app).await;
        let token = world.ticket(&world.application("acme01.loyalty.1.0.0").await).await;
        let developer = developer(&app, "acme", 1).await;
        for (name, value) in [
            ("authorization", format!("Bearer {token}")),
            ("authorization", format!("bearer  {token}")),
            ("x-vol-app-claims", token.clone()),
            ("X-Vol-App-Claims", token.clone()),
            ("x-vol-user-claims", developer.clone()),
            ("authorization", format!("Bearer {developer}")),
        ] {
            app.anonymous().with(name, &value).get(PATH).await.expect(200);
        }
        for (name, value) in [
            ("authorization", token.clone()),
            ("authorization", format!("Basic {token}")),
            ("authorization", "Bearer".to_owned()),
            ("authorization", String::new()),
            ("x-vol-app-claims", format!("Bearer {token}")),
            ("x-vol-app-claims", String::new()),
            // Each header is for tokens of one kind.
            ("x-vol-user-claims", token.clone()),
            ("x-vol-app-claims", developer.clone()),
            ("x-other", token.clone()),
        ] {
            unknown(app.anonymous().with(name, &value).get(PATH).await);
        }
    }

    async fn authorization_goes_before_all_others(app: TestApp) {
        let world = World::new(&app).await;
        let token = world.ticket(&world.application("acme01.loyalty.1.0.0").await).await;
        let client = app.bearer(&token).with("x-vol-app-claims", "nonsense");
        client.with("x-vol-user-claims", "nonsense").get(PATH).await.expect(200);
        // One that is wrong is not made good by another.
        unknown(app.bearer("nonsense").with("x-vol-app-claims", &token).get(PATH).await);
        let claims = app.anonymous().with("x-vol-app-claims", &token);
        unknown(claims.with("x-vol-user-claims", "nonsense").get(PATH).await);
    }

    async fn two_tokens_allow_what_both_allow(app: TestApp) {
        let world = World::new(&app).await;
        let all = world.ticket(&world.application("acme01.loyalty.1.0.0").await).await;
        let reader = world.application_with("acme01.reader.1.0.0", &["Developer Read"]).await;
        let reader = world.ticket(&reader).await;
        let ours = developer(&app, "acme", 1).await;
        let foreign = developer(&app, "globex", 2).await;
        let both = |app_claims: &str, user: &str| {
            app.anonymous().with("x-vol-app-claims", app_claims).with("x-vol-user-claims", user)
        };
        let create = |version: &str| json!({"appKey": format!("acme01.points.{version}")});
        both(&all, &ours).post(CREATE, create("1.0.0")).await.expect(200);
        both(&reader, &ours).get(PATH).await.expect(200);
        let message = "Forbidden: the access token lacks the behavior 41.";
        let data = [("OperationName", "create_app_package"), ("BehaviorId", "41")];
        let lacks = "Forbidden: the access token lacks the behavior 42.";
        let read = [("OperationName", "get_package"), ("BehaviorId", "42")];
        // Not even what the application may always read.
        refused(both(&all, &foreign).get(PATH).await, 403, "FORBIDDEN", lacks, &read);
        for (app_claims, user) in [(&reader, &ours), (&all, &foreign)] {
            let answer = both(app_claims, user).post(CREATE, create("2.0.0")).await;
            refused(answer, 403, "FORBIDDEN", message, &data);
        }
        // Two of a kind, or each in the header of the other, are no two tokens.
        for (app_claims, user) in [(&all, &all), (&ours, &ours), (&ours, &all)] {
            unknown(both(app_claims, user).get(PATH).await);
        }
    }

    async fn a_developer_narrows_an_application(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let reader = world.application_with("acme01.reader.1.0.0", &["Developer Read"]).await;
        let (all, few) = (world.ticket(&loyalty).await, world.ticket(&reader).await);
        let ann = async |account: &str, number: i64| {
            let db = app.state.store.begin().await.unwrap();
            let (email, password) = (format!("ann@{account}.example"), "correct horse");
            let new = NewDeveloper { account, email: &email, name: Some("Ann Lee"), password };
            developers::create(&db, new, 0).await.unwrap();
            db.commit().await.unwrap();
            let path = format!("/api/platform/developer/authtickets?developerAccountId={number}");
            let body = json!({"emailAddress": email, "password": password});
            let ticket = app.anonymous().post(&path, body).await.expect(200);
            ticket["accessToken"].as_str().unwrap().to_owned()
        };
        let (own, other) = (ann("acme", loyalty.account).await, ann("globex", loyalty.account + 1).await);
        let both = |application: &str, user: &str| {
            app.anonymous().with("x-vol-app-claims", application).with("x-vol-user-claims", user)
        };
        both(&all, &own).post(CREATE, json!({"appKey": "acme01.points.1.0.0"})).await.expect(200);
        // A developer may do everything; the application at their side may not.
        app.bearer(&own).post(CREATE, json!({"appKey": "acme01.points.1.1.0"})).await.expect(200);
        both(&few, &own).get(PATH).await.expect(200);
        let body = json!({"appKey": "acme01.points.2.0.0"});
        let message = "Forbidden: the access token lacks the behavior 41.";
        let data = [("OperationName", "create_app_package"), ("BehaviorId", "41")];
        for client in [both(&few, &own), both(&all, &other)] {
            refused(client.post(CREATE, body.clone()).await, 403, "FORBIDDEN", message, &data);
        }
        // Authorization goes before both.
        let bearer = app.bearer(&all).with("x-vol-user-claims", &other);
        bearer.post(CREATE, body).await.expect(200);
    }

    async fn what_a_developer_does_through_an_application_is_theirs(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let token = world.ticket(&loyalty).await;
        let ann = developer(&app, "acme", loyalty.account).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let one = |sql: &'static str| app.count(sql);
        let id = one("SELECT MAX(id) FROM developers").await;
        let person = one("SELECT person_id FROM developer_accounts").await;
        let alone = app.anonymous().with("x-vol-app-claims", &token);
        let both = alone.clone().with("x-vol-user-claims", &ann);
        let by_ann = (json!(id.to_string()), json!(format!("dev-{person}")), json!("Ann"));
        let by_loyalty = (json!(null), json!(loyalty.key), json!(null));
        for (client, name, (user, by, first_name)) in [(both, "ann", by_ann), (alone, "tool", by_loyalty)] {
            let clone = client.post(&format!("{PATH}/clone/{name}"), json!({})).await.expect(200);
            assert_eq!(clone["userId"], user);
            let key = clone["appKey"].as_str().unwrap();
            let file = format!("/api/platform/developer/packages/{key}/files/a.js");
            let file = client.send(Method::POST, &file, b"a".to_vec()).await.expect(200);
            assert_eq!([&file["auditInfo"]["createBy"], &file["auditInfo"]["updateBy"]], [&by, &by]);
            let body = json!({"packageId": clone["id"], "tenantId": sandbox});
            let install = "/api/platform/appdev/appinstall/application/entitlement";
            let installed = client.post(install, body).await.expect(200);
            assert_eq!(installed["installedByFirstName"], first_name);
            let body = json!({"appKey": format!("acme01.loyalty.1.0.0.{name}2")});
            let made = client.post(&format!("{PACKAGES}/project"), body).await.expect(200);
            assert_eq!(made["userId"], user);
        }
        let told = format!("SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package' \
            AND action = 'create' AND person_id = {person}");
        assert_eq!(app.count(&told).await, 2);
    }

    async fn logging_in_needs_no_token_and_looks_at_none(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (key, secret) = (&loyalty.key, &loyalty.secret);
        let nonsense = app.bearer("nonsense").with("x-vol-app-claims", "nonsense");
        let nonsense = nonsense.with("x-vol-user-claims", "nonsense");
        let base = "/api/platform/applications/authtickets";
        let body = json!({"applicationId": key, "sharedSecret": secret});
        let ticket = nonsense.post(base, body).await.expect(200);
        let body = json!({"client_id": key, "client_secret": secret});
        nonsense.post(&format!("{base}/oauth"), body).await.expect(200);
        let body = json!({"refreshToken": ticket["refreshToken"]});
        nonsense.put(&format!("{base}/refresh-ticket"), body).await.expect(200);
        let refresh = ticket["refreshToken"].as_str().unwrap();
        nonsense.delete(&format!("{base}/{refresh}")).await.expect(200);
        let developer = "/api/platform/developer/authtickets";
        let body = json!({"emailAddress": "nobody@acme.example", "password": "x"});
        let message = "Invalid Credentials: e-mail address or password not accepted.";
        let data = [("CredentialsName", "Invalid credentials")];
        let answer = nonsense.post(developer, body).await;
        refused(answer, 401, "INVALID_CREDENTIALS", message, &data);
        let body = json!({"refreshToken": "unknown"});
        let message = "Invalid Credentials: refresh token not accepted.";
        let answer = nonsense.put(developer, body).await;
        refused(answer, 401, "INVALID_CREDENTIALS", message, &data);
        let answer = nonsense.delete(&format!("{developer}?refreshToken=unknown")).await;
        assert_eq!(answer.expect(404)["errorCode"], "ITEM_NOT_FOUND");
    }

    async fn an_application_may_always_read_its_own_package(app: TestApp) {
        let world = World::new(&app).await;
        let none = world.application_with("acme01.loyalty.1.0.0", &[]).await;
        world.application("acme01.other.1.0.0").await;
        let client = world.client(&none).await;
        client.get(PATH).await.expect(200);
        let message = "Forbidden: the access token lacks the behavior 42.";
        let data = [("OperationName", "get_package"), ("BehaviorId", "42")];
        // Another version has a secret of its own; what is not there is refused like what is.
        world.application("acme01.loyalty.2.0.0").await;
        for key in ["acme01.other.1.0.0", "acme01.loyalty.2.0.0", "acme01.loyalty.9.0.0"] {
            let answer = client.get(&format!("{PACKAGES}/{key}?includeChildren=x")).await;
            refused(answer, 403, "FORBIDDEN", message, &data);
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_application() {
    let app = TestApp::sqlite_with(|config| {
        config.package_rate_limit_burst = 8;
        config.package_rate_limit_per_hour = 20;
    })
    .await;
    let world = World::new(&app).await;
    let loyalty = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
    let other = world.client(&world.application("acme01.other.1.0.0").await).await;
    let answer = loyalty.get(PATH).await;
    assert_eq!(answer.header("x-ratelimit-limit"), "20");
    assert_eq!(answer.header("x-ratelimit-remaining"), "19");
    // 9:00 UTC.
    assert_eq!(answer.header("x-ratelimit-reset"), "1769936400");
    answer.expect(200);
    for _ in 0..7 {
        loyalty.get(PATH).await.expect(200);
    }
    let answer = loyalty.get(PATH).await;
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(answer.header("x-ratelimit-remaining"), "12");
    let message = "Too many requests; try again in 2 seconds.";
    refused(answer, 429, "EXCEEDED_MAX_RETRIES", message, &[]);
    other.get(PATH).await.expect(200);
    app.advance_seconds(2);
    loyalty.get(PATH).await.expect(200);
    // Whoever tries tokens is counted by address, like anybody without one.
    for _ in 0..6 {
        unknown(app.bearer("nonsense").get(PATH).await);
    }
    app.advance_seconds(2);
    for _ in 0..8 {
        unknown(app.anonymous().get(PATH).await);
    }
    assert_eq!(app.anonymous().get(PATH).await.status, 429);
}
