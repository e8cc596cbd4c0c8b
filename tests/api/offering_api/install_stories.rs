//! Each path through the life of an installed app (contract 4.1), as those see it who are told: every
//! message, whole, signed or not, that a party of the story gets, and none but these.
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

use super::app_instance_configuration::{told, visit};
use super::app_offerings::service_instance;
use crate::on_both;
use crate::support::TestApp;
use crate::support::receiver::{Received, Receiver, Reply};

const PATH: &str = "/v1/app_instances";
const ONE: &str = "/v1/app_instances/1";
/// Who changes something, as messages name them.
const ANN: Option<(i64, &str)> = Some((1, "Ann Lee"));
const GREG: Option<(i64, &str)> = Some((2, "Greg Hill"));

/// What the customer fills in; `api_key` is nobody's business but the publisher's.
const FORM: &str = "<input id=\"url\" class=\"required\">\
    <input id=\"api_key\" class=\"required\" data-secret=\"true\">";

fn node_id(record: &str, id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("example.test/{record}/{id}"))
}

/// How the messages of a webhook are signed.
#[derive(Clone)]
struct Signature {
    algorithm: &'static str,
    /// The public key as PEM.
    key: String,
    audience: Option<&'static str>,
    /// Seconds.
    lifetime: i64,
}

impl Signature {
    /// The claims of a body, whose signature must be right.
    #[track_caller]
    fn open(&self, body: &Value) -> Value {
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["jwt"]);
        let (text, signature) = body["jwt"].as_str().unwrap().rsplit_once('.').unwrap();
        let (head, claims) = text.split_once('.').unwrap();
        let read = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let head = read(head);
        let kid = head["kid"].as_str().unwrap();
        assert_eq!(kid.len(), 36, "{kid} is a UUID");
        let expected = json!({"typ": "JWT", "alg": self.algorithm, "kid": kid});
        assert_eq!(head.to_string(), expected.to_string());
        let (verification, point): (&dyn VerificationAlgorithm, usize) = match self.algorithm {
            "ES256" => (&ECDSA_P256_SHA256_FIXED, 65),
            "ES384" => (&ECDSA_P384_SHA384_FIXED, 97),
            other => panic!("{other}"),
        };
        let pem = self.key.replace('\n', "");
        let der = pem.strip_prefix("-----BEGIN PUBLIC KEY-----").unwrap();
        let der = STANDARD.decode(der.strip_suffix("-----END PUBLIC KEY-----").unwrap()).unwrap();
        // The point stands at the end of what wraps it.
        let key = UnparsedPublicKey::new(verification, &der[der.len() - point..]);
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        key.verify(text.as_bytes(), &signature).expect("the signature is that of this key");
        read(claims)
    }
}

/// A webhook, as whoever listens at its address knows it.
#[derive(Clone)]
struct Listener {
    account: &'static str,
    id: i64,
    name: String,
    path: String,
    signature: Option<Signature>,
}

impl Listener {
    /// The payload of a message, of which all else must be as the contract has it (4.3, 4.4).
    #[track_caller]
    fn read(&self, app: &TestApp, message: &Received, heard: &Heard) -> Value {
        let body = message.json();
        let now = app.state.clock.now() / 1000;
        let account = format!("https://{}.example.test", self.account);
        let data = match &self.signature {
            None => body,
            Some(signature) => {
                let claims = signature.open(&body);
                let jti = claims["jti"].as_str().unwrap();
                assert!(jti.len() == 64 && jti.bytes().all(|it| it.is_ascii_hexdigit()), "{jti}");
                let mut expected = json!({
                    "data": claims["data"], "jti": jti, "sub": self.id.to_string(), "iss": account,
                    "iat": now, "nbf": now,
                });
                if let Some(audience) = signature.audience {
                    expected["aud"] = audience.into();
                }
                expected["exp"] = (now + signature.lifetime).into();
                assert_eq!(claims.to_string(), expected.to_string());
                claims["data"].clone()
            }
        };
        let (record, object) = heard.object;
        let (person, person_name) = heard.person.unzip();
        let expected = json!({
            "webhook_id": self.id, "webhook_nodeID": node_id("Webhook", self.id),
            "account_id": self.account, "account": account, "name": self.name, "event": heard.event,
            "object_id": object, "object_nodeID": node_id(record, object),
            "person_id": person, "person_nodeID": person.map(|id| node_id("Person", id)),
            "person_name": person_name, "payload": data["payload"],
        });
        // As text: the order counts.
        assert_eq!(data.to_string(), expected.to_string());

        let table = if record == "Webhook" { "webhooks" } else { "app_instances" };
        let link = format!(
            "<{account}/{table}/{object}>; rel=\"canonical\", \
             <https://api.example.test/v1/{table}/{object}>; rel=\"resource\""
        );
        for (name, value) in [
            ("content-type", "application/json; charset=utf-8"),
            ("accept", "*/*"),
            ("user-agent", "4me/1.0 (https://developer.4me.com/v1/webhooks)"),
            ("link", &link),
            ("x-4me-delivery", message.header("x-xurrent-delivery")),
        ] {
            assert_eq!(message.header(name), value);
        }
        let mut names: Vec<&str> = message.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept",
                "content-length",
                "content-type",
                "host",
                "link",
                "user-agent",
                "x-4me-delivery",
                "x-xurrent-delivery"
            ]
        );
        data["payload"].clone()
    }
}

