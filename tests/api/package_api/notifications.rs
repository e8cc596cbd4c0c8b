//! Events of installs on their way to subscriptions, received by servers on this machine.
use appmarket::kernel::delivery;
use appmarket::package_api::appinstall::uninstall::uninstall;
use appmarket::package_api::convention::time::Time;
use appmarket::package_api::event_pull;
use appmarket::package_api::tenants::service::{self, NewTenant};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{Application, World, install, tenant};
use crate::support::receiver::{Received, Receiver, Reply};

const INSTALL: &str = "/api/platform/appdev/appinstall/application/entitlement";
const SUBSCRIPTIONS: &str = "/api/platform/appdev/appsubscriptions/events";
/// In seconds: after the latest, and before the earliest next attempt.
const LATEST: i64 = 75;
const EARLIEST: i64 = 54;
const DAY: i64 = 86_400;

/// Subscribes a package to all topics of applications; the number of the subscription.
async fn subscribe(client: &Client, package: i64, endpoint: &str, no_callback: bool) -> i64 {
    let topics = ["installed", "upgraded", "enabled", "disabled", "uninstalled"];
    let events: Vec<Value> =
        topics.iter().map(|it| json!({"eventName": format!("application.{it}")})).collect();
    let body = json!({"packageId": package, "applicationEndPoint": endpoint, "events": events,
        "noCallback": no_callback});
    let made = client.post(SUBSCRIPTIONS, body).await.expect(200);
    made["applicationSubscriptionId"].as_i64().unwrap()
}

/// Switches what is installed in a tenant on or off.
async fn switch(client: &Client, application: &Application, tenant: i64, enabled: bool) {
    let path = format!("/api/platform/applications/{}", application.key);
    let client = client.clone().with("x-vol-tenant", &tenant.to_string());
    client.put(&path, json!({"enabled": enabled})).await.expect(200);
}

/// Tenant and topic of each request.
fn topics(received: &[Received]) -> Vec<(i64, String)> {
    let topic = |it: &Received| {
        let topic =
            it.json()["topic"].as_str().unwrap().trim_start_matches("application.").to_owned();
        (it.header("x-vol-tenant").parse().unwrap(), topic)
    };
    received.iter().map(topic).collect()
}

fn entry(tenant: i64, topic: &str) -> (i64, String) {
    (tenant, topic.to_owned())
}

/// Paths of requests, in the order of the alphabet: receivers are told side by side.
fn paths(received: &[Received]) -> Vec<&str> {
    let mut paths: Vec<&str> = received.iter().map(|it| it.path.as_str()).collect();
    paths.sort_unstable();
    paths
}

/// The signature of contract 4.4, as receivers work it out.
fn signature(secret: &str, received: &Received) -> String {
    let key = STANDARD.encode(Sha256::digest(format!("{secret}{secret}")));
    let mut hash = Sha256::new();
    hash.update(key);
    hash.update(received.header("date"));
    hash.update(&received.body);
    STANDARD.encode(hash.finalize())
}

#[track_caller]
fn signed_by(application: &Application, received: &Received) {
    assert_eq!(received.header("x-vol-hmac-sha256"), signature(&application.secret, received));
}

/// Date of a request, in seconds since the epoch.
fn date(received: &Received) -> i64 {
    DateTime::parse_from_rfc2822(received.header("date")).unwrap().timestamp()
}

/// The application `loyalty`, which calls for itself, in a sandbox.
struct Stage<'a> {
    world: World<'a>,
    loyalty: Application,
    client: Client,
    sandbox: i64,
    receiver: Receiver,
}

impl<'a> Stage<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let world = World::new(app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let (sandbox, _) = tenant(app, "acme", true).await;
        Self { world, loyalty, client, sandbox, receiver: Receiver::start() }
    }

    /// The same, subscribed under `/hooks` and installed.
    async fn installed(app: &'a TestApp) -> Self {
        let stage = Self::new(app).await;
        subscribe(&stage.client, stage.loyalty.package, &stage.receiver.url("/hooks"), false).await;
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        stage
    }

    /// A new ticket for one that has expired.
    async fn renew(&mut self) {
        self.client = self.world.client(&self.loyalty).await;
    }

    async fn switch(&self, enabled: bool) {
        switch(&self.client, &self.loyalty, self.sandbox, enabled).await;
    }

    /// What arrives now.
    async fn told(&self, app: &TestApp) -> Vec<Received> {
        app.deliver().await;
        self.receiver.take()
    }
}

