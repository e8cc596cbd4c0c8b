//! Child processes: pinned to a core, ended with the benchmark, their memory read from `/proc`.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

use crate::{Result, client::Client};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How often a server is asked whether it is ready.
pub const POLL: Duration = Duration::from_millis(50);

/// Which core serves and which one sends; `None` leaves it to the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cores {
    pub server: Option<usize>,
    pub load: Option<usize>,
}

impl Cores {
    /// The first two cores this process may use, when there are two and `taskset` can pin to them.
    pub fn detect() -> Result<Self> {
        let allowed = allowed_cores("self")?;
        match allowed[..] {
            [server, load, ..] if is_installed("taskset") => {
                Ok(Self { server: Some(server), load: Some(load) })
            }
            _ => Ok(Self::default()),
        }
    }
}

/// The cores a process may run on: `Cpus_allowed_list` reads like `0-2,5`.
pub fn allowed_cores(pid: &str) -> Result<Vec<usize>> {
    let list = status_line(pid, "Cpus_allowed_list:")?;
    let mut cores = Vec::new();
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse()?..=last.parse::<usize>()?);
    }
    Ok(cores)
}

fn status_line(pid: &str, key: &str) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(key));
    Ok(value.ok_or_else(|| format!("/proc/{pid}/status has no {key}"))?.trim().to_owned())
}

/// How much of all cores is in use for this long, before the benchmark itself does anything.
pub fn busy_share(window: Duration) -> Result<f64> {
    let times = || -> Result<Vec<u64>> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().unwrap_or_default();
        Ok(line.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>()?)
    };
    let before = times()?;
    std::thread::sleep(window);
    let spent = times()?.iter().zip(&before).map(|(now, then)| now - then).collect::<Vec<_>>();
    let [_user, _nice, _system, idle, waiting, ..] = spent[..] else {
        return Err("/proc/stat has another form than expected".into());
    };
    let total = spent.iter().sum::<u64>().max(1);
    Ok(1.0 - (idle + waiting) as f64 / total as f64)
}

pub fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// `program` on one core; `taskset` replaces itself, so the process id stays the program's own.
pub fn pinned(core: Option<usize>, program: impl AsRef<Path>) -> Command {
    match core {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &core.to_string()]).arg(program.as_ref());
            command
        }
        None => Command::new(program.as_ref()),
    }
}

/// An address nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A server that runs as long as this value lives.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a server and waits until `ready` answers 200.
    pub async fn start(
        command: Command,
        address: SocketAddr,
        ready: &str,
        log: PathBuf,
    ) -> Result<Self> {
        Self::start_watched(command, address, ready, log, POLL).await
    }

    /// The same, for those who want to know how long it takes: `every` so often it is asked.
    pub async fn start_watched(
        mut command: Command,
        address: SocketAddr,
        ready: &str,
        log: PathBuf,
        every: Duration,
    ) -> Result<Self> {
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut process = Self { address, child, log };
        let started = Instant::now();
        loop {
            if timeout(START_LIMIT, is_ready(address, ready)).await.unwrap_or(false) {
                return Ok(process);
            }
            let ended = process.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START_LIMIT {
                let state = ended.map_or("is not ready".to_owned(), |status| status.to_string());
                return Err(format!("{command:?}: {state}\n{}", process.last_words()).into());
            }
            sleep(every).await;
        }
    }

    pub fn resident_kib(&self) -> Result<u64> {
        let text = status_line(&self.child.id().to_string(), "VmRSS:")?;
        Ok(text.trim_end_matches(" kB").parse()?)
    }

    /// Time that the server has spent on processors so far.
    pub fn spent(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = fs::read_to_string(&path)?;
        // Behind the name of the program, which may have spaces in it: user and system time, in the
        // hundredths of a second that Linux shows on every architecture of today.
        let (_, fields) = text.rsplit_once(')').ok_or_else(|| format!("{path} has no name"))?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        Ok(Duration::from_millis(ticks.sum::<Result<u64, _>>()? * 10))
    }

    /// The end of what the server printed.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines = log.lines().rev().take(20).collect::<Vec<_>>();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Asks the server to end, so that its database is closed and can be copied.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP_LIMIT {
                return Err(format!("the server does not end\n{}", self.last_words()).into());
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

async fn is_ready(address: SocketAddr, path: &str) -> bool {
    match Client::connect(address, None).await {
        Ok(mut client) => client.get(path).await.is_ok_and(|answer| answer.status == 200),
        Err(_) => false,
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell about a failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
