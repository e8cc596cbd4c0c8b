//! Servers are killed in the middle of installs and removals, again and again: whatever was answered is
//! there, whole, nothing else is, and everybody is told of it.
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use appmarket::app;
use appmarket::kernel::clock::Clock;
use appmarket::kernel::config::Config;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::app_instance_configuration::visit;
use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;
use crate::support::process::{self, Process};
use crate::support::receiver::{Receiver, Reply};

const KILLS: u64 = 26;
/// Administrators who install at the same time, each their own apps, of which half are installed at a time.
const PEOPLE: usize = 4;
/// Apps of each.
const APPS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(120);

/// Not a test by itself: the server that the tests start and kill.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test of crashes"]
async fn server() {
    let config: Config = serde_json::from_value(process::task()).unwrap();
    let state = app::connect(config, Clock::system()).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{} ready", listener.local_addr().unwrap());
    app::serve(state, listener, std::future::pending()).await.unwrap();
}

fn start(app: &TestApp) -> (Process, SocketAddr) {
    // One that is killed keeps its lanes for a second.
    let config = Config { delivery_lease: 1, ..app.state.config.clone() };
    let task = serde_json::to_value(config).unwrap();
    let (process, address) = Process::start("offering_api::install_crashes::server", &task);
    // What the test itself prints stands before it.
    let address = address.rsplit(' ').next().unwrap().parse().unwrap();
    (process, address)
}

/// A customer whose people install one app after the other and remove each after a while, and who ask
/// again until there is an answer.
struct Customer {
    token: String,
    /// Where the server is now.
    address: Mutex<SocketAddr>,
    is_enough: AtomicBool,
    /// Requests that were answered.
    answered: AtomicU64,
    /// Requests that a kill has cut off.
    cut_off: AtomicU64,
}