on_both! {
    async fn a_notification_is_that_of_the_contract(app: TestApp) {
        let stage = Stage::new(&app).await;
        subscribe(&stage.client, stage.loyalty.package, &stage.receiver.url("/hooks?from=market"), false).await;
        let db = app.state.store.begin().await.unwrap();
        let (domain, sites) = (Some("apps.acme.example"), ["Main".to_owned()]);
        let new = NewTenant { account: "acme", name: "T", is_sandbox: true, domain, sites: &sites };
        let (place, sites) = service::create(&db, new, 0).await.unwrap();
        db.commit().await.unwrap();
        let (place, site) = (place.id, sites[0].id);
        app.state.clock.advance(123);
        let correlation = "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f";
        let body = json!({"packageId": stage.loyalty.package, "tenantId": place, "siteId": site});
        stage.client.clone().with("x-vol-correlation", correlation).post(INSTALL, body).await.expect(200);
        app.advance_seconds(2);
        let told = stage.told(&app).await;
        let [request] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks?from=market"));
        let event_id = request.json()["eventId"].as_str().unwrap().to_owned();
        assert_eq!(uuid::Uuid::parse_str(&event_id).unwrap().to_string(), event_id);
        let expected = format!(
            "{{\"eventId\":\"{event_id}\",\"topic\":\"application.installed\",\
             \"entityId\":\"acme01.loyalty.1.0.0.Release\",\"timestamp\":\"2026-02-01T08:15:00.123Z\",\
             \"correlationId\":\"{correlation}\",\"isTest\":false}}"
        );
        assert_eq!(String::from_utf8_lossy(&request.body), expected);
        let table = [
            ("content-type", "application/json; charset=utf-8"),
            ("date", "Sun, 01 Feb 2026 08:15:02 GMT"),
            ("x-vol-tenant", &place.to_string()),
            ("x-vol-site", &site.to_string()),
            ("x-vol-tenant-domain", "apps.acme.example"),
            ("x-vol-site-domain", "apps.acme.example"),
            ("x-vol-correlation", correlation),
        ];
        for (name, value) in table {
            assert_eq!(request.header(name), value, "{name}");
        }
        let others = request.headers.keys().filter(|it| it.as_str().starts_with("x-vol-")).count();
        assert_eq!(others, 6);
        signed_by(&stage.loyalty, request);
        // It is delivered, once.
        app.advance_seconds(LATEST);
        assert_eq!(stage.told(&app).await.len(), 0);
        // In the feed and for whoever asks it has the same id.
        let pulled = stage.client.get(&format!("/api/event/pull/{event_id}")).await.expect(200);
        assert_eq!(pulled["eventId"], event_id.as_str());
        let feed = format!("SELECT COUNT(*) FROM events WHERE event_id = '{event_id}' \
            AND name = 'application.installed' AND account_id = 'acme' AND position IS NOT NULL");
        assert_eq!(app.count(&feed).await, 1);
    }

    async fn every_operation_on_an_install_is_told_in_order(app: TestApp) {
        let stage = Stage::installed(&app).await;
        let sandbox = stage.sandbox;
        stage.switch(false).await;
        // Nothing changes, so nothing is told.
        stage.switch(false).await;
        stage.switch(true).await;
        install(&stage.client, stage.loyalty.package, sandbox).await;
        let id = app.count("SELECT MAX(id) FROM entitlements").await;
        let db = app.state.store.begin().await.unwrap();
        uninstall(&db, id, app.state.clock.now_millis()).await.unwrap();
        let again = uninstall(&db, id, 0).await.unwrap_err().to_string();
        assert_eq!(again, format!("entitlement {id} is not installed any more"));
        let unknown = uninstall(&db, 999, 0).await.unwrap_err().to_string();
        assert_eq!(unknown, "there is no entitlement 999");
        db.commit().await.unwrap();
        let list = stage.client.get(INSTALL).await.expect(200);
        assert_eq!(list[0]["entitlementStatus"], "Revoked");
        let mut told = topics(&stage.told(&app).await);
        // Topics have no order among each other.
        told.sort();
        let expected = ["disabled", "enabled", "installed", "installed", "uninstalled"];
        assert_eq!(told, expected.map(|topic| entry(sandbox, topic)));
        // Where it was removed it can be installed again.
        install(&stage.client, stage.loyalty.package, sandbox).await;
        assert_eq!(topics(&stage.told(&app).await), [entry(sandbox, "installed")]);
    }

    async fn whatever_is_no_200_is_tried_again_each_minute(app: TestApp) {
        let stage = Stage::installed(&app).await;
        let elsewhere = Receiver::start();
        let to = vec![("location", elsewhere.url("/hooks"))];
        let replies = [
            Reply::Status(201),
            Reply::Status(204),
            Reply::Full(302, to.clone(), "".into()),
            Reply::Full(308, to, "".into()),
            Reply::Status(410),
            Reply::Status(500),
            Reply::Close,
        ];
        let mut told = Vec::new();
        for reply in replies {
            stage.receiver.reply(reply.clone());
            let arrived = stage.told(&app).await;
            assert_eq!(arrived.len(), 1, "{reply:?}");
            told.extend(arrived);
            app.advance_seconds(EARLIEST);
            assert_eq!(stage.told(&app).await.len(), 0, "{reply:?}");
            app.advance_seconds(LATEST - EARLIEST);
        }
        stage.receiver.reply(Reply::Status(200));
        told.extend(stage.told(&app).await);
        app.advance_seconds(LATEST);
        assert_eq!(stage.told(&app).await.len(), 0);
        assert_eq!(elsewhere.received().len(), 0);
        for pair in told.windows(2) {
            let [before, after] = pair else { unreachable!() };
            // The same message, signed anew under its own date: receivers refuse old ones.
            assert_eq!(before.body, after.body);
            assert_eq!(date(after) - date(before), LATEST);
            assert_ne!(before.header("x-vol-hmac-sha256"), after.header("x-vol-hmac-sha256"));
            signed_by(&stage.loyalty, after);
        }
        let attempts = "SELECT COUNT(*) FROM delivery_attempts";
        assert_eq!(app.count(attempts).await, 8);
    }

    async fn a_slow_topic_or_tenant_delays_no_other(app: TestApp) {
        let stage = Stage::installed(&app).await;
        let (other, _) = tenant(&app, "acme", true).await;
        let hang = std::time::Duration::from_secs(6);
        let sandbox = stage.sandbox.to_string();
        stage.receiver.answer(move |request| {
            let is_slow = request.json()["topic"] == "application.installed"
                && request.header("x-vol-tenant") == sandbox;
            if is_slow { Reply::After(hang, Box::new(Reply::Status(200))) } else { Reply::Status(200) }
        });
        let first = app.deliver();
        let others = async {
            while stage.receiver.received().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            stage.switch(false).await;
            install(&stage.client, stage.loyalty.package, other).await;
            app.deliver().await;
        };
        tokio::join!(first, others);
        let told = stage.receiver.take();
        let mut later = topics(&told[1..]);
        later.sort();
        let mut expected = [entry(stage.sandbox, "disabled"), entry(other, "installed")];
        expected.sort();
        assert_eq!(topics(&told[..1]), [entry(stage.sandbox, "installed")]);
        assert_eq!(later, expected);
        for one in &told[1..] {
            assert!(one.at - told[0].at < hang, "{:?}", one.at - told[0].at);
        }
    }

    async fn a_long_answer_is_not_read_to_its_end(app: TestApp) {
        let stage = Stage::installed(&app).await;
        stage.receiver.reply(Reply::Endless(1 << 30));
        assert_eq!(stage.told(&app).await.len(), 1);
        // It was a 200.
        let kept = "SELECT CAST(MAX(LENGTH(response_body)) AS BIGINT) FROM delivery_attempts";
        assert_eq!(app.count(kept).await, 64 * 1024);
        app.advance_seconds(LATEST);
        assert_eq!(stage.told(&app).await.len(), 0);
        // So is one that breaks off.
        stage.receiver.reply(Reply::CutOff);
        stage.switch(false).await;
        assert_eq!(stage.told(&app).await.len(), 1);
        app.advance_seconds(LATEST);
        assert_eq!(stage.told(&app).await.len(), 0);
    }

    async fn after_14_days_a_message_is_dropped_and_the_next_one_leaves(app: TestApp) {
        let mut stage = Stage::installed(&app).await;
        stage.receiver.reply(Reply::Status(503));
        let first = stage.told(&app).await[0].json()["eventId"].clone();
        app.advance_seconds(DAY);
        stage.renew().await;
        // It waits behind the one that fails.
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        for seconds in [0, 12 * DAY + 80_000] {
            app.advance_seconds(seconds);
            let told = stage.told(&app).await;
            assert_eq!((told.len(), &told[0].json()["eventId"]), (1, &first));
        }
        // An attempt after which there is time for no other.
        app.advance_seconds(DAY - 80_000 - 20);
        let told = stage.told(&app).await;
        assert_eq!(told[0].json()["eventId"], first);
        assert_eq!(app.count("SELECT COUNT(*) FROM deliveries WHERE state = 'failed'").await, 1);
        stage.receiver.reply(Reply::Status(200));
        let second = match told.get(1) {
            // It may have followed at once.
            Some(second) => second.json()["eventId"].clone(),
            None => {
                app.advance_seconds(LATEST);
                stage.told(&app).await[0].json()["eventId"].clone()
            }
        };
        assert_ne!(second, first);
        app.advance_seconds(LATEST);
        stage.told(&app).await;
        assert_eq!(app.count("SELECT COUNT(*) FROM deliveries WHERE state = 'delivered'").await, 1);
    }

    async fn of_what_goes_on_failing_the_first_and_last_attempts_are_kept(app: TestApp) {
        let stage = Stage::installed(&app).await;
        stage.receiver.reply(Reply::Status(500));
        for _ in 0..34 {
            assert_eq!(stage.told(&app).await.len(), 1);
            app.advance_seconds(LATEST);
        }
        let first = "SELECT COUNT(*) FROM delivery_attempts WHERE number = 1";
        let (kept, first) = (app.count("SELECT COUNT(*) FROM delivery_attempts").await, app.count(first).await);
        assert_eq!(first, 1);
        let last = "SELECT COUNT(*) FROM delivery_attempts WHERE number > 24";
        assert_eq!(app.count(last).await, 10);
        assert!((11..=21).contains(&kept), "{kept}");
    }

    async fn a_failing_message_holds_back_its_topic_in_its_tenant_only(app: TestApp) {
        let stage = Stage::installed(&app).await;
        let (other, _) = tenant(&app, "acme", true).await;
        let sandbox = stage.sandbox;
        stage.receiver.answer(move |request| {
            let is_failing = request.header("x-vol-tenant") == sandbox.to_string()
                && request.json()["topic"] == "application.installed";
            Reply::Status(if is_failing { 500 } else { 200 })
        });
        assert_eq!(topics(&stage.told(&app).await), [entry(sandbox, "installed")]);
        install(&stage.client, stage.loyalty.package, sandbox).await;
        stage.switch(false).await;
        install(&stage.client, stage.loyalty.package, other).await;
        stage.switch(true).await;
        let mut told = topics(&stage.told(&app).await);
        told.sort();
        let mut expected =
            vec![entry(sandbox, "disabled"), entry(sandbox, "enabled"), entry(other, "installed")];
        expected.sort();
        assert_eq!(told, expected);
        stage.receiver.reply(Reply::Status(200));
        app.advance_seconds(LATEST);
        let mut told = stage.told(&app).await;
        if told.len() == 1 {
            // What has waited behind it leaves with it or in the next turn.
            app.advance_seconds(LATEST);
            told.extend(stage.told(&app).await);
        }
        assert_eq!(topics(&told), [entry(sandbox, "installed"), entry(sandbox, "installed")]);
        let pulled = "/api/event/pull?filter=topic+eq+application.installed";
        let pulled = stage.client.get(pulled).await.expect(200);
        let ids = told.iter().map(|it| it.json()["eventId"].clone());
        assert_eq!(ids.collect::<Vec<_>>(), [&pulled["items"][0], &pulled["items"][1]].map(|it| it["eventId"].clone()));
    }

    async fn an_application_is_not_called_back_where_it_does_not_want_to(app: TestApp) {
        let stage = Stage::new(&app).await;
        let other = stage.world.application("acme01.points.1.0.0").await;
        let other = stage.world.client(&other).await;
        let url = |path| stage.receiver.url(path);
        subscribe(&stage.client, stage.loyalty.package, &url("/all"), false).await;
        subscribe(&stage.client, stage.loyalty.package, &url("/others"), true).await;
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        assert_eq!(paths(&stage.told(&app).await), ["/all"]);
        switch(&other, &stage.loyalty, stage.sandbox, false).await;
        assert_eq!(paths(&stage.told(&app).await), ["/all", "/others"]);
        stage.switch(true).await;
        assert_eq!(paths(&stage.told(&app).await), ["/all"]);
        // A later version of the application is the same application.
        let newer = stage.world.application("acme01.loyalty.1.1.0").await;
        let newer = stage.world.client(&newer).await;
        switch(&newer, &stage.loyalty, stage.sandbox, false).await;
        assert_eq!(paths(&stage.told(&app).await), ["/all"]);
    }

    async fn an_install_keeps_the_subscriptions_it_was_made_with(app: TestApp) {
        let stage = Stage::new(&app).await;
        let url = |path| stage.receiver.url(path);
        let id = subscribe(&stage.client, stage.loyalty.package, &url("/first"), false).await;
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        // Before it is dispatched.
        let body = json!({"applicationSubscriptionId": id, "applicationEndPoint": url("/second")});
        stage.client.put(SUBSCRIPTIONS, body).await.expect(200);
        subscribe(&stage.client, stage.loyalty.package, &url("/third"), false).await;
        assert_eq!(paths(&stage.told(&app).await), ["/first"]);
        stage.switch(false).await;
        assert_eq!(paths(&stage.told(&app).await), ["/first"]);
        // What happens before it is installed again is told as it was then.
        stage.switch(true).await;
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        let told = stage.told(&app).await;
        let (enabled, installed): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|it| it.json()["topic"] == "application.enabled");
        assert_eq!(paths(&enabled), ["/first"]);
        assert_eq!(paths(&installed), ["/second", "/third"]);
    }

    async fn what_is_replaced_hears_of_it_with_its_own_signature(app: TestApp) {
        let stage = Stage::new(&app).await;
        let newer = stage.world.application("acme01.loyalty.1.1.0").await;
        let url = |path| stage.receiver.url(path);
        for (package, path) in
            [(stage.loyalty.package, "/old"), (stage.loyalty.package, "/both"), (newer.package, "/both")]
        {
            // A version starts as a copy of the one before it.
            if path == "/old" {
                let copied = "DELETE FROM package_subscriptions";
                app.execute(copied).await;
            }
            subscribe(&stage.client, package, &url(path), false).await;
        }
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        assert_eq!(paths(&stage.told(&app).await), ["/both", "/old"]);
        install(&stage.client, newer.package, stage.sandbox).await;
        let told = stage.told(&app).await;
        assert_eq!(paths(&told), ["/both", "/old"]);
        for request in &told {
            let body = request.json();
            assert_eq!(body["topic"], "application.upgraded");
            assert_eq!(body["entityId"], "acme01.loyalty.1.1.0.Release");
            signed_by(if request.path == "/old" { &stage.loyalty } else { &newer }, request);
        }
        assert_ne!(stage.loyalty.secret, newer.secret);
        // From now on it is the new one that hears.
        switch(&stage.client, &newer, stage.sandbox, false).await;
        assert_eq!(paths(&stage.told(&app).await), ["/both"]);
    }

    async fn with_a_subscription_goes_what_waits_for_it(app: TestApp) {
        let stage = Stage::new(&app).await;
        let url = |path| stage.receiver.url(path);
        let id = subscribe(&stage.client, stage.loyalty.package, &url("/gone"), false).await;
        subscribe(&stage.client, stage.loyalty.package, &url("/stays"), false).await;
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        stage.receiver.reply(Reply::Status(500));
        assert_eq!(paths(&stage.told(&app).await), ["/gone", "/stays"]);
        stage.client.delete(&format!("{SUBSCRIPTIONS}/{id}")).await.expect(200);
        stage.receiver.reply(Reply::Status(200));
        app.advance_seconds(LATEST);
        assert_eq!(paths(&stage.told(&app).await), ["/stays"]);
        // The install has it still; another install has not.
        stage.switch(false).await;
        assert_eq!(paths(&stage.told(&app).await), ["/gone", "/stays"]);
        install(&stage.client, stage.loyalty.package, stage.sandbox).await;
        assert_eq!(paths(&stage.told(&app).await), ["/stays"]);
    }

    async fn the_owner_of_an_application_hears_of_it_in_all_tenants(app: TestApp) {
        let stage = Stage::new(&app).await;
        subscribe(&stage.client, stage.loyalty.package, &stage.receiver.url("/hooks"), true).await;
        stage.world.set_status(&stage.loyalty, 5).await;
        let shop = stage.world.application("globex01.shop.1.0.0").await;
        let (theirs, _) = tenant(&app, "globex", true).await;
        install(&stage.world.client(&shop).await, stage.loyalty.package, theirs).await;
        let told = stage.told(&app).await;
        assert_eq!(topics(&told), [entry(theirs, "installed")]);
        signed_by(&stage.loyalty, &told[0]);
        let owner = "SELECT COUNT(*) FROM deliveries WHERE account_id = 'acme'";
        assert_eq!(app.count(owner).await, 1);
    }

    async fn secrets_and_clear_addresses_of_others_are_nowhere(app: TestApp) {
        let stage = Stage::installed(&app).await;
        stage.receiver.reply(Reply::Status(500));
        stage.told(&app).await;
        let secret = &stage.loyalty.secret;
        for (table, columns) in [
            ("deliveries", "payload"),
            ("delivery_attempts", "request_headers"),
            ("events", "payload"),
            ("package_events", "recipients"),
        ] {
            let rows = app.count(&format!("SELECT COUNT(*) FROM {table}")).await;
            let found = format!("SELECT COUNT(*) FROM {table} WHERE {columns} LIKE '%{secret}%'");
            assert!(rows > 0, "{table}");
            assert_eq!(app.count(&found).await, 0, "{table}");
        }
        // The tenant's account reads the feed; where the application listens is its owner's affair.
        let shown = "SELECT COUNT(*) FROM events WHERE name LIKE 'application.%' AND payload LIKE '%/hooks%'";
        assert_eq!(app.count(shown).await, 0);
    }

    async fn a_receiver_that_was_allowed_once_is_refused_when_it_is_called(app: TestApp) {
        let stage = Stage::installed(&app).await;
        let metadata = "UPDATE package_events SET recipients = REPLACE(recipients, '127.0.0.1', '169.254.169.254')";
        app.execute(metadata).await;
        assert_eq!(stage.told(&app).await.len(), 0);
        let refused = "SELECT COUNT(*) FROM delivery_attempts WHERE error LIKE '%not allowed%'";
        assert_eq!(app.count(refused).await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'").await, 1);
    }

    async fn old_events_are_forgotten_once_they_were_told(app: TestApp) {
        let mut stage = Stage::installed(&app).await;
        app.advance_seconds(31 * DAY);
        stage.renew().await;
        let sweep = async || {
            delivery::sweep::sweep(&app.state.kernel).await.unwrap();
            event_pull::sweep::sweep(&app.state.kernel).await.unwrap()
        };
        assert_eq!(sweep().await, 0);
        assert_eq!(topics(&stage.told(&app).await), [entry(stage.sandbox, "installed")]);
        let before = app.state.clock.now_millis();
        stage.switch(false).await;
        assert_eq!(sweep().await, 1);
        let left = stage.client.get("/api/event/pull").await.expect(200);
        assert_eq!(left["totalCount"], 1);
        assert_eq!(left["items"][0]["auditInfo"]["createDate"], Time(before).to_string());
        assert_eq!(topics(&stage.told(&app).await), [entry(stage.sandbox, "disabled")]);
    }
}
