//! Developers: people who work on app packages and sign in with an e-mail address and a password
//! (contract 1.3.8). One developer may work for several accounts, and is a person in each of them.
use std::ops::RangeInclusive;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, Set, SqlErr};
use tokio::sync::Semaphore;

use super::accounts::Refused;
use super::people;
use crate::kernel::db::{Row, Source};
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;

/// Passwords that are hashed at a time. Each takes 19 MiB and a core for tens of milliseconds.
static HASHING: Semaphore = Semaphore::const_new(2);

/// Characters of a password.
const LENGTH: RangeInclusive<usize> = 8..=200;

/// Longest e-mail address, in bytes.
pub const EMAIL_MAX: usize = 254;

/// Longest password that is looked at, in characters.
pub const PASSWORD_MAX: usize = *LENGTH.end();

/// Stands for the hash of an unknown address, so that comparing takes as long: the hash of 32 random
/// bytes that were thrown away, made as all others are.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$h6frCmxDgEIYEfEQtBYKnQ$\
                      zR3REduuqe30ol5QRHbqw6rr3wt0b/QYc8q/TVBNiGg";

/// Table `developers`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A developer.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "developers")]
    pub struct Model {
        /// Number of the developer.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Their address, as they write it.
        pub email: String,
        /// Their address in lower case.
        #[sea_orm(unique)]
        pub email_key: String,
        /// Argon2id, as PHC text.
        pub password_hash: String,
        /// Whether they can no longer sign in.
        pub disabled: bool,
        /// Milliseconds since the epoch.
        pub created_at: i64,
        /// Milliseconds since the epoch.
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `developer_accounts`.
pub mod membership {
    use sea_orm::entity::prelude::*;

    /// A developer works for an account.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "developer_accounts")]
    pub struct Model {
        /// The developer.
        #[sea_orm(primary_key, auto_increment = false)]
        pub developer_id: i64,
        /// The account.
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        /// Who they are in the account.
        pub person_id: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A developer as they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Developer {
    /// Number of the developer.
    pub id: i64,
    /// Their address, as they write it.
    pub email: String,
}

/// An account that a developer works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The account.
    pub account: String,
    /// Its number on the wire.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Who the developer is in the account.
    pub person: i64,
    /// Their name there.
    pub person_name: String,
}

/// What a developer is made of.
#[derive(Clone, Debug)]
pub struct NewDeveloper<'a> {
    /// Account that they work for.
    pub account: &'a str,
    /// Unique among all developers, in any case.
    pub email: &'a str,
    /// Name of their person in the account, unless there is one of this address. Default: what stands
    /// before the `@`.
    pub name: Option<&'a str>,
    /// 8 to 200 characters.
    pub password: &'a str,
}

/// Lets a developer work for an account. One who is there already keeps their password, which has to be
/// the given one: otherwise anybody could let themselves into an account in another's name.
///
/// # Errors
/// When a value is not acceptable, the password is not theirs, or they work for the account already.
pub async fn create(
    transaction: &DatabaseTransaction,
    new: NewDeveloper<'_>,
    now: i64,
) -> Result<Developer, Refused> {
    let NewDeveloper { account, email, name, password } = new;
    if !LENGTH.contains(&password.chars().count()) {
        let (min, max) = (LENGTH.start(), LENGTH.end());
        return Err(Refused::input(format!("password: use {min} to {max} characters")));
    }
    let person = person(transaction, account, email, name, now).await?;
    let developer = match find_by_email(Source::Transaction(transaction), email).await? {
        Some((developer, hash)) => {
            if !verify(hash, password.to_owned()).await? {
                return Err(Refused::input(format!(
                    "developer {email:?} exists already, with another password"
                )));
            }
            developer
        }
        None => insert(transaction, email, password, now).await?,
    };
    let row = membership::ActiveModel {
        developer_id: Set(developer.id),
        account_id: Set(account.to_owned()),
        person_id: Set(person),
    };
    membership::Entity::insert(row).exec_without_returning(transaction).await.map_err(|error| {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                Refused::input(format!("developer {email:?} works for account {account:?} already"))
            }
            _ => error.into(),
        }
    })?;
    Ok(developer)
}

/// Who a developer is in an account: the person of this address, who is made when there is none.
async fn person(
    db: &impl ConnectionTrait,
    account: &str,
    email: &str,
    name: Option<&str>,
    now: i64,
) -> Result<i64, Refused> {
    let person = match people::find(db, account, Some(email)).await {
        Ok(person) => person,
        Err(Refused::Input(_)) => {
            let name = name.or_else(|| email.split('@').next()).unwrap_or(email);
            people::create(db, account, name, email, false, now).await?
        }
        Err(other) => return Err(other),
    };
    if person.disabled {
        return Err(Refused::input(format!("person {email:?} of account {account:?} is disabled")));
    }
    Ok(person.id)
}

