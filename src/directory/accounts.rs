//! Accounts: the tenants of the service.
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, QueryOrder, Set, SqlErr};

use super::account_numbers;
use crate::kernel::language::Language;
use crate::kernel::time_zone::TimeZone;

/// Table `accounts`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A tenant.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        /// Lower-case host label, at most 32 characters.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Name for people.
        pub name: String,
        /// Time zone as it was given.
        pub time_zone: String,
        /// Language tag of people without one of their own.
        pub locale: String,
        /// Milliseconds since the epoch.
        pub created_at: i64,
        /// Milliseconds since the epoch.
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Why the directory refused something; the text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The input is wrong.
    #[error("{0}")]
    Input(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
    /// Something that is no fault of the operator's; its cause is told with it.
    #[error(transparent)]
    Failed(#[from] crate::kernel::error::Error),
}

impl Refused {
    /// A refusal with its text.
    pub fn input(text: impl Into<String>) -> Self {
        Self::Input(text.into())
    }
}

/// What an account is made of.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Lower-case host label, at most 32 characters: it becomes part of host names.
    pub id: &'a str,
    /// Name for people, at most 128 characters.
    pub name: &'a str,
    /// IANA or Rails-style name.
    pub time_zone: &'a str,
    /// Language tag.
    pub locale: &'a str,
}

/// All accounts, by id.
///
/// # Errors
/// The database's.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<entity::Model>, Refused> {
    Ok(entity::Entity::find().order_by_asc(entity::Column::Id).all(db).await?)
}

/// Makes an account, and gives it its number.
///
/// # Errors
/// When a value is not acceptable or the id is taken.
pub async fn create(
    db: &impl ConnectionTrait,
    new: NewAccount<'_>,
    now: i64,
) -> Result<entity::Model, Refused> {
    let NewAccount { id, name, time_zone, locale } = new;
    let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=32).contains(&id.len())
        || !id.bytes().all(label)
        || id.starts_with('-')
        || id.ends_with('-')
    {
        return Err(Refused::input(format!(
            "account id {id:?}: use 1 to 32 lower-case letters, digits and inner hyphens"
        )));
    }
    if name.trim().is_empty() || name.chars().count() > 128 || name.contains('\0') {
        return Err(Refused::input("account name: use 1 to 128 characters"));
    }
    if TimeZone::parse(time_zone).is_none() {
        return Err(Refused::input(format!(
            "time zone {time_zone:?}: use a name such as Europe/Amsterdam or Amsterdam"
        )));
    }
    if Language::from_tag(locale).is_none() {
        return Err(Refused::input(format!("locale {locale:?}: use en, de, fr or nl")));
    }
    let row = entity::ActiveModel {
        id: Set(id.to_owned()),
        name: Set(name.trim().to_owned()),
        time_zone: Set(time_zone.to_owned()),
        locale: Set(locale.to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let account = row.insert(db).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Refused::input(format!("account {id:?} exists already"))
        }
        _ => error.into(),
    })?;
    account_numbers::give(db, id).await?;
    Ok(account)
}

/// The account of this id.
///
/// # Errors
/// When there is none.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<entity::Model, Refused> {
    entity::Entity::find_by_id(id.to_owned())
        .one(db)
        .await?
        .ok_or_else(|| Refused::input(format!("there is no account {id:?}")))
}
