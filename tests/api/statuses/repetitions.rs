//! `Idempotency-Key` at every operation that takes one: a repetition waits for the first request to end, and
//! another request does not get its answer.
//!
//! On PostgreSQL only, where a table can be held back from one request while others go on; what is tried is
//! the same code on SQLite.
use std::time::Duration;

use appmarket::directory::trusts;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;
use sea_orm::ConnectionTrait;

use super::*;
use crate::offering_api::app_instance_configuration::visit;
use crate::offering_api::attachments::{BOUNDARY, multipart};
use crate::support::packages::tenant;

const RUNNING: &str = "A request with this Idempotency-Key is still running; try again soon";
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\none";
const TEXT: &[u8] = b"one";
const USED: &str = "The Idempotency-Key was used before with another request";

/// A request that changes something, and another one.
struct Request {
    operation: Operation,
    client: Client,
    /// Path and body.
    first: (String, Vec<u8>),
    other: (String, Vec<u8>),
}

impl Request {
    async fn send(&self, (path, body): &(String, Vec<u8>)) -> Answer {
        let client = self.client.clone().with("idempotency-key", "once");
        client.send(self.operation.method(), path, body.clone()).await
    }

    /// Sends it twice at once, and then the other one.
    async fn check(&self, app: &TestApp, surprises: &mut Surprises) {
        let holding = app.state.store.begin().await.unwrap();
        holding.execute_unprepared("LOCK TABLE idempotency_keys").await.unwrap();
        let mut answers =
            FuturesUnordered::from_iter([self.send(&self.first), self.send(&self.first)]);
        let put_off = tokio::time::timeout(Duration::from_secs(8), answers.next()).await;
        holding.rollback().await.unwrap();
        let name = id(self.operation);
        let put_off = put_off.unwrap_or_else(|_| panic!("{name} puts nobody off")).unwrap();
        self.is_refused(surprises, &put_off, 409, RUNNING);
        let carried_out = answers.next().await.unwrap();
        if !carried_out.status.is_success() {
            surprises.note(self.operation, 200, &carried_out);
        }
        self.is_refused(surprises, &self.send(&self.other).await, 422, USED);
    }

    fn is_refused(&self, surprises: &mut Surprises, answer: &Answer, status: u16, why: &str) {
        let is_package = self.operation.document.family == "package_api";
        let message = if is_package { format!("Validation Error: {why}") } else { why.to_owned() };
        let (code, data) = ("VALIDATION_CONFLICT", [("ErrorMessage", why)]);
        let expected = Refusal { status, message: &message, code, data: &data };
        surprises.check(self.operation, answer, &expected);
    }
}

/// Operations of a family that take a key.
fn keyed(family: &'static str) -> impl Iterator<Item = Operation> {
    of(family).filter(|operation| {
        operation.value["parameters"].to_string().contains("#/components/parameters/IdempotencyKey")
    })
}

/// A body that an operation of app offerings carries out.
fn offering_body(operation: Operation, own: &Records) -> Vec<u8> {
    let body = match id(operation) {
        "create_app_offering" => {
            json!({"name": "Another", "service_instance_id": own.service_instance,
            "policy_jwt_alg": "es256", "webhook_uri_template": "https://echo.example.org/hook?account={account}"})
        }
        "create_app_offering_scope" => json!({"actions": ["ci:Read"]}),
        "create_app_offering_automation_rule" => {
            json!({"app_offering_id": own.draft, "rulable_type": "Req", "name": "Another",
            "trigger": "on note added"})
        }
        "create_app_instance" => json!({"app_offering_id": own.version}),
        "create_ui_extension" => json!({"name": "Another", "category": "app_offering",
            "title": "Another", "html": "<input id=\"a\">"}),
        "create_service_instance" => json!({"name": "Another", "status": "in_production",
            "service": {"id": 1, "name": "Apps"}}),
        "create_webhook_policy" => json!({"jwt_alg": "es256"}),
        "create_webhook" => {
            json!({"event": "app_instance.update", "uri": "https://echo.example.org/"})
        }
        "replay_webhook_deliveries" => json!({"since": "2026-02-01T00:00:00Z"}),
        "upload_app_offering_avatar" => {
            return multipart(&[("avatar", Some("a.png"), PICTURE)]);
        }
        "upload_attachment" => return multipart(&[("file", Some("a.txt"), TEXT)]),
        _ => json!({}),
    };
    body.to_string().into_bytes()
}

