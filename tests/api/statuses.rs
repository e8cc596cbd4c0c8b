//! What every operation answers where not it but something around it is wrong, proved from the documents: a
//! status that a document names for such a case is one that the operation gives, with this whole body.
mod outages;
#[cfg(test_postgres)]
mod repetitions;

use http::StatusCode;
use serde_json::{Value, json};

use crate::document::{Operation, nothing, of};
use crate::security::foreign_packages::{NOBODYS, Things, things};
use crate::security::records::{Records, send};
use crate::security::{id, refusal as offering_refusal};
use crate::support::client::Client;
use crate::support::packages::{World, refusal as package_refusal};
use crate::support::receiver::Receiver;
use crate::support::{Answer, TestApp};

const MIB: usize = 1024 * 1024;

/// A refusal in the words of both families.
struct Refusal<'a> {
    status: u16,
    /// What people read.
    message: &'a str,
    /// What programs tell it by; app offerings have no such codes.
    code: &'a str,
    data: &'a [(&'a str, &'a str)],
}

impl Refusal<'_> {
    fn is_documented(&self, operation: Operation) -> bool {
        operation.value["responses"].get(self.status.to_string()).is_some()
    }

    /// The whole body, as an answer should have it.
    fn body(&self, operation: Operation, answer: &Answer) -> Value {
        if operation.document.family == "package_api" {
            let correlation = answer.headers.get("x-vol-correlation");
            let correlation = correlation.map_or("", |it| it.to_str().unwrap());
            return package_refusal(correlation, self.code, self.message, self.data);
        }
        let status = StatusCode::from_u16(self.status).unwrap();
        let mut body = offering_refusal(operation, status, self.message);
        if self.status == 429 {
            body["documentation_url"] = json!("https://api.example.test/docs");
        }
        if self.status == 422 && body.get("message").is_some() {
            body["errors"] = json!([["base", self.message]]);
        }
        body
    }
}

/// Answers that are not what the documents say.
#[derive(Default)]
struct Surprises {
    found: Vec<String>,
    /// How many answers were looked at.
    checked: usize,
}

impl Surprises {
    fn check(&mut self, operation: Operation, answer: &Answer, expected: &Refusal<'_>) {
        let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        if answer.status != expected.status || body != expected.body(operation, answer) {
            self.note(operation, expected.status, answer);
        }
        self.checked += 1;
    }

    fn note(&mut self, operation: Operation, expected: u16, answer: &Answer) {
        let text = String::from_utf8_lossy(&answer.bytes);
        self.found.push(format!("{} for {expected}: {} {text}", id(operation), answer.status));
    }

    /// Sends a request to an operation whose document names this refusal.
    async fn expect(
        &mut self,
        operation: Operation,
        expected: &Refusal<'_>,
        client: &Client,
        path: &str,
    ) {
        if expected.is_documented(operation) {
            let answer = send(operation, client, path).await;
            self.check(operation, &answer, expected);
        }
    }

    /// The same with a body of one byte more than the limit.
    async fn expect_too_large(
        &mut self,
        operation: Operation,
        limit: usize,
        client: &Client,
        path: &str,
    ) {
        // Parts of a form have limits of their own.
        let content = &operation.value["requestBody"]["content"];
        if operation.value["responses"].get("413").is_none()
            || content.get("multipart/form-data").is_some()
        {
            return;
        }
        let answer = client.send(operation.method(), path, vec![b' '; limit + 1]).await;
        let text = limit.to_string();
        let message = match operation.document.family {
            "package_api" => format!("The request is too large: at most {limit} bytes are taken."),
            _ => format!("Payload Too Large: the limit is {limit} bytes"),
        };
        let data = [("MaxBytes", text.as_str())];
        let code = "REQUEST_TOO_LARGE";
        self.check(
            operation,
            &answer,
            &Refusal { status: 413, message: &message, code, data: &data },
        );
    }

