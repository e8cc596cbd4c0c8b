//! `Idempotency-Key`: the answer to a POST is kept for a day with the change it acknowledges, and a
//! repetition gets it again instead of a second change.
//!
//! Only successes are kept: what was refused changed nothing and may be tried again with the key. They
//! are sealed, for some show a secret.
use std::collections::HashSet;
use std::sync::Arc;

use http::HeaderMap;
use parking_lot::Mutex;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter, Set, Statement,
};

use crate::kernel::error::{Error, Result};
use crate::kernel::secret::{MasterKey, Purpose, fingerprint};

/// How long an answer is kept, in milliseconds.
const LIFETIME: i64 = 24 * 60 * 60 * 1000;

/// Table `idempotency_keys`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// An answer that was given.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        /// Fingerprint of account, route and key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Fingerprint of the request.
        pub request: String,
        /// Status of the answer.
        pub status: i32,
        /// Its `Location`.
        pub location: Option<String>,
        /// Its body, sealed. Versions before the seal kept it as it was.
        pub body: String,
        /// When, in milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a change answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Location`.
    pub location: Option<String>,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

/// A request that carries a key.
#[derive(Clone, Debug)]
pub struct Key {
    id: String,
    request: String,
}

impl Key {
    /// The `Idempotency-Key` of a request, if it has one: good for one account, route and body. The
    /// route is any text that tells the operation and its path from others.
    ///
    /// # Errors
    /// 400 for one that is too long or not visible ASCII.
    pub fn of(
        headers: &HeaderMap,
        account: &str,
        route: &str,
        body: &[u8],
    ) -> Result<Option<Self>> {
        let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
        let value = value.to_str().unwrap_or_default().trim();
        if !(1..=255).contains(&value.len()) {
            return Err(Error::BadRequest(
                "The Idempotency-Key must have 1 to 255 visible ASCII characters".to_owned(),
            ));
        }
        Ok(Some(Self::new(value, account, route, body)))
    }

    fn new(key: &str, account: &str, route: &str, body: &[u8]) -> Self {
        Self {
            id: fingerprint(&[account.as_bytes(), route.as_bytes(), key.as_bytes()]),
            request: fingerprint(&[body]),
        }
    }

    /// The answer that was given before, if there is one.
    ///
    /// # Errors
    /// 422 when the key was used with another body, 409 when another server is still answering it.
    pub async fn replay(
        &self,
        transaction: &DatabaseTransaction,
        master: &MasterKey,
        now: i64,
    ) -> Result<Option<Answer>> {
        if transaction.get_database_backend() == DbBackend::Postgres {
            // Held until the end of this transaction; `Running` cannot see other servers.
            let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS free";
            let statement =
                Statement::from_sql_and_values(DbBackend::Postgres, sql, [self.id.clone().into()]);
            let row = transaction.query_one_raw(statement).await?;
            let free = row.map(|row| row.try_get::<bool>("", "free")).transpose()?;
            if free != Some(true) {
                return Err(still_running());
            }
        }
        let found = entity::Entity::find_by_id(self.id.clone()).one(transaction).await?;
        let Some(found) = found.filter(|found| found.created_at + LIFETIME > now) else {
            return Ok(None);
        };
        if found.request != self.request {
            return Err(Error::Unprocessable(
                "The Idempotency-Key was used before with another request".to_owned(),
            ));
        }
        Ok(Some(Answer {
            status: u16::try_from(found.status).unwrap_or(200),
            location: found.location,
            body: self.unseal(master, found.body)?,
        }))
    }

    /// The body that was kept.
    fn unseal(&self, master: &MasterKey, kept: String) -> Result<Vec<u8>> {
        if !kept.starts_with("v1.") {
            return Ok(kept.into_bytes());
        }
        let opened = master.open(Purpose::Answer, self.id.as_bytes(), &kept);
        // Not to be answered anew: the change that it acknowledges has been made.
        opened.ok_or_else(|| Error::internal("another master key has sealed the kept answer"))
    }

    /// Keeps an answer in the transaction of the change it acknowledges.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(
        &self,
        transaction: &DatabaseTransaction,
        master: &MasterKey,
        answer: &Answer,
        now: i64,
    ) -> Result<()> {
        // What has expired leaves by the way.
        entity::Entity::delete_many()
            .filter(entity::COLUMN.created_at.lt(now - LIFETIME))
            .exec(transaction)
            .await?;
        let row = entity::ActiveModel {
            id: Set(self.id.clone()),
            request: Set(self.request.clone()),
            status: Set(i32::from(answer.status)),
            location: Set(answer.location.clone()),
            body: Set(master.seal(Purpose::Answer, self.id.as_bytes(), &answer.body)),
            created_at: Set(now),
        };
        let mut replace = OnConflict::column(entity::Column::Id);
        replace.update_columns([
            entity::Column::Request,
            entity::Column::Status,
            entity::Column::Location,
            entity::Column::Body,
            entity::Column::CreatedAt,
        ]);
        entity::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(transaction)
            .await?;
        Ok(())
    }
}

/// The answer of a change, or, to a repetition of a request with a key, the one that was given before; and
/// whether it was the latter. A new answer to a request with a key is kept in the transaction.
///
/// # Errors
/// Those of the change, of [`Key::replay`] and of [`Key::keep`].
pub async fn once(
    key: Option<&Key>,
    transaction: &DatabaseTransaction,
    master: &MasterKey,
    now: i64,
    change: impl Future<Output = Result<Answer>>,
) -> Result<(Answer, bool)> {
    let Some(key) = key else { return Ok((change.await?, false)) };
    if let Some(answer) = key.replay(transaction, master, now).await? {
        return Ok((answer, true));
    }
    let answer = change.await?;
    key.keep(transaction, master, &answer, now).await?;
    Ok((answer, false))
}

/// Keys whose requests this process is answering.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<HashSet<String>>>);

/// Frees a key when its request is answered, however that ends.
#[derive(Debug)]
pub struct Turn {
    running: Running,
    id: String,
}

impl Running {
    /// Takes the key until the turn is dropped.
    ///
    /// # Errors
    /// 409 when a request with this key is being answered.
    pub fn take(&self, key: &Key) -> Result<Turn> {
        if !self.0.lock().insert(key.id.clone()) {
            return Err(still_running());
        }
        Ok(Turn { running: self.clone(), id: key.id.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.running.0.lock().remove(&self.id);
    }
}

fn still_running() -> Error {
    Error::Conflict(
        "A request with this Idempotency-Key is still running; try again soon".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_answers_open_for_their_own_key_only() {
        let key = |name| Key::new(name, "acme", "POST /x", b"{}");
        let (master, other) = (MasterKey::generate(), MasterKey::generate());
        let kept = master.seal(Purpose::Answer, key("a").id.as_bytes(), b"{\"secret\":1}");
        assert_eq!(key("a").unseal(&master, kept.clone()).unwrap(), b"{\"secret\":1}");
        assert!(key("b").unseal(&master, kept.clone()).is_err());
        assert!(key("a").unseal(&other, kept).is_err());
        // Of versions that did not seal.
        assert_eq!(key("a").unseal(&master, "{\"id\":1}".to_owned()).unwrap(), b"{\"id\":1}");
        assert_eq!(key("a").unseal(&master, String::new()).unwrap(), b"");
    }
}
