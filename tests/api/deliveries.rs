//! Events become deliveries, and deliveries arrive: with a channel of the tests' own, whose messages go to
//! real servers.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use appmarket::directory::state::AppState;
use appmarket::kernel::db::{Query, Row};
use appmarket::kernel::delivery::{
    self, Channel, Composed, LaneKey, Message, NewDelivery, Outcome, Settled, Verdict, Worker,
    entity,
};
use appmarket::kernel::error::Result;
use appmarket::kernel::events::{self, NewEvent};
use appmarket::kernel::state::Kernel;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::receiver::{Receiver, Reply};

mod crashes;

const KIND: &str = "test";
const PAUSE: i64 = 60_000;

/// Tells of events `test` whoever their payload names under `to`: numbers of receivers.
#[derive(Default)]
struct TestChannel {
    urls: Mutex<HashMap<i64, String>>,
    off: AtomicBool,
    settled: Mutex<Vec<(i64, &'static str)>>,
    /// Waits a minute for answers.
    patient: AtomicBool,
    /// Resumes the lane while it holds it.
    resumes_itself: Mutex<Option<Kernel>>,
}

impl Channel for TestChannel {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn recipients<'t>(
        &'t self,
        _: &'t DatabaseTransaction,
        events: &'t [events::entity::Model],
    ) -> BoxFuture<'t, Result<Vec<NewDelivery>>> {
        let mut deliveries = Vec::new();
        for event in events.iter().filter(|event| event.name == "test") {
            let payload: Value = serde_json::from_str(&event.payload).unwrap();
            for target in payload["to"].as_array().unwrap() {
                let mut delivery = delivery(target.as_i64().unwrap(), payload.clone());
                delivery.event_id = Some(event.id);
                delivery.secrets = event.secrets.clone();
                deliveries.push(delivery);
            }
        }
        async move { Ok(deliveries) }.boxed()
    }

    fn compose<'t>(
        &'t self,
        lane: &'t entity::lane::Model,
        due: Vec<entity::Model>,
        now: i64,
    ) -> BoxFuture<'t, Result<Composed>> {
        async move {
            let is_off = self.off.load(Ordering::Relaxed);
            let resuming = self.resumes_itself.lock().take();
            if let Some(kernel) = resuming {
                self.off.store(false, Ordering::Relaxed);
                resume(&kernel, lane.target_id, now).await;
            }
            let url = self.urls.lock()[&lane.target_id].clone();
            let message = |delivery: entity::Model| Message {
                request: http::Request::post(&url)
                    .header("x-delivery", &delivery.delivery_id)
                    .header("authorization", "Bearer hunter2")
                    .body(Bytes::from(delivery.payload.clone()))
                    .unwrap(),
                delivery,
            };
            // As tests of webhooks that are switched off, some go out all the same.
            let leaves = |delivery: &entity::Model| !is_off || delivery.event == "test.always";
            let messages: Vec<Message> = due.into_iter().filter(leaves).map(message).collect();
            Ok(if messages.is_empty() { Composed::Hold } else { Composed::Send(messages) })
        }
        .boxed()
    }

    fn timeout(&self) -> i64 {
        if self.patient.load(Ordering::Relaxed) { 60_000 } else { 2_000 }
    }

    fn judge(&self, _: &entity::Model, attempt: i64, outcome: &Outcome) -> Verdict {
        match &outcome.answer {
            Ok(answer) if answer.status.is_success() => Verdict::Delivered,
            _ if attempt == 3 => Verdict::Failed,
            _ => Verdict::Retry(PAUSE),
        }
    }

    fn settle<'t>(
        &'t self,
        _: &'t DatabaseTransaction,
        lane: &'t entity::lane::Model,
        settled: &'t [Settled],
        _: i64,
    ) -> BoxFuture<'t, Result<()>> {
        let verdict = |settled: &Settled| match settled.verdict {
            Verdict::Delivered => "delivered",
            Verdict::Retry(_) => "retry",
            Verdict::Failed => "failed",
            Verdict::Gone => "gone",
        };
        self.settled.lock().extend(settled.iter().map(|it| (lane.target_id, verdict(it))));
        async { Ok(()) }.boxed()
    }
}

