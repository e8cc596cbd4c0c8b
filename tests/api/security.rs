//! Who may do what, proved from the documents for every operation: an operation that is new is covered when
//! it is mounted, or named by the test that does not know it.
mod foreign;
pub mod foreign_packages;
mod read_only;
pub mod records;

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

use crate::document::{Operation, nothing, of};
use crate::on_both;
use crate::support::Answer;
use crate::support::client::Client;
use crate::support::packages::{Application, World, refused};

/// Operations that answer without credentials, and why they may.
const OPEN: [(&str, &str); 21] = [
    (
        "configure_app_instance",
        "a browser comes without a token; the address is signed and expires",
    ),
    ("ask_to_confirm_app_instance", "the same address, with the cookie of the browser"),
    ("confirm_app_instance", "the same address, with the cookie of the browser"),
    ("get_webhook_policy_configuration", "receivers look up who signs; there is nothing secret"),
    ("get_webhook_policy_keys", "public keys, for receivers that verify signatures"),
    ("verify_webhook", "whoever received the address proves that it is theirs"),
    ("confirm_webhook", "whoever received the address proves that it is theirs"),
    ("upload_attachment", "the form may be signed instead, for uploads from a browser"),
    ("download_attachment", "the address is signed and expires"),
    ("get_picture", "pages show pictures; the name has 256 random bits"),
    ("get_root", "says what the service is"),
    ("create_token", "gives out tokens for the credentials in its body"),
    ("authenticate_app", "gives out tickets for the credentials in its body"),
    ("authenticate_app_oauth", "gives out tickets for the credentials in its body"),
    ("refresh_app_ticket", "the refresh token in its body is the credential"),
    ("delete_app_ticket", "the refresh token in its path is the credential"),
    ("authenticate_developer", "gives out tickets for the credentials in its body"),
    ("refresh_developer_ticket", "the refresh token in its body is the credential"),
    ("delete_developer_ticket", "the refresh token in its query is the credential"),
    ("download_log", "the address is signed and expires"),
    ("get_jwks", "public keys, for whoever verifies access tokens"),
];

/// The operationId.
pub fn id(operation: Operation) -> &'static str {
    operation.value["operationId"].as_str().unwrap()
}

/// The whole body with which an operation of app offerings refuses.
pub fn refusal(operation: Operation, status: StatusCode, text: &str) -> Value {
    match operation.value["x-appmarket-extension"] == true {
        true => json!({
            "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(),
            "detail": text,
        }),
        false => json!({"message": text}),
    }
}

/// Demands that an operation of app offerings refuses, with its whole body.
#[track_caller]
fn refuses(operation: Operation, answer: Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}: {}", operation.name(), answer.text());
    if status == StatusCode::UNAUTHORIZED {
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let expected = refusal(operation, status, status.canonical_reason().unwrap());
    let kind = if expected.get("type").is_some() {
        "application/problem+json"
    } else {
        "application/json"
    };
    let sent = answer.header("content-type").split(';').next().unwrap();
    assert_eq!(sent, kind, "{}", operation.name());
    assert_eq!(answer.expect(status.as_u16()), expected, "{}", operation.name());
}

#[test]
fn operations_without_credentials_are_listed_with_a_reason() {
    let open = of("offering_api").chain(of("package_api")).filter(|operation| operation.is_free());
    let open: BTreeSet<&str> = open.map(id).collect();
    let listed: BTreeSet<&str> = OPEN.iter().map(|(id, _)| *id).collect();
    assert_eq!(open, listed);
    assert_eq!(OPEN.len(), listed.len(), "one is listed twice");
}

