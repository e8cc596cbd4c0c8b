//! `POST /v1/app_offerings/{id}/publish`.
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;

const PATH: &str = "/v1/app_offerings";
const PUBLISH: &str = "/v1/app_offerings/1/publish";

/// Acme's offering 1, a draft with two scopes and two rules.
async fn draft(app: &TestApp) -> Value {
    let instance = service_instance(app, "acme").await;
    let mut body = offering("Echo", instance);
    body["new_scopes"] = json!([
        {"actions": ["request:Read"], "conditions": ["x"]},
        {"actions": ["ci:All"], "effect": "deny", "grant_type": "authorization_code"},
    ]);
    let draft = app.acme().post(PATH, body).await.expect(201);
    for (name, position) in [("later", 7), ("sooner", 3)] {
        let body = json!({
            "app_offering_id": 1, "rulable_type": "Req", "name": name, "trigger": "on note added",
            "position": position, "description": "d", "expressions": "e: 1", "condition": "e",
            "actions": "a: b",
        });
        app.acme().post("/v1/app_offering_automation_rules", body).await.expect(201);
    }
    draft
}

/// A list's items without what differs between a draft's records and their copies.
fn contents(list: Value) -> Vec<Value> {
    let mut items = list.as_array().unwrap().clone();
    for item in &mut items {
        let item = item.as_object_mut().unwrap();
        for name in ["id", "nodeID", "app_offering", "created_at", "updated_at"] {
            item.remove(name);
        }
    }
    items
}

