//! Tickets (contract 1.3): access tokens of applications and developers, signed, so that they are
//! believed without being stored; and refresh tokens, stored as keyed hashes.
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::identity::{Bucket, Identities};
use super::signing_keys::SigningKeys;
use crate::kernel::db::Row;
use crate::kernel::error::Result;
use crate::kernel::jws::{self, Unverified};
use crate::kernel::record::select::Sql;
use crate::kernel::secret::{MasterKey, Purpose, random_text};
use crate::kernel::state::Kernel;

/// How long a principal is believed without asking the database again, in milliseconds: so long does it
/// take until the token of a deleted package is refused.
const BELIEVED: i64 = 5_000;
/// Principals kept at a time.
const KEPT: usize = 4_096;
/// Seconds by which the clocks of two servers may differ.
const SKEW: i64 = 60;
/// `st` of developers' tokens.
const DEVELOPER: &str = "Developer";

/// Table `refresh_tokens`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A refresh token, of which only a keyed hash is known.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        /// Keyed hash of the token.
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        /// The application's package it is for.
        pub package_id: Option<i64>,
        /// The developer it is for.
        pub developer_id: Option<i64>,
        /// The account that the developer has chosen.
        pub account_id: Option<String>,
        /// Milliseconds since the epoch.
        pub expires_at: i64,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a caller may do, as ids of the catalogue: bits, in words of 32.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviors(Vec<(u32, u32)>);

impl FromIterator<i64> for Behaviors {
    fn from_iter<I: IntoIterator<Item = i64>>(ids: I) -> Self {
        let mut behaviors = Self::default();
        for (word, bit) in ids.into_iter().filter_map(place) {
            match behaviors.0.binary_search_by_key(&word, |(word, _)| *word) {
                Ok(at) => behaviors.0[at].1 |= bit,
                Err(at) => behaviors.0.insert(at, (word, bit)),
            }
        }
        behaviors
    }
}

impl Behaviors {
    /// Whether a behavior is among them.
    pub fn contains(&self, id: i64) -> bool {
        let Some((wanted, bit)) = place(id) else { return false };
        let found = self.0.binary_search_by_key(&wanted, |(word, _)| *word);
        found.is_ok_and(|at| self.0[at].1 & bit != 0)
    }

    /// Those that the others have too.
    #[must_use]
    pub fn shared_with(&self, others: &Self) -> Self {
        self.ids().into_iter().filter(|id| others.contains(*id)).collect()
    }

    /// The ids, ascending.
    pub fn ids(&self) -> Vec<i64> {
        let ids = |(word, mask): &(u32, u32)| {
            let (first, mask) = (i64::from(*word) * 32, *mask);
            (0..32).filter(move |bit| (mask >> bit) & 1 == 1).map(move |bit| first + bit)
        };
        self.0.iter().flat_map(ids).collect()
    }
}

/// Word and bit of a behavior.
fn place(id: i64) -> Option<(u32, u32)> {
    let id = u32::try_from(id).ok()?;
    Some((id / 32, 1 << (id % 32)))
}

/// A flat array of pairs: index of a word, and the word, as a signed number like all integers that
/// clients read.
impl Serialize for Behaviors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0
                .iter()
                .flat_map(|(word, mask)| [i64::from(*word), i64::from(mask.cast_signed())]),
        )
    }
}

impl<'de> Deserialize<'de> for Behaviors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Vec::<i32>::deserialize(deserializer)?;
        let (pairs, []) = flat.as_chunks::<2>() else {
            return Err(D::Error::custom("a word without its index"));
        };
        let mut words = Vec::with_capacity(pairs.len());
        for [word, mask] in pairs {
            let word = u32::try_from(*word).map_err(D::Error::custom)?;
            if words.last().is_some_and(|(last, _)| *last >= word) {
                return Err(D::Error::custom("words out of order"));
            }
            words.push((word, mask.cast_unsigned()));
        }
        Ok(Self(words))
    }
}

/// How tickets are made, as the operator has set it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Seconds that an access token is valid.
    pub access_lifetime: u32,
    /// Seconds that a refresh token is valid.
    pub refresh_lifetime: u32,
    /// Days for which one key signs.
    pub signing_key_days: u32,
    /// Accounts whose callers are operators.
    pub operator_accounts: Vec<String>,
}

