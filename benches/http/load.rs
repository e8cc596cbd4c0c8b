//! One round of load: wrk against one server.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
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
    /// Creates offerings instead of reading: prefix of the names, and their service instance.
    pub create: Option<(String, u64)>,
    pub seconds: u32,
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
#[derive(Deserialize)]
struct Printed {
    requests: u64,
    microseconds: u64,
    p50: u64,
    p99: u64,
    refused: u64,
    broken: u64,
    late: u64,
}

impl Load {
    pub fn new(cores: Cores, folder: &Path) -> Result<Self> {
        let script = folder.join("load.lua");
        std::fs::write(&script, include_str!("load.lua"))?;
        Ok(Self { script, cores })
    }

    pub async fn run(&self, server: &Process, shot: &Shot<'_>) -> Result<Round> {
        let mut wrk = pinned(self.cores.load, "wrk");
        wrk.args(["--threads", "1", "--timeout", "30s"])
            .args(["--connections", &CONNECTIONS.to_string()])
            .args(["--duration", &format!("{}s", shot.seconds)])
            .args(["--header", &format!("Authorization: Bearer {}", shot.token)])
            .arg("--script")
            .arg(&self.script)
            .arg(url(server.address, shot.path));
        if let Some((prefix, service_instance)) = &shot.create {
            wrk.arg("--").arg(prefix).arg(service_instance.to_string());
        }
        let mut child = wrk.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut resident_kib = server.resident_kib()?;
        while child.try_wait()?.is_none() {
            tokio::time::sleep(SAMPLE_EVERY).await;
            resident_kib = resident_kib.max(server.resident_kib()?);
        }
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rfind(|line| line.starts_with('{'));
        let line = line.ok_or_else(|| format!("wrk ended without a result: {text}"))?;
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
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}
