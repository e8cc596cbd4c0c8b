//! The server under test, driven as a user would: by its command line and over HTTP.

use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    Participant, Result,
    cases::{self, LIST, offering},
    client::Client,
    database::{Place, connect},
    process::{Cores, POLL, Process, free_address, pinned},
};

/// Demo data has this account.
pub const ACCOUNT: &str = "wdc";

/// High enough never to be reached, so that the limiter works on every request and refuses none.
const RATE_LIMITS: [(&str, &str); 4] = [
    ("APPMARKET_RATE_LIMIT_PER_HOUR", "1000000000"),
    ("APPMARKET_RATE_LIMIT_BURST", "1000000000"),
    ("APPMARKET_PACKAGE_RATE_LIMIT_PER_HOUR", "1000000000"),
    ("APPMARKET_PACKAGE_RATE_LIMIT_BURST", "1000000000"),
];

const SEEDING_CONNECTIONS: u64 = 16;

const GROWING_BATCH: usize = 1000;

pub struct Server {
    pub binary: PathBuf,
    pub cores: Cores,
}

/// What is known of a server's data once it is filled.
#[derive(Clone)]
pub struct Known {
    token: String,
    service_instance: u64,
    item: u64,
}

impl Server {
    /// Fills an empty place through the server itself, up to this many offerings.
    pub async fn fill(&self, place: &Place, offerings: u64) -> Result<Known> {
        let process = self.launch(place).await?;
        let token = self.token(place)?;
        let mut client = Client::connect(process.address, Some(&token)).await?;
        let demo = client.get(LIST).await?.expect(200)?;
        let service_instance = demo.json()?[0]["service_instance"]["id"].as_u64();
        let service_instance = service_instance.ok_or("there is no demo offering")?;
        post_all(process.address, &token, demo.total()? + 1..=offerings, 201, move |number| {
            (LIST.to_owned(), offering(number, service_instance).to_string().into())
        })
        .await?;
        // The first connection has been idle for so long that the server may have closed it.
        let mut client = Client::connect(process.address, Some(&token)).await?;
        let middle = format!("{LIST}?per_page=1&page={}", offerings / 2);
        let item = client.get(&middle).await?.expect(200)?.json()?[0]["id"].as_u64();
        process.stop().await?;
        Ok(Known { token, service_instance, item: item.ok_or("the list is empty")? })
    }

    pub async fn start(&self, place: &Place, known: &Known, label: &str) -> Result<Participant> {
        let Known { token, service_instance, item } = known.clone();
        let process = self.launch(place).await?;
        Ok(Participant { label: label.to_owned(), process, token, service_instance, item })
    }

    pub async fn launch(&self, place: &Place) -> Result<Process> {
        self.launch_watched(place, POLL).await
    }

    /// The same, asked `every` so often whether it is ready.
    pub async fn launch_watched(&self, place: &Place, every: Duration) -> Result<Process> {
        let address = free_address()?;
        let mut command = pinned(self.cores.server, &self.binary);
        command.args(["serve", "--listen", &address.to_string()]).arg("--data").arg(&place.folder);
        configure(&mut command, place);
        let log = place.folder.with_extension("log");
        Process::start_watched(command, address, "/readyz", log, every).await
    }

    /// A personal access token.
    pub fn token(&self, place: &Place) -> Result<String> {
        let printed = self.command(place, &["token", "create", "--account", ACCOUNT])?;
        Ok(printed["token"].as_str().ok_or("`token create` printed no token")?.to_owned())
    }

    /// What a command of the server prints.
    pub fn command(&self, place: &Place, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).args(["--json", "--data"]).arg(&place.folder);
        configure(&mut command, place);
        let output = command.output()?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{command:?}: {}\n{error}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// Posts what `request` makes of these numbers, path and body, over some connections at once.
pub async fn post_all<F>(
    address: SocketAddr,
    token: &str,
    numbers: RangeInclusive<u64>,
    status: u16,
    request: F,
) -> Result<()>
where
    F: Fn(u64) -> (String, Bytes) + Clone + Send + 'static,
{
    let next = Arc::new(AtomicU64::new(*numbers.start()));
    let last = *numbers.end();
    let mut posting = JoinSet::new();
    for _ in 0..SEEDING_CONNECTIONS {
        let mut client = Client::connect(address, Some(token)).await?;
        let (next, request) = (Arc::clone(&next), request.clone());
        posting.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number > last {
                    return Result::<()>::Ok(());
                }
                let (path, body) = request(number);
                client.post(&path, body).await?.expect(status)?;
            }
        });
    }
    while let Some(done) = posting.join_next().await {
        done??;
    }
    Ok(())
}

