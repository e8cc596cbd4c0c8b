//! OAuth clients: programs that get short-lived tokens with an id and a secret.
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, ModelTrait, QueryFilter, QueryOrder, Set,
};

use super::permission::Scopes;
use super::tokens;
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
        /// Whether it gets no more tokens, and those that it has are refused.
        pub disabled: bool,
        /// How it gets them: [`CLIENT_CREDENTIALS`](super::CLIENT_CREDENTIALS) or
        /// [`AUTHORIZATION_CODE`](super::AUTHORIZATION_CODE).
        pub grant_type: String,
        /// Number of the installed app that it belongs to.
        pub app_instance_id: Option<i64>,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "OauthApplication";

/// Grant type of a client that acts for itself.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";
/// Grant type of a client that acts for the people who sign in.
pub const AUTHORIZATION_CODE: &str = "authorization_code";

/// Stands for the hash of an unknown client: as long as any, so that comparing takes as long.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A client's id and secret; the secret is told once.
pub struct Credentials {
    /// Number of the client.
    pub id: i64,
    /// 48 characters.
    pub client_id: String,
    /// 64 characters.
    pub client_secret: String,
}

/// The application of an installed app.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a> {
    /// Number of the installed app.
    pub instance: i64,
    /// One of the two grant types.
    pub grant_type: &'a str,
    /// Whether it is switched off.
    pub disabled: bool,
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
    insert(db, key, (account, person), scopes, None, now).await
}

/// Makes a client of an installed app, which acts as a person of the customer.
///
/// # Errors
/// The database's.
pub async fn create_application(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    customer: (&str, i64),
    scopes: &Scopes,
    application: Application<'_>,
    now: i64,
) -> Result<Credentials, DbErr> {
    insert(db, key, customer, scopes, Some(application), now).await
}

async fn insert(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    (account, person): (&str, i64),
    scopes: &Scopes,
    application: Option<Application<'_>>,
    now: i64,
) -> Result<Credentials, DbErr> {
    let (client_id, client_secret) = (random_text(48), random_text(64));
    let row = entity::ActiveModel {
        account_id: Set(account.to_owned()),
        person_id: Set(person),
        client_id: Set(client_id.clone()),
        secret_hash: Set(hash(key, &client_secret)),
        scopes: Set(scopes.to_json()),
        disabled: Set(application.is_some_and(|it| it.disabled)),
        grant_type: Set(application.map_or(CLIENT_CREDENTIALS, |it| it.grant_type).to_owned()),
        app_instance_id: Set(application.map(|it| it.instance)),
        created_at: Set(now),
        ..Default::default()
    };
    let row = row.insert(db).await?;
    Ok(Credentials { id: row.id, client_id, client_secret })
}

/// The clients of an installed app.
///
/// # Errors
/// The database's.
pub async fn of_instance(
    db: &impl ConnectionTrait,
    instance: i64,
) -> Result<Vec<entity::Model>, DbErr> {
    let clients = entity::Entity::find().filter(entity::COLUMN.app_instance_id.eq(instance));
    clients.order_by_asc(entity::Column::Id).all(db).await
}

/// Gives a client other scopes. Tokens that it has hold what it had: they are forgotten.
///
/// # Errors
/// The database's.
pub async fn rescope(
    db: &impl ConnectionTrait,
    client: entity::Model,
    scopes: &Scopes,
) -> Result<(), DbErr> {
    let scopes = scopes.to_json();
    if client.scopes == scopes {
        return Ok(());
    }
    tokens::forget_of(db, client.id).await?;
    let mut row: entity::ActiveModel = client.into();
    row.scopes = Set(scopes);
    row.update(db).await?;
    Ok(())
}

/// Switches the clients of an installed app off or on, and with them the tokens that they have.
///
/// # Errors
/// The database's.
pub async fn switch(db: &impl ConnectionTrait, instance: i64, disabled: bool) -> Result<(), DbErr> {
    entity::Entity::update_many()
        .col_expr(entity::Column::Disabled, disabled.into())
        .filter(entity::COLUMN.app_instance_id.eq(instance))
        .exec(db)
        .await?;
    Ok(())
}

/// Removes a client with its tokens.
///
/// # Errors
/// The database's.
pub async fn remove(db: &impl ConnectionTrait, client: entity::Model) -> Result<(), DbErr> {
    tokens::forget_of(db, client.id).await?;
    client.delete(db).await?;
    Ok(())
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
