//! `/v1/webhooks`, and the verification of their addresses.
use appmarket::kernel::db::{Query, Row};
use appmarket::kernel::secret::Purpose;
use appmarket::offering_api::webhooks::entity::{COLUMN, Entity, Model};
use appmarket::offering_api::webhooks::{address, service};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sea_orm::QueryFilter;
use serde_json::{Value, json};

use super::webhook_policies::policy;
use crate::on_both;
use crate::support::client::Client;
use crate::support::receiver::{Receiver, Reply};
use crate::support::{TestApp, unprocessable};

const PATH: &str = "/v1/webhooks";

/// A body that a create accepts.
fn hook(uri: &str) -> Value {
    json!({"event": "app_instance.create", "uri": uri})
}

async fn row(app: &TestApp, id: i64) -> Model {
    let found = Entity::of("acme").filter(COLUMN.id.eq(id));
    found.one(app.state.store.connection()).await.unwrap().unwrap()
}

fn invalid(errors: &Value) -> Value {
    json!({"message": "Validation Failed", "errors": errors})
}

/// A message that waits for its delivery.
#[derive(Debug)]
struct Waiting {
    event: String,
    object: String,
    payload: Value,
    secrets: Option<Value>,
}

/// The messages that wait for a webhook, oldest first, with their secrets.
async fn waiting(app: &TestApp, webhook: i64) -> Vec<Waiting> {
    let sql = format!(
        "SELECT d.delivery_id, d.event, d.object, d.payload, d.secrets FROM deliveries d \
         JOIN delivery_lanes l ON l.id = d.lane_id \
         WHERE l.kind = 'webhook' AND l.target_id = {webhook} AND d.state = 'waiting' ORDER BY d.id"
    );
    let key = app.state.site.key.clone();
    let read = move |found: &mut Vec<Waiting>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap().into_owned();
        let secrets = row.text(4).map(|sealed| {
            let opened = key.open(Purpose::Message, text(0).as_bytes(), &sealed).unwrap();
            serde_json::from_slice(&opened).unwrap()
        });
        let payload = serde_json::from_str(&text(3)).unwrap();
        found.push(Waiting { event: text(1), object: text(2), payload, secrets });
    };
    let query = Query::new(sql, Vec::new());
    app.state.store.committed().fetch(query, Vec::new(), read).await.unwrap()
}

/// What is kept of a verification beside its secrets.
fn verification() -> Value {
    json!({"payload": {"callback": "********"}, "has_secrets": true})
}

/// The last callback that was sent to a webhook, without its host.
async fn callback(app: &TestApp, webhook: i64) -> String {
    let sent = waiting(app, webhook).await;
    let last = sent.iter().rfind(|it| it.event == "webhook.verify" && it.secrets.is_some());
    let secrets = last.unwrap().secrets.as_ref().unwrap();
    let callback = secrets["callback"].as_str().unwrap();
    callback.strip_prefix("https://acme.example.test").unwrap().to_owned()
}

/// Somebody on the host of acme, without a token.
fn acme_host(app: &TestApp) -> Client {
    app.anonymous().with("host", "acme.example.test")
}

/// Verifies the address of a webhook of acme.
async fn verify(app: &TestApp, webhook: i64) {
    let answer = acme_host(app).get(&callback(app, webhook).await).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "Verification successful"));
}

