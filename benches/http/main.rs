//! Speed and memory of the server, beside a bare axum handler and beside other frameworks.
//! `benches/README.md` says how to run this and how to read what it prints.

use std::{
    error::Error,
    fs::{self, File},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::{
    cases::{Case, Family, LIST},
    client::Client,
    database::{Database, Postgres},
    load::{CONNECTIONS, Load, Round, Shot, Work},
    peers::Peer,
    process::{Cores, Process, busy_share, is_installed},
    report::{Measurement, Report},
    server::Server,
    transfer::LARGE,
};

mod bare;
mod cases;
mod client;
mod database;
mod deliveries;
mod load;
mod offerings;
mod packages;
mod peers;
mod process;
mod receiver;
mod report;
mod server;
mod service;
mod transfer;

/// The server has the same allocator, so the bare handler gets it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Names of the targets as they are printed.
const SERVER: &str = "appmarket";
const BARE: &str = "bare axum";

/// Measures the server under load, in one run with a bare axum handler and with its peers
#[derive(Parser, Debug)]
#[command(bin_name = "cargo bench --bench http --", args_conflicts_with_subcommands = true)]
struct Options {
    /// The server's binary
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_appmarket"))]
    server: PathBuf,

    /// A PostgreSQL server on which databases may be created; without it SQLite alone is measured
    #[arg(long, value_name = "URL")]
    postgres: Option<Url>,

    /// Only these databases
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values = ["sqlite", "postgres"])]
    databases: Vec<Database>,

    /// Only these cases
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_values = [
            "list", "get", "filtered", "scale", "create", "package", "children", "collection",
            "tree", "small-files", "large-files", "uploads", "new-package", "deliveries",
            "signatures", "beside", "dead-ends", "document", "startup",
        ]
    )]
    cases: Vec<Case>,

    /// Leave Fastify and FastAPI out
    #[arg(long)]
    no_peers: bool,

    /// Rounds of every case, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    /// Seconds of every round
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,

    /// One round of one second, 50,000 offerings instead of 1,000,000 and 500 applications instead of
    /// 10,000: whether it works at all
    #[arg(long)]
    quick: bool,

    /// Also write everything measured to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// What cargo adds to the arguments of every benchmark
    #[arg(long, hide = true)]
    bench: bool,

    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand, Debug)]
enum Role {
    /// The bare handler, which the benchmark starts for itself
    #[command(hide = true)]
    Bare(bare::Bare),
    /// The load of large files, which it starts too
    #[command(hide = true)]
    Transfer(transfer::Transfer),
}

/// A running server and what is needed to ask it for something.
struct Participant {
    label: String,
    process: Process,
    token: String,
    service_instance: u64,
    /// Id of an offering in the middle of the list.
    item: u64,
}

impl Participant {
    async fn client(&self) -> Result<Client> {
        Client::connect(self.process.address, Some(&self.token)).await
    }

    async fn total(&self) -> Result<u64> {
        self.client().await?.get(LIST).await?.expect(200)?.total()
    }

    fn target(&self, path: String) -> Target<'_> {
        Target::new(&self.label, &self.process, &self.token, path)
    }
}

/// Who is asked for what.
struct Target<'a> {
    label: String,
    process: &'a Process,
    token: String,
    path: String,
    work: Work,
    /// Where large files are left behind.
    leaves: Option<PathBuf>,
}

impl<'a> Target<'a> {
    /// Somebody who is asked for the same again and again.
    fn new(label: &str, process: &'a Process, token: &str, path: String) -> Self {
        let (label, token) = (label.to_owned(), token.to_owned());
        Self { label, process, token, path, work: Work::Get, leaves: None }
    }

