//! The only way out to addresses that users give: webhooks, subscriptions.
//!
//! An address is checked when it is stored ([`Guard::check_url`]), and every address that its host
//! leads to is checked when a connection is made: the connection goes to an address that was checked,
//! without asking the name again. So a name cannot be public when it is stored and private when it is
//! called. Redirects are answers like any other, proxies of the environment are not used.
mod failure;
mod guard;
pub mod network;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use percent_encoding::percent_decode_str;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::kernel::config::Config;
use crate::kernel::error::{Error, Result};
use crate::kernel::tls;

pub use self::failure::Failure;
pub use self::guard::{Credentials, Guard, Refused};

/// Connections to one host that wait for the next call.
const IDLE_PER_HOST: usize = 16;
/// How long they wait. Less than the 5 seconds after which many servers close them, so that no call
/// runs into a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// What an exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From looking up the name to the last byte that is read.
    pub timeout: Duration,
    /// Bytes of the answer's body that are kept; what is longer is cut there.
    pub response_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), response_bytes: 64 * 1024 }
    }
}

/// An answer, whatever its status: redirects and errors too.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, up to [`Limits::response_bytes`].
    pub body: Bytes,
    /// Whether the body went on behind that, or broke off, or did not end in time. The connection was closed.
    pub is_cut: bool,
    /// From looking up the name to the last byte that was read.
    pub duration: Duration,
    /// Who answered.
    pub address: SocketAddr,
}

/// Calls addresses that users gave. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Outgoing {
    guard: Arc<Guard>,
    client: reqwest::Client,
}

impl Outgoing {
    /// A way out as the configuration allows it (`outgoing_allow`, `outgoing_ca_file`), with names
    /// looked up as the machine does.
    ///
    /// # Errors
    /// When the file of certificates cannot be used.
    pub fn new(config: &Config) -> Result<Self> {
        Self::with_names(config, Arc::new(Machine))
    }

    /// The same, with names looked up elsewhere.
    ///
    /// # Errors
    /// When the file of certificates cannot be used.
    pub fn with_names(config: &Config, names: Arc<dyn Resolve>) -> Result<Self> {
        let guard = Arc::new(Guard::new(config.outgoing_allow.clone()));
        let mut trusted = tls::public_authorities();
        if let Some(file) = &config.outgoing_ca_file {
            let authorities = tls::authorities(file).map_err(|problem| {
                Error::internal(format!("outgoing_ca_file: {}: {problem}", file.display()))
            })?;
            for authority in authorities {
                trusted.add(authority).map_err(Error::internal)?;
            }
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client(trusted)?)
            .dns_resolver(Checked { guard: guard.clone(), names })
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE)
            // An attempt to connect may outlive the call that began it; not for long.
            .connect_timeout(Limits::default().timeout)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { guard, client })
    }

    /// What may be called.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a request and reads its answer: as soon as its head has come, its status counts, however much of
    /// the body follows. `user:password@` in its address becomes HTTP Basic, unless
    /// the request has `Authorization`.
    ///
    /// # Errors
    /// Says why there is no answer. An answer that says no is none of these.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Delivered, Failure> {
        let begun = Instant::now();
        let (head, body) = request.into_parts();
        let text = head.uri.to_string();
        let mut url =
            self.guard.check_url(&text, Credentials::Allowed).map_err(Failure::NotAllowed)?;
        let mut headers = head.headers;
        if let Some(basic) = basic(&mut url)
            && !headers.contains_key(AUTHORIZATION)
        {
            headers.insert(AUTHORIZATION, basic);
        }
        let mut outgoing = reqwest::Request::new(head.method, url);
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = Some(body.into());
        let end = tokio::time::Instant::now() + limits.timeout;
        let response = tokio::time::timeout_at(end, self.client.execute(outgoing)).await;
        let mut response =
            response.map_err(|_| Failure::Timeout(limits.timeout))?.map_err(Failure::of)?;
        let mut body = BytesMut::new();
        let is_cut = async {
            while let Ok(chunk) = response.chunk().await {
                let Some(chunk) = chunk else { return false };
                let free = limits.response_bytes - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(free)]);
                if chunk.len() > free {
                    break;
                }
            }
            true
        };
        // The status is there and counts, whatever becomes of the body.
        let is_cut = tokio::time::timeout_at(end, is_cut).await.unwrap_or(true);
        Ok(Delivered {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
            is_cut,
            duration: begun.elapsed(),
            address: response.remote_addr().ok_or(Failure::Other)?,
        })
    }
}

/// Takes the credentials out of an address, as the value of `Authorization`.
pub fn basic(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [
        decoded(url.username()).as_slice(),
        decoded(url.password().unwrap_or_default()).as_slice(),
    ]
    .join(&b':');
    // An address with a host can be without credentials.
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Names as the machine looks them up.
struct Machine;

impl Resolve for Machine {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// Gives out only addresses that may be called.
struct Checked {
    guard: Arc<Guard>,
    names: Arc<dyn Resolve>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let host = name.as_str().to_owned();
        let found = self.names.resolve(name);
        Box::pin(async move {
            let found = found.await.map_err(failure::Unresolved)?;
            let mut refused = None;
            let mut checked = Vec::new();
            for address in found {
                match guard.place(address.ip()) {
                    None => checked.push(address),
                    Some(place) => refused = Some(place),
                }
            }
            match refused {
                Some(place) if checked.is_empty() => Err(Refused::Place { host, place }.into()),
                None if checked.is_empty() => {
                    Err(failure::Unresolved(io::Error::other("no address").into()).into())
                }
                _ => Ok(Box::new(checked.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests;
