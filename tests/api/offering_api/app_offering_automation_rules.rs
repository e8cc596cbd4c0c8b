//! `/v1/app_offering_automation_rules`, and the rules of one offering.
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;

const PATH: &str = "/v1/app_offering_automation_rules";

/// Acme's offering with the number 1 (or the next one).
async fn draft(app: &TestApp, name: &str) -> i64 {
    let instance = service_instance(app, "acme").await;
    let made = app.acme().post("/v1/app_offerings", offering(name, instance)).await.expect(201);
    made["id"].as_i64().unwrap()
}

/// A body that a create accepts.
fn rule(offering: i64, rulable_type: &str, name: &str) -> Value {
    json!({"app_offering_id": offering, "rulable_type": rulable_type, "name": name,
           "trigger": "on note added"})
}

/// The values of one field over a list.
fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|item| &item[field]).collect()
}

on_both! {
    async fn a_create_answers_the_whole_rule(app: TestApp) {
        draft(&app, "Echo").await;
        let answer = app.acme().post(PATH, json!({
            "app_offering_id": 1, "rulable_type": "Req", "name": "Echo notes",
            "trigger": "on note added",
            "description": "Sends *each* note.\nReally <b>each</b>.",
            "expressions": "text: note.text\r\nurl: rule_app_instance.custom_fields.url",
            "condition": "text is not empty",
            "actions": "a1: call webhook '{app_offering_webhook}' with payload 'text url'\n\
                        a2: set note '[x](javascript:alert(1))'",
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/app_offering_automation_rules/1");
        let made = answer.expect(201);
        assert_eq!(made, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nQXV0b21hdGlvblJ1bGUvMQ",
            "app_offering": {"id": 1, "reference": "acme_echo",
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE"},
            "rulable_type": "Req", "name": "Echo notes", "trigger": "on note added", "position": 1,
            "description": "Sends *each* note.\nReally <b>each</b>.",
            "description_html": "<p>Sends <em>each</em> note.<br />\nReally &lt;b&gt;each&lt;/b&gt;.</p>\n",
            "expressions": "text: note.text\nurl: rule_app_instance.custom_fields.url",
            "condition": "text is not empty",
            "actions": "a1: call webhook '{app_offering_webhook}' with payload 'text url'\n\
                        a2: set note '[x](javascript:alert(1))'",
            "actions_html": "<p>a1: call webhook '{app_offering_webhook}' with payload 'text url'<br />\n\
                             a2: set note 'x'</p>\n",
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        let one = "/v1/app_offering_automation_rules/1";
        assert_eq!(app.acme().get(one).await.expect(200), made);
        let by_name = format!("{PATH}/ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nQXV0b21hdGlvblJ1bGUvMQ");
        assert_eq!(app.acme().get(&by_name).await.expect(200), made);

        let plain = app.acme().post(PATH, rule(1, "Ci", "Plain")).await.expect(201);
        for field in ["description", "description_html", "expressions", "condition", "actions", "actions_html"] {
            assert_eq!(plain[field], Value::Null, "{field}");
        }
    }

    async fn a_list_shows_its_fields_in_the_order_of_position(app: TestApp) {
        draft(&app, "Echo").await;
        for (name, position) in [("third", 5), ("first", 0), ("second", 2), ("second too", 2)] {
            let mut body = rule(1, "Req", name);
            body["position"] = json!(position);
            app.acme().post(PATH, body).await.expect(201);
        }
        let list = app.acme().get(PATH).await.expect(200);
        assert_eq!(column(&list, "name"), ["first", "second", "second too", "third"]);
        assert_eq!(list[0], json!({
            "id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nQXV0b21hdGlvblJ1bGUvMg",
            "app_offering": {"id": 1, "reference": "acme_echo",
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE"},
            "rulable_type": "Req", "name": "first", "trigger": "on note added", "position": 0,
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        let sorted = app.acme().get(&format!("{PATH}?sort=-position,-id&fields=name")).await.expect(200);
        assert_eq!(column(&sorted, "name"), ["third", "second too", "second", "first"]);
        let sorted = app.acme().get(&format!("{PATH}?sort=id&fields=name")).await.expect(200);
        assert_eq!(column(&sorted, "name"), ["third", "first", "second", "second too"]);
        let everything = app.acme().get(&format!("{PATH}?fields=*&per_page=1")).await.expect(200);
        assert_eq!(everything[0].as_object().unwrap().len(), 15);

        let page = app.acme().get(&format!("{PATH}?per_page=3")).await;
        assert_eq!(page.header("x-pagination-total-entries"), "4");
        let link = page.header("link").to_owned();
        let next = link.trim_start_matches('<').split('>').next().unwrap();
        let next = next.strip_prefix("https://api.example.test").unwrap();
        assert_eq!(column(&app.acme().get(next).await.expect(200), "name"), ["third"]);
    }

    async fn lists_are_filtered_by_id_offering_and_time(app: TestApp) {
        draft(&app, "Echo").await;
        draft(&app, "Other").await;
        app.acme().post(PATH, rule(1, "Req", "one")).await.expect(201);
        app.advance_seconds(60);
        app.acme().post(PATH, rule(2, "Req", "two")).await.expect(201);
        for (query, names) in [
            ("id=2", &["two"][..]),
            ("ids=1,2", &["one", "two"]),
            ("id!=2", &["one"]),
            ("app_offering=1", &["one"]),
            ("app_offering_id=!1", &["two"]),
            ("app_offering=ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI", &["two"]),
            ("created_at=%3E2026-02-01T09:15:30%2B01:00", &["two"]),
            ("updated_at=%3C2026-02-01T09:15:30%2B01:00", &["one"]),
            ("app_offering=3", &[]),
        ] {
            let list = app.acme().get(&format!("{PATH}?{query}")).await.expect(200);
            assert_eq!(column(&list, "name"), names, "{query}");
        }
        for (query, message) in [
            ("name=one", "Filtering not allowed on fields: name"),
            ("foo=one", "Unknown fields: foo"),
            ("sort=name", "Sorting not allowed on fields: name"),
            ("sort=created_at", "Sorting not allowed on fields: created_at"),
            ("state=for_risks", "Unknown state: for_risks"),
            ("app_offering=%3E1", "Field 'app_offering' does not support the '=>' operator"),
        ] {
            let refused = app.acme().get(&format!("{PATH}?{query}")).await.expect(400);
            assert_eq!(refused, json!({"message": message}), "{query}");
        }
    }

    async fn each_type_of_record_has_a_list(app: TestApp) {
        draft(&app, "Echo").await;
        for kind in ["Req", "Task", "Ci", "Problem"] {
            app.acme().post(PATH, rule(1, kind, kind)).await.expect(201);
        }
        for (state, kind) in [
            ("for_requests", "Req"), ("for_tasks", "Task"), ("for_cis", "Ci"), ("for_problems", "Problem"),
        ] {
            let by_path = app.acme().get(&format!("{PATH}/{state}")).await.expect(200);
            assert_eq!(column(&by_path, "rulable_type"), [kind]);
            let by_state = app.acme().get(&format!("{PATH}?state={state}")).await.expect(200);
            assert_eq!(by_state, by_path);
            let of_one = format!("/v1/app_offerings/1/automation_rules?state={state}");
            assert_eq!(app.acme().get(&of_one).await.expect(200), by_path);
            assert_eq!(app.globex().get(&format!("{PATH}/{state}")).await.expect(200), json!([]));
        }
        app.acme().get(&format!("{PATH}/for_risks")).await.expect(404);
    }

    async fn the_rules_of_one_offering_are_shown_with_it(app: TestApp) {
        draft(&app, "Echo").await;
        draft(&app, "Other").await;
        app.acme().post(PATH, rule(2, "Req", "theirs")).await.expect(201);
        for name in ["one", "two"] {
            app.acme().post(PATH, rule(1, "Req", name)).await.expect(201);
        }
        let nested = "/v1/app_offerings/1/automation_rules";
        let list = app.acme().get(nested).await;
        assert_eq!(list.header("x-pagination-total-entries"), "2");
        let list = list.expect(200);
        assert_eq!(list, app.acme().get(&format!("{PATH}?app_offering=1")).await.expect(200));
        assert_eq!(column(&list, "name"), ["one", "two"]);
        app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        let missing = json!({"message": "Not Found"});
        // Rules are the provider's own, even those of a version that the customer may see.
        for (client, id) in [(app.globex(), 1), (app.globex(), 3), (app.initech(), 1), (app.acme(), 9)] {
            let answer = client.get(&format!("/v1/app_offerings/{id}/automation_rules")).await;
            assert_eq!(answer.expect(404), missing);
        }
    }

    async fn a_rule_without_a_position_follows_the_last_one(app: TestApp) {
        draft(&app, "Echo").await;
        draft(&app, "Other").await;
        let mut body = rule(1, "Req", "far");
        body["position"] = json!("41");
        app.acme().post(PATH, body).await.expect(201);
        let next = app.acme().post(PATH, rule(1, "Task", "next")).await.expect(201);
        assert_eq!(next["position"], 42);
        let other = app.acme().post(PATH, rule(2, "Req", "other")).await.expect(201);
        assert_eq!(other["position"], 1, "each offering counts for itself");
        let mut body = rule(1, "Req", "end");
        body["position"] = json!(2_147_483_647);
        app.acme().post(PATH, body).await.expect(201);
        let mut body = rule(1, "Req", "behind the end");
        body["position"] = Value::Null;
        let last = app.acme().post(PATH, body).await.expect(201);
        assert_eq!(last["position"], 2_147_483_647);
        let list = app.acme().get("/v1/app_offerings/1/automation_rules").await.expect(200);
        assert_eq!(column(&list, "name"), ["far", "next", "end", "behind the end"]);
    }

    async fn rules_made_at_the_same_time_get_different_positions(app: TestApp) {
        draft(&app, "Echo").await;
        let client = app.acme();
        let creates = (0..12).map(|number| {
            let client = client.clone();
            async move { client.post(PATH, rule(1, "Req", &format!("rule {number}"))).await.expect(201) }
        });
        let made = futures_util::future::join_all(creates).await;
        let mut positions: Vec<i64> = made.iter().map(|rule| rule["position"].as_i64().unwrap()).collect();
        positions.sort_unstable();
        assert_eq!(positions, (1..=12).collect::<Vec<_>>());
    }

    async fn a_change_touches_only_what_it_names(app: TestApp) {
        draft(&app, "Echo").await;
        let made = app.acme().post(PATH, rule(1, "Req", "Echo notes")).await.expect(201);
        app.advance_seconds(60);
        let one = "/v1/app_offering_automation_rules/1";
        let changed = app.acme().patch(one, json!({
            "trigger": "on status update", "description": "**New**", "description_html": "<b>no</b>", "unknown": 1,
        })).await.expect(200);
        let mut expected = made;
        expected["trigger"] = json!("on status update");
        expected["description"] = json!("**New**");
        expected["description_html"] = json!("<p><strong>New</strong></p>\n");
        expected["updated_at"] = json!("2026-02-01T09:16:00+01:00");
        assert_eq!(changed, expected);
        app.advance_seconds(60);
        let same = app.acme().put(one, json!({"trigger": "on status update", "position": 1})).await.expect(200);
        assert_eq!(same, expected, "what changes nothing leaves no trace");
        expected["description"] = Value::Null;
        expected["description_html"] = Value::Null;
        expected["updated_at"] = json!("2026-02-01T09:17:00+01:00");
        assert_eq!(app.acme().put(one, json!({"description": ""})).await.expect(200), expected);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 4);
    }

    async fn a_rule_can_be_moved_to_another_offering_of_the_account_only(app: TestApp) {
        draft(&app, "Echo").await;
        draft(&app, "Other").await;
        let instance = service_instance(&app, "globex").await;
        let theirs = app.globex().post("/v1/app_offerings", offering("Theirs", instance)).await.expect(201);
        app.acme().post(PATH, rule(1, "Req", "mover")).await.expect(201);
        let one = "/v1/app_offering_automation_rules/1";
        let moved = app.acme().patch(one, json!({"app_offering_id": 2})).await.expect(200);
        assert_eq!(moved["app_offering"]["reference"], "acme_other");
        let must_exist = json!({"message": "Validation Failed", "errors":
            [["app_offering", "App offering must exist"]]});
        for id in [theirs["id"].clone(), json!(99), json!("x")] {
            assert_eq!(app.acme().patch(one, json!({"app_offering_id": id})).await.expect(422), must_exist);
            let mut body = rule(1, "Req", "new");
            body["app_offering_id"] = id;
            assert_eq!(app.acme().post(PATH, body).await.expect(422), must_exist);
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_automation_rules WHERE app_offering_id = 2").await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_automation_rules").await, 1);
    }

    async fn a_rule_can_belong_to_a_published_version_and_tells_when_it_is_disabled(app: TestApp) {
        draft(&app, "Echo").await;
        let version = app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        let id = version["id"].as_i64().unwrap();
        let change = json!({"disabled": true, "sourceID": "S-1"});
        app.acme().patch(&format!("/v1/app_offerings/{id}"), change).await.expect(200);
        let made = app.acme().post(PATH, rule(id, "Problem", "Late")).await.expect(201);
        assert_eq!(made["app_offering"], json!({
            "id": 2, "reference": "acme_echo", "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI",
            "sourceID": "S-1", "disabled": true,
        }));
    }

    async fn everything_that_is_wrong_with_a_rule_is_told_at_once(app: TestApp) {
        draft(&app, "Echo").await;
        let blank = json!({"message": "Validation Failed", "errors": [
            ["app_offering", "App offering can't be blank"],
            ["rulable_type", "Rulable type can't be blank"],
            ["name", "Name can't be blank"],
            ["trigger", "Trigger can't be blank"],
        ]});
        assert_eq!(app.acme().post(PATH, json!({})).await.expect(422), blank);
        let refused = app.acme().post(PATH, json!({
            "app_offering_id": 7, "rulable_type": "req", "name": "ä".repeat(129),
            "trigger": "t".repeat(129), "position": -1, "description": "é".repeat(32_768),
            "expressions": "e".repeat(65_536), "condition": "c".repeat(65_536), "actions": "a\u{0}",
        })).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
            ["app_offering", "App offering must exist"],
            ["rulable_type", "Rulable type is not included in the list"],
            ["name", "Name is too long (maximum is 128 characters)"],
            ["trigger", "Trigger is too long (maximum is 128 characters)"],
            ["position", "Position must be greater than or equal to 0"],
            ["description", "Description is too long (maximum is 65535 bytes)"],
            ["expressions", "Expressions is too long (maximum is 65535 bytes)"],
            ["condition", "Condition is too long (maximum is 65535 bytes)"],
            ["actions", "Actions is invalid"],
        ]}));
        for (position, text) in [
            (json!(2_147_483_648_i64), "Position must be less than or equal to 2147483647"),
            (json!("many"), "Position is not a number"),
            (json!(1.5), "Position is not a number"),
        ] {
            let mut body = rule(1, "Req", "x");
            body["position"] = position;
            let refused = app.acme().post(PATH, body).await.expect(422);
            assert_eq!(refused["errors"], json!([["position", text]]));
        }
        let mut longest = rule(1, "Req", &"ä".repeat(128));
        longest["actions"] = json!("<&\"'".repeat(16_383));
        app.acme().post(PATH, longest).await.expect(201);
        let one = "/v1/app_offering_automation_rules/1";
        let cleared = app.acme().patch(one, json!({
            "app_offering_id": null, "rulable_type": null, "name": " ", "trigger": "",
        })).await.expect(422);
        assert_eq!(cleared, blank);
        let strict = app.acme().with("prefer", "handling=strict");
        let unknown = strict.patch(one, json!({"generic": "request", "name": "x"})).await.expect(400);
        assert_eq!(unknown, json!({"message": "Unknown properties: generic"}));
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
    }

    async fn a_change_of_what_was_read_before_somebody_else_changed_it_is_refused(app: TestApp) {
        draft(&app, "Echo").await;
        let made = app.acme().post(PATH, rule(1, "Req", "Echo")).await;
        let guarded = app.acme().with("if-match", made.header("etag"));
        made.expect(201);
        let one = "/v1/app_offering_automation_rules/1";
        guarded.patch(one, json!({"name": "A"})).await.expect(200);
        let late = guarded.patch(one, json!({"name": "B"})).await.expect(412);
        assert_eq!(late, json!({"message": "Precondition Failed"}));
        assert_eq!(guarded.delete(one).await.expect(412), late);
        let current = app.acme().get(one).await.header("etag").to_owned();
        app.acme().with("if-match", &current).delete(one).await.expect(204);
    }

    async fn a_delete_removes_the_rule_and_the_audit_trail_keeps_it(app: TestApp) {
        draft(&app, "Echo").await;
        app.acme().post(PATH, rule(1, "Req", "Echo")).await.expect(201);
        let one = "/v1/app_offering_automation_rules/1";
        app.advance_seconds(60);
        app.acme().patch(one, json!({"app_offering_id": 1, "position": 3})).await.expect(200);
        let entries = app.acme().get(&format!("{one}/audit")).await.expect(200);
        assert_eq!(entries, json!([
            {
                "id": 3, "nodeID": "ZXhhbXBsZS50ZXN0L0F1ZGl0TGluZS8z", "action": "update",
                "created_at": "2026-02-01T09:16:00+01:00",
                "created_by": {"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"},
                "changes": {"position": [1, 3]},
            },
            {
                "id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0F1ZGl0TGluZS8y", "action": "create",
                "created_at": "2026-02-01T09:15:00+01:00",
                "created_by": {"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"},
                "changes": {"app_offering": [null, 1], "rulable_type": [null, "Req"],
                    "name": [null, "Echo"], "trigger": [null, "on note added"], "position": [null, 1]},
            },
        ]));
        assert_eq!(app.acme().delete(one).await.expect(204), Value::Null);
        let missing = json!({"message": "Not Found"});
        assert_eq!(app.acme().get(one).await.expect(404), missing);
        assert_eq!(app.acme().get(&format!("{one}/audit")).await.expect(404), missing);
        assert_eq!(app.acme().delete(one).await.expect(404), missing);
        let list = app.acme().get(PATH).await;
        assert_eq!(list.header("x-pagination-total-entries"), "0");
        assert_eq!(list.expect(200), json!([]));
        let last = app.acme().get("/v1/audit_lines/4").await.expect(200);
        assert_eq!(last["action"], "destroy");
        assert_eq!(last["app_offering_automation_rule"], json!({
            "id": 1, "name": "Echo", "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nQXV0b21hdGlvblJ1bGUvMQ"}));
        assert_eq!(last["changes"]["name"], json!(["Echo", null]));
    }

    async fn another_accounts_rule_does_not_exist(app: TestApp) {
        draft(&app, "Echo").await;
        app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        app.acme().post(PATH, rule(2, "Req", "Echo")).await.expect(201);
        let missing = json!({"message": "Not Found"});
        let one = "/v1/app_offering_automation_rules/1";
        for client in [app.globex(), app.initech()] {
            assert_eq!(client.get(one).await.expect(404), missing);
            assert_eq!(client.get(&format!("{one}/audit")).await.expect(404), missing);
            assert_eq!(client.patch(one, json!({"name": "Mine"})).await.expect(404), missing);
            assert_eq!(client.put(one, json!({"name": "Mine"})).await.expect(404), missing);
            assert_eq!(client.delete(one).await.expect(404), missing);
            assert_eq!(client.get(PATH).await.expect(200), json!([]));
        }
        for id in ["0", "2", "abc", "9223372036854775808"] {
            assert_eq!(app.acme().get(&format!("{PATH}/{id}")).await.expect(404), missing);
        }
        assert_eq!(app.acme().get(one).await.expect(200)["name"], "Echo");
    }

    async fn a_repeated_create_makes_one_rule(app: TestApp) {
        draft(&app, "Echo").await;
        let client = app.acme().with("idempotency-key", "once");
        let first = client.post(PATH, rule(1, "Req", "Echo")).await.expect(201);
        let again = client.post(PATH, rule(1, "Req", "Echo")).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offering_automation_rules").await, 1);
    }
}
