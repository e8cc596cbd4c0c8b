//! Numbers of accounts: the wire of app packages has integers where everything else has ids
//! (contract 2.5, member 53).
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

/// Table `account_numbers`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// The number of an account.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_numbers")]
    pub struct Model {
        /// Counts up from 1.
        #[sea_orm(primary_key)]
        pub number: i64,
        /// The account, which has no other number.
        pub account_id: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Gives a new account its number.
///
/// # Errors
/// The database's.
pub(super) async fn give(db: &impl ConnectionTrait, account: &str) -> Result<(), DbErr> {
    let row = entity::ActiveModel { account_id: Set(account.to_owned()), ..Default::default() };
    entity::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The number of an account; `None` when there is no such account.
///
/// # Errors
/// The database's.
pub async fn number(db: &impl ConnectionTrait, account: &str) -> Result<Option<i64>, DbErr> {
    let rows = entity::Entity::find().filter(entity::COLUMN.account_id.eq(account));
    Ok(rows.one(db).await?.map(|row| row.number))
}

/// The account of a number; `None` when no account has it.
///
/// # Errors
/// The database's.
pub async fn account(db: &impl ConnectionTrait, number: i64) -> Result<Option<String>, DbErr> {
    let row = entity::Entity::find_by_id(number).one(db).await?;
    Ok(row.map(|row| row.account_id))
}