/// What a listener is to hear.
struct Heard {
    event: &'static str,
    /// Type and number of what it is about.
    object: (&'static str, i64),
    person: Option<(i64, &'static str)>,
}

/// An event of the installed app.
fn event(event: &'static str, person: Option<(i64, &'static str)>) -> Heard {
    Heard { event, object: ("AppInstance", 1), person }
}

/// The switches of an install: disabled, enabled by the customer, suspended.
type Switches = (bool, bool, bool);
const ON: Switches = (false, true, false);

/// Acme publishes an app; globex, which is trusted, may install it. Both listen to what happens to installs,
/// acme to secrets as well; acme's messages are signed.
struct Story {
    app: TestApp,
    receiver: Receiver,
    /// The publisher's webhooks: create, update, delete, secrets-update.
    publisher: [Listener; 4],
    /// The customer's webhooks: create, update, delete.
    customer: [Listener; 3],
}

impl Story {
    /// Acme's offering 1 is a draft; nothing is published yet.
    async fn begin(app: TestApp, more: Value) -> Self {
        let receiver = Receiver::start();
        let policy = app
            .acme()
            .post(
                "/v1/webhook_policies",
                json!({
                    "jwt_alg": "es256", "jwt_audience": "acme-echo", "jwt_claim_expires_in": 5,
                }),
            )
            .await
            .expect(201);
        let signature = Signature {
            algorithm: "ES256",
            key: policy["public_key_pem"].as_str().unwrap().to_owned(),
            audience: Some("acme-echo"),
            lifetime: 300,
        };
        let mut listeners = Vec::new();
        let names = ["create", "update", "delete", "secrets-update"];
        for (account, name) in names
            .map(|name| ("acme", name))
            .into_iter()
            .chain(names[..3].iter().map(|name| ("globex", *name)))
        {
            let path = format!("/{account}/{name}");
            let mut body =
                json!({"event": format!("app_instance.{name}"), "uri": receiver.url(&path)});
            let client = if account == "acme" { app.acme() } else { app.globex() };
            if account == "acme" {
                body["webhook_policy_id"] = policy["id"].clone();
                body["app_offering_references"] = json!(["acme_ticket_echo"]);
            }
            let made = client.post("/v1/webhooks", body).await.expect(201);
            listeners.push(Listener {
                account,
                id: made["id"].as_i64().unwrap(),
                name: format!("app_instance.{name}"),
                path,
                signature: (account == "acme").then(|| signature.clone()),
            });
        }
        let customer = listeners.split_off(4);
        let story = Self {
            app,
            receiver,
            publisher: listeners.try_into().ok().unwrap(),
            customer: customer.try_into().ok().unwrap(),
        };
        let all: Vec<&Listener> = story.publisher.iter().chain(&story.customer).collect();
        story.verify(&all).await;
        story.draft(more).await;
        story
    }

