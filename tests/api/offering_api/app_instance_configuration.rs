//! The way of a customer's browser through the configuration page of an app (contract 4.6).
use std::collections::HashMap;

use http::Method;
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::{Answer, TestApp};

const ONE: &str = "/v1/app_instances/1";
const WAY: &str = "/v1/app_instances/1/configuration";
const NODE: &str = "ZXhhbXBsZS50ZXN0L0FwcEluc3RhbmNlLzE";

/// Globex has installed an app of acme that wants to be configured.
async fn installed(app: &TestApp) -> Value {
    let instance = service_instance(app, "acme").await;
    let mut body = offering("Echo <1>", instance);
    body["configuration_uri_template"] = json!("https://echo.example.org/{account}/setup?lang=en");
    app.acme().post("/v1/app_offerings", body).await.expect(201);
    app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
    app.globex().post("/v1/app_instances", json!({"app_offering_id": 2})).await.expect(201)
}

/// A page on the host of an account.
pub async fn visit(app: &TestApp, method: Method, uri: &str, cookie: Option<&str>) -> Answer {
    let url = url::Url::parse(uri).unwrap();
    let client = app.anonymous().with("host", url.host_str().unwrap());
    let client = match cookie {
        Some(cookie) => client.with("cookie", cookie),
        None => client,
    };
    client.send(method, &uri[url.origin().ascii_serialization().len()..], Vec::new()).await
}

async fn begin(app: &TestApp) -> String {
    let way = app.globex().get(WAY).await.expect(200);
    way["configuration_uri"].as_str().unwrap().to_owned()
}

/// What the app is told, and the cookie of the browser.
pub fn told(answer: &Answer) -> (String, HashMap<String, String>, String) {
    assert_eq!(answer.status, 302, "{}", answer.text());
    let url = url::Url::parse(answer.header("location")).unwrap();
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let place = url[..url::Position::AfterPath].to_owned();
    (place, url.query_pairs().into_owned().collect(), cookie)
}

