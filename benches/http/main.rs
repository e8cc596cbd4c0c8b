//! Speed and memory of the server, beside a bare axum handler and beside other frameworks.
//! `benches/README.md` says how to run this and how to read what it prints.

use std::{
    error::Error,
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::{
    cases::{Case, LIST, expect_equal, named_offering},
    client::Client,
    database::{Database, Place, Postgres},
    load::{CONNECTIONS, Load, Round, Shot},
    peers::Peer,
    process::{Cores, Process, busy_share, free_address, is_installed, pinned},
    report::{Measurement, PAGES, Report, case_name, grouped},
    server::Server,
};

mod bare;
mod cases;
mod client;
mod database;
mod load;
mod peers;
mod process;
mod report;
mod server;

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
        default_values = ["list", "get", "filtered", "scale", "create"]
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

    /// One round of one second, and 50,000 offerings instead of 1,000,000: whether it works at all
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
    if let Some(Role::Bare(bare)) = options.role {
        return bare.serve().await;
    }
    let benchmark = Benchmark::new(options)?;
    let mut report = Report::default();
    let outcome = benchmark.run(&mut report).await;
    // What was measured before something went wrong is worth seeing too.
    if !report.measurements().is_empty() {
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
        let parent = self.folder.path().join(database.to_string());
        let wants = |case| self.options.cases.contains(&case);
        let mut places = Vec::new();

        progress(&format!("{database}: filling the server"));
        let place = Place::new("server", &parent, postgres).await?;
        let known = self.server.fill(&place, self.offerings).await?;
        // The copy has to be taken while nobody uses the original.
        let grown = if wants(Case::Scale) {
            progress(&format!("{database}: growing a copy to {}", grouped(self.grown)));
            let grown = place.copy("grown", postgres).await?;
            server::grow(&grown, &known, self.offerings, self.grown).await?;
            Some(grown)
        } else {
            None
        };
        let server = self.server.start(&place, &known, SERVER).await?;
        server::check(&server).await?;
        places.push(place);

        let mut participants = vec![server];
        for &peer in &self.peers {
            progress(&format!("{database}: filling {}", peer.label(database)));
            let place = Place::new(peer.name(), &parent, postgres).await?;
            participants.push(peer.start(database, &place, self.offerings, self.cores).await?);
            places.push(place);
        }
        for participant in &participants {
            let checked = cases::check(participant, self.offerings).await;
            checked.map_err(|error| format!("{}: {error}", participant.label))?;
        }

        for case in [Case::List, Case::Get, Case::Filtered] {
            if wants(case) {
                let bare = self.bare(case, &participants[0], &parent).await?;
                let all = std::iter::once(&bare).chain(&participants);
                self.measure(database, case, all.collect(), report).await?;
            }
        }
        if let Some(place) = grown {
            let label = format!("{SERVER}, {} offerings", grouped(self.grown));
            let grown = self.server.start(&place, &known, &label).await?;
            self.measure_pages(database, &participants[0], &grown, report).await?;
            grown.process.stop().await?;
            places.push(place);
        }
        // Last, because it changes how many offerings there are.
        if wants(Case::Create) {
            let bare = self.bare(Case::Create, &participants[0], &parent).await?;
            let mut before = Vec::new();
            for participant in &participants {
                before.push(participant.total().await?);
            }
            let all = std::iter::once(&bare).chain(&participants);
            let sent = self.measure(database, Case::Create, all.collect(), report).await?;
            for ((participant, before), sent) in participants.iter().zip(before).zip(&sent[1..]) {
                self.check_created(participant, before, *sent).await?;
            }
        }

        for participant in participants {
            participant.process.stop().await?;
        }
        for place in &places {
            if let Some(postgres) = postgres {
                postgres.drop(place).await?;
            }
            fs::remove_dir_all(&place.folder)?;
        }
        Ok(())
    }

    /// A bare handler that answers what the server answers in this case.
    async fn bare(&self, case: Case, server: &Participant, folder: &Path) -> Result<Participant> {
        let mut client = server.client().await?;
        let path = case.path(server.item);
        let answer = match case {
            Case::Create => {
                let body = named_offering("Bench model", server.service_instance);
                client.post(&path, &body).await?.expect(201)?
            }
            _ => client.get(&path).await?.expect(200)?,
        };
        let body = folder.join("bare.json");
        fs::write(&body, &answer.body)?;
        let address = free_address()?;
        let mut command = pinned(self.cores.server, std::env::current_exe()?);
        command.args(["bare", "--listen", &address.to_string(), "--body"]).arg(&body);
        let process = Process::start(command, address, LIST, folder.join("bare.log")).await?;
        // It must be the same bytes: everything else is measured against it.
        if case != Case::Create {
            let same = Client::connect(address, None).await?.get(&path).await?.expect(200)?;
            expect_equal("what the bare handler answers", same.body, answer.body)?;
        }
        Ok(Participant {
            label: BARE.to_owned(),
            process,
            token: server.token.clone(),
            service_instance: server.service_instance,
            item: server.item,
        })
    }

    /// One case, all targets; hands back how many requests each of them answered.
    async fn measure(
        &self,
        database: Database,
        case: Case,
        targets: Vec<&Participant>,
        report: &mut Report,
    ) -> Result<Vec<u64>> {
        let name = case_name(case);
        progress(&format!("{database}: {name}"));
        let creates = case == Case::Create;
        let shots: Vec<_> =
            targets.iter().map(|target| (*target, case.path(target.item))).collect();
        let (measured, answered) = self.take_turns(&shots, creates).await?;
        for (target, rounds) in targets.iter().zip(measured) {
            report.add(Measurement::new(database, name, &target.label, rounds));
        }
        Ok(answered)
    }

    /// The first and the last page of the list, as it is and grown.
    async fn measure_pages(
        &self,
        database: Database,
        small: &Participant,
        grown: &Participant,
        report: &mut Report,
    ) -> Result<()> {
        progress(&format!("{database}: pages"));
        let small_paths = server::check_pages(small, self.offerings).await?;
        let grown_paths = server::check_pages(grown, self.grown).await?;
        let mut shots = Vec::new();
        for (small_path, grown_path) in small_paths.into_iter().zip(grown_paths) {
            shots.extend([(small, small_path), (grown, grown_path)]);
        }
        let (measured, _) = self.take_turns(&shots, false).await?;
        for (index, ((target, _), rounds)) in shots.iter().zip(measured).enumerate() {
            report.add(Measurement::new(database, PAGES[index / 2], &target.label, rounds));
        }
        Ok(())
    }

    /// Rounds in which the targets take turns, so that all of them see the same machine. Hands back
    /// the rounds, and the number of answers including those of the warming up.
    async fn take_turns(
        &self,
        shots: &[(&Participant, String)],
        creates: bool,
    ) -> Result<(Vec<Vec<Round>>, Vec<u64>)> {
        let mut measured = vec![Vec::new(); shots.len()];
        let mut answered = vec![0; shots.len()];
        // Round 0 warms up: caches, prepared statements, just-in-time compilers.
        for number in 0..=self.options.rounds {
            for (index, (target, path)) in shots.iter().enumerate() {
                let create = creates.then(|| (format!("Round {number}"), target.service_instance));
                let seconds = if number == 0 { 1 } else { self.options.seconds };
                let shot = Shot { path, token: &target.token, create, seconds };
                let round = self.load.run(&target.process, &shot).await;
                let round = round.map_err(|error| {
                    format!("{}: {error}\n{}", target.label, target.process.last_words())
                })?;
                answered[index] += round.requests;
                if number > 0 {
                    measured[index].push(round);
                }
            }
        }
        Ok((measured, answered))
    }

    /// Every acknowledged offering is there; wrk leaves the last request of a connection uncounted.
    async fn check_created(&self, target: &Participant, before: u64, answered: u64) -> Result<()> {
        let created = target.total().await? - before;
        let uncounted = u64::from((self.options.rounds + 1) * CONNECTIONS);
        if (answered..=answered + uncounted).contains(&created) {
            return Ok(());
        }
        let label = &target.label;
        Err(format!("{label}: acknowledged {answered} offerings and has {created} more").into())
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
            "measurements": report.measurements(),
            "targets": report.verdicts(),
        }))
    }
}

fn progress(text: &str) {
    eprintln!("{text}");
}
