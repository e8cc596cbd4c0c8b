//! The history of the database's shape. Frozen: what has landed is never edited, only followed by
//! another migration. Imports no entity, so that the past does not change with the present.
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

mod m20261122_000001_app_offerings;
mod m20261122_000002_offerings_by_disabled;
mod m20261122_000003_app_packages;
mod m20261122_000004_app_instances;
mod m20261122_000005_site_addresses;
mod statements;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_app_offerings::Migration),
            Box::new(m20261122_000002_offerings_by_disabled::Migration),
            Box::new(m20261122_000003_app_packages::Migration),
            Box::new(m20261122_000004_app_instances::Migration),
            Box::new(m20261122_000005_site_addresses::Migration),
        ]
    }
}

/// Brings the database up to date, all or nothing; returns how many migrations ran. Several servers may
/// start at the same time: one migrates while the others wait.
///
/// # Errors
/// The database's; what a failed migration did is undone.
pub async fn up(connection: &DatabaseConnection) -> Result<usize, DbErr> {
    let options = TransactionOptions {
        // SQLite's way to wait before anything is read.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(options).await?;
    if transaction.get_database_backend() == sea_orm::DbBackend::Postgres {
        // Any fixed number: "appmarket" in ASCII, cut to 63 bits.
        transaction.execute_unprepared("SELECT pg_advisory_xact_lock(7021238698474858868)").await?;
    }
    let pending = Migrator::get_pending_migrations(&transaction).await?.len();
    if pending > 0 {
        Migrator::up(&transaction, None).await?;
    }
    transaction.commit().await?;
    Ok(pending)
}

/// Whether every migration has run.
///
/// # Errors
/// The database's.
pub async fn is_current(connection: &DatabaseConnection) -> Result<bool, DbErr> {
    Ok(Migrator::get_pending_migrations(connection).await?.is_empty())
}