async fn insert(
    db: &impl ConnectionTrait,
    email: &str,
    password: &str,
    now: i64,
) -> Result<Developer, Refused> {
    let row = entity::ActiveModel {
        email: Set(email.to_owned()),
        email_key: Set(email.to_lowercase()),
        password_hash: Set(hash(password.to_owned()).await?),
        disabled: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let row = row.insert(db).await.map_err(|error| match error.sql_err() {
        // One who may sign in was looked for before.
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Refused::input(format!("developer {email:?} is disabled"))
        }
        _ => error.into(),
    })?;
    Ok(Developer { id: row.id, email: row.email })
}

/// The developer of this address and password; `None` when there is none, or when they are disabled. An
/// unknown address costs the same time as a wrong password: there is a hash to compare with either way.
///
/// # Errors
/// The database's.
pub async fn authenticate(
    source: Source<'_>,
    email: &str,
    password: String,
) -> Result<Option<Developer>> {
    let (developer, hash) = match find_by_email(source, email).await? {
        Some((developer, hash)) => (Some(developer), hash),
        None => (None, NOBODY.to_owned()),
    };
    let is_right = verify(hash, password).await?;
    Ok(developer.filter(|_| is_right))
}

/// The developer of this number; `None` when there is none, or when they are disabled.
///
/// # Errors
/// The database's.
pub async fn find(source: Source<'_>, id: i64) -> Result<Option<Developer>> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT id, email FROM developers WHERE NOT disabled AND id = ").bind(id);
    let gather = |found: &mut Option<Developer>, row: &dyn Row| *found = Some(read(row));
    source.fetch(sql.query(false), None, gather).await
}

/// The accounts that a developer works for, by number; not those in which their person is disabled.
///
/// # Errors
/// The database's.
pub async fn memberships(source: Source<'_>, developer: i64) -> Result<Vec<Membership>> {
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "SELECT n.account_id, n.number, a.name, p.id, p.name FROM developer_accounts m \
         JOIN account_numbers n ON n.account_id = m.account_id \
         JOIN accounts a ON a.id = m.account_id JOIN people p ON p.id = m.person_id \
         WHERE NOT p.disabled AND m.developer_id = ",
    )
    .bind(developer)
    .push(" ORDER BY n.number");
    let gather = |found: &mut Vec<Membership>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        found.push(Membership {
            account: text(0),
            number: row.int(1).unwrap_or_default(),
            name: text(2),
            person: row.int(3).unwrap_or_default(),
            person_name: text(4),
        });
    };
    source.fetch(sql.query(false), Vec::new(), gather).await
}

/// A developer who may sign in, with the hash of their password.
async fn find_by_email(source: Source<'_>, email: &str) -> Result<Option<(Developer, String)>> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT id, email, password_hash FROM developers WHERE NOT disabled AND email_key = ")
        .bind(email.to_lowercase().as_str());
    let gather = |found: &mut Option<(Developer, String)>, row: &dyn Row| {
        *found = Some((read(row), row.text(2).unwrap_or_default().into_owned()));
    };
    source.fetch(sql.query(false), None, gather).await
}

fn read(row: &dyn Row) -> Developer {
    Developer {
        id: row.int(0).unwrap_or_default(),
        email: row.text(1).unwrap_or_default().into_owned(),
    }
}

/// The hash of a password, Argon2id with 19 MiB and two passes, as OWASP recommends it.
async fn hash(password: String) -> Result<String> {
    let salt: [u8; 16] = rand::random();
    let hashed = aside(move || {
        let hashed: Result<PasswordHash, _> =
            Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        hashed.map(|hash| hash.to_string())
    });
    hashed.await?.map_err(|error| Error::internal(format!("cannot hash a password: {error}")))
}

