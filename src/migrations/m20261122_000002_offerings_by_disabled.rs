//! An index for the commonest filter of offerings: those on offer, or those withdrawn.
use sea_orm::DbErr;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use super::statements;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Also answers how many there are, and which came first or last.
        const BY_DISABLED: &str = "CREATE INDEX app_offerings_disabled \
                                   ON app_offerings (account_id, disabled, created_at, id)";
        statements::run(manager, &[BY_DISABLED]).await
    }
}
