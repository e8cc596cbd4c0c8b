//! Writing: group commit on SQLite, retries on PostgreSQL.
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use crate::kernel::error::{Error, Result};

/// Most changes that share one commit.
const GROUP: usize = 256;
/// How often a change that lost a race is repeated.
const ATTEMPTS: u32 = 8;

/// A change: what it does with its context inside a transaction. A plain function, so that it cannot
/// keep anything from one attempt to the next.
pub type Job<C, T> = for<'t> fn(&'t DatabaseTransaction, &'t C) -> BoxFuture<'t, Result<T>>;

/// Runs a job in a transaction of its own; on a serialization failure or deadlock, again.
pub(super) async fn with_retries<C, T>(
    connection: &DatabaseConnection,
    context: &C,
    job: Job<C, T>,
) -> Result<T> {
    let mut attempt = 1;
    loop {
        let done = async {
            let transaction = connection.begin().await?;
            match job(&transaction, context).await {
                Ok(done) => {
                    transaction.commit().await?;
                    Ok(done)
                }
                Err(error) => {
                    // At once: a dropped transaction keeps its locks until its connection is used
                    // again. Should this fail, the server has rolled back already.
                    drop(transaction.rollback().await);
                    Err(error)
                }
            }
        };
        match done.await {
            Err(error) if attempt < ATTEMPTS && lost_a_race(&error) => {
                let pause = rand::random_range(1..=5_u64 << attempt.min(6));
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                attempt += 1;
            }
            other => return other,
        }
    }
}

/// A transaction that will write. IMMEDIATE, as SQLite calls it: another process may write too, and
/// waiting for it must happen before reading. One that has read when it comes to write is refused
/// at once with "database is locked".
pub(super) async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(options).await
}

/// Whether the database asks to repeat the transaction: serialization failure (40001) or deadlock
/// (40P01).
fn lost_a_race(error: &Error) -> bool {
    use sea_orm::{RuntimeErr, sqlx};
    let Error::Internal(cause) = error else { return false };
    let Some(
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)),
    ) = cause.downcast_ref::<DbErr>()
    else {
        return false;
    };
    let code = match error.as_ref() {
        sqlx::Error::Database(error) => error.code(),
        _ => None,
    };
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// The one writer of an SQLite file. While a commit waits for the disk, changes queue up; the next
/// commit takes them all, each in a savepoint, so that one that is refused leaves no trace.
#[derive(Clone)]
pub(super) struct GroupCommit(mpsc::Sender<Box<dyn Pending>>);

/// A queued change, its types erased.
trait Pending: Send {
    /// Runs inside the group's transaction; `true` when its savepoint is to be kept.
    fn run<'t>(&'t mut self, transaction: &'t DatabaseTransaction) -> BoxFuture<'t, bool>;
    /// Answers the caller after the commit (`Ok`) or after it failed.
    fn answer(self: Box<Self>, committed: Result<(), Arc<DbErr>>);
}

struct Change<C, T> {
    context: C,
    job: Job<C, T>,
    done: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<C: Send + Sync, T: Send> Pending for Change<C, T> {
    fn run<'t>(&'t mut self, transaction: &'t DatabaseTransaction) -> BoxFuture<'t, bool> {
        async move {
            let job = AssertUnwindSafe((self.job)(transaction, &self.context)).catch_unwind();
            // The panic itself is in the log already; the caller gets a 500.
            let done = job.await.unwrap_or_else(|_| Err(Error::internal("a change panicked")));
            let keep = done.is_ok();
            self.done = Some(done);
            keep
        }
        .boxed()
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<DbErr>>) {
        let done = match (self.done, committed) {
            (Some(Ok(done)), Ok(())) => Ok(done),
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(Error::Unavailable(error)),
            (None, Ok(())) => Err(Error::internal("a change was not run")),
        };
        // A caller that hung up does not mind.
        drop(self.reply.send(done));
    }
}

impl GroupCommit {
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let (sender, queue) = mpsc::channel(4 * GROUP);
        tokio::spawn(write_groups(connection, queue));
        Self(sender)
    }

    pub(super) async fn submit<C, T>(&self, context: C, job: Job<C, T>) -> Result<T>
    where
        C: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let change = Box::new(Change { context, job, done: None, reply });
        let stopped = || Error::Unavailable(Arc::new(std::io::Error::other("the writer stopped")));
        self.0.send(change).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn write_groups(connection: DatabaseConnection, mut queue: mpsc::Receiver<Box<dyn Pending>>) {
    let mut group: Vec<Box<dyn Pending>> = Vec::with_capacity(GROUP);
    while let Some(first) = queue.recv().await {
        group.push(first);
        let committed = write_group(&connection, &mut queue, &mut group).await.map_err(Arc::new);
        if let Err(error) = &committed {
            tracing::error!(%error, changes = group.len(), "changes could not be committed");
        }
        for change in group.drain(..) {
            change.answer(committed.clone());
        }
    }
}

async fn write_group(
    connection: &DatabaseConnection,
    queue: &mut mpsc::Receiver<Box<dyn Pending>>,
    group: &mut Vec<Box<dyn Pending>>,
) -> Result<(), DbErr> {
    let transaction = begin(connection).await?;
    let mut at = 0;
    while at < group.len() {
        let savepoint = transaction.begin().await?;
        if group[at].run(&savepoint).await {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
        at += 1;
        if at == group.len()
            && at < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
    }
    transaction.commit().await
}