on_both! {
    async fn an_app_is_switched_on_when_its_configuration_is_confirmed(app: TestApp) {
        assert_eq!(installed(&app).await["enabled_by_customer"], false);
        let uri = begin(&app).await;
        assert!(uri.starts_with(&format!("https://globex.example.test/app_instances/{NODE}/configure?code=")));
        let answer = visit(&app, Method::GET, &uri, None).await;
        assert!(answer.header("set-cookie").ends_with(
            &format!("; Path=/app_instances/{NODE}; HttpOnly; SameSite=Lax; Secure")));
        let (place, query, cookie) = told(&answer);
        assert_eq!(place, "https://echo.example.org/globex/setup");
        assert_eq!(query["lang"], "en");
        assert_eq!((query["nodeID"].as_str(), query["account_id"].as_str()), (NODE, "globex"));
        let seen = app.acme().get(ONE).await.expect(200);
        assert_eq!(seen["created_at"], query["created_at"]);
        assert!(!query.contains_key("X-4me-Signature"), "the secrets webhook has no policy: there is none");
        let confirm = &query["confirmation_url"];
        assert!(confirm.starts_with(
            &format!("https://globex.example.test/app_instances/{NODE}/confirm_configuration?code=")));
        // A look at the page changes nothing.
        let page = visit(&app, Method::GET, confirm, Some(&cookie)).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("<h1>Echo &lt;1&gt;</h1>"), "{}", page.text());
        assert!(page.text().contains("<form method=\"post\">"));
        assert_eq!(app.globex().get(ONE).await.expect(200)["enabled_by_customer"], false);
        let done = visit(&app, Method::POST, confirm, Some(&cookie)).await;
        assert_eq!(done.status, 200);
        assert!(done.text().contains("The app is switched on"));
        assert_eq!(app.acme().get(ONE).await.expect(200)["enabled_by_customer"], true);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhooks WHERE disabled").await, 0);
        let updates = "SELECT COUNT(*) FROM events WHERE name = 'app_instance.update'";
        assert_eq!(app.count(updates).await, 2);
        let audit = app.globex().get(&format!("{ONE}/audit")).await.expect(200);
        assert_eq!(audit[0]["changes"], json!({"enabled_by_customer": [false, true]}));
        assert_eq!(audit[0]["created_by"]["name"], "Greg Hill");
        // Once, and never again.
        for (method, uri) in [(Method::POST, confirm), (Method::GET, confirm), (Method::GET, &uri)] {
            let gone = visit(&app, method, uri, Some(&cookie)).await;
            assert_eq!(gone.status, 410);
            assert!(gone.text().contains("There is nothing to confirm: the app is switched on already."));
        }
        assert_eq!(app.globex().get(WAY).await.expect(200),
            json!({"configuration_uri": null, "expires_at": null}));
    }

    async fn codes_serve_one_purpose_one_browser_one_day(app: TestApp) {
        installed(&app).await;
        let uri = begin(&app).await;
        let (_, query, cookie) = told(&visit(&app, Method::GET, &uri, None).await);
        let confirm = &query["confirmation_url"];
        let expect = async |method: Method, uri: &str, cookie: Option<&str>, status: u16, text: &str| {
            let answer = visit(&app, method, uri, cookie).await;
            assert_eq!(answer.status, status, "{uri}: {}", answer.text());
            assert!(answer.text().contains(text), "{}", answer.text());
            assert_eq!(app.globex().get(ONE).await.expect(200)["enabled_by_customer"], false);
        };
        // The provider reads the address, but has not the browser.
        let other = "The configuration was begun in another browser";
        for method in [Method::GET, Method::POST] {
            expect(method.clone(), confirm, None, 403, other).await;
            let forged = format!("appmarket_configuration={}", "A".repeat(43));
            expect(method, confirm, Some(&forged), 403, other).await;
        }
        // A code of one page on the other, a changed code, time or person.
        let wrong = "The code is wrong";
        let turned = uri.replace("/configure?", "/confirm_configuration?");
        expect(Method::POST, &turned, Some(&cookie), 403, wrong).await;
        expect(Method::GET, &confirm.replace("/confirm_configuration?", "/configure?"), None, 403, wrong).await;
        expect(Method::POST, &confirm.replace("code=", "code=x"), Some(&cookie), 403, wrong).await;
        expect(Method::POST, &confirm.replace("expires_at=1", "expires_at=2"), Some(&cookie), 403, wrong).await;
        expect(Method::POST, &confirm.replace("person_id=2", "person_id=1"), Some(&cookie), 403, wrong).await;
        let bare = confirm.split('?').next().unwrap();
        expect(Method::POST, bare, Some(&cookie), 400, "The address is not complete").await;
        // Another account's host knows no such instance.
        let foreign = confirm.replace("//globex.", "//acme.");
        assert_eq!(visit(&app, Method::POST, &foreign, Some(&cookie)).await.status, 404);
        // Whoever is no administrator any more.
        app.execute("UPDATE people SET administrator = FALSE WHERE account_id = 'globex'").await;
        let answer = visit(&app, Method::POST, confirm, Some(&cookie)).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("Only an administrator"), "{}", answer.text());
        app.execute("UPDATE people SET administrator = TRUE WHERE account_id = 'globex'").await;
        // Begun anew: what was given before is void.
        app.globex().patch(ONE, json!({"enabled_by_customer": true})).await.expect(200);
        app.globex().patch(ONE, json!({"enabled_by_customer": false})).await.expect(200);
        expect(Method::POST, confirm, Some(&cookie), 403, wrong).await;
        let uri = begin(&app).await;
        let (_, query, cookie) = told(&visit(&app, Method::GET, &uri, None).await);
        app.advance_seconds(24 * 60 * 60);
        let expired = "The address has expired";
        expect(Method::POST, &query["confirmation_url"], Some(&cookie), 410, expired).await;
        expect(Method::GET, &uri, None, 410, expired).await;
    }

    async fn the_way_is_shown_to_administrators_of_the_customer(app: TestApp) {
        installed(&app).await;
        let forbidden = json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Forbidden"});
        assert_eq!(app.acme().get(WAY).await.expect(403), forbidden);
        let plain = app.plain_person("globex").await;
        assert_eq!(app.bearer(&plain).get(WAY).await.expect(403), forbidden);
        let missing = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"});
        assert_eq!(app.initech().get(WAY).await.expect(404), missing);
        let way = app.globex().get(WAY).await.expect(200);
        assert_eq!(way["expires_at"], "2026-02-02T09:15:00+01:00");
    }

    async fn the_app_can_check_who_leads_the_browser_there(app: TestApp) {
        let policy = app.acme().post("/v1/webhook_policies", json!({"jwt_alg": "es256",
            "jwt_audience": "echo", "jwt_claim_expires_in": 5})).await.expect(201);
        app.acme().post("/v1/webhooks", json!({"event": "app_instance.secrets-update",
            "uri": "https://echo.example.org/secrets", "webhook_policy_id": policy["id"],
            "app_offering_references": ["acme_echo_<1>"]})).await.expect(201);
        installed(&app).await;
        let uri = begin(&app).await;
        let (_, query, _) = told(&visit(&app, Method::GET, &uri, None).await);
        let parts: Vec<&str> = query["X-4me-Signature"].split('.').collect();
        let read = |part: &str| -> Value {
            use base64::Engine;
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        assert_eq!(read(parts[0])["alg"], "ES256");
        let claims = read(parts[1]);
        let now = 1_769_933_700;
        assert_eq!((&claims["data"], &claims["sub"]), (&json!(NODE), &json!("1")));
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://acme.example.test"), &json!("echo")));
        assert_eq!((&claims["iat"], &claims["nbf"], &claims["exp"]),
            (&json!(now), &json!(now), &json!(now + 300)));
        assert_eq!(claims["jti"].as_str().unwrap().len(), 64);
    }
}
