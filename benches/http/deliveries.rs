//! The cases of messages to webhooks: a backlog appears at once, and goes out to a receiver in this
//! process. Server, database and receiver share all cores.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};
use url::Url;

use crate::{
    Benchmark, Result,
    cases::{Case, LIST, expect_equal},
    client::Client,
    database::{Database, Place, Postgres},
    load::Round,
    process::{Cores, Process},
    progress,
    receiver::{DEAD, LIVE, Receiver},
    report::{
        ALONE, BESIDE, BESIDE_DEAD_ENDS, BESIDE_REQUESTS, DEAD_ENDS, DELIVERING, Deliveries, Drain,
        IDLE, Measurement, Report, SIGNED, UNSIGNED,
    },
    server::{ACCOUNT, Server},
};

/// What sends the same bytes and does nothing else.
pub const BARE_SENDER: &str = "bare hyper";

const WEBHOOKS: &str = "/v1/webhooks";
const POLICIES: &str = "/v1/webhook_policies";

/// Offerings of the list that is asked for meanwhile.
const OFFERINGS: u64 = 1_000;
/// Webhooks that hear of every event of their case.
const LISTENERS: u64 = 16;
/// Connections of the bare sender: as many as messages are on their way to these webhooks at most.
const CONNECTIONS: u64 = 4 * LISTENERS;
/// 100 webhooks of which the last of each offering never answers.
const REFERENCES: u64 = 10;
const PER_REFERENCE: u64 = 10;

/// Longest that a backlog may take.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(50);
/// Requests for the list, per second.
const ASKED_PER_SECOND: u64 = 200;

/// Messages of these names, which no case shares with another.
const EVENT: &str = "app_instance.create";
const EVENT_OF_DEAD_ENDS: &str = "app_instance.update";
/// Webhooks for this, which never happens, have their address verified.
const NEVER: &str = "app_instance.delete";
const ALGORITHMS: [(&str, &str); 6] = [
    (SIGNED, "request.create"),
    ("es384", "problem.create"),
    ("es512", "task.create"),
    ("rs256", "release.create"),
    ("rs384", "project.create"),
    ("rs512", "risk.create"),
];

/// A running server whose webhooks lead to the receiver.
struct Sender<'a> {
    benchmark: &'a Benchmark,
    database: Database,
    place: &'a Place,
    process: Process,
    token: String,
    receiver: Receiver,
}

impl Benchmark {
    pub async fn run_deliveries(
        &self,
        database: Database,
        postgres: Option<&Postgres>,
        report: &mut Report,
    ) -> Result<()> {
        let parent = self.folder.path().join(database.to_string());
        let wants = |case| self.options.cases.contains(&case);
        progress(&format!("{database}: filling the server of the deliveries"));
        let place = Place::new("deliveries", &parent, postgres).await?;
        // The targets speak of two cores for all together.
        let server = Server { binary: self.server.binary.clone(), cores: Cores::default() };
        server.fill(&place, OFFERINGS).await?;
        let process = server.launch(&place).await?;
        let token = server.token(&place)?;
        let receiver = Receiver::start().await?;
        let sender = Sender { benchmark: self, database, place: &place, process, token, receiver };
        sender.verify(LIVE).await?;

        if wants(Case::Deliveries) {
            sender.throughput(report).await?;
        }
        if wants(Case::Signatures) {
            sender.signatures(report).await?;
        }
        if wants(Case::Beside) {
            sender.beside(report).await?;
        }
        if wants(Case::DeadEnds) {
            sender.dead_ends(report).await?;
        }
        sender.process.stop().await?;
        if let Some(postgres) = postgres {
            postgres.drop(&place).await?;
        }
        fs::remove_dir_all(&place.folder)?;
        Ok(())
    }
}