impl Customer {
    /// A request, as often as it takes.
    fn ask(&self, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
        let begun = Instant::now();
        loop {
            match self.try_once(method, path, key, body) {
                // The database has not noticed yet that whoever began it was killed.
                Ok((409, _)) => {}
                Ok(answer) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return answer;
                }
                // Nobody is there for a moment.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(_) => drop(self.cut_off.fetch_add(1, Ordering::Relaxed)),
            }
            assert!(begun.elapsed() < PATIENCE, "nobody answers");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn try_once(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: &str,
    ) -> io::Result<(u16, String)> {
        let address = *self.address.lock();
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (token, length) = (&self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\
             Idempotency-Key: {key}\r\nConnection: close\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let length = head.to_ascii_lowercase();
        let length =
            length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if length.is_some_and(|length: usize| length != body.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((status, body.to_owned()))
    }

    /// What one of them does; numbers of the installs that are there, and of those that were removed.
    fn live(&self, person: usize) -> (BTreeSet<i64>, BTreeSet<i64>) {
        let (mut installed, mut removed) = (Vec::new(), BTreeSet::new());
        for turn in 0.. {
            if self.is_enough.load(Ordering::Relaxed) {
                break;
            }
            let offering = 2 * (person * APPS + turn % APPS) + 2;
            let key = format!("install-{person}-{turn}");
            let body = json!({"app_offering_id": offering}).to_string();
            let (status, answer) = self.ask("POST", "/v1/app_instances", &key, &body);
            assert_eq!(status, 201, "{answer}");
            let made: Value = serde_json::from_str(&answer).unwrap();
            installed.push(made["id"].as_i64().unwrap());
            if installed.len() > APPS / 2 {
                let id = installed.remove(0);
                let (status, answer) = self.ask(
                    "DELETE",
                    &format!("/v1/app_instances/{id}"),
                    &format!("remove-{person}-{turn}"),
                    "",
                );
                // It was done when it was asked for before.
                assert!(matches!(status, 204 | 404), "{status} {answer}");
                removed.insert(id);
            }
        }
        (installed.into_iter().collect(), removed)
    }
}

on_both! {
    async fn whoever_is_killed_installs_are_whole_or_not_there(app: TestApp) {
        let receiver = Receiver::start();
        // So that there is a middle of it.
        receiver.reply(Reply::After(Duration::from_millis(5), Box::new(Reply::Status(200))));
        let instance = service_instance(&app, "acme").await;
        for number in 0..PEOPLE * APPS {
            let mut body = offering(&format!("App {number}"), instance);
            body["webhook_uri_template"] = json!(receiver.url("/app"));
            body["new_scopes"] = json!([{"actions": ["app-instance:Read"]}]);
            let draft = app.acme().post("/v1/app_offerings", body).await.expect(201)["id"].clone();
            app.acme().post("/v1/app_offering_automation_rules", json!({
                "app_offering_id": draft, "rulable_type": "Req", "name": "Dispatch",
                "trigger": "on note added", "actions": "a1: call webhook '{app_offering_webhook}'",
            })).await.expect(201);
            let published = app.acme().post(&format!("/v1/app_offerings/{draft}/publish"), json!({})).await;
            assert_eq!(published.expect(201)["id"].as_u64().unwrap() as usize, 2 * number + 2);
        }
        for name in ["create", "delete", "secrets-update"] {
            let body = json!({"event": format!("app_instance.{name}"), "uri": receiver.url(&format!("/{name}"))});
            app.acme().post("/v1/webhooks", body).await.expect(201);
        }
        app.deliver().await;
        app.execute("UPDATE webhooks SET verified_at = created_at").await;
        receiver.take();

        let token = app.token("globex", None, &[], None).await;
        let (mut server, address) = start(&app);
        let customer = Arc::new(Customer {
            token,
            address: Mutex::new(address),
            is_enough: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            cut_off: AtomicU64::new(0),
        });
        let living: Vec<_> = (0..PEOPLE)
            .map(|person| {
                let customer = customer.clone();
                std::thread::spawn(move || customer.live(person))
            })
            .collect();
        for kill in 0..KILLS {
            // Another moment each time: before the first answer, and after more and more of them.
            let (begun, known) = (Instant::now(), customer.answered.load(Ordering::Relaxed));
            while customer.answered.load(Ordering::Relaxed) < known + kill % 7 {
                assert!(begun.elapsed() < PATIENCE, "nobody gets an answer");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(11 * kill % 90));
            drop(server.kill());
            let next = start(&app);
            server = next.0;
            *customer.address.lock() = next.1;
        }
        customer.is_enough.store(true, Ordering::Relaxed);
        let (mut installed, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for person in living {
            let (theirs, gone) = person.join().unwrap();
            installed.extend(theirs);
            removed.extend(gone);
        }
        let begun = Instant::now();
        let unfinished = "SELECT (SELECT COUNT(*) FROM events WHERE position IS NULL) \
                          + (SELECT COUNT(*) FROM deliveries WHERE state <> 'delivered')";
        while app.count(unfinished).await > 0 {
            assert!(begun.elapsed() < PATIENCE, "{} are left", app.count(unfinished).await);
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(server.kill());

        // Kills that never hit anything would show nothing.
        assert!(removed.len() > 20, "only {} removals", removed.len());
        let cut_off = customer.cut_off.load(Ordering::Relaxed);
        assert!(cut_off > KILLS, "only {cut_off} requests were cut off");
        // Nothing is there twice, or by half.
        let whole = installed.len() as i64;
        for (table, each) in [
            ("app_instances", 1), ("webhooks WHERE event = 'automation_rule'", 1), ("webhook_policies", 1),
            ("webhook_policy_keys", 1), ("automation_rules", 1), ("oauth_clients WHERE app_instance_id IS NOT NULL", 1),
        ] {
            assert_eq!(app.count(&format!("SELECT COUNT(*) FROM {table}")).await, whole * each, "{table}");
        }
        let all = installed.len() + removed.len();
        for (sql, expected) in [
            ("name = 'app_instance.create' AND account_id = 'acme'", all),
            ("name = 'app_instance.create' AND account_id = 'globex'", all),
            ("name = 'app_instance.secrets-update'", all),
            ("name = 'app_instance.delete' AND account_id = 'acme'", removed.len()),
            ("name = 'app_instance.delete' AND account_id = 'globex'", removed.len()),
        ] {
            let found = app.count(&format!("SELECT COUNT(*) FROM events WHERE {sql}")).await;
            assert_eq!(found, expected as i64, "{sql}");
        }
        // Each message arrived, again perhaps, but never as another one.
        let mut messages: BTreeMap<(String, i64), BTreeMap<String, Value>> = BTreeMap::new();
        for request in receiver.take() {
            let mut body = request.json();
            // Those of the apps are signed, and about their webhooks.
            if let Some(token) = body["jwt"].as_str() {
                let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
                body = serde_json::from_slice::<Value>(&claims).unwrap()["data"].take();
            }
            let (object, payload) = (body["object_id"].as_i64().unwrap(), body["payload"].clone());
            let of = messages.entry((request.path.clone(), object)).or_default();
            let known = of.insert(request.header("x-xurrent-delivery").to_owned(), payload.clone());
            assert!(known.is_none_or(|known| known == payload));
        }
        assert!(messages.values().all(|all| all.len() == 1), "one event was told as two");
        let told = |path: &str| -> BTreeSet<i64> {
            messages.keys().filter(|(of, _)| of == path).map(|(_, object)| *object).collect()
        };
        let both: BTreeSet<i64> = installed.union(&removed).copied().collect();
        assert_eq!(told("/create"), both);
        assert_eq!(told("/secrets-update"), both);
        assert_eq!(told("/delete"), removed);
        // What was handed over is good for what is there.
        for id in installed {
            let handed = messages[&("/secrets-update".to_owned(), id)].values().next().unwrap();
            let application = &handed["application"];
            let grant = json!({"grant_type": "client_credentials", "client_id": application["client_id"],
                "client_secret": application["client_secret"]});
            let granted = app.anonymous().post("/token", grant).await.expect(200);
            let client = app.bearer(granted["access_token"].as_str().unwrap());
            let seen = client.get(&format!("/v1/app_instances/{id}")).await.expect(200);
            let webhook = seen["webhook"]["id"].as_i64().unwrap();
            let verify = messages[&("/app".to_owned(), webhook)].values().next().unwrap();
            let verified = visit(&app, Method::GET, verify["callback"].as_str().unwrap(), None).await;
            assert_eq!(verified.text(), "Verification successful");
        }
    }
}
