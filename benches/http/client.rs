//! A small HTTP client for preparing, checking and large files; the rest of the load comes from wrk.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Result;

/// One connection that is kept open.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    token: Option<String>,
    encoding: Option<&'static str>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub async fn connect(address: SocketAddr, token: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, address, token: token.map(str::to_owned), encoding: None })
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    /// What it answers to those who unpack gzip, as it is.
    pub async fn get_packed(&mut self, path: &str) -> Result<Answer> {
        self.encoding = Some("gzip");
        let answer = self.get(path).await;
        self.encoding = None;
        answer
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        self.ask(Method::POST, path, body.into()).await
    }

    pub async fn patch(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        self.ask(Method::PATCH, path, body.into()).await
    }

    async fn ask(&mut self, method: Method, path: &str, body: Bytes) -> Result<Answer> {
        let (parts, body) = self.send(method, path, body).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// How many bytes a good answer has. They are not kept.
    pub async fn count(&mut self, method: Method, path: &str, body: Bytes) -> Result<u64> {
        let mut response = self.send(method, path, body).await?;
        let mut length = 0;
        while let Some(frame) = response.body_mut().frame().await {
            length += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        match response.status() {
            StatusCode::OK => Ok(length),
            other => Err(format!("{path}: {other}").into()),
        }
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Appmarket benchmark");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(encoding) = self.encoding {
            request = request.header(header::ACCEPT_ENCODING, encoding);
        }
        self.sender.ready().await?;
        Ok(self.sender.send_request(request.body(Full::new(body))?).await?)
    }
}

impl Answer {
    /// The answer itself, unless its status is another one than `status`.
    pub fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let body = String::from_utf8_lossy(&self.body);
        Err(format!("expected {status}, got {}: {body}", self.status).into())
    }

    pub fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    pub fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).ok_or_else(|| format!("the answer has no {name}"))?;
        Ok(value.to_str()?)
    }

    pub fn total(&self) -> Result<u64> {
        Ok(self.header("X-Pagination-Total-Entries")?.parse()?)
    }
}
