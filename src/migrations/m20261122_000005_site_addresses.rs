//! The addresses of the server, for workers beside it.
use sea_orm::DbErr;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use super::statements;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        const ADDRESSES: &str = "CREATE TABLE site_addresses (
            id BIGINT PRIMARY KEY,
            public_url {text} NOT NULL,
            domain {text} NOT NULL,
            account_url {text} NOT NULL
        )";
        statements::run(manager, &[ADDRESSES]).await
    }
}
