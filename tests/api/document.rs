//! Properties of the whole API, proved from its document: a new operation is covered when it is mounted.
use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use crate::support::TestApp;
use crate::support::contract::DOCUMENT;

/// Every operation: path, method, itself.
fn operations() -> impl Iterator<Item = (&'static str, Method, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            (path.as_str(), method.to_ascii_uppercase().parse().unwrap(), operation)
        })
    })
}

/// A path with this id for each of its parameters.
fn filled(path: &str, id: &str) -> String {
    let segments =
        path.split('/').map(|segment| if segment.starts_with('{') { id } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn the_committed_documents_are_current() {
    for (name, fresh) in appmarket::api::generated_files() {
        let path = format!("{}/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == fresh,
            "openapi/{name} is out of date: run `cargo run -- openapi` and commit it"
        );
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| walk(value, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&DOCUMENT, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn every_operation_is_complete() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is used twice");
        let tags = operation["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 1, "{method} {path}");
        let folder = format!(
            "{}/src/offering_api/{}",
            env!("CARGO_MANIFEST_DIR"),
            tags[0].as_str().unwrap()
        );
        assert!(
            std::path::Path::new(&folder).is_dir(),
            "{method} {path}: there is no folder {folder}"
        );
        for name in ["summary", "description"] {
            assert!(
                operation[name].as_str().is_some_and(|text| !text.is_empty()),
                "{method} {path}: no {name}"
            );
        }
    }
}

#[tokio::test]
async fn protected_operations_refuse_strangers() {
    let app = TestApp::sqlite().await;
    for (path, method, operation) in operations() {
        let security = operation["security"].as_array().unwrap();
        let is_free = security.iter().any(|one| one.as_object().unwrap().is_empty());
        let path = filled(path, "1");
        let answer = app.anonymous().send(method.clone(), &path, b"{}".to_vec()).await;
        assert_eq!(answer.status == 401, !is_free, "{method} {path}: {}", answer.status);
        if answer.status == 401 && answer.header("content-type").starts_with("application/json") {
            assert_eq!(answer.text(), r#"{"message":"Unauthorized"}"#);
        }
    }
}

#[tokio::test]
async fn the_declared_permission_is_the_one_that_is_enforced() {
    let app = TestApp::sqlite().await;
    for (path, method, operation) in operations() {
        let Some(scope) = operation["security"][1]["oauth2"][0].as_str() else { continue };
        let path = filled(path, "999999");
        let denied = app.token("acme", None, &["*", &format!("!{scope}")], None).await;
        let answer = app.bearer(&denied).send(method.clone(), &path, b"{}".to_vec()).await;
        assert_eq!(answer.status, 403, "{method} {path} without {scope}");
        let allowed = app.token("acme", None, &[scope], None).await;
        let answer = app.bearer(&allowed).send(method.clone(), &path, b"{}".to_vec()).await;
        assert_ne!(answer.status, 403, "{method} {path} with {scope}");
        app.advance_seconds(2);
    }
}

#[tokio::test]
async fn the_declared_role_is_the_one_that_is_enforced() {
    let app = TestApp::sqlite().await;
    let plain = app.plain_person("acme").await;
    for (path, method, operation) in operations() {
        if operation["security"][0].as_object().unwrap().is_empty() {
            continue;
        }
        let path = filled(path, "999999");
        let answer = app.bearer(&plain).send(method.clone(), &path, b"{}".to_vec()).await;
        let needs_role = operation.get("x-required-role").is_some();
        assert_eq!(answer.status == 403, needs_role, "{method} {path}: {}", answer.status);
        app.advance_seconds(2);
    }
}