/// Whether a hash is that of a password. A text that is no hash is that of none.
async fn verify(hash: String, password: String) -> Result<bool> {
    aside(move || {
        let hash = PasswordHash::new(&hash);
        hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await
}

/// Does long work beside the threads that answer requests, and not too much of it at a time. The turn
/// belongs to the work: a caller who hangs up does not free it.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = HASHING.acquire().await.map_err(Error::internal)?;
    let work = move || {
        let done = work();
        drop(turn);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;

    use super::super::signing_keys::tests::kernel;
    use super::*;
    use crate::kernel::state::Kernel;

    /// Tables as migrations make them, which this layer cannot call.
    const TABLES: [&str; 7] = [
        "CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT)",
        "CREATE TABLE account_numbers (number INTEGER PRIMARY KEY, account_id TEXT)",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, account_id TEXT, name TEXT, \
         primary_email TEXT, administrator BOOLEAN, disabled BOOLEAN, created_at BIGINT, \
         updated_at BIGINT, UNIQUE (account_id, primary_email))",
        "CREATE TABLE developers (id INTEGER PRIMARY KEY, email TEXT, email_key TEXT UNIQUE, \
         password_hash TEXT, disabled BOOLEAN, created_at BIGINT, updated_at BIGINT)",
        "CREATE TABLE developer_accounts (developer_id BIGINT, account_id TEXT, person_id BIGINT, \
         PRIMARY KEY (developer_id, account_id))",
        "INSERT INTO accounts VALUES ('acme', 'Acme'), ('globex', 'Globex')",
        "INSERT INTO account_numbers VALUES (7, 'globex'), (12, 'acme')",
    ];

    async fn world() -> (TempDir, Kernel) {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &TABLES).await;
        (folder, kernel)
    }

    fn ann(account: &str) -> NewDeveloper<'_> {
        NewDeveloper { account, email: "Ann@acme.example", name: None, password: "correct horse" }
    }

    async fn add(kernel: &Kernel, new: NewDeveloper<'_>) -> Result<Developer, String> {
        let db = kernel.store.begin().await.unwrap();
        let made = create(&db, new, 5).await.map_err(|refused| refused.to_string());
        if made.is_ok() {
            db.commit().await.unwrap()
        } else {
            db.rollback().await.unwrap()
        }
        made
    }

    async fn run(kernel: &Kernel, sql: &str) {
        kernel.store.connection().execute_unprepared(sql).await.unwrap();
    }

    #[tokio::test]
    async fn a_developer_signs_in_with_address_and_password() {
        let (_folder, kernel) = world().await;
        let made = add(&kernel, ann("acme")).await.unwrap();
        assert_eq!(made, Developer { id: 1, email: "Ann@acme.example".to_owned() });
        let source = kernel.store.committed();
        let sign_in = async |email: &str, password: &str| {
            authenticate(source, email, password.to_owned()).await.unwrap()
        };
        let ann = Some(made.clone());
        assert_eq!(sign_in("Ann@acme.example", "correct horse").await, ann);
        assert_eq!(sign_in("ANN@ACME.EXAMPLE", "correct horse").await, ann);
        assert_eq!(sign_in("ann@acme.example", "Correct horse").await, None);
        assert_eq!(sign_in("ann@acme.example", "").await, None);
        assert_eq!(sign_in("bob@acme.example", "correct horse").await, None);
        assert_eq!(find(source, 1).await.unwrap(), ann);
        assert_eq!(find(source, 2).await.unwrap(), None);

        run(&kernel, "UPDATE developers SET disabled = true").await;
        assert_eq!(sign_in("ann@acme.example", "correct horse").await, None);
        assert_eq!(find(source, 1).await.unwrap(), None);
    }

    #[tokio::test]
    async fn passwords_are_hashed_with_a_salt_each() {
        let (_folder, kernel) = world().await;
        let (one, other) = (hash("correct horse".to_owned()), hash("correct horse".to_owned()));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        assert_ne!(one, other);
        assert!(verify(one.clone(), "correct horse".to_owned()).await.unwrap());
        assert!(!verify(one, "correct horsf".to_owned()).await.unwrap());
        assert!(!verify(String::new(), String::new()).await.unwrap());
        add(&kernel, ann("acme")).await.unwrap();
        let rows = entity::Entity::find().all(kernel.store.connection()).await.unwrap();
        let beginning = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(rows[0].password_hash.starts_with(beginning), "{}", rows[0].password_hash);
        // One of another library.
        let known = "$argon2id$v=19$m=19456,t=2,p=1$XMsBbiIUKS+98GR7l+iuWg$\
                     Y2bZG0W8UCgwNjoIz+CcNVVZU7OanJje3YuoGUZt8pU";
        assert!(verify(known.to_owned(), "correct horse".to_owned()).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_address_costs_as_much_as_a_wrong_password() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let made = hash("correct horse".to_owned()).await.unwrap();
        let made = PasswordHash::new(&made).unwrap();
        assert_eq!(
            (nobody.algorithm, nobody.version, &nobody.params),
            (made.algorithm, made.version, &made.params)
        );
        let length = |hash: &PasswordHash| (hash.salt.unwrap().len(), hash.hash.unwrap().len());
        assert_eq!(length(&nobody), length(&made));
    }

    #[tokio::test]
    async fn a_password_is_hashed_for_whoever_signs_in() {
        let (_folder, kernel) = world().await;
        add(&kernel, ann("acme")).await.unwrap();
        let bob = NewDeveloper { email: "bob@acme.example", ..ann("globex") };
        add(&kernel, bob).await.unwrap();
        run(&kernel, "UPDATE developers SET disabled = true WHERE id = 2").await;
        // As long as nobody else may hash, nobody is answered.
        let turns = HASHING.acquire_many(2).await.unwrap();
        let (source, patience) = (kernel.store.committed(), Duration::from_millis(200));
        let table = [
            ("ann@acme.example", "correct horse"),
            ("ann@acme.example", "wrong"),
            ("bob@acme.example", "correct horse"),
            ("nobody@acme.example", "correct horse"),
            ("", ""),
        ];
        for (email, password) in table {
            let answer = authenticate(source, email, password.to_owned());
            let answer = tokio::time::timeout(patience, answer).await;
            assert!(answer.is_err(), "{email} is answered at once");
        }
        drop(turns);
        let unknown = authenticate(source, "nobody@acme.example", "correct horse".to_owned());
        assert_eq!(unknown.await.unwrap(), None);
    }

    #[tokio::test]
    async fn one_developer_may_work_for_several_accounts() {
        let (_folder, kernel) = world().await;
        add(&kernel, ann("acme")).await.unwrap();
        let lower =
            NewDeveloper { email: "ann@acme.example", name: Some("Ann Lee"), ..ann("globex") };
        assert_eq!(add(&kernel, lower).await.unwrap().id, 1);
        let member = |account: &str, number, name: &str, person, person_name: &str| Membership {
            account: account.to_owned(),
            number,
            name: name.to_owned(),
            person,
            person_name: person_name.to_owned(),
        };
        let source = kernel.store.committed();
        let (globex, acme) =
            (member("globex", 7, "Globex", 2, "Ann Lee"), member("acme", 12, "Acme", 1, "Ann"));
        assert_eq!(memberships(source, 1).await.unwrap(), [globex.clone(), acme]);
        run(&kernel, "UPDATE people SET disabled = true WHERE id = 1").await;
        assert_eq!(memberships(source, 1).await.unwrap(), [globex]);
        assert_eq!(memberships(source, 2).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_person_of_the_address_is_who_the_developer_is() {
        let (_folder, kernel) = world().await;
        let person = "INSERT INTO people VALUES (9, 'acme', 'Ann Lee', 'Ann@acme.example', false, \
                      false, 0, 0)";
        run(&kernel, person).await;
        add(&kernel, ann("acme")).await.unwrap();
        let members = memberships(kernel.store.committed(), 1).await.unwrap();
        let known: Vec<(i64, &str)> =
            members.iter().map(|it| (it.person, it.person_name.as_str())).collect();
        assert_eq!(known, [(9, "Ann Lee")]);
    }

    #[tokio::test]
    async fn what_is_not_acceptable_leaves_nothing() {
        let (_folder, kernel) = world().await;
        add(&kernel, ann("acme")).await.unwrap();
        let disabled = "INSERT INTO people VALUES (9, 'globex', 'Bob', 'bob@acme.example', false, \
                        true, 0, 0)";
        run(&kernel, disabled).await;
        let long = "x".repeat(201);
        let table = [
            (
                NewDeveloper { password: "short", ..ann("globex") },
                "password: use 8 to 200 characters",
            ),
            (
                NewDeveloper { password: &long, ..ann("globex") },
                "password: use 8 to 200 characters",
            ),
            (
                NewDeveloper { email: "ann", ..ann("globex") },
                "e-mail address \"ann\": use name@host",
            ),
            (
                NewDeveloper { password: "another horse", ..ann("globex") },
                "developer \"Ann@acme.example\" exists already, with another password",
            ),
            (ann("acme"), "developer \"Ann@acme.example\" works for account \"acme\" already"),
            (
                NewDeveloper { email: "bob@acme.example", ..ann("globex") },
                "person \"bob@acme.example\" of account \"globex\" is disabled",
            ),
        ];
        for (new, why) in table {
            assert_eq!(add(&kernel, new).await, Err(why.to_owned()));
        }
        run(&kernel, "UPDATE developers SET disabled = true").await;
        let refused = add(&kernel, ann("globex")).await;
        assert_eq!(refused, Err("developer \"Ann@acme.example\" is disabled".to_owned()));
        let db = kernel.store.connection();
        assert_eq!(entity::Entity::find().all(db).await.unwrap().len(), 1);
        assert_eq!(membership::Entity::find().all(db).await.unwrap().len(), 1);
        assert_eq!(people::entity::Entity::find().all(db).await.unwrap().len(), 2);
    }
}
