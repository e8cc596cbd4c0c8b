//! One round of load against one server: by wrk, or, for large files, by this program itself.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    process::{Cores, Process, pinned},
};

pub const CONNECTIONS: u32 = 64;

/// Looks at the memory this often while the load runs.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

pub struct Load {
    script: PathBuf,
    cores: Cores,
}

/// What is asked for.
pub struct Shot<'a> {
    pub path: &'a str,
    pub token: &'a str,
    pub work: &'a Work,
    /// Makes what this round posts different from what others do.
    pub number: u32,
    pub seconds: u32,
}

/// How it is asked for.
#[derive(Clone, Debug)]
pub enum Work {
    /// The same GET over and over.
    Get,
    /// The same, for an answer packed with gzip.
    GetPacked,
    /// POST of this body; each `@unique@` of it and of the path is another text every time.
    Post(String),
    /// One large file after the other, over this many connections.
    Download(u32),
    /// The same in the other direction.
    Upload(u32),
}

/// One round.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    pub requests: u64,
    pub requests_per_second: f64,
    pub p50_microseconds: u64,
    pub p99_microseconds: u64,
    /// The most that was resident while the load ran.
    pub resident_kib: u64,
}

/// What `load.lua` prints.
#[derive(Default, Deserialize, Serialize)]
pub struct Printed {
    pub requests: u64,
    pub microseconds: u64,
    pub p50: u64,
    pub p99: u64,
    pub refused: u64,
    pub broken: u64,
    pub late: u64,
}

impl Load {
    pub fn new(cores: Cores, folder: &Path) -> Result<Self> {
        let script = folder.join("load.lua");
        std::fs::write(&script, include_str!("load.lua"))?;
        Ok(Self { script, cores })
    }

    pub async fn run(&self, server: &Process, shot: &Shot<'_>) -> Result<Round> {
        let mut load = match shot.work {
            Work::Get | Work::GetPacked | Work::Post(_) => self.wrk(server.address, shot),
            Work::Download(connections) => self.transfer(server.address, shot, *connections)?,
            Work::Upload(connections) => {
                let mut load = self.transfer(server.address, shot, *connections)?;
                load.arg("--upload");
                load
            }
        };
        let mut child = load.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut resident_kib = server.resident_kib()?;
        while child.try_wait()?.is_none() {
            tokio::time::sleep(SAMPLE_EVERY).await;
            resident_kib = resident_kib.max(server.resident_kib()?);
        }
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rfind(|line| line.starts_with('{'));
        let line = line.ok_or_else(|| format!("the load ended without a result: {text}"))?;
        let printed: Printed = serde_json::from_str(line)?;
        let bad = printed.refused + printed.broken + printed.late;
        if bad > 0 {
            return Err(format!("{}: not every answer was good: {line}", shot.path).into());
        }
        // Nobody was answered: all of them waited for as long as the round lasted.
        let waited = if printed.requests == 0 { printed.microseconds } else { 0 };
        Ok(Round {
            requests: printed.requests,
            requests_per_second: printed.requests as f64 * 1e6 / printed.microseconds as f64,
            p50_microseconds: printed.p50.max(waited),
            p99_microseconds: printed.p99.max(waited),
            resident_kib,
        })
    }

    fn wrk(&self, address: SocketAddr, shot: &Shot<'_>) -> Command {
        let mut wrk = pinned(self.cores.load, "wrk");
        wrk.args(["--threads", "1", "--timeout", "30s"])
            .args(["--connections", &CONNECTIONS.to_string()])
            .args(["--duration", &format!("{}s", shot.seconds)])
            .args(["--header", &format!("Authorization: Bearer {}", shot.token)]);
        if let Work::GetPacked = shot.work {
            wrk.args(["--header", "Accept-Encoding: gzip"]);
        }
        wrk.arg("--script").arg(&self.script).arg(format!("http://{address}{}", shot.path));
        if let Work::Post(body) = shot.work {
            wrk.args(["--", shot.path, body, &shot.number.to_string()]);
        }
        wrk
    }

    fn transfer(&self, address: SocketAddr, shot: &Shot<'_>, connections: u32) -> Result<Command> {
        let mut load = pinned(self.cores.load, std::env::current_exe()?);
        load.args(["transfer", "--address", &address.to_string()])
            .args(["--path", shot.path, "--token", shot.token])
            .args(["--connections", &connections.to_string()])
            .args(["--seconds", &shot.seconds.to_string()]);
        Ok(load)
    }
}
