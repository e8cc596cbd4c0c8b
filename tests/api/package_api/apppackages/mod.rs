//! `/platform/appdev/apppackages`: what changes packages. Their lists have a file of their own.
use serde_json::Value;

use crate::support::client::Client;
use crate::support::packages::{Application, World, refused};
use crate::support::{Answer, TestApp};

mod behaviors;
mod clones;
mod creates;
mod deletions;
mod projects;
mod reads;
mod updates;

/// Where packages are.
const PATH: &str = "/api/platform/appdev/apppackages";

fn path_of(key: &str) -> String {
    format!("{PATH}/{key}")
}

/// The application `loyalty` of acme, and a client of it.
async fn loyalty(app: &TestApp) -> (World<'_>, Application, Client) {
    let world = World::new(app).await;
    let application = world.application("acme01.loyalty.1.0.0").await;
    let client = world.client(&application).await;
    (world, application, client)
}

/// A package with its children.
async fn whole(client: &Client, key: &str) -> Value {
    client.get(&format!("{}?includeChildren=true", path_of(key))).await.expect(200)
}

/// The same object with other values.
fn with(object: &Value, changes: Value) -> Value {
    let mut object = object.clone();
    let Value::Object(changes) = changes else { panic!("{changes} is no object") };
    for (member, value) in changes {
        assert!(object.get(&member).is_some(), "{member} is a member");
        object[member] = value;
    }
    object
}

/// Entries of the audit trail about a type of records.
async fn entries(app: &TestApp, record_type: &str, action: &str) -> i64 {
    let sql = format!(
        "SELECT COUNT(*) FROM audit_lines WHERE record_type = '{record_type}' AND action = '{action}'"
    );
    app.count(&sql).await
}

/// How many entries there are at all.
async fn all_entries(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM audit_lines").await
}

#[track_caller]
fn refused_parameter(answer: Answer, parameter: &str, why: &str) {
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

#[track_caller]
fn refused_rule(answer: Answer, why: &str) {
    let message = format!("Validation Error: {why}");
    refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", why)]);
}

#[track_caller]
fn refused_key(answer: Answer, key: &str) {
    let message = format!("Item not found: package {key}");
    refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("AppKey", key)]);
}

#[track_caller]
fn refused_caller(answer: Answer, operation: &str) {
    let message = "Forbidden: not for the developer account of the access token.";
    refused(answer, 403, "FORBIDDEN", message, &[("OperationName", operation)]);
}

#[track_caller]
fn refused_private(answer: Answer, operation: &str) {
    let message = "Forbidden: the behavior 25 is private; only operators give it.";
    let data = [("OperationName", operation), ("BehaviorId", "25")];
    refused(answer, 403, "FORBIDDEN", message, &data);
}

#[track_caller]
fn refused_verdict(answer: Answer) {
    let message = "Forbidden: only operators decide about a certification.";
    refused(answer, 403, "FORBIDDEN", message, &[("OperationName", "update_package")]);
}

/// What a refusal says of a locked version.
fn locked(status: &str) -> String {
    format!("version 1.0.0 of acme01.loyalty is locked, because its status is {status}.")
}

const MALFORMED: &str = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                         acme01.loyalty.1.0.0.Release.";
