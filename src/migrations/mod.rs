//! The history of the database's shape. Frozen: what has landed is never edited, only followed by
//! another migration. Imports no entity, so that the past does not change with the present.
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

mod m20261122_000001_app_offerings;
mod statements;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m20261122_000001_app_offerings::Migration)]
    }
}

/// Brings the database up to date; returns how many migrations ran. Several servers may start at the
/// same time: on PostgreSQL one migrates while the others wait.
///
/// # Errors
/// The database's; what a failed migration did is undone on PostgreSQL.
pub async fn up(connection: &DatabaseConnection) -> Result<usize, DbErr> {
    let lock = if connection.get_database_backend() == sea_orm::DbBackend::Postgres {
        let lock = connection.begin().await?;
        // Any fixed number: "appmarket" in ASCII, cut to 63 bits.
        lock.execute_unprepared("SELECT pg_advisory_xact_lock(7021238698474858868)").await?;
        Some(lock)
    } else {
        None
    };
    let pending = Migrator::get_pending_migrations(connection).await?.len();
    if pending > 0 {
        Migrator::up(connection, None).await?;
    }
    if let Some(lock) = lock {
        lock.commit().await?;
    }
    Ok(pending)
}

/// Whether every migration has run.
///
/// # Errors
/// The database's.
pub async fn is_current(connection: &DatabaseConnection) -> Result<bool, DbErr> {
    Ok(Migrator::get_pending_migrations(connection).await?.is_empty())
}
