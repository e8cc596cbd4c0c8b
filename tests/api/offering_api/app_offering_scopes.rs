//! `/v1/app_offerings/{id}/scopes`, and scopes in the body of an offering.
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;

const OFFERINGS: &str = "/v1/app_offerings";
const PATH: &str = "/v1/app_offerings/1/scopes";

/// Acme's offering 1, a draft.
async fn draft(app: &TestApp) {
    let instance = service_instance(app, "acme").await;
    app.acme().post(OFFERINGS, offering("Echo", instance)).await.expect(201);
}

/// Acme's offering 1 with the published version 2.
async fn published(app: &TestApp) {
    draft(app).await;
    app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
}

/// A refusal of the operations that are ours alone.
fn problem(status: u16, title: &str, detail: &str) -> Value {
    json!({"type": "about:blank", "title": title, "status": status, "detail": detail})
}

/// A refused body of them.
fn refused(errors: Value) -> Value {
    let mut body = problem(422, "Unprocessable Entity", "Validation Failed");
    body["errors"] = errors;
    body
}

on_both! {
    async fn a_create_answers_the_whole_scope(app: TestApp) {
        draft(&app).await;
        let answer = app.acme().post(PATH, json!({
            "effect": "deny", "grant_type": "authorization_code",
            "actions": ["request:Read", "product-category:All"], "conditions": ["team = mine"],
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/app_offerings/1/scopes/1");
        let scope = answer.expect(201);
        assert_eq!(scope, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMQ", "effect": "deny",
            "grant_type": "authorization_code", "actions": ["request:Read", "product-category:All"],
            "conditions": ["team = mine"], "created_at": "2026-02-01T09:15:00+01:00",
            "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        assert_eq!(app.acme().get("/v1/app_offerings/1/scopes/1").await.expect(200), scope);
        let by_names = "/v1/app_offerings/ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE/scopes/\
                        ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMQ";
        assert_eq!(app.acme().get(by_names).await.expect(200), scope);

        let plain = app.acme().post(PATH, json!({"actions": ["ci:Read"]})).await.expect(201);
        assert_eq!(plain["effect"], "allow");
        assert_eq!(plain["grant_type"], "client_credentials");
        assert_eq!(plain["conditions"], json!([]));
    }

    async fn a_list_shows_effect_and_actions_in_the_order_of_creation(app: TestApp) {
        draft(&app).await;
        app.acme().post(PATH, json!({"actions": ["request:Create"]})).await.expect(201);
        app.acme().post(PATH, json!({"actions": ["ci:Read"], "effect": "deny"})).await.expect(201);
        let list = app.acme().get("/v1/app_offerings/1/scopes/?per_page=100").await;
        assert_eq!(list.header("x-pagination-total-entries"), "2");
        assert_eq!(list.expect(200), json!([
            {"id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMQ", "effect": "allow",
             "actions": ["request:Create"]},
            {"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMg", "effect": "deny",
             "actions": ["ci:Read"]},
        ]));
        let one = app.acme().get(&format!("{PATH}?sort=-id&per_page=1&fields=grant_type")).await.expect(200);
        assert_eq!(one, json!([{"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMg",
            "grant_type": "client_credentials"}]));
        let unknown = app.acme().get(&format!("{PATH}?fields=app_offering")).await.expect(400);
        assert_eq!(unknown, json!({"message": "Unknown fields: app_offering"}));
        let refused = app.acme().get(&format!("{PATH}?effect=deny")).await.expect(400);
        assert_eq!(refused, json!({"message": "Filtering not allowed on fields: effect"}));
    }

    async fn a_change_replaces_what_it_names(app: TestApp) {
        draft(&app).await;
        let made = app.acme().post(PATH, json!({
            "actions": ["request:Read"], "conditions": ["a"],
        })).await.expect(201);
        app.advance_seconds(60);
        let one = "/v1/app_offerings/1/scopes/1";
        let changed = app.acme().patch(one, json!({"actions": ["request:All"]})).await.expect(200);
        let mut expected = made;
        expected["actions"] = json!(["request:All"]);
        expected["updated_at"] = json!("2026-02-01T09:16:00+01:00");
        assert_eq!(changed, expected);
        expected["conditions"] = json!([]);
        expected["effect"] = json!("deny");
        let changed = app.acme().put(one, json!({"conditions": null, "effect": "deny"})).await.expect(200);
        assert_eq!(changed, expected);

        app.advance_seconds(60);
        let same = app.acme().patch(one, json!({"actions": ["request:All"], "id": 7})).await.expect(200);
        assert_eq!(same, expected, "what changes nothing leaves no trace");
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 4);
    }

    async fn a_change_of_what_was_read_before_somebody_else_changed_it_is_refused(app: TestApp) {
        draft(&app).await;
        app.acme().post(PATH, json!({"actions": ["request:Read"]})).await.expect(201);
        let one = "/v1/app_offerings/1/scopes/1";
        let read = app.acme().get(one).await;
        let tag = read.header("etag").to_owned();
        let guarded = app.acme().with("if-match", &tag);
        guarded.patch(one, json!({"effect": "deny"})).await.expect(200);
        let late = guarded.patch(one, json!({"effect": "allow"})).await.expect(412);
        assert_eq!(late, problem(412, "Precondition Failed", "Precondition Failed"));
        assert_eq!(guarded.delete(one).await.expect(412), late);
        assert_eq!(app.acme().get(one).await.expect(200)["effect"], "deny");
    }

    async fn a_delete_removes_the_scope(app: TestApp) {
        draft(&app).await;
        app.acme().post(PATH, json!({"actions": ["request:Read"]})).await.expect(201);
        let one = "/v1/app_offerings/1/scopes/1";
        assert_eq!(app.acme().delete(one).await.expect(204), Value::Null);
        let gone = json!({"message": "Not Found"});
        assert_eq!(app.acme().get(one).await.expect(404), gone);
        assert_eq!(app.acme().delete(one).await.expect(404), problem(404, "Not Found", "Not Found"));
        assert_eq!(app.acme().get(PATH).await.expect(200), json!([]));
    }

    async fn every_write_leaves_an_entry(app: TestApp) {
        draft(&app).await;
        app.acme().post(PATH, json!({"actions": ["request:Read"]})).await.expect(201);
        let one = "/v1/app_offerings/1/scopes/1";
        app.acme().patch(one, json!({"actions": ["ci:Read"]})).await.expect(200);
        app.acme().delete(one).await.expect(204);
        let entries = app.acme().get("/v1/audit_lines?per_page=3").await.expect(200);
        let actions: Vec<&Value> =
            entries.as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
        assert_eq!(actions, ["destroy", "update", "create"]);
        assert_eq!(entries[0], json!({
            "id": 4, "nodeID": "ZXhhbXBsZS50ZXN0L0F1ZGl0TGluZS80", "action": "destroy",
            "audited": "app_offering_scope",
            "app_offering_scope": {"id": 1, "name": "allow ci:Read",
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMQ"},
            "created_at": "2026-02-01T09:15:00+01:00",
            "created_by": {"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"},
        }));
        let changes = |id: i64| {
            let app = &app;
            async move { app.acme().get(&format!("/v1/audit_lines/{id}")).await.expect(200)["changes"].clone() }
        };
        assert_eq!(changes(2).await, json!({
            "effect": [null, "allow"], "grant_type": [null, "client_credentials"],
            "actions": [null, ["request:Read"]], "conditions": [null, []],
        }));
        assert_eq!(changes(3).await, json!({"actions": [["request:Read"], ["ci:Read"]]}));
        assert_eq!(changes(4).await["actions"], json!([["ci:Read"], null]));
    }

    async fn everything_that_is_wrong_with_a_scope_is_told_at_once(app: TestApp) {
        draft(&app).await;
        let many: Vec<&str> = std::iter::repeat_n("a:Read", 201).collect();
        for (body, errors) in [
            (json!({}), json!([{"field": "actions", "detail": "Actions can't be blank"}])),
            (json!({"actions": []}), json!([{"field": "actions", "detail": "Actions can't be blank"}])),
            (json!({"actions": null}), json!([{"field": "actions", "detail": "Actions can't be blank"}])),
            (json!({"actions": "request:Read"}), json!([{"field": "actions", "detail": "Actions is invalid"}])),
            (json!({"actions": ["request:Read", "request:read"]}),
             json!([{"field": "actions", "detail": "Actions is invalid"}])),
            (json!({"actions": many}), json!([{"field": "actions", "detail": "Actions has too many items (maximum is 200)"}])),
            (json!({"actions": [format!("{}:Read", "a".repeat(124))]}),
             json!([{"field": "actions", "detail": "Actions is too long (maximum is 128 characters)"}])),
            (json!({"actions": ["a:Read", ""], "conditions": ["a = b", " "]}),
             json!([
                {"field": "actions", "detail": "Actions is invalid"},
                {"field": "conditions", "detail": "Conditions is invalid"},
             ])),
            (json!({"actions": ["Request:Read"], "effect": "ALLOW", "grant_type": "password", "conditions": [1]}),
             json!([
                {"field": "effect", "detail": "Effect is not included in the list"},
                {"field": "grant_type", "detail": "Grant type is not included in the list"},
                {"field": "actions", "detail": "Actions is invalid"},
                {"field": "conditions", "detail": "Conditions is invalid"},
             ])),
        ] {
            assert_eq!(app.acme().post(PATH, body.clone()).await.expect(422), refused(errors), "{body}");
        }
        app.acme().post(PATH, json!({"actions": ["a:Read"]})).await.expect(201);
        let cleared = app.acme().patch("/v1/app_offerings/1/scopes/1", json!({"actions": []})).await;
        assert_eq!(cleared.expect(422), refused(json!([{"field": "actions", "detail": "Actions can't be blank"}])));
        let german = app.acme().with("x-xurrent-language", "de").post(PATH, json!({})).await.expect(422);
        assert_eq!(german["errors"][0]["detail"], "Aktionsliste muss ausgefüllt werden");
        let strict = app.acme().with("prefer", "handling=strict");
        let unknown = strict.post(PATH, json!({"actions": ["a:Read"], "foo": 1})).await.expect(400);
        assert_eq!(unknown, problem(400, "Bad Request", "Unknown properties: foo"));
        let broken = app.acme().send(http::Method::POST, PATH, b"{".to_vec()).await.expect(400);
        assert_eq!(broken, problem(400, "Bad Request", "Invalid JSON string posted"));
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_scopes").await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
    }

    async fn a_trusted_customer_reads_the_scopes_of_what_is_published_and_writes_none(app: TestApp) {
        published(&app).await;
        app.acme().post(PATH, json!({"actions": ["request:Read"]})).await.expect(201);
        let theirs = "/v1/app_offerings/2/scopes";
        app.acme().post(theirs, json!({"actions": ["request:Read"]})).await.expect(201);
        let one = "/v1/app_offerings/2/scopes/2";

        let owner = json!({"id": "acme", "name": "Acme"});
        let list = app.globex().get(theirs).await.expect(200);
        assert_eq!(list, json!([{"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMg",
            "effect": "allow", "actions": ["request:Read"], "account": owner}]));
        let scope = app.globex().get(one).await.expect(200);
        assert_eq!(scope["account"], owner);

        let forbidden = problem(403, "Forbidden", "Forbidden");
        let globex = app.globex();
        assert_eq!(globex.post(theirs, json!({"actions": ["a:Read"]})).await.expect(403), forbidden);
        assert_eq!(globex.patch(one, json!({"effect": "deny"})).await.expect(403), forbidden);
        assert_eq!(globex.put(one, json!({"effect": "deny"})).await.expect(403), forbidden);
        assert_eq!(globex.delete(one).await.expect(403), forbidden);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_scopes").await, 2);
    }

    async fn the_scopes_of_what_cannot_be_seen_do_not_exist(app: TestApp) {
        published(&app).await;
        app.acme().post(PATH, json!({"actions": ["request:Read"]})).await.expect(201);
        app.acme().post("/v1/app_offerings/2/scopes", json!({"actions": ["ci:Read"]})).await.expect(201);
        let (plain, missing) = (json!({"message": "Not Found"}), problem(404, "Not Found", "Not Found"));
        for (client, offering) in [(app.globex(), 1), (app.initech(), 1), (app.initech(), 2), (app.acme(), 3)] {
            let list = format!("{OFFERINGS}/{offering}/scopes");
            let one = format!("{list}/{offering}");
            assert_eq!(client.get(&list).await.expect(404), plain);
            assert_eq!(client.get(&one).await.expect(404), plain);
            assert_eq!(client.post(&list, json!({"actions": ["a:Read"]})).await.expect(404), missing);
            assert_eq!(client.patch(&one, json!({"effect": "deny"})).await.expect(404), missing);
            assert_eq!(client.delete(&one).await.expect(404), missing);
        }
        // A scope of another offering, even of an own one, is not a scope of this one.
        for path in ["/v1/app_offerings/1/scopes/2", "/v1/app_offerings/1/scopes/abc", "/v1/app_offerings/1/scopes/0"] {
            assert_eq!(app.acme().get(path).await.expect(404), plain);
            assert_eq!(app.acme().patch(path, json!({"effect": "deny"})).await.expect(404), missing);
            assert_eq!(app.acme().delete(path).await.expect(404), missing);
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_scopes WHERE effect = 'allow'").await, 2);
    }

    async fn an_offerings_body_adds_scopes(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let mut body = offering("Echo", instance);
        body["new_scopes"] = json!([
            {"actions": ["request:Read"]},
            {"effect": "deny", "grant_type": "authorization_code", "actions": ["ci:All"], "conditions": ["x"]},
        ]);
        body["scopes_to_delete"] = json!([]);
        let strict = app.acme().with("prefer", "handling=strict");
        let made = strict.post(OFFERINGS, body).await.expect(201);
        assert_eq!(made.get("new_scopes"), None);
        let scopes = app.acme().get(&format!("{PATH}?fields=effect,grant_type,actions,conditions")).await.expect(200);
        assert_eq!(scopes, json!([
            {"id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMQ", "effect": "allow",
             "grant_type": "client_credentials", "actions": ["request:Read"], "conditions": []},
            {"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMg", "effect": "deny",
             "grant_type": "authorization_code", "actions": ["ci:All"], "conditions": ["x"]},
        ]));
        let entries = app.acme().get("/v1/audit_lines").await.expect(200);
        let audited: Vec<&Value> =
            entries.as_array().unwrap().iter().map(|entry| &entry["audited"]).collect();
        assert_eq!(audited, ["app_offering_scope", "app_offering_scope", "app_offering"]);
    }

    async fn an_offerings_body_removes_scopes_by_number_text_or_node_id(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let mut body = offering("Echo", instance);
        body["new_scopes"] = json!((0..4).map(|_| json!({"actions": ["a:Read"]})).collect::<Vec<_>>());
        let made = app.acme().post(OFFERINGS, body).await.expect(201);
        app.advance_seconds(60);
        let changed = app.acme().patch("/v1/app_offerings/1", json!({
            "scopes_to_delete": [1, "2", "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nU2NvcGUvMw", 1],
            "new_scopes": [{"actions": ["b:Read"]}],
        })).await.expect(200);
        assert_eq!(changed, made, "the offering itself has not changed");
        let scopes = app.acme().get(PATH).await.expect(200);
        let ids: Vec<&Value> = scopes.as_array().unwrap().iter().map(|scope| &scope["id"]).collect();
        assert_eq!(ids, [4, 5]);
        let entries = app.acme().get("/v1/audit_lines?per_page=4").await.expect(200);
        let actions: Vec<&Value> =
            entries.as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
        assert_eq!(actions, ["create", "destroy", "destroy", "destroy"]);
    }

    async fn an_offering_with_a_wrong_scope_is_refused_as_a_whole(app: TestApp) {
        published(&app).await;
        app.acme().post("/v1/app_offerings/2/scopes", json!({"actions": ["a:Read"]})).await.expect(201);
        let before = app.count("SELECT COUNT(*) FROM audit_lines").await;
        let wrong = json!({
            "name": "",
            "new_scopes": [
                {"actions": ["a:Read"]},
                "a:Read",
                {"effect": "maybe"},
                {"actions": ["a:read"], "grant_type": "x"},
            ],
            // One of the published version, one that nobody has, one that is none.
            "scopes_to_delete": [1, 99, "x"],
        });
        let refused = app.acme().patch("/v1/app_offerings/1", wrong).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
            ["name", "Name can't be blank"],
            ["new_scopes", "New scopes is invalid"],
            ["effect", "Effect is not included in the list"],
            ["actions", "Actions can't be blank"],
            ["grant_type", "Grant type is not included in the list"],
            ["actions", "Actions is invalid"],
            ["scopes_to_delete", "Scopes to delete must exist"],
            ["scopes_to_delete", "Scopes to delete must exist"],
            ["scopes_to_delete", "Scopes to delete must exist"],
        ]}));
        let kind = app.acme().patch("/v1/app_offerings/1", json!({
            "new_scopes": {"actions": []}, "scopes_to_delete": 1,
        })).await.expect(422);
        assert_eq!(kind["errors"], json!([
            ["new_scopes", "New scopes is invalid"], ["scopes_to_delete", "Scopes to delete is invalid"]]));
        let many: Vec<Value> = (0..101).map(|_| json!({"actions": ["a:Read"]})).collect();
        let many = app.acme().patch("/v1/app_offerings/1", json!({"new_scopes": many})).await.expect(422);
        assert_eq!(many["errors"], json!([["new_scopes", "New scopes has too many items (maximum is 100)"]]));
        let mut new = offering("Other", 1);
        new["scopes_to_delete"] = json!([1]);
        let new = app.acme().post(OFFERINGS, new).await.expect(422);
        assert_eq!(new["errors"], json!([["scopes_to_delete", "Scopes to delete must exist"]]));
        let strict = app.acme().with("prefer", "handling=strict");
        let unknown = strict.patch("/v1/app_offerings/1", json!({"new_scopes": [{"foo": 1}]})).await.expect(400);
        assert_eq!(unknown, json!({"message": "Unknown properties: foo"}));
        let null = json!({"new_scopes": null, "scopes_to_delete": null});
        app.acme().patch("/v1/app_offerings/1", null).await.expect(200);

        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 2);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_scopes").await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, before);
    }

    async fn a_token_that_may_not_write_scopes_may_not_by_way_of_the_offering(app: TestApp) {
        draft(&app).await;
        app.acme().post(PATH, json!({"actions": ["a:Read"]})).await.expect(201);
        let token = app.token("acme", None, &["app-offering:All", "app-offering-scope:Read"], None).await;
        let client = app.bearer(&token);
        let forbidden = json!({"message": "Forbidden"});
        for body in [
            json!({"new_scopes": [{"actions": ["a:Read"]}]}),
            json!({"scopes_to_delete": [1]}),
        ] {
            let answer = client.patch("/v1/app_offerings/1", body).await;
            assert_eq!(answer.expect(403), forbidden);
        }
        client.patch("/v1/app_offerings/1", json!({"new_scopes": [], "scopes_to_delete": []})).await.expect(200);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_scopes").await, 1);
    }

    async fn a_repeated_create_makes_one_scope(app: TestApp) {
        draft(&app).await;
        let client = app.acme().with("idempotency-key", "once");
        let first = client.post(PATH, json!({"actions": ["a:Read"]})).await.expect(201);
        let again = client.post(PATH, json!({"actions": ["a:Read"]})).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("location"), "https://acme.example.test/app_offerings/1/scopes/1");
        assert_eq!(again.expect(201), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_scopes").await, 1);
    }
}
