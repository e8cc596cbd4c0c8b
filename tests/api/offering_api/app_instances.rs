//! `/v1/app_instances`: the life of an install, step by step (contract 4.1).
use appmarket::kernel::db::{Query, Row};
use appmarket::kernel::secret::Purpose;
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::{TestApp, client::Client};

const PATH: &str = "/v1/app_instances";
const ONE: &str = "/v1/app_instances/1";
const NODE: &str = "ZXhhbXBsZS50ZXN0L0FwcEluc3RhbmNlLzE";

const FORM: &str = "<input id=\"url\" class=\"required\"><input id=\"size\">\
    <input id=\"api_key\" class=\"required\" data-secret=\"true\"><input id=\"pin\" data-secret>";

/// Acme's offering 1, a draft with a form, two scopes and a rule, and its published version 2.
pub(super) async fn published(app: &TestApp, more: Value) {
    let instance = service_instance(app, "acme").await;
    app.acme()
        .post(
            "/v1/ui_extensions",
            json!({"name": "Echo settings", "category": "app_offering",
        "html": FORM, "activate": true}),
        )
        .await
        .expect(201);
    let mut body = offering("Echo", instance);
    body["ui_extension_version_id"] = json!(1);
    body["new_scopes"] = json!([
        {"actions": ["request:All"]}, {"actions": ["request:Delete"], "effect": "deny"},
        {"actions": ["ci:Read"], "grant_type": "authorization_code"},
    ]);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.acme().post("/v1/app_offerings", body).await.expect(201);
    app.acme().post("/v1/app_offering_automation_rules", json!({
        "app_offering_id": 1, "rulable_type": "Req", "name": "Dispatch", "trigger": "on note added",
        "actions": "a1: call webhook '{app_offering_webhook}' with payload 'text'",
    })).await.expect(201);
    publish(app).await;
}

pub(super) async fn publish(app: &TestApp) -> i64 {
    let version = app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
    version["id"].as_i64().unwrap()
}

/// What globex fills in.
pub(super) fn filled(offering: i64) -> Value {
    json!({"app_offering_id": offering, "custom_fields": [
        {"id": "url", "value": "https://globex.example.org"}, {"id": "api_key", "value": "s3cr3t-value"},
    ]})
}

/// Globex has installed acme's version 2.
async fn installed(app: &TestApp) -> Value {
    published(app, json!({})).await;
    app.globex().post(PATH, filled(2)).await.expect(201)
}

fn invalid(errors: Value) -> Value {
    json!({"message": "Validation Failed", "errors": errors})
}

/// Name, account and payload of each event of installed apps, in their order.
async fn events(app: &TestApp) -> Vec<(String, String, Value)> {
    let sql =
        "SELECT name, account_id, payload FROM events WHERE name LIKE 'app_instance.%' ORDER BY id";
    let read = |list: &mut Vec<(String, String, Value)>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap().into_owned();
        list.push((text(0), text(1), serde_json::from_str(&text(2)).unwrap()));
    };
    let query = Query::new(sql.to_owned(), Vec::new());
    app.state.store.committed().fetch(query, Vec::new(), read).await.unwrap()
}

/// What was handed over last, opened.
async fn secrets(app: &TestApp) -> Value {
    let sql =
        "SELECT event_id, secrets FROM events WHERE secrets IS NOT NULL ORDER BY id DESC LIMIT 1";
    let read = |found: &mut (String, String), row: &dyn Row| {
        *found = (row.text(0).unwrap().into_owned(), row.text(1).unwrap().into_owned());
    };
    let query = Query::new(sql.to_owned(), Vec::new());
    let none = (String::new(), String::new());
    let (id, sealed) = app.state.store.committed().fetch(query, none, read).await.unwrap();
    let plain = app.state.site.key.open(Purpose::Message, id.as_bytes(), &sealed).unwrap();
    serde_json::from_slice(&plain).unwrap()
}

/// A token of an app's own client.
async fn token(app: &TestApp, secrets: &Value) -> crate::support::Answer {
    let application = &secrets["application"];
    app.anonymous()
        .post(
            "/token",
            json!({"grant_type": "client_credentials",
        "client_id": application["client_id"], "client_secret": application["client_secret"]}),
        )
        .await
}

