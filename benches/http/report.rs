//! Medians, ratios, and what the targets make of them.

use std::fmt;

use serde::Serialize;

use crate::{
    BARE, SERVER,
    cases::Case,
    database::Database,
    deliveries::BARE_SENDER,
    load::Round,
    packages::{BARE_MD5, OFFERING},
    peers::Peer,
};

/// What one target did in one case, round by round.
#[derive(Serialize)]
pub struct Measurement {
    pub database: Database,
    pub case: String,
    pub target: String,
    requests_per_second: f64,
    p50_microseconds: f64,
    p99_microseconds: f64,
    resident_kib: u64,
    rounds: Vec<Round>,
}

impl Measurement {
    pub fn new(database: Database, case: &str, target: &str, rounds: Vec<Round>) -> Self {
        let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            database,
            case: case.to_owned(),
            target: target.to_owned(),
            requests_per_second: of(|round| round.requests_per_second),
            p50_microseconds: of(|round| round.p50_microseconds as f64),
            p99_microseconds: of(|round| round.p99_microseconds as f64),
            resident_kib: rounds.iter().map(|round| round.resident_kib).max().unwrap_or(0),
            rounds,
        }
    }

    /// The median of the quotients of each round: a machine that slows down slows both sides.
    fn quotient(&self, other: &Self, figure: fn(&Round) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(pairs.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

/// Names of the cases as they are printed.
pub fn case_name(case: Case) -> &'static str {
    match case {
        Case::List => "list of 20",
        Case::Get => "get one",
        Case::Filtered => "filtered, sorted",
        Case::Create => "create",
        Case::Scale => "pages",
        Case::Package => "get package",
        Case::Children => "with children",
        Case::Collection => "20 applications",
        Case::Tree => "tree of files",
        Case::SmallFiles => "1 KiB files",
        Case::LargeFiles => "32 MiB files",
        Case::Uploads => CROWD,
        Case::NewPackage => "create package",
        Case::Deliveries => UNSIGNED,
        Case::Signatures => "signatures",
        Case::Beside => BESIDE,
        Case::DeadEnds => DEAD_ENDS,
        Case::Document => "a document",
        Case::Startup => "start-up",
    }
}

pub const PAGES: [&str; 2] = ["first page", "last page"];

/// Files up and down.
pub const SMALL: [&str; 2] = ["1 KiB up", "1 KiB down"];
pub const LARGE: [&str; 2] = ["32 MiB up", "32 MiB down"];
/// As many large files at once as a client sends.
pub const CROWD: &str = "32 uploads";

/// Messages as they are, and signed with the algorithm that most use.
pub const UNSIGNED: &str = "unsigned";
pub const SIGNED: &str = "es256";
/// The list of offerings, while nothing else is to be done and while messages go out.
pub const BESIDE: &str = "list of 20";
pub const IDLE: &str = "appmarket, idle";
pub const DELIVERING: &str = "appmarket, delivering";
/// 90 webhooks, alone and beside 10 that never answer.
pub const DEAD_ENDS: &str = "90 webhooks";
pub const ALONE: &str = "appmarket";
/// Messages that go out while the list is asked for.
pub const BESIDE_REQUESTS: &str = "appmarket, beside lists";
pub const BESIDE_DEAD_ENDS: &str = "appmarket, 10 dead ends";

/// A backlog of messages that went out.
#[derive(Clone, Debug, Serialize)]
pub struct Drain {
    pub messages: u64,
    /// From the arrival of the first to that of the last one.
    pub seconds: f64,
    /// Time of processors that the server spent, of the database's none.
    pub server_seconds: f64,
    /// The most that was resident meanwhile.
    pub resident_kib: u64,
}

impl Drain {
    fn per_second(&self) -> f64 {
        self.messages as f64 / self.seconds
    }

    fn microseconds_each(&self) -> f64 {
        self.server_seconds * 1e6 / self.messages as f64
    }
}

/// Backlogs of one kind, round by round.
#[derive(Serialize)]
pub struct Deliveries {
    pub database: Database,
    pub case: String,
    pub target: String,
    pub rounds: Vec<Drain>,
}

impl Deliveries {
    fn median(&self, figure: fn(&Drain) -> f64) -> f64 {
        median(self.rounds.iter().map(figure).collect())
    }

    fn quotient(&self, other: &Self, figure: fn(&Drain) -> f64) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(pairs.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
    }

    fn resident_mib(&self) -> f64 {
        self.rounds.iter().map(|round| round.resident_kib).max().unwrap_or(0) as f64 / 1024.0
    }
}

/// How long starts took, to the first answer.
#[derive(Serialize)]
pub struct Startup {
    pub database: Database,
    pub milliseconds: Vec<f64>,
}

#[derive(Default)]
pub struct Report {
    measurements: Vec<Measurement>,
    deliveries: Vec<Deliveries>,
    starts: Vec<Startup>,
}

/// A target of the product, and what was measured.
#[derive(Serialize)]
pub struct Verdict {
    what: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
    measured: Option<f64>,
    met: Option<bool>,
}

impl Verdict {
    fn at_least(limit: f64, measured: Option<f64>, what: String) -> Self {
        let met = measured.map(|value| value >= limit);
        Self { what, at_least: Some(limit), at_most: None, measured, met }
    }

    fn at_most(limit: f64, measured: Option<f64>, what: String) -> Self {
        let met = measured.map(|value| value <= limit);
        Self { what, at_least: None, at_most: Some(limit), measured, met }
    }
}

impl Report {
    pub fn add(&mut self, measurement: Measurement) {
        self.measurements.push(measurement);
    }

    pub fn add_deliveries(&mut self, deliveries: Deliveries) {
        self.deliveries.push(deliveries);
    }

    pub fn add_startup(&mut self, startup: Startup) {
        self.starts.push(startup);
    }

    pub fn starts(&self) -> &[Startup] {
        &self.starts
    }

    pub fn is_empty(&self) -> bool {
        self.measurements.is_empty() && self.deliveries.is_empty() && self.starts.is_empty()
    }

    pub fn measurements(&self) -> &[Measurement] {
        &self.measurements
    }

    pub fn deliveries(&self) -> &[Deliveries] {
        &self.deliveries
    }

    fn drained(&self, database: Database, case: &str, target: &str) -> Option<&Deliveries> {
        self.deliveries
            .iter()
            .find(|it| it.database == database && it.case == case && it.target == target)
    }

    fn find(&self, database: Database, case: &str, target: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| {
            measurement.database == database
                && measurement.case == case
                && measurement.target == target
        })
    }

    fn speed(&self, database: Database, case: &str, of: &str) -> Option<f64> {
        let ours = self.find(database, case, SERVER)?;
        let theirs = self.find(database, case, of)?;
        Some(ours.quotient(theirs, |round| round.requests_per_second))
    }

    /// How much slower the grown list is: the other target of a page case is the ungrown server.
    fn slowdown(&self, database: Database, page: &str) -> Option<f64> {
        let small = self.find(database, page, SERVER)?;
        let grown = self.measurements.iter().find(|measurement| {
            measurement.database == database
                && measurement.case == page
                && measurement.target != SERVER
        })?;
        Some(grown.quotient(small, |round| round.p50_microseconds as f64))
    }

    /// The most memory that the server had while it was read from.
    fn memory_mib(&self, database: Database) -> Option<f64> {
        let cases = [Case::List, Case::Get, Case::Filtered].map(case_name);
        let reads = self.measurements.iter().filter(|measurement| {
            measurement.database == database
                && measurement.target == SERVER
                && cases.contains(&measurement.case.as_str())
        });
        reads.map(|measurement| measurement.resident_kib as f64 / 1024.0).reduce(f64::max)
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let shares = [(Database::Sqlite, 0.09, 0.18), (Database::Postgres, 0.045, 0.10)];
        for (database, list, get) in shares {
            let fastify = Peer::Fastify.label(database);
            let mut faster = |case, limit, than: &str| {
                let what = format!("{database}, {}: speed of {than}", case_name(case));
                let speed = self.speed(database, case_name(case), than);
                verdicts.push(Verdict::at_least(limit, speed, what));
            };
            faster(Case::List, list, BARE);
            faster(Case::Get, get, BARE);
            faster(Case::List, 1.0, fastify);
            faster(Case::Get, 1.0, fastify);
            faster(Case::Create, 1.0, fastify);
            for page in PAGES {
                let what = format!("{database}, {page}: p50 at 1,000,000 to 10,000 offerings");
                verdicts.push(Verdict::at_most(1.3, self.slowdown(database, page), what));
            }
        }
        let what = "SQLite, reads: resident memory in MiB".to_owned();
        verdicts.push(Verdict::at_most(64.0, self.memory_mib(Database::Sqlite), what));
        verdicts.extend(
            [Database::Sqlite, Database::Postgres]
                .iter()
                .flat_map(|database| self.verdicts_of_packages(*database)),
        );
        verdicts.extend(self.verdicts_of_deliveries());
        for database in [Database::Sqlite, Database::Postgres] {
            let case = case_name(Case::Document);
            let what = format!("{database}, {case}: speed of {BARE}");
            verdicts.push(Verdict::at_least(0.9, self.speed(database, case, BARE), what));
            let starts = self.starts.iter().find(|it| it.database == database);
            let took = starts.map(|it| median(it.milliseconds.clone()));
            let what = format!("{database}, {}: milliseconds", case_name(Case::Startup));
            verdicts.push(Verdict::at_most(150.0, took, what));
        }
        verdicts
    }

    fn verdicts_of_deliveries(&self) -> Vec<Verdict> {
        let database = Database::Postgres;
        let mut verdicts = Vec::new();
        for (case, limit) in [(UNSIGNED, 2_000.0), (SIGNED, 1_000.0)] {
            let drained = self.drained(database, case, SERVER);
            let speed = drained.map(|it| it.median(Drain::per_second));
            let what = format!("{database}, {case}: messages per second");
            verdicts.push(Verdict::at_least(limit, speed, what));
            let memory = drained.map(Deliveries::resident_mib);
            let what = format!("{database}, {case}: resident memory in MiB");
            verdicts.push(Verdict::at_most(128.0, memory, what));
        }
        let pair = self.find(database, BESIDE, DELIVERING).zip(self.find(database, BESIDE, IDLE));
        let slower = pair.map(|(ours, idle)| ours.quotient(idle, |it| it.p99_microseconds as f64));
        let what = format!("{database}, {BESIDE}: p99 while messages go out to idle");
        verdicts.push(Verdict::at_most(2.0, slower, what));
        let alone = self.drained(database, DEAD_ENDS, ALONE);
        let pair = self.drained(database, DEAD_ENDS, BESIDE_DEAD_ENDS).zip(alone);
        let slower = pair.map(|(ours, alone)| ours.quotient(alone, |it| it.seconds));
        let what = format!("{database}, {DEAD_ENDS}: time beside 10 dead ends to alone");
        // What two runs of the same differ by.
        verdicts.push(Verdict::at_most(1.1, slower, what));
        verdicts
    }

    fn write_deliveries(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = None;
        for deliveries in &self.deliveries {
            let Deliveries { database, case, target, .. } = deliveries;
            if shown != Some(database) {
                shown = Some(database);
                writeln!(
                    f,
                    "\n{database:<17} {:<27} {:>9} {:>8} {:>8} {:>8} {:>8}",
                    "deliveries", "per s", "seconds", "CPU µs", "RSS MiB", "of bare"
                )?;
            }
            let bare = self.drained(*database, case, BARE_SENDER);
            let share = bare.map_or_else(String::new, |bare| {
                format!("{:.3}", deliveries.quotient(bare, Drain::per_second))
            });
            writeln!(
                f,
                "{case:<17} {target:<27} {:>9} {:>8.2} {:>8.0} {:>8.1} {share:>8}",
                rate(deliveries.median(Drain::per_second)),
                deliveries.median(|round| round.seconds),
                deliveries.median(Drain::microseconds_each),
                deliveries.resident_mib(),
            )?;
        }
        Ok(())
    }

    fn verdicts_of_packages(&self, database: Database) -> Vec<Verdict> {
        let [up, down] = LARGE;
        let faster = |limit, case: &str, than: &str| {
            let what = format!("{database}, {case}: speed of {than}");
            Verdict::at_least(limit, self.speed(database, case, than), what)
        };
        let crowd = self.find(database, CROWD, SERVER);
        let crowd = crowd.map(|measurement| measurement.resident_kib as f64 / 1024.0);
        let what = format!("{database}, {CROWD} at once: resident memory in MiB");
        vec![
            faster(1.0, case_name(Case::Package), OFFERING),
            // The answer to an upload has the MD5 in it; without it nothing could be answered.
            faster(0.8, up, BARE_MD5),
            faster(0.8, down, BARE),
            Verdict::at_most(96.0, crowd, what),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = None;
        for measurement in &self.measurements {
            let Measurement { database, case, target, .. } = measurement;
            if shown != Some(database) {
                shown = Some(database);
                writeln!(
                    f,
                    "\n{database:<17} {:<27} {:>9} {:>8} {:>8} {:>8} {:>8}",
                    "", "req/s", "p50 ms", "p99 ms", "RSS MiB", "of bare"
                )?;
            }
            let bare = self.find(*database, case, BARE);
            let share = bare.map_or_else(String::new, |bare| {
                format!("{:.3}", measurement.quotient(bare, |round| round.requests_per_second))
            });
            writeln!(
                f,
                "{case:<17} {target:<27} {:>9} {:>8.2} {:>8.2} {:>8.1} {share:>8}",
                rate(measurement.requests_per_second),
                measurement.p50_microseconds / 1000.0,
                measurement.p99_microseconds / 1000.0,
                measurement.resident_kib as f64 / 1024.0,
            )?;
        }
        self.write_deliveries(f)?;
        writeln!(f, "\n{:<62} {:>11} {:>9}", "Targets", "", "measured")?;
        for verdict in self.verdicts() {
            let limit = match (verdict.at_least, verdict.at_most) {
                (Some(limit), _) => format!("at least {limit}"),
                (None, Some(limit)) => format!("at most {limit}"),
                (None, None) => String::new(),
            };
            let measured = verdict.measured.map_or_else(String::new, |it| format!("{it:.3}"));
            let met = match verdict.met {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "not measured",
            };
            writeln!(f, "{:<59} {limit:>14} {measured:>9}  {met}", verdict.what)?;
        }
        Ok(())
    }
}

/// A rate as it is printed: a low one with a decimal.
fn rate(per_second: f64) -> String {
    if per_second < 100.0 { format!("{per_second:.1}") } else { grouped(per_second.round() as u64) }
}

/// 1234567 as 1,234,567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
