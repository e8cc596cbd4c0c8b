//! What webhooks are sent: by real requests to a real server.
use appmarket::kernel::events::{self, NewEvent, Secrets};
use appmarket::kernel::secret::Purpose;
use appmarket::kernel::signature::Secret;
use appmarket::offering_api::webhooks::dto::EVENT;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::app_instances::{filled, publish, published};
use super::webhook_policies::policy;
use crate::on_both;
use crate::support::TestApp;
use crate::support::app::START;
use crate::support::client::Client;
use crate::support::encrypted;
use crate::support::messages::{part, told};
use crate::support::receiver::{Received, Receiver, Reply};

const WEEK: i64 = 7 * 24 * 3600;

/// Something happens in an account.
async fn happens(app: &TestApp, account: &str, name: &str, payload: Value, secrets: Option<Value>) {
    let id = uuid::Uuid::new_v4().to_string();
    let key = &app.state.site.key;
    let secrets = secrets.map(|secrets| Secrets {
        sealed: key.seal(Purpose::Message, id.as_bytes(), secrets.to_string().as_bytes()),
        event_id: id,
    });
    let person = app.count(&format!("SELECT id FROM people WHERE account_id = '{account}'")).await;
    let change = (account.to_owned(), name.to_owned(), payload, secrets, person);
    app.state
        .store
        .write(change, |transaction, (account, name, payload, secrets, person)| {
            async move {
                let event = NewEvent {
                    account,
                    name,
                    record_type: "app_instance",
                    record_id: 31,
                    person: Some(*person),
                    // No entry of the trail tells of secrets.
                    audit_line: secrets.is_none().then_some(901),
                    payload: payload.clone(),
                    secrets: secrets.clone(),
                    now: START,
                };
                events::record(transaction, event).await
            }
            .boxed()
        })
        .await
        .unwrap();
}

/// The payload of an event of an installed app.
fn instance(reference: &str) -> Value {
    json!({
        "app_offering": {"reference": reference, "id": 14, "nodeID": "n", "updated": false},
        "customer_account_id": "globex", "disabled": false, "enabled_by_customer": true,
        "suspended": false, "customer_representative": null,
    })
}

/// That of an event by which secrets are handed over.
fn handed_over() -> Value {
    json!({"audit_line_id": 901, "audit_line_nodeID": "n", "app_offering": {"reference": "acme_ticket_echo", "id": 14, "nodeID": "n"},
           "customer_account_id": "globex"})
}

async fn installs(app: &TestApp) {
    happens(app, "acme", "app_instance.create", instance("acme_ticket_echo"), None).await;
}

/// A webhook of acme for new installs, with more properties; its address is verified.
async fn hook(app: &TestApp, uri: &str, more: Value) -> i64 {
    hook_of(app, &app.acme(), uri, more).await
}

/// The same of another account.
async fn hook_of(app: &TestApp, client: &Client, uri: &str, more: Value) -> i64 {
    let mut body = json!({"event": "app_instance.create", "uri": uri});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.post("/v1/webhooks", body).await.expect(201);
    let id = made["id"].as_i64().unwrap();
    // The message of its verification is a matter of the webhooks' own tests.
    app.execute("DELETE FROM deliveries WHERE event = 'webhook.verify'").await;
    app.execute(&format!("UPDATE webhooks SET verified_at = {START} WHERE id = {id}")).await;
    id
}

/// The only message that has arrived.
#[track_caller]
fn only(receiver: &Receiver) -> Received {
    let mut received = receiver.take();
    assert_eq!(received.len(), 1, "{received:?}");
    received.remove(0)
}

async fn webhook(app: &TestApp, id: i64) -> Value {
    app.acme().get(&format!("/v1/webhooks/{id}")).await.expect(200)
}