    async fn draft(&self, more: Value) {
        let instance = service_instance(&self.app, "acme").await;
        let form = json!({"name": "Echo settings", "category": "app_offering", "html": FORM, "activate": true});
        self.app.acme().post("/v1/ui_extensions", form).await.expect(201);
        let mut body = json!({
            "name": "Ticket Echo", "service_instance_id": instance, "ui_extension_version_id": 1,
            "policy_jwt_alg": "es256", "policy_jwt_audience": "echo", "policy_jwt_claim_expires_in": 10,
            "webhook_uri_template": self.receiver.url("/app/{account}"),
            "new_scopes": [{"actions": ["app-instance:Read"]},
                {"actions": ["ci:Read"], "grant_type": "authorization_code"}],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.app.acme().post("/v1/app_offerings", body).await.expect(201);
        self.app.acme().post("/v1/app_offering_automation_rules", json!({
            "app_offering_id": 1, "rulable_type": "Req", "name": "Dispatch", "trigger": "on note added",
            "actions": "a1: call webhook '{app_offering_webhook}' with payload 'text'",
        })).await.expect(201);
        // Whoever describes an app has told nobody of it.
        self.hear(&[]).await;
    }

    async fn publish(&self) -> i64 {
        let version =
            self.app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        self.hear(&[]).await;
        version["id"].as_i64().unwrap()
    }

    /// Each is called once with a code, and follows its callback.
    async fn verify(&self, listeners: &[&Listener]) {
        let about = |listener: &Listener| Heard {
            event: "webhook.verify",
            object: ("Webhook", listener.id),
            person: None,
        };
        let expected: Vec<(&Listener, Heard)> =
            listeners.iter().map(|listener| (*listener, about(listener))).collect();
        let payloads = self.hear(&expected).await;
        for (listener, payload) in listeners.iter().zip(payloads) {
            self.follow(listener, &payload).await;
        }
    }

    async fn follow(&self, listener: &Listener, payload: &Value) {
        let callback = payload["callback"].as_str().unwrap();
        assert_eq!(*payload, json!({"callback": callback}));
        let host =
            format!("https://{}.example.test/webhooks/{}/verify?", listener.account, listener.id);
        assert!(callback.starts_with(&host), "{callback}");
        let answer = visit(&self.app, Method::GET, callback, None).await;
        assert_eq!(answer.text(), "Verification successful");
    }

    /// Delivers what is due, and demands that exactly these messages arrive: of each listener in this
    /// order. Returns their payloads.
    async fn hear(&self, expected: &[(&Listener, Heard)]) -> Vec<Value> {
        self.app.deliver().await;
        let mut arrived: BTreeMap<String, std::collections::VecDeque<Received>> = BTreeMap::new();
        for message in self.receiver.take() {
            arrived.entry(message.path.clone()).or_default().push_back(message);
        }
        let mut payloads = Vec::new();
        for (listener, heard) in expected {
            let message =
                arrived.get_mut(&listener.path).and_then(std::collections::VecDeque::pop_front);
            let message = message
                .unwrap_or_else(|| panic!("{} hears nothing of {}", listener.path, heard.event));
            assert_eq!(message.method, Method::POST);
            payloads.push(listener.read(&self.app, &message, heard));
        }
        arrived.retain(|_, messages| !messages.is_empty());
        assert!(arrived.is_empty(), "nobody expected {arrived:?}");
        payloads
    }

    /// The same where the app's webhook is to be verified too: not before the app can have its key.
    async fn hear_then_verify(
        &self,
        expected: &[(&Listener, Heard)],
        app: &Listener,
    ) -> Vec<Value> {
        let payloads = self.hear(expected).await;
        self.app.advance_seconds(2);
        self.verify(&[app]).await;
        payloads
    }

    /// Both parties hear of a change of the install, the customer first; `at` is the place of their webhook.
    async fn both_hear(&self, at: usize, person: Option<(i64, &'static str)>, payload: Value) {
        let name = ["app_instance.create", "app_instance.update", "app_instance.delete"][at];
        let payloads = self
            .hear(&[
                (&self.customer[at], event(name, person)),
                (&self.publisher[at], event(name, person)),
            ])
            .await;
        assert_eq!(payloads, [payload.clone(), payload]);
    }

    /// What is told of the install now.
    async fn payload(&self, offering: i64, updated: bool, switches: Switches) -> Value {
        let sql = "SELECT MAX(id) FROM audit_lines WHERE record_type = 'app_instance'";
        let line = self.app.count(sql).await;
        let (disabled, enabled_by_customer, suspended) = switches;
        json!({
            "audit_line_id": line, "audit_line_nodeID": node_id("AuditLine", line),
            "app_offering": {"reference": "acme_ticket_echo", "id": offering,
                "nodeID": node_id("AppOffering", offering), "updated": updated},
            "customer_account_id": "globex", "disabled": disabled,
            "enabled_by_customer": enabled_by_customer, "suspended": suspended,
            "customer_representative": {"id": 2, "nodeID": node_id("Person", 2), "name": "Greg Hill",
                "account": {"id": "globex", "name": "Globex"}},
        })
    }

    /// What globex fills in when it installs a version.
    fn filled(offering: i64) -> Value {
        json!({"app_offering_id": offering, "custom_fields": [
            {"id": "url", "value": "https://globex.example.org"}, {"id": "api_key", "value": "typed"},
        ]})
    }

    /// Globex installs a version; everybody hears of it, the app's webhook is verified. What the publisher
    /// was handed over, and the generated webhook.
    async fn install(&self, offering: i64, switches: Switches) -> (Value, Listener) {
        let made = self.app.globex().post(PATH, Self::filled(offering)).await.expect(201);
        assert_eq!(made["enabled_by_customer"], switches.1);
        let webhook = made["webhook"]["id"].as_i64().unwrap();
        let app = self.generated("globex", webhook).await;
        let expected = [
            (&self.customer[0], event("app_instance.create", GREG)),
            (&self.publisher[0], event("app_instance.create", GREG)),
            (&self.publisher[3], event("app_instance.secrets-update", GREG)),
        ];
        let payloads = self.hear_then_verify(&expected, &app).await;
        let created = self.payload(offering, false, switches).await;
        assert_eq!(payloads[..2], [created.clone(), created]);
        let secrets = payloads[2].clone();
        // The app can check who sends: with the key that it was just handed.
        assert_eq!(secrets["policy"]["public_key"], app.signature.as_ref().unwrap().key);
        (secrets, app)
    }

    /// The webhook that was generated for the app in an account. Its key is that which receivers find.
    async fn generated(&self, account: &'static str, webhook: i64) -> Listener {
        let client = if account == "acme" { self.app.acme() } else { self.app.globex() };
        let made = client.get(&format!("/v1/webhooks/{webhook}")).await.expect(200);
        let name = made["webhook_policy"]["name"].as_str().unwrap();
        let path = format!("/accounts/{account}/webhook_policies/{name}/.well-known/jwks.json");
        let key = self.app.anonymous().get(&path).await.expect(200)["keys"][0].clone();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        // What wraps the two numbers in a PEM file (RFC 5480).
        let (algorithm, wrapping) = match key["crv"].as_str().unwrap() {
            "P-256" => ("ES256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
            "P-384" => ("ES384", "3076301006072a8648ce3d020106052b8104002203620004"),
            other => panic!("{other}"),
        };
        let der = [hex::decode(wrapping).unwrap(), number("x"), number("y")].concat();
        let text = STANDARD.encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap()).collect();
        let key =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        Listener {
            account,
            id: webhook,
            name: made["name"].as_str().unwrap().to_owned(),
            path: format!("/app/{account}"),
            signature: Some(Signature { algorithm, key, audience: Some("echo"), lifetime: 600 }),
        }
    }

    /// What the app gets at `/token` with what it was handed over.
    async fn token(&self, secrets: &Value) -> crate::support::Answer {
        let application = &secrets["application"];
        self.app
            .anonymous()
            .post(
                "/token",
                json!({"grant_type": "client_credentials",
            "client_id": application["client_id"], "client_secret": application["client_secret"]}),
            )
            .await
    }

    /// How many of the generated things are switched off.
    async fn switched_off(&self) -> i64 {
        self.app
            .count(
                "SELECT (SELECT COUNT(*) FROM automation_rules WHERE disabled) \
            + (SELECT COUNT(*) FROM webhooks WHERE disabled) \
            + (SELECT COUNT(*) FROM oauth_clients WHERE disabled)",
            )
            .await
    }
}

on_both! {
    /// Step 3.
    async fn a_publisher_tries_the_draft(app: TestApp) {
        let story = Story::begin(app, json!({})).await;
        story.app.advance_seconds(60);
        let mut body = Story::filled(1);
        body["custom_fields"][0]["value"] = json!("https://acme.example.org");
        let made = story.app.acme().post(PATH, body).await.expect(201);
        let webhook = made["webhook"]["id"].as_i64().unwrap();
        // One who is both parties is told once.
        let app = story.generated("acme", webhook).await;
        let [create, .., secrets] = &story.publisher;
        let payloads = story.hear_then_verify(&[
            (create, event("app_instance.create", ANN)),
            (secrets, event("app_instance.secrets-update", ANN)),
        ], &app).await;
        let [created, handed] = payloads.as_slice() else { panic!("{payloads:?}") };
        let mut expected = story.payload(1, false, ON).await;
        expected["customer_account_id"] = json!("acme");
        expected["customer_representative"] = json!({"id": 1, "nodeID": node_id("Person", 1),
            "name": "Ann Lee", "account": {"id": "acme", "name": "Acme"}});
        assert_eq!(*created, expected);
        assert_eq!(handed["policy"]["public_key"], app.signature.unwrap().key);
        assert_eq!(handed["policy"]["issuer"], "https://acme.example.test");
        assert_eq!(handed["secrets"], json!({"api_key": "typed"}));
    }

    /// Steps 1, 2, 4 and 5, with a publisher who is not there at first.
    async fn a_customer_installs_what_is_published(app: TestApp) {
        let story = Story::begin(app, json!({})).await;
        let version = story.publish().await;
        assert_eq!(version, 2);
        let refused = story.app.initech().post(PATH, Story::filled(2)).await.expect(422);
        assert_eq!(refused, json!({"message": "Validation Failed",
            "errors": [["app_offering", "App offering must exist"]]}));
        story.hear(&[]).await;

        story.app.advance_seconds(60);
        story.receiver.reply(Reply::Status(503));
        story.app.globex().post(PATH, Story::filled(2)).await.expect(201);
        story.app.deliver().await;
        let failed = story.receiver.take();
        assert_eq!(failed.len(), 3);
        story.receiver.reply(Reply::Status(200));
        story.app.advance_seconds(67);
        let app = story.generated("globex", 8).await;
        let payloads = story.hear(&[
            (&story.customer[0], event("app_instance.create", GREG)),
            (&story.publisher[0], event("app_instance.create", GREG)),
            (&story.publisher[3], event("app_instance.secrets-update", GREG)),
            (&app, Heard { event: "webhook.verify", object: ("Webhook", 8), person: None }),
        ]).await;
        story.follow(&app, &payloads[3]).await;
        let created = story.payload(2, false, ON).await;
        assert_eq!(payloads[..2], [created.clone(), created.clone()]);
        let secrets = &payloads[2];
        let text = |part: &str, key: &str, length: usize| {
            let text = secrets[part][key].as_str().unwrap();
            assert_eq!(text.len(), length, "{part} {key}");
            text
        };
        let nodes = |part: &str| secrets[part]["nodeID"].as_str().unwrap();
        assert_eq!(*secrets, json!({
            "audit_line_id": created["audit_line_id"], "audit_line_nodeID": created["audit_line_nodeID"],
            "app_offering": {"reference": "acme_ticket_echo", "id": 2, "nodeID": node_id("AppOffering", 2)},
            "customer_account_id": "globex",
            "policy": {"nodeID": node_id("WebhookPolicy", 2), "audience": "echo", "algorithm": "ES256",
                "public_key": app.signature.as_ref().unwrap().key, "issuer": "https://globex.example.test"},
            "application": {"nodeID": nodes("application"),
                "client_id": text("application", "client_id", 48),
                "client_secret": text("application", "client_secret", 64)},
            "authorization_application": {"nodeID": nodes("authorization_application"),
                "client_id": text("authorization_application", "client_id", 48),
                "client_secret": text("authorization_application", "client_secret", 64)},
            "secrets": {"api_key": "typed"},
        }));

        // The app reads with what it was handed what it is installed with, but no secrets.
        let token = story.token(secrets).await.expect(200);
        let client = story.app.bearer(token["access_token"].as_str().unwrap());
        let seen = client.get(&format!("{PATH}/{}", node_id("AppInstance", 1))).await.expect(200);
        assert_eq!(seen["custom_fields"], json!([{"id": "url", "value": "https://globex.example.org"}]));
        assert_eq!(client.patch(ONE, json!({"disabled": true})).await.expect(403), json!({"message": "Forbidden"}));

        // Its own address works.
        story.app.globex().post(&format!("/v1/webhooks/{}/test", app.id), json!({})).await.expect(204);
        story.app.deliver().await;
        let messages = story.receiver.take();
        let [test] = messages.as_slice() else { panic!("{messages:?}") };
        let claims = app.signature.as_ref().unwrap().open(&test.json());
        assert_eq!((&claims["data"]["event"], &claims["data"]["object_nodeID"]),
            (&json!("automation_rule"), &json!(node_id("AutomationRule", 12345))));
    }

    /// Step 6.
    async fn a_customer_configures_the_app(app: TestApp) {
        let story = Story::begin(app, json!({
            "configuration_uri_template": "https://echo.example.org/{account}/setup",
        })).await;
        let version = story.publish().await;
        let off = (false, false, false);
        let (secrets, _) = story.install(version, off).await;
        // Rule, webhook and two applications wait for the confirmation.
        assert_eq!(story.switched_off().await, 4);
        story.token(&secrets).await.expect(401);
        story.app.advance_seconds(60);
        let way = story.app.globex().get(&format!("{ONE}/configuration")).await.expect(200);
        let begun = visit(&story.app, Method::GET, way["configuration_uri"].as_str().unwrap(), None).await;
        let (place, query, cookie) = told(&begun);
        assert_eq!(place, "https://echo.example.org/globex/setup");
        // The app believes who sends the browser: it is the one who sends secrets.
        let signed = query["X-4me-Signature"].as_str();
        let (text, _) = signed.rsplit_once('.').unwrap();
        let claims: Value = serde_json::from_slice(
            &URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap()).unwrap();
        let now = story.app.state.clock.now() / 1000;
        assert_eq!(claims, json!({
            "data": node_id("AppInstance", 1), "jti": claims["jti"], "sub": story.publisher[3].id.to_string(),
            "iss": "https://acme.example.test", "iat": now, "nbf": now, "aud": "acme-echo", "exp": now + 300,
        }));
        let seen = story.app.acme().get(&format!("{PATH}/{}", query["nodeID"])).await.expect(200);
        assert_eq!((&seen["enabled_by_customer"], &seen["customer_account"]["id"], &seen["created_at"]),
            (&json!(false), &json!("globex"), &json!(query["created_at"])));
        // Nobody is told before the administrator confirms.
        visit(&story.app, Method::GET, &query["confirmation_url"], Some(&cookie)).await.text();
        story.hear(&[]).await;
        story.app.advance_seconds(60);
        let done = visit(&story.app, Method::POST, &query["confirmation_url"], Some(&cookie)).await;
        assert_eq!(done.status, 200);
        let payload = story.payload(version, false, ON).await;
        story.both_hear(1, GREG, payload).await;
        assert_eq!(story.switched_off().await, 0);
        story.token(&secrets).await.expect(200);
    }

    /// Steps 7 and 8, of an app that is no longer offered to others.
    async fn a_customer_approves_an_update(app: TestApp) {
        let story = Story::begin(app, json!({})).await;
        let version = story.publish().await;
        let (before, app) = story.install(version, ON).await;
        story.app.advance_seconds(3600);
        story.app.acme().patch("/v1/app_offerings/1", json!({
            "policy_jwt_alg": "es384", "webhook_uri_template": story.receiver.url("/app/v2/{account}"),
            "scopes_to_delete": [2], "new_scopes": [{"actions": ["request:Read"]}],
        })).await.expect(200);
        story.app.acme().patch("/v1/app_offering_automation_rules/1", json!({"name": "Dispatch 2"})).await.expect(200);
        let latest = story.publish().await;
        story.app.acme().patch(&format!("/v1/app_offerings/{latest}"), json!({"disabled": true})).await.expect(200);
        let preview = story.app.globex().get(&format!("{ONE}/upgrade")).await.expect(200);
        assert_eq!((&preview["available"], &preview["consent_needed"], &preview["latest"]["id"]),
            (&json!(true), &json!(true), &json!(latest)));
        // Publishing alone changes nothing for those who have the app.
        story.hear(&[]).await;

        story.app.advance_seconds(60);
        story.app.globex().patch(ONE, json!({"app_offering_id": latest})).await.expect(200);
        let renewed = Listener { path: "/app/v2/globex".to_owned(), ..story.generated("globex", app.id).await };
        let expected = [
            (&story.customer[1], event("app_instance.update", GREG)),
            (&story.publisher[1], event("app_instance.update", GREG)),
            (&story.publisher[3], event("app_instance.secrets-update", GREG)),
        ];
        let payloads = story.hear_then_verify(&expected, &renewed).await;
        let updated = story.payload(latest, true, ON).await;
        assert_eq!(payloads[..2], [updated.clone(), updated.clone()]);
        // Only what is new; the application that the new version does not have is taken away.
        assert_eq!(payloads[2], json!({
            "audit_line_id": updated["audit_line_id"], "audit_line_nodeID": updated["audit_line_nodeID"],
            "app_offering": {"reference": "acme_ticket_echo", "id": latest, "nodeID": node_id("AppOffering", latest)},
            "customer_account_id": "globex",
            "policy": {"nodeID": node_id("WebhookPolicy", 2), "audience": "echo", "algorithm": "ES384",
                "public_key": renewed.signature.as_ref().unwrap().key, "issuer": "https://globex.example.test"},
            "authorization_application": null,
        }));
        story.token(&before).await.expect(200);
        let rules = story.app.acme().get(&format!("{ONE}/automation_rules")).await.expect(200);
        assert_eq!((rules.as_array().unwrap().len(), &rules[0]["name"]), (1, &json!("Dispatch 2")));
    }

    /// Step 9.
    async fn either_party_switches_the_app_off_and_on(app: TestApp) {
        let story = Story::begin(app, json!({})).await;
        let version = story.publish().await;
        let (secrets, _) = story.install(version, ON).await;
        let (acme, globex) = (story.app.acme(), story.app.globex());
        for (client, person, change, switches) in [
            (&acme, ANN, json!({"disabled": true}), (true, true, false)),
            (&globex, GREG, json!({"enabled_by_customer": false}), (true, false, false)),
            (&acme, ANN, json!({"disabled": false}), (false, false, false)),
            (&globex, GREG, json!({"enabled_by_customer": true}), ON),
            (&acme, ANN, json!({"suspended": true, "suspension_comment": "Invoice"}), (false, true, true)),
            (&globex, GREG, json!({"suspended": false}), ON),
            (&globex, GREG, json!({"suspended": true}), (false, true, true)),
            (&acme, ANN, json!({"suspended": false}), ON),
        ] {
            story.app.advance_seconds(60);
            client.patch(ONE, change.clone()).await.expect(200);
            let payload = story.payload(version, false, switches).await;
            story.both_hear(1, person, payload).await;
            let (off, status) = if switches == ON { (0, 200) } else { (4, 401) };
            assert_eq!(story.switched_off().await, off, "{change}");
            story.token(&secrets).await.expect(status);
        }
    }

    /// Step 10.
    async fn a_customer_removes_the_app(app: TestApp) {
        let story = Story::begin(app, json!({})).await;
        let version = story.publish().await;
        let (secrets, app) = story.install(version, ON).await;
        story.app.advance_seconds(60);
        // What is on its way to the app itself goes nowhere any more.
        story.app.globex().post(&format!("/v1/webhooks/{}/test", app.id), json!({})).await.expect(204);
        story.app.globex().delete(ONE).await.expect(204);
        let payload = story.payload(version, false, ON).await;
        story.both_hear(2, GREG, payload).await;
        story.token(&secrets).await.expect(401);
        for (table, left) in [("app_instances", 0), ("automation_rules", 0), ("oauth_clients", 0),
            ("webhooks", 7), ("webhook_policies", 1)] {
            assert_eq!(story.app.count(&format!("SELECT COUNT(*) FROM {table}")).await, left, "{table}");
        }
    }
}
