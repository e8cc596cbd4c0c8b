//! What changes a record leaves an entry in the audit trail (contract 3.9).
use http::Method;
use serde_json::json;

use super::PATH;
use crate::offering_api::app_offerings::{offering, service_instance};
use crate::offering_api::attachments::{BOUNDARY, multipart};
use crate::on_both;
use crate::support::audit::Trail;

on_both! {
    async fn every_change_is_told_in_the_audit_trail_or_not_made(app: TestApp) {
        let acme = app.acme();
        let mut trail = Trail::new(&app);
        let described = |text: &str| json!({"description": text}).to_string();

        let body = offering("Echo", service_instance(&app, "acme").await).to_string();
        let made = trail.change(&acme, Method::POST, PATH, body).await;
        let one = format!("{PATH}/{}", made["id"]);
        trail.change(&acme, Method::PATCH, &one, described("a")).await;
        trail.change(&acme, Method::PUT, &one, described("b")).await;
        let picture = multipart(&[("avatar", Some("a.gif"), b"GIF89a and more")]);
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let form = acme.clone().with("content-type", &kind);
        trail.change(&form, Method::POST, &format!("{one}/avatar"), picture).await;
        trail.change(&acme, Method::POST, &format!("{one}/publish"), "{}").await;

        let scopes = format!("{one}/scopes");
        let acting = |action: &str| json!({"actions": [action]}).to_string();
        let scope = trail.change(&acme, Method::POST, &scopes, acting("ci:Read")).await;
        let scope = format!("{scopes}/{}", scope["id"]);
        trail.change(&acme, Method::PATCH, &scope, acting("ci:Create")).await;
        trail.change(&acme, Method::PUT, &scope, acting("ci:All")).await;
        trail.change(&acme, Method::DELETE, &scope, "").await;

        let rules = "/v1/app_offering_automation_rules";
        let body = json!({"app_offering_id": made["id"], "rulable_type": "Req", "name": "Echo",
            "trigger": "on note added"});
        let rule = trail.change(&acme, Method::POST, rules, body.to_string()).await;
        let rule = format!("{rules}/{}", rule["id"]);
        trail.change(&acme, Method::PATCH, &rule, described("a")).await;
        trail.change(&acme, Method::PUT, &rule, described("b")).await;
        trail.change(&acme, Method::DELETE, &rule, "").await;

        for (path, body) in [
            ("/v1/ui_extensions", json!({"name": "Echo", "category": "app_offering"})),
            ("/v1/service_instances", json!({"name": "Echo", "service_id": 1})),
        ] {
            let made = trail.change(&acme, Method::POST, path, body.to_string()).await;
            let one = format!("{path}/{}", made["id"]);
            let named = |name: &str| json!({"name": name}).to_string();
            trail.change(&acme, Method::PATCH, &one, named("Echo 2")).await;
            trail.change(&acme, Method::PUT, &one, named("Echo 3")).await;
        }

        let policies = "/v1/webhook_policies";
        let policy = trail.change(&acme, Method::POST, policies, r#"{"jwt_alg": "es256"}"#).await;
        let policy = format!("{policies}/{}", policy["id"]);
        let meant_for = |audience: &str| json!({"jwt_audience": audience}).to_string();
        trail.change(&acme, Method::PATCH, &policy, meant_for("a")).await;
        trail.change(&acme, Method::PUT, &policy, meant_for("b")).await;
        trail.change(&acme, Method::POST, &format!("{policy}/rotate"), "{}").await;
        trail.change(&acme, Method::DELETE, &policy, "").await;

        let body = json!({"event": "app_instance.create", "uri": "https://echo.example.org/"});
        let webhook = trail.change(&acme, Method::POST, "/v1/webhooks", body.to_string()).await;
        let webhook = format!("/v1/webhooks/{}", webhook["id"]);
        trail.change(&acme, Method::PATCH, &webhook, described("a")).await;
        trail.change(&acme, Method::PUT, &webhook, described("b")).await;
        trail.change(&acme, Method::DELETE, &webhook, "").await;

        let globex = app.globex();
        let mut body = offering("Configured", service_instance(&app, "acme").await);
        body["configuration_uri_template"] = json!("https://echo.example.org/{account}");
        let draft = acme.post(PATH, body).await.expect(201);
        let version = acme.post(&format!("{PATH}/{}/publish", draft["id"]), json!({})).await.expect(201);
        let body = json!({"app_offering_id": version["id"]}).to_string();
        let instance = trail.change(&globex, Method::POST, "/v1/app_instances", body).await;
        let instance = format!("/v1/app_instances/{}", instance["id"]);
        let way = globex.get(&format!("{instance}/configuration")).await.expect(200);
        let on_host = |uri: &str| {
            uri.strip_prefix("https://globex.example.test").map(|path| format!("/accounts/globex{path}")).unwrap()
        };
        let begun = app.anonymous().get(&on_host(way["configuration_uri"].as_str().unwrap())).await;
        let cookie = begun.header("set-cookie").split(';').next().unwrap();
        let page = url::Url::parse(begun.header("location")).unwrap();
        let (_, confirm) = page.query_pairs().find(|(name, _)| name == "confirmation_url").unwrap();
        let browser = app.anonymous().with("cookie", cookie);
        trail.change(&browser, Method::POST, &on_host(&confirm), "").await;
        trail.change(&globex, Method::PATCH, &instance, r#"{"enabled_by_customer": false}"#).await;
        trail.change(&globex, Method::PUT, &instance, r#"{"enabled_by_customer": true}"#).await;
        trail.change(&globex, Method::DELETE, &instance, "").await;

        trail.finish("offering_api", &[
            ("create_token", "a token is no record"),
            ("test_webhook", "a test changes nothing"),
            ("redeliver_webhook_delivery", "the delivery log tells of it"),
            ("replay_webhook_deliveries", "the delivery log tells of it"),
            ("confirm_webhook", "the receiver does it, and verified_at tells of it"),
            ("upload_attachment", "a file is told of by the record that takes it up"),
        ]);
    }
}
