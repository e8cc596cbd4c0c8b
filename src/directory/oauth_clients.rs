//! OAuth clients: programs that get short-lived tokens with an id and a secret.
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

use super::permission::Scopes;
use crate::kernel::secret::{MasterKey, Purpose, random_text};

/// Table `oauth_clients`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A client, of whose secret only a keyed hash is known.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_clients")]
    pub struct Model {
        /// Number of the client.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Account its tokens work in.
        pub account_id: String,
        /// On whose behalf its tokens act.
        pub person_id: i64,
        /// 48 characters.
        #[sea_orm(unique)]
        pub client_id: String,
        /// Keyed hash of the 64 characters of its secret.
        pub secret_hash: String,
        /// Patterns of permissions, as JSON.
        pub scopes: String,
        /// Whether it gets no more tokens.
        pub disabled: bool,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Stands for the hash of an unknown client: as long as any, so that comparing takes as long.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A client's id and secret; the secret is told once.
#[derive(Debug)]
pub struct Credentials {
    /// 48 characters.
    pub client_id: String,
    /// 64 characters.
    pub client_secret: String,
}

/// Makes a client.
///
/// # Errors
/// The database's.
pub async fn create(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    account: &str,
    person: i64,
    scopes: &Scopes,
    now: i64,
) -> Result<Credentials, DbErr> {
    let credentials = Credentials { client_id: random_text(48), client_secret: random_text(64) };
    let row = entity::ActiveModel {
        account_id: Set(account.to_owned()),
        person_id: Set(person),
        client_id: Set(credentials.client_id.clone()),
        secret_hash: Set(hash(key, &credentials.client_secret)),
        scopes: Set(scopes.to_json()),
        disabled: Set(false),
        created_at: Set(now),
        ..Default::default()
    };
    row.insert(db).await?;
    Ok(credentials)
}

/// The client of this id and secret. A wrong id costs the same time as a wrong secret.
///
/// # Errors
/// The database's.
pub async fn authenticate(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    client_id: &str,
    client_secret: &str,
) -> Result<Option<entity::Model>, DbErr> {
    use subtle::ConstantTimeEq;
    // No id has a NUL, which PostgreSQL refuses to look for.
    let client_id = if client_id.contains('\0') { "" } else { client_id };
    let found = entity::Entity::find()
        .filter(entity::COLUMN.client_id.eq(client_id))
        .filter(entity::COLUMN.disabled.eq(false))
        .one(db)
        .await?;
    let given = hash(key, client_secret);
    let expected = found.as_ref().map_or(NOBODY, |client| client.secret_hash.as_str());
    let same = bool::from(given.as_bytes().ct_eq(expected.as_bytes()));
    Ok(found.filter(|_| same))
}

fn hash(key: &MasterKey, secret: &str) -> String {
    hex::encode(key.sign(Purpose::ClientSecret, &[secret.as_bytes()]))
}
