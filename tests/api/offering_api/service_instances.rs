//! `/v1/service_instances`.
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;

const PATH: &str = "/v1/service_instances";

/// Makes a service instance of the service 1 and returns its id.
async fn create(app: &TestApp, name: &str, more: Value) -> i64 {
    let mut body = json!({"name": name, "service_id": 1});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.acme().post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
}

/// Names of the listed records.
async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let list = app.acme().get(&format!("{PATH}{query}")).await.expect(200);
    list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

/// The message of a refused list.
async fn refused(app: &TestApp, query: &str) -> String {
    let answer = app.acme().get(&format!("{PATH}?{query}")).await.expect(400);
    answer["message"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_create_answers_the_whole_record(app: TestApp) {
        let answer = app.acme().with("user-agent", "curl/8.5.0").post(PATH, json!({
            "name": "Echo Production", "sourceID": "ERP-1", "status": "in_production",
            "service": {"id": 7, "name": "Echo", "provider": {"id": "9", "name": "Widget Data Center"}},
            "support_team": {"id": 5, "name": "Integration Desk"}, "first_line_team_id": 5,
            "maintenance_window_id": "3", "remarks": "Two\r\nlines", "time_zone": "Europe/Amsterdam",
            "picture_uri": "https://example.org/echo.png", "impact": "top", "ui_extension_id": 1,
            "custom_fields": [{"id": "url", "value": "https://e.example"}, {"id": "n", "value": 1.5}],
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/service_instances/1");
        let record = answer.expect(201);
        assert_eq!(record, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2VJbnN0YW5jZS8x", "source": "curl/8.5.0",
            "sourceID": "ERP-1", "name": "Echo Production", "status": "in_production",
            "service": {"id": 7, "name": "Echo", "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2UvNw",
                "provider": {"id": 9, "name": "Widget Data Center",
                    "nodeID": "ZXhhbXBsZS50ZXN0L09yZ2FuaXphdGlvbi85"}},
            "support_team": {"id": 5, "name": "Integration Desk",
                "nodeID": "ZXhhbXBsZS50ZXN0L1RlYW0vNQ"},
            "first_line_team": {"id": 5, "name": "Integration Desk",
                "nodeID": "ZXhhbXBsZS50ZXN0L1RlYW0vNQ"},
            "maintenance_window": {"id": 3, "name": "Calendar 3",
                "nodeID": "ZXhhbXBsZS50ZXN0L0NhbGVuZGFyLzM"},
            "impact": null, "time_zone": "Amsterdam",
            "picture_uri": "https://example.org/echo.png", "remarks": "Two\nlines",
            "attachments": [], "ui_extension": null,
            "custom_fields": [{"id": "url", "value": "https://e.example"}, {"id": "n", "value": 1.5}],
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        let read = app.acme().get(&format!("{PATH}/1")).await.expect(200);
        assert_eq!(read, record);
        let node = format!("{PATH}/{}", record["nodeID"].as_str().unwrap());
        assert_eq!(app.acme().get(&node).await.expect(200), record);
    }

    async fn what_a_create_leaves_out_has_its_default(app: TestApp) {
        let record = app.acme().post(PATH, json!({"name": "Echo", "service_id": 7})).await.expect(201);
        assert_eq!(record["status"], "being_prepared");
        assert_eq!(record["source"], "Xurrent API");
        assert_eq!(record["service"], json!({"id": 7, "name": "Service 7",
            "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2UvNw", "provider": null}));
        for field in ["sourceID", "support_team", "first_line_team", "maintenance_window", "impact",
            "time_zone", "picture_uri", "remarks", "ui_extension"] {
            assert_eq!(record[field], Value::Null, "{field}");
        }
        assert_eq!(record["custom_fields"], json!([]));
    }

    async fn a_body_with_many_mistakes_is_refused_with_all_of_them(app: TestApp) {
        let answer = app.acme().post(PATH, json!({
            "name": "ä".repeat(81), "status": "gone", "support_team_id": 0,
            "service": {"id": 1, "name": "x".repeat(129)}, "first_line_team_id": "x",
            "maintenance_window_id": 9_223_372_036_854_775_807_i64, "time_zone": "Atlantis",
            "picture_uri": "ftp://example.org", "remarks": "é".repeat(32_768),
            "custom_fields": [{"value": 1}],
        })).await.expect(422);
        assert_eq!(answer, json!({"message": "Validation Failed", "errors": [
            ["name", "Name is too long (maximum is 80 characters)"],
            ["status", "Status is not included in the list"],
            ["service", "Service is too long (maximum is 128 characters)"],
            ["support_team", "Support team must exist"],
            ["first_line_team", "First line team must exist"],
            ["maintenance_window", "Maintenance window must exist"],
            ["time_zone", "Time zone is not included in the list"],
            ["picture_uri", "Picture uri is invalid"],
            ["remarks", "Remarks is too long (maximum is 65535 bytes)"],
            ["custom_fields", "Custom fields is invalid"],
        ]}));
        assert_eq!(app.acme().post(PATH, json!({})).await.expect(422), json!({
            "message": "Validation Failed",
            "errors": [["name", "Name can't be blank"], ["service", "Service can't be blank"]],
        }));
        assert_eq!(app.count("SELECT COUNT(*) FROM service_instances").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 0);
    }

    async fn an_update_changes_what_it_names_and_leaves_an_entry(app: TestApp) {
        let id = create(&app, "Echo", json!({"support_team_id": 5,
            "custom_fields": [{"id": "a", "value": "1"}, {"id": "b", "value": true}]})).await;
        app.advance_seconds(60);
        let path = format!("{PATH}/{id}");
        let record = app.acme().patch(&path, json!({
            "status": "discontinued", "support_team_id": "", "id": 99, "impact": "top",
            "custom_fields": [{"id": "b", "value": null}, {"id": "c", "value": ["x", 2]}],
        })).await.expect(200);
        assert_eq!(record["id"], id);
        assert_eq!(record["status"], "discontinued");
        assert_eq!(record["support_team"], Value::Null);
        assert_eq!(record["impact"], Value::Null);
        assert_eq!(record["custom_fields"],
            json!([{"id": "a", "value": "1"}, {"id": "c", "value": ["x", 2]}]));
        assert_eq!(record["created_at"], "2026-02-01T09:15:00+01:00");
        assert_eq!(record["updated_at"], "2026-02-01T09:16:00+01:00");
        let newest = "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'service_instance' \
            AND action = 'update' AND record_label = 'Echo' AND changes = \
            '{\"status\":[\"being_prepared\",\"discontinued\"],\"support_team\":[5,null],\
            \"custom_fields\":[[{\"id\":\"a\",\"value\":\"1\"},{\"id\":\"b\",\"value\":true}],\
            [{\"id\":\"a\",\"value\":\"1\"},{\"id\":\"c\",\"value\":[\"x\",2]}]]}'";
        assert_eq!(app.count(newest).await, 1);

        // PUT is the same; what changes nothing leaves nothing behind.
        app.advance_seconds(60);
        let again = app.acme().put(&path, json!({"status": "discontinued"})).await.expect(200);
        assert_eq!(again, record);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
        let cleared = app.acme().put(&path, json!({"custom_fields": null})).await.expect(200);
        assert_eq!(cleared["custom_fields"], json!([]));
    }

    async fn required_fields_cannot_be_cleared(app: TestApp) {
        let id = create(&app, "Echo", json!({})).await;
        let path = format!("{PATH}/{id}");
        let body = json!({"name": " ", "service": null, "time_zone": "?", "remarks": "new"});
        assert_eq!(app.acme().patch(&path, body).await.expect(422), json!({
            "message": "Validation Failed", "errors": [
                ["name", "Name can't be blank"], ["service", "Service can't be blank"],
                ["time_zone", "Time zone is not included in the list"],
        ]}));
        assert_eq!(app.acme().get(&path).await.expect(200)["remarks"], Value::Null);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 1);
        // A status has nothing to be cleared to.
        for blank in [json!(null), json!("")] {
            let refused = app.acme().patch(&path, json!({"status": blank})).await.expect(422);
            assert_eq!(refused, json!({
                "message": "Validation Failed", "errors": [["status", "Status can't be blank"]],
            }));
        }
    }

    async fn one_number_has_one_name_within_an_account(app: TestApp) {
        let first = create(&app, "A", json!({"service": {"id": 1, "name": "Mail",
            "provider": {"id": 9, "name": "Widgets"}}, "support_team": {"id": 5, "name": "Desk"}})).await;
        // Named before: by number only, also where another field names a team.
        let second = create(&app, "B", json!({"first_line_team_id": 5})).await;
        let record = app.acme().get(&format!("{PATH}/{second}")).await.expect(200);
        assert_eq!(record["service"]["name"], "Mail");
        assert_eq!(record["service"]["provider"]["name"], "Widgets");
        assert_eq!(record["first_line_team"]["name"], "Desk");
        // Another account knows nothing of it.
        let foreign = app.globex().post(PATH, json!({"name": "C", "service_id": 1})).await.expect(201);
        assert_eq!(foreign["service"]["name"], "Service 1");

        // A new name reaches all of them.
        let path = format!("{PATH}/{second}");
        let body = json!({"service": {"id": 1, "name": "Post", "provider": null},
            "first_line_team": {"id": "5", "name": "Help Desk"}});
        let record = app.acme().patch(&path, body).await.expect(200);
        assert_eq!(record["service"]["name"], "Post");
        let other = app.acme().get(&format!("{PATH}/{first}")).await.expect(200);
        assert_eq!(other["service"]["name"], "Post");
        assert_eq!(other["service"]["provider"], Value::Null);
        assert_eq!(other["support_team"]["name"], "Help Desk");
        let foreign = app.globex().get(&format!("{PATH}/{}", foreign["id"])).await.expect(200);
        assert_eq!(foreign["service"]["name"], "Service 1");
        let told = "SELECT COUNT(*) FROM audit_lines WHERE action = 'update' AND changes = \
            '{\"service\":[\"Mail\",\"Post\"],\"first_line_team\":[\"Desk\",\"Help Desk\"],\
            \"provider\":[9,null]}'";
        assert_eq!(app.count(told).await, 1);

        // A name beside another number is the other record's.
        let body = json!({"service_id": 2, "service": {"id": 1, "name": "Telex"}});
        let record = app.acme().patch(&path, body).await.expect(200);
        assert_eq!(record["service"]["name"], "Service 2");
        let by_node = json!({"service": {"nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2UvNw", "name": "Seven"}});
        let record = app.acme().patch(&path, by_node).await.expect(200);
        assert_eq!((&record["service"]["id"], &record["service"]["name"]), (&json!(7), &json!("Seven")));
    }

    async fn another_account_does_not_find_it(app: TestApp) {
        let id = create(&app, "Echo", json!({})).await;
        let path = format!("{PATH}/{id}");
        let missing = json!({"message": "Not Found"});
        for client in [app.globex(), app.initech()] {
            assert_eq!(client.get(&path).await.expect(404), missing);
            assert_eq!(client.patch(&path, json!({"name": "Mine"})).await.expect(404), missing);
            assert_eq!(client.put(&path, json!({"name": "Mine"})).await.expect(404), missing);
            assert_eq!(client.get(PATH).await.expect(200), json!([]));
        }
        assert_eq!(app.acme().get(&format!("{PATH}/x")).await.expect(404), missing);
        assert_eq!(app.acme().get(&format!("{PATH}/9223372036854775808")).await.expect(404), missing);
        assert_eq!(app.acme().get(&path).await.expect(200)["name"], "Echo");
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 1);
    }

    async fn lists_show_the_default_fields_by_name(app: TestApp) {
        create(&app, "B", json!({"support_team_id": 5})).await;
        create(&app, "A", json!({"status": "discontinued"})).await;
        let list = app.acme().get(PATH).await.expect(200);
        assert_eq!(list[1], json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2VJbnN0YW5jZS8x", "sourceID": null,
            "name": "B", "status": "being_prepared",
            "service": {"id": 1, "name": "Service 1", "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2UvMQ",
                "provider": null},
            "support_team": {"id": 5, "name": "Team 5", "nodeID": "ZXhhbXBsZS50ZXN0L1RlYW0vNQ"},
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        assert_eq!(list[0]["name"], "A");
        let all = app.acme().get(&format!("{PATH}?fields=*")).await.expect(200);
        assert_eq!(all[0], app.acme().get(&format!("{PATH}/2")).await.expect(200));
        let one = app.acme().get(&format!("{PATH}?fields=impact&id=1")).await.expect(200);
        assert_eq!(one, json!([
            {"id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2VJbnN0YW5jZS8x", "impact": null}
        ]));
        assert_eq!(refused(&app, "fields=remarks_attachments,nope").await,
            "Unknown fields: remarks_attachments, nope");
    }

    async fn the_named_subsets_split_the_list(app: TestApp) {
        create(&app, "A", json!({})).await;
        create(&app, "B", json!({"status": "in_production"})).await;
        create(&app, "C", json!({"status": "discontinued"})).await;
        app.globex().post(PATH, json!({"name": "D", "service_id": 1})).await.expect(201);
        assert_eq!(names(&app, "/active").await, ["A", "B"]);
        assert_eq!(names(&app, "/inactive").await, ["C"]);
        assert_eq!(names(&app, "?state=inactive").await, ["C"]);
        assert_eq!(names(&app, "/active?status=in_production").await, ["B"]);
        assert_eq!(refused(&app, "state=enabled").await, "Unknown state: enabled");
    }

    async fn lists_are_filtered_and_sorted_by_the_contract_s_fields(app: TestApp) {
        create(&app, "A", json!({"service_id": 3, "support_team_id": 8, "source": "x"})).await;
        app.advance_seconds(1);
        create(&app, "B", json!({"service_id": 2, "sourceID": "S", "status": "in_production"})).await;
        app.advance_seconds(1);
        create(&app, "C", json!({"service_id": 1, "support_team_id": 7})).await;
        for (query, expected) in [
            ("id=1,3", vec!["A", "C"]), ("source=x", vec!["A"]), ("sourceID=S", vec!["B"]),
            ("sourceID=", vec!["A", "C"]), ("name=B", vec!["B"]), ("name=!B", vec!["A", "C"]),
            ("status=in_production", vec!["B"]), ("service=1,2", vec!["B", "C"]),
            ("service_id=3", vec!["A"]), ("support_team=7", vec!["C"]), ("support_team=", vec!["B"]),
            ("support_team=!", vec!["A", "C"]), ("support_team_id!=7", vec!["A", "B"]),
            ("service=ZXhhbXBsZS50ZXN0L1NlcnZpY2UvMg", vec!["B"]),
            ("created_at=%3E2026-02-01T08:15:00Z", vec!["B", "C"]),
            ("updated_at=%3C=2026-02-01T08:15:01Z", vec!["A", "B"]),
            ("sort=-id", vec!["C", "B", "A"]), ("sort=sourceID", vec!["A", "C", "B"]),
            ("sort=-name", vec!["C", "B", "A"]), ("sort=-status", vec!["B", "A", "C"]),
            ("sort=service", vec!["C", "B", "A"]), ("sort=support_team", vec!["B", "C", "A"]),
            ("sort=-created_at", vec!["C", "B", "A"]), ("sort=-updated_at", vec!["C", "B", "A"]),
        ] {
            assert_eq!(names(&app, &format!("?{query}")).await, expected, "{query}");
        }
        assert_eq!(refused(&app, "time_zone=x&remarks=y").await,
            "Filtering not allowed on fields: time_zone, remarks");
        assert_eq!(refused(&app, "nope=1").await, "Unknown fields: nope");
        assert_eq!(refused(&app, "sort=impact,source").await,
            "Sorting not allowed on fields: impact, source");
        assert_eq!(refused(&app, "service=").await, "Field 'service' does not support the '=' operator");
    }

    async fn every_page_is_reached_whatever_the_order(app: TestApp) {
        for (name, team) in [("A", None), ("B", Some(2)), ("C", Some(1)), ("D", None), ("E", Some(2))] {
            create(&app, name, json!({"support_team_id": team})).await;
        }
        for sort in ["name", "support_team", "-support_team,service"] {
            let whole = names(&app, &format!("?sort={sort}")).await;
            let mut path = format!("{PATH}?sort={sort}&per_page=2&fields=name");
            let mut seen = Vec::new();
            loop {
                let answer = app.acme().get(&path).await;
                let next = answer.headers.get("link").and_then(|link| {
                    let link = link.to_str().unwrap().split(',').find(|it| it.ends_with("\"next\""))?;
                    let url = link.trim_start_matches('<').split('>').next().unwrap();
                    Some(url.trim_start_matches("https://api.example.test").to_owned())
                });
                let page = answer.expect(200);
                seen.extend(page.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()));
                let Some(next) = next else { break };
                path = next;
            }
            assert_eq!(seen, whole, "{sort}");
        }
    }

    async fn files_are_attached_to_the_remarks(app: TestApp) {
        app.execute("INSERT INTO uploads (account_id, file_key, name, content_type, size, digest, blob, created_at) \
            VALUES ('acme', 'a/logo.png', 'logo.png', 'image/png', 12, 'd', 'b', 0)").await;
        let id = create(&app, "Echo",
            json!({"remarks_attachments": [{"key": "a/logo.png", "inline": true}]})).await;
        let path = format!("{PATH}/{id}");
        let record = app.acme().get(&path).await.expect(200);
        assert_eq!(record["attachments"][0]["key"], "a/logo.png");
        assert_eq!(record["attachments"][0]["inline"], true);
        let foreign = json!({"remarks_attachments": [{"key": "a/none.png"}], "name": "New"});
        assert_eq!(app.acme().patch(&path, foreign).await.expect(422), json!({
            "message": "Validation Failed",
            "errors": [["remarks_attachments", "Remarks attachments is invalid"]],
        }));
        assert_eq!(app.acme().get(&path).await.expect(200)["name"], "Echo");
        let gone = json!({"remarks_attachments": [{"key": "a/logo.png", "_destroy": true}]});
        assert_eq!(app.acme().patch(&path, gone).await.expect(200)["attachments"], json!([]));
    }

    async fn preconditions_repetitions_and_strictness_are_honoured(app: TestApp) {
        let client = app.acme().with("idempotency-key", "one");
        let body = json!({"name": "Echo", "service_id": 1});
        let first = client.post(PATH, body.clone()).await.expect(201);
        assert_eq!(client.post(PATH, body).await.expect(201), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM service_instances").await, 1);
        let path = format!("{PATH}/1");
        let tag = app.acme().get(&path).await.header("etag").to_owned();
        let change = json!({"name": "Echo 2"});
        app.acme().with("if-match", &tag).patch(&path, change.clone()).await.expect(200);
        assert_eq!(app.acme().with("if-match", &tag).patch(&path, change).await.expect(412),
            json!({"message": "Precondition Failed"}));
        let strict = app.acme().with("prefer", "handling=strict");
        let body = json!({"name": "X", "service": {"id": 1}, "nope": 1});
        assert_eq!(strict.post(PATH, body).await.expect(400), json!({"message": "Unknown properties: nope"}));
        strict.post(PATH, json!({"name": "X", "service": {"id": 1}})).await.expect(201);
    }
}

on_both! {
    async fn changes_at_the_same_time_keep_each_other_s_custom_fields(app: TestApp) {
        let id = create(&app, "Echo", json!({})).await;
        let path = format!("{PATH}/{id}");
        let writes = (0..8).map(|number| {
            let (client, path) = (app.acme(), path.clone());
            async move {
                let field = json!([{"id": format!("f{number}"), "value": number}]);
                client.patch(&path, json!({"custom_fields": field})).await.expect(200)
            }
        });
        futures_util::future::join_all(writes).await;
        let record = app.acme().get(&path).await.expect(200);
        assert_eq!(record["custom_fields"].as_array().unwrap().len(), 8);
    }
}