async fn names(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).await.expect(200);
    list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn an_install_answers_the_whole_record(app: TestApp) {
        published(&app, json!({})).await;
        let answer = app.globex().post(PATH, filled(2)).await;
        assert_eq!(answer.header("location"), "https://globex.example.test/app_instances/1");
        let record = answer.expect(201);
        let policy = record["webhook_policy"]["name"].clone();
        assert_eq!(record, json!({
            "id": 1, "nodeID": NODE,
            "app_offering": {"id": 2, "reference": "acme_echo",
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI", "account": {"id": "acme", "name": "Acme"}},
            "customer_account": {"id": "globex", "name": "Globex"},
            "customer_representative": {"id": 2, "name": "Greg Hill",
                "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8y"},
            "disabled": false, "enabled_by_customer": true, "suspended": false, "suspension_comment": null,
            "custom_fields": [{"id": "url", "value": "https://globex.example.org"}],
            "webhook": {"id": 1, "name": "Echo", "nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2svMQ"},
            "webhook_policy": {"id": 1, "name": policy, "nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2tQb2xpY3kvMQ"},
            "attachments": [], "created_at": "2026-02-01T09:15:00+01:00",
            "updated_at": "2026-02-01T09:15:00+01:00", "account": {"id": "acme", "name": "Acme"},
        }));
        assert_eq!(app.globex().get(ONE).await.expect(200), record);
        let by_name = format!("{PATH}/{NODE}");
        let seen = app.acme().get(&by_name).await.expect(200);
        assert_eq!(seen["customer_representative"]["account"], json!({"id": "globex", "name": "Globex"}));
        assert_eq!(seen["webhook"]["account"], json!({"id": "globex", "name": "Globex"}));
        assert_eq!(seen.get("account"), None);
        assert_eq!(app.initech().get(ONE).await.expect(404), json!({"message": "Not Found"}));
    }

    async fn an_install_generates_what_the_app_needs(app: TestApp) {
        installed(&app).await;
        let webhook = app.globex().get("/v1/webhooks/1").await.expect(200);
        assert_eq!(webhook["event"], "automation_rule");
        assert_eq!(webhook["uri"], "https://echo.example.org/hook?account=globex");
        assert_eq!((&webhook["disabled"], &webhook["webhook_policy"]["id"]), (&json!(false), &json!(1)));
        let policy = app.globex().get("/v1/webhook_policies/1").await.expect(200);
        assert_eq!(policy["jwt_alg"], "es256");
        for client in [app.globex(), app.acme()] {
            let rules = client.get(&format!("{ONE}/automation_rules?fields=*")).await.expect(200);
            assert_eq!(rules[0]["name"], "Dispatch");
            assert_eq!(rules[0]["actions"],
                "a1: call webhook 'ZXhhbXBsZS50ZXN0L1dlYmhvb2svMQ' with payload 'text'");
            assert_eq!(rules[0]["disabled"], false);
        }
        app.initech().get(&format!("{ONE}/automation_rules")).await.expect(404);
        // Two applications, of one person who is no administrator.
        assert_eq!(app.count("SELECT COUNT(*) FROM oauth_clients WHERE app_instance_id = 1").await, 2);
        let people = "SELECT COUNT(*) FROM people WHERE account_id = 'globex' AND NOT administrator";
        assert_eq!(app.count(people).await, 1);
    }

    async fn an_install_tells_both_parties_and_hands_the_secrets_to_the_provider(app: TestApp) {
        installed(&app).await;
        let told = events(&app).await;
        let payload = json!({
            "app_offering": {"reference": "acme_echo", "id": 2,
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI", "updated": false},
            "customer_account_id": "globex", "disabled": false, "enabled_by_customer": true,
            "suspended": false,
            "customer_representative": {"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8y",
                "name": "Greg Hill", "account": {"id": "globex", "name": "Globex"}},
        });
        let created = |account: &str| {
            ("app_instance.create".to_owned(), account.to_owned(), payload.clone())
        };
        assert_eq!(told, [created("globex"), created("acme"), (
            "app_instance.secrets-update".to_owned(), "acme".to_owned(),
            json!({"app_offering": {"reference": "acme_echo", "id": 2,
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI"}, "customer_account_id": "globex"}),
        )]);
        let secrets = secrets(&app).await;
        let keys: Vec<&String> = secrets.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["policy", "application", "authorization_application", "secrets"]);
        assert_eq!(secrets["secrets"], json!({"api_key": "s3cr3t-value"}));
        let policy = &secrets["policy"];
        assert_eq!(policy["nodeID"], "ZXhhbXBsZS50ZXN0L1dlYmhvb2tQb2xpY3kvMQ");
        assert_eq!((&policy["algorithm"], &policy["audience"]), (&json!("ES256"), &json!(null)));
        assert_eq!(policy["issuer"], "https://globex.example.test");
        assert!(policy["public_key"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
        for application in ["application", "authorization_application"] {
            let length = |key: &str| secrets[application][key].as_str().unwrap().len();
            assert_eq!((length("client_id"), length("client_secret")), (48, 64));
        }
        // The value of the secret is nowhere else.
        for (table, column) in [("app_instances", "custom_fields"), ("audit_lines", "changes"),
            ("events", "payload"), ("events", "secrets"), ("idempotency_keys", "body")] {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%s3cr3t%'");
            assert_eq!(app.count(&sql).await, 0, "{table}");
        }
    }

    async fn an_app_acts_as_its_scopes_say(app: TestApp) {
        installed(&app).await;
        let secrets = secrets(&app).await;
        let token = token(&app, &secrets).await.expect(200);
        let client = app.bearer(token["access_token"].as_str().unwrap());
        // It may read requests, of which there are none here; nothing else.
        client.get("/v1/app_offerings").await.expect(403);
        client.get("/v1/me").await.expect(403);
        let application = &secrets["authorization_application"];
        let refused = app.anonymous().post("/token", json!({"grant_type": "client_credentials",
            "client_id": application["client_id"], "client_secret": application["client_secret"]})).await;
        assert_eq!(refused.expect(400), json!({"error": "unauthorized_client",
            "error_description": "This client acts for people who sign in: it may not use the grant_type \
                client_credentials"}));
    }

    async fn an_app_without_address_scopes_and_form_needs_nothing(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        app.acme().post("/v1/app_offerings", offering("Plain", instance)).await.expect(201);
        app.execute("UPDATE app_offerings SET webhook_uri_template = NULL, policy_jwt_alg = NULL").await;
        publish(&app).await;
        let made = app.globex().post(PATH, json!({"app_offering_id": 2})).await.expect(201);
        assert_eq!((&made["webhook"], &made["webhook_policy"]), (&json!(null), &json!(null)));
        assert_eq!(made["custom_fields"], json!([]));
        let told: Vec<String> = events(&app).await.into_iter().map(|(name, ..)| name).collect();
        assert_eq!(told, ["app_instance.create", "app_instance.create"]);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhooks").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM oauth_clients").await, 0);
    }

    async fn what_cannot_be_installed_is_refused(app: TestApp) {
        published(&app, json!({})).await;
        let text = |text: &str| invalid(json!([["app_offering", text]]));
        // Without trust, a draft of another account, and what there is not.
        let refused = app.initech().post(PATH, filled(2)).await.expect(422);
        assert_eq!(refused, text("App offering must exist"));
        for id in [1, 9] {
            let refused = app.globex().post(PATH, filled(id)).await.expect(422);
            assert_eq!(refused, text("App offering must exist"));
        }
        let refused = app.globex().post(PATH, json!({})).await.expect(422);
        assert_eq!(refused, text("App offering can't be blank"));
        app.acme().patch("/v1/app_offerings/2", json!({"disabled": true})).await.expect(200);
        let refused = app.globex().post(PATH, filled(2)).await.expect(422);
        assert_eq!(refused, text("App offering is disabled"));
        app.acme().patch("/v1/app_offerings/2", json!({"disabled": false})).await.expect(200);
        publish(&app).await;
        let refused = app.globex().post(PATH, filled(2)).await.expect(422);
        assert_eq!(refused, text("App offering is not the latest published version"));
        app.globex().post(PATH, filled(3)).await.expect(201);
        let refused = app.globex().post(PATH, filled(3)).await.expect(422);
        assert_eq!(refused, text("App offering is already installed"));
        assert_eq!(app.count("SELECT COUNT(*) FROM app_instances").await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhooks").await, 1);
        let plain = app.plain_person("globex").await;
        let refused = app.bearer(&plain).post(PATH, filled(3)).await.expect(403);
        assert_eq!(refused, json!({"message": "Forbidden"}));
    }

    async fn an_app_whose_address_may_not_be_called_is_not_installed(app: TestApp) {
        published(&app, json!({"webhook_uri_template": "http://10.1.2.3/{account}"})).await;
        let refused = app.globex().post(PATH, filled(2)).await.expect(422);
        assert_eq!(refused, invalid(json!([["app_offering", "App offering has a webhook address that \
            cannot be used: leads from 10.1.2.3 to a private network: use a public address, or ask the \
            operator to allow this one (setting outgoing_allow)"]])));
        assert_eq!(app.count("SELECT COUNT(*) FROM app_instances").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhook_policies").await, 0);
    }

    async fn an_app_is_installed_by_its_customer_for_a_person_of_theirs(app: TestApp) {
        published(&app, json!({})).await;
        let with = |name: &str, value: Value| {
            let mut body = filled(2);
            body[name] = value;
            body
        };
        let refused = app.acme().post(PATH, with("customer_account_id", json!("globex"))).await.expect(422);
        assert_eq!(refused, invalid(json!([["customer_account", "Customer account must be the caller's own: \
            an administrator of the customer account installs the app"]])));
        app.execute("UPDATE people SET administrator = FALSE WHERE account_id = 'initech'").await;
        app.plain_person("globex").await;
        let plain = app.count("SELECT MAX(id) FROM people").await;
        for (id, text) in [(1, "must exist"), (99, "must exist"),
            (plain, "must be an Account Administrator of the customer account")] {
            let body = with("customer_representative_id", json!(id));
            let refused = app.globex().post(PATH, body).await.expect(422);
            let expected = format!("Customer representative {text}");
            assert_eq!(refused, invalid(json!([["customer_representative", expected]])));
        }
        let refused = app.globex().post(PATH, with("disabled", json!(true))).await.expect(422);
        assert_eq!(refused, invalid(json!([["disabled",
            "Disabled can only be changed by the provider of the app"]])));
        let body = with("customer_account", json!({"id": "globex"}));
        app.globex().post(PATH, body).await.expect(201);
    }

    async fn the_form_says_what_can_be_filled_in(app: TestApp) {
        published(&app, json!({})).await;
        let body = |fields: Value| json!({"app_offering_id": 2, "custom_fields": fields});
        let refused = app.globex().post(PATH, body(json!([
            {"id": "url", "value": " "}, {"id": "nix", "value": 1}, {"id": "nox", "value": 1},
        ]))).await.expect(422);
        assert_eq!(refused, invalid(json!([
            ["custom_fields", "Custom fields has fields that the form of the app does not have: nix, nox"],
            ["custom_fields", "Custom fields lacks fields that the form of the app requires: url, api_key"],
        ])));
        app.globex().post(PATH, filled(2)).await.expect(201);
        let patch = |fields: Value| json!({"custom_fields": fields});
        for (fields, lacking) in [
            (json!(null), "url, api_key"),
            (json!([{"id": "url"}]), "url"),
            (json!([{"id": "api_key", "value": ""}]), "api_key"),
        ] {
            let refused = app.globex().patch(ONE, patch(fields)).await.expect(422);
            let lacks = format!("Custom fields lacks fields that the form of the app requires: {lacking}");
            assert_eq!(refused, invalid(json!([["custom_fields", lacks]])));
        }
        // What is not mentioned stays; a new secret goes to the provider alone.
        let fields = json!([{"id": "size", "value": 3}, {"id": "pin", "value": "0815"}]);
        let changed = app.globex().patch(ONE, patch(fields)).await.expect(200);
        assert_eq!(changed["custom_fields"], json!([{"id": "url", "value": "https://globex.example.org"},
            {"id": "size", "value": 3}]));
        assert_eq!(secrets(&app).await, json!({"secrets": {"pin": "0815"}}));
        let audit = app.globex().get(&format!("{ONE}/audit")).await.expect(200);
        assert_eq!(audit[0]["changes"]["secrets"], json!([null, ["pin"]]));
        assert!(!audit.to_string().contains("0815"));
        // Only a secret: nothing to be seen changes, but it is handed over and the entry says that.
        app.globex().patch(ONE, patch(json!([{"id": "pin", "value": "4711"}]))).await.expect(200);
        assert_eq!(secrets(&app).await, json!({"secrets": {"pin": "4711"}}));
    }

    async fn each_party_has_its_switch(app: TestApp) {
        installed(&app).await;
        let provider_only = invalid(json!([["disabled",
            "Disabled can only be changed by the provider of the app"]]));
        let refused = app.globex().patch(ONE, json!({"disabled": true})).await.expect(422);
        assert_eq!(refused, provider_only);
        let refused = app.acme().patch(ONE, json!({"enabled_by_customer": false, "app_offering_id": 1,
            "customer_representative_id": null})).await.expect(422);
        assert_eq!(refused, invalid(json!([
            ["app_offering", "App offering can only be changed by the customer"],
            ["customer_representative", "Customer representative can only be changed by the customer"],
            ["enabled_by_customer", "Enabled by customer can only be changed by the customer"],
        ])));
        // Written back as it is, it changes nothing.
        let same = json!({"disabled": false, "enabled_by_customer": true, "app_offering_id": 2,
            "customer_representative_id": 2});
        app.acme().patch(ONE, same.clone()).await.expect(200);
        app.globex().put(ONE, same).await.expect(200);
        assert_eq!(events(&app).await.len(), 3);
        assert_eq!(app.initech().patch(ONE, json!({})).await.expect(404), json!({"message": "Not Found"}));
        // Either party suspends and lifts that.
        let comment = json!({"suspended": true, "suspension_comment": "Moving"});
        assert_eq!(app.acme().patch(ONE, comment).await.expect(200)["suspended"], true);
        let lifted = app.globex().patch(ONE, json!({"suspended": false})).await.expect(200);
        assert_eq!((&lifted["suspended"], &lifted["suspension_comment"]), (&json!(false), &json!("Moving")));
        app.globex().patch(ONE, json!({"suspended": true})).await.expect(200);
        app.acme().patch(ONE, json!({"suspended": false})).await.expect(200);
    }

    async fn what_is_switched_off_does_nothing_until_all_switches_are_on_again(app: TestApp) {
        installed(&app).await;
        let secrets = secrets(&app).await;
        let token_of_app = token(&app, &secrets).await.expect(200);
        let off = "SELECT (SELECT COUNT(*) FROM automation_rules WHERE disabled) \
            + (SELECT COUNT(*) FROM webhooks WHERE disabled) \
            + (SELECT COUNT(*) FROM oauth_clients WHERE disabled)";
        app.acme().patch(ONE, json!({"disabled": true})).await.expect(200);
        app.globex().patch(ONE, json!({"enabled_by_customer": false})).await.expect(200);
        assert_eq!(app.count(off).await, 4);
        token(&app, &secrets).await.expect(401);
        app.advance_seconds(6);
        let client = app.bearer(token_of_app["access_token"].as_str().unwrap());
        client.get("/v1/app_offerings").await.expect(401);
        app.acme().patch(ONE, json!({"disabled": false})).await.expect(200);
        assert_eq!(app.count(off).await, 4);
        app.globex().patch(ONE, json!({"enabled_by_customer": true})).await.expect(200);
        assert_eq!(app.count(off).await, 0);
        client.get("/v1/app_offerings").await.expect(403);
        let (name, account, payload) = events(&app).await.pop().unwrap();
        assert_eq!((name.as_str(), account.as_str()), ("app_instance.update", "acme"));
        assert_eq!(payload["app_offering"]["updated"], false);
    }

    async fn a_customer_approves_an_update(app: TestApp) {
        installed(&app).await;
        let before = secrets(&app).await;
        app.acme().patch("/v1/app_offerings/1", json!({"name": "Echo 2", "policy_jwt_alg": "es384",
            "webhook_uri_template": "https://echo.example.org/v2/{account}",
            "scopes_to_delete": [3], "new_scopes": [{"actions": ["app-offering:Read"]}]})).await.expect(200);
        app.acme().patch("/v1/app_offering_automation_rules/1", json!({"name": "Dispatch 2"})).await.expect(200);
        let latest = publish(&app).await;
        // Disabled offerings are for new customers only.
        app.acme().patch(&format!("/v1/app_offerings/{latest}"), json!({"disabled": true})).await.expect(200);
        let preview = app.globex().get(&format!("{ONE}/upgrade")).await.expect(200);
        assert_eq!(preview, json!({
            "available": true,
            "installed": {"id": 2, "reference": "acme_echo", "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI"},
            "latest": {"id": 3, "reference": "acme_echo", "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzM"},
            "consent_needed": true,
            "scopes": {
                "added": [{"effect": "allow", "grant_type": "client_credentials",
                    "action": "app-offering:Read", "conditions": []}],
                "removed": [{"effect": "allow", "grant_type": "authorization_code", "action": "ci:Read",
                    "conditions": []}],
            },
            "automation_rules": {
                "added": [{"name": "Dispatch 2", "rulable_type": "Req", "trigger": "on note added"}],
                "removed": [{"name": "Dispatch", "rulable_type": "Req", "trigger": "on note added"}],
                "changed": [],
            },
            "custom_fields": {"added": [], "removed": [], "changed": []},
            "webhook_uri": {"before": "https://echo.example.org/hook?account=globex",
                "after": "https://echo.example.org/v2/globex"},
            "configuration_uri": null,
            "policy_jwt_alg": {"before": "es256", "after": "es384"},
        }));
        // Who is no longer trusted is offered nothing that would be refused.
        let others = "UPDATE trusts SET customer_id = 'initech' WHERE customer_id = 'globex'";
        app.execute(others).await;
        let alone = app.globex().get(&format!("{ONE}/upgrade")).await.expect(200);
        assert_eq!((&alone["available"], &alone["latest"]), (&json!(false), &json!(null)));
        let refused = app.globex().patch(ONE, json!({"app_offering_id": latest})).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed",
            "errors": [["app_offering", "App offering must exist"]]}));
        app.execute("UPDATE trusts SET customer_id = 'globex' WHERE customer_id = 'initech'").await;
        let updated = app.globex().patch(ONE, json!({"app_offering_id": latest})).await.expect(200);
        assert_eq!(updated["app_offering"]["id"], latest);
        assert_eq!(updated["webhook"]["name"], "Echo 2");
        assert_eq!(names(&app.globex(), &format!("{ONE}/automation_rules")).await, ["Dispatch 2"]);
        let webhook = app.globex().get("/v1/webhooks/1").await.expect(200);
        assert_eq!(webhook["uri"], "https://echo.example.org/v2/globex");
        assert_eq!(app.globex().get("/v1/webhook_policies/1").await.expect(200)["jwt_alg"], "es384");
        let told = events(&app).await;
        let (name, _, payload) = &told[3];
        assert_eq!((name.as_str(), &payload["app_offering"]["updated"]), ("app_instance.update", &json!(true)));
        let handed = secrets(&app).await;
        let keys: Vec<&String> = handed.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["policy", "authorization_application"]);
        assert_eq!(handed["authorization_application"], json!(null));
        assert_eq!(handed["policy"]["algorithm"], "ES384");
        // The application is the same, with other scopes.
        let token = token(&app, &before).await.expect(200);
        app.bearer(token["access_token"].as_str().unwrap()).get("/v1/app_offerings").await.expect(200);
        let preview = app.acme().get(&format!("{ONE}/upgrade")).await.expect(200);
        assert_eq!((&preview["available"], &preview["latest"]), (&json!(false), &json!(null)));
        let missing = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"});
        assert_eq!(app.initech().get(&format!("{ONE}/upgrade")).await.expect(404), missing);
    }

    async fn consent_is_needed_for_what_must_be_filled_in_and_where_people_are_sent(app: TestApp) {
        published(&app, json!({"configuration_uri_template": "https://echo.example.org/setup?a={account}"})).await;
        app.globex().post(PATH, filled(2)).await.expect(201);
        let nothing = json!({"added": [], "removed": [], "changed": []});
        let field = |id: &str, required: bool, secret: bool| json!({"id": id, "required": required, "secret": secret});
        let page = |after: Value| json!({"before": "https://echo.example.org/setup?a=globex", "after": after});
        let same = "https://echo.example.org/setup?a={account}";
        let more = |html: &str| format!("{FORM}{html}");
        for (html, template, consent, fields, configuration) in [
            (more(""), json!("https://echo.example.org/other"), false, nothing.clone(), page(json!("https://echo.example.org/other"))),
            (more(""), json!(null), false, nothing.clone(), page(Value::Null)),
            (more(""), json!("https://echo.example.com/setup"), true, nothing.clone(), page(json!("https://echo.example.com/setup"))),
            (more(""), json!("https://echo.example.org:8443/setup"), true, nothing.clone(), page(json!("https://echo.example.org:8443/setup"))),
            (
                more("<input id=\"colour\">"), json!(same), false,
                json!({"added": [field("colour", false, false)], "removed": [], "changed": []}), Value::Null,
            ),
            (
                more("<input id=\"colour\" required>"), json!(same), true,
                json!({"added": [field("colour", true, false)], "removed": [], "changed": []}), Value::Null,
            ),
            (
                FORM.replace("id=\"size\"", "id=\"size\" required"), json!(same), true,
                json!({"added": [], "removed": [], "changed": [field("size", true, false)]}), Value::Null,
            ),
            (
                FORM.replace(" class=\"required\"", ""), json!(same), false,
                json!({"added": [], "removed": [], "changed": [field("url", false, false), field("api_key", false, true)]}),
                Value::Null,
            ),
        ] {
            let extension = json!({"html": html, "activate": true});
            let extension = app.acme().patch("/v1/ui_extensions/1", extension).await.expect(200);
            app.acme().patch("/v1/app_offerings/1", json!({
                "ui_extension_version_id": extension["active_version"]["id"],
                "configuration_uri_template": template,
            })).await.expect(200);
            publish(&app).await;
            let preview = app.globex().get(&format!("{ONE}/upgrade")).await.expect(200);
            assert_eq!(preview["custom_fields"], fields, "{html}");
            assert_eq!(preview["configuration_uri"], configuration, "{html} {template}");
            assert_eq!(preview["consent_needed"], consent, "{html} {template}");
        }
    }

    async fn a_first_configuration_page_needs_consent(app: TestApp) {
        installed(&app).await;
        let template = "https://echo.example.org/setup";
        app.acme().patch("/v1/app_offerings/1", json!({"configuration_uri_template": template})).await.expect(200);
        publish(&app).await;
        let preview = app.globex().get(&format!("{ONE}/upgrade")).await.expect(200);
        assert_eq!((&preview["consent_needed"], &preview["configuration_uri"]),
            (&json!(true), &json!({"before": null, "after": template})));
    }

    async fn null_is_false_for_switches_too(app: TestApp) {
        // As for every boolean (contract 1.8), also for the one that is true unless it is said.
        published(&app, json!({})).await;
        let mut body = filled(2);
        for (name, value) in [("enabled_by_customer", json!(null)), ("suspended", json!(null))] {
            body[name] = value;
        }
        let made = app.globex().post(PATH, body).await.expect(201);
        assert_eq!((&made["enabled_by_customer"], &made["suspended"]), (&json!(false), &json!(false)));
        app.globex().patch(ONE, json!({"enabled_by_customer": true})).await.expect(200);
        let changed = app.globex().patch(ONE, json!({"enabled_by_customer": null})).await.expect(200);
        assert_eq!(changed["enabled_by_customer"], false);
    }

    async fn an_update_stays_within_the_offering(app: TestApp) {
        installed(&app).await;
        let instance = service_instance(&app, "acme").await;
        app.acme().post("/v1/app_offerings", offering("Other", instance)).await.expect(201);
        app.acme().post("/v1/app_offerings/3/publish", json!({})).await.expect(201);
        let refused = app.globex().patch(ONE, json!({"app_offering_id": 4})).await.expect(422);
        assert_eq!(refused, invalid(json!([["app_offering",
            "App offering must be a version of the offering that is installed"]])));
        for id in [1, 99] {
            let refused = app.globex().patch(ONE, json!({"app_offering_id": id})).await.expect(422);
            assert_eq!(refused, invalid(json!([["app_offering", "App offering must exist"]])));
        }
        let refused = app.globex().patch(ONE, json!({"app_offering_id": null})).await.expect(422);
        assert_eq!(refused, invalid(json!([["app_offering", "App offering can't be blank"]])));
    }

    async fn a_provider_tries_its_draft_in_its_own_account(app: TestApp) {
        published(&app, json!({})).await;
        let made = app.acme().post(PATH, filled(1)).await.expect(201);
        assert_eq!((&made["app_offering"]["id"], made.get("account")), (&json!(1), None));
        let told: Vec<(String, String)> =
            events(&app).await.into_iter().map(|(name, account, _)| (name, account)).collect();
        let expected = ["app_instance.create", "app_instance.secrets-update"];
        assert_eq!(told, expected.map(|name| (name.to_owned(), "acme".to_owned())));
        // Both parties at once.
        let both = json!({"disabled": true, "enabled_by_customer": false});
        app.acme().patch(ONE, both).await.expect(200);
        let again = app.acme().post(PATH, filled(2)).await.expect(422);
        assert_eq!(again, invalid(json!([["app_offering", "App offering is already installed"]])));
        app.acme().patch(ONE, json!({"app_offering_id": 2})).await.expect(200);
        app.acme().delete(ONE).await.expect(204);
    }

    async fn a_customer_removes_the_app(app: TestApp) {
        installed(&app).await;
        let forbidden = json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Forbidden"});
        assert_eq!(app.acme().delete(ONE).await.expect(403), forbidden);
        let missing = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"});
        assert_eq!(app.initech().delete(ONE).await.expect(404), missing);
        let tag = app.globex().get(ONE).await.header("etag").to_owned();
        app.acme().patch(ONE, json!({"suspended": true})).await.expect(200);
        let failed = json!({"type": "about:blank", "title": "Precondition Failed", "status": 412,
            "detail": "Precondition Failed"});
        assert_eq!(app.globex().with("if-match", &tag).delete(ONE).await.expect(412), failed);
        let secrets = secrets(&app).await;
        token(&app, &secrets).await.expect(401);
        app.globex().delete(ONE).await.expect(204);
        for table in ["app_instances", "automation_rules", "webhooks", "webhook_policies",
            "webhook_policy_keys", "oauth_clients", "tokens WHERE oauth_client_id IS NOT NULL"] {
            assert_eq!(app.count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        let people = "SELECT COUNT(*) FROM people WHERE account_id = 'globex' AND disabled";
        assert_eq!(app.count(people).await, 1);
        let told = events(&app).await;
        let last: Vec<(&str, &str)> =
            told[told.len() - 2..].iter().map(|(name, account, _)| (name.as_str(), account.as_str())).collect();
        assert_eq!(last, [("app_instance.delete", "globex"), ("app_instance.delete", "acme")]);
        app.globex().get(ONE).await.expect(404);
        // What was removed can be installed again.
        app.globex().post(PATH, filled(2)).await.expect(201);
    }

    async fn lists_show_what_an_account_provides_or_has_installed(app: TestApp) {
        installed(&app).await;
        let item = json!({"id": 1, "nodeID": NODE,
            "app_offering": {"id": 2, "reference": "acme_echo",
                "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI"},
            "customer_account": {"id": "globex", "name": "Globex"}, "disabled": false,
            "enabled_by_customer": true, "created_at": "2026-02-01T09:15:00+01:00",
            "updated_at": "2026-02-01T09:15:00+01:00"});
        assert_eq!(app.acme().get(PATH).await.expect(200), json!([item]));
        let of_offering = "/v1/app_offerings/2/app_instances";
        assert_eq!(app.acme().get(of_offering).await.expect(200), json!([item]));
        assert_eq!(app.initech().get(PATH).await.expect(200), json!([]));
        assert_eq!(app.initech().get(of_offering).await.expect(404), json!({"message": "Not Found"}));
        let ids = async |query: &str| {
            let list = app.globex().get(&format!("{PATH}{query}")).await.expect(200);
            list.as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        let yes = ["", "/enabled", "?state=enabled", "?customer_account=globex", "?customer_account_id=globex",
            "?app_offering=2", "?disabled=false", "?sort=-updated_at", "?created_at=%3E2026-01-01"];
        for query in yes {
            assert_eq!(ids(query).await, [1], "{query}");
        }
        for query in ["/disabled", "?customer_account=acme", "?app_offering_id=1", "?disabled=true"] {
            assert_eq!(ids(query).await, [0; 0], "{query}");
        }
        let consumed = app.globex().get("/v1/app_offerings/consumed?fields=id").await.expect(200);
        assert_eq!(consumed[0]["id"], 2);
        let refused = app.globex().get(&format!("{PATH}?suspended=true")).await.expect(400);
        assert_eq!(refused, json!({"message": "Filtering not allowed on fields: suspended"}));
    }

    async fn both_parties_read_the_entries_of_an_instance(app: TestApp) {
        installed(&app).await;
        app.acme().patch(ONE, json!({"disabled": true})).await.expect(200);
        let seen = app.globex().get(&format!("{ONE}/audit")).await.expect(200);
        assert_eq!(seen[0]["changes"], json!({"disabled": [false, true]}));
        assert_eq!(seen[0]["created_by"]["account"], json!({"id": "acme", "name": "Acme"}));
        assert_eq!(seen[1]["action"], "create");
        assert_eq!(app.acme().get(&format!("{ONE}/audit")).await.expect(200)[0]["id"], seen[0]["id"]);
        app.initech().get(&format!("{ONE}/audit")).await.expect(404);
        let all = app.acme().get("/v1/audit_lines?per_page=1").await.expect(200);
        assert_eq!(all[0]["app_instance"], json!({"id": 1, "name": "acme_echo", "nodeID": NODE}));
    }

    async fn of_two_who_install_at_once_one_is_first(app: TestApp) {
        published(&app, json!({})).await;
        let client = app.globex();
        let (one, other) = tokio::join!(client.post(PATH, filled(2)), client.post(PATH, filled(2)));
        let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
        made.expect(201);
        let text = invalid(json!([["app_offering", "App offering is already installed"]]));
        assert_eq!(refused.expect(422), text);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhooks").await, 1);
    }

    async fn a_repeated_install_with_its_key_is_one(app: TestApp) {
        published(&app, json!({})).await;
        let client = app.globex().with("idempotency-key", "install-1");
        let first = client.post(PATH, filled(2)).await.expect(201);
        assert_eq!(client.post(PATH, filled(2)).await.expect(201), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM idempotency_keys WHERE body LIKE '%s3cr3t%'").await, 0);
    }

    async fn what_comes_with_an_app_stays_as_the_app_has_it(app: TestApp) {
        let made = installed(&app).await;
        let globex = app.globex();
        let webhook = format!("/v1/webhooks/{}", made["webhook"]["id"]);
        let policy = format!("/v1/webhook_policies/{}", made["webhook_policy"]["id"]);
        let text = "cannot be changed: it belongs to an installed app";
        for (path, change, field) in [
            (&webhook, json!({"event": "app_instance.update"}), "event"),
            (&webhook, json!({"uri": "https://elsewhere.example.org/"}), "uri"),
            (&webhook, json!({"uri": "https://me:secret@echo.example.org/hook?account=globex"}), "uri"),
            (&webhook, json!({"webhook_policy_id": null}), "webhook_policy"),
            (&webhook, json!({"openid_connect_discovery": true}), "openid_connect_discovery"),
            (&policy, json!({"jwt_alg": "es384"}), "jwt_alg"),
            (&policy, json!({"jwt_audience": "other"}), "jwt_audience"),
            (&policy, json!({"jwt_claim_expires_in": 1}), "jwt_claim_expires_in"),
        ] {
            let refused = globex.patch(path, change).await.expect(422);
            let told = refused["errors"][0][1].as_str().unwrap();
            assert!(told.ends_with(text), "{field}: {told}");
            assert_eq!(refused, invalid(json!([[field, told]])));
        }
        let known = globex.get(&webhook).await.expect(200);
        let same = json!({"event": known["event"], "uri": known["uri"],
            "webhook_policy_id": known["webhook_policy"]["id"], "name": "Mine"});
        assert_eq!(globex.patch(&webhook, same).await.expect(200)["name"], "Mine");

        // Whom messages disturb may switch them off, and on again while the app is on.
        for disabled in [true, false] {
            globex.patch(&webhook, json!({"disabled": disabled})).await.expect(200);
        }
        app.acme().patch(ONE, json!({"disabled": true})).await.expect(200);
        let refused = globex.patch(&webhook, json!({"disabled": false})).await.expect(422);
        assert_eq!(refused, invalid(json!([["disabled", format!("Disabled {text}")]])));
        assert_eq!(globex.get(&webhook).await.expect(200)["disabled"], true);

        // Another key would be found by those only who look for it.
        let rotate = format!("{policy}/rotate");
        assert_eq!(globex.post(&rotate, json!({})).await.expect(422), json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "The policy signs the messages of an installed app that knows this key only: for another \
                key remove the app and install it anew",
        }));
        app.execute("UPDATE webhooks SET openid_connect_discovery = TRUE").await;
        globex.post(&rotate, json!({})).await.expect(200);
    }

    async fn a_policy_that_others_use_stays_when_the_app_goes(app: TestApp) {
        let made = installed(&app).await;
        let id = &made["webhook_policy"]["id"];
        app.globex().post("/v1/webhooks", json!({"event": "app_instance.update",
            "uri": "https://globex.example.org/", "webhook_policy_id": id})).await.expect(201);
        app.globex().delete(ONE).await.expect(204);
        app.globex().get(&format!("/v1/webhook_policies/{id}")).await.expect(200);
        app.globex().get(&format!("/v1/webhooks/{}", made["webhook"]["id"])).await.expect(404);
    }

    async fn a_version_stays_as_its_customers_have_agreed_to_it(app: TestApp) {
        installed(&app).await;
        let acme = app.acme();
        let text = "cannot be changed while the version is installed: change the draft and publish it";
        let refused = acme.patch("/v1/app_offerings/2", json!({
            "name": "Other", "webhook_uri_template": "https://elsewhere.example.org/", "policy_jwt_alg": "rs256",
            "policy_jwt_audience": "other", "policy_jwt_claim_expires_in": 1, "openid_connect_discovery": true,
            "ui_extension_version_id": null, "new_scopes": [{"actions": ["person:All"]}],
        })).await.expect(422);
        let fields: Vec<&str> =
            refused["errors"].as_array().unwrap().iter().map(|it| it[0].as_str().unwrap()).collect();
        assert_eq!(fields, ["policy_jwt_alg", "policy_jwt_audience", "policy_jwt_claim_expires_in",
            "ui_extension_version", "webhook_uri_template", "openid_connect_discovery", "new_scopes"]);
        for error in refused["errors"].as_array().unwrap() {
            assert!(error[1].as_str().unwrap().ends_with(text), "{error}");
        }
        let problem = json!({"type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "The version is installed: change the draft and publish it"});
        let scopes = acme.get("/v1/app_offerings/2/scopes").await.expect(200);
        let scope = format!("/v1/app_offerings/2/scopes/{}", scopes[0]["id"]);
        let new = json!({"actions": ["person:All"]});
        assert_eq!(acme.post("/v1/app_offerings/2/scopes", new.clone()).await.expect(422), problem);
        assert_eq!(acme.patch(&scope, new).await.expect(422), problem);
        assert_eq!(acme.delete(&scope).await.expect(422), problem);
        let told = json!({"message": problem["detail"], "errors": [["base", problem["detail"]]]});
        let rules = acme.get("/v1/app_offerings/2/automation_rules").await.expect(200);
        let rule = format!("/v1/app_offering_automation_rules/{}", rules[0]["id"]);
        let new = json!({"app_offering_id": 2, "rulable_type": "Req", "name": "More", "trigger": "on create"});
        assert_eq!(acme.post("/v1/app_offering_automation_rules", new).await.expect(422), told);
        assert_eq!(acme.patch(&rule, json!({"name": "Other"})).await.expect(422), told);
        assert_eq!(acme.delete(&rule).await.expect(422), told);
        let own = "/v1/app_offering_automation_rules/1";
        assert_eq!(acme.patch(own, json!({"app_offering_id": 2})).await.expect(422), told);
        // Texts are nobody's consent, and the draft is free.
        acme.patch("/v1/app_offerings/2", json!({"name": "Other", "description": "New"})).await.expect(200);
        acme.patch("/v1/app_offerings/1", json!({"policy_jwt_audience": "other"})).await.expect(200);
        app.globex().delete(ONE).await.expect(204);
        acme.patch("/v1/app_offerings/2", json!({"policy_jwt_audience": "other"})).await.expect(200);
    }

    async fn a_provider_is_told_by_what_messages_are_verified_from_now_on(app: TestApp) {
        published(&app, json!({"policy_jwt_alg": "es256"})).await;
        app.globex().post(PATH, filled(2)).await.expect(201);
        let before = secrets(&app).await["policy"].clone();
        assert_eq!((&before["audience"], &before["issuer"]), (&Value::Null, &json!("https://globex.example.test")));
        app.acme().patch("/v1/app_offerings/1", json!({"policy_jwt_audience": "echo"})).await.expect(200);
        let version = publish(&app).await;
        app.globex().patch(ONE, json!({"app_offering_id": version})).await.expect(200);
        let mut expected = before.clone();
        expected["audience"] = json!("echo");
        assert_eq!(secrets(&app).await["policy"], expected);
        app.acme().patch("/v1/app_offerings/1", json!({"openid_connect_discovery": true})).await.expect(200);
        let version = publish(&app).await;
        let made = app.globex().patch(ONE, json!({"app_offering_id": version})).await.expect(200);
        let name = made["webhook_policy"]["name"].as_str().unwrap();
        expected["issuer"] = json!(format!("https://globex.example.test/webhook_policies/{name}"));
        assert_eq!(secrets(&app).await["policy"], expected);
    }

    async fn an_app_that_is_switched_off_is_out_at_once(app: TestApp) {
        published(&app, json!({"new_scopes": [{"actions": ["app-instance:Read"]}]})).await;
        app.globex().post(PATH, filled(2)).await.expect(201);
        let secrets = secrets(&app).await;
        let ticket = token(&app, &secrets).await.expect(200);
        let client = app.bearer(ticket["access_token"].as_str().unwrap());
        client.get(ONE).await.expect(200);
        app.acme().patch(ONE, json!({"disabled": true})).await.expect(200);
        client.get(ONE).await.expect(401);
        app.acme().patch(ONE, json!({"disabled": false})).await.expect(200);
        client.get(ONE).await.expect(200);
        app.globex().delete(ONE).await.expect(204);
        client.get(ONE).await.expect(401);
    }

    async fn customers_read_what_they_have_to_fill_in(app: TestApp) {
        published(&app, json!({})).await;
        let form = json!([
            {"id": "url", "required": true, "secret": false}, {"id": "size", "required": false, "secret": false},
            {"id": "api_key", "required": true, "secret": true}, {"id": "pin", "required": false, "secret": true},
        ]);
        for (client, id, status) in [
            (app.acme(), 1, 200), (app.acme(), 2, 200), (app.globex(), 2, 200), (app.globex(), 1, 404),
            (app.initech(), 2, 404), (app.acme(), 99, 404),
        ] {
            let answer = client.get(&format!("/v1/app_offerings/{id}/form")).await.expect(status);
            if status == 200 {
                assert_eq!(answer, form);
            }
        }
        // What cannot be read is not said to be missing as well.
        let refused = app.globex().post(PATH, json!({"app_offering_id": 2, "custom_fields": "x"})).await.expect(422);
        assert_eq!(refused, invalid(json!([["custom_fields", "Custom fields is invalid"]])));
    }

    async fn instances_of_an_offering_are_listed_by_state_and_customer(app: TestApp) {
        installed(&app).await;
        let acme = app.acme();
        let count = async |path: &str| acme.get(path).await.expect(200).as_array().unwrap().len();
        let of_version = "/v1/app_offerings/2/app_instances";
        assert_eq!(count(&format!("{of_version}/enabled")).await, 1);
        assert_eq!(count(&format!("{of_version}/disabled")).await, 0);
        acme.patch(ONE, json!({"disabled": true})).await.expect(200);
        assert_eq!(count(&format!("{of_version}/enabled")).await, 0);
        assert_eq!(count(&format!("{of_version}/disabled")).await, 1);
        app.initech().get(&format!("{of_version}/enabled")).await.expect(404);
        assert_eq!(count(&format!("{PATH}?customer_account=initech,globex")).await, 1);
        assert_eq!(count(&format!("{PATH}?customer_account=!initech,globex")).await, 0);
        assert_eq!(count(&format!("{PATH}?customer_account=initech,acme")).await, 0);
        // Customers can read the entries that their messages name.
        let line = app.count("SELECT MAX(id) FROM audit_lines WHERE record_type = 'app_instance'").await;
        let path = format!("/v1/audit_lines/{line}");
        let told = app.globex().get(&path).await.expect(200);
        assert_eq!(told["changes"], json!({"disabled": [false, true]}));
        app.initech().get(&path).await.expect(404);
        let other = app.count("SELECT MAX(id) FROM audit_lines WHERE record_type = 'app_offering'").await;
        app.globex().get(&format!("/v1/audit_lines/{other}")).await.expect(404);
    }
}
