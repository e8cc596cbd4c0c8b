//! Reads from PostgreSQL: a few connections, each of which many requests use at once (the protocol
//! pipelines: no request waits for the round trip of another). On one connection the server answers in
//! turn, so those for quick reads are kept clear of the scans.
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::row::{Param, Query, Row};
use crate::kernel::error::{Error, Result};
use crate::kernel::tls;

/// Statements kept prepared on one connection; the lists that users really ask for are fewer.
const STATEMENTS: usize = 200;

/// Connections for reading.
#[derive(Clone)]
pub struct Readers(Arc<Inner>);

struct Inner {
    config: Config,
    tls: MakeRustlsConnect,
    quick: Ring,
    /// Empty when there is one connection only.
    scans: Ring,
}

/// Connections that are used in turn. Few: the more requests share one, the fewer times the server's
/// processes take turns on its processors.
struct Ring {
    slots: Vec<Slot>,
    next: AtomicUsize,
}

impl Ring {
    fn new(connections: u32) -> Self {
        let slots = (0..connections).map(|_| Slot::default()).collect();
        Self { slots, next: AtomicUsize::new(0) }
    }

    fn turn(&self) -> &Slot {
        &self.slots[self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()]
    }
}

/// A place for a connection; a lost one is replaced on next use.
#[derive(Default)]
struct Slot(AsyncMutex<Option<Arc<Session>>>);

struct Session {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Readers {
    /// Connects to the server; the other connections follow when they are needed.
    pub(super) async fn connect(url: &str, connections: u32) -> Result<Self> {
        let (config, roots) = configure(url)?;
        let readers = Self(Arc::new(Inner {
            config,
            tls: MakeRustlsConnect::new(tls::client(roots)?),
            quick: Ring::new(connections.div_ceil(2)),
            scans: Ring::new(connections / 2),
        }));
        readers.0.session(false).await?;
        Ok(readers)
    }

    pub(super) async fn fetch<A, F>(&self, query: Query, mut gathered: A, mut each: F) -> Result<A>
    where
        F: FnMut(&mut A, &dyn Row),
    {
        let session = self.0.session(query.scans).await?;
        let statement = session.prepare(&query.sql).await?;
        let params = query.params.iter().map(|param| param as &(dyn ToSql + Sync));
        let rows = session.client.query_raw(&statement, params).await.map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            each(&mut gathered, &row);
        }
        Ok(gathered)
    }
}

impl Inner {
    /// The next connection in turn, connected anew when it was lost.
    async fn session(&self, scans: bool) -> Result<Arc<Session>> {
        let ring = if scans && !self.scans.slots.is_empty() { &self.scans } else { &self.quick };
        let mut slot = ring.turn().0.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(session.clone());
        }
        let (client, connection) = self
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|e| Error::Unavailable(Arc::new(e)))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "a database connection was lost");
            }
        });
        // Other requests share the connection; none may hold it for long.
        client.batch_execute("SET statement_timeout = '20s'").await.map_err(failed)?;
        let session = Arc::new(Session { client, statements: Mutex::default() });
        *slot = Some(session.clone());
        Ok(session)
    }
}

impl Session {
    async fn prepare(&self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(failed)?;
        let mut statements = self.statements.lock();
        if statements.len() >= STATEMENTS {
            // Rare: somebody tries hundreds of filters. Start over rather than grow.
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// A lost connection or a query that took too long means "try again"; anything else is unforeseen.
fn failed(error: tokio_postgres::Error) -> Error {
    let stopped = error.code() == Some(&SqlState::QUERY_CANCELED);
    if stopped || error.is_closed() {
        Error::Unavailable(Arc::new(error))
    } else {
        Error::internal(error)
    }
}

/// The driver's configuration and the certificates to trust, from a URL as libpq takes it.
/// `sslrootcert` names a file of certificates; without it the public authorities are trusted.
fn configure(url: &str) -> Result<(Config, rustls::RootCertStore)> {
    let invalid = |text: &str| Error::internal(format!("database_url: {text}"));
    let mut address = url::Url::parse(url).map_err(|_| invalid("is not a URL"))?;
    let mut roots = rustls::RootCertStore::empty();
    let mut kept = Vec::new();
    for (name, value) in address.query_pairs().into_owned() {
        match name.as_str() {
            "sslrootcert" => {
                let authorities = tls::authorities(Path::new(&value))
                    .map_err(|problem| invalid(&format!("sslrootcert: {value}: {problem}")))?;
                for authority in authorities {
                    roots.add(authority).map_err(Error::internal)?;
                }
            }
            // This driver verifies whenever it encrypts.
            "sslmode" if value.starts_with("verify-") => kept.push((name, "require".to_owned())),
            "statement-cache-capacity" => {}
            _ => kept.push((name, value)),
        }
    }
    if roots.is_empty() {
        roots = tls::public_authorities();
    }
    address.set_query(None);
    if !kept.is_empty() {
        // `options=-csearch_path=…` needs blanks as %20, which form encoding would write as `+`.
        let pairs = kept.iter().map(|(name, value)| {
            let encode = |text| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
            };
            format!("{}={}", name, encode(value))
        });
        address.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
    }
    let mut config: Config = address.as_str().parse().map_err(Error::internal)?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    config.application_name("appmarket");
    Ok((config, roots))
}

impl ToSql for Param {
    fn to_sql(
        &self,
        column: &tokio_postgres::types::Type,
        out: &mut bytes::BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Int(value) => value.to_sql(column, out),
            Self::Text(value) => value.to_sql(column, out),
            Self::Bool(value) => value.to_sql(column, out),
        }
    }

    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        // Columns are bigint, text and boolean; SQL that compares anything else is ours to mend.
        true
    }

    tokio_postgres::types::to_sql_checked!();
}
