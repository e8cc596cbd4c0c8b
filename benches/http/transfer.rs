//! Load of large files, which wrk could only count by rounds that end in the middle of one.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Args;
use http::Method;
use tokio::task::JoinSet;

use crate::{Result, client::Client, load::Printed};

/// Bytes of a large file.
pub const LARGE: usize = 32 * 1024 * 1024;

#[derive(Args, Debug)]
pub struct Transfer {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    path: String,
    #[arg(long)]
    token: String,
    /// Sends the file instead of fetching it.
    #[arg(long)]
    upload: bool,
    #[arg(long)]
    connections: u32,
    /// No file is begun later than this.
    #[arg(long)]
    seconds: u64,
}

/// The bytes of a large file: the same in every run, and none that compress well.
pub fn content() -> Bytes {
    let next = |state: &mut u32| {
        // xorshift
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        Some(*state)
    };
    let mut state = 1;
    let words = std::iter::from_fn(|| next(&mut state)).take(LARGE / 4);
    words.flat_map(u32::to_le_bytes).collect::<Vec<_>>().into()
}

impl Transfer {
    /// Prints what `load.lua` prints.
    pub async fn run(self) -> Result<()> {
        let (method, body) = match self.upload {
            true => (Method::POST, content()),
            false => (Method::GET, Bytes::new()),
        };
        let started = Instant::now();
        let limit = Duration::from_secs(self.seconds);
        let mut running = JoinSet::new();
        for _ in 0..self.connections {
            let mut client = Client::connect(self.address, Some(&self.token)).await?;
            let (method, path, body) = (method.clone(), self.path.clone(), body.clone());
            running.spawn(async move {
                let mut took = Vec::new();
                while took.is_empty() || started.elapsed() < limit {
                    let begun = Instant::now();
                    let length = client.count(method.clone(), &path, body.clone()).await?;
                    if body.is_empty() && length != LARGE as u64 {
                        return Err(format!("{path}: {length} bytes").into());
                    }
                    took.push(u64::try_from(begun.elapsed().as_micros())?);
                }
                Result::<_>::Ok(took)
            });
        }
        let mut took = Vec::new();
        while let Some(done) = running.join_next().await {
            took.extend(done??);
        }
        let microseconds = u64::try_from(started.elapsed().as_micros())?;
        took.sort_unstable();
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
        let requests = took.len() as u64;
        let printed =
            Printed { requests, microseconds, p50: at(50), p99: at(99), ..Printed::default() };
        println!("{}", serde_json::to_string(&printed)?);
        Ok(())
    }
}
