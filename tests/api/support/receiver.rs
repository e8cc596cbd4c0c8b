//! A real HTTP server on this machine that keeps what it is sent and answers as it is told.
//!
//! It runs on a thread of its own, so that tests with and without a runtime may use it.
#![allow(dead_code, reason = "not every suite that has a receiver uses all of it")]
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::oneshot;

/// Longest wait for a request, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells what is wrong with a request.
pub type Check = fn(&Received) -> Vec<String>;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// When its last byte had come.
    pub at: Instant,
}

impl Received {
    /// The body, which must be JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The text of a header; panics when it is missing.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("{}: no header {name}", self.path)).to_str().unwrap()
    }
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer with an empty body.
    Status(u16),
    /// An answer with headers and a body.
    Full(u16, Vec<(&'static str, String)>, Bytes),
    /// The same after a while.
    After(Duration, Box<Reply>),
    /// Never an answer, on an open connection.
    Hang,
    /// The connection is closed without an answer.
    Close,
    /// The head of an answer and a part of its body, then the connection is closed.
    CutOff,
    /// An answer of so many bytes.
    Endless(u64),
}

type Answer = dyn Fn(&Received) -> Reply + Send + Sync;

struct Shared {
    check: Check,
    /// What it found.
    problems: Mutex<Vec<String>>,
    received: Mutex<Vec<Received>>,
    arrived: Condvar,
    answer: Mutex<Arc<Answer>>,
}

impl Shared {
    fn received(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server; it ends when it is dropped.
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Dropping it ends the server.
    _stop: oneshot::Sender<Infallible>,
}

impl Receiver {
    /// Answers 200 until it is told otherwise.
    pub fn of_anything() -> Self {
        Self::checked_by(|_| Vec::new())
    }

    /// The same; the test fails in the end when the check found problems with any request.
    pub fn checked_by(check: Check) -> Self {
        let shared = Arc::new(Shared {
            check,
            problems: Mutex::default(),
            received: Mutex::default(),
            arrived: Condvar::new(),
            answer: Mutex::new(Arc::new(|_: &Received| Reply::Status(200))),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = shared.clone();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { shared, address, _stop: stop }
    }

    /// An address on it, `http://127.0.0.1:port` with this path behind.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on answers what this makes of a request.
    pub fn answer(&self, answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *self.shared.answer.lock().unwrap() = Arc::new(answer);
    }

    /// From now on answers all alike.
    pub fn reply(&self, reply: Reply) {
        self.answer(move |_| reply.clone());
    }

    /// All requests so far, in the order in which they arrived.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received().clone()
    }

    /// All requests so far, which are forgotten.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received())
    }

    /// Waits until so many requests have arrived in all, and returns all. Blocks its thread: in a test
    /// with a runtime, the service must run on another.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let (received, waited) = self
            .shared
            .arrived
            .wait_timeout_while(self.shared.received(), PATIENCE, |all| all.len() < count)
            .unwrap();
        assert!(!waited.timed_out(), "{} requests arrived, not {count}", received.len());
        received.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let problems = self.shared.problems.lock().unwrap_or_else(PoisonError::into_inner);
        // A test that fails already says why.
        assert!(problems.is_empty() || std::thread::panicking(), "{}", problems.join("\n"));
    }
}

async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            drop(stream.set_nodelay(true));
            let service = service_fn(|request| respond(request, shared.clone()));
            // Connections that are closed early are meant to be.
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            drop(connection.await);
        });
    }
}

async fn respond(
    request: http::Request<Incoming>,
    shared: Arc<Shared>,
) -> io::Result<http::Response<Content>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let received = Received {
        method: head.method,
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers,
        body,
        at: Instant::now(),
    };
    // Before anything is answered, so that it is known when the test ends.
    let found = std::panic::catch_unwind(|| (shared.check)(&received))
        .unwrap_or_else(|_| vec![format!("this is no message: {received:?}")]);
    shared.problems.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut reply = answer(&received);
    shared.received().push(received);
    shared.arrived.notify_all();
    while let Reply::After(pause, then) = reply {
        tokio::time::sleep(pause).await;
        reply = *then;
    }
    let (status, headers, content) = match reply {
        Reply::Status(status) => (status, Vec::new(), Content::Whole(Bytes::new())),
        Reply::Full(status, headers, body) => (status, headers, Content::Whole(body)),
        Reply::Hang => std::future::pending().await,
        Reply::Close | Reply::After(..) => return Err(io::Error::other("closed")),
        Reply::CutOff => (200, Vec::new(), Content::CutOff(None)),
        Reply::Endless(bytes) => (200, Vec::new(), Content::Endless(bytes)),
    };
    let mut response = http::Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(content).unwrap())
}

/// The body of an answer.
enum Content {
    Whole(Bytes),
    /// Once the part that comes has come: until when the connection stays, so that the part arrives.
    CutOff(Option<Pin<Box<tokio::time::Sleep>>>),
    /// Bytes to come.
    Endless(u64),
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        const CHUNK: usize = 64 * 1024;
        let next = match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Self::CutOff(Some(end)) => {
                std::task::ready!(end.as_mut().poll(context));
                Some(Err(io::Error::other("cut off")))
            }
            Self::CutOff(end) => {
                *end = Some(Box::pin(tokio::time::sleep(Duration::from_millis(100))));
                Some(Ok(Bytes::from_static(b"half of")))
            }
            Self::Endless(0) => None,
            Self::Endless(left) => {
                let length = CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK));
                *left -= length as u64;
                Some(Ok(Bytes::from(vec![b'x'; length])))
            }
        };
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }
}
