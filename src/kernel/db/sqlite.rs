//! Reads from SQLite: prepared statements on connections of their own, inline on the calling thread.
//!
//! An indexed read takes microseconds, less than handing it to another thread would. Queries that
//! may scan a table go to the blocking pool instead, a few at a time.
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::row::{Param, Query, Row};
use crate::kernel::error::{Error, Result};

/// How long a query that scans may take.
const SCAN_LIMIT: Duration = Duration::from_secs(20);

/// Read-only connections to one SQLite file.
#[derive(Clone)]
pub struct Readers(Arc<Inner>);

struct Inner {
    path: String,
    idle: Mutex<Vec<Connection>>,
    scans: Semaphore,
}

impl Readers {
    /// Opens the file, which the writing side has created.
    pub(super) fn open(path: &str) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let inner = Inner {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            scans: Semaphore::new(cores.max(2)),
        };
        let first = inner.connect()?;
        inner.idle.lock().push(first);
        Ok(Self(Arc::new(inner)))
    }

    pub(super) async fn fetch<A, F>(&self, query: Query, gathered: A, each: F) -> Result<A>
    where
        A: Send + 'static,
        F: FnMut(&mut A, &dyn Row) + Send + 'static,
    {
        if query.scans {
            // On the heap, so that quick reads are small.
            Box::pin(self.scan(query, gathered, each)).await
        } else {
            self.0.run(self.0.take()?, &query, gathered, each)
        }
    }

    async fn scan<A, F>(&self, query: Query, gathered: A, each: F) -> Result<A>
    where
        A: Send + 'static,
        F: FnMut(&mut A, &dyn Row) + Send + 'static,
    {
        let inner = self.0.clone();
        let _turn = self.0.scans.acquire().await.map_err(Error::internal)?;
        let connection = self.0.take()?;
        let stop = connection.get_interrupt_handle();
        let scan =
            tokio::task::spawn_blocking(move || inner.run(connection, &query, gathered, each));
        let mut scan = std::pin::pin!(scan);
        match tokio::time::timeout(SCAN_LIMIT, &mut scan).await {
            Ok(done) => done.map_err(Error::internal)?,
            Err(elapsed) => {
                // The query ends at once; its connection goes on to serve others.
                stop.interrupt();
                drop(scan.await);
                Err(Error::Unavailable(Arc::new(elapsed)))
            }
        }
    }
}

impl Inner {
    /// An idle connection, or a new one: as many as threads read at the same time, and they stay.
    fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.connect(),
        }
    }

    fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(Error::internal)?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(Error::internal)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    }

    fn run<A, F>(
        &self,
        connection: Connection,
        query: &Query,
        mut gathered: A,
        mut each: F,
    ) -> Result<A>
    where
        F: FnMut(&mut A, &dyn Row),
    {
        let done = read(&connection, query, |row| each(&mut gathered, row));
        self.idle.lock().push(connection);
        done.map_err(Error::internal)?;
        Ok(gathered)
    }
}

fn read(
    connection: &Connection,
    query: &Query,
    mut each: impl FnMut(&dyn Row),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&query.sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(&query.params))?;
    while let Some(row) = rows.next()? {
        each(row);
    }
    Ok(())
}

impl ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Int(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Bool(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value))),
        })
    }
}
