//! The audit trail, seen from outside: a change and its entry are made together, or neither is.
use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use super::TestApp;
use super::client::Client;
use super::contract::{documents, operation};

/// Makes changes, and notes which operations made them.
pub struct Trail<'a> {
    app: &'a TestApp,
    /// Ids of the operations that told what they did.
    told: BTreeSet<&'static str>,
}

impl<'a> Trail<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, told: BTreeSet::new() }
    }

    /// Sends a request twice. While entries cannot be written, it must fail; that it succeeds afterwards,
    /// and tells of the change, shows that the first time it changed nothing. Returns the answer.
    pub async fn change(
        &mut self,
        client: &Client,
        method: Method,
        path: &str,
        body: impl Into<Vec<u8>>,
    ) -> Value {
        let (_, _, operation) = operation(&method, path).unwrap();
        let id = operation["operationId"].as_str().unwrap();
        let (app, body) = (self.app, body.into());
        app.execute("ALTER TABLE audit_lines RENAME TO hidden").await;
        let failed = client.send(method.clone(), path, body.clone()).await;
        app.execute("ALTER TABLE hidden RENAME TO audit_lines").await;
        assert_eq!(failed.status, 500, "{id} without its entry: {}", failed.text());
        let entries = "SELECT COUNT(*) FROM audit_lines";
        let before = app.count(entries).await;
        let answer = client.send(method, path, body).await;
        assert!(answer.status.is_success(), "{id}: {} {}", answer.status, answer.text());
        assert!(app.count(entries).await > before, "{id} is not in the audit trail");
        self.told.insert(id);
        serde_json::from_slice(&answer.bytes).unwrap_or_default()
    }

    /// Demands that every operation of a family that may change something has done so, but for those that
    /// tell of nothing for a reason.
    pub fn finish(&self, family: &str, excused: &[(&'static str, &str)]) {
        let document = documents().into_iter().find(|it| it.family == family).unwrap();
        let items = document.value["paths"].as_object().unwrap().values();
        let changing: BTreeSet<&str> = items
            .flat_map(|item| item.as_object().unwrap())
            .filter(|(method, _)| *method != "get")
            .map(|(_, operation)| operation["operationId"].as_str().unwrap())
            .collect();
        let mut told = self.told.clone();
        for (id, why) in excused {
            assert!(told.insert(id), "{id} tells what it does; excused as {why}");
        }
        assert_eq!(told, changing);
    }
}