/// Only what the benchmark means to set: settings of the caller's own shell stay out.
fn configure(command: &mut Command, place: &Place) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("APPMARKET_") {
            command.env_remove(name);
        }
    }
    command.envs(RATE_LIMITS);
    // The receivers of messages are on this machine.
    command.env("APPMARKET_OUTGOING_ALLOW", r#"["loopback"]"#);
    if let Some(url) = &place.url {
        command.env("APPMARKET_DATABASE_URL", url.as_str());
    }
}

/// The figures are to be those of the whole product: nothing may be switched off.
pub async fn check(participant: &Participant) -> Result<()> {
    let address = participant.process.address;
    Client::connect(address, None).await?.get(LIST).await?.expect(401)?;
    let list = participant.client().await?.get(LIST).await?.expect(200)?;
    for header in ["Cache-Control", "ETag", "X-RateLimit-Limit", "X-Request-Id", "X-Runtime"] {
        list.header(header)?;
    }
    Ok(())
}

/// Adds copies of one offering by SQL until there are `to`; the server must not be running.
pub async fn grow(place: &Place, known: &Known, from: u64, to: u64) -> Result<()> {
    match &place.url {
        None => {
            let connection = place.sqlite()?;
            // A million rows that can be made again need no care for a power cut.
            connection.pragma_update(None, "synchronous", "OFF")?;
            // Generated columns are `hidden` and cannot be written.
            let mut statement = connection
                .prepare("SELECT name FROM pragma_table_xinfo('app_offerings') WHERE hidden = 0")?;
            let columns = statement.query_map([], |row| row.get(0))?;
            let columns = columns.collect::<Result<Vec<String>, _>>()?;
            drop(statement);
            for batch in batches(&columns, known.item, from, to) {
                connection.execute_batch(&batch)?;
            }
            connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
        }
        Some(url) => {
            let client = connect(url).await?;
            let columns = "SELECT column_name::text FROM information_schema.columns
                WHERE table_name = 'app_offerings' AND is_generated = 'NEVER'
                AND table_schema = current_schema()";
            let columns = client.query(columns, &[]).await?;
            let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
            for batch in batches(&columns, known.item, from, to) {
                client.batch_execute(&batch).await?;
            }
            // What autovacuum does some time after so many inserts.
            client.batch_execute("VACUUM ANALYZE").await?;
        }
    }
    Ok(())
}

/// Statements for both databases: every column as it is, the unique texts numbered. Each is a
/// transaction of its own, so that rows which a trigger updates do not pile up dead versions.
fn batches(columns: &[String], template: u64, from: u64, to: u64) -> impl Iterator<Item = String> {
    let columns: Vec<_> = columns.iter().filter(|column| *column != "id").collect();
    let values: Vec<_> = columns
        .iter()
        .map(|column| match column.as_str() {
            "name" => "'Bench offering ' || substr('' || (10000000 + i), 2)".to_owned(),
            "reference" => "'wdc_bench_offering_' || substr('' || (10000000 + i), 2)".to_owned(),
            other => format!("t.\"{other}\""),
        })
        .collect();
    let columns =
        columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
    let values = values.join(", ");
    (from..to).step_by(GROWING_BATCH).map(move |done| {
        let last = to.min(done + GROWING_BATCH as u64);
        format!(
            "WITH RECURSIVE n (i) AS (SELECT {} UNION ALL SELECT i + 1 FROM n WHERE i < {last})
            INSERT INTO app_offerings ({columns})
            SELECT {values} FROM n, app_offerings t WHERE t.id = {template}",
            done + 1
        )
    })
}

/// First and last page say how many there are, and the last one is the last.
pub async fn check_pages(participant: &Participant, offerings: u64) -> Result<[String; 2]> {
    let pages = offerings.div_ceil(20);
    let paths = [format!("{LIST}?page=1"), format!("{LIST}?page={pages}")];
    let mut client = participant.client().await?;
    for path in &paths {
        let page = client.get(path).await?.expect(200)?;
        cases::expect_equal("total", page.total()?, offerings)?;
        let total_pages = page.header("X-Pagination-Total-Pages")?.parse()?;
        cases::expect_equal("pages", total_pages, pages)?;
        let rows = page.json()?.as_array().map_or(0, Vec::len) as u64;
        let is_last = *path == paths[1];
        let expected = if is_last { offerings - 20 * (pages - 1) } else { 20 };
        cases::expect_equal("rows of the page", rows, expected)?;
        let has_next = page.header("Link")?.contains("rel=\"next\"");
        cases::expect_equal("a next page", has_next, !is_last)?;
    }
    Ok(paths)
}
