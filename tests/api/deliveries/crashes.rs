//! Processes that record events and deliver messages are killed in the middle of it, again and again:
//! nothing is lost, nothing is made up, and what is about one thing arrives in order.
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
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
use crate::support::receiver::{Receiver, Reply};

/// What a process is told: settings, addresses of the receivers, and the number of its first event; without
/// one it only delivers.
const TASK: &str = "APPMARKET_TEST_CRASHING_TASK";
const KILLS: u64 = 26;
const RECEIVERS: i64 = 6;
const PATIENCE: Duration = Duration::from_secs(120);

/// Not a test by itself: the process that the tests start and kill. It says the number of each event that
/// it has recorded.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests of crashes"]
async fn process() {
    let task: Value = serde_json::from_str(&std::env::var(TASK).unwrap()).unwrap();
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

/// A process that is running, and what it has said.
struct Process {
    child: Child,
    said: mpsc::Receiver<String>,
}

impl Process {
    fn start(app: &TestApp, receivers: &[Receiver], first: Option<i64>) -> Self {
        // One that is killed keeps its lanes for a second.
        let config = Config { delivery_lease: 1, ..app.state.config.clone() };
        let urls: Vec<String> = receivers.iter().map(|it| it.url("/hook")).collect();
        let task = json!({"config": config, "urls": urls, "first": first});
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["deliveries::crashes::process", "--exact", "--ignored", "--nocapture"])
            .env(TASK, task.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|it| sender.send(it)));
        let process = Self { child, said };
        while !process.said.recv_timeout(PATIENCE).unwrap().ends_with("ready") {}
        process
    }

    /// Kills it; the numbers of the events that it has recorded.
    fn kill(mut self) -> Vec<i64> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let number = |line: String| line.strip_prefix("recorded ")?.parse().ok();
        self.said.iter().filter_map(number).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left running when the test fails.
        drop(self.child.kill());
        drop(self.child.wait());
    }
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
            Process::start(&app, &receivers, Some(first))
        };
        let mut acknowledged = Vec::new();
        let mut server = start_server();
        let mut worker = Process::start(&app, &receivers, None);
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(50 + kill * 37 % 400));
            if kill % 2 == 0 {
                acknowledged.extend(server.kill());
                server = start_server();
            } else {
                worker.kill();
                worker = Process::start(&app, &receivers, None);
            }
        }
        acknowledged.extend(server.kill());
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