/// For whom an access token is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// An application.
    App {
        /// Its version.
        version: i64,
        /// Key of its package, canonical.
        key: String,
        /// Name for people.
        name: String,
    },
    /// A developer.
    Developer {
        /// Number of the developer.
        developer: i64,
        /// Their person in the chosen account; 0 without one.
        person: i64,
        /// Number of the chosen account; 0 without one, and then the token owns nothing.
        account: i64,
    },
}

/// An access token. The text is told once.
#[derive(Clone, Debug)]
pub struct Access {
    /// The token.
    pub token: String,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
}

/// Whose refresh token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewable {
    /// An application's, by its package.
    App {
        /// Number of the package.
        package: i64,
    },
    /// A developer's.
    Developer {
        /// Number of the developer.
        developer: i64,
        /// The account that was chosen.
        account: Option<String>,
    },
}

/// A refresh token that is not stored yet: texts are made before the transaction, which may be repeated.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The token. The text is told once.
    pub token: String,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
    row: entity::Model,
}

/// A refresh token that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is.
    pub of: Renewable,
    /// Milliseconds since the epoch.
    pub expires_at: i64,
}

/// Who calls, in the app packages family.
#[derive(Debug)]
pub struct Principal {
    /// Account that the caller acts for; empty for a developer who has chosen none.
    pub account: Arc<str>,
    /// Number of the account on the wire; 0 without one.
    pub number: i64,
    /// What calls.
    pub actor: Actor,
    /// The person that audit entries name; 0 without an account.
    pub person: i64,
    /// What the token allows. Frozen when it was issued (contract 1.3.1).
    pub behaviors: Behaviors,
    /// Whether the account is one of the operators'.
    pub operator: bool,
    /// Requests of the caller.
    pub bucket: Arc<Bucket>,
    /// What records show as their author: the application's key, or `dev-` and the person.
    pub by: String,
    /// Number of the developer who calls, alone or at the side of an application.
    pub developer: Option<i64>,
    expires_at: i64,
    read_at: i64,
}

impl Principal {
    /// This caller on behalf of a developer: what either may not do is not done (contract 1.3.1), and
    /// what is done is the developer's. One of another account may do nothing in this one.
    #[must_use]
    pub fn on_behalf_of(&self, developer: &Self) -> Self {
        let is_colleague = developer.account == self.account;
        let behaviors = match is_colleague {
            true => self.behaviors.shared_with(&developer.behaviors),
            false => Behaviors::default(),
        };
        // What an application may always do on its own is no affair of a developer of another account,
        // whose person is none of this one.
        let (actor, author) = match is_colleague {
            true => (&self.actor, developer),
            false => (&developer.actor, self),
        };
        Self {
            account: self.account.clone(),
            number: self.number,
            actor: actor.clone(),
            person: author.person,
            behaviors,
            operator: self.operator && developer.operator,
            bucket: self.bucket.clone(),
            by: author.by.clone(),
            developer: author.developer,
            expires_at: self.expires_at.min(developer.expires_at),
            read_at: self.read_at.min(developer.read_at),
        }
    }
}