fn delivery(target: i64, payload: Value) -> NewDelivery {
    NewDelivery {
        lane: LaneKey { kind: KIND, target, name: String::new() },
        account: "acme".to_owned(),
        delivery_id: uuid::Uuid::new_v4().to_string(),
        origin_id: None,
        event_id: None,
        event: payload["event"].as_str().unwrap_or("test").to_owned(),
        object: payload["object"].as_str().unwrap().to_owned(),
        payload,
        secrets: None,
        pause: 0,
    }
}

/// The service with receivers numbered from 1.
struct Stage {
    app: TestApp,
    channel: Arc<TestChannel>,
    receivers: Vec<Receiver>,
}

impl Stage {
    fn new(app: TestApp, receivers: i64) -> Self {
        let channel = Arc::new(TestChannel::default());
        let receivers: Vec<Receiver> = (0..receivers).map(|_| Receiver::of_anything()).collect();
        for (target, receiver) in (1..).zip(&receivers) {
            channel.urls.lock().insert(target, receiver.url("/hook"));
        }
        Self { app, channel, receivers }
    }

    fn worker(&self) -> Worker {
        Worker::new(self.app.state.kernel.clone(), vec![self.channel.clone()])
    }

    async fn deliver(&self) {
        self.worker().run_until_idle().await.unwrap();
    }

    /// Something happens to an object, of which these receivers are told.
    async fn happens(&self, to: &[i64], object: &str, number: i64) {
        record(&self.app.state, json!({"to": to, "object": object, "n": number}), None).await;
    }

    /// What a receiver got, as `object number`, in the order of arrival; it is forgotten.
    fn arrived(&self, receiver: usize) -> Vec<String> {
        let received = self.receivers[receiver - 1].take();
        let name = |it: Value| format!("{} {}", it["object"].as_str().unwrap(), it["n"]);
        received.iter().map(|it| name(it.json())).collect()
    }

    async fn states(&self) -> Vec<(String, i64)> {
        let sql = "SELECT state, attempts FROM deliveries ORDER BY id";
        let query = Query::new(sql.to_owned(), Vec::new());
        let read = |all: &mut Vec<(String, i64)>, row: &dyn Row| {
            all.push((row.text(0).unwrap().into_owned(), row.int(1).unwrap()));
        };
        self.app.state.store.committed().fetch(query, Vec::new(), read).await.unwrap()
    }

