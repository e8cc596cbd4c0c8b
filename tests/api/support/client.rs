//! Requests as sentences, and answers that must be looked at.
use std::io::Read;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::contract;

/// Sends requests on behalf of somebody.
#[derive(Clone)]
pub struct Client {
    router: Router,
    authorization: Option<String>,
    headers: Vec<(String, String)>,
}

/// What came back, already checked against the document.
#[must_use = "an answer that nobody looks at proves nothing"]
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    request: String,
}

impl Client {
    pub fn new(router: Router, authorization: Option<String>) -> Self {
        Self { router, authorization, headers: Vec::new() }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Vec::new()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body.to_string().into_bytes()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, body.to_string().into_bytes()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, body.to_string().into_bytes()).await
    }

    /// Any method, any bytes.
    pub async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(&method).uri(path);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in &self.headers {
            // As bytes: a value may be more than ASCII.
            request = request.header(name, value.as_bytes());
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let mut bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let is_packed = parts.headers.get("content-encoding").is_some_and(|it| it == "gzip");
        // The answer to HEAD has the header and nothing to unpack.
        if is_packed && !bytes.is_empty() {
            let packed = std::mem::take(&mut bytes);
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        }
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
            request: format!("{method} {path}"),
        };
        contract::check(&method, &self.documented(&method, path), &answer);
        answer
    }

    /// The path as the document has it: what is on the host of an account is there below `/accounts`.
    fn documented(&self, method: &Method, path: &str) -> String {
        let host = self.headers.iter().find(|(name, _)| name == "host");
        let host = host.map(|(_, host)| host.split(':').next().unwrap().to_ascii_lowercase());
        let account = host.as_deref().and_then(|host| host.strip_suffix(".example.test"));
        let page = account.map(|account| format!("/accounts/{account}{path}"));
        let page = page.filter(|page| contract::operation(method, page).is_some());
        page.unwrap_or_else(|| path.to_owned())
    }
}

impl Answer {
    /// Demands a status and returns the JSON body (`Null` when there is none).
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        let Self { request, bytes, .. } = &self;
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(self.status.as_u16(), status, "{request} answered {text}");
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(bytes).unwrap() }
    }

    /// The text of a header; panics when it is missing.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("{}: no header {name}", self.request)).to_str().unwrap()
    }

    /// The bytes as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }
}