on_both! {
    async fn a_message_is_as_the_contract_has_it(app: TestApp) {
        let receiver = Receiver::start();
        let uri = receiver.url("/in?a=b").replace("http://", "http://me:s%40fe@");
        let id = hook(&app, &uri, json!({"name": "Installs"})).await;
        installs(&app).await;
        app.deliver().await;
        let message = only(&receiver);
        assert_eq!((message.method.as_str(), message.path.as_str()), ("POST", "/in?a=b"));
        let person = app.count("SELECT id FROM people WHERE account_id = 'acme'").await;
        let node_id = |text: &str| URL_SAFE_NO_PAD.encode(format!("example.test/{text}"));
        let expected = json!({
            "webhook_id": id, "webhook_nodeID": node_id(&format!("Webhook/{id}")),
            "account_id": "acme", "account": "https://acme.example.test",
            "name": "Installs", "event": "app_instance.create",
            "object_id": 31, "object_nodeID": node_id("AppInstance/31"),
            "person_id": person, "person_nodeID": node_id(&format!("Person/{person}")),
            "person_name": "Ann Lee",
            "payload": {
                "audit_line_id": 901, "audit_line_nodeID": node_id("AuditLine/901"),
                "app_offering": {
                    "reference": "acme_ticket_echo", "id": 14, "nodeID": "n", "updated": false,
                },
                "customer_account_id": "globex", "disabled": false, "enabled_by_customer": true,
                "suspended": false, "customer_representative": null,
            },
        });
        // As text: the order counts.
        assert_eq!(String::from_utf8_lossy(&message.body), expected.to_string());
        for (name, value) in [
            ("content-type", "application/json; charset=utf-8"),
            ("accept", "*/*"),
            ("user-agent", "4me/1.0 (https://developer.4me.com/v1/webhooks)"),
            ("authorization", "Basic bWU6c0BmZQ=="),
            ("link",
             "<https://acme.example.test/app_instances/31>; rel=\"canonical\", \
              <https://api.example.test/v1/app_instances/31>; rel=\"resource\""),
        ] {
            assert_eq!(message.header(name), value);
        }
        let delivery = message.header("x-xurrent-delivery");
        assert_eq!(message.header("x-4me-delivery"), delivery);
        assert_eq!(uuid::Uuid::parse_str(delivery).unwrap().hyphenated().to_string(), delivery);
        for absent in ["x-xurrent-delivery-origin", "webhook-id", "webhook-signature"] {
            assert!(!message.headers.contains_key(absent), "{absent}");
        }
        // The log knows that there were credentials, not which.
        let sql = |text: &str| format!("SELECT COUNT(*) FROM delivery_attempts WHERE {text}");
        let url = receiver.url("/in?a=b");
        assert_eq!(app.count(&sql(&format!("request_url = '{url}'"))).await, 1);
        assert_eq!(app.count(&sql("request_headers LIKE '%\"authorization\":\"********\"%'")).await, 1);
        assert_eq!(app.count(&sql("request_headers LIKE '%Basic%'")).await, 0);
        app.deliver().await;
        assert_eq!(receiver.take().len(), 0);
    }

    async fn what_happens_to_an_install_is_told_as_documented(app: TestApp) {
        let receiver = Receiver::start();
        // The provider's are signed, those of the customer are not.
        let policy = policy(&app, "es384").await;
        for event in ["create", "update", "delete", "secrets-update"] {
            let event = format!("app_instance.{event}");
            let signed = json!({"event": event, "webhook_policy_id": policy["id"]});
            hook(&app, &receiver.url("/provider"), signed).await;
            let plain = json!({"event": event});
            hook_of(&app, &app.globex(), &receiver.url("/customer"), plain).await;
        }
        for event in ["service_instance.create", "service_instance.update"] {
            hook(&app, &receiver.url("/provider"), json!({"event": event})).await;
        }
        let arrived = async || {
            app.deliver().await;
            let name = |it: &Received| format!("{} {}", it.path, told(it)["event"].as_str().unwrap());
            let mut names: Vec<String> = receiver.take().iter().map(name).collect();
            names.sort();
            names
        };
        let template = receiver.url("/app?account={account}");
        let body = json!({"name": "Echo", "service_id": 1});
        let made = app.acme().post("/v1/service_instances", body).await.expect(201);
        published(&app, json!({"webhook_uri_template": template})).await;
        assert_eq!(arrived().await, ["/provider service_instance.create"]);
        let path = format!("/v1/service_instances/{}", made["id"]);
        app.acme().patch(&path, json!({"name": "Other"})).await.expect(200);
        assert_eq!(arrived().await, ["/provider service_instance.update"]);
        let ended = json!({"status": "discontinued", "sourceID": "ERP-4711"});
        app.acme().patch(&path, ended).await.expect(200);
        app.deliver().await;
        let payload = told(&receiver.take()[0])["payload"].take();
        let line = &app.acme().get("/v1/audit_lines?sort=-id").await.expect(200)[0];
        assert_eq!(payload, json!({
            "audit_line_id": line["id"], "audit_line_nodeID": line["nodeID"], "source": made["source"],
            "sourceID": "ERP-4711", "status": "discontinued", "previous_status": "being_prepared",
        }));
        app.globex().post("/v1/app_instances", filled(2)).await.expect(201);
        // However late it goes out.
        app.advance_seconds(10);
        assert_eq!(arrived().await, [
            "/customer app_instance.create",
            "/provider app_instance.create",
            "/provider app_instance.secrets-update",
        ]);
        app.advance_seconds(2);
        assert_eq!(arrived().await, ["/app?account=globex webhook.verify"]);
        let one = "/v1/app_instances/1";
        app.acme().patch(one, json!({"disabled": true})).await.expect(200);
        let updated = ["/customer app_instance.update", "/provider app_instance.update"];
        assert_eq!(arrived().await, updated);
        // Another version without the policy, whose part of the secrets is null then.
        app.execute("UPDATE app_offerings SET policy_jwt_alg = NULL WHERE id = 1").await;
        let version = publish(&app).await;
        app.globex().patch(one, json!({"app_offering_id": version})).await.expect(200);
        assert_eq!(arrived().await, [updated[0], "/provider app_instance.secrets-update", updated[1]]);
        app.globex().delete(one).await.expect(204);
        assert_eq!(arrived().await, ["/customer app_instance.delete", "/provider app_instance.delete"]);
    }

    async fn every_event_of_a_webhook_can_be_tried(app: TestApp) {
        let receiver = Receiver::start();
        let events: Vec<&str> = EVENT.words.to_vec();
        let mut ids = Vec::new();
        for (number, event) in events.iter().enumerate() {
            let uri = receiver.url(&format!("/{number}"));
            ids.push(hook(&app, &uri, json!({"event": event})).await);
        }
        for id in ids {
            app.acme().post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(204);
        }
        app.deliver().await;
        let mut arrived: Vec<String> =
            receiver.take().iter().map(|it| told(it)["event"].as_str().unwrap().to_owned()).collect();
        arrived.sort();
        let mut expected = events;
        expected.sort_unstable();
        assert_eq!(arrived, expected);
    }

    async fn only_those_are_told_whom_it_concerns(app: TestApp) {
        let receiver = Receiver::start();
        let offering = |reference: &str| json!({"app_offering_references": [reference]});
        hook(&app, &receiver.url("/all"), json!({})).await;
        hook(&app, &receiver.url("/echo"), offering("acme_ticket_echo")).await;
        hook(&app, &receiver.url("/other"), offering("acme_other")).await;
        hook(&app, &receiver.url("/update"), json!({"event": "app_instance.update"})).await;
        hook(&app, &receiver.url("/disabled"), json!({"disabled": true})).await;
        let unverified = hook(&app, &receiver.url("/unverified"), json!({})).await;
        app.execute(&format!("UPDATE webhooks SET verified_at = NULL WHERE id = {unverified}")).await;
        installs(&app).await;
        // Another account's events are none of this one's.
        happens(&app, "globex", "app_instance.create", instance("acme_ticket_echo"), None).await;
        app.deliver().await;
        let mut paths: Vec<String> = receiver.take().into_iter().map(|it| it.path).collect();
        paths.sort();
        assert_eq!(paths, ["/all", "/echo"]);
        // Whose address is not verified is told once it is.
        let waiting = app.acme().get(&format!("/v1/webhooks/{unverified}/deliveries/waiting")).await.expect(200);
        assert_eq!(waiting.as_array().unwrap().len(), 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'").await, 1);
    }

    async fn what_happens_before_an_address_is_verified_leaves_in_order_afterwards(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/old"), json!({})).await;
        hook(&app, &receiver.url("/other"), json!({"event": "task.create"})).await;
        let path = format!("/v1/webhooks/{id}");
        let references = ["one", "two", "three"];
        let told = || async {
            app.deliver().await;
            let reference = |it: &Received| {
                let message = it.json();
                let payload = &message["payload"]["app_offering"]["reference"];
                format!("{} {}", it.path, payload.as_str().unwrap_or("verification"))
            };
            receiver.take().iter().map(reference).collect::<Vec<_>>()
        };
        app.acme().patch(&path, json!({"uri": receiver.url("/new")})).await.expect(200);
        for reference in references {
            happens(&app, "acme", "app_instance.create", instance(reference), None).await;
        }
        app.deliver().await;
        let verification = only(&receiver);
        assert_eq!(verification.path, "/new");
        // However long it takes.
        app.advance_seconds(23 * 3600);
        assert!(told().await.is_empty());
        let waiting = app.acme().get(&format!("{path}/deliveries/waiting")).await.expect(200);
        let waiting = waiting.as_array().unwrap();
        assert_eq!(waiting.len(), 3);
        for delivery in waiting {
            assert_eq!((&delivery["next_attempt_at"], &delivery["attempt_count"]), (&Value::Null, &json!(0)));
        }
        let message = verification.json();
        let callback = message["payload"]["callback"].as_str().unwrap();
        let callback = callback.strip_prefix("https://acme.example.test").unwrap();
        let answer = app.anonymous().get(&format!("/accounts/acme{callback}")).await;
        assert_eq!(answer.text(), "Verification successful");
        assert_eq!(told().await, ["/new one", "/new two", "/new three"]);
        // Also when the new address turns out to be verified, as of another webhook.
        app.execute(&format!("UPDATE webhooks SET verified_at = NULL WHERE id = {id}")).await;
        installs(&app).await;
        assert!(told().await.is_empty());
        app.acme().patch(&path, json!({"uri": receiver.url("/other")})).await.expect(200);
        assert_eq!(told().await, ["/other acme_ticket_echo"]);
        // Who is disabled is not told later, verified or not.
        app.acme().patch(&path, json!({"uri": receiver.url("/last"), "disabled": true})).await.expect(200);
        installs(&app).await;
        assert_eq!(told().await, ["/last verification"]);
        app.acme().patch(&path, json!({"uri": receiver.url("/other"), "disabled": false})).await.expect(200);
        assert!(told().await.is_empty());
    }

    async fn each_attempt_is_signed_anew(app: TestApp) {
        let receiver = Receiver::start();
        let policy = app.acme().post("/v1/webhook_policies", json!({
            "jwt_alg": "es256", "jwt_audience": "echo", "jwt_claim_expires_in": 5,
        })).await.expect(201);
        let id = hook(&app, &receiver.url("/"), json!({"webhook_policy_id": policy["id"]})).await;
        installs(&app).await;
        receiver.reply(Reply::Status(500));
        app.deliver().await;
        let first = only(&receiver);
        app.advance_seconds(67);
        receiver.reply(Reply::Status(200));
        app.deliver().await;
        let second = only(&receiver);
        assert_eq!(first.header("x-4me-delivery"), second.header("x-4me-delivery"));
        let mut ids = Vec::new();
        for (message, now) in [(&first, START / 1000), (&second, START / 1000 + 67)] {
            let body = message.json();
            assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["jwt"]);
            let token = body["jwt"].as_str().unwrap();
            let header = part(token, 0);
            let expected = json!({"typ": "JWT", "alg": "ES256", "kid": header["kid"]});
            assert_eq!(header.to_string(), expected.to_string());
            assert_eq!(header["kid"].as_str().unwrap().len(), 36);
            let claims = part(token, 1);
            assert_eq!(claims["data"]["event"], "app_instance.create");
            assert_eq!(claims["data"]["payload"]["customer_account_id"], "globex");
            let jti = claims["jti"].as_str().unwrap().to_owned();
            assert!(jti.len() == 64 && jti.bytes().all(|it| it.is_ascii_hexdigit()), "{jti}");
            assert_eq!(claims, json!({
                "data": claims["data"], "jti": jti, "sub": id.to_string(),
                "iss": "https://acme.example.test", "iat": now, "nbf": now, "aud": "echo",
                "exp": now + 300,
            }));
            ids.push(jti);
        }
        assert_ne!(ids[0], ids[1]);
    }

    async fn long_secrets_make_a_long_token(app: TestApp) {
        // It holds what arrives against the documents.
        let receiver = Receiver::start();
        let policy = policy(&app, "rs512").await;
        let name = "app_instance.secrets-update";
        let more = json!({"event": name, "webhook_policy_id": policy["id"]});
        hook(&app, &receiver.url("/"), more).await;
        // As much as customers can type, in an input with the id that takes most room.
        let id = "\u{1}".repeat(128);
        let typed = "x".repeat(65_533);
        let secrets = json!({"secrets": {id.as_str(): typed}});
        happens(&app, "acme", name, handed_over(), Some(secrets)).await;
        app.deliver().await;
        let sent = only(&receiver);
        assert!(sent.body.len() > 65_536);
        assert_eq!(told(&sent)["payload"]["secrets"][&id], typed);
    }

    async fn receivers_that_discover_keys_are_told_which_and_where(app: TestApp) {
        let receiver = Receiver::start();
        let policy = policy(&app, "es512").await;
        let name = policy["name"].as_str().unwrap();
        let more = json!({"webhook_policy_id": policy["id"], "openid_connect_discovery": true});
        hook(&app, &receiver.url("/"), more).await;
        installs(&app).await;
        app.deliver().await;
        let body = only(&receiver).json();
        let token = body["jwt"].as_str().unwrap();
        let keys = format!("/accounts/acme/webhook_policies/{name}/.well-known/jwks.json");
        let keys = app.anonymous().get(&keys).await.expect(200);
        let kid = &keys["keys"][0]["kid"];
        assert_eq!(part(token, 0), json!({"typ": "JWT", "alg": "ES512", "kid": kid}));
        let claims = part(token, 1);
        assert_eq!(claims["iss"], format!("https://acme.example.test/webhook_policies/{name}"));
        assert!(claims.get("aud").is_none() && claims.get("exp").is_none(), "{claims}");
    }

    async fn standard_webhooks_are_signed_for_their_libraries(app: TestApp) {
        let receiver = Receiver::start();
        let made = app.acme().post("/v1/webhooks", json!({
            "event": "app_instance.create", "uri": receiver.url("/"), "standard_webhooks": true,
        })).await.expect(201);
        let secret = Secret::parse(made["standard_webhooks_secret"].as_str().unwrap()).unwrap();
        app.execute("DELETE FROM deliveries").await;
        app.execute(&format!("UPDATE webhooks SET verified_at = {START}")).await;
        installs(&app).await;
        app.deliver().await;
        let message = only(&receiver);
        let id = message.header("webhook-id");
        assert_eq!(id, message.header("x-xurrent-delivery"));
        assert_eq!(message.header("webhook-timestamp"), (START / 1000).to_string());
        let signature = secret.sign(id, START / 1000, &message.body);
        assert_eq!(message.header("webhook-signature"), signature);
    }

    async fn secrets_are_delivered_and_then_forgotten(app: TestApp) {
        let receiver = Receiver::start();
        let name = "app_instance.secrets-update";
        hook(&app, &receiver.url("/"), json!({"event": name})).await;
        let secrets = json!({"secrets": {"api_key": "canary-4711"}, "policy": null});
        happens(&app, "acme", name, handed_over(), Some(secrets)).await;
        receiver.reply(Reply::Status(500));
        app.deliver().await;
        receiver.take();
        let kept = "SELECT COUNT(*) FROM deliveries WHERE secrets IS NOT NULL";
        assert_eq!(app.count(kept).await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM events WHERE secrets IS NOT NULL").await, 0);
        app.advance_seconds(67);
        receiver.reply(Reply::Status(200));
        app.deliver().await;
        let payload = only(&receiver).json()["payload"].clone();
        assert_eq!(payload["secrets"], json!({"api_key": "canary-4711"}));
        assert_eq!(payload["policy"], Value::Null);
        assert!(payload.as_object().unwrap().contains_key("policy"));
        assert_eq!(app.count(kept).await, 0);
        let masked = "SELECT COUNT(*) FROM deliveries WHERE payload LIKE '%********%' \
                      AND payload NOT LIKE '%canary%'";
        assert_eq!(app.count(masked).await, 1);
    }

    async fn secrets_wait_until_their_webhook_is_verified_and_enabled(app: TestApp) {
        let receiver = Receiver::start();
        let name = "app_instance.secrets-update";
        let body = json!({"event": name, "uri": receiver.url("/"), "disabled": true});
        let made = app.acme().post("/v1/webhooks", body).await.expect(201);
        app.deliver().await;
        let callback = only(&receiver).json()["payload"]["callback"].as_str().unwrap().to_owned();
        let secrets = json!({"secrets": {"api_key": "canary-4711"}});
        happens(&app, "acme", name, handed_over(), Some(secrets)).await;
        // Others are told of what happens once they are there.
        app.deliver().await;
        assert_eq!(receiver.take().len(), 0);
        let path = callback.strip_prefix("https://acme.example.test").unwrap();
        app.anonymous().get(&format!("/accounts/acme{path}")).await.text();
        app.deliver().await;
        assert_eq!(receiver.take().len(), 0);
        app.acme().patch(&format!("/v1/webhooks/{}", made["id"]), json!({"disabled": false})).await.expect(200);
        app.deliver().await;
        assert_eq!(only(&receiver).json()["payload"]["secrets"], json!({"api_key": "canary-4711"}));
        assert_eq!(app.count("SELECT COUNT(*) FROM deliveries WHERE secrets IS NOT NULL").await, 0);
    }

    async fn verifications_and_tests_reach_who_is_switched_off(app: TestApp) {
        let receiver = Receiver::start();
        let body = json!({"event": "app_instance.create", "uri": receiver.url("/"), "disabled": true});
        let made = app.acme().post("/v1/webhooks", body).await.expect(201);
        app.deliver().await;
        let message = only(&receiver).json();
        assert_eq!(message["event"], "webhook.verify");
        assert_eq!(message["object_id"], made["id"]);
        assert_eq!(message["person_id"], Value::Null);
        let callback = message["payload"]["callback"].as_str().unwrap();
        let path = callback.strip_prefix("https://acme.example.test").unwrap();
        assert_eq!(app.anonymous().get(&format!("/accounts/acme{path}")).await.text(),
                   "Verification successful");
        app.acme().post(&format!("/v1/webhooks/{}/test", made["id"]), json!({})).await.expect(204);
        app.deliver().await;
        let message = only(&receiver).json();
        assert_eq!((&message["event"], &message["object_id"]), (&json!("app_instance.create"), &json!(12345)));
    }

    async fn a_test_of_a_webhook_for_verifications_is_a_test(app: TestApp) {
        let receiver = Receiver::start();
        receiver.reply(Reply::Status(500));
        let id = hook(&app, &receiver.url("/"), json!({"event": "webhook.verify"})).await;
        app.acme().post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(204);
        app.deliver().await;
        let sent = only(&receiver);
        assert_eq!((&sent.json()["event"], &sent.json()["payload"]), (&json!("webhook.verify"), &json!({})));
        // It is not tried again, shown as what it was, and can be sent once more.
        let log = format!("/v1/webhooks/{id}/deliveries");
        let list = app.acme().get(&log).await.expect(200);
        assert_eq!((&list[0]["state"], &list[0]["attempt_count"]), (&json!("failed"), &json!(1)));
        let one = format!("{log}/{}", list[0]["id"]);
        assert_eq!(app.acme().get(&one).await.expect(200)["message"]["payload"], json!({}));
        app.acme().post(&format!("{one}/redeliver"), json!({})).await.expect(201);
        app.deliver().await;
        assert_eq!(only(&receiver).json()["payload"], json!({}));
        // What verifies is none: it is tried again.
        app.execute("UPDATE webhooks SET verified_at = NULL").await;
        app.acme().patch(&format!("/v1/webhooks/{id}"), json!({})).await.expect(200);
        app.deliver().await;
        assert!(only(&receiver).json()["payload"]["callback"].is_string());
        let waiting = app.acme().get(&format!("{log}?state=waiting")).await.expect(200);
        let one = app.acme().get(&format!("{log}/{}", waiting[0]["id"])).await.expect(200);
        assert_eq!(one["message"]["payload"], json!({"callback": "********"}));
    }

    async fn what_waits_for_a_disabled_webhook_leaves_once_it_is_enabled(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        receiver.reply(Reply::Status(500));
        installs(&app).await;
        app.deliver().await;
        receiver.take();
        let path = format!("/v1/webhooks/{id}");
        app.acme().patch(&path, json!({"disabled": true})).await.expect(200);
        app.advance_seconds(67);
        app.deliver().await;
        assert_eq!(receiver.take().len(), 0);
        receiver.reply(Reply::Status(200));
        app.acme().patch(&path, json!({"disabled": false})).await.expect(200);
        app.deliver().await;
        only(&receiver);
    }

    async fn who_is_gone_is_disabled_at_once(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        receiver.reply(Reply::Status(410));
        installs(&app).await;
        app.deliver().await;
        let shown = webhook(&app, id).await;
        assert_eq!((&shown["disabled"], &shown["last_error"]), (&json!(true), &json!("410 Gone")));
        assert_eq!(app.count("SELECT COUNT(*) FROM deliveries WHERE state = 'failed'").await, 1);
        let path = format!("/v1/webhooks/{id}");
        // The trail tells who did it: the service, for which a person stands that nobody can be.
        let lines = app.acme().get(&format!("{path}/audit")).await.expect(200);
        let line = &lines[0];
        let service = app.count("SELECT id FROM people WHERE name = 'Appmarket'").await;
        let node_id = |text: &str| URL_SAFE_NO_PAD.encode(format!("example.test/{text}"));
        assert_eq!(*line, json!({
            "id": line["id"], "nodeID": line["nodeID"], "action": "update",
            "created_at": "2026-02-01T09:15:00+01:00",
            "created_by": {"id": service, "name": "Appmarket", "disabled": true,
                "nodeID": node_id(&format!("Person/{service}"))},
            "changes": {"disabled": [false, true], "last_error": [null, "410 Gone"]},
        }));
        let may_not = "SELECT COUNT(*) FROM people WHERE name = 'Appmarket' AND disabled AND NOT administrator";
        assert_eq!(app.count(may_not).await, 1);
        let events = app.acme().get("/v1/events?event=webhook.update").await.expect(200);
        let event = &events[0];
        assert_eq!(events, json!([{
            "position": event["position"], "id": event["id"], "event": "webhook.update",
            "object_type": "webhook", "object_id": id, "object_nodeID": node_id(&format!("Webhook/{id}")),
            "person": null, "audit_line_id": line["id"], "audit_line_nodeID": line["nodeID"],
            "payload": {"disabled": true, "last_error": "410 Gone"},
            "created_at": "2026-02-01T09:15:00+01:00",
        }]));
        let shown = app.acme().patch(&path, json!({"disabled": false})).await.expect(200);
        assert_eq!((&shown["disabled"], &shown["last_error"]), (&json!(false), &Value::Null));
        // Another time it is the same person.
        installs(&app).await;
        app.deliver().await;
        assert_eq!(app.count("SELECT COUNT(*) FROM people WHERE name = 'Appmarket'").await, 1);
        assert_eq!(app.acme().get(&format!("{path}/audit")).await.expect(200)[0]["changes"], line["changes"]);
    }

    async fn what_is_answered_410_is_given_up_and_the_rest_waits(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        let path = format!("/v1/webhooks/{id}");
        for reference in ["one", "two", "three", "four", "five"] {
            happens(&app, "acme", "app_instance.create", instance(reference), None).await;
        }
        receiver.answer(|request| match request.json()["payload"]["app_offering"]["reference"].as_str() {
            Some("two") => Reply::Status(410),
            _ => Reply::Status(200),
        });
        let told = || async {
            app.deliver().await;
            let reference = |it: &Received| it.json()["payload"]["app_offering"]["reference"].clone();
            receiver.take().iter().map(reference).collect::<Vec<_>>()
        };
        assert_eq!(told().await, ["one", "two"]);
        assert_eq!(webhook(&app, id).await["last_error"], "410 Gone");
        for (state, count) in [("delivered", 1), ("failed", 1), ("waiting", 3)] {
            let list = app.acme().get(&format!("{path}/deliveries/{state}")).await.expect(200);
            assert_eq!(list.as_array().unwrap().len(), count, "{state}");
        }
        app.advance_seconds(24 * 3600);
        assert!(told().await.is_empty());
        app.acme().patch(&path, json!({"disabled": false})).await.expect(200);
        assert_eq!(told().await, ["three", "four", "five"]);
    }

    async fn twenty_failures_disable_after_more_than_a_week(app: TestApp) {
        let receiver = Receiver::start();
        receiver.reply(Reply::Status(404));
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        let test = format!("/v1/webhooks/{id}/test");
        let fail = || async {
            app.acme().post(&test, json!({})).await.expect(204);
            app.deliver().await;
        };
        // Within a week as many as there are.
        for _ in 0..25 {
            fail().await;
        }
        app.advance_seconds(WEEK);
        fail().await;
        assert_eq!(webhook(&app, id).await["disabled"], false, "exactly a week is not more");
        // One success, and all begins anew.
        receiver.reply(Reply::Status(200));
        fail().await;
        receiver.reply(Reply::Status(404));
        fail().await;
        app.advance_seconds(WEEK + 1);
        for _ in 0..18 {
            fail().await;
        }
        assert_eq!(webhook(&app, id).await["disabled"], false, "nineteen are not twenty");
        fail().await;
        let shown = webhook(&app, id).await;
        assert_eq!((&shown["disabled"], &shown["last_error"]), (&json!(true), &json!("404 Not Found")));
    }

    async fn whoever_fails_to_the_end_is_given_up(app: TestApp) {
        let receiver = Receiver::start();
        hook(&app, &receiver.url("/"), json!({})).await;
        receiver.reply(Reply::Status(503));
        installs(&app).await;
        app.deliver().await;
        for minutes in [1, 5, 30, 120, 360, 1440] {
            assert_eq!(receiver.take().len(), 1);
            // Not before the shortest pause that there can be, and at the longest.
            app.advance_seconds(minutes * 54 - 1);
            app.deliver().await;
            assert_eq!(receiver.take().len(), 0, "{minutes}");
            app.advance_seconds(minutes * 12 + 2);
            app.deliver().await;
        }
        assert_eq!(receiver.take().len(), 1);
        let given_up = "SELECT COUNT(*) FROM deliveries WHERE state = 'failed' AND attempts = 7";
        assert_eq!(app.count(given_up).await, 1);
    }

    async fn each_way_to_fail_has_its_words(
        app: TestApp with |config| config.outgoing_ca_file = Some(encrypted::authority())
    ) {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let receiver = Receiver::start();
        let elsewhere = receiver.url("/elsewhere");
        receiver.answer(move |request| match request.path.as_str() {
            "/error" => Reply::Full(500, Vec::new(), "out of order".into()),
            "/redirect" => Reply::Full(302, vec![("location", elsewhere.clone())], bytes::Bytes::new()),
            "/close" => Reply::Close,
            "/cut-off" => Reply::CutOff,
            "/hang" => Reply::Hang,
            "/slow" => Reply::After(std::time::Duration::from_secs(11), Box::new(Reply::Status(200))),
            "/endless" => Reply::Endless(1 << 30),
            "/no-reason" => Reply::Status(599),
            other => panic!("nobody sends to {other}"),
        });
        let closed = "connection closed before the answer was complete";
        let late = "timeout: no complete answer within 10 s";
        let cases = [
            (receiver.url("/error"), Some(500), Some("out of order"), None, Some("500 Internal Server Error")),
            (receiver.url("/redirect"), Some(302), Some(""), None, Some("302 Found")),
            (receiver.url("/no-reason"), Some(599), Some(""), None, Some("599")),
            (receiver.url("/close"), None, None, Some(closed), Some(closed)),
            // The status has come.
            (receiver.url("/cut-off"), Some(200), Some("half of"), None, None),
            (receiver.url("/hang"), None, None, Some(late), Some(late)),
            (receiver.url("/slow"), None, None, Some(late), Some(late)),
            (format!("http://{nobody}/"), None, None, Some("connection refused"), Some("connection refused")),
            (
                format!("https://{}/", encrypted::serve("echo.example.org")), None, None,
                Some("TLS: certificate is for another host name"),
                Some("TLS: certificate is for another host name"),
            ),
            // However long a success is: no more than its beginning is read.
            (receiver.url("/endless"), Some(200), Some(&*"x".repeat(65_536)), None, None),
            (format!("https://{}/", encrypted::serve("127.0.0.1")), Some(200), Some(""), None, None),
        ];
        let mut hooks = Vec::new();
        for (uri, ..) in &cases {
            hooks.push(hook(&app, uri, json!({})).await);
        }
        // One failure more, and they are disabled.
        let since = START - WEEK * 1000 - 1;
        app.execute(&format!("UPDATE webhooks SET failures = 19, failing_since = {since}")).await;
        installs(&app).await;
        app.deliver().await;
        for (id, (uri, status, body, error, last_error)) in hooks.into_iter().zip(cases) {
            let log = format!("/v1/webhooks/{id}/deliveries");
            let list = app.acme().get(&log).await.expect(200);
            let state = if last_error.is_some() { "waiting" } else { "delivered" };
            assert_eq!((&list[0]["state"], &list[0]["attempt_count"]), (&json!(state), &json!(1)), "{uri}");
            let one = app.acme().get(&format!("{log}/{}", list[0]["id"])).await.expect(200);
            let attempt = &one["attempts"][0];
            assert_eq!(one["attempts"], json!([{
                "number": 1, "started_at": "2026-02-01T08:15:00.000Z", "duration": attempt["duration"],
                "request_url": uri, "request_headers": attempt["request_headers"],
                "response_status": status, "response_body": body, "error": error,
            }]));
            let duration = attempt["duration"].as_i64().unwrap();
            assert_eq!(duration >= 10_000, error == Some(late), "{uri}: {duration}");
            assert!(duration < 15_000, "{uri}: {duration}");
            let shown = webhook(&app, id).await;
            assert_eq!((&shown["last_error"], &shown["disabled"]),
                (&json!(last_error), &json!(last_error.is_some())), "{uri}");
        }
        // Nobody has followed the redirect, and nobody asked twice.
        assert_eq!(receiver.take().len(), 8);
    }

    async fn the_log_tells_what_was_sent_and_what_came_back(app: TestApp) {
        let receiver = Receiver::start();
        let uri = receiver.url("/in").replace("http://", "http://me:canary@");
        let id = hook(&app, &uri, json!({"event": "app_instance.secrets-update"})).await;
        let secrets = json!({"secrets": {"api_key": "canary-4711"}});
        let name = "app_instance.secrets-update";
        happens(&app, "acme", name, handed_over(), Some(secrets)).await;
        receiver.reply(Reply::Full(404, Vec::new(), "nobody\0here".into()));
        app.deliver().await;
        let path = format!("/v1/webhooks/{id}/deliveries");
        let list = app.acme().get(&path).await.expect(200);
        let delivery = &list[0];
        let sent = only(&receiver);
        assert_eq!(delivery["delivery_id"], sent.header("x-xurrent-delivery"));
        assert_eq!(list, json!([{
            "id": delivery["id"], "nodeID": delivery["nodeID"],
            "delivery_id": delivery["delivery_id"], "origin_id": null,
            "event": name, "object": "app_instance:31", "state": "waiting", "attempt_count": 1,
            "next_attempt_at": delivery["next_attempt_at"], "finished_at": null,
            "created_at": "2026-02-01T09:15:00+01:00",
        }]));
        assert!(delivery["next_attempt_at"].is_string());
        for (state, count) in [("waiting", 1), ("failed", 0), ("delivered", 0)] {
            let found = app.acme().get(&format!("{path}?state={state}")).await.expect(200);
            assert_eq!(found.as_array().unwrap().len(), count, "{state}");
        }
        for key in [&delivery["id"], &delivery["nodeID"], &delivery["delivery_id"]] {
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            let one = app.acme().get(&format!("{path}/{key}")).await;
            assert!(!one.text().contains("canary"), "{}", one.text());
            let one = one.expect(200);
            assert_eq!(one["message"]["payload"]["secrets"], json!({"api_key": "********"}));
            assert_eq!(one["message"]["person_name"], "Ann Lee");
            let attempt = &one["attempts"][0];
            assert_eq!(one["attempts"], json!([{
                "number": 1, "started_at": "2026-02-01T08:15:00.000Z", "duration": attempt["duration"],
                "request_url": receiver.url("/in"), "request_headers": attempt["request_headers"],
                // Whoever has read a secret may repeat it.
                "response_status": 404, "response_body": null, "error": null,
            }]));
            assert_eq!(attempt["request_headers"]["authorization"], "********");
            assert_eq!(attempt["request_headers"]["x-4me-delivery"], delivery["delivery_id"]);
        }
        // What came back for a message without secrets is shown, but for credentials.
        receiver.answer(|request| {
            let body = format!(
                "nobody\0here with {}, which is me:canary: canary is wrong",
                request.header("authorization")
            );
            Reply::Full(404, Vec::new(), body.into())
        });
        app.acme().post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(204);
        app.deliver().await;
        let test = only(&receiver).header("x-4me-delivery").to_owned();
        let one = app.acme().get(&format!("{path}/{test}")).await.expect(200);
        assert_eq!(
            one["attempts"][0]["response_body"],
            "nobody\u{fffd}here with Basic ********, which is ********: ******** is wrong"
        );
    }

    async fn the_log_is_listed_by_state_and_by_time(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        let path = format!("/v1/webhooks/{id}/deliveries");
        receiver.answer(|request| match request.json()["payload"]["app_offering"]["reference"].as_str() {
            Some("failed") => Reply::Status(410),
            Some("waiting") => Reply::Status(500),
            _ => Reply::Status(200),
        });
        for state in ["delivered", "failed", "waiting"] {
            happens(&app, "acme", "app_instance.create", instance(state), None).await;
            app.deliver().await;
            app.acme().patch(&format!("/v1/webhooks/{id}"), json!({"disabled": false})).await.expect(200);
            app.advance_seconds(60);
        }
        let listed = |query: &str| {
            let (client, path) = (app.acme(), format!("{path}{query}"));
            async move { client.get(&path).await.expect(200).as_array().unwrap().clone() }
        };
        let all = listed("").await;
        let [waiting, failed, delivered] = all.as_slice() else { panic!("{all:?}") };
        for (state, delivery) in [("waiting", waiting), ("failed", failed), ("delivered", delivered)] {
            assert_eq!(delivery["state"], state);
            assert_eq!(listed(&format!("/{state}")).await, std::slice::from_ref(delivery));
            assert_eq!(listed(&format!("?state={state}")).await, std::slice::from_ref(delivery));
        }
        for (query, expected) in [
            ("?sort=created_at", vec![delivered, failed, waiting]),
            ("?sort=-created_at", vec![waiting, failed, delivered]),
            ("?created_at=%3E2026-02-01T08:16:00Z", vec![waiting]),
            ("?created_at=%3E=2026-02-01T08:16:00Z", vec![waiting, failed]),
            ("?created_at=%3C2026-02-01T08:16:00Z&sort=created_at", vec![delivered]),
            ("/failed?created_at=%3E2026-02-01T08:16:00Z", vec![]),
        ] {
            assert_eq!(listed(query).await.iter().collect::<Vec<_>>(), expected, "{query}");
        }
        let problem = |status: u16, title: &str, detail: &str| {
            json!({"type": "about:blank", "title": title, "status": status, "detail": detail})
        };
        let refused = app.acme().get(&format!("{path}/failed?sort=state")).await.expect(400);
        assert_eq!(refused, problem(400, "Bad Request", "Sorting not allowed on fields: state"));
        for (client, path) in [
            (app.globex(), format!("{path}/failed")),
            (app.acme(), "/v1/webhooks/999/deliveries/failed".to_owned()),
            (app.acme(), format!("{path}/lost")),
        ] {
            assert_eq!(client.get(&path).await.expect(404), problem(404, "Not Found", "Not Found"), "{path}");
        }
    }

    async fn actions_are_strict_when_they_are_asked_to_be(app: TestApp) {
        let receiver = Receiver::start();
        let made = policy(&app, "es256").await;
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        installs(&app).await;
        app.deliver().await;
        let delivery = only(&receiver).header("x-xurrent-delivery").to_owned();
        let strict = app.acme().with("prefer", "handling=strict");
        let path = format!("/v1/webhooks/{id}");
        let problem = json!({"type": "about:blank", "title": "Bad Request", "status": 400,
            "detail": "Unknown properties: colour, event"});
        let plain = json!({"message": "Unknown properties: colour, event"});
        for (action, refusal, body, status) in [
            (format!("{path}/test"), &plain, json!({}), 204),
            (format!("{path}/deliveries/{delivery}/redeliver"), &problem, json!({}), 201),
            (format!("{path}/replay"), &problem, json!({"since": "2026-02-01"}), 200),
            (format!("/v1/webhook_policies/{}/rotate", made["id"]), &problem, json!({}), 200),
        ] {
            let mut with_more = body.clone();
            // A property of the record is none of the action.
            with_more["colour"] = json!("red");
            with_more["event"] = json!("task.create");
            assert_eq!(strict.post(&action, with_more.clone()).await.expect(400), *refusal, "{action}");
            let lenient = app.acme().post(&action, with_more).await;
            assert!(!lenient.headers.contains_key("preference-applied"), "{action}");
            lenient.expect(status);
            let answer = strict.post(&action, body).await;
            assert_eq!(answer.header("preference-applied"), "handling=strict", "{action}");
            answer.expect(status);
        }
        let answer = strict.delete(&path).await;
        assert_eq!(answer.header("preference-applied"), "handling=strict");
        answer.expect(204);
    }

    async fn the_log_is_for_administrators_of_the_account(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        let other = hook(&app, &receiver.url("/"), json!({})).await;
        app.acme().post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(204);
        app.deliver().await;
        let list = app.acme().get(&format!("/v1/webhooks/{id}/deliveries")).await.expect(200);
        let delivery = list[0]["delivery_id"].as_str().unwrap();
        let problem = |status: u16, title: &str| {
            json!({"type": "about:blank", "title": title, "status": status, "detail": title})
        };
        let plain = app.bearer(&app.plain_person("acme").await);
        let since = json!({"since": "2026-01-01"});
        for (client, status, title) in [
            (app.globex(), 404, "Not Found"),
            (plain, 403, "Forbidden"),
            (app.anonymous(), 401, "Unauthorized"),
        ] {
            let path = format!("/v1/webhooks/{id}");
            for answer in [
                client.get(&format!("{path}/deliveries")).await,
                client.get(&format!("{path}/deliveries/{delivery}")).await,
                client.post(&format!("{path}/deliveries/{delivery}/redeliver"), json!({})).await,
                client.post(&format!("{path}/replay"), since.clone()).await,
            ] {
                assert_eq!(answer.expect(status), problem(status, title));
            }
        }
        // Nor is it found at another webhook, or under a name that is none.
        for path in [
            format!("/v1/webhooks/{other}/deliveries/{delivery}"),
            format!("/v1/webhooks/{id}/deliveries/nonsense"),
            format!("/v1/webhooks/{id}/deliveries/0"),
            "/v1/webhooks/999/deliveries".to_owned(),
        ] {
            assert_eq!(app.acme().get(&path).await.expect(404), problem(404, "Not Found"), "{path}");
        }
    }

    async fn a_message_can_be_delivered_once_more(app: TestApp) {
        let receiver = Receiver::start();
        let id = hook(&app, &receiver.url("/"), json!({})).await;
        installs(&app).await;
        app.deliver().await;
        let first = only(&receiver);
        let origin = first.header("x-xurrent-delivery");
        let path = format!("/v1/webhooks/{id}/deliveries");
        let redeliver = |delivery: String| {
            let path = format!("{path}/{delivery}/redeliver");
            let client = app.acme();
            async move { client.post(&path, json!({})).await }
        };
        let made = redeliver(origin.to_owned()).await.expect(201);
        assert_eq!((&made["origin_id"], &made["state"]), (&json!(origin), &json!("waiting")));
        // It waits now, so it cannot be repeated yet.
        let again = made["delivery_id"].as_str().unwrap().to_owned();
        assert_eq!(redeliver(again.clone()).await.expect(422), json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "The message waits for its next attempt; it can be delivered once more when it \
                       was delivered or given up",
        }));
        app.deliver().await;
        let second = only(&receiver);
        assert_eq!(second.header("x-xurrent-delivery"), again);
        assert_eq!(second.header("x-xurrent-delivery-origin"), origin);
        assert_eq!(second.body, first.body);
        // The origin of a repetition is the first of all.
        let third = redeliver(again).await.expect(201);
        assert_eq!(third["origin_id"], origin);
    }

    async fn secrets_that_were_delivered_cannot_be_delivered_again(app: TestApp) {
        let receiver = Receiver::start();
        let name = "app_instance.secrets-update";
        let id = hook(&app, &receiver.url("/"), json!({"event": name})).await;
        let secrets = json!({"secrets": {"api_key": "typed"}});
        happens(&app, "acme", name, handed_over(), Some(secrets)).await;
        app.deliver().await;
        let delivery = only(&receiver).header("x-xurrent-delivery").to_owned();
        let path = format!("/v1/webhooks/{id}/deliveries/{delivery}/redeliver");
        assert_eq!(app.acme().post(&path, json!({})).await.expect(422), json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "The secrets of this message were delivered and are not kept",
        }));
    }

    async fn what_has_failed_is_replayed_once(app: TestApp) {
        let receiver = Receiver::start();
        let name = "app_instance.secrets-update";
        let id = hook(&app, &receiver.url("/"), json!({"event": name})).await;
        let secrets = json!({"secrets": {"api_key": "typed"}});
        happens(&app, "acme", name, handed_over(), Some(secrets)).await;
        receiver.reply(Reply::Status(410));
        app.deliver().await;
        let failed = only(&receiver).header("x-xurrent-delivery").to_owned();
        receiver.reply(Reply::Status(200));
        app.acme().patch(&format!("/v1/webhooks/{id}"), json!({"disabled": false})).await.expect(200);
        let replay = |since: Value| {
            let path = format!("/v1/webhooks/{id}/replay");
            let client = app.acme();
            async move { client.post(&path, json!({"since": since})).await }
        };
        let none = json!({"count": 0, "more": false});
        assert_eq!(replay(json!("2026-02-02T00:00:00Z")).await.expect(200), none);
        let one = json!({"count": 1, "more": false});
        assert_eq!(replay(json!("2026-02-01T00:00:00Z")).await.expect(200), one);
        assert_eq!(replay(json!("2026-02-01T00:00:00Z")).await.expect(200), none);
        app.deliver().await;
        let again = only(&receiver);
        assert_eq!(again.header("x-xurrent-delivery-origin"), failed);
        // Its secrets were sealed for another id, and arrive all the same.
        assert_eq!(again.json()["payload"]["secrets"], json!({"api_key": "typed"}));
        for (since, detail) in [
            (Value::Null, "Since can't be blank"),
            (json!("soon"), "Since is invalid"),
            (json!(5), "Since is invalid"),
        ] {
            assert_eq!(replay(since).await.expect(422), json!({
                "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
                "detail": "Validation Failed", "errors": [{"field": "since", "detail": detail}],
            }));
        }
    }
}