    /// Asks again for what has been read.
    async fn expect_unchanged(
        &mut self,
        app: &TestApp,
        operation: Operation,
        client: &Client,
        path: &str,
    ) {
        if operation.value["responses"].get("304").is_none() {
            return;
        }
        let shown = client.get(path).await;
        let Some(tag) = shown.headers.get("etag").filter(|_| shown.status == 200) else {
            return self.note(operation, 304, &shown);
        };
        if id(operation) == "get_rate_limit" {
            // Not counted, but told once a second only.
            app.advance_seconds(1);
        }
        let client = client.clone().with("if-none-match", tag.to_str().unwrap());
        let again = client.get(path).await;
        if again.status != 304 || !again.bytes.is_empty() {
            self.note(operation, 304, &again);
        }
        self.checked += 1;
    }

    /// Demands that there were none, of at least so many answers.
    #[track_caller]
    fn none_of(self, least: usize) {
        assert!(self.found.is_empty(), "{}", self.found.join("\n"));
        assert!(self.checked >= least, "only {} were looked at", self.checked);
    }
}

/// A refusal of app offerings, whose message is the status in words.
fn in_words(status: u16) -> Refusal<'static> {
    let message = StatusCode::from_u16(status).unwrap().canonical_reason().unwrap();
    Refusal { status, message, code: "", data: &[] }
}

#[tokio::test]
async fn app_offerings_answer_what_is_wrong_around_them_as_documented() {
    let app = TestApp::sqlite().await;
    let receiver = Receiver::of_anything();
    let own = Records::of(&app, "acme", "streuselkuchen", &receiver).await;
    app.deliver().await;
    let elsewhere = "Invalid x-xurrent-account header";
    let mut surprises = Surprises::default();
    for operation in of("offering_api") {
        let client = own.owner(&app, operation);
        let path = own.path(operation, None);
        surprises.expect_unchanged(&app, operation, &client, &path).await;
        // Limits are told once a second.
        app.advance_seconds(1);
        // What reads credentials out of its body knows no token.
        if id(operation) != "create_token" {
            let other = client.clone().with("x-xurrent-account", "initech");
            let refusal = Refusal { message: elsewhere, ..in_words(400) };
            surprises.expect(operation, &refusal, &other, &path).await;
            let stranger = app.bearer("not-a-token");
            surprises.expect(operation, &in_words(401), &stranger, &path).await;
        }
        app.advance_seconds(1);
        let picky = client.clone().with("accept", "image/png");
        surprises.expect(operation, &in_words(406), &picky, &path).await;
        let stale = client.clone().with("if-match", "\"another\"");
        surprises.expect(operation, &in_words(412), &stale, &path).await;
        surprises.expect_too_large(operation, MIB, &client, &path).await;
        app.advance_seconds(2);
    }
    surprises.none_of(400);
}

/// The path of an operation of packages with these things, or with what is nobody's.
fn package_path(operation: Operation, own: &Things) -> String {
    if !NOBODYS.iter().any(|(it, _)| *it == id(operation)) {
        return own.path(operation);
    }
    let value = |name: &str| match name {
        "behaviorId" => "42".to_owned(),
        "categoryId" => "2".to_owned(),
        _ => nothing(name),
    };
    format!("/api{}", operation.filled(value))
}

