//! `/v1/app_offerings`.
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;

const PATH: &str = "/v1/app_offerings";

/// A service instance of an account, made directly.
pub async fn service_instance(app: &TestApp, account: &str) -> i64 {
    let sql = format!(
        "INSERT INTO service_instances (account_id, name, status, service_id, service_name, source, \
         created_at, updated_at) VALUES ('{account}', 'Echo Production', 'in_production', 1, 'Echo', \
         'test', 0, 0)"
    );
    app.execute(&sql).await;
    app.count("SELECT MAX(id) FROM service_instances").await
}

/// A body that a create accepts.
pub fn offering(name: &str, service_instance: i64) -> Value {
    json!({
        "name": name, "policy_jwt_alg": "es256", "service_instance_id": service_instance,
        "webhook_uri_template": "https://echo.example.org/hook?account={account}",
    })
}

on_both! {
    async fn a_create_answers_the_whole_record(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let answer = app.acme().with("user-agent", "curl/8.5.0").post(PATH, json!({
            "name": "Ticket Echo", "policy_jwt_alg": "es256", "policy_jwt_claim_expires_in": 10,
            "service_instance_id": instance,
            "webhook_uri_template": "https://echo.example.org/hook?account={account}",
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/app_offerings/1");
        let record = answer.expect(201);
        assert_eq!(record, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE", "source": "curl/8.5.0",
            "sourceID": null, "reference": "acme_ticket_echo", "name": "Ticket Echo",
            "card_description": null, "description": null, "features": null, "compliance": null,
            "disabled": false, "picture_uri": null, "policy_jwt_alg": "es256",
            "policy_jwt_audience": null, "policy_jwt_claim_expires_in": 10,
            "service_instance": {"id": 1, "name": "Echo Production",
                "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2VJbnN0YW5jZS8x"},
            "ui_extension_version": null,
            "webhook_uri_template": "https://echo.example.org/hook?account={account}",
            "configuration_uri_template": null, "openid_connect_discovery": false,
            "requires_enabled_oauth_person": false, "attachments": [], "published": false,
            "latest": true, "created_at": "2026-02-01T09:15:00+01:00",
            "updated_at": "2026-02-01T09:15:00+01:00",
        }));
    }

    async fn a_body_with_many_mistakes_is_refused_with_all_of_them(app: TestApp) {
        let refused = app.acme().post(PATH, json!({
            "name": "x".repeat(129), "policy_jwt_alg": "hs256", "service_instance_id": 999,
            "webhook_uri_template": "ftp://example.org", "policy_jwt_claim_expires_in": "1:99",
        })).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
            ["name", "Name is too long (maximum is 128 characters)"],
            ["policy_jwt_alg", "Policy jwt alg is not included in the list"],
            ["policy_jwt_claim_expires_in", "Policy jwt claim expires in is invalid"],
            ["service_instance", "Service instance must exist"],
            ["webhook_uri_template", "Webhook uri template is invalid"],
        ]}));
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 0);
    }
}
