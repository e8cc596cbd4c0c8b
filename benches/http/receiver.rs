//! Who messages are sent to: an HTTP server of this process that answers at once, and counts.

use std::{
    collections::HashSet,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::Result;

/// Where messages are answered.
pub const LIVE: &str = "/live";
/// Where nothing but a verification is.
pub const DEAD: &str = "/dead";

/// What has arrived at [`LIVE`] since it was last asked to forget.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    pub messages: u64,
    pub signed: u64,
    /// Messages that had arrived before.
    pub repeated: u64,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
}

impl Arrived {
    pub fn seconds(&self) -> f64 {
        let took = self.first.zip(self.last).map(|(first, last)| last - first);
        took.unwrap_or_default().as_secs_f64()
    }
}

#[derive(Default)]
struct State {
    arrived: Arrived,
    deliveries: HashSet<String>,
    /// What the last verification is to be answered with.
    callback: Option<String>,
}

pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, &shared));
                    // Who gives a dead end up closes the connection: no more comes of it.
                    let _ = stream.set_nodelay(true);
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, state })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn arrived(&self) -> Arrived {
        self.state.lock().arrived.clone()
    }

    pub fn forget(&self) {
        *self.state.lock() = State::default();
    }

    /// The address that the last verification has asked to call.
    pub fn callback(&self) -> Option<String> {
        self.state.lock().callback.take()
    }
}

async fn answer(
    request: Request<Incoming>,
    state: &Mutex<State>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Ok(status(StatusCode::BAD_REQUEST));
    };
    let body = body.to_bytes();
    let delivery = head.headers.get("x-xurrent-delivery").and_then(|id| id.to_str().ok());
    // Of all messages only verifications have it.
    let callback = || {
        let message: Value = serde_json::from_slice(&body).ok()?;
        Some(message["payload"]["callback"].as_str()?.to_owned())
    };
    if let Some(callback) = callback() {
        state.lock().callback = Some(callback);
        return Ok(status(StatusCode::OK));
    }
    if head.uri.path() == DEAD {
        return std::future::pending().await;
    }
    let now = Instant::now();
    let mut state = state.lock();
    let is_new = delivery.is_none_or(|id| state.deliveries.insert(id.to_owned()));
    let arrived = &mut state.arrived;
    arrived.messages += u64::from(is_new);
    arrived.repeated += u64::from(!is_new);
    arrived.signed += u64::from(body.starts_with(br#"{"jwt":"#));
    arrived.first.get_or_insert(now);
    arrived.last = Some(now);
    Ok(status(StatusCode::OK))
}

fn status(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}
