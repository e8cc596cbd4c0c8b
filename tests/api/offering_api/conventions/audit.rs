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

        trail.finish("offering_api", &[
            ("create_token", "a token is no record"),
            ("upload_attachment", "a file is told of by the record that takes it up"),
        ]);
    }
}