/// What calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An application.
    App {
        /// Number of its package.
        package: i64,
        /// Number of its version.
        version: i64,
        /// Number of the application.
        application: i64,
        /// Key of its package, canonical.
        key: String,
    },
    /// A developer.
    Developer {
        /// Number of the developer.
        developer: i64,
    },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Claims {
    unique_name: String,
    sub: String,
    sid: String,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(rename = "https://www.kibocommerce.com/app_claims")]
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<AppClaims>,
    #[serde(rename = "https://www.kibocommerce.com/user_claims")]
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserClaims>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct AppClaims {
    aid: String,
    akey: String,
    bv: Behaviors,
    exp: i64,
    rnd: String,
    #[serde(rename = "b.appname")]
    name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct UserClaims {
    uid: String,
    anon: bool,
    st: String,
    bv: Behaviors,
    exp: i64,
    rnd: String,
    #[serde(rename = "b.DevAccountId")]
    account: i64,
}

/// Makes tickets, and tells who holds them.
pub struct Tickets {
    terms: Terms,
    keys: SigningKeys,
    /// By the whole token: two tokens may share a signature's beginning, and one may have two.
    seen: quick_cache::sync::Cache<String, Arc<Principal>>,
}

impl Tickets {
    /// Tickets on these terms.
    pub fn new(terms: Terms) -> Self {
        let keys = SigningKeys::new(terms.signing_key_days, terms.access_lifetime);
        Self { terms, keys, seen: quick_cache::sync::Cache::new(KEPT) }
    }

    /// The keys that sign access tokens.
    pub fn keys(&self) -> &SigningKeys {
        &self.keys
    }

    /// Seconds that an access token is valid.
    pub fn access_lifetime(&self) -> u32 {
        self.terms.access_lifetime
    }

    /// Makes an access token.
    ///
    /// # Errors
    /// The database's, where the signing keys are.
    pub async fn access(
        &self,
        kernel: &Kernel,
        holder: &Holder,
        behaviors: &Behaviors,
    ) -> Result<Access> {
        let now = kernel.clock.now_millis().div_euclid(1000);
        let claims = self.claims(&kernel.site.public_url, holder, behaviors, now);
        let signer = self.keys.current(kernel).await?;
        let token = jws::sign(signer.pair(), signer.id(), &claims)?;
        Ok(Access { token, expires_at: claims.exp * 1000 })
    }

    fn claims(&self, site: &str, holder: &Holder, behaviors: &Behaviors, now: i64) -> Claims {
        let exp = now + i64::from(self.terms.access_lifetime);
        let (bv, rnd) = (behaviors.clone(), random_text(12));
        let (sub, app, user) = match holder {
            Holder::App { version, key, name } => {
                let (akey, name) = (key.clone(), name.clone());
                let claims = AppClaims { aid: version.to_string(), akey, bv, exp, rnd, name };
                (key.clone(), Some(claims), None)
            }
            Holder::Developer { developer, person, account } => {
                let (uid, st) = (developer.to_string(), DEVELOPER.to_owned());
                let claims = UserClaims { uid, anon: false, st, bv, exp, rnd, account: *account };
                (author(*developer, *person), None, Some(claims))
            }
        };
        Claims {
            unique_name: sub.clone(),
            sub,
            sid: random_text(16),
            iss: site.to_owned(),
            aud: site.to_owned(),
            iat: now,
            nbf: now,
            exp,
            app,
            user,
        }
    }

    /// Who holds an access token; `None` when it is not one of ours, is expired, or its package or
    /// developer is gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn verify(
        &self,
        kernel: &Kernel,
        identities: &Identities,
        token: &str,
    ) -> Result<Option<Arc<Principal>>> {
        let now = kernel.clock.now_millis();
        if let Some(known) = self.seen.get(token)
            && (0..BELIEVED).contains(&(now - known.read_at))
        {
            return Ok(Some(known).filter(|known| known.expires_at > now));
        }
        let found = match self.read(kernel, token, now).await? {
            Some(claims) => self.principal(kernel, identities, claims, now).await?.map(Arc::new),
            None => None,
        };
        match &found {
            Some(found) => self.seen.insert(token.to_owned(), found.clone()),
            None => drop(self.seen.remove(token)),
        }
        Ok(found)
    }

    /// What a token says, if one of our keys signed it and it is valid now.
    async fn read(&self, kernel: &Kernel, token: &str, now: i64) -> Result<Option<Claims>> {
        let Some(token) = Unverified::parse(token) else { return Ok(None) };
        let Some(key) = self.keys.find(kernel, token.kid()).await? else { return Ok(None) };
        let claims = token.verify::<Claims>(&key.public);
        Ok(claims.filter(|claims| claims.hold(&kernel.site.public_url, now.div_euclid(1000))))
    }

    async fn principal(
        &self,
        kernel: &Kernel,
        identities: &Identities,
        claims: Claims,
        now: i64,
    ) -> Result<Option<Principal>> {
        let (row, behaviors) = match claims {
            Claims { app: Some(app), user: None, .. } => (read_app(kernel, &app).await?, app.bv),
            Claims { app: None, user: Some(user), .. } => {
                (read_developer(kernel, &user).await?, user.bv)
            }
            _ => return Ok(None),
        };
        let Some(Caller { account, number, person, actor }) = row else { return Ok(None) };
        let (counted, by, developer) = match &actor {
            Actor::App { version, key, .. } => (format!("app:{version}"), key.clone(), None),
            Actor::Developer { developer } => {
                let by = author(*developer, person);
                (format!("developer:{developer}"), by, Some(*developer))
            }
        };
        Ok(Some(Principal {
            operator: self.terms.operator_accounts.contains(&account),
            account: account.into(),
            bucket: identities.bucket(&counted, now),
            expires_at: claims.exp.saturating_mul(1000),
            read_at: now,
            number,
            actor,
            person,
            behaviors,
            by,
            developer,
        }))
    }

    /// Makes a refresh token, to be stored by [`keep`].
    pub fn refresh(&self, kernel: &Kernel, of: Renewable) -> Refresh {
        let now = kernel.clock.now_millis();
        let token = random_text(48);
        let (package_id, developer_id, account_id) = match of {
            Renewable::App { package } => (Some(package), None, None),
            Renewable::Developer { developer, account } => (None, Some(developer), account),
        };
        let expires_at = now + i64::from(self.terms.refresh_lifetime) * 1000;
        let row = entity::Model {
            hash: hash(&kernel.site.key, &token),
            package_id,
            developer_id,
            account_id,
            expires_at,
            created_at: now,
        };
        Refresh { token, expires_at, row }
    }
}

