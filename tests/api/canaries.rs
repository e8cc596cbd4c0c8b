//! Secrets are nowhere but where they belong: many are planted, wherever one can be given or is made, and
//! then looked for in the database, in the files, in the log, and in all that can be read.
//!
//! The log of everything can only be had in a process of its own: so the tests start themselves once more.
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::Command;
use std::sync::Arc;

use appmarket::app;
use appmarket::directory::developers::{self, NewDeveloper};
use appmarket::kernel::db::{Query, Row};
use appmarket::kernel::secret::Purpose;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::offering_api::app_instance_configuration::{told, visit};
use crate::offering_api::app_offerings::service_instance;
use crate::support::client::Client;
use crate::support::contract::documents;
use crate::support::packages::{World, install, tenant};
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::{Answer, TestApp};

const FORM: &str = "<input id=\"url\"><input id=\"api_key\" data-secret=\"true\">";
/// A value that is no secret, planted beside those that are: whoever looks for it must find it.
const CONTROL: &str = "control9f3k";
const DEVELOPER: &str = "/api/platform/developer/authtickets";
const APPLICATION: &str = "/api/platform/applications/authtickets";
const OWNER_READS: &str = "/platform/appdev/apppackages/acme01.loyalty.1.0.0.Release: 200 OK";
const ONE: &str = "/v1/app_instances/1";

/// Everything that is logged, as the program writes it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is looked for, and what can be looked into.
struct Search<'a> {
    app: &'a TestApp,
    secrets: Vec<(&'static str, Vec<u8>)>,
    /// Answers, by the requests that they are for.
    answers: Vec<(String, Vec<u8>)>,
}

impl Search<'_> {
    /// From now on this text is to be found nowhere.
    fn plant(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() >= 8, "{what}: {secret:?} may be found by chance");
        self.secrets.push((what, secret.as_bytes().to_vec()));
    }

    /// What is shown once is planted, the rest of its answer is looked into.
    fn shown_once(
        &mut self,
        what: &'static str,
        answer: &mut Value,
        names: &[&str],
    ) -> Vec<String> {
        let take = |name: &&str| answer[name].take().as_str().unwrap().to_owned();
        let secrets: Vec<String> = names.iter().map(take).collect();
        secrets.iter().for_each(|secret| self.plant(what, secret));
        self.answers.push((format!("{what}, the rest"), answer.to_string().into_bytes()));
        secrets
    }

    fn look_into(&mut self, request: &str, answer: &Answer) {
        self.answers.push((format!("{request}: {}", answer.status), answer.bytes.clone()));
        let headers = format!("{:?}", answer.headers);
        self.answers.push((format!("{request}: headers"), headers.into_bytes()));
    }

    /// An answer that must not tell what the request had in it.
    async fn refused(
        &mut self,
        client: &Client,
        method: Method,
        path: &str,
        body: Value,
        status: u16,
    ) {
        let answer = client.send(method, path, body.to_string().into_bytes()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
        self.look_into(path, &answer);
    }

    async fn read(&mut self, client: &Client, path: &str) {
        let answer = client.get(path).await;
        self.look_into(path, &answer);
    }

    /// Every column of every table, and the files as they lie on the disk.
    async fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        let store = self.app.state.store.committed();
        let text = |sql: String| {
            let read = |all: &mut Vec<(String, String)>, row: &dyn Row| {
                let text = |at| row.text(at).unwrap_or_default().into_owned();
                all.push((text(0), text(1)));
            };
            store.fetch(Query::new(sql, Vec::new()), Vec::new(), read)
        };
        let columns = if self.app.state.config.database_url.is_some() {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema()"
        } else {
            "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'"
        };
        let columns = text(columns.to_owned()).await.unwrap();
        assert!(columns.len() > 200, "only {} columns", columns.len());
        let mut stored = BTreeMap::new();
        for (table, column) in columns {
            let sql = format!(
                "SELECT CAST(\"{column}\" AS TEXT), '' FROM \"{table}\" WHERE \"{column}\" IS NOT NULL"
            );
            let values: Vec<String> =
                text(sql).await.unwrap().into_iter().map(|(value, _)| value).collect();
            stored.insert(format!("{table}.{column}"), values.join("\n").into_bytes());
        }
        // A file of SQLite also holds what was deleted and not overwritten.
        let mut folders = vec![self.app.folder()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    stored.insert(path.display().to_string(), std::fs::read(&path).unwrap());
                }
            }
        }
        stored
    }
}

