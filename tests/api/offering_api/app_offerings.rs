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

    async fn a_reference_is_made_of_the_account_and_the_name(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        for reference in [Value::Null, json!(""), json!("  ")] {
            let mut body = offering("Log Note  Dispatcher & Co.", instance);
            body["reference"] = reference;
            let made = app.acme().post(PATH, body).await.expect(201);
            assert_eq!(made["reference"], "acme_log_note__dispatcher_&_co.");
            app.execute("DELETE FROM app_offerings").await;
        }
        let mut body = offering("Anything", instance);
        body["reference"] = json!("note-dispatcher");
        assert_eq!(app.acme().post(PATH, body).await.expect(201)["reference"], "note-dispatcher");
    }

    async fn a_reference_is_unique_over_all_accounts(app: TestApp) {
        let taken = json!({"message": "Validation Failed", "errors":
            [["reference", "Reference has already been taken"]]});
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);

        let again = app.acme().post(PATH, offering("Echo", instance)).await.expect(422);
        assert_eq!(again, taken);
        let instance = service_instance(&app, "globex").await;
        let mut body = offering("Other", instance);
        body["reference"] = json!("acme_echo");
        assert_eq!(app.globex().post(PATH, body.clone()).await.expect(422), taken);
        body["reference"] = json!("ACME_echo");
        let made = app.globex().post(PATH, body).await.expect(201);
        let changed = app
            .globex()
            .patch(&format!("{PATH}/{}", made["id"]), json!({"reference": "acme_echo"}))
            .await;
        assert_eq!(changed.expect(422), taken);
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
    }

    async fn a_taken_reference_is_told_with_everything_else(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Ticket Echo", instance)).await.expect(201);
        let mut body = offering("", instance);
        body["reference"] = "acme_ticket_echo".into();
        let told = json!({"message": "Validation Failed", "errors": [
            ["reference", "Reference has already been taken"], ["name", "Name can't be blank"],
        ]});
        assert_eq!(app.acme().post(PATH, body).await.expect(422), told);
        app.acme().post(PATH, offering("Other", instance)).await.expect(201);
        let change = json!({"name": "", "reference": "acme_ticket_echo"});
        assert_eq!(app.acme().patch("/v1/app_offerings/2", change.clone()).await.expect(422), told);
        // Its own reference is not taken from itself.
        assert_eq!(app.acme().patch("/v1/app_offerings/1", change).await.expect(422), json!({
            "message": "Validation Failed", "errors": [["name", "Name can't be blank"]],
        }));
    }

    async fn addresses_are_absolute_as_they_are_written(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Ticket Echo", instance)).await.expect(201);
        for bad in ["https:example.org", "https:/example.org", "http:///x", r"http:\\x", "http://"] {
            let change = json!({
                "picture_uri": bad, "webhook_uri_template": bad, "configuration_uri_template": bad,
            });
            let refused = app.acme().patch("/v1/app_offerings/1", change).await.expect(422);
            assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
                ["picture_uri", "Picture uri is invalid"],
                ["webhook_uri_template", "Webhook uri template is invalid"],
                ["configuration_uri_template", "Configuration uri template is invalid"],
            ]}), "{bad}");
        }
    }

    async fn a_reference_can_change_until_it_is_published(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        let one = "/v1/app_offerings/1";
        let changed = app.acme().patch(one, json!({"reference": "echo"})).await.expect(200);
        assert_eq!(changed["reference"], "echo");
        let renamed = app.acme().patch(one, json!({"name": "Echo Two"})).await.expect(200);
        assert_eq!(renamed["reference"], "echo", "a new name makes no new reference");
        for blank in [Value::Null, json!(""), json!(" ")] {
            let refused = app.acme().patch(one, json!({"reference": blank})).await.expect(422);
            assert_eq!(refused["errors"], json!([["reference", "Reference can't be blank"]]));
        }

        let version = app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        for id in [1, version["id"].as_i64().unwrap()] {
            let path = format!("{PATH}/{id}");
            let refused = app.acme().patch(&path, json!({"reference": "other"})).await.expect(422);
            assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
                ["reference", "Reference cannot be changed after publication"]]}));
            app.acme().patch(&path, json!({"reference": "echo"})).await.expect(200);
        }
    }

    async fn a_change_touches_only_what_it_names(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let made = app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        app.advance_seconds(90);
        let changed = app.acme().put("/v1/app_offerings/1", json!({
            "description": "Lines\r\nend\ralike", "disabled": "yes", "unknown": 1, "id": 99,
        })).await.expect(200);
        let mut expected = made;
        expected["description"] = json!("Lines\nend\nalike");
        expected["disabled"] = json!(true);
        expected["updated_at"] = json!("2026-02-01T09:16:30+01:00");
        assert_eq!(changed, expected);
        assert_eq!(app.acme().get("/v1/app_offerings/1").await.expect(200), expected);
        let by_name = app.acme().get("/v1/app_offerings/ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE").await;
        assert_eq!(by_name.expect(200), expected);

        app.advance_seconds(90);
        let same = app.acme().patch("/v1/app_offerings/1", json!({"disabled": true})).await.expect(200);
        assert_eq!(same, expected, "what changes nothing leaves no trace");
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 2);
    }

    async fn required_fields_cannot_be_cleared(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        let refused = app.acme().patch("/v1/app_offerings/1", json!({
            "name": "", "policy_jwt_alg": null, "service_instance_id": null, "webhook_uri_template": " ",
        })).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed", "errors": [
            ["name", "Name can't be blank"],
            ["policy_jwt_alg", "Policy jwt alg can't be blank"],
            ["service_instance", "Service instance can't be blank"],
            ["webhook_uri_template", "Webhook uri template can't be blank"],
        ]}));
        let nothing = app.acme().post(PATH, json!({})).await.expect(422);
        assert_eq!(nothing, refused);
    }

    async fn limits_count_characters_in_names_and_bytes_in_texts(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let mut body = offering(&"ä".repeat(128), instance);
        body["reference"] = json!("ö".repeat(161));
        body["description"] = json!("é".repeat(32_767));
        body["policy_jwt_audience"] = json!("a".repeat(2048));
        app.acme().post(PATH, body).await.expect(201);
        let mut body = offering(&"ä".repeat(129), instance);
        body["reference"] = json!("ö".repeat(162));
        body["source"] = json!("s".repeat(31));
        body["sourceID"] = json!("s".repeat(129));
        body["card_description"] = json!("c".repeat(256));
        body["description"] = json!("é".repeat(32_768));
        body["policy_jwt_audience"] = json!("a".repeat(2049));
        body["webhook_uri_template"] = json!(format!("https://example.org/{}", "w".repeat(240)));
        let refused = app.acme().post(PATH, body).await.expect(422);
        let fields: Vec<&str> =
            refused["errors"].as_array().unwrap().iter().map(|error| error[0].as_str().unwrap()).collect();
        assert_eq!(fields, [
            "source", "sourceID", "reference", "name", "card_description", "description",
            "policy_jwt_audience", "webhook_uri_template",
        ]);
        assert_eq!(refused["errors"][3], json!(["name", "Name is too long (maximum is 128 characters)"]));
    }

    async fn another_accounts_offering_does_not_exist(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        let missing = json!({"message": "Not Found"});
        for stranger in [app.initech(), app.globex()] {
            for path in ["/v1/app_offerings/1", "/v1/app_offerings/1/audit"] {
                assert_eq!(stranger.get(path).await.expect(404), missing);
            }
            let change = stranger.patch("/v1/app_offerings/1", json!({"name": "Mine"})).await;
            assert_eq!(change.expect(404), missing);
            assert_eq!(stranger.get(PATH).await.expect(200), json!([]));
        }
        for id in ["0", "2", "-1", "abc", "9223372036854775808", "1e3", "%31%00"] {
            let answer = app.acme().get(&format!("{PATH}/{id}")).await;
            assert_eq!(answer.expect(404), missing, "{id}");
        }
        let theirs = app.globex().post(PATH, offering("Theirs", instance)).await.expect(422);
        assert_eq!(theirs["errors"], json!([["service_instance", "Service instance must exist"]]));
    }

    async fn a_trusted_customer_sees_what_is_published_but_cannot_change_it(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        let version = app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        let path = format!("{PATH}/{}", version["id"]);

        let seen = app.globex().get(&path).await.expect(200);
        assert_eq!(seen["account"], json!({"id": "acme", "name": "Acme"}));
        assert_eq!(seen["service_instance"]["account"], json!({"id": "acme", "name": "Acme"}));
        let refused = app.globex().patch(&path, json!({"name": "Mine"})).await.expect(403);
        assert_eq!(refused, json!({"message": "Forbidden"}));
        app.initech().get(&path).await.expect(404);
        app.initech().patch(&path, json!({"name": "Mine"})).await.expect(404);
    }

    async fn every_change_leaves_an_entry_with_what_changed(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        app.advance_seconds(60);
        app.acme().patch("/v1/app_offerings/1", json!({"disabled": 1, "name": "Echo 2"})).await.expect(200);
        let entries = app.acme().get("/v1/app_offerings/1/audit").await.expect(200);
        assert_eq!(entries[0], json!({
            "id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0F1ZGl0TGluZS8y", "action": "update",
            "created_at": "2026-02-01T09:16:00+01:00",
            "created_by": {"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"},
            "changes": {"name": ["Echo", "Echo 2"], "disabled": [false, true]},
        }));
        assert_eq!(entries[1]["action"], "create");
        assert_eq!(entries[1]["changes"]["reference"], json!([null, "acme_echo"]));
        assert_eq!(entries[1]["changes"]["service_instance"], json!([null, 1]));

        let all = app.acme().get("/v1/audit_lines").await.expect(200);
        assert_eq!(all[0]["audited"], "app_offering");
        assert_eq!(all[0]["app_offering"], json!({
            "id": 1, "reference": "acme_echo", "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE"}));
        assert_eq!(all[0].get("changes"), None);
        let one = app.acme().get("/v1/audit_lines/2").await.expect(200);
        assert_eq!(one["changes"], entries[0]["changes"]);
        app.globex().get("/v1/audit_lines/2").await.expect(404);
        assert_eq!(app.globex().get("/v1/audit_lines").await.expect(200), json!([]));
    }

    async fn the_fields_that_clients_select_all_exist(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        let fields = "attachments,card_description,compliance,configuration_uri_template,created_at,\
            description,disabled,features,id,name,openid_connect_discovery,picture_uri,policy_jwt_alg,\
            policy_jwt_audience,policy_jwt_claim_expires_in,reference,requires_enabled_oauth_person,\
            service_instance,source,sourceID,ui_extension_version,updated_at,webhook_uri_template";
        let selected = app.acme().get(&format!("{PATH}/?per_page=100&fields={fields}")).await.expect(200);
        let names: Vec<&String> = selected[0].as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 24, "the 23 and nodeID: {names:?}");
        let default = app.acme().get(PATH).await.expect(200);
        let names: Vec<&String> = default[0].as_object().unwrap().keys().collect();
        assert_eq!(names, [
            "id", "nodeID", "sourceID", "reference", "name", "policy_jwt_alg", "policy_jwt_audience",
            "policy_jwt_claim_expires_in", "service_instance", "webhook_uri_template", "created_at",
            "updated_at",
        ]);
    }
}
