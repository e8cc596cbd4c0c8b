//! Namespaces: the first part of every key, assigned to a developer account by the operator (contract
//! 2.2).
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set, SqlErr};

use crate::directory::accounts::Refused;
use crate::package_api::convention::key::is_name;

/// Table `namespaces`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A namespace.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "namespaces")]
    pub struct Model {
        /// Number of the namespace.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Account that develops in it.
        pub account_id: String,
        /// Its name, as it was spelt when it was made.
        pub name: String,
        /// Its name in lower case; unique.
        pub name_key: String,
        /// What packages show as `namespaceRegistryId`: 32 hexadecimal digits.
        pub registry_id: String,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The namespace of this name, in any case of letters.
///
/// # Errors
/// The database's.
pub async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<entity::Model>, DbErr> {
    let key = entity::COLUMN.name_key.eq(name.to_ascii_lowercase());
    entity::Entity::find().filter(key).one(db).await
}

/// Assigns a namespace to an account. `now` in milliseconds since the epoch.
///
/// # Errors
/// When the name is not acceptable or taken.
pub async fn create(
    db: &impl ConnectionTrait,
    account: &str,
    name: &str,
    now: i64,
) -> Result<entity::Model, Refused> {
    if !is_name(name) {
        return Err(Refused::input(format!(
            "namespace {name:?}: use 1 to 50 letters, digits, hyphens and underscores"
        )));
    }
    let row = entity::ActiveModel {
        account_id: Set(account.to_owned()),
        name: Set(name.to_owned()),
        name_key: Set(name.to_ascii_lowercase()),
        registry_id: Set(uuid::Uuid::new_v4().simple().to_string()),
        created_at: Set(now),
        ..Default::default()
    };
    row.insert(db).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Refused::input(format!("namespace {name:?} is taken"))
        }
        _ => error.into(),
    })
}