#[tokio::test]
async fn app_packages_answer_what_is_wrong_around_them_as_documented() {
    let app = TestApp::sqlite().await;
    let world = World::new(&app).await;
    let (own, client) = things(&app, &world, "acme", "streuselkuchen").await;
    let client = own.at(&client);
    let why = "has an opening parenthesis without its closing one.";
    let malformed = Refusal {
        status: 400,
        message: &format!("Missing or invalid parameter: responseFields {why}"),
        code: "MISSING_OR_INVALID_PARAMETER",
        data: &[("ParameterName", "responseFields"), ("ErrorMessage", why)],
    };
    let changed = Refusal {
        status: 412,
        message: "If-Match names another state of the record; read it again.",
        code: "PRECONDITION_FAILED",
        data: &[],
    };
    let mut surprises = Surprises::default();
    for operation in of("package_api") {
        let path = package_path(operation, &own);
        surprises.expect_unchanged(&app, operation, &client, &path).await;
        if operation.value["parameters"]
            .to_string()
            .contains("#/components/parameters/ResponseFields")
        {
            let path = format!("{path}?responseFields=a(b");
            surprises.expect(operation, &malformed, &client, &path).await;
        }
        let stale = client.clone().with("if-match", "\"another\"");
        // Bodies that name what they change.
        let body = match id(operation) {
            "update_application_subscription" => {
                let number: i64 = own.subscription.parse().unwrap();
                Some(json!({"applicationSubscriptionId": number}))
            }
            "update_package_behaviors" => Some(json!([])),
            "rename_package_file" => {
                let file = path.replace("files_rename", "files/a.js");
                client.send(http::Method::POST, &file, b"a".to_vec()).await.expect(200);
                Some(json!({"oldFullPath": "a.js", "newFullPath": "b.js"}))
            }
            _ => None,
        };
        if let Some(body) = body {
            let body = body.to_string();
            let answer = stale.send(operation.method(), &path, body.into()).await;
            surprises.check(operation, &answer, &changed);
        } else {
            surprises.expect(operation, &changed, &stale, &path).await;
        }
        let limit = match id(operation) {
            "create_package" | "update_package" => 16 * MIB,
            "upsert_package_file" => 64 * MIB,
            _ => MIB,
        };
        surprises.expect_too_large(operation, limit, &client, &path).await;
        app.advance_seconds(2);
    }
    surprises.none_of(95);
}

#[tokio::test]
async fn whoever_asks_too_often_is_refused_by_every_operation() {
    let app = TestApp::sqlite_with(|config| {
        config.rate_limit_burst = 1;
        config.package_rate_limit_burst = 1;
    })
    .await;
    let world = World::new(&app).await;
    let application = world.application("acme01.loyalty.1.0.0").await;
    let client = world.client(&application).await;
    app.advance_seconds(3);
    // The clock stands still from here on.
    app.acme().get("/v1/me").await.expect(200);
    app.acme().get("/v1/rate_limit").await.expect(200);
    app.anonymous().get("/v1").await.expect(200);
    client.get("/api/platform/reference/events").await.expect(200);
    let mut surprises = Surprises::default();
    for operation in of("offering_api") {
        let client = if operation.is_free() { app.anonymous() } else { app.acme() };
        let path = operation.filled(|_| "1".to_owned());
        surprises.expect(operation, &in_words(429), &client, &path).await;
    }
    for operation in of("package_api") {
        let client = if operation.is_free() { app.anonymous() } else { client.clone() };
        let path = format!("/api{}", operation.filled(nothing));
        let answer = send(operation, &client, &path).await;
        let seconds = answer.header("retry-after").to_owned();
        let message = format!("Too many requests; try again in {seconds} seconds.");
        let code = "EXCEEDED_MAX_RETRIES";
        let refusal = Refusal { status: 429, message: &message, code, data: &[] };
        surprises.check(operation, &answer, &refusal);
    }
    surprises.none_of(150);
}

/// PUT is PATCH by another name, also in what it refuses.
#[tokio::test]
async fn what_a_put_cannot_store_is_refused_as_by_a_patch() {
    let app = TestApp::sqlite().await;
    let receiver = Receiver::of_anything();
    let own = Records::of(&app, "acme", "streuselkuchen", &receiver).await;
    app.deliver().await;
    let puts = of("offering_api").filter(|operation| operation.method == "put");
    let puts = puts.map(|operation| {
        let body = match id(operation) {
            "replace_app_instance" => json!({"custom_fields": [{"id": "unknown", "value": 1}]}),
            "replace_app_offering_scope" => json!({"actions": []}),
            "replace_webhook" => json!({"uri": "nowhere"}),
            "replace_webhook_policy" => json!({"jwt_claim_expires_in": -1}),
            _ => json!({"name": ""}),
        };
        (operation, body)
    });
    for (operation, body) in puts {
        let (client, path) = (own.owner(&app, operation), own.path(operation, None));
        let put = client.put(&path, body.clone()).await;
        let patch = client.patch(&path, body).await;
        assert_eq!(put.text(), patch.text(), "{}", id(operation));
        assert_eq!(put.status, 422, "{}: {}", id(operation), put.text());
    }
}