on_both! {
    async fn no_credential_and_a_wrong_one_are_refused(app: TestApp) {
        let none = app.anonymous();
        let wrong = app.bearer("not-a-token-that-was-ever-given");
        for client in [&none, &wrong] {
            for operation in of("offering_api").filter(|operation| !operation.is_free()) {
                let path = operation.filled(|_| "1".to_owned());
                let answer = operation.send(client, &path).await;
                refuses(operation, answer, StatusCode::UNAUTHORIZED);
            }
            for operation in of("package_api").filter(|operation| !operation.is_free()) {
                let path = format!("/api{}", operation.filled(nothing));
                let answer = operation.send(client, &path).await;
                assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", operation.name());
                let data = [("OperationName", id(operation)), ("WWW-Authenticate", "Bearer")];
                let message = "The access token is missing, not valid or expired.";
                refused(answer, 401, "INVALID_ACCESS_TOKEN", message, &data);
            }
            app.advance_seconds(60);
        }
        // Without a credential, an open operation says what it lacks instead.
        for operation in of("offering_api").filter(|operation| operation.is_free()) {
            let answer = operation.send(&none, &operation.filled(|_| "1".to_owned())).await;
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{}", operation.name());
        }
        for operation in of("package_api").filter(|operation| operation.is_free()) {
            let path = format!("/api{}", operation.filled(nothing));
            let answer = operation.send(&none, &path).await;
            assert!(!answer.text().contains("INVALID_ACCESS_TOKEN"), "{}", operation.name());
        }
    }

    async fn the_declared_permission_is_the_one_that_is_enforced(app: TestApp) {
        for operation in of("offering_api") {
            let Some(scope) = operation.scope() else {
                assert!(operation.is_free(), "{} needs no scope", operation.name());
                continue;
            };
            let path = operation.filled(|_| "999999".to_owned());
            let denied = app.token("acme", None, &["*", &format!("!{scope}")], None).await;
            let answer = operation.send(&app.bearer(&denied), &path).await;
            refuses(operation, answer, StatusCode::FORBIDDEN);
            let allowed = app.token("acme", None, &[scope], None).await;
            let answer = operation.send(&app.bearer(&allowed), &path).await;
            assert_ne!(answer.status, 403, "{} with {scope}", operation.name());
            app.advance_seconds(2);
        }
    }

    async fn the_declared_role_is_the_one_that_is_enforced(app: TestApp) {
        let plain = app.bearer(&app.plain_person("acme").await);
        for operation in of("offering_api").filter(|operation| operation.scope().is_some()) {
            let path = operation.filled(|_| "999999".to_owned());
            let answer = operation.send(&plain, &path).await;
            match operation.value["x-required-role"].as_str() {
                Some("account_administrator") => refuses(operation, answer, StatusCode::FORBIDDEN),
                None => assert_ne!(answer.status, 403, "{}", operation.name()),
                Some(role) => panic!("{}: who is {role}?", operation.name()),
            }
            app.advance_seconds(2);
        }
    }

    async fn the_declared_behavior_is_the_one_that_is_enforced(app: TestApp) {
        let world = World::new(&app).await;
        let other = world.application("acme01.other.1.0.0").await;
        let known = &app.state.catalogue.behaviors;
        let scopes: BTreeSet<&str> = of("package_api").filter_map(Operation::scope).collect();
        assert!(scopes.contains("developer:Create"));
        for (place, scope) in scopes.into_iter().enumerate() {
            let name = behavior(scope);
            let id = known.named(&name).unwrap().id;
            let rest = known.all().iter().filter(|it| it.id != id && !it.is_private);
            let rest: Vec<&str> = rest.map(|it| it.name.as_str()).collect();
            let without = world.application_with(&format!("acme01.without{place}.1.0.0"), &rest).await;
            let with = world.application_with(&format!("acme01.with{place}.1.0.0"), &[&name]).await;
            let (without, with) = (world.client(&without).await, world.client(&with).await);
            for operation in of("package_api").filter(|operation| operation.scope() == Some(scope)) {
                check_behavior(operation, (&without, &with), &other, id).await;
                app.advance_seconds(2);
            }
        }
    }
}

/// `developer-asset:Read` is the behavior Developer Asset Read; written anew, to compare with the
/// service's own translation.
fn behavior(scope: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    let (object, verb) = scope.split_once(':').unwrap();
    let object: Vec<String> = object.split('-').map(word).collect();
    format!("{} {verb}", object.join(" "))
}

/// Tries an operation with all behaviors but its own, and with its own only.
async fn check_behavior(
    operation: Operation,
    (without, with): (&Client, &Client),
    other: &Application,
    behavior: i64,
) {
    let is_own = operation.value["x-own-package"] == true;
    // Whose package it is must be known before an application is refused the sight of another's.
    let value = |name: &str| match name {
        "applicationKey" if is_own => other.key.clone(),
        "packageId" if is_own => other.package.to_string(),
        _ => nothing(name),
    };
    let path = format!("/api{}", operation.filled(value));
    let answer = operation.send(without, &path).await;
    let is_known = ["applicationKey", "packageId"].iter().any(|it| operation.path.contains(it));
    if is_own && !is_known {
        // What is not there is nobody's own.
        assert!([403, 404].contains(&answer.status.as_u16()), "{}", operation.name());
    } else {
        let number = behavior.to_string();
        let data = [("OperationName", id(operation)), ("BehaviorId", number.as_str())];
        let message = format!("Forbidden: the access token lacks the behavior {behavior}.");
        refused(answer, 403, "FORBIDDEN", &message, &data);
    }
    let allowed = operation.send(with, &path).await;
    // An answer may be a file.
    let text = String::from_utf8_lossy(&allowed.bytes);
    assert!(!text.contains("BehaviorId"), "{}: {text}", operation.name());
}
