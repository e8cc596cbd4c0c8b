//! Both databases behind one door.
//!
//! * Reads run on drivers without an ORM between ([`Reader`]): rusqlite inline on the calling thread,
//!   tokio-postgres pipelined. That is 2.5 to 5 times what the ORM reads.
//! * Writes run in a transaction through SeaORM ([`Store::write`]). SQLite has one writer, which puts
//!   all changes that wait into one commit; PostgreSQL commits each for itself and repeats a change
//!   that lost a race.
//! * A read that must see the change it belongs to runs on that change's transaction
//!   ([`Source::Transaction`]), with the same SQL.
mod postgres;
mod row;
mod sqlite;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, Statement,
};
use tokio::sync::watch;

pub use row::{Param, Query, Row};
pub use write::Job;

use crate::kernel::error::{Error, Result};
use crate::kernel::secret::MASK;

/// Which SQL is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded SQLite.
    Sqlite,
    /// PostgreSQL 14 or later.
    Postgres,
}

/// A database that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {address}")]
struct CannotOpen {
    address: String,
    #[source]
    cause: Arc<dyn std::error::Error + Send + Sync>,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub struct Address {
    /// `sqlite:///path` or `postgres://…`.
    pub url: String,
    /// PostgreSQL connections of the writing side; the reading side uses a quarter, pipelined.
    pub connections: u32,
}

/// The database: reads, writes and migrations.
#[derive(Clone)]
pub struct Store {
    dialect: Dialect,
    connection: DatabaseConnection,
    reader: Reader,
    /// Present on SQLite, where all writes pass through one task.
    group: Option<write::GroupCommit>,
    written: watch::Sender<()>,
}

/// The reading side.
#[derive(Clone)]
pub enum Reader {
    /// Embedded.
    Sqlite(sqlite::Readers),
    /// Over the network.
    Postgres(postgres::Readers),
}

/// What a query runs on.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The last committed state.
    Committed(&'a Reader),
    /// The state inside a transaction.
    Transaction(&'a DatabaseTransaction),
}

impl Store {
    /// Connects both sides. An SQLite file is created with its folder when it is missing.
    ///
    /// # Errors
    /// When the file cannot be opened or the server not be reached, with the cause.
    pub async fn connect(address: &Address) -> Result<Self> {
        Self::open(address).await.map_err(|error| {
            let address = public_address(&address.url);
            match error {
                Error::Internal(cause) | Error::Unavailable(cause) => {
                    Error::internal(CannotOpen { address, cause })
                }
                other => other,
            }
        })
    }

    async fn open(address: &Address) -> Result<Self> {
        let options = |connections| {
            let mut options = ConnectOptions::new(address.url.clone());
            options
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(10))
                // Asking a connection whether it lives costs a fifth of all reads.
                .test_before_acquire_if_idle_for(Duration::from_secs(30))
                .sqlx_logging(false);
            options
        };
        if let Some(path) = sqlite_path(&address.url) {
            if let Some(folder) = Path::new(path).parent() {
                std::fs::create_dir_all(folder).map_err(Error::internal)?;
            }
            let mut options = options(1);
            options.map_sqlx_sqlite_opts(|options| {
                use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
                options
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // What was acknowledged survives power loss.
                    .synchronous(SqliteSynchronous::Full)
                    // The command line writes to the same file while the server runs.
                    .busy_timeout(Duration::from_secs(10))
            });
            let connection = connect_patiently(options).await?;
            let reader = Reader::Sqlite(sqlite::Readers::open(path)?);
            let group = Some(write::GroupCommit::start(connection.clone()));
            let written = watch::Sender::new(());
            Ok(Self { dialect: Dialect::Sqlite, connection, reader, group, written })
        } else {
            let readers = address.connections.div_ceil(4).max(1);
            // This side first: it says why a server cannot be reached, the other one just waits.
            let reader = Reader::Postgres(postgres::Readers::connect(&address.url, readers).await?);
            let connection = Database::connect(options(address.connections)).await?;
            let written = watch::Sender::new(());
            Ok(Self { dialect: Dialect::Postgres, connection, reader, group: None, written })
        }
    }

    /// Which SQL this database speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// SeaORM's connection, for migrations and for reads that are not hot. Never while a transaction
    /// is open: SQLite has only this one.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// The reading side.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Reads from the last committed state.
    pub fn committed(&self) -> Source<'_> {
        Source::Committed(&self.reader)
    }