on_both! {
    async fn a_create_answers_the_whole_webhook(app: TestApp) {
        let made_policy = policy(&app, "es256").await;
        let answer = app.acme().with("user-agent", "test/1").post(PATH, json!({
            "event": "app_instance.secrets-update", "uri": "https://echo.example.org/secrets?a=b",
            "name": "Secrets", "description": "What *customers* type.", "disabled": true,
            "mail_exceptions_to": "ann@acme.example, bob@acme.example",
            "app_offering_references": ["acme_echo", "acme_other"],
            "openid_connect_discovery": true, "webhook_policy_id": "1", "sourceID": "ERP-1",
            "last_error": "mine", "verified_at": "2026-01-01T00:00:00Z",
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/webhooks/1");
        let tag = answer.header("etag").to_owned();
        let made = answer.expect(201);
        assert_eq!(made, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2svMQ", "source": "test/1", "sourceID": "ERP-1",
            "name": "Secrets", "event": "app_instance.secrets-update",
            "uri": "https://echo.example.org/secrets?a=b", "description": "What *customers* type.",
            "attachments": [], "disabled": true, "last_error": null,
            "mail_exceptions_to": "ann@acme.example, bob@acme.example",
            "app_offering_references": ["acme_echo", "acme_other"], "openid_connect_discovery": true,
            "webhook_policy": {"id": 1, "name": made_policy["name"], "nodeID": made_policy["nodeID"]},
            "standard_webhooks": false, "verified_at": null,
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        let read = app.acme().get(&format!("{PATH}/ZXhhbXBsZS50ZXN0L1dlYmhvb2svMQ")).await;
        assert_eq!(read.header("etag"), tag);
        assert_eq!(read.expect(200), made);

        let plain = app.acme().post(PATH, hook("http://echo.example.org")).await.expect(201);
        assert_eq!((&plain["name"], &plain["uri"]), (&json!("app_instance.create"), &json!("http://echo.example.org")));
        assert_eq!((&plain["app_offering_references"], &plain["webhook_policy"]), (&json!([]), &Value::Null));
    }

    async fn lists_show_their_fields_in_the_order_of_creation(app: TestApp) {
        for (event, disabled) in [("task.create", false), ("person.update", true), ("automation_rule", false)] {
            let body = json!({"event": event, "uri": "https://me:secret@echo.example.org/", "disabled": disabled});
            app.acme().post(PATH, body).await.expect(201);
        }
        let list = app.acme().get(PATH).await.expect(200);
        assert_eq!(list[1], json!({
            "id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2svMg", "name": "person.update",
            "event": "person.update", "uri": "https://********@echo.example.org/", "disabled": true,
            "last_error": null,
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        for (path, expected) in [
            ("", &[1, 2, 3][..]), ("/enabled", &[1, 3]), ("/disabled", &[2]), ("?state=enabled", &[1, 3]),
        ] {
            let list = app.acme().get(&format!("{PATH}{path}")).await.expect(200);
            let ids: Vec<i64> =
                list.as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect();
            assert_eq!(ids, expected, "{path}");
        }
        let refused = app.acme().get(&format!("{PATH}?event=task.create")).await.expect(400);
        assert_eq!(refused, json!({"message": "Filtering not allowed on fields: event"}));
        assert_eq!(app.globex().get(PATH).await.expect(200), json!([]));
    }

    async fn what_is_wrong_is_told_all_at_once(app: TestApp) {
        policy(&app, "es256").await;
        app.acme().patch("/v1/webhook_policies/1", json!({"disabled": true})).await.expect(200);
        let theirs = app.globex().post("/v1/webhook_policies", json!({"jwt_alg": "es256"})).await.expect(201);
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        let one = format!("{PATH}/1");
        let refused = app.acme().post(PATH, json!({})).await.expect(422);
        assert_eq!(refused, invalid(&json!([
            ["event", "Event can't be blank"], ["uri", "Uri can't be blank"],
        ])));
        let not_for = "App offering references is for events of installed apps (app_instance.…): leave it empty";
        let masked = "Uri hides a name and password that are not known for this host: write them again";
        for (change, errors) in [
            (json!({"event": "app_instance.secrets_update"}), json!([["event", "Event is not included in the list"]])),
            (json!({"event": "app_offering.update"}), json!([["event", "Event is not included in the list"]])),
            (json!({"event": null}), json!([["event", "Event can't be blank"]])),
            (json!({"uri": ""}), json!([["uri", "Uri can't be blank"]])),
            (json!({"uri": "echo.example.org"}), json!([["uri", "Uri is not a web address: write it as https://example.com/path"]])),
            (json!({"uri": "ftp://echo.example.org"}), json!([["uri", "Uri must start with https:// or http://"]])),
            (
                json!({"uri": "https://echo.example.org/a b"}),
                json!([["uri", "Uri must not contain white space, control characters or backslashes: percent-encode them"]]),
            ),
            (
                json!({"uri": "http://0xa.1.2.3/"}),
                json!([["uri", "Uri leads from 10.1.2.3 to a private network: use a public address, or ask the operator to allow this one (setting outgoing_allow)"]]),
            ),
            (
                json!({"uri": "http://me:secret@169.254.169.254/latest"}),
                json!([["uri", "Uri leads from 169.254.169.254 to the metadata service of a cloud: use a public address, or ask the operator to allow this one (setting outgoing_allow)"]]),
            ),
            (json!({"uri": "https://********@echo.example.org/"}), json!([["uri", masked]])),
            (json!({"name": "x".repeat(129)}), json!([["name", "Name is too long (maximum is 128 characters)"]])),
            (json!({"mail_exceptions_to": "ann"}), json!([["mail_exceptions_to", "Mail exceptions to is invalid"]])),
            (json!({"mail_exceptions_to": "a@b,,c@d"}), json!([["mail_exceptions_to", "Mail exceptions to is invalid"]])),
            (json!({"app_offering_references": "acme_echo"}), json!([["app_offering_references", "App offering references is invalid"]])),
            (json!({"app_offering_references": [""]}), json!([["app_offering_references", "App offering references is invalid"]])),
            (json!({"app_offering_references": ["acme_echo", " "]}), json!([["app_offering_references", "App offering references is invalid"]])),
            (
                json!({"event": "task.create", "app_offering_references": ["acme_echo"]}),
                json!([["app_offering_references", not_for]]),
            ),
            (json!({"webhook_policy_id": 99}), json!([["webhook_policy", "Webhook policy must exist"]])),
            (json!({"webhook_policy_id": theirs["id"]}), json!([["webhook_policy", "Webhook policy must exist"]])),
            (json!({"webhook_policy_id": 1}), json!([["webhook_policy", "Webhook policy is disabled"]])),
            (
                json!({"description_attachments": [{"key": "attachments/none"}]}),
                json!([["description_attachments", "Description attachments is invalid"]]),
            ),
            (
                json!({"event": "x", "uri": "x", "mail_exceptions_to": "x", "webhook_policy_id": 1}),
                json!([
                    ["event", "Event is not included in the list"],
                    ["uri", "Uri is not a web address: write it as https://example.com/path"],
                    ["mail_exceptions_to", "Mail exceptions to is invalid"],
                    ["webhook_policy", "Webhook policy is disabled"],
                ]),
            ),
        ] {
            let mut body = hook("https://echo.example.org/new");
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(app.acme().post(PATH, body).await.expect(422), invalid(&errors), "{change}");
            assert_eq!(app.acme().patch(&one, change.clone()).await.expect(422), invalid(&errors), "{change}");
        }
        let german = app.acme().with("x-xurrent-language", "de");
        let refused = german.patch(&one, json!({"webhook_policy_id": 1, "event": "x"})).await.expect(422);
        assert_eq!(refused, invalid(&json!([
            ["event", "Ereignis ist nicht in der Liste enthalten"],
            ["webhook_policy", "Webhook-Richtlinie ist deaktiviert"],
        ])));
        let strict = app.acme().with("prefer", "handling=strict");
        let refused = strict.patch(&one, json!({"url": "x"})).await.expect(400);
        assert_eq!(refused, json!({"message": "Unknown properties: url"}));
        assert_eq!(app.count("SELECT COUNT(*) FROM webhooks").await, 1);
    }

    async fn every_event_of_the_contract_is_known(app: TestApp) {
        use appmarket::offering_api::webhooks::dto::EVENT;
        assert_eq!(EVENT.words.len(), 82);
        assert!(EVENT.words.iter().collect::<std::collections::BTreeSet<_>>().len() == 82);
        for event in [
            "app_instance.secrets-update", "webhook.verify", "time_entry.delete", "ci.update",
            "workflow.manager-changed", "request.major-incident-status-changed", "task.team-changed",
        ] {
            let body = json!({"event": event, "uri": "https://echo.example.org/"});
            assert_eq!(app.acme().post(PATH, body).await.expect(201)["event"], event);
        }
    }

    async fn names_and_passwords_are_sealed_and_never_shown(app: TestApp) {
        let made = app.acme().post(PATH, hook("https://me:s3cr%40t@echo.example.org:8443/a?b")).await.expect(201);
        assert_eq!(made["uri"], "https://********@echo.example.org:8443/a?b");
        let one = format!("{PATH}/1");
        let key = &app.state.site.key;
        let kept = row(&app, 1).await;
        assert!(kept.credentials.as_ref().unwrap().starts_with("v1."));
        assert_eq!(address::whole(key, &kept).unwrap(), "https://me:s3cr%40t@echo.example.org:8443/a?b");

        // What is read can be written back.
        app.advance_seconds(1);
        let same = app.acme().patch(&one, json!({"uri": made["uri"]})).await.expect(200);
        assert_eq!(same["updated_at"], made["updated_at"]);
        let moved = "https://********@echo.example.org:8443/c";
        assert_eq!(app.acme().patch(&one, json!({"uri": moved})).await.expect(200)["uri"], moved);
        let whole = address::whole(key, &row(&app, 1).await).unwrap();
        assert_eq!(whole, "https://me:s3cr%40t@echo.example.org:8443/c");

        // Another server does not get them.
        for uri in ["https://********@echo.example.org/c", "http://********@echo.example.org:8443/c", "https://********@evil.example.org:8443/c"] {
            let refused = app.acme().patch(&one, json!({"uri": uri})).await.expect(422);
            assert_eq!(refused, invalid(&json!([
                ["uri", "Uri hides a name and password that are not known for this host: write them again"],
            ])), "{uri}");
        }

        let new = app.acme().patch(&one, json!({"uri": "https://you:other@echo.example.org:8443/c"})).await.expect(200);
        assert_eq!(new["uri"], moved);
        let whole = address::whole(key, &row(&app, 1).await).unwrap();
        assert_eq!(whole, "https://you:other@echo.example.org:8443/c");
        let audit = app.acme().get(&format!("{one}/audit")).await;
        let text = audit.text();
        assert!(["s3cr", "other", "you:"].iter().all(|secret| !text.contains(secret)), "{text}");
        let audit = audit.expect(200);
        assert_eq!(audit[0]["changes"], json!({"credentials": ["********", "********"]}));
        assert_eq!(audit[1]["changes"], json!({"uri": [made["uri"], moved]}));

        let bare = app.acme().patch(&one, json!({"uri": "https://echo.example.org:8443/c"})).await.expect(200);
        assert_eq!(bare["uri"], "https://echo.example.org:8443/c");
        assert_eq!(row(&app, 1).await.credentials, None);
        let refused = app.acme().patch(&one, json!({"uri": moved})).await;
        assert_eq!(refused.status, 422);
    }

    async fn a_disabled_policy_stays_where_it_is_linked(app: TestApp) {
        policy(&app, "es256").await;
        let mut body = hook("https://echo.example.org/");
        body["webhook_policy_id"] = json!(1);
        app.acme().post(PATH, body).await.expect(201);
        app.acme().patch("/v1/webhook_policies/1", json!({"disabled": true})).await.expect(200);
        let one = format!("{PATH}/1");
        let kept = app.acme().patch(&one, json!({"webhook_policy_id": 1, "name": "x"})).await.expect(200);
        assert_eq!((&kept["name"], &kept["webhook_policy"]["disabled"]), (&json!("x"), &json!(true)));
        app.acme().patch(&one, json!({"webhook_policy_id": null})).await.expect(200);
        let refused = app.acme().patch(&one, json!({"webhook_policy_id": 1})).await.expect(422);
        assert_eq!(refused, invalid(&json!([["webhook_policy", "Webhook policy is disabled"]])));
    }

    async fn offerings_limit_events_of_installed_apps_only(app: TestApp) {
        let mut body = hook("https://echo.example.org/");
        body["app_offering_references"] = json!(["acme_echo"]);
        app.acme().post(PATH, body).await.expect(201);
        let one = format!("{PATH}/1");
        let refused = app.acme().patch(&one, json!({"event": "task.create"})).await.expect(422);
        assert_eq!(refused, invalid(&json!([[
            "app_offering_references",
            "App offering references is for events of installed apps (app_instance.…): leave it empty",
        ]])));
        let both = json!({"event": "task.create", "app_offering_references": null});
        let changed = app.acme().patch(&one, both).await.expect(200);
        assert_eq!((&changed["event"], &changed["app_offering_references"]), (&json!("task.create"), &json!([])));
    }

    async fn the_secret_of_standard_webhooks_is_shown_once(app: TestApp) {
        let mut body = hook("https://echo.example.org/");
        body["standard_webhooks"] = json!(true);
        let client = app.acme().with("idempotency-key", "one");
        let answer = client.post(PATH, body.clone()).await;
        assert!(!answer.headers.contains_key("etag"));
        let made = answer.expect(201);
        let secret = made["standard_webhooks_secret"].as_str().unwrap();
        assert_eq!(STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
        assert_eq!(client.post(PATH, body).await.expect(201), made);
        let kept = row(&app, 1).await;
        assert!(kept.standard_key.as_ref().unwrap().starts_with("v1."));
        let opened = || async {
            let kept = service::standard_key(&app.state.site.key, &row(&app, 1).await).unwrap();
            kept.map(|secret| secret.expose())
        };
        assert_eq!(opened().await.as_deref(), Some(secret));

        let one = format!("{PATH}/1");
        let read = app.acme().get(&one).await.text();
        assert!(!read.contains("whsec_") && !read.contains("standard_webhooks_secret"), "{read}");
        let same = app.acme().patch(&one, json!({"standard_webhooks": true})).await.expect(200);
        assert_eq!(same.get("standard_webhooks_secret"), None);
        assert_eq!(opened().await.as_deref(), Some(secret));
        app.acme().patch(&one, json!({"standard_webhooks": false})).await.expect(200);
        assert_eq!(opened().await, None);
        let again = app.acme().patch(&one, json!({"standard_webhooks": true})).await.expect(200);
        let new = again["standard_webhooks_secret"].as_str().unwrap();
        assert_ne!(new, secret);
        assert_eq!(opened().await.as_deref(), Some(new));
        let audit = app.acme().get(&format!("{one}/audit")).await.text();
        assert!(!audit.contains("whsec_"), "{audit}");
    }

    async fn another_account_and_other_people_find_nothing(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        let one = format!("{PATH}/1");
        let missing = json!({"message": "Not Found"});
        assert_eq!(app.globex().get(&one).await.expect(404), missing);
        assert_eq!(app.globex().patch(&one, json!({"name": "x"})).await.expect(404), missing);
        assert_eq!(app.globex().delete(&one).await.expect(404), missing);
        assert_eq!(app.globex().post(&format!("{one}/test"), json!({})).await.expect(404), missing);
        assert_eq!(app.globex().get(&format!("{one}/audit")).await.expect(404), missing);
        let plain = app.plain_person("acme").await;
        assert_eq!(app.bearer(&plain).get(&one).await.expect(403), json!({"message": "Forbidden"}));
        assert_eq!(app.bearer(&plain).delete(&one).await.expect(403), json!({"message": "Forbidden"}));
    }

    async fn changes_are_guarded_by_the_tag_of_what_is_read(app: TestApp) {
        let made = app.acme().post(PATH, hook("https://echo.example.org/")).await;
        let stale = app.acme().with("if-match", made.header("etag"));
        let one = format!("{PATH}/1");
        app.advance_seconds(1);
        stale.patch(&one, json!({"name": "x"})).await.expect(200);
        let failed = json!({"message": "Precondition Failed"});
        assert_eq!(stale.patch(&one, json!({"name": "y"})).await.expect(412), failed);
        assert_eq!(stale.post(&format!("{one}/test"), json!({})).await.expect(412), failed);
        assert_eq!(stale.delete(&one).await.expect(412), failed);
    }

    async fn whoever_reads_the_message_verifies_the_address(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        let sent = waiting(&app, 1).await;
        let [message] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!((message.event.as_str(), message.object.as_str()), ("webhook.verify", "webhook:1"));
        assert_eq!(message.payload, verification());
        let secrets = message.secrets.as_ref().unwrap();
        let callback = secrets["callback"].as_str().unwrap();
        // 24 hours after 09:15.
        let code = callback.strip_prefix("https://acme.example.test/webhooks/1/verify?code=").unwrap();
        let code = code.strip_suffix("&expires_at=1770020100").unwrap();
        assert!(code.len() == 24 && code.bytes().all(|it| it.is_ascii_alphanumeric()), "{code}");
        // Nothing that is kept tells the code.
        let kept = row(&app, 1).await;
        assert!(!format!("{kept:?}").contains(code));

        app.advance_seconds(60);
        let path = callback.strip_prefix("https://acme.example.test").unwrap();
        let host = acme_host(&app);
        let answer = host.get(path).await;
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "Verification successful"));
        let read = app.acme().get(&format!("{PATH}/1")).await.expect(200);
        assert_eq!(read["verified_at"], "2026-02-01T09:16:00+01:00");
        assert_eq!(read["updated_at"], "2026-02-01T09:16:00+01:00");
        // It is part of all that happened.
        app.deliver().await;
        let feed = "/v1/events?event=webhook.update";
        let events = app.acme().get(feed).await.expect(200);
        let event = &events[0];
        assert_eq!(events, json!([{
            "position": event["position"], "id": event["id"], "event": "webhook.update",
            "object_type": "webhook", "object_id": 1, "object_nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2svMQ",
            "person": null, "payload": {"verified_at": "2026-02-01T08:16:00Z"},
            "created_at": "2026-02-01T09:16:00+01:00",
        }]));
        // Again, by POST, behind the path of the account, and long after.
        app.advance_seconds(48 * 60 * 60);
        for (client, path) in [(host, path.to_owned()), (app.anonymous(), format!("/accounts/acme{path}"))] {
            for answer in [client.get(&path).await, client.post(&path, json!({"any": 1})).await] {
                assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "Verification successful"));
            }
        }
        let read = app.acme().get(&format!("{PATH}/1")).await.expect(200);
        assert_eq!(read["verified_at"], "2026-02-01T09:16:00+01:00");
        app.deliver().await;
        assert_eq!(app.acme().get(feed).await.expect(200), events, "it happened once");
    }

    async fn wrong_void_and_late_codes_verify_nothing(app: TestApp) {
        const WRONG: &str =
            "The code is wrong, or void because a newer one was sent: use that of the last message";
        const INCOMPLETE: &str =
            "The address is not complete: call it with code and expires_at, as the message has it";
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        app.acme().post(PATH, hook("https://other.example.org/")).await.expect(201);
        let (first, other) = (callback(&app, 1).await, callback(&app, 2).await);
        let host = acme_host(&app);
        let (code, _) = first.split_once('&').unwrap();
        let later = format!("{code}&expires_at=1770020101");
        let flipped = if first.contains("code=A") { "code=B" } else { "code=A" };
        let start = first.find("code=").unwrap();
        let wrong = format!("{}{flipped}{}", &first[..start], &first[start + 6..]);
        for (path, status, text) in [
            (wrong.clone(), 403, WRONG),
            (later, 403, WRONG),
            (other.replace("/webhooks/2/", "/webhooks/1/"), 403, WRONG),
            ("/webhooks/1/verify?code=&expires_at=1770020100".to_owned(), 403, WRONG),
            ("/webhooks/1/verify?code=a&expires_at=9223372036854775807".to_owned(), 403, WRONG),
            ("/webhooks/1/verify".to_owned(), 400, INCOMPLETE),
            (code.to_owned(), 400, INCOMPLETE),
            ("/webhooks/1/verify?code=a&expires_at=soon".to_owned(), 400, INCOMPLETE),
        ] {
            for answer in [host.get(&path).await, host.post(&path, json!({})).await] {
                assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, text), "{path}");
            }
        }
        let missing = json!({"message": "Not Found"});
        for path in [first.replace("/1/", "/9/"), first.replace("/1/", "/x/"), first.replace("/1/", "/%ff/")] {
            for answer in [host.get(&path).await, host.post(&path, json!({})).await] {
                assert_eq!(answer.expect(404), missing, "{path}");
            }
        }
        let globex = app.anonymous().with("host", "globex.example.test");
        assert_eq!(globex.get(&first).await.expect(404), missing);

        // An update of what is not verified sends a new code, which voids the former.
        app.advance_seconds(1);
        let updated = app.acme().patch(&format!("{PATH}/1"), json!({})).await.expect(200);
        assert_eq!(updated["updated_at"], "2026-02-01T09:15:00+01:00");
        let second = callback(&app, 1).await;
        assert_ne!(first, second);
        assert_eq!(host.get(&first).await.text(), WRONG);
        app.advance_seconds(24 * 60 * 60 - 1);
        assert_eq!(host.get(&other).await.status, 410);
        verify(&app, 1).await;
        app.acme().patch(&format!("{PATH}/2"), json!({"name": "x"})).await.expect(200);
        let third = callback(&app, 2).await;
        app.advance_seconds(24 * 60 * 60);
        for late in [host.get(&third).await, host.post(&third, json!({})).await] {
            assert_eq!(late.status, 410);
            assert_eq!(late.text(), "The code has expired: update the webhook, and it gets a new one");
        }
        assert_eq!(row(&app, 2).await.verified_at, None);
    }

    async fn a_new_code_does_not_wait_for_a_void_one(app: TestApp) {
        let receiver = Receiver::start();
        receiver.reply(Reply::Status(500));
        let one = format!("{PATH}/1");
        app.acme().post(PATH, hook(&receiver.url("/old"))).await.expect(201);
        app.deliver().await;
        assert_eq!(receiver.take().len(), 1);
        app.advance_seconds(1);
        app.acme().patch(&one, json!({"uri": receiver.url("/new")})).await.expect(200);
        app.deliver().await;
        let sent = receiver.take();
        assert_eq!(sent.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["/new"]);
        let new = callback(&app, 1).await;
        assert!(sent[0].json()["payload"]["callback"].as_str().unwrap().ends_with(&new));
        let log = format!("{one}/deliveries");
        let list = app.acme().get(&format!("{log}?state=failed")).await.expect(200);
        let [void] = list.as_array().unwrap().as_slice() else { panic!("{list}") };
        assert_eq!(
            (&void["finished_at"], &void["next_attempt_at"], &void["attempt_count"]),
            (&json!("2026-02-01T09:15:01+01:00"), &Value::Null, &json!(1))
        );
        let refused = app.acme().post(&format!("{log}/{}/redeliver", void["id"]), json!({})).await;
        assert_eq!(refused.expect(422), json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "The code in this message is void or soon will be: update the webhook, and it gets \
                       another one",
        }));
        const SECRETS: &str = "SELECT COUNT(*) FROM deliveries WHERE secrets IS NOT NULL";
        assert_eq!(app.count(SECRETS).await, 1);
        // Nobody needs the last one any more, once whoever has read it has called.
        let answer = acme_host(&app).get(&new).await;
        assert_eq!(answer.text(), "Verification successful");
        assert!(waiting(&app, 1).await.is_empty());
        assert_eq!(app.count(SECRETS).await, 0);
        app.advance_seconds(60 * 60);
        app.deliver().await;
        assert!(receiver.take().is_empty());
        // Nor when the address turns out to be verified.
        app.acme().post(PATH, hook(&receiver.url("/other"))).await.expect(201);
        app.deliver().await;
        assert_eq!(receiver.take().len(), 1);
        app.acme().patch(&format!("{PATH}/2"), json!({"uri": receiver.url("/new")})).await.expect(200);
        assert!(row(&app, 2).await.verified_at.is_some());
        assert!(waiting(&app, 2).await.is_empty());
        // Tests are another matter.
        app.acme().post(&format!("{PATH}/2/test"), json!({})).await.expect(204);
        app.execute("UPDATE webhooks SET verified_at = NULL").await;
        app.acme().patch(&format!("{PATH}/2"), json!({"event": "webhook.verify"})).await.expect(200);
        app.acme().post(&format!("{PATH}/2/test"), json!({})).await.expect(204);
        verify(&app, 2).await;
        assert_eq!(waiting(&app, 2).await.len(), 2);
    }

    async fn another_name_and_password_are_another_address(app: TestApp) {
        for (id, user, is_verified) in [(1, "me:one", false), (2, "me:two", false), (3, "me:one", true)] {
            let uri = format!("https://{user}@echo.example.org/a");
            let made = app.acme().post(PATH, hook(&uri)).await.expect(201);
            assert_eq!(made["verified_at"].is_string(), is_verified, "{made}");
            if id == 1 {
                verify(&app, 1).await;
            }
        }
        // One that is disabled vouches too.
        app.acme().patch(&format!("{PATH}/1"), json!({"disabled": true})).await.expect(200);
        app.acme().delete(&format!("{PATH}/3")).await.expect(204);
        let made = app.acme().post(PATH, hook("https://me:one@echo.example.org/a")).await.expect(201);
        assert!(made["verified_at"].is_string(), "{made}");
    }

    async fn a_look_at_the_callback_verifies_nothing(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        let path = callback(&app, 1).await;
        let host = acme_host(&app);
        let looked = host.send(http::Method::HEAD, &path, Vec::new()).await;
        assert_eq!((looked.status.as_u16(), looked.text().as_str()), (200, ""));
        assert_eq!(looked.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(row(&app, 1).await.verified_at, None);
        assert_eq!(host.send(http::Method::HEAD, "/webhooks/1/verify", Vec::new()).await.status, 400);
        verify(&app, 1).await;
    }

    async fn an_address_is_verified_once_per_account(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/a")).await.expect(201);
        verify(&app, 1).await;
        let same = app.acme().post(PATH, hook("https://echo.example.org/a")).await.expect(201);
        assert_eq!(same["verified_at"], "2026-02-01T09:15:00+01:00");
        assert!(waiting(&app, 2).await.is_empty());
        for (id, uri) in [(3, "https://echo.example.org/A"), (4, "https://echo.example.org/a?"), (5, "https://me:x@echo.example.org/a")] {
            let other = app.acme().post(PATH, hook(uri)).await.expect(201);
            assert_eq!((&other["verified_at"], waiting(&app, id).await.len()), (&Value::Null, 1), "{uri}");
        }
        let theirs = app.globex().post(PATH, hook("https://echo.example.org/a")).await.expect(201);
        assert_eq!(theirs["verified_at"], Value::Null);

        // A change of something else keeps it, a change of the address does not.
        let one = format!("{PATH}/1");
        let named = app.acme().patch(&one, json!({"name": "x"})).await.expect(200);
        assert_eq!(named["verified_at"], "2026-02-01T09:15:00+01:00");
        let before = waiting(&app, 1).await.len();
        let moved = app.acme().patch(&one, json!({"uri": "https://echo.example.org/b"})).await.expect(200);
        assert_eq!((&moved["verified_at"], waiting(&app, 1).await.len()), (&Value::Null, before + 1));
        let back = app.acme().patch(&one, json!({"uri": "https://echo.example.org/a"})).await.expect(200);
        assert_eq!(back["verified_at"], "2026-02-01T09:15:00+01:00");
    }

    async fn a_test_goes_out_whatever_the_state(app: TestApp) {
        let mut body = hook("https://echo.example.org/");
        body["disabled"] = json!(true);
        app.acme().post(PATH, body).await.expect(201);
        let answer = app.acme().post(&format!("{PATH}/1/test"), json!({})).await;
        assert!(answer.bytes.is_empty());
        answer.expect(204);
        let rule = json!({"event": "automation_rule", "uri": "https://echo.example.org/"});
        app.acme().post(PATH, rule).await.expect(201);
        let client = app.acme().with("idempotency-key", "once");
        for _ in 0..2 {
            client.post(&format!("{PATH}/2/test"), json!({})).await.expect(204);
        }
        for (id, event, object) in [(1, "app_instance.create", "app_instance:12345"), (2, "automation_rule", "automation_rule:12345")] {
            let sent = waiting(&app, id).await;
            let sent: Vec<(&str, &str, &Value, bool)> = sent.iter()
                .map(|it| (it.event.as_str(), it.object.as_str(), &it.payload, it.secrets.is_some()))
                .collect();
            let (nothing, masked) = (json!({}), verification());
            let verify = format!("webhook:{id}");
            assert_eq!(sent, [("webhook.verify", verify.as_str(), &masked, true), (event, object, &nothing, false)]);
        }
    }

    async fn enabling_begins_anew(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        verify(&app, 1).await;
        app.execute("UPDATE webhooks SET disabled = TRUE, failures = 20, failing_since = 1, last_error = '404 Not Found'").await;
        app.execute("UPDATE deliveries SET next_attempt_at = NULL").await;
        app.execute("UPDATE delivery_lanes SET due_at = NULL").await;
        let one = format!("{PATH}/1");
        assert_eq!(app.acme().get(&one).await.expect(200)["last_error"], "404 Not Found");
        let renamed = app.acme().patch(&one, json!({"name": "x"})).await.expect(200);
        assert_eq!(renamed["last_error"], "404 Not Found");
        let due = "SELECT COUNT(*) FROM delivery_lanes WHERE due_at IS NOT NULL";
        assert_eq!(app.count(due).await, 0);
        let enabled = app.acme().patch(&one, json!({"disabled": false})).await.expect(200);
        assert_eq!((&enabled["disabled"], &enabled["last_error"]), (&json!(false), &Value::Null));
        let kept = row(&app, 1).await;
        assert_eq!((kept.failures, kept.failing_since), (0, None));
        assert_eq!(app.count(due).await, 1, "what waits goes on");
    }

    async fn verifying_lets_go_what_waits(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        app.execute("UPDATE deliveries SET next_attempt_at = NULL").await;
        app.execute("UPDATE delivery_lanes SET due_at = NULL").await;
        verify(&app, 1).await;
        assert_eq!(app.count("SELECT COUNT(*) FROM delivery_lanes WHERE due_at IS NOT NULL").await, 1);
    }

    async fn a_webhook_goes_with_all_that_was_sent(app: TestApp) {
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        app.acme().post(PATH, hook("https://other.example.org/")).await.expect(201);
        app.execute(
            "INSERT INTO delivery_attempts (delivery_id, number, started_at, duration, request_url, request_headers) \
             SELECT id, 1, 0, 0, 'https://a', '{}' FROM deliveries",
        ).await;
        app.acme().delete(&format!("{PATH}/1")).await.expect(204);
        app.acme().get(&format!("{PATH}/1")).await.expect(404);
        for table in ["delivery_attempts", "deliveries", "delivery_lanes", "webhooks"] {
            assert_eq!(app.count(&format!("SELECT COUNT(*) FROM {table}")).await, 1, "{table}");
        }
        let lines = app.acme().get("/v1/audit_lines?per_page=1").await.expect(200);
        assert_eq!((&lines[0]["action"], &lines[0]["audited"]), (&json!("destroy"), &json!("webhook")));
        assert_eq!(lines[0]["webhook"]["name"], "app_instance.create");
    }

    async fn the_webhook_of_an_installed_app_stays(app: TestApp) {
        let instance = crate::offering_api::app_offerings::service_instance(&app, "acme").await;
        let offering = crate::offering_api::app_offerings::offering("Echo", instance);
        app.acme().post("/v1/app_offerings", offering).await.expect(201);
        app.acme().post(PATH, hook("https://echo.example.org/")).await.expect(201);
        policy(&app, "es256").await;
        app.execute(
            "INSERT INTO app_instances (account_id, customer_account_id, offering_id, app_offering_id, \
             disabled, enabled_by_customer, suspended, webhook_id, webhook_policy_id, created_at, updated_at) \
             VALUES ('acme', 'acme', 1, 1, FALSE, TRUE, FALSE, 1, 1, 0, 0)",
        ).await;
        let refused = app.acme().delete(&format!("{PATH}/1")).await.expect(422);
        assert_eq!(refused, unprocessable(
            "The webhook belongs to an installed app: remove that, or disable the webhook"));
        let refused = app.acme().delete("/v1/webhook_policies/1").await.expect(422);
        assert_eq!(refused, unprocessable(
            "The policy signs the messages of webhooks: link those to another one first"));
    }
}

/// Guessing is slowed down by address, as all that needs no token is.
#[tokio::test]
async fn guesses_are_counted() {
    let app = TestApp::sqlite_with(|config| config.rate_limit_burst = 3).await;
    let path = "/accounts/acme/webhooks/1/verify?code=a&expires_at=1";
    for _ in 0..3 {
        app.anonymous().get(path).await.expect(404);
    }
    let refused = app.anonymous().get(path).await;
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(
        refused.expect(429),
        json!({
            "message": "Too Many Requests", "documentation_url": "https://api.example.test/docs",
        })
    );
}

/// A fresh machine has no domain: the pages of its accounts are paths of the one address that it has.
#[tokio::test]
async fn without_a_domain_accounts_are_paths() {
    let app = TestApp::sqlite_with(|config| config.domain = "localhost".to_owned()).await;
    let answer = app.acme().post(PATH, hook("https://echo.example.org/")).await;
    assert_eq!(answer.header("location"), "https://api.example.test/accounts/acme/webhooks/1");
    answer.expect(201);
    let sent = waiting(&app, 1).await;
    let callback = sent[0].secrets.as_ref().unwrap()["callback"].as_str().unwrap().to_owned();
    let path = callback.strip_prefix("https://api.example.test").unwrap();
    let answer = app.anonymous().get(path).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "Verification successful"));
}