on_both! {
    async fn the_version_is_a_copy_with_scopes_and_rules(app: TestApp) {
        let draft = draft(&app).await;
        app.advance_seconds(60);
        let answer = app.acme().post(PUBLISH, json!({})).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/app_offerings/2");
        let version = answer.expect(201);
        let mut expected = draft.clone();
        expected["id"] = json!(2);
        expected["nodeID"] = json!("ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI");
        expected["published"] = json!(true);
        expected["created_at"] = json!("2026-02-01T09:16:00+01:00");
        expected["updated_at"] = json!("2026-02-01T09:16:00+01:00");
        assert_eq!(version, expected);
        assert_eq!(app.acme().get("/v1/app_offerings/1").await.expect(200), draft, "the draft stays");

        for nested in ["scopes?fields=*", "automation_rules?fields=*"] {
            let of_draft = app.acme().get(&format!("{PATH}/1/{nested}")).await.expect(200);
            let of_version = app.acme().get(&format!("{PATH}/2/{nested}")).await.expect(200);
            assert_eq!(of_version[0]["created_at"], "2026-02-01T09:16:00+01:00");
            assert_ne!(of_version[0]["id"], of_draft[0]["id"]);
            assert_eq!(contents(of_version).len(), 2);
            assert_eq!(
                contents(app.acme().get(&format!("{PATH}/2/{nested}")).await.expect(200)),
                contents(of_draft)
            );
        }
        let rules = app.acme().get("/v1/app_offerings/2/automation_rules").await.expect(200);
        assert_eq!(rules[0]["name"], "sooner");
        assert_eq!(rules[0]["app_offering"]["id"], 2);
        let seen = app.globex().get("/v1/app_offerings/2/scopes").await.expect(200);
        assert_eq!(seen.as_array().unwrap().len(), 2);
    }

    async fn what_changes_in_the_draft_reaches_the_next_version_only(app: TestApp) {
        draft(&app).await;
        app.acme().post(PUBLISH, json!({})).await.expect(201);
        app.acme().patch("/v1/app_offerings/1", json!({
            "name": "Echo 2", "scopes_to_delete": [1], "new_scopes": [{"actions": ["task:Read"]}],
        })).await.expect(200);
        app.acme().delete("/v1/app_offering_automation_rules/1").await.expect(204);
        let first = app.acme().get("/v1/app_offerings/2").await.expect(200);
        assert_eq!((&first["name"], &first["latest"]), (&json!("Echo"), &json!(true)));
        let count = |path: &'static str| {
            let app = &app;
            async move { app.acme().get(path).await.expect(200).as_array().unwrap().len() }
        };
        assert_eq!(count("/v1/app_offerings/2/automation_rules").await, 2);

        let second = app.acme().post(PUBLISH, json!({})).await.expect(201);
        assert_eq!((&second["name"], &second["latest"]), (&json!("Echo 2"), &json!(true)));
        let first = app.acme().get("/v1/app_offerings/2").await.expect(200);
        assert_eq!((&first["name"], &first["latest"]), (&json!("Echo"), &json!(false)));
        assert_eq!(count("/v1/app_offerings/3/automation_rules").await, 1);
        let scopes = app.acme().get("/v1/app_offerings/3/scopes").await.expect(200);
        let actions: Vec<&Value> =
            scopes.as_array().unwrap().iter().map(|scope| &scope["actions"]).collect();
        assert_eq!(actions, [&json!(["ci:All"]), &json!(["task:Read"])]);
        // An older version is not listed any more, but can still be read.
        let newest = app.globex().get("/v1/app_offerings/all_latest_published?fields=id").await.expect(200);
        assert_eq!(newest.as_array().unwrap().len(), 1);
        assert_eq!(newest[0]["id"], 3);
        assert_eq!(app.globex().get("/v1/app_offerings/2").await.expect(200)["name"], "Echo");
    }

    async fn publishing_leaves_entries_for_draft_version_and_copies(app: TestApp) {
        draft(&app).await;
        let before = app.count("SELECT MAX(id) FROM audit_lines").await;
        app.acme().post(PUBLISH, json!({})).await.expect(201);
        let entries = app.acme().get("/v1/audit_lines?per_page=6").await.expect(200);
        let mut entries: Vec<(&str, &str)> = entries.as_array().unwrap().iter().map(|entry| {
            assert!(entry["id"].as_i64().unwrap() > before);
            (entry["audited"].as_str().unwrap(), entry["action"].as_str().unwrap())
        }).collect();
        entries.reverse();
        assert_eq!(entries, [
            ("app_offering", "create"),
            ("app_offering_scope", "create"), ("app_offering_scope", "create"),
            ("app_offering_automation_rule", "create"), ("app_offering_automation_rule", "create"),
            ("app_offering", "info"),
        ]);
        let of_draft = app.acme().get("/v1/app_offerings/1/audit").await.expect(200);
        assert_eq!(of_draft[0]["changes"], json!({"published_as": [null, 2]}));
        let of_version = app.acme().get("/v1/app_offerings/2/audit").await.expect(200);
        assert_eq!(of_version[0]["changes"]["published"], json!([null, true]));
        // The next version ends the time of this one.
        app.advance_seconds(60);
        app.acme().post(PUBLISH, json!({})).await.expect(201);
        let of_version = app.acme().get("/v1/app_offerings/2/audit").await.expect(200);
        assert_eq!(of_version[0]["action"], "update");
        assert_eq!(of_version[0]["changes"], json!({"latest": [true, false]}));
        let former = app.acme().get("/v1/app_offerings/2").await.expect(200);
        assert_eq!(former["updated_at"], "2026-02-01T09:16:00+01:00");
        let rule = app.acme().get("/v1/app_offering_automation_rules/3/audit").await.expect(200);
        assert_eq!(rule[0]["changes"]["app_offering"], json!([null, 2]));
    }

    async fn the_reference_is_fixed_from_then_on(app: TestApp) {
        draft(&app).await;
        app.acme().patch("/v1/app_offerings/1", json!({"reference": "echo"})).await.expect(200);
        app.acme().post(PUBLISH, json!({})).await.expect(201);
        let before = app.count("SELECT MAX(id) FROM audit_lines").await;
        for id in [1, 2] {
            let change = json!({"reference": "other", "name": "Renamed"});
            let refused = app.acme().patch(&format!("{PATH}/{id}"), change).await.expect(422);
            assert_eq!(refused, json!({"message": "Validation Failed", "errors":
                [["reference", "Reference cannot be changed after publication"]]}));
            let same = json!({"reference": "echo"});
            let same = app.acme().patch(&format!("{PATH}/{id}"), same).await.expect(200);
            assert_eq!(same["name"], "Echo");
        }
        assert_eq!(app.count("SELECT MAX(id) FROM audit_lines").await, before);
    }

    async fn a_published_version_cannot_be_published(app: TestApp) {
        draft(&app).await;
        app.acme().post(PUBLISH, json!({})).await.expect(201);
        let before = app.count("SELECT MAX(id) FROM audit_lines").await;
        let refused = app.acme().post("/v1/app_offerings/2/publish", json!({})).await.expect(422);
        assert_eq!(refused, json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "Only a draft can be published; this record is a published version",
        }));
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 2);
        assert_eq!(app.count("SELECT MAX(id) FROM audit_lines").await, before);
    }

    async fn nobody_else_publishes(app: TestApp) {
        draft(&app).await;
        let missing = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"});
        for client in [app.globex(), app.initech()] {
            assert_eq!(client.post(PUBLISH, json!({})).await.expect(404), missing);
        }
        assert_eq!(app.acme().post("/v1/app_offerings/9/publish", json!({})).await.expect(404), missing);
        app.acme().post(PUBLISH, json!({})).await.expect(201);
        let version = "/v1/app_offerings/2/publish";
        let forbidden = json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Forbidden"});
        assert_eq!(app.globex().post(version, json!({})).await.expect(403), forbidden);
        assert_eq!(app.initech().post(version, json!({})).await.expect(404), missing);
        let plain = app.plain_person("acme").await;
        assert_eq!(app.bearer(&plain).post(PUBLISH, json!({})).await.expect(403), forbidden);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 2);
    }

    async fn a_repeated_publish_with_its_key_makes_one_version(app: TestApp) {
        draft(&app).await;
        let client = app.acme().with("idempotency-key", "release-1");
        let first = client.post(PUBLISH, json!({})).await.expect(201);
        app.advance_seconds(3600);
        let again = client.post(PUBLISH, json!({})).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("location"), "https://acme.example.test/app_offerings/2");
        assert_eq!(again.expect(201), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 2);
        let other = app.acme().with("idempotency-key", "release-2");
        assert_eq!(other.post(PUBLISH, json!({})).await.expect(201)["id"], 3);
    }

    async fn an_empty_body_publishes_as_well(app: TestApp) {
        draft(&app).await;
        app.acme().send(http::Method::POST, PUBLISH, Vec::new()).await.expect(201);
    }

    async fn a_draft_that_changed_since_it_was_read_is_not_published(app: TestApp) {
        draft(&app).await;
        let tag = app.acme().get("/v1/app_offerings/1").await.header("etag").to_owned();
        app.acme().patch("/v1/app_offerings/1", json!({"name": "Changed"})).await.expect(200);
        let refused = app.acme().with("if-match", &tag).post(PUBLISH, json!({})).await.expect(412);
        assert_eq!(refused, json!({"type": "about:blank", "title": "Precondition Failed", "status": 412,
            "detail": "Precondition Failed"}));
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 1);
    }

    async fn who_publishes_at_the_same_time_leaves_one_latest_version(app: TestApp) {
        draft(&app).await;
        for round in 1..=3 {
            let client = app.acme();
            let publishes = (0..4).map(|_| {
                let client = client.clone();
                async move { client.post(PUBLISH, json!({})).await.expect(201) }
            });
            let versions = futures_util::future::join_all(publishes).await;
            let newest = versions.iter().map(|version| version["id"].as_i64().unwrap()).max().unwrap();
            let list = app.acme().get("/v1/app_offerings/latest_published?fields=latest").await.expect(200);
            assert_eq!(list.as_array().unwrap().len(), 1);
            assert_eq!(list[0]["id"], newest);
            let versions = app.count("SELECT COUNT(*) FROM app_offerings WHERE published").await;
            assert_eq!(versions, 4 * round);
            let scopes = app.count("SELECT COUNT(*) FROM app_offering_scopes").await;
            assert_eq!(scopes, 2 + 2 * versions);
        }
    }

    async fn a_reference_that_changes_while_it_is_published_ends_the_same_everywhere(app: TestApp) {
        draft(&app).await;
        let client = app.acme();
        let (published, changed) = tokio::join!(
            client.post(PUBLISH, json!({})),
            client.patch("/v1/app_offerings/1", json!({"reference": "late"})),
        );
        let version = published.expect(201);
        // Whichever came first: the change is in both or in neither.
        assert_eq!(changed.status == 200, version["reference"] == "late");
        let draft = app.acme().get("/v1/app_offerings/1").await.expect(200);
        assert_eq!(draft["reference"], version["reference"]);
    }
}