/// The same request with one more byte.
fn longer(operation: Operation, body: &[u8]) -> Vec<u8> {
    if operation.value["requestBody"]["content"].get("multipart/form-data").is_none() {
        return [body, b" "].concat();
    }
    let place = body.windows(5).position(|it| it == b"one\r\n").unwrap();
    [&body[..place], b"more", &body[place..]].concat()
}

/// Where a message that was delivered is delivered once more. Not those that verify: there is a new one then.
async fn delivered(app: &TestApp, receiver: &Receiver) -> String {
    let hook = json!({"event": "app_instance.create", "uri": receiver.url("/plain")});
    let hook = app.acme().post("/v1/webhooks", hook).await.expect(201);
    app.deliver().await;
    let received = receiver.received();
    let message = received.iter().find(|it| it.path == "/plain").unwrap().json();
    let callback = message["payload"]["callback"].as_str().unwrap();
    assert_eq!(visit(app, Method::GET, callback, None).await.status, 200);
    let one = format!("/v1/webhooks/{}", hook["id"]);
    app.acme().post(&format!("{one}/test"), json!({})).await.expect(204);
    app.deliver().await;
    let list = app.acme().get(&format!("{one}/deliveries")).await.expect(200);
    let newest = list.as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).max();
    format!("{one}/deliveries/{}/redeliver", newest.unwrap())
}

#[tokio::test]
async fn app_offerings_carry_out_a_request_once() {
    let app = TestApp::postgres_with(|_| {}).await;
    let receiver = Receiver::of_anything();
    let own = Records::of(&app, "acme", "streuselkuchen", &receiver).await;
    app.deliver().await;
    let db = app.state.store.begin().await.unwrap();
    trusts::add(&db, "acme", "initech", 0).await.unwrap();
    db.commit().await.unwrap();
    let delivered = delivered(&app, &receiver).await;
    let mut operations: Vec<Operation> = keyed("offering_api").collect();
    // What is installed is the latest version: then comes the next one.
    operations.sort_by_key(|operation| id(*operation) == "publish_app_offering");
    let mut surprises = Surprises::default();
    for operation in operations {
        let body = offering_body(operation, &own);
        let mut client = own.owner(&app, operation);
        if id(operation) == "create_app_instance" {
            // Globex has it already.
            client = app.initech();
        }
        if operation.value["requestBody"]["content"].get("multipart/form-data").is_some() {
            client =
                client.with("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
        }
        let path = match id(operation) {
            "redeliver_webhook_delivery" => delivered.clone(),
            _ => own.path(operation, None),
        };
        let other = (path.clone(), longer(operation, &body));
        Request { operation, client, first: (path, body), other }.check(&app, &mut surprises).await;
        app.advance_seconds(2);
    }
    surprises.none_of(30);
}

#[tokio::test]
async fn app_packages_carry_out_a_request_once() {
    let app = TestApp::postgres_with(|_| {}).await;
    let world = World::new(&app).await;
    let (own, client) = things(&app, &world, "acme", "streuselkuchen").await;
    let client = own.at(&client);
    let package: i64 = own.package.parse().unwrap();
    let (sandbox, _) = tenant(&app, "acme", true).await;
    let (production, _) = tenant(&app, "acme", false).await;
    let mut surprises = Surprises::default();
    for operation in keyed("package_api") {
        let body = match id(operation) {
            "create_app_package" => json!({"appKey": "acme01.points.1.0.0"}),
            "create_package" => json!({"appKey": "acme01.streuselkuchen.1.0.0.Second"}),
            "update_package_behaviors" => json!([]),
            "rename_package_file" => {
                json!({"oldFullPath": "assets/a.js", "newFullPath": "assets/b.js"})
            }
            "create_application_subscription" => json!({"packageId": package,
                "events": [{"eventId": 53}], "applicationEndPoint": "https://b.example/"}),
            "install_application" => json!({"packageId": package, "tenantId": sandbox}),
            "install_application_to_production" => {
                // Only what is certified goes there.
                app.execute(&format!(
                    "UPDATE application_versions SET status_id = 3 WHERE id = {}",
                    own.version
                ))
                .await;
                json!({"packageId": package, "tenantId": production})
            }
            _ => json!({}),
        };
        let path = own.path(operation);
        let body = body.to_string().into_bytes();
        let other = (format!("{path}?another=1"), body.clone());
        let request = Request { operation, client: client.clone(), first: (path, body), other };
        request.check(&app, &mut surprises).await;
        app.advance_seconds(2);
    }
    surprises.none_of(18);
}
