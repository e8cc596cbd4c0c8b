//! A record of every kind in an account, with what operations name them by.
use std::collections::BTreeMap;

use appmarket::directory::trusts;
use http::Method;
use serde_json::{Value, json};

use crate::document::Operation;
use crate::offering_api::attachments::{multipart, path, post_parts, upload};
use crate::support::client::Client;
use crate::support::receiver::Receiver;
use crate::support::{Answer, TestApp};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest of a picture";

/// What an account has; globex has installed its app.
pub struct Records {
    /// Path parameters, by the segment before them.
    ids: BTreeMap<&'static str, String>,
    /// Names of policies, which addresses outside `/v1` have instead of the number.
    policy: String,
    /// Of the account's administrator.
    token: String,
    pub service_instance: i64,
    pub draft: i64,
    /// The published version.
    pub version: i64,
}

impl Records {
    /// Makes them; every text in them contains `mark`, and so does every name.
    pub async fn of(app: &TestApp, account: &'static str, mark: &str, receiver: &Receiver) -> Self {
        let token = app.token(account, None, &[], None).await;
        let client = app.bearer(&token);
        let db = app.state.store.begin().await.unwrap();
        trusts::add(&db, account, "globex", 0).await.unwrap();
        db.commit().await.unwrap();
        let make = async |path: &str, body: Value| client.post(path, body).await.expect(201);
        let mut ids = BTreeMap::from([("accounts", account.to_owned())]);
        let number = |record: &Value| record["id"].as_i64().unwrap();
        let mut note = |segment, record: &Value| ids.insert(segment, number(record).to_string());
        let uri = receiver.url(&format!("/{mark}?account={{account}}"));

        let service = make(
            "/v1/service_instances",
            json!({"name": mark, "remarks": mark,
            "status": "in_production", "service": {"id": 1, "name": mark}}),
        )
        .await;
        note("service_instances", &service);
        let extension = make(
            "/v1/ui_extensions",
            json!({"name": mark, "category": "app_offering",
            "title": mark, "html": format!("<input id=\"{mark}\">"), "activate": true}),
        )
        .await;
        note("ui_extensions", &extension);
        let versions = format!("/v1/ui_extensions/{}/versions", extension["id"]);
        let versions = client.get(&versions).await.expect(200);
        note("versions", &versions[0]);

        let key = upload(app, &client, &format!("{mark}.txt"), "text/plain", mark.as_bytes()).await;
        let draft = make(
            "/v1/app_offerings",
            json!({
                "name": mark, "description": mark, "card_description": mark,
                "service_instance_id": service["id"], "ui_extension_version_id": versions[0]["id"],
                "policy_jwt_alg": "es256", "policy_jwt_audience": mark, "webhook_uri_template": uri,
                "configuration_uri_template": uri, "description_attachments": [{"key": key}],
                "new_scopes": [{"actions": ["request:Read"]}],
            }),
        )
        .await;
        note("app_offerings", &draft);
        note("files", &draft["attachments"][0]);
        let one = format!("/v1/app_offerings/{}", draft["id"]);
        let scopes = client.get(&format!("{one}/scopes")).await.expect(200);
        note("scopes", &scopes[0]);
        let avatar = [("avatar", Some("a.png"), PNG)];
        let shown = post_parts(&client, &format!("{one}/avatar"), &avatar).await.expect(200);
        let picture = path(&shown["picture_uri"]);
        let rule = make(
            "/v1/app_offering_automation_rules",
            json!({"app_offering_id": draft["id"],
            "rulable_type": "Req", "name": mark, "trigger": "on note added", "description": mark}),
        );
        note("app_offering_automation_rules", &rule.await);
        let version = make(&format!("{one}/publish"), json!({})).await;
        let install = json!({"app_offering_id": version["id"],
            "custom_fields": [{"id": mark, "value": mark}]});
        let installed = app.globex().post("/v1/app_instances", install).await.expect(201);
        note("app_instances", &installed);

        let policy =
            make("/v1/webhook_policies", json!({"jwt_alg": "es256", "jwt_audience": mark})).await;
        note("webhook_policies", &policy);
        let uri = receiver.url(&format!("/{mark}"));
        let hook = json!({"event": "app_instance.create", "uri": uri, "name": mark,
            "webhook_policy_id": policy["id"]});
        let hook = make("/v1/webhooks", hook).await;
        note("webhooks", &hook);
        let deliveries = client.get(&format!("/v1/webhooks/{}/deliveries", hook["id"])).await;
        note("deliveries", &deliveries.expect(200)[0]);
        note("audit_lines", &client.get("/v1/audit_lines").await.expect(200)[0]);
        ids.insert("pictures", picture.rsplit('/').next().unwrap().to_owned());
        Self {
            ids,
            policy: policy["name"].as_str().unwrap().to_owned(),
            token,
            service_instance: number(&service),
            draft: number(&draft),
            version: number(&version),
        }
    }

    /// The path of an operation with these records, but with those of `other` from the parameter of this
    /// place on.
    pub fn path(&self, operation: Operation, other: Option<(usize, &Self)>) -> String {
        let mut path = String::new();
        let mut before = "";
        let mut place = 0;
        for segment in operation.path.split('/').skip(1) {
            path.push('/');
            if segment.starts_with('{') {
                let of = other.filter(|(from, _)| place >= *from).map_or(self, |(_, other)| other);
                path.push_str(&of.parameter(operation, before));
                place += 1;
            } else {
                path.push_str(segment);
            }
            before = segment;
        }
        path
    }

    fn parameter(&self, operation: Operation, before: &str) -> String {
        if before == "webhook_policies" && operation.path.starts_with("/accounts/") {
            return self.policy.clone();
        }
        let unknown = || panic!("{}: no record stands behind {before}", operation.name());
        self.ids.get(before).cloned().unwrap_or_else(unknown)
    }

    /// Who may use an operation on these records: the publisher, or the customer where it is about what is
    /// installed.
    pub fn owner(&self, app: &TestApp, operation: Operation) -> Client {
        let is_customers = operation.path.starts_with("/v1/app_instances");
        if is_customers { app.globex() } else { app.bearer(&self.token) }
    }

    /// Ids of records that nobody has.
    pub fn nobodys(&self) -> Self {
        let ids = self.ids.keys().map(|segment| (*segment, "999999".to_owned())).collect();
        Self {
            ids,
            policy: "f".repeat(56),
            token: String::new(),
            service_instance: 0,
            draft: 0,
            version: 0,
        }
    }
}

/// Sends an operation with a body that it reads, and that changes nothing where the record is.
pub async fn send(operation: Operation, client: &Client, path: &str) -> Answer {
    if super::id(operation) == "replay_webhook_deliveries" {
        return client.post(path, json!({"since": "2026-02-01T00:00:00Z"})).await;
    }
    if operation.value["requestBody"]["content"].get("multipart/form-data").is_none() {
        return operation.send(client, path).await;
    }
    let kind =
        format!("multipart/form-data; boundary={}", crate::offering_api::attachments::BOUNDARY);
    let body = multipart(&[("avatar", Some("a.png"), PNG)]);
    client.clone().with("content-type", &kind).send(Method::POST, path, body).await
}