    /// Removes the files that a round left, so that the run needs no more room than one round.
    fn clear(&self) -> Result<()> {
        let Some(folder) = &self.leaves else { return Ok(()) };
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.metadata()?.len() >= LARGE as u64 {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    match options.role {
        Some(Role::Bare(bare)) => return bare.serve().await,
        Some(Role::Transfer(transfer)) => return transfer.run().await,
        None => {}
    }
    let benchmark = Benchmark::new(options)?;
    let mut report = Report::default();
    let outcome = benchmark.run(&mut report).await;
    // What was measured before something went wrong is worth seeing too.
    if !report.is_empty() {
        println!("{report}");
    }
    outcome?;
    if benchmark.options.quick {
        println!("A quick run shows that everything works; its figures say nothing about speed.");
    }
    if let Some(path) = &benchmark.options.json {
        serde_json::to_writer_pretty(File::create(path)?, &benchmark.document(&report)?)?;
    }
    Ok(())
}

struct Benchmark {
    options: Options,
    cores: Cores,
    load: Load,
    server: Server,
    peers: Vec<Peer>,
    postgres: Option<Postgres>,
    /// Below `target`, so on a real disk: durable writes are not to be free.
    folder: TempDir,
    offerings: u64,
    grown: u64,
    applications: u64,
}

impl Benchmark {
    fn new(mut options: Options) -> Result<Self> {
        if options.quick {
            (options.rounds, options.seconds) = (1, 1);
        }
        if !options.server.is_file() {
            let path = options.server.display();
            return Err(format!("{path} is missing: run `cargo build --release`").into());
        }
        if !is_installed("wrk") {
            return Err("wrk is missing: run `apt-get install wrk`".into());
        }
        if cfg!(debug_assertions) {
            println!("Note: built without optimisation; a slow bare handler flatters the ratios.");
        }
        let busy = busy_share(Duration::from_secs(1))?;
        if busy > 0.1 {
            println!("Note: the machine is {:.0} % busy with something else.", busy * 100.0);
        }
        let cores = Cores::detect()?;
        if cores.server.is_none() {
            println!("Note: servers and load share their cores (it takes two, and taskset).");
        }
        println!("The peers do less work: no authentication, rate limit, ETag or audit entry.");
        let mut peers = Peer::ALL.to_vec();
        peers.retain(|peer| {
            let is_wanted = !options.no_peers;
            if is_wanted && !peer.is_installed() {
                println!("{peer:?} skipped: run benches/peers/install.sh");
            }
            is_wanted && peer.is_installed()
        });
        if options.postgres.is_none() && options.databases.contains(&Database::Postgres) {
            println!("PostgreSQL skipped: give --postgres URL of a server to create databases on");
        }
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        Ok(Self {
            cores,
            load: Load::new(cores, folder.path())?,
            server: Server { binary: fs::canonicalize(&options.server)?, cores },
            peers,
            postgres: options.postgres.clone().map(Postgres::new),
            folder,
            offerings: 10_000,
            grown: if options.quick { 50_000 } else { 1_000_000 },
            applications: if options.quick { 500 } else { 10_000 },
            options,
        })
    }

    async fn run(&self, report: &mut Report) -> Result<()> {
        if self.options.databases.contains(&Database::Sqlite) {
            self.run_on(Database::Sqlite, None, report).await?;
        }
        if let Some(postgres) = &self.postgres
            && self.options.databases.contains(&Database::Postgres)
        {
            if let Some(core) = self.cores.server
                && postgres.is_pinned_to(core).await? == Some(false)
            {
                println!("Note: PostgreSQL is not pinned; start it with `taskset -c {core}`.");
            }
            self.run_on(Database::Postgres, Some(postgres), report).await?;
        }
        Ok(())
    }

    async fn run_on(
        &self,
        database: Database,
        postgres: Option<&Postgres>,
        report: &mut Report,
    ) -> Result<()> {
        let wants = |family| self.options.cases.iter().any(|case: &Case| case.family() == family);
        if wants(Family::Offerings) {
            self.run_offerings(database, postgres, report).await?;
        }
        if wants(Family::Packages) {
            self.run_packages(database, postgres, report).await?;
        }
        if wants(Family::Deliveries) {
            self.run_deliveries(database, postgres, report).await?;
        }
        if wants(Family::Service) {
            self.run_service(database, postgres, report).await?;
        }
        Ok(())
    }

    /// One case, all targets; hands back how many requests each of them answered.
    async fn measure(
        &self,
        database: Database,
        name: &str,
        targets: &[Target<'_>],
        report: &mut Report,
    ) -> Result<Vec<u64>> {
        progress(&format!("{database}: {name}"));
        let (measured, answered) = self.take_turns(targets).await?;
        for (target, rounds) in targets.iter().zip(measured) {
            report.add(Measurement::new(database, name, &target.label, rounds));
        }
        Ok(answered)
    }

    /// Rounds in which the targets take turns, so that all of them see the same machine. Hands back
    /// the rounds, and the number of answers including those of the warming up.
    async fn take_turns(&self, targets: &[Target<'_>]) -> Result<(Vec<Vec<Round>>, Vec<u64>)> {
        let mut measured = vec![Vec::new(); targets.len()];
        let mut answered = vec![0; targets.len()];
        // Round 0 warms up: caches, prepared statements, just-in-time compilers.
        for number in 0..=self.options.rounds {
            for (index, target) in targets.iter().enumerate() {
                let Target { path, token, work, .. } = target;
                let seconds = if number == 0 { 1 } else { self.options.seconds };
                let shot = Shot { path, token, work, number, seconds };
                let round = self.load.run(target.process, &shot).await;
                let round = round.map_err(|error| {
                    format!("{}: {error}\n{}", target.label, target.process.last_words())
                })?;
                target.clear()?;
                answered[index] += round.requests;
                if number > 0 {
                    measured[index].push(round);
                }
            }
        }
        Ok((measured, answered))
    }

    /// What was acknowledged is there; wrk leaves the last request of a connection uncounted.
    fn check_acknowledged(&self, label: &str, what: &str, answered: u64, there: u64) -> Result<()> {
        let uncounted = u64::from((self.options.rounds + 1) * CONNECTIONS);
        if (answered..=answered + uncounted).contains(&there) {
            return Ok(());
        }
        Err(format!("{label}: acknowledged {answered} {what} and has {there} more").into())
    }

    /// Everything measured, and on what.
    fn document(&self, report: &Report) -> Result<serde_json::Value> {
        let processor = fs::read_to_string("/proc/cpuinfo")?;
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
        let processor = processor.map(|name| name.trim_matches([':', '\t', ' ']));
        Ok(json!({
            "processor": processor,
            "cores": std::thread::available_parallelism()?,
            "pinned": self.cores.server.is_some(),
            "quick": self.options.quick,
            "rounds": self.options.rounds,
            "seconds": self.options.seconds,
            "connections": CONNECTIONS,
            "offerings": self.offerings,
            "grown_offerings": self.grown,
            "applications": self.applications,
            "measurements": report.measurements(),
            "deliveries": report.deliveries(),
            "starts": report.starts(),
            "targets": report.verdicts(),
        }))
    }
}

fn progress(text: &str) {
    eprintln!("{text}");
}