/// Forms in which a text may hide.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        secret.to_vec(),
        hex::encode(secret).into_bytes(),
        hex::encode_upper(secret).into_bytes(),
    ];
    // In the middle of something else, base64 begins at one of three places; its ends depend on neighbours.
    for skip in 0..3 {
        let whole = &secret[skip.min(secret.len())..];
        let whole = &whole[..whole.len() / 3 * 3];
        for encoded in [STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)] {
            if encoded.len() >= 8 {
                forms.push(encoded.into_bytes());
            }
        }
    }
    forms
}

/// A request on a connection, as clients send it; what came back.
async fn send(address: std::net::SocketAddr, request: &str) -> Vec<u8> {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

/// The message in a body, signed or not.
fn message(request: &Received) -> Value {
    let body = request.json();
    let Some(token) = body["jwt"].as_str() else { return body };
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["data"].take()
}

/// Gives and makes every secret of webhooks and installs, rightly and wrongly.
async fn webhooks_and_installs(app: &TestApp, search: &mut Search<'_>, receiver: &Receiver) {
    let token = app.token("acme", None, &[], None).await;
    search.plant("personal token", &token);
    let (acme, globex) = (app.bearer(&token), app.globex());
    let wrong = app.bearer("canary-wrong-token-6d1f");
    search.plant("wrong token", "canary-wrong-token-6d1f");
    search.refused(&wrong, Method::GET, "/v1/webhooks", Value::Null, 401).await;

    // Names and passwords of webhooks.
    let policy = acme.post("/v1/webhook_policies", json!({"jwt_alg": "es256"})).await.expect(201);
    for (what, password) in [
        ("password of a webhook", "canary-password-one-81b2"),
        ("its next password", "canary-password-two-3c94"),
        ("refused password", "canary-password-three-7e05"),
        ("failed password", "canary-password-four-aa16"),
        ("password in a template", "canary-password-five-d427"),
    ] {
        search.plant(what, password);
    }
    let uri = |password: &str, path: &str| {
        receiver.url(path).replace("http://", &format!("http://me:canary-password-{password}@"))
    };
    let hook = |uri: String| {
        json!({"event": "app_instance.secrets-update", "uri": uri,
        "webhook_policy_id": policy["id"], "name": CONTROL})
    };
    acme.post("/v1/webhooks", hook(uri("one-81b2", &format!("/acme/{CONTROL}")))).await.expect(201);
    let other = json!({"uri": uri("two-3c94", &format!("/acme/{CONTROL}"))});
    acme.patch("/v1/webhooks/1", other).await.expect(200);
    let private = format!("http://me:canary-password-three-7e05@10.0.0.1/{CONTROL}");
    for refused in [
        private.clone(),
        format!("{private} x"),
        private.replace("http:", "gopher:"),
        private.replace("/10.", "/").replace("@10.0.0.1", "@[::1"),
        "canary-password-three-7e05".to_owned(),
    ] {
        search.refused(&acme, Method::POST, "/v1/webhooks", hook(refused), 422).await;
    }
    let mut standard = hook(receiver.url("/standard"));
    standard["standard_webhooks"] = json!(true);
    standard["webhook_policy_id"] = Value::Null;
    let mut made = acme.post("/v1/webhooks", standard).await.expect(201);
    search.shown_once("secret of Standard Webhooks", &mut made, &["standard_webhooks_secret"]);

    // Fails where the change is written, so that the database says what it was told.
    let failing = hook(uri("four-aa16", "/"));
    app.execute("ALTER TABLE audit_lines RENAME TO hidden").await;
    search.refused(&acme, Method::POST, "/v1/webhooks", failing, 500).await;
    app.execute("ALTER TABLE hidden RENAME TO audit_lines").await;

    // Codes of verifications: sent once, refused once, right once.
    app.deliver().await;
    for request in receiver.take() {
        let message = message(&request);
        let callback = message["payload"]["callback"].as_str().unwrap().to_owned();
        let url = url::Url::parse(&callback).unwrap();
        let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        search.plant("code of a verification", &code);
        let wrong = callback.replace("expires_at=1", "expires_at=2");
        let answer = visit(app, Method::GET, &wrong, None).await;
        assert_eq!(answer.status, 403);
        search.look_into("verify", &answer);
        search.look_into("verify", &visit(app, Method::POST, &callback, None).await);
    }

    // An app with a form for secrets, of which the customer knows one and types it again.
    let instance = service_instance(app, "acme").await;
    acme.post(
        "/v1/ui_extensions",
        json!({"name": "Echo settings", "category": "app_offering",
        "html": FORM, "activate": true}),
    )
    .await
    .expect(201);
    let mut offering = json!({
        "name": CONTROL, "service_instance_id": instance, "ui_extension_version_id": 1,
        "policy_jwt_alg": "es256", "webhook_uri_template": receiver.url("/app/{account}"),
        "configuration_uri_template": "https://echo.example.org/{account}/setup",
        "new_scopes": [{"actions": ["app-instance:Read"]},
            {"actions": ["ci:Read"], "grant_type": "authorization_code"}],
    });
    let template = offering["webhook_uri_template"].take();
    // Every customer may read it.
    offering["webhook_uri_template"] =
        "https://me:canary-password-five-d427@echo.example.org/".into();
    search.refused(&acme, Method::POST, "/v1/app_offerings", offering.clone(), 422).await;
    offering["webhook_uri_template"] = template;
    acme.post("/v1/app_offerings", offering).await.expect(201);
    acme.post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
    for (what, value) in [
        ("value of a secret field", "canary-value-one-58c3"),
        ("its next value", "canary-value-two-e9d4"),
        ("refused value", "canary-value-three-10f5"),
        ("failed value", "canary-value-four-42a6"),
    ] {
        search.plant(what, value);
    }
    let fields = |value: &str| {
        json!([{"id": "url", "value": CONTROL},
        {"id": "api_key", "value": format!("canary-value-{value}")}])
    };
    let body = json!({"app_offering_id": 2, "custom_fields": fields("one-58c3")});
    let once = globex.clone().with("idempotency-key", "install-1");
    for _ in 0..2 {
        once.post("/v1/app_instances", body.clone()).await.expect(201);
    }
    let refused =
        json!({"app_offering_id": 2, "custom_fields": fields("three-10f5"), "disabled": true});
    search.refused(&globex, Method::POST, "/v1/app_instances", refused.clone(), 422).await;
    search.refused(&once, Method::POST, "/v1/app_instances", refused, 422).await;
    let unknown = json!({"custom_fields": [{"id": CONTROL, "value": "canary-value-three-10f5"}]});
    search.refused(&globex, Method::PATCH, ONE, unknown, 422).await;
    app.execute("ALTER TABLE audit_lines RENAME TO hidden").await;
    let failing = json!({"custom_fields": fields("four-42a6")});
    search.refused(&globex, Method::PATCH, ONE, failing, 500).await;
    app.execute("ALTER TABLE hidden RENAME TO audit_lines").await;

    // The publisher's server says what it got before it takes it.
    receiver.answer(|request| {
        let headers = format!("{:?} {CONTROL} ", request.headers.get("authorization"));
        Reply::Full(500, Vec::new(), [headers.as_bytes(), &request.body].concat().into())
    });
    // One without secrets, but with the password.
    acme.post("/v1/webhooks/1/test", json!({})).await.expect(204);
    app.deliver().await;
    assert!(receiver.take().len() > 2);
    app.execute("ALTER TABLE delivery_attempts RENAME TO hidden").await;
    app.advance_seconds(70);
    let error = app::worker(&app.state).run_until_idle().await;
    search.answers.push(("a worker that fails".to_owned(), format!("{error:?}").into_bytes()));
    app.execute("ALTER TABLE hidden RENAME TO delivery_attempts").await;
    receiver.reply(Reply::Status(200));
    globex.patch(ONE, json!({"custom_fields": fields("two-e9d4")})).await.expect(200);
    // Whoever could not record it has the lane for a while.
    app.advance_seconds(400);
    app.deliver().await;
    let mut handed = json!({});
    for request in receiver.take() {
        let mut message = message(&request);
        if message["event"] == "webhook.verify" {
            let callback = message["payload"]["callback"].as_str().unwrap();
            search.plant("code of a generated webhook", &callback[callback.len() - 50..]);
            visit(app, Method::GET, callback, None).await.text();
        } else if request.path.starts_with("/acme") {
            let parts = message["payload"].take();
            handed.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        }
    }
    // It arrived, so it was there to be found.
    assert_eq!(handed["secrets"], json!({"api_key": "canary-value-two-e9d4"}), "{handed}");
    for part in ["application", "authorization_application"] {
        search.plant("secret of an app", handed[part]["client_secret"].as_str().unwrap());
    }
    let grant = |secret: &Value| {
        json!({"grant_type": "client_credentials",
        "client_id": handed["application"]["client_id"], "client_secret": secret})
    };
    search.plant("wrong secret of an app", "canary-client-secret-77b8");
    search
        .refused(
            &app.anonymous(),
            Method::POST,
            "/token",
            grant(&json!("canary-client-secret-77b8")),
            401,
        )
        .await;
    search
        .refused(
            &app.anonymous(),
            Method::POST,
            "/token",
            grant(&handed["application"]["client_secret"]),
            401,
        )
        .await;

    // The way of the browser.
    let way = globex.get(&format!("{ONE}/configuration")).await.expect(200);
    let uri = way["configuration_uri"].as_str().unwrap();
    let begun = visit(app, Method::GET, uri, None).await;
    let (_, query, cookie) = told(&begun);
    search.plant("cookie of a browser", cookie.split_once('=').unwrap().1);
    let confirm = &query["confirmation_url"];
    for (what, address) in [("code of a configuration", uri), ("code of a confirmation", confirm)] {
        let url = url::Url::parse(address).unwrap();
        search.plant(what, &url.query_pairs().find(|(name, _)| name == "code").unwrap().1);
    }
    let refused = visit(app, Method::POST, confirm, None).await;
    assert_eq!(refused.status, 403);
    search.look_into("confirm", &refused);
    let done = visit(app, Method::POST, confirm, Some(&cookie)).await;
    assert_eq!(done.status, 200);
    search.look_into("confirm", &done);
    let mut granted = app
        .anonymous()
        .post("/token", grant(&handed["application"]["client_secret"]))
        .await
        .expect(200);
    search.shown_once("token of an app", &mut granted, &["access_token"]);

    // Private keys.
    let read = |keys: &mut Vec<(String, String)>, row: &dyn Row| {
        keys.push((row.text(0).unwrap().into_owned(), row.text(1).unwrap().into_owned()));
    };
    let query =
        Query::new("SELECT id, private_key FROM webhook_policy_keys".to_owned(), Vec::new());
    let keys = app.state.store.committed().fetch(query, Vec::new(), read).await.unwrap();
    assert_eq!(keys.len(), 2);
    for (id, sealed) in keys {
        let der = app.state.site.key.open(Purpose::PolicyKey, id.as_bytes(), &sealed).unwrap();
        // An ECPrivateKey (RFC 5915): version 1, then the number.
        let at = der.windows(5).position(|it| it == [2, 1, 1, 4, 32]).unwrap() + 5;
        search.secrets.push(("private key of a policy", der[at..at + 32].to_vec()));
    }
}

/// Signs developers and applications in, rightly and wrongly, and installs a package.
async fn packages(app: &TestApp, search: &mut Search<'_>, receiver: &Receiver) {
    let world = World::new(app).await;
    let loyalty = world.application("acme01.loyalty.1.0.0").await;
    search.plant("shared secret", &loyalty.secret);
    search.plant("wrong shared secret", "canary-shared-secret-93c9");
    search.plant("password of a developer", "canary-password-six-5bd0");
    search.plant("wrong password of a developer", "canary-password-seven-2ee1");
    let db = app.state.store.begin().await.unwrap();
    let new = NewDeveloper {
        account: "acme",
        email: "ann@acme.example",
        name: Some("Ann Lee"),
        password: "canary-password-six-5bd0",
    };
    developers::create(&db, new, app.state.clock.now_millis()).await.unwrap();
    db.commit().await.unwrap();
    let nobody = app.anonymous();
    let developer =
        |password: &str| json!({"emailAddress": "ann@acme.example", "password": password});
    let application = |secret: &str| json!({"applicationId": loyalty.key, "sharedSecret": secret});
    let wrong = developer("canary-password-seven-2ee1");
    search
        .refused(&nobody, Method::POST, &format!("{DEVELOPER}/?developerAccountId=1"), wrong, 401)
        .await;
    search
        .refused(&nobody, Method::POST, APPLICATION, application("canary-shared-secret-93c9"), 401)
        .await;
    let path = format!("{DEVELOPER}/?developerAccountId=1");
    let mut signed_in = nobody.post(&path, developer("canary-password-six-5bd0")).await.expect(200);
    signed_in["jwtAccessToken"].take();
    search.shown_once("tokens of a developer", &mut signed_in, &["accessToken", "refreshToken"]);
    let mut ticket = nobody.post(APPLICATION, application(&loyalty.secret)).await.expect(200);
    let tokens = search.shown_once(
        "tokens of an application",
        &mut ticket,
        &["accessToken", "refreshToken"],
    );
    let [access, refresh] = tokens.as_slice() else { panic!("{tokens:?}") };
    let client = app.bearer(access);

    let (number, _) = tenant(app, "acme", true).await;
    let endpoint = receiver.url(&format!("/package/{CONTROL}"));
    let body = json!({"packageId": loyalty.package, "applicationEndPoint": endpoint, "noCallback": false,
        "events": [{"eventName": "application.installed"}]});
    client.post("/api/platform/appdev/appsubscriptions/events", body.clone()).await.expect(200);
    search.plant("password of a subscription", "canary-password-eight-c6f2");
    let mut refused = body;
    refused["applicationEndPoint"] =
        "https://me:canary-password-eight-c6f2@echo.example.org/".into();
    search
        .refused(
            &client,
            Method::POST,
            "/api/platform/appdev/appsubscriptions/events",
            refused,
            400,
        )
        .await;
    install(&client, loyalty.package, number).await;
    receiver.answer(|request| {
        Reply::Full(500, Vec::new(), format!("{CONTROL} {:?}", request.headers).into())
    });
    app.deliver().await;
    assert!(receiver.take().iter().any(|it| it.headers.contains_key("x-vol-hmac-sha256")));
    receiver.reply(Reply::Status(200));
    for path in documents()[1].value["paths"].as_object().unwrap().keys() {
        search
            .read(&client, &path.replace("{applicationKey}", &loyalty.key).replace(['{', '}'], ""))
            .await;
    }
    search
        .refused(&nobody, Method::DELETE, &format!("{APPLICATION}/{refresh}x"), Value::Null, 404)
        .await;
    let gone = nobody.delete(&format!("{APPLICATION}/{refresh}")).await;
    search.look_into("sign out", &gone);
}

/// Reads whatever there is to be read.
async fn read_all(app: &TestApp, search: &mut Search<'_>) {
    for (whose, client) in [("acme", app.acme()), ("globex", app.globex())] {
        let paths = documents()[0].value["paths"].as_object().unwrap();
        let readable = paths.iter().filter(|(path, item)| {
            // Whoever goes the way of the browser is told its code.
            item.get("get").is_some() && !path.ends_with("/configuration")
        });
        for (path, _) in readable {
            for id in ["1", "2"] {
                let path = path.replace("{account}", whose);
                let mut path =
                    path.split('/').map(|part| if part.starts_with('{') { id } else { part });
                let path = path.by_ref().collect::<Vec<_>>().join("/");
                search.read(&client, &path).await;
                search.read(&client, &format!("{path}?fields=*")).await;
            }
        }
        // That for secrets, and that which was generated for the app.
        let hooks = client.get("/v1/webhooks").await.expect(200);
        let log = format!("/v1/webhooks/{}/deliveries", hooks[0]["id"]);
        let list = client.get(&format!("{log}?per_page=100")).await.expect(200);
        assert!(!list.as_array().unwrap().is_empty(), "{whose}");
        for delivery in list.as_array().unwrap() {
            search.read(&client, &format!("{log}/{}", delivery["id"])).await;
        }
    }
    let strict = app.acme().with("prefer", "handling=strict");
    let unknown = json!({CONTROL: "x"});
    search.refused(&strict, Method::POST, "/v1/webhooks", unknown, 400).await;
    search.read(&app.acme(), &format!("/v1/webhooks/{CONTROL}")).await;
}

/// Not a test by itself: what the tests start, with a log of everything.
async fn plant_and_search(app: TestApp) {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let receiver = Receiver::start();
    let mut search = Search { app: &app, secrets: Vec::new(), answers: Vec::new() };
    search.plant("master key", app.state.config.master_key.as_ref().unwrap());
    webhooks_and_installs(&app, &mut search, &receiver).await;
    packages(&app, &mut search, &receiver).await;
    read_all(&app, &mut search).await;

    // A real connection, whose ends have logs of their own.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(app::serve(app.state.clone(), listener, std::future::pending()));
    search.plant("password on a connection", "canary-password-nine-0d83");
    search.plant("code on a connection", "canary-code-ten-b194");
    let body = "{\"uri\": \"https://me:canary-password-nine-0d83@10.0.0.1/\"}";
    for head in [
        "GET /v1/webhooks HTTP/1.1\r\nAuthorization: Bearer canary-wrong-token-6d1f".to_owned(),
        "GET /accounts/acme/webhooks/1/verify?code=canary-code-ten-b194&expires_at=1 HTTP/1.1"
            .to_owned(),
        format!("PATCH /v1/webhooks/1 HTTP/1.1\r\nContent-Length: {}", body.len()),
        "GET /v1/webhooks HTTP/1.1\r\nBad header canary-wrong-token-6d1f".to_owned(),
    ] {
        let request = format!("{head}\r\nHost: a\r\nConnection: close\r\n\r\n{body}");
        let answer = send(address, &request).await;
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{head}: {}", String::from_utf8_lossy(&answer));
        search.answers.push((head, answer));
    }

    let mut places = search.stored().await;
    places.insert("log".to_owned(), log.0.lock().clone());
    let mut by_request: BTreeMap<&String, Vec<u8>> = BTreeMap::new();
    for (request, answer) in &search.answers {
        by_request.entry(request).or_default().extend(answer);
    }
    places.extend(by_request.into_iter().map(|(request, text)| (request.clone(), text)));
    let places: BTreeMap<String, String> = places
        .into_iter()
        .map(|(place, bytes)| (place, String::from_utf8_lossy(&bytes).into_owned()))
        .collect();
    let mut found = Vec::new();
    for (what, secret) in &search.secrets {
        for form in forms(secret) {
            // Bytes that are no text are looked for in their readable forms.
            let Ok(form) = String::from_utf8(form) else { continue };
            for (place, text) in &places {
                // The owner of an application reads its secret there (contract 2.5).
                let is_told = *what == "shared secret" && place == OWNER_READS;
                if let Some(at) = text.find(&form).filter(|_| !is_told) {
                    let around =
                        text[at.saturating_sub(80)..].chars().take(240).collect::<String>();
                    found.push(format!("{what} in {place}: …{around}…"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));

    // In each kind of place, what may be there is found in the same way.
    let control = |place: &str| {
        let mut names = places.iter().filter(|(name, _)| name.contains(place)).peekable();
        assert!(names.peek().is_some(), "nothing was looked for in {place}");
        assert!(
            names.any(|(_, text)| text.contains(CONTROL)),
            "{CONTROL} was not found in {place}"
        );
    };
    for place in [
        "log",
        "app_instances.custom_fields",
        "webhooks.uri",
        "audit_lines.changes",
        "events.payload",
        "deliveries.payload",
        "delivery_attempts.request_url",
        "delivery_attempts.response_body",
        "package_subscriptions.",
        "/v1/app_instances/1: 200",
        "/v1/audit_lines: 200",
        "/v1/events: 200",
        "/v1/webhooks/1/deliveries/",
        "/v1/webhooks: 400",
    ] {
        control(place);
    }
    if app.state.config.database_url.is_none() {
        control("appmarket.db");
    }
    // And in each form.
    let secret = [CONTROL, "of-some-length"].concat();
    for form in [
        hex::encode(&secret),
        STANDARD.encode(&secret),
        STANDARD.encode(format!("a{secret}")),
        URL_SAFE_NO_PAD.encode(format!("ab{secret}")),
    ] {
        let is_found = forms(secret.as_bytes())
            .iter()
            .any(|it| form.contains(std::str::from_utf8(it).unwrap()));
        assert!(is_found, "{form}");
    }
}

fn settings(config: &mut appmarket::kernel::config::Config) {
    config.deliver = false;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test of canaries"]
async fn on_sqlite() {
    plant_and_search(TestApp::sqlite_with(settings).await).await;
}

#[cfg(test_postgres)]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test of canaries"]
async fn on_postgres() {
    plant_and_search(TestApp::postgres_with(settings).await).await;
}

#[track_caller]
fn start(test: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("canaries::{test}"), "--exact", "--ignored", "--nocapture"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{failed}");
}

#[test]
fn planted_secrets_are_found_nowhere_on_sqlite() {
    start("on_sqlite");
}

#[cfg(test_postgres)]
#[test]
fn planted_secrets_are_found_nowhere_on_postgres() {
    start("on_postgres");
}
