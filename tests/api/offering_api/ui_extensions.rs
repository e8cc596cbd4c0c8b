//! `/v1/ui_extensions`.
use serde_json::{Value, json};

use crate::offering_api::app_offerings;
use crate::on_both;
use crate::support::TestApp;

const PATH: &str = "/v1/ui_extensions";

/// Makes a UI extension and returns it.
async fn create(app: &TestApp, name: &str, more: Value) -> Value {
    let mut body = json!({"name": name, "category": "app_offering"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.acme().post(PATH, body).await.expect(201)
}

/// A field of each listed record.
async fn listed(app: &TestApp, path: &str, field: &str) -> Vec<Value> {
    let list = app.acme().get(path).await.expect(200);
    list.as_array().unwrap().iter().map(|it| it[field].clone()).collect()
}

/// The message of a refused list.
async fn refused(app: &TestApp, path: &str) -> String {
    let answer = app.acme().get(path).await.expect(400);
    answer["message"].as_str().unwrap().to_owned()
}

/// `nr status html` of each version.
async fn versions(app: &TestApp) -> Vec<String> {
    let path = format!("{PATH}/1/versions?fields=version_nr,status,html");
    let list = app.acme().get(&path).await.expect(200);
    let text = |it: &Value| {
        format!(
            "{} {} {}",
            it["version_nr"],
            it["status"].as_str().unwrap(),
            it["html"].as_str().unwrap_or("-")
        )
    };
    list.as_array().unwrap().iter().map(text).collect()
}

/// The changes of each audit entry, newest first.
async fn audit(app: &TestApp, path: &str) -> Vec<Value> {
    let list = app.acme().get(path).await.expect(200);
    list.as_array().unwrap().iter().map(|it| json!([it["action"], it["changes"]])).collect()
}

on_both! {
    async fn a_create_answers_the_whole_record(app: TestApp) {
        let answer = app.acme().with("user-agent", "curl/8.5.0").post(PATH, json!({
            "name": "Echo settings", "category": "app_offering", "title": "Settings",
            "description": "Asks for the endpoint.", "sourceID": "S1", "dark_mode_safe": "yes",
            "html": "<input id=\"url\">", "css": "a { b: c }", "javascript": "x()",
            "form_definition_json": "{}", "activate": true, "compiled_css": "ignored",
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/ui_extensions/1");
        let record = answer.expect(201);
        let version = |id: i64, node: &str| json!({
            "id": id, "name": "Echo settings", "version": id, "nodeID": node,
            "ui_extension": {"id": 1, "name": "Echo settings", "category": "app_offering",
                "title": "Settings", "localized_title": "Settings",
                "nodeID": "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uLzE"},
        });
        let ann = json!({"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"});
        assert_eq!(record, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uLzE", "source": "curl/8.5.0",
            "sourceID": "S1", "name": "Echo settings", "category": "app_offering",
            "title": "Settings", "localized_title": "Settings",
            "description": "Asks for the endpoint.", "disabled": false, "dark_mode_safe": true,
            "hide_note": false, "show_on_complete": false,
            "active_version": version(1, "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x"),
            "prepared_version": version(2, "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uVmVyc2lvbi8y"),
            "html": "<input id=\"url\">", "css": "a { b: c }", "javascript": "x()",
            "form_definition_json": "{}", "compiled_css": "a { b: c }",
            "localized_html": "<input id=\"url\">", "phrases": [], "created_by": ann,
            "updated_by": ann, "created_at": "2026-02-01T09:15:00+01:00",
            "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        assert_eq!(app.acme().get(&format!("{PATH}/1")).await.expect(200), record);
        assert_eq!(versions(&app).await, ["1 active <input id=\"url\">", "2 being_prepared <input id=\"url\">"]);
    }

    async fn without_activate_the_first_version_is_being_prepared(app: TestApp) {
        let record = create(&app, "Form", json!({"html": "one", "activate": "no"})).await;
        assert_eq!(record["active_version"], Value::Null);
        assert_eq!(record["prepared_version"]["version"], 1);
        for field in ["html", "css", "javascript", "form_definition_json", "compiled_css",
            "localized_html", "title", "localized_title", "description"] {
            assert_eq!(record[field], Value::Null, "{field}");
        }
        assert_eq!(record["phrases"], json!([]));
        assert_eq!(versions(&app).await, ["1 being_prepared one"]);
    }

    async fn code_is_written_to_the_prepared_version_and_read_from_the_active_one(app: TestApp) {
        create(&app, "Form", json!({"html": "one", "css": "old", "activate": true})).await;
        app.advance_seconds(60);
        let record = app.acme().patch(&format!("{PATH}/1"), json!({"html": "two", "css": null})).await.expect(200);
        assert_eq!((&record["html"], &record["css"]), (&json!("one"), &json!("old")));
        assert_eq!(record["updated_at"], "2026-02-01T09:16:00+01:00");
        assert_eq!(versions(&app).await, ["1 active one", "2 being_prepared two"]);

        // The rest of the body is written before it is activated.
        let record = app.acme().put(&format!("{PATH}/1"), json!({"javascript": "x()", "activate": true})).await.expect(200);
        assert_eq!(record["html"], "two");
        assert_eq!(record["css"], Value::Null);
        assert_eq!(record["javascript"], "x()");
        assert_eq!(record["active_version"]["version"], 2);
        assert_eq!(record["prepared_version"]["version"], 3);
        assert_eq!(versions(&app).await, ["1 archived one", "2 active two", "3 being_prepared two"]);
    }

    async fn a_version_shows_its_code_and_its_life(app: TestApp) {
        create(&app, "Form", json!({"html": "one", "css": "c", "form_definition_json": "{}",
            "hide_note": true, "activate": true})).await;
        app.advance_seconds(60);
        app.acme().patch(&format!("{PATH}/1"), json!({"activate": true, "hide_note": false})).await.expect(200);
        let version = app.acme().get(&format!("{PATH}/1/versions/1")).await.expect(200);
        assert_eq!(version, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x", "name": "Form",
            "version_nr": 1, "status": "archived", "html": "one", "css": "c", "javascript": null,
            "phrases": [], "form_definition": "{}", "form_definition_react": null,
            "use_designer": true, "dark_mode_safe": false, "hide_note": true,
            "activated_at": "2026-02-01T09:15:00+01:00", "archived_at": "2026-02-01T09:16:00+01:00",
            "compiled_css": "c", "localized_html": "one",
            "ui_extension": {"id": 1, "name": "Form", "nodeID": "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uLzE"},
            "formatted_activated_at": "2026-02-01 09:15", "formatted_archived_at": "2026-02-01 09:16",
            "view_audit_path": "/ui_extensions/1/versions/1/audit",
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:16:00+01:00",
        }));
        let nodes = "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uLzE/versions/ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x";
        assert_eq!(app.acme().get(&format!("{PATH}/{nodes}")).await.expect(200), version);
        let prepared = app.acme().get(&format!("{PATH}/1/versions/3")).await.expect(200);
        assert_eq!(prepared["hide_note"], false);
        assert_eq!(prepared["formatted_activated_at"], Value::Null);
        assert_eq!(prepared["activated_at"], Value::Null);

        let list = app.acme().get(&format!("{PATH}/1/versions")).await.expect(200);
        assert_eq!(list[1], json!({
            "id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L1VpRXh0ZW5zaW9uVmVyc2lvbi8y", "name": "Form",
            "version_nr": 2, "status": "active", "activated_at": "2026-02-01T09:16:00+01:00",
            "archived_at": null, "created_at": "2026-02-01T09:15:00+01:00",
            "updated_at": "2026-02-01T09:16:00+01:00",
        }));
    }

    async fn versions_are_sorted_but_not_filtered(app: TestApp) {
        create(&app, "Form", json!({"activate": true})).await;
        app.advance_seconds(1);
        app.acme().patch(&format!("{PATH}/1"), json!({"activate": true})).await.expect(200);
        create(&app, "Other", json!({})).await;
        let path = format!("{PATH}/1/versions");
        assert_eq!(listed(&app, &path, "id").await, [1, 2, 3]);
        for (sort, expected) in [("-id", [3, 2, 1]), ("-version_nr", [3, 2, 1]), ("status", [2, 1, 3]),
            ("-created_at", [3, 1, 2]), ("-updated_at", [1, 2, 3])] {
            assert_eq!(listed(&app, &format!("{path}?sort={sort}"), "id").await, expected, "{sort}");
        }
        assert_eq!(refused(&app, &format!("{path}?sort=name,activated_at")).await,
            "Sorting not allowed on fields: name, activated_at");
        assert_eq!(refused(&app, &format!("{path}?id=1&status=active&version_nr=1")).await,
            "Filtering not allowed on fields: id, status, version_nr");
        for field in ["compiled_css", "localized_html", "ui_extension", "formatted_activated_at",
            "formatted_archived_at", "view_audit_path"] {
            assert_eq!(refused(&app, &format!("{path}?fields={field}")).await, format!("Unknown fields: {field}"));
        }
        let all = app.acme().get(&format!("{path}?fields=*&per_page=1")).await.expect(200);
        let names: Vec<&String> = all[0].as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "nodeID", "name", "version_nr", "status", "html", "css", "javascript",
            "phrases", "form_definition", "form_definition_react", "use_designer", "dark_mode_safe",
            "hide_note", "activated_at", "archived_at", "created_at", "updated_at"]);
    }

    async fn a_version_belongs_to_its_ui_extension_and_account(app: TestApp) {
        create(&app, "Form", json!({})).await;
        create(&app, "Other", json!({})).await;
        let missing = json!({"message": "Not Found"});
        for path in ["1/versions/2", "2/versions/1", "1/versions/99", "99/versions", "99/versions/1",
            "1/versions/x", "1/versions/2/audit", "99/audit", "x/audit", "1/nope"] {
            assert_eq!(app.acme().get(&format!("{PATH}/{path}")).await.expect(404), missing, "{path}");
        }
        for path in ["1", "1/versions", "1/versions/1", "1/audit", "1/versions/1/audit"] {
            app.acme().get(&format!("{PATH}/{path}")).await.expect(200);
            for client in [app.globex(), app.initech()] {
                assert_eq!(client.get(&format!("{PATH}/{path}")).await.expect(404), missing, "{path}");
            }
        }
        assert_eq!(app.globex().patch(&format!("{PATH}/1"), json!({"activate": true})).await.expect(404), missing);
        assert_eq!(app.globex().put(&format!("{PATH}/1"), json!({"name": "Mine"})).await.expect(404), missing);
        assert_eq!(app.globex().get(PATH).await.expect(200), json!([]));
        assert_eq!(app.count("SELECT COUNT(*) FROM ui_extension_versions WHERE status = 'active'").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 4);
    }

    async fn a_body_with_many_mistakes_is_refused_with_all_of_them(app: TestApp) {
        let answer = app.acme().post(PATH, json!({
            "name": "ä".repeat(191), "category": "App_Offering", "title": "x".repeat(191),
            "description": "é".repeat(32_768), "html": "x".repeat(65_536), "css": {"a": 1},
            "javascript": "\0", "form_definition_json": [1],
        })).await.expect(422);
        assert_eq!(answer, json!({"message": "Validation Failed", "errors": [
            ["name", "Name is too long (maximum is 190 characters)"],
            ["category", "Category is not included in the list"],
            ["title", "Title is too long (maximum is 190 characters)"],
            ["description", "Description is too long (maximum is 65535 bytes)"],
            ["html", "Html is too long (maximum is 65535 bytes)"],
            ["css", "Css is invalid"],
            ["javascript", "Javascript is invalid"],
            ["form_definition_json", "Form definition json is invalid"],
        ]}));
        assert_eq!(app.acme().post(PATH, json!({"name": ""})).await.expect(422), json!({
            "message": "Validation Failed",
            "errors": [["name", "Name can't be blank"], ["category", "Category can't be blank"]],
        }));
        for table in ["ui_extensions", "ui_extension_versions", "audit_lines"] {
            assert_eq!(app.count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        create(&app, &"ä".repeat(190), json!({"html": "é".repeat(32_767)})).await;
        let refused = app.acme().patch(&format!("{PATH}/1"),
            json!({"name": null, "html": "new", "activate": true})).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed", "errors": [["name", "Name can't be blank"]]}));
        assert_eq!(app.count("SELECT COUNT(*) FROM ui_extension_versions").await, 1);
    }

    async fn every_change_leaves_its_entries(app: TestApp) {
        create(&app, "Form", json!({"source": "t", "html": "one"})).await;
        app.acme().patch(&format!("{PATH}/1"), json!({"html": "two", "title": "T"})).await.expect(200);
        app.acme().patch(&format!("{PATH}/1"), json!({"activate": true})).await.expect(200);
        // What changes nothing leaves nothing.
        app.acme().patch(&format!("{PATH}/1"), json!({"html": "two", "activate": false})).await.expect(200);
        assert_eq!(audit(&app, &format!("{PATH}/1/audit")).await, [
            json!(["update", {"active_version": [null, 1], "prepared_version": [1, 2]}]),
            json!(["update", {"title": [null, "T"], "html": ["one", "two"]}]),
            json!(["create", {"source": [null, "t"], "name": [null, "Form"],
                "category": [null, "app_offering"], "disabled": [null, false],
                "dark_mode_safe": [null, false], "hide_note": [null, false],
                "show_on_complete": [null, false], "prepared_version": [null, 1],
                "html": [null, "one"]}]),
        ]);
        assert_eq!(audit(&app, &format!("{PATH}/1/versions/1/audit")).await, [
            json!(["update", {"status": ["being_prepared", "active"]}]),
            json!(["update", {"html": ["one", "two"]}]),
            json!(["create", {"version_nr": [null, 1], "status": [null, "being_prepared"],
                "html": [null, "one"], "phrases": [null, []], "dark_mode_safe": [null, false],
                "hide_note": [null, false]}]),
        ]);
        assert_eq!(audit(&app, &format!("{PATH}/1/versions/2/audit")).await.len(), 1);
        let line = app.acme().get("/v1/audit_lines?per_page=1").await.expect(200);
        assert_eq!(line[0]["audited"], "ui_extension");
        assert_eq!(line[0]["ui_extension"]["name"], "Form");
    }

    async fn who_changed_it_last_is_told(app: TestApp) {
        create(&app, "Form", json!({})).await;
        let paul = app.bearer(&app.plain_person("acme").await);
        let record = paul.patch(&format!("{PATH}/1"), json!({"css": "x"})).await.expect(200);
        assert_eq!(record["created_by"]["name"], "Ann Lee");
        assert_eq!(record["updated_by"]["name"], "Paul Plain");
        app.execute("UPDATE people SET disabled = (1 = 1) WHERE name = 'Paul Plain'").await;
        let record = app.acme().get(&format!("{PATH}/1")).await.expect(200);
        assert_eq!(record["updated_by"]["disabled"], true);
        assert_eq!(record["created_by"].get("disabled"), None);
        let line = app.acme().get("/v1/audit_lines?per_page=1").await.expect(200);
        assert_eq!(line[0]["created_by"]["disabled"], true);
    }

    async fn lists_show_the_default_fields_by_name(app: TestApp) {
        create(&app, "B", json!({"activate": true})).await;
        create(&app, "A", json!({"disabled": true})).await;
        let list = app.acme().get(PATH).await.expect(200);
        let names: Vec<&String> = list[0].as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "nodeID", "sourceID", "name", "category", "disabled",
            "active_version", "prepared_version", "created_at", "updated_at"]);
        assert_eq!(list[0]["name"], "A");
        assert_eq!(list[0]["active_version"], Value::Null);
        assert_eq!(list[0]["prepared_version"]["ui_extension"]["disabled"], true);
        assert_eq!(list[1]["active_version"]["version"], 1);
        // `disabled` is told even when it is not asked for.
        let chosen = app.acme().get(&format!("{PATH}?fields=html,name&sort=id")).await.expect(200);
        assert_eq!(chosen[0].get("disabled"), None);
        assert_eq!(chosen[1]["disabled"], true);
        let all = app.acme().get(&format!("{PATH}?fields=*&sort=id")).await.expect(200);
        assert_eq!(all[0], app.acme().get(&format!("{PATH}/1")).await.expect(200));
        assert_eq!(refused(&app, &format!("{PATH}?fields=activate")).await, "Unknown fields: activate");
    }

    async fn lists_are_filtered_and_sorted_by_the_contract_s_fields(app: TestApp) {
        create(&app, "A", json!({"source": "x"})).await;
        app.advance_seconds(1);
        create(&app, "B", json!({"sourceID": "S", "disabled": true})).await;
        for (query, expected) in [
            ("id=1,2", vec!["A", "B"]), ("source=x", vec!["A"]), ("sourceID=S", vec!["B"]),
            ("name=!A", vec!["B"]), ("disabled=true", vec!["B"]), ("disabled=!true", vec!["A"]),
            ("created_at=%3E2026-02-01T08:15:00Z", vec!["B"]),
            ("updated_at=%3C=2026-02-01T08:15:00Z", vec!["A"]), ("sort=-id", vec!["B", "A"]),
            ("sort=-sourceID", vec!["B", "A"]), ("sort=-name", vec!["B", "A"]),
            ("sort=-created_at", vec!["B", "A"]), ("sort=-updated_at", vec!["B", "A"]),
        ] {
            assert_eq!(listed(&app, &format!("{PATH}?{query}"), "name").await, expected, "{query}");
        }
        assert_eq!(refused(&app, &format!("{PATH}?category=app_offering&html=x&active_version=1")).await,
            "Filtering not allowed on fields: category, html, active_version");
        assert_eq!(refused(&app, &format!("{PATH}?activate=true")).await, "Unknown fields: activate");
        assert_eq!(refused(&app, &format!("{PATH}?sort=category,disabled")).await,
            "Sorting not allowed on fields: category, disabled");
        assert_eq!(refused(&app, &format!("{PATH}?state=active")).await, "Unknown state: active");
    }

    async fn a_category_in_use_is_fixed(app: TestApp) {
        create(&app, "Form", json!({"activate": true})).await;
        let instance = app_offerings::service_instance(&app, "acme").await;
        let mut offering = app_offerings::offering("Echo", instance);
        offering["ui_extension_version_id"] = json!(1);
        let offering = app.acme().post("/v1/app_offerings", offering).await.expect(201);
        assert_eq!(offering["ui_extension_version"]["version"], 1);
        let path = format!("{PATH}/1");
        assert_eq!(app.acme().patch(&path, json!({"category": "person", "activate": true})).await.expect(422),
            json!({"message": "Validation Failed", "errors": [["category", "Category is invalid"]]}));
        assert_eq!(app.count("SELECT COUNT(*) FROM ui_extension_versions").await, 2);
        // The offering keeps the version that it chose.
        app.acme().patch(&path, json!({"activate": true, "disabled": true})).await.expect(200);
        let offering = app.acme().get("/v1/app_offerings/1").await.expect(200);
        assert_eq!(offering["ui_extension_version"]["version"], 1);
        assert_eq!(offering["ui_extension_version"]["ui_extension"]["disabled"], true);
        app.acme().patch("/v1/app_offerings/1", json!({"ui_extension_version_id": null})).await.expect(200);
        let record = app.acme().patch(&path, json!({"category": "person"})).await.expect(200);
        assert_eq!(record["category"], "person");
    }

    async fn a_customer_sees_whose_form_an_offering_has(app: TestApp) {
        create(&app, "Form", json!({"activate": true})).await;
        let instance = app_offerings::service_instance(&app, "acme").await;
        let mut offering = app_offerings::offering("Echo", instance);
        offering["ui_extension_version_id"] = json!(1);
        app.acme().post("/v1/app_offerings", offering).await.expect(201);
        let published = app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        let path = format!("/v1/app_offerings/{}", published["id"]);
        let seen = app.globex().get(&path).await.expect(200);
        let acme = json!({"id": "acme", "name": "Acme"});
        assert_eq!(seen["ui_extension_version"]["account"], acme);
        assert_eq!(seen["ui_extension_version"]["ui_extension"]["account"], acme);
        assert_eq!(published["ui_extension_version"].get("account"), None);
    }

    async fn activations_at_the_same_time_follow_one_another(app: TestApp) {
        create(&app, "Form", json!({"html": "one"})).await;
        let path = format!("{PATH}/1");
        let activations = (0..6).map(|_| {
            let (client, path) = (app.acme(), path.clone());
            async move { client.patch(&path, json!({"activate": true})).await.expect(200) }
        });
        let answers = futures_util::future::join_all(activations).await;
        let mut seen: Vec<i64> =
            answers.iter().map(|it| it["active_version"]["version"].as_i64().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
        assert_eq!(versions(&app).await, ["1 archived one", "2 archived one", "3 archived one",
            "4 archived one", "5 archived one", "6 active one", "7 being_prepared one"]);
        let record = app.acme().get(&path).await.expect(200);
        assert_eq!(record["active_version"]["version"], 6);
        assert_eq!(record["prepared_version"]["version"], 7);
    }

    async fn preconditions_repetitions_and_strictness_are_honoured(app: TestApp) {
        let client = app.acme().with("idempotency-key", "one");
        let body = json!({"name": "Form", "category": "app_offering", "activate": true});
        let first = client.post(PATH, body.clone()).await.expect(201);
        assert_eq!(client.post(PATH, body).await.expect(201), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM ui_extension_versions").await, 2);
        let path = format!("{PATH}/1");
        let tag = app.acme().get(&path).await.header("etag").to_owned();
        let change = json!({"activate": true});
        app.acme().with("if-match", &tag).patch(&path, change.clone()).await.expect(200);
        assert_eq!(app.acme().with("if-match", &tag).patch(&path, change).await.expect(412),
            json!({"message": "Precondition Failed"}));
        assert_eq!(app.count("SELECT COUNT(*) FROM ui_extension_versions").await, 3);
        let strict = app.acme().with("prefer", "handling=strict");
        assert_eq!(strict.patch(&path, json!({"htlm": "x", "activate": true})).await.expect(400),
            json!({"message": "Unknown properties: htlm"}));
        strict.patch(&path, json!({"html": "x", "activate": true, "phrases": []})).await.expect(200);
    }
}