    async fn wait_until_all_are(&self, state: &str, count: i64) {
        let started = Instant::now();
        let sql = format!("SELECT COUNT(*) FROM deliveries WHERE state = '{state}'");
        while self.app.count(&sql).await < count {
            assert!(started.elapsed() < Duration::from_secs(60), "{:?}", self.states().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Records an event `test`, as a change does.
async fn record(state: &AppState, payload: Value, secrets: Option<events::Secrets>) {
    let context = (payload, secrets, state.clock.now());
    state
        .store
        .write(context, |transaction, (payload, secrets, now)| {
            let event = NewEvent {
                account: "acme",
                name: "test",
                record_type: "thing",
                record_id: 1,
                person: None,
                audit_line: None,
                payload: payload.clone(),
                secrets: secrets.clone(),
                now: *now,
            };
            events::record(transaction, event).boxed()
        })
        .await
        .unwrap();
}

async fn enqueue(state: &AppState, deliveries: Vec<NewDelivery>) {
    let context = (deliveries, state.clock.now_millis());
    state
        .store
        .write(context, |transaction, (deliveries, now)| {
            delivery::enqueue(transaction, deliveries, *now).boxed()
        })
        .await
        .unwrap();
}

async fn resume(kernel: &Kernel, target: i64, now: i64) {
    kernel
        .store
        .write((target, now), |transaction, (target, now)| {
            delivery::resume(transaction, KIND, *target, *now).boxed()
        })
        .await
        .unwrap();
}

/// Lanes that somebody has, or that will be looked at.
const BUSY: &str =
    "SELECT COUNT(*) FROM delivery_lanes WHERE holder IS NOT NULL OR due_at IS NOT NULL";

on_both! {
    async fn whoever_is_to_be_told_is_told_once(app: TestApp) {
        let stage = Stage::new(app, 2);
        let secrets =
            events::Secrets { event_id: "e-1".to_owned(), sealed: "sealed".to_owned() };
        record(&stage.app.state, json!({"to": [1, 2], "object": "a", "n": 1}), Some(secrets)).await;
        assert_eq!(stage.app.count("SELECT COUNT(*) FROM events WHERE secrets IS NOT NULL").await, 1);
        stage.deliver().await;
        assert_eq!((stage.arrived(1), stage.arrived(2)), (vec!["a 1".to_owned()], vec!["a 1".to_owned()]));
        stage.deliver().await;
        assert_eq!((stage.arrived(1).len(), stage.arrived(2).len()), (0, 0));
        assert_eq!(stage.states().await, [("delivered".to_owned(), 1), ("delivered".to_owned(), 1)]);
        // Neither secrets nor work are left.
        for table in ["events", "deliveries"] {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE secrets IS NOT NULL");
            assert_eq!(stage.app.count(&sql).await, 0, "{table}");
        }
        assert_eq!(stage.app.count(BUSY).await, 0);
        assert_eq!(stage.channel.settled.lock().len(), 2);
    }

    async fn what_was_sent_and_answered_is_kept(app: TestApp) {
        let stage = Stage::new(app, 1);
        let body: Vec<u8> = [b"no\0 ".as_slice(), &[0xff], &[b'x'; 70_000]].concat();
        let headers = vec![("x-reason", "full".to_owned())];
        stage.receivers[0].reply(Reply::Full(503, headers, body.into()));
        stage.happens(&[1], "a", 1).await;
        stage.deliver().await;
        stage.receivers[0].reply(Reply::Close);
        stage.app.advance_seconds(61);
        stage.deliver().await;
        let sql = "SELECT number, request_headers, response_status, response_body, error, \
                   started_at FROM delivery_attempts ORDER BY number";
        let query = Query::new(sql.to_owned(), Vec::new());
        let read = |all: &mut Vec<Value>, row: &dyn Row| {
            let body = row.text(3).map(|body| {
                json!({"start": body.chars().take(6).collect::<String>(), "length": body.chars().count()})
            });
            all.push(json!([row.int(0), row.text(1), row.int(2), body, row.text(4).is_some(), row.int(5)]));
        };
        let kept = stage.app.state.store.committed().fetch(query, Vec::new(), read).await.unwrap();
        let id = stage.receivers[0].received()[0].header("x-delivery").to_owned();
        let headers = format!(r#"{{"x-delivery":"{id}","authorization":"********"}}"#);
        let start = crate::support::app::START;
        assert_eq!(kept, [
            json!([1, headers, 503, {"start": "no\u{fffd} \u{fffd}x", "length": 65_536}, false, start]),
            json!([2, headers, null, null, true, start + 61_000]),
        ]);
    }

    async fn messages_of_an_object_wait_for_the_one_that_failed(app: TestApp) {
        let stage = Stage::new(app, 1);
        stage.receivers[0].answer(|request| {
            Reply::Status(if request.json()["n"] == 2 { 500 } else { 200 })
        });
        for number in 1..=4 {
            stage.happens(&[1], "a", number).await;
        }
        stage.happens(&[1], "b", 5).await;
        stage.deliver().await;
        let mut arrived = stage.arrived(1);
        arrived.sort();
        assert_eq!(arrived, ["a 1", "a 2", "b 5"]);
        // Nor does one overtake that comes later.
        stage.happens(&[1], "a", 6).await;
        stage.happens(&[1], "b", 7).await;
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["b 7"]);
        stage.app.advance_seconds(59);
        stage.deliver().await;
        assert_eq!(stage.arrived(1).len(), 0);
        stage.app.advance_seconds(2);
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["a 2"]);
        // Once it is given up, the others go.
        stage.app.advance_seconds(61);
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["a 2", "a 3", "a 4", "a 6"]);
        let states = stage.states().await;
        assert_eq!(states[1], ("failed".to_owned(), 3));
        assert_eq!(states.iter().filter(|(state, _)| state == "delivered").count(), 6);
        assert_eq!(stage.app.count(BUSY).await, 0);
    }

    async fn what_is_due_before_an_earlier_message_of_its_object_waits_for_it(app: TestApp) {
        let stage = Stage::new(app, 1);
        for number in 1..=3 {
            stage.happens(&[1], "a", number).await;
        }
        stage.app.state.clock.advance(1);
        // Dispatched, and taken by nobody yet; then clocks of several servers disagree.
        let worker = Worker::new(stage.app.state.kernel.clone(), vec![Arc::new(Silent(stage.channel.clone()))]);
        worker.run_until_idle().await.unwrap();
        for number in 4..=6 {
            stage.happens(&[1], "a", number).await;
        }
        stage.app.execute("UPDATE deliveries SET next_attempt_at = next_attempt_at + 5000 WHERE id = 2").await;
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["a 1"]);
        stage.app.advance_seconds(6);
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["a 2", "a 3", "a 4", "a 5", "a 6"]);
    }

