//! People: on whose behalf a token acts, and who an audit entry names.
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Set, SqlErr,
};

use super::accounts::Refused;

/// Table `people`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A person of an account.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        /// Number of the person.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Their account.
        pub account_id: String,
        /// Their name.
        pub name: String,
        /// Unique within the account.
        pub primary_email: String,
        /// Whether they have the Account Administrator role.
        pub administrator: bool,
        /// Whether their tokens are refused.
        pub disabled: bool,
        /// Milliseconds since the epoch.
        pub created_at: i64,
        /// Milliseconds since the epoch.
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Adds a person to an account.
///
/// # Errors
/// When a value is not acceptable or the address is taken in this account.
pub async fn create(
    db: &impl ConnectionTrait,
    account: &str,
    name: &str,
    email: &str,
    administrator: bool,
    now: i64,
) -> Result<entity::Model, Refused> {
    if name.trim().is_empty() || name.chars().count() > 128 || name.contains('\0') {
        return Err(Refused::input("name: use 1 to 128 characters"));
    }
    let parts = email.split_once('@');
    if parts.is_none_or(|(local, host)| local.is_empty() || host.is_empty())
        || email.len() > 254
        || email.contains(|character: char| character.is_whitespace() || character.is_control())
    {
        return Err(Refused::input(format!("e-mail address {email:?}: use name@host")));
    }
    let row = entity::ActiveModel {
        account_id: Set(account.to_owned()),
        name: Set(name.trim().to_owned()),
        primary_email: Set(email.to_owned()),
        administrator: Set(administrator),
        disabled: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    row.insert(db).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Refused::input(format!("account {account:?} has a person {email:?} already"))
        }
        _ => error.into(),
    })
}

/// The person that stands for somebody else than a person in the audit trail of an account: an application,
/// or the service itself. It is made when it is not there yet, and nobody logs in as it.
///
/// # Errors
/// The database's.
pub async fn stand_in(
    db: &impl ConnectionTrait,
    account: &str,
    name: &str,
    email: &str,
    now: i64,
) -> Result<i64, DbErr> {
    let row = entity::ActiveModel {
        account_id: Set(account.to_owned()),
        name: Set(name.to_owned()),
        primary_email: Set(email.to_owned()),
        administrator: Set(false),
        disabled: Set(true),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    entity::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    let found = entity::Entity::find()
        .filter(entity::COLUMN.account_id.eq(account))
        .filter(entity::COLUMN.primary_email.eq(email))
        .one(db)
        .await?;
    found.map(|found| found.id).ok_or_else(|| DbErr::RecordNotFound(email.to_owned()))
}

/// The person that stands for the service, for what it does by itself.
///
/// # Errors
/// The database's.
pub async fn service(db: &impl ConnectionTrait, account: &str, now: i64) -> Result<i64, DbErr> {
    // `.invalid` (RFC 2606): nobody receives mail there.
    stand_in(db, account, "Appmarket", "service@appmarket.invalid", now).await
}

/// Refuses the tokens of a person from now on.
///
/// # Errors
/// The database's.
pub async fn disable(db: &impl ConnectionTrait, id: i64, now: i64) -> Result<(), DbErr> {
    entity::Entity::update_many()
        .col_expr(entity::Column::Disabled, true.into())
        .col_expr(entity::Column::UpdatedAt, now.into())
        .filter(entity::COLUMN.id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// The person of this address, or the account's first administrator.
///
/// # Errors
/// When there is no such person.
pub async fn find(
    db: &impl ConnectionTrait,
    account: &str,
    email: Option<&str>,
) -> Result<entity::Model, Refused> {
    let people = entity::Entity::find().filter(entity::COLUMN.account_id.eq(account));
    let people = match email {
        Some(email) => people.filter(entity::COLUMN.primary_email.eq(email)),
        None => people.filter(entity::COLUMN.administrator.eq(true)),
    };
    people.order_by_asc(entity::Column::Id).one(db).await?.ok_or_else(|| {
        Refused::input(match email {
            Some(email) => format!("account {account:?} has no person {email:?}"),
            None => format!("account {account:?} has no administrator"),
        })
    })
}