impl Claims {
    /// Whether these are claims of this installation that hold at this second.
    fn hold(&self, site: &str, now: i64) -> bool {
        self.iss == site && self.aud == site && self.nbf <= now + SKEW && now < self.exp
    }
}

/// A caller as the database knows it.
struct Caller {
    account: String,
    number: i64,
    person: i64,
    actor: Actor,
}

async fn read_app(kernel: &Kernel, claims: &AppClaims) -> Result<Option<Caller>> {
    let Ok(version) = claims.aid.parse::<i64>() else { return Ok(None) };
    let package = claims.akey.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let mut sql = Sql::new(kernel.store.dialect());
    sql.push(
        "SELECT p.account_id, n.number, a.person_id, p.id, v.id, a.id, \
         s.name, a.app_id, v.major, v.minor, v.revision, p.name FROM packages p \
         JOIN application_versions v ON v.id = p.version_id \
         JOIN applications a ON a.id = v.application_id \
         JOIN namespaces s ON s.id = a.namespace_id \
         JOIN account_numbers n ON n.account_id = p.account_id \
         WHERE NOT p.is_deleted AND p.version_id = ",
    )
    .bind(version)
    .push(" AND p.name_key = ")
    .bind(package.as_str());
    let gather = |found: &mut Option<Caller>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default();
        let int = |at| row.int(at).unwrap_or_default();
        let version = format!("{}.{}.{}", int(8), int(9), int(10));
        *found = Some(Caller {
            account: text(0).into_owned(),
            number: int(1),
            person: int(2),
            actor: Actor::App {
                package: int(3),
                version: int(4),
                application: int(5),
                key: format!("{}.{}.{version}.{}", text(6), text(7), text(11)),
            },
        });
    };
    kernel.store.committed().fetch(sql.query(false), None, gather).await
}

async fn read_developer(kernel: &Kernel, claims: &UserClaims) -> Result<Option<Caller>> {
    let Ok(developer) = claims.uid.parse::<i64>() else { return Ok(None) };
    let mut sql = Sql::new(kernel.store.dialect());
    sql.push(
        "SELECT n.account_id, n.number, p.id FROM developers d \
         LEFT JOIN account_numbers n ON n.number = ",
    )
    .bind(claims.account)
    .push(
        " LEFT JOIN developer_accounts m ON m.developer_id = d.id AND m.account_id = n.account_id \
         LEFT JOIN people p ON p.id = m.person_id AND NOT p.disabled \
         WHERE NOT d.disabled AND d.id = ",
    )
    .bind(developer);
    let has_account = claims.account != 0;
    let gather = move |found: &mut Option<Caller>, row: &dyn Row| {
        let person = row.int(2);
        // A membership that has ended leaves nothing to act for.
        *found = (person.is_some() || !has_account).then(|| Caller {
            account: person.and_then(|_| row.text(0)).unwrap_or_default().into_owned(),
            number: person.and_then(|_| row.int(1)).unwrap_or_default(),
            person: person.unwrap_or_default(),
            actor: Actor::Developer { developer },
        });
    };
    kernel.store.committed().fetch(sql.query(false), None, gather).await
}

