//! What every operation does alike (contract 1), shown with app offerings.
use serde_json::{Value, json};

use crate::support::Answer;
use crate::support::TestApp;

mod audit;
mod bodies;
mod callers;
mod documented;
mod filters;
mod headers;
mod idempotency;
mod limits;
mod pages;

const PATH: &str = "/v1/app_offerings";

/// Demands a refusal with exactly this body.
#[track_caller]
fn refused(answer: Answer, status: u16, message: &str) {
    assert_eq!(answer.expect(status), json!({"message": message}));
}

/// An offering as it stands in the table.
struct Row<'a> {
    account: &'a str,
    instance: i64,
    reference: &'a str,
    name: &'a str,
    source: &'a str,
    source_id: Option<&'a str>,
    disabled: bool,
    created_at: i64,
    updated_at: i64,
}

impl Row<'_> {
    /// Writes it directly, which is quicker than forty requests and can choose the times.
    async fn insert(&self, app: &TestApp) {
        let Self { account, instance, reference, name, source, disabled, .. } = self;
        let source_id = self.source_id.map_or("NULL".to_owned(), |text| format!("'{text}'"));
        let (created_at, updated_at) = (self.created_at, self.updated_at);
        app.execute(&format!(
            "INSERT INTO app_offerings (account_id, published, latest, reference, name, disabled, \
             policy_jwt_alg, service_instance_id, webhook_uri_template, openid_connect_discovery, \
             requires_enabled_oauth_person, source, source_id, created_at, updated_at) VALUES \
             ('{account}', FALSE, TRUE, '{reference}', '{name}', {disabled}, 'es256', {instance}, \
             'https://echo.example.org', FALSE, FALSE, '{source}', {source_id}, {created_at}, {updated_at})"
        ))
        .await;
    }
}

/// The numbers of a list's records.
#[track_caller]
fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|record| record["id"].as_i64().unwrap()).collect()
}
