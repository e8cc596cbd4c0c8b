//! What every ratio is taken of: axum answering bytes it already has, or copying a file and no more.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::{Bytes, BytesMut};
use clap::Args;
use futures_util::{StreamExt, stream};
use http::{StatusCode, header};
use md5::{Digest, Md5};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    Result,
    process::{Cores, Process, free_address, pinned},
};

/// Answers when the handler runs.
const READY: &str = "/ready";

/// What file servers read at once.
const PIECE: usize = 64 * 1024;

#[derive(Args, Debug)]
pub struct Bare {
    #[arg(long)]
    listen: SocketAddr,
    /// Path of the handler, as axum's router takes it.
    #[arg(long)]
    route: String,
    /// File with the body of every answer.
    #[arg(long)]
    body: PathBuf,
    /// Status of answers to POST.
    #[arg(long, default_value_t = 200)]
    written: u16,
    /// Reads the body of every answer to GET from its file again.
    #[arg(long)]
    from_file: bool,
    /// Copies the body of every POST to a file in this folder.
    #[arg(long)]
    to_files: Option<PathBuf>,
    /// Computes the MD5 of what is copied.
    #[arg(long)]
    md5: bool,
}

/// Starts a bare handler for `route` that answers `body`; `more` are further options of it.
pub async fn start(
    cores: Cores,
    folder: &Path,
    route: &str,
    body: &[u8],
    more: &[&str],
) -> Result<Process> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("bare-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let file = folder.join(&name);
    std::fs::write(&file, body)?;
    let address = free_address()?;
    let mut command = pinned(cores.server, std::env::current_exe()?);
    command.args(["bare", "--listen", &address.to_string(), "--route", route, "--body"]);
    command.arg(&file).args(more);
    Process::start(command, address, READY, folder.join(name + ".log")).await
}

struct Answers {
    body: Bytes,
    written: StatusCode,
    file: PathBuf,
    to_files: Option<PathBuf>,
    md5: bool,
    copies: AtomicU64,
}

impl Bare {
    pub async fn serve(self) -> Result<()> {
        let answers = Arc::new(Answers {
            body: Bytes::from(std::fs::read(&self.body)?),
            written: StatusCode::from_u16(self.written)?,
            file: self.body,
            to_files: self.to_files,
            md5: self.md5,
            copies: AtomicU64::new(0),
        });
        let handler = match (self.from_file, answers.to_files.is_some()) {
            (true, _) => get(from_file),
            (false, true) => get(from_memory).post(to_file),
            (false, false) => get(from_memory).post(to_nowhere),
        };
        let router = Router::new().route(&self.route, handler).with_state(answers);
        let router = router.route(READY, get(async || "ready"));
        axum::serve(TcpListener::bind(self.listen).await?, router).await?;
        Ok(())
    }
}

impl Answers {
    fn answer(&self, status: StatusCode) -> Response {
        let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        (status, content_type, self.body.clone()).into_response()
    }
}

async fn from_memory(State(answers): State<Arc<Answers>>) -> Response {
    answers.answer(StatusCode::OK)
}

/// Taking the body as an argument makes axum read it to its end first.
async fn to_nowhere(State(answers): State<Arc<Answers>>, _: Bytes) -> Response {
    answers.answer(answers.written)
}

async fn from_file(State(answers): State<Arc<Answers>>) -> Result<Response, StatusCode> {
    let file = File::open(&answers.file).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    let pieces = stream::try_unfold(file, async |mut file| {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok::<_, std::io::Error>((read > 0).then(|| (piece.freeze(), file)))
    });
    Ok(([(header::CONTENT_LENGTH, length)], Body::from_stream(pieces)).into_response())
}

/// The copy is as durable as what the server acknowledges.
async fn to_file(State(answers): State<Arc<Answers>>, body: Body) -> Result<Response, StatusCode> {
    let folder = answers.to_files.as_deref().unwrap_or(Path::new("."));
    let name = answers.copies.fetch_add(1, Ordering::Relaxed).to_string();
    let mut file = File::create(folder.join(name)).await.map_err(failed)?;
    let mut body = body.into_data_stream();
    let mut hash = answers.md5.then(Md5::new);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(failed)?;
        if let Some(hash) = &mut hash {
            hash.update(&piece);
        }
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.sync_all().await.map_err(failed)?;
    let tag = hash.map(|hash| [(header::ETAG, format!("\"{}\"", hex::encode(hash.finalize())))]);
    let mut response = answers.answer(answers.written);
    if let Some(tag) = tag {
        response = (tag, response).into_response();
    }
    Ok(response)
}

fn failed(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}
