//! Access tokens: personal ones and those from the OAuth token endpoint.
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

use super::permission::Scopes;
use crate::kernel::secret::{MasterKey, Purpose, random_text};

/// Table `tokens`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A token, of which only a keyed hash is known.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tokens")]
    pub struct Model {
        /// Number of the token.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Account it works in.
        pub account_id: String,
        /// On whose behalf it acts.
        pub person_id: i64,
        /// The OAuth client that got it; none for a personal token.
        pub oauth_client_id: Option<i64>,
        /// Keyed hash of the token.
        pub hash: String,
        /// Patterns of permissions, as JSON.
        pub scopes: String,
        /// Milliseconds since the epoch; none: never.
        pub expires_at: Option<i64>,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// For whom a token is made, and for what.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// Account it works in.
    pub account: &'a str,
    /// On whose behalf it acts.
    pub person: i64,
    /// The OAuth client that asked for it.
    pub client: Option<i64>,
    /// What it may do.
    pub scopes: &'a Scopes,
    /// Milliseconds since the epoch.
    pub expires_at: Option<i64>,
}

/// Keyed hash under which a token is stored.
pub fn hash(key: &MasterKey, token: &str) -> String {
    hex::encode(key.sign(Purpose::Token, &[token.as_bytes()]))
}

/// Makes a token. The text is told here and never again.
///
/// # Errors
/// The database's.
pub async fn create(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    new: NewToken<'_>,
    now: i64,
) -> Result<String, DbErr> {
    // 40 random characters behind a prefix by which secret scanners know them.
    let token = format!("amt_{}", random_text(40));
    let row = entity::ActiveModel {
        account_id: Set(new.account.to_owned()),
        person_id: Set(new.person),
        oauth_client_id: Set(new.client),
        hash: Set(hash(key, &token)),
        scopes: Set(new.scopes.to_json()),
        expires_at: Set(new.expires_at),
        created_at: Set(now),
        ..Default::default()
    };
    row.insert(db).await?;
    Ok(token)
}

/// Forgets tokens that expired.
///
/// # Errors
/// The database's.
pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<(), DbErr> {
    entity::Entity::delete_many().filter(entity::COLUMN.expires_at.lt(now)).exec(db).await?;
    Ok(())
}

/// Forgets the tokens of an OAuth client.
///
/// # Errors
/// The database's.
pub async fn forget_of(db: &impl ConnectionTrait, client: i64) -> Result<(), DbErr> {
    let tokens = entity::Entity::delete_many().filter(entity::COLUMN.oauth_client_id.eq(client));
    tokens.exec(db).await?;
    Ok(())
}