impl Sender<'_> {
    async fn client(&self) -> Result<Client> {
        Client::connect(self.process.address, Some(&self.token)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.client().await?.post(path, body.to_string()).await?.expect(201)?.json()
    }

    async fn hook(&self, path: &str, event: &str, more: Value) -> Result<u64> {
        let mut body = json!({"event": event, "uri": self.receiver.url(path)});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        let id = self.post(WEBHOOKS, &body).await?["id"].as_u64();
        Ok(id.ok_or("a webhook has no id")?)
    }

    async fn listeners(&self, event: &str, policy: Option<&Value>) -> Result<()> {
        for _ in 0..LISTENERS {
            self.hook(LIVE, event, json!({"webhook_policy_id": policy})).await?;
        }
        Ok(())
    }

    /// Makes a webhook whose address is verified, and with it that of all others that lead there.
    async fn verify(&self, path: &str) -> Result<()> {
        let id = self.hook(path, NEVER, json!({})).await?;
        let asked = Instant::now();
        let callback = loop {
            if let Some(callback) = self.receiver.callback() {
                break Url::parse(&callback)?;
            }
            if asked.elapsed() > PATIENCE {
                return Err(format!("no verification came\n{}", self.process.last_words()).into());
            }
            sleep(POLL).await;
        };
        let path = format!("{}?{}", callback.path(), callback.query().unwrap_or_default());
        self.client().await?.get(&path).await?.expect(200)?;
        let webhook = self.client().await?.get(&format!("{WEBHOOKS}/{id}")).await?.json()?;
        expect_equal("the address is verified", webhook["verified_at"].is_string(), true)
    }

    /// Makes so much happen in one moment; each to a record of its own, as messages of one record go
    /// out one after the other.
    async fn happen(&self, event: &str, times: u64) -> Result<()> {
        static RECORD: AtomicU64 = AtomicU64::new(1_000_000);
        let first = RECORD.fetch_add(times, Ordering::Relaxed);
        let last = first + times - 1;
        #[expect(clippy::disallowed_methods, reason = "no clock of a server is at hand here")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let sql = format!(
            r#"WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})
            INSERT INTO events
                (event_id, account_id, name, record_type, record_id, payload, created_at)
            SELECT '00000000-0000-4000-8000-' || substr('' || (1000000000000 + i), 2), '{ACCOUNT}',
                '{event}', 'app_instance', i,
                '{{"app_offering":{{"reference":"wdc_bench_' || (i % {REFERENCES})
                || '","id":14,"nodeID":"YXBwbWFya2V0L0FwcE9mZmVyaW5nLzE0"}},"customer_account_id":"globex","customer_account":"https://globex.example.test","disabled":false,"enabled_by_customer":true,"suspended":false}}',
                {now}
            FROM n"#
        );
        self.place.execute(&sql).await
    }

    /// Has messages go out, and waits for all.
    async fn drain(&self, event: &str, times: u64, messages: u64, signed: bool) -> Result<Drain> {
        self.receiver.forget();
        let before = self.process.spent()?;
        self.happen(event, times).await?;
        let mut resident_kib = 0;
        let begun = Instant::now();
        let arrived = loop {
            resident_kib = resident_kib.max(self.process.resident_kib()?);
            let arrived = self.receiver.arrived();
            if arrived.messages >= messages {
                break arrived;
            }
            if begun.elapsed() > PATIENCE {
                let words = self.process.last_words();
                let came = arrived.messages;
                return Err(format!("{came} of {messages} messages came\n{words}").into());
            }
            sleep(POLL).await;
        };
        // Each once, all as they should be, and recorded as such.
        let sql = "SELECT count(*) FROM deliveries d JOIN webhooks w ON w.id = \
                   (SELECT target_id FROM delivery_lanes l WHERE l.id = d.lane_id) \
                   WHERE d.state <> 'delivered' AND w.uri LIKE '%/live'";
        while self.place.number(sql).await? > 0 {
            if begun.elapsed() > PATIENCE {
                return Err("not everything that arrived is recorded".into());
            }
            sleep(POLL).await;
        }
        let server_seconds = (self.process.spent()? - before).as_secs_f64();
        let all = self.receiver.arrived();
        expect_equal("messages", (all.messages, all.repeated), (messages, 0))?;
        expect_equal("signed messages", all.signed, if signed { messages } else { 0 })?;
        Ok(Drain { messages, seconds: arrived.seconds(), server_seconds, resident_kib })
    }

    fn add(&self, report: &mut Report, case: &str, target: &str, rounds: Vec<Drain>) {
        let (case, target) = (case.to_owned(), target.to_owned());
        report.add_deliveries(Deliveries { database: self.database, case, target, rounds });
    }

    fn scaled(&self, events: u64) -> u64 {
        if self.benchmark.options.quick { events / 10 } else { events }
    }

    async fn throughput(&self, report: &mut Report) -> Result<()> {
        progress(&format!("{}: {UNSIGNED} and {SIGNED} messages", self.database));
        let (_, signed_event) = ALGORITHMS[0];
        self.listeners(EVENT, None).await?;
        self.signed_listeners(SIGNED, signed_event).await?;
        let events = self.scaled(750);
        let messages = events * LISTENERS;
        // It warms up: connections, prepared statements, plans of the database.
        self.drain(EVENT, events / 5, events / 5 * LISTENERS, false).await?;
        let (mut bare, mut unsigned, mut signed) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.benchmark.options.rounds {
            bare.push(self.bare(messages).await?);
            unsigned.push(self.drain(EVENT, events, messages, false).await?);
            signed.push(self.drain(signed_event, events, messages, true).await?);
        }
        self.add(report, UNSIGNED, BARE_SENDER, bare);
        self.add(report, UNSIGNED, crate::SERVER, unsigned);
        self.add(report, SIGNED, crate::SERVER, signed);
        Ok(())
    }

    async fn signed_listeners(&self, algorithm: &str, event: &str) -> Result<()> {
        let policy = self.post(POLICIES, &json!({"jwt_alg": algorithm})).await?;
        self.listeners(event, Some(&policy["id"])).await
    }

    /// What a program could do at most that sends such messages without keeping anything.
    async fn bare(&self, messages: u64) -> Result<Drain> {
        let body = json!({
            "webhook_id": 1, "webhook_nodeID": "YXBwbWFya2V0L1dlYmhvb2svMQ", "account_id": ACCOUNT,
            "account": "http://127.0.0.1:8080/accounts/wdc", "name": EVENT, "event": EVENT,
            "object_id": 1_000_000, "object_nodeID": "YXBwbWFya2V0L0FwcEluc3RhbmNlLzEwMDAwMDA",
            "payload": {"app_offering": {"reference": "wdc_bench_1", "id": 14,
                "nodeID": "YXBwbWFya2V0L0FwcE9mZmVyaW5nLzE0"}, "customer_account_id": "globex",
                "customer_account": "https://globex.example.test", "disabled": false,
                "enabled_by_customer": true, "suspended": false},
        });
        let body = bytes::Bytes::from(body.to_string());
        self.receiver.forget();
        let mut sending = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let mut client = Client::connect(self.receiver.address, None).await?;
            let body = body.clone();
            sending.spawn(async move {
                for _ in 0..messages / CONNECTIONS {
                    client.post(LIVE, body.clone()).await?.expect(200)?;
                }
                Result::<()>::Ok(())
            });
        }
        while let Some(sent) = sending.join_next().await {
            sent??;
        }
        let arrived = self.receiver.arrived();
        Ok(Drain {
            messages: arrived.messages,
            seconds: arrived.seconds(),
            server_seconds: f64::NAN,
            resident_kib: 0,
        })
    }

    async fn signatures(&self, report: &mut Report) -> Result<()> {
        for (algorithm, event) in &ALGORITHMS[1..] {
            progress(&format!("{}: messages signed with {algorithm}", self.database));
            self.signed_listeners(algorithm, event).await?;
            let events = self.scaled(200);
            let mut rounds = Vec::new();
            for _ in 0..self.benchmark.options.rounds.min(3) {
                rounds.push(self.drain(event, events, events * LISTENERS, true).await?);
            }
            self.add(report, algorithm, crate::SERVER, rounds);
        }
        Ok(())
    }

    /// The list of offerings, asked for at a steady pace: alone, and while messages go out.
    async fn beside(&self, report: &mut Report) -> Result<()> {
        progress(&format!("{}: {BESIDE} while messages go out", self.database));
        // Another name, so that this case can be run without the others.
        let event = "ci.create";
        self.listeners(event, None).await?;
        let seconds = u64::from(self.benchmark.options.seconds);
        // More than can go out while the list is asked for.
        let events = 750 * seconds;
        let (mut idle, mut delivering, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.benchmark.options.rounds {
            idle.push(self.ask(seconds).await?);
            let drain = self.drain(event, events, events * LISTENERS, false);
            let ask = async {
                while self.receiver.arrived().first.is_none() {
                    sleep(POLL).await;
                }
                let (before, begun) = (self.receiver.arrived().messages, Instant::now());
                let asked = self.ask(seconds).await?;
                let messages = self.receiver.arrived().messages - before;
                let has_more = before + messages < events * LISTENERS;
                expect_equal(
                    "messages went out to the end",
                    (messages > 0, has_more),
                    (true, true),
                )?;
                let seconds = begun.elapsed().as_secs_f64();
                let resident_kib = asked.resident_kib;
                let sent = Drain { messages, seconds, server_seconds: f64::NAN, resident_kib };
                Result::<(Round, Drain)>::Ok((asked, sent))
            };
            self.receiver.forget();
            let (asked, drained) = tokio::join!(ask, drain);
            drained?;
            let (asked, drain) = asked?;
            delivering.push(asked);
            sent.push(drain);
        }
        report.add(Measurement::new(self.database, BESIDE, IDLE, idle));
        report.add(Measurement::new(self.database, BESIDE, DELIVERING, delivering));
        self.add(report, UNSIGNED, BESIDE_REQUESTS, sent);
        Ok(())
    }

    /// Asks for the list so many times a second, whether or not the last answer has come, and measures
    /// from when it was to be asked.
    async fn ask(&self, seconds: u64) -> Result<Round> {
        const CLIENTS: u64 = 4;
        let mut asking = JoinSet::new();
        for _ in 0..CLIENTS {
            let mut client = self.client().await?;
            let mut due = interval(Duration::from_micros(1_000_000 * CLIENTS / ASKED_PER_SECOND));
            asking.spawn(async move {
                let mut took = Vec::new();
                for _ in 0..seconds * ASKED_PER_SECOND / CLIENTS {
                    let asked = due.tick().await;
                    client.get(LIST).await?.expect(200)?;
                    took.push(asked.elapsed().as_micros() as u64);
                }
                Result::<Vec<u64>>::Ok(took)
            });
        }
        let mut all = Vec::new();
        while let Some(took) = asking.join_next().await {
            all.extend(took??);
        }
        all.sort_unstable();
        Ok(Round {
            requests: all.len() as u64,
            requests_per_second: all.len() as f64 / seconds as f64,
            p50_microseconds: all[all.len() / 2],
            p99_microseconds: all[all.len() * 99 / 100],
            resident_kib: self.process.resident_kib()?,
        })
    }

    /// 10,000 events, each to 10 of 100 webhooks; the same with one of each 10 never answering.
    async fn dead_ends(&self, report: &mut Report) -> Result<()> {
        progress(&format!("{}: {DEAD_ENDS}, beside dead ends", self.database));
        self.verify(DEAD).await?;
        let mut dead = Vec::new();
        for reference in 0..REFERENCES {
            let limited = json!({"app_offering_references": [format!("wdc_bench_{reference}")]});
            for _ in 1..PER_REFERENCE {
                self.hook(LIVE, EVENT_OF_DEAD_ENDS, limited.clone()).await?;
            }
            dead.push(self.hook(DEAD, EVENT_OF_DEAD_ENDS, limited).await?);
        }
        let events = self.scaled(10_000);
        let messages = events * (PER_REFERENCE - 1);
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..self.benchmark.options.rounds.min(2) {
            self.switch(&dead, false).await?;
            alone.push(self.drain(EVENT_OF_DEAD_ENDS, events, messages, false).await?);
            self.switch(&dead, true).await?;
            beside.push(self.drain(EVENT_OF_DEAD_ENDS, events, messages, false).await?);
        }
        self.switch(&dead, false).await?;
        self.add(report, DEAD_ENDS, ALONE, alone);
        self.add(report, DEAD_ENDS, BESIDE_DEAD_ENDS, beside);
        Ok(())
    }

    async fn switch(&self, webhooks: &[u64], on: bool) -> Result<()> {
        for id in webhooks {
            let body = json!({"disabled": !on}).to_string();
            self.client().await?.patch(&format!("{WEBHOOKS}/{id}"), body).await?.expect(200)?;
        }
        Ok(())
    }
}