/// What records show as their author when a developer has written them: the person they are in the account.
/// Without an account there is none; such a developer is known by their own number, and writes nothing.
fn author(developer: i64, person: i64) -> String {
    match person {
        0 => format!("developer-{developer}"),
        person => format!("dev-{person}"),
    }
}

/// Keyed hash under which a refresh token is stored.
fn hash(key: &MasterKey, token: &str) -> String {
    hex::encode(key.sign(Purpose::RefreshToken, &[token.as_bytes()]))
}

/// Stores a refresh token; those that have expired leave by the way.
///
/// # Errors
/// The database's.
pub async fn keep(db: &impl ConnectionTrait, refresh: &Refresh) -> Result<(), DbErr> {
    entity::Entity::delete_many()
        .filter(entity::COLUMN.expires_at.lte(refresh.row.created_at))
        .exec(db)
        .await?;
    entity::Entity::insert(refresh.row.clone().into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The refresh token of this text; `None` when it is unknown, revoked or expired. `now` in milliseconds
/// since the epoch.
///
/// # Errors
/// The database's.
pub async fn find(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    token: &str,
    now: i64,
) -> Result<Option<Kept>, DbErr> {
    let row = entity::Entity::find_by_id(hash(key, token)).one(db).await?;
    Ok(row.filter(|row| row.expires_at > now).and_then(|row| {
        let of = match (row.package_id, row.developer_id) {
            (Some(package), None) => Renewable::App { package },
            (None, Some(developer)) => Renewable::Developer { developer, account: row.account_id },
            _ => return None,
        };
        Some(Kept { of, expires_at: row.expires_at })
    }))
}

/// Revokes a refresh token. Whether there was one to revoke; of two at the same time, one is told so.
///
/// # Errors
/// The database's.
pub async fn revoke(
    db: &impl ConnectionTrait,
    key: &MasterKey,
    token: &str,
    now: i64,
) -> Result<bool, DbErr> {
    let revoked = entity::Entity::delete_many()
        .filter(entity::COLUMN.hash.eq(hash(key, token)))
        .filter(entity::COLUMN.expires_at.gt(now))
        .exec(db)
        .await?;
    Ok(revoked.rows_affected > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::super::signing_keys::tests::kernel;
    use super::*;

    /// What is read of tables that migrations make, which this layer cannot call.
    const TABLES: [&str; 17] = [
        "CREATE TABLE account_numbers (number INTEGER PRIMARY KEY, account_id TEXT)",
        "CREATE TABLE namespaces (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE applications (id INTEGER PRIMARY KEY, namespace_id BIGINT, app_id TEXT, \
         person_id BIGINT)",
        "CREATE TABLE application_versions (id INTEGER PRIMARY KEY, application_id BIGINT, \
         major BIGINT, minor BIGINT, revision BIGINT)",
        "CREATE TABLE packages (id INTEGER PRIMARY KEY, account_id TEXT, version_id BIGINT, \
         name TEXT, name_key TEXT, is_deleted BOOLEAN)",
        "CREATE TABLE developers (id INTEGER PRIMARY KEY, disabled BOOLEAN)",
        "CREATE TABLE developer_accounts (developer_id BIGINT, account_id TEXT, person_id BIGINT)",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, disabled BOOLEAN)",
        "CREATE TABLE refresh_tokens (hash TEXT PRIMARY KEY, package_id BIGINT, \
         developer_id BIGINT, account_id TEXT, expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL)",
        "INSERT INTO account_numbers VALUES (12, 'acme'), (13, 'globex')",
        "INSERT INTO namespaces VALUES (1, 'Acme01')",
        "INSERT INTO applications VALUES (2, 1, 'loyalty', 5)",
        "INSERT INTO application_versions VALUES (3, 2, 1, 10, 0)",
        "INSERT INTO packages VALUES (4, 'acme', 3, 'Release', 'release', false)",
        "INSERT INTO developers VALUES (6, false)",
        "INSERT INTO developer_accounts VALUES (6, 'acme', 7)",
        "INSERT INTO people VALUES (5, true), (7, false)",
    ];

    fn tickets() -> Tickets {
        Tickets::new(Terms {
            access_lifetime: 3600,
            refresh_lifetime: 86_400,
            signing_key_days: 30,
            operator_accounts: vec!["acme".to_owned()],
        })
    }

    async fn world() -> (TempDir, Kernel) {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &TABLES).await;
        kernel.clock.advance(1_000_000_500);
        (folder, kernel)
    }

    fn app() -> Holder {
        let (key, name) = ("Acme01.loyalty.1.10.0.Release".to_owned(), "Loyalty".to_owned());
        Holder::App { version: 3, key, name }
    }

    fn developer(account: i64) -> Holder {
        Holder::Developer { developer: 6, person: if account == 0 { 0 } else { 7 }, account }
    }

    async fn run(kernel: &Kernel, sql: &str) {
        kernel.store.connection().execute_unprepared(sql).await.unwrap();
    }

    #[test]
    fn behaviors_are_pairs_of_word_and_mask() {
        let table: [(&[i64], Value); 6] = [
            (&[], json!([])),
            (&[1], json!([0, 2])),
            (&[43, 41, 42, 41], json!([1, 3584])),
            (&[63], json!([1, -2_147_483_648_i64])),
            (&[1014, 22, 102], json!([0, 4_194_304, 3, 64, 31, 4_194_304])),
            (&[2_147_483_647], json!([67_108_863, -2_147_483_648_i64])),
        ];
        for (ids, wire) in table {
            let behaviors: Behaviors = ids.iter().copied().collect();
            let mut expected = ids.to_vec();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(behaviors.ids(), expected);
            assert!(expected.iter().all(|id| behaviors.contains(*id)));
            assert!(!behaviors.contains(40) && !behaviors.contains(-1));
            assert_eq!(serde_json::to_value(&behaviors).unwrap(), wire);
            assert_eq!(serde_json::from_value::<Behaviors>(wire).unwrap(), behaviors);
        }
        assert_eq!([-1, 1 << 40].into_iter().collect::<Behaviors>(), Behaviors::default());
        for wrong in
            [json!([1]), json!([-1, 1]), json!([1, 1, 0, 1]), json!([1, 1, 1, 1]), json!("x")]
        {
            assert!(serde_json::from_value::<Behaviors>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_callers_share_what_both_may_do() {
        let of = |ids: &[i64]| ids.iter().copied().collect::<Behaviors>();
        assert_eq!(of(&[1, 41, 42, 1014]).shared_with(&of(&[42, 43, 1, 64])), of(&[1, 42]));
        assert_eq!(of(&[1]).shared_with(&of(&[])), of(&[]));
    }

    #[test]
    fn claims_are_those_that_clients_know() {
        let tickets = tickets();
        let behaviors: Behaviors = [41, 42].into_iter().collect();
        let claims = |holder| {
            let claims = tickets.claims("https://x.test", &holder, &behaviors, 1_000);
            let mut value = serde_json::to_value(claims).unwrap();
            let mut taken = vec![value["sid"].take()];
            for kind in ["app", "user"] {
                let name = format!("https://www.kibocommerce.com/{kind}_claims");
                if let Some(claims) = value.get_mut(&name) {
                    taken.push(claims["rnd"].take());
                }
            }
            let lengths: Vec<usize> = taken.iter().map(|it| it.as_str().unwrap().len()).collect();
            assert_eq!(lengths, [16, 12]);
            value
        };
        let key = "Acme01.loyalty.1.10.0.Release";
        let expected = json!({
            "unique_name": key, "sub": key, "sid": null,
            "iss": "https://x.test", "aud": "https://x.test",
            "iat": 1000, "nbf": 1000, "exp": 4600,
            "https://www.kibocommerce.com/app_claims": {
                "aid": "3", "akey": key, "bv": [1, 1536], "exp": 4600, "rnd": null,
                "b.appname": "Loyalty",
            },
        });
        assert_eq!(claims(app()), expected);
        let expected = json!({
            "unique_name": "dev-7", "sub": "dev-7", "sid": null,
            "iss": "https://x.test", "aud": "https://x.test",
            "iat": 1000, "nbf": 1000, "exp": 4600,
            "https://www.kibocommerce.com/user_claims": {
                "uid": "6", "anon": false, "st": "Developer", "bv": [1, 1536], "exp": 4600,
                "rnd": null, "b.DevAccountId": 12,
            },
        });
        assert_eq!(claims(developer(12)), expected);
        // Who has chosen no account is nobody in particular there, and still not everybody.
        let without = claims(developer(0));
        assert_eq!([&without["sub"], &without["unique_name"]], ["developer-6", "developer-6"]);
    }

    #[test]
    fn claims_hold_here_and_now_only() {
        let tickets = tickets();
        let claims = tickets.claims("https://x.test", &app(), &Behaviors::default(), 1_000);
        let table = [
            ("https://x.test", 1_000, true),
            ("https://x.test", 4_599, true),
            ("https://x.test", 4_600, false),
            // The clock of another server may be a little behind.
            ("https://x.test", 940, true),
            ("https://x.test", 939, false),
            ("https://y.test", 1_000, false),
            ("https://x.test/", 1_000, false),
        ];
        for (site, now, holds) in table {
            assert_eq!(claims.hold(site, now), holds, "{site} {now}");
        }
        let other = Claims { aud: "https://y.test".to_owned(), ..claims };
        assert!(!other.hold("https://x.test", 1_000));
    }

    #[tokio::test]
    async fn an_application_is_known_by_its_token() {
        let (_folder, kernel) = world().await;
        let (tickets, identities) = (tickets(), Identities::default());
        let behaviors: Behaviors = [41].into_iter().collect();
        let access = tickets.access(&kernel, &app(), &behaviors).await.unwrap();
        // Whole seconds: what the ticket says is what the token says.
        assert_eq!(access.expires_at, 1_000_000_000 + 3_600_000);
        let found = tickets.verify(&kernel, &identities, &access.token).await.unwrap().unwrap();
        let key = "Acme01.loyalty.1.10.0.Release".to_owned();
        assert_eq!(
            found.actor,
            Actor::App { package: 4, version: 3, application: 2, key: key.clone() }
        );
        assert_eq!((&*found.account, found.number, found.person), ("acme", 12, 5));
        assert_eq!((&found.by, found.operator, &found.behaviors), (&key, true, &behaviors));
        let bucket = identities.bucket("app:3", 0);
        assert!(Arc::ptr_eq(&found.bucket, &bucket));
        let again = tickets.verify(&kernel, &identities, &access.token).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&found, &again));

        kernel.clock.advance(access.expires_at - kernel.clock.now_millis() - 1);
        assert!(tickets.verify(&kernel, &identities, &access.token).await.unwrap().is_some());
        kernel.clock.advance(1);
        assert!(tickets.verify(&kernel, &identities, &access.token).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_deleted_package_is_refused_within_seconds() {
        let (_folder, kernel) = world().await;
        let (tickets, identities) = (tickets(), Identities::default());
        let access = tickets.access(&kernel, &app(), &Behaviors::default()).await.unwrap();
        assert!(tickets.verify(&kernel, &identities, &access.token).await.unwrap().is_some());
        run(&kernel, "UPDATE packages SET is_deleted = true").await;
        kernel.clock.advance(BELIEVED - 1);
        assert!(tickets.verify(&kernel, &identities, &access.token).await.unwrap().is_some());
        kernel.clock.advance(1);
        assert!(tickets.verify(&kernel, &identities, &access.token).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_developer_is_known_while_a_member() {
        let (_folder, kernel) = world().await;
        let (tickets, identities) = (tickets(), Identities::default());
        let none = Behaviors::default();
        let own = tickets.access(&kernel, &developer(12), &none).await.unwrap().token;
        let foreign = tickets.access(&kernel, &developer(13), &none).await.unwrap().token;
        let without = tickets.access(&kernel, &developer(0), &none).await.unwrap().token;
        let found = tickets.verify(&kernel, &identities, &own).await.unwrap().unwrap();
        assert_eq!(found.actor, Actor::Developer { developer: 6 });
        assert_eq!((&*found.account, found.number, found.person), ("acme", 12, 7));
        assert_eq!((found.by.as_str(), found.operator), ("dev-7", true));
        assert_eq!(found.developer, Some(6));
        assert!(tickets.verify(&kernel, &identities, &foreign).await.unwrap().is_none());
        let found = tickets.verify(&kernel, &identities, &without).await.unwrap().unwrap();
        assert_eq!(
            (&*found.account, found.number, found.person, found.operator),
            ("", 0, 0, false)
        );
        assert_eq!(found.by, "developer-6");

        run(&kernel, "UPDATE people SET disabled = true").await;
        kernel.clock.advance(BELIEVED);
        assert!(tickets.verify(&kernel, &identities, &own).await.unwrap().is_none());
        assert!(tickets.verify(&kernel, &identities, &without).await.unwrap().is_some());
        run(&kernel, "UPDATE developers SET disabled = true").await;
        kernel.clock.advance(BELIEVED);
        assert!(tickets.verify(&kernel, &identities, &without).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn tokens_of_others_are_refused() {
        let (_folder, kernel) = world().await;
        let (tickets, identities) = (tickets(), Identities::default());
        let access = tickets.access(&kernel, &app(), &Behaviors::default()).await.unwrap();
        let signer = tickets.keys().current(&kernel).await.unwrap();
        let sign = |claims: &Claims| jws::sign(signer.pair(), signer.id(), claims).unwrap();
        let claims =
            || tickets.claims(&kernel.site.public_url, &app(), &Behaviors::default(), 1_000_000);
        assert!(tickets.verify(&kernel, &identities, &sign(&claims())).await.unwrap().is_some());
        let user = tickets.claims("", &developer(12), &Behaviors::default(), 0).user;
        let aid = |aid: &str| {
            let mut claims = claims();
            claims.app.as_mut().unwrap().aid = aid.to_owned();
            claims
        };
        let wrong = [
            sign(&Claims { iss: "https://elsewhere.test".to_owned(), ..claims() }),
            sign(&Claims { exp: 1_000_000, ..claims() }),
            sign(&Claims { app: None, ..claims() }),
            sign(&Claims { user, ..claims() }),
            sign(&aid("4")),
            sign(&aid("x")),
            jws::sign(signer.pair(), "another", &claims()).unwrap(),
            jws::sign(signer.pair(), signer.id(), &json!({"sub": "x"})).unwrap(),
            format!("{}x", access.token),
            "amt_0123456789012345678901234567890123456789".to_owned(),
            String::new(),
        ];
        for token in wrong {
            let found = tickets.verify(&kernel, &identities, &token).await.unwrap();
            assert!(found.is_none(), "{token}");
        }
    }

    #[tokio::test]
    async fn refresh_tokens_are_kept_found_and_revoked_once() {
        let (_folder, kernel) = world().await;
        let tickets = tickets();
        let (db, key) = (kernel.store.connection(), &kernel.site.key);
        let now = kernel.clock.now_millis();
        let kinds = [
            Renewable::App { package: 4 },
            Renewable::Developer { developer: 6, account: Some("acme".to_owned()) },
            Renewable::Developer { developer: 6, account: None },
        ];
        for of in kinds {
            let refresh = tickets.refresh(&kernel, of.clone());
            let token = refresh.token.as_str();
            assert_eq!((token.len(), refresh.expires_at), (48, now + 86_400_000));
            assert_eq!(find(db, key, token, now).await.unwrap(), None);
            keep(db, &refresh).await.unwrap();
            let expected = Kept { of, expires_at: now + 86_400_000 };
            assert_eq!(find(db, key, token, now).await.unwrap(), Some(expected));
            assert_eq!(find(db, key, token, refresh.expires_at).await.unwrap(), None);
            assert!(!revoke(db, key, token, refresh.expires_at).await.unwrap());
            assert!(revoke(db, key, token, now).await.unwrap());
            assert!(!revoke(db, key, token, now).await.unwrap());
            assert_eq!(find(db, key, token, now).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn refresh_tokens_are_hashed_and_leave_when_they_expire() {
        let (_folder, kernel) = world().await;
        let tickets = tickets();
        let db = kernel.store.connection();
        let first = tickets.refresh(&kernel, Renewable::App { package: 4 });
        keep(db, &first).await.unwrap();
        kernel.clock.advance(86_400_000);
        let second = tickets.refresh(&kernel, Renewable::App { package: 4 });
        keep(db, &second).await.unwrap();
        let rows = entity::Entity::find().all(db).await.unwrap();
        let hashes: Vec<String> = rows.into_iter().map(|row| row.hash).collect();
        assert_eq!(hashes, [hash(&kernel.site.key, &second.token)]);
        assert_ne!(hashes, [second.token]);
    }
}
