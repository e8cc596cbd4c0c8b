//! Processes that record events and deliver messages are killed in the middle of it, again and again:
//! nothing is lost, nothing is made up, and what is about one thing arrives in order.
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use appmarket::app;
use appmarket::kernel::clock::Clock;
use appmarket::kernel::config::Config;
use appmarket::kernel::db::{Query, Row};
use appmarket::kernel::delivery::Worker;
use serde_json::{Value, json};

use super::{TestChannel, record};
use crate::on_both;
use crate::support::TestApp;
use crate::support::process::{self, Process};
use crate::support::receiver::{Receiver, Reply};

const KILLS: u64 = 26;
const RECEIVERS: i64 = 6;
const PATIENCE: Duration = Duration::from_secs(120);

/// Not a test by itself: the process that the tests start and kill. Its task: settings, addresses of the
/// receivers, and the number of its first event; without one it only delivers. It says the number of each
/// event that it has recorded.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests of crashes"]
async fn process() {
    let task = process::task();
    let config: Config = serde_json::from_value(task["config"].clone()).unwrap();
    let state = app::connect(config, Clock::system()).await.unwrap();
    let channel = TestChannel::default();
    for (target, url) in (1..).zip(task["urls"].as_array().unwrap()) {
        channel.urls.lock().insert(target, url.as_str().unwrap().to_owned());
    }
    let worker = Worker::new(state.kernel.clone(), vec![Arc::new(channel)]);
    tokio::spawn(worker.run(std::future::pending()));
    println!("ready");
    let Some(first) = task["first"].as_i64() else { return std::future::pending().await };
    let everybody: Vec<i64> = (1..=RECEIVERS).collect();
    for number in first.. {
        let object = format!("object {}", number % 5);
        record(&state, json!({"to": everybody, "object": object, "n": number}), None).await;
        println!("recorded {number}");
    }
}

fn start(app: &TestApp, receivers: &[Receiver], first: Option<i64>) -> Process {
    // One that is killed keeps its lanes for a second.
    let config = Config { delivery_lease: 1, ..app.state.config.clone() };
    let urls: Vec<String> = receivers.iter().map(|it| it.url("/hook")).collect();
    let task = json!({"config": config, "urls": urls, "first": first});
    Process::start("deliveries::crashes::process", &task).0
}

/// Kills a process; the numbers of the events that it has recorded.
fn end(process: Process) -> Vec<i64> {
    let number = |line: String| line.strip_prefix("recorded ")?.parse().ok();
    process.kill().into_iter().filter_map(number).collect()
}

/// Numbers of all events, in the order in which they were recorded, by object.
async fn recorded(app: &TestApp) -> BTreeMap<String, Vec<i64>> {
    let query = Query::new("SELECT payload FROM events ORDER BY id".to_owned(), Vec::new());
    let read = |all: &mut BTreeMap<String, Vec<i64>>, row: &dyn Row| {
        let payload: Value = serde_json::from_str(&row.text(0).unwrap()).unwrap();
        let object = payload["object"].as_str().unwrap().to_owned();
        all.entry(object).or_default().push(payload["n"].as_i64().unwrap());
    };
    app.state.store.committed().fetch(query, BTreeMap::new(), read).await.unwrap()
}

on_both! {
    async fn whoever_is_killed_nothing_is_lost_and_nothing_made_up(app: TestApp) {
        let receivers: Vec<Receiver> = (0..RECEIVERS).map(|_| Receiver::of_anything()).collect();
        for receiver in &receivers {
            // So that there is a middle of it.
            receiver.reply(Reply::After(Duration::from_millis(5), Box::new(Reply::Status(200))));
        }
        let mut first = 0;
        let mut start_server = || {
            first += 100_000;
            start(&app, &receivers, Some(first))
        };
        let mut acknowledged = Vec::new();
        let mut server = start_server();
        let mut worker = start(&app, &receivers, None);
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(50 + kill * 37 % 400));
            if kill % 2 == 0 {
                acknowledged.extend(end(server));
                server = start_server();
            } else {
                worker.kill();
                worker = start(&app, &receivers, None);
            }
        }
        acknowledged.extend(end(server));
        let begun = Instant::now();
        let unfinished = "SELECT (SELECT COUNT(*) FROM events WHERE position IS NULL) \
                          + (SELECT COUNT(*) FROM deliveries WHERE state <> 'delivered')";
        while app.count(unfinished).await > 0 {
            assert!(begun.elapsed() < PATIENCE, "{} are left", app.count(unfinished).await);
            std::thread::sleep(Duration::from_millis(50));
        }
        worker.kill();

        let recorded = recorded(&app).await;
        let all: BTreeSet<i64> = recorded.values().flatten().copied().collect();
        assert!(acknowledged.len() > 100, "only {} events", acknowledged.len());
        let lost: Vec<&i64> = acknowledged.iter().filter(|number| !all.contains(number)).collect();
        assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
        let mut repeated = 0;
        for receiver in &receivers {
            let mut arrived: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            let mut known = HashSet::new();
            for request in receiver.take() {
                let message = request.json();
                let number = message["n"].as_i64().unwrap();
                if known.insert(number) {
                    let object = message["object"].as_str().unwrap().to_owned();
                    arrived.entry(object).or_default().push(number);
                } else {
                    repeated += 1;
                }
            }
            // Each at least once, none that was not recorded, those of an object in order.
            assert_eq!(arrived, recorded);
        }
        // Kills that never hit anything would show nothing.
        let attempts = app.count("SELECT COUNT(*) FROM delivery_attempts").await;
        assert_eq!(attempts, app.count("SELECT COUNT(*) FROM deliveries").await);
        assert!(repeated > 0, "no kill was in the middle of a delivery");
    }
}