    async fn what_is_held_waits_until_the_lane_is_resumed(app: TestApp) {
        let stage = Stage::new(app, 2);
        stage.channel.off.store(true, Ordering::Relaxed);
        for number in 1..=70 {
            stage.happens(&[1], "a", number).await;
        }
        stage.deliver().await;
        assert_eq!(stage.app.count(BUSY).await, 0);
        // Behind all that is held, and of another object.
        let always = json!({"event": "test.always", "object": "b", "n": 71});
        enqueue(&stage.app.state, vec![delivery(1, always)]).await;
        // Nothing overtakes what is held.
        let always = json!({"event": "test.always", "object": "a", "n": 72});
        enqueue(&stage.app.state, vec![delivery(1, always)]).await;
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["b 71"]);
        stage.app.advance_seconds(100_000);
        stage.deliver().await;
        assert_eq!(stage.arrived(1).len(), 0);
        stage.channel.off.store(false, Ordering::Relaxed);
        let now = stage.app.state.clock.now_millis();
        resume(&stage.app.state.kernel, 2, now).await;
        stage.deliver().await;
        assert_eq!(stage.arrived(1).len(), 0);
        resume(&stage.app.state.kernel, 1, now).await;
        stage.deliver().await;
        let expected: Vec<String> = (1..=70).chain([72]).map(|number| format!("a {number}")).collect();
        assert_eq!(stage.arrived(1), expected);
    }

    async fn a_lane_that_is_resumed_while_it_is_being_held_is_not_held(app: TestApp) {
        let stage = Stage::new(app, 1);
        stage.channel.off.store(true, Ordering::Relaxed);
        *stage.channel.resumes_itself.lock() = Some(stage.app.state.kernel.clone());
        stage.happens(&[1], "a", 1).await;
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["a 1"]);
    }

    async fn a_slow_receiver_delays_no_other(app: TestApp) {
        let stage = Stage::new(app, 2);
        stage.receivers[0].reply(Reply::Hang);
        for number in 1..=100 {
            stage.happens(&[1, 2], &format!("object {number}"), number).await;
        }
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let working = tokio::spawn(stage.worker().run(async { drop::<std::result::Result<(), _>>(stopped.await) }));
        let begun = Instant::now();
        stage.wait_until_all_are("delivered", 100).await;
        // The first attempts at the slow one take two seconds, four at a time.
        assert!(stage.receivers[0].received().len() <= 8 * (1 + begun.elapsed().as_secs() as usize / 2));
        assert_eq!(stage.receivers[1].received().len(), 100);
        // Ends with those that are on their way, and records them.
        stop.send(()).unwrap();
        working.await.unwrap();
        let sent = stage.receivers[0].received().len() as i64;
        assert_eq!(stage.app.count("SELECT COUNT(*) FROM delivery_attempts").await, 100 + sent);
        assert_eq!(stage.app.count("SELECT COUNT(*) FROM delivery_lanes WHERE holder IS NOT NULL").await, 0);
    }

    async fn an_account_whose_receivers_all_hang_delays_no_other(app: TestApp) {
        let stage = Stage::new(app, 2);
        stage.channel.patient.store(true, Ordering::Relaxed);
        stage.receivers[0].reply(Reply::Hang);
        // More than all the lanes of a worker.
        let hanging = 1_000..1_300;
        let to_hanging = |target: i64| {
            stage.channel.urls.lock().insert(target, stage.receivers[0].url("/hook"));
            delivery(target, json!({"object": "a"}))
        };
        enqueue(&stage.app.state, hanging.map(to_hanging).collect()).await;
        let other = delivery(2, json!({"object": "a", "n": 1}));
        enqueue(&stage.app.state, vec![NewDelivery { account: "globex".to_owned(), ..other }]).await;
        let working = tokio::spawn(stage.worker().run(std::future::pending()));
        stage.wait_until_all_are("delivered", 1).await;
        assert_eq!(stage.arrived(2), ["a 1"]);
        assert!(stage.receivers[0].received().len() <= 64);
        // The others would hang for a minute.
        working.abort();
    }

    async fn only_so_many_are_on_their_way_and_of_one_object_only_one(app: TestApp) {
        let stage = Stage::new(app, 1);
        let pause = Duration::from_millis(100);
        stage.receivers[0].reply(Reply::After(pause, Box::new(Reply::Status(200))));
        for number in 1..=24 {
            stage.happens(&[1], &format!("object {}", number % 6), number).await;
        }
        stage.deliver().await;
        let received = stage.receivers[0].take();
        assert_eq!(received.len(), 24);
        let mut most = 0;
        for first in &received {
            let during: Vec<_> =
                received.iter().filter(|it| it.at >= first.at && it.at < first.at + pause).collect();
            most = most.max(during.len());
            let object = first.json()["object"].clone();
            assert_eq!(during.iter().filter(|it| it.json()["object"] == object).count(), 1);
        }
        assert_eq!(most, 4);
        for object in 0..6 {
            let of = received.iter().map(|it| it.json()["n"].as_i64().unwrap());
            let of: Vec<i64> = of.filter(|number| number % 6 == object).collect();
            assert!(of.is_sorted(), "{of:?}");
        }
    }

    async fn workers_share_the_work(app: TestApp) {
        let stage = Stage::new(app, 20);
        let everybody: Vec<i64> = (1..=20).collect();
        let stop = Arc::new(tokio::sync::Notify::new());
        let working: Vec<_> = (0..3)
            .map(|_| {
                let (worker, stop) = (stage.worker(), stop.clone());
                tokio::spawn(worker.run(async move { stop.notified().await }))
            })
            .collect();
        for number in 1..=30 {
            stage.happens(&everybody, "a", number).await;
        }
        stage.wait_until_all_are("delivered", 600).await;
        stop.notify_waiters();
        for worker in working {
            worker.await.unwrap();
        }
        let expected: Vec<String> = (1..=30).map(|number| format!("a {number}")).collect();
        for receiver in 1..=20 {
            assert_eq!(stage.arrived(receiver), expected);
        }
        assert_eq!(stage.app.count(BUSY).await, 0);
        // The feed has no gap that somebody could fall into.
        let sql = "SELECT COUNT(DISTINCT position) + MAX(position) FROM events";
        assert_eq!(stage.app.count(sql).await, 60);
    }

    async fn lanes_of_a_worker_that_died_go_to_another_when_the_lease_ends(app: TestApp) {
        let stage = Stage::new(app, 1);
        stage.happens(&[1], "a", 1).await;
        let silent = Arc::new(Silent(stage.channel.clone()));
        Worker::new(stage.app.state.kernel.clone(), vec![silent]).run_until_idle().await.unwrap();
        let until = stage.app.state.clock.now_millis() + 15_000;
        stage.app.execute(&format!("UPDATE delivery_lanes SET holder = 'dead', leased_until = {until}")).await;
        stage.app.advance_seconds(14);
        stage.deliver().await;
        assert_eq!(stage.arrived(1).len(), 0);
        stage.app.advance_seconds(1);
        stage.deliver().await;
        assert_eq!(stage.arrived(1), ["a 1"]);
    }

    async fn a_receiver_that_is_forgotten_gets_nothing_more(app: TestApp) {
        let stage = Stage::new(app, 2);
        stage.receivers[0].reply(Reply::Status(500));
        stage.happens(&[1, 2], "a", 1).await;
        stage.deliver().await;
        stage.app.state.store.write((), |transaction, ()| delivery::forget(transaction, KIND, 1).boxed())
            .await
            .unwrap();
        stage.app.advance_seconds(100_000);
        stage.deliver().await;
        assert_eq!((stage.arrived(1).len(), stage.arrived(2).len()), (1, 1));
        for (table, left) in [("delivery_lanes", 1), ("deliveries", 1), ("delivery_attempts", 1)] {
            assert_eq!(stage.app.count(&format!("SELECT COUNT(*) FROM {table}")).await, left, "{table}");
        }
    }

    async fn what_was_kept_long_enough_is_removed(app: TestApp) {
        let day = 86_400;
        let stage = Stage::new(app, 2);
        // Delivered; to be tried again; held.
        stage.happens(&[1], "a", 1).await;
        stage.deliver().await;
        stage.receivers[0].reply(Reply::Status(500));
        stage.happens(&[1], "b", 2).await;
        stage.deliver().await;
        stage.channel.off.store(true, Ordering::Relaxed);
        stage.happens(&[2], "c", 3).await;
        stage.deliver().await;
        let left = async || {
            let mut left = Vec::new();
            for table in ["events", "deliveries", "delivery_attempts"] {
                left.push(stage.app.count(&format!("SELECT COUNT(*) FROM {table}")).await);
            }
            left
        };
        let sweep = async || delivery::sweep::sweep(&stage.app.state.kernel).await.unwrap();
        stage.app.advance_seconds(30 * day - 60);
        assert_eq!(sweep().await, delivery::sweep::Swept::default());
        assert_eq!(left().await, [3, 3, 2]);
        stage.app.advance_seconds(120);
        assert_eq!(sweep().await, delivery::sweep::Swept { events: 3, deliveries: 2 });
        // What is still to be delivered stays.
        assert_eq!(left().await, [0, 1, 1]);
        assert_eq!(stage.states().await, [("waiting".to_owned(), 1)]);
    }
}

/// Knows who is to be told, and serves no lane.
struct Silent(Arc<TestChannel>);

impl Channel for Silent {
    fn kind(&self) -> &'static str {
        "silent"
    }

    fn recipients<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        events: &'t [events::entity::Model],
    ) -> BoxFuture<'t, Result<Vec<NewDelivery>>> {
        self.0.recipients(transaction, events)
    }

    fn compose<'t>(
        &'t self,
        _: &'t entity::lane::Model,
        _: Vec<entity::Model>,
        _: i64,
    ) -> BoxFuture<'t, Result<Composed>> {
        unreachable!("there are no lanes of this kind")
    }

    fn timeout(&self) -> i64 {
        self.0.timeout()
    }

    fn judge(&self, delivery: &entity::Model, attempt: i64, outcome: &Outcome) -> Verdict {
        self.0.judge(delivery, attempt, outcome)
    }

    fn settle<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        lane: &'t entity::lane::Model,
        settled: &'t [Settled],
        now: i64,
    ) -> BoxFuture<'t, Result<()>> {
        self.0.settle(transaction, lane, settled, now)
    }
}