    /// Runs `job` in a transaction and returns its result once that is durable. An `Err` rolls back
    /// everything the job did. The job may run more than once (PostgreSQL asks to repeat a change that
    /// lost a race), so it touches nothing but the transaction.
    ///
    /// # Errors
    /// The job's own, or the database's.
    pub async fn write<C, T>(&self, context: C, job: Job<C, T>) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
    {
        let done = self.write_unheard(context, job).await?;
        self.written.send_replace(());
        Ok(done)
    }

    /// Tells of each [`Store::write`] of this process, once it is durable: there may be something to do.
    pub fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// [`Store::write`] that [`Store::written`] does not tell of: for those who listen to it.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_unheard<C, T>(&self, context: C, job: Job<C, T>) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
    {
        match &self.group {
            Some(group) => group.submit(context, job).await,
            None => {
                let connection = self.connection.clone();
                // In a task of its own: a caller that hangs up must not stop a transaction half-way,
                // which would leave its connection in the middle of it.
                let change = async move { write::with_retries(&connection, &context, job).await };
                tokio::spawn(change).await.map_err(Error::internal)?
            }
        }
    }

    /// Whether both sides answer now.
    pub async fn ping(&self) -> Result<()> {
        self.connection.execute_unprepared("SELECT 1").await?;
        let query = Query::new("SELECT 1".to_owned(), Vec::new());
        self.committed().fetch(query, (), |(), _| ()).await
    }

    /// A transaction outside the group commit: for the seed and the command line.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        Ok(write::begin(&self.connection).await?)
    }
}

/// Runs a statement in a transaction and returns how many rows it touched.
///
/// # Errors
/// The database's.
pub async fn execute(transaction: &DatabaseTransaction, query: Query) -> Result<u64> {
    let backend = transaction.get_database_backend();
    let values = query.params.into_iter().map(Param::into_value);
    let statement = Statement::from_sql_and_values(backend, query.sql, values);
    Ok(transaction.execute_raw(statement).await?.rows_affected())
}

impl Source<'_> {
    /// Runs a query and hands each row to `each`, which gathers into `gathered`.
    ///
    /// # Errors
    /// The database's.
    pub async fn fetch<A, F>(self, query: Query, gathered: A, mut each: F) -> Result<A>
    where
        A: Send + 'static,
        F: FnMut(&mut A, &dyn Row) + Send + 'static,
    {
        match self {
            Self::Committed(Reader::Sqlite(readers)) => readers.fetch(query, gathered, each).await,
            // What the other sources wait with is large; on the heap it makes no request larger that
            // does not need it.
            Self::Committed(Reader::Postgres(readers)) => {
                Box::pin(readers.fetch(query, gathered, each)).await
            }
            Self::Transaction(transaction) => {
                let mut gathered = gathered;
                let backend = transaction.get_database_backend();
                let values = query.params.into_iter().map(Param::into_value);
                let statement = Statement::from_sql_and_values(backend, query.sql, values);
                for row in Box::pin(transaction.query_all_raw(statement)).await? {
                    each(&mut gathered, &row);
                }
                Ok(gathered)
            }
        }
    }

    /// Which SQL this source speaks.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Committed(Reader::Sqlite(_)) => Dialect::Sqlite,
            Self::Committed(Reader::Postgres(_)) => Dialect::Postgres,
            Self::Transaction(transaction) => match transaction.get_database_backend() {
                DbBackend::Postgres => Dialect::Postgres,
                _ => Dialect::Sqlite,
            },
        }
    }
}

/// How long another program may take to give a new file its journal. SQLite lets nobody wait for that lock,
/// whatever its timeout is.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Connects, also while other programs make the file.
async fn connect_patiently(options: ConnectOptions) -> Result<DatabaseConnection> {
    let begun = Instant::now();
    loop {
        match Database::connect(options.clone()).await {
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            connected => return Ok(connected?),
        }
    }
}

/// Whether an SQLite file is locked: `SQLITE_BUSY`, also with details in its upper bits.
fn is_busy(error: &DbErr) -> bool {
    use sea_orm::{RuntimeErr, sqlx};
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    let sqlx::Error::Database(error) = error.as_ref() else { return false };
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// A database's URL as it may be shown: without password.
pub fn public_address(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return "the configured database".to_owned() };
    if parsed.password().is_some() && parsed.set_password(Some(MASK)).is_err() {
        return "the configured database".to_owned();
    }
    // Options may be secrets too.
    parsed.set_query(None);
    parsed.to_string()
}

/// The file of an SQLite URL that is not there.
pub fn missing_file(url: &str) -> Option<&Path> {
    sqlite_path(url).map(Path::new).filter(|path| !path.exists())
}

/// The file of an SQLite URL; `None` for any other URL.
fn sqlite_path(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    Some(rest.split('?').next().unwrap_or(rest))
}
