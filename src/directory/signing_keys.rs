//! Keys that sign access tokens. Each signs for a period, is shown before and after it, and is then
//! forgotten; so whoever verifies tokens by the published keys never meets one that is not there.
//!
//! Keys live in the database, where all servers find them. Which server makes the next one is decided
//! by the unique `signs_from`.
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use parking_lot::Mutex;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::jws::KeyPair;
use crate::kernel::record::select::Sql;
use crate::kernel::secret::{MasterKey, Purpose, random_text};
use crate::kernel::state::Kernel;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How long before its period a key is made: an hour to be shown, and as much for servers and readers
/// that keep what they have read.
const AHEAD: i64 = 120 * MINUTE;
/// How long a key is shown after the last token that it signed has expired.
const GRACE: i64 = 5 * MINUTE;
/// How long keys are believed without asking the database again.
const BELIEVED: i64 = MINUTE;
/// How often the database is asked for a key that is not known.
const ASKED: i64 = 1_000;

/// Table `signing_keys`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A key.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub struct Model {
        /// Its id, `kid` of the tokens.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Uncompressed point, as Base64 for URLs.
        pub public_key: String,
        /// PKCS#8, sealed.
        pub private_key: String,
        /// When its period begins, in milliseconds since the epoch.
        pub signs_from: i64,
        /// When it is forgotten, in milliseconds since the epoch.
        pub shown_until: i64,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A key as it is used.
#[derive(Debug)]
pub struct SigningKey {
    /// Its id, `kid` of the tokens.
    pub id: String,
    /// Uncompressed point.
    pub public: Vec<u8>,
    /// Missing where another master key sealed it: such a key can verify and not sign.
    pair: Option<KeyPair>,
    signs_from: i64,
    shown_until: i64,
}

impl SigningKey {
    /// The coordinates x and y of the public key.
    pub fn coordinates(&self) -> (&[u8], &[u8]) {
        // The first byte says that the point is not compressed.
        self.public.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default()
    }
}

type Keys = Arc<[Arc<SigningKey>]>;

/// The keys of this installation.
#[derive(Debug)]
pub struct SigningKeys {
    schedule: Schedule,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    keys: Option<Keys>,
    read_at: i64,
    /// When the database was last asked for a key that was not among these.
    asked_at: i64,
}

/// When keys begin and end, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    period: i64,
    token_lifetime: i64,
}

impl SigningKeys {
    /// Keys that change every so many days and sign tokens of so many seconds.
    pub fn new(days: u32, token_lifetime: u32) -> Self {
        let schedule = Schedule {
            period: i64::from(days.max(1)) * DAY,
            token_lifetime: i64::from(token_lifetime) * 1000,
        };
        Self { schedule, seen: Mutex::default() }
    }

    /// The key of the present period with its private part. Makes it, and the one of the next period
    /// when that is near, if nobody has.
    ///
    /// # Errors
    /// The database's, and when the servers on one database have different master keys.
    pub async fn current(&self, kernel: &Kernel) -> Result<Signer> {
        let now = kernel.clock.now_millis();
        let keys = self.keys(kernel, now).await?;
        if let Some(signer) = self.schedule.signer(&keys, now) {
            return Ok(signer);
        }
        let keys = self.read(kernel, now).await?;
        self.schedule.signer(&keys, now).ok_or_else(|| {
            Error::internal("no key to sign with: do all servers have the same master key?")
        })
    }

    /// The key of this id, if it is shown now.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, kernel: &Kernel, id: &str) -> Result<Option<Arc<SigningKey>>> {
        let now = kernel.clock.now_millis();
        let among =
            |keys: &Keys| keys.iter().find(|key| key.id == id && key.shown_until > now).cloned();
        if let Some(key) = among(&self.keys(kernel, now).await?) {
            return Ok(Some(key));
        }
        // Another server may have made it since; made-up ids must not become queries.
        {
            let mut seen = self.seen.lock();
            if (0..ASKED).contains(&(now - seen.asked_at)) || seen.read_at == now {
                return Ok(None);
            }
            seen.asked_at = now;
        }
        Ok(among(&self.read(kernel, now).await?))
    }

    /// All keys that are shown now, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn public(&self, kernel: &Kernel) -> Result<Vec<Arc<SigningKey>>> {
        let now = kernel.clock.now_millis();
        let keys = self.keys(kernel, now).await?;
        Ok(keys.iter().filter(|key| key.shown_until > now).cloned().collect())
    }

    async fn keys(&self, kernel: &Kernel, now: i64) -> Result<Keys> {
        {
            let seen = self.seen.lock();
            if let Some(keys) = &seen.keys
                && (0..BELIEVED).contains(&(now - seen.read_at))
            {
                return Ok(keys.clone());
            }
        }
        self.read(kernel, now).await
    }

    /// Reads all keys, and makes those that should be there and are not.
    async fn read(&self, kernel: &Kernel, now: i64) -> Result<Keys> {
        let mut keys = read(kernel, now).await?;
        let missing = self.schedule.missing(&keys, now);
        if !missing.is_empty() {
            let make = |signs_from| self.schedule.make(&kernel.site.key, signs_from, now);
            let made: Vec<entity::Model> = missing.into_iter().map(make).collect::<Result<_>>()?;
            let kept = kernel.store.write((made, now), |transaction, (made, now)| {
                keep(transaction, made, *now).boxed()
            });
            kept.await?;
            // Another server may have been first.
            keys = read(kernel, now).await?;
        }
        let keys: Keys = keys.into();
        let mut seen = self.seen.lock();
        (seen.keys, seen.read_at) = (Some(keys.clone()), now);
        Ok(keys)
    }
}

/// A key that can sign.
#[derive(Clone, Debug)]
pub struct Signer(Arc<SigningKey>);

impl Signer {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its private part.
    pub fn pair(&self) -> &KeyPair {
        self.0.pair.as_ref().expect("a signer is made of a key with its private part")
    }
}

impl Schedule {
    /// The newest key that may sign at this time: its tokens will expire while it is shown.
    fn signer(self, keys: &[Arc<SigningKey>], at: i64) -> Option<Signer> {
        let fits = |key: &&Arc<SigningKey>| {
            key.pair.is_some()
                && key.signs_from <= at
                && at + self.token_lifetime <= key.shown_until
        };
        keys.iter().filter(fits).max_by_key(|key| key.signs_from).cloned().map(Signer)
    }

    /// Beginnings of the keys that should be there and are not.
    fn missing(self, keys: &[Arc<SigningKey>], now: i64) -> Vec<i64> {
        let start = self.start(now);
        let next = start + self.period;
        let is_near = next - now <= AHEAD;
        let signs_at = |from: i64, at: i64| {
            self.signer(keys, at).is_some_and(|signer| signer.0.signs_from >= from)
        };
        let present = (!signs_at(start, now)).then_some(start);
        let coming = (is_near && !signs_at(next, next)).then_some(next);
        // A key that can no longer sign, after a change of settings say, keeps its place.
        let free = |start: i64| {
            let is_taken = |at: i64| keys.iter().any(|key| key.signs_from == at);
            (start..).find(|at| !is_taken(*at)).unwrap_or(start)
        };
        present.into_iter().chain(coming).map(free).collect()
    }

    fn make(self, master: &MasterKey, signs_from: i64, now: i64) -> Result<entity::Model> {
        let id = random_text(16);
        let pkcs8 = KeyPair::generate()?;
        let pair = KeyPair::from_pkcs8(&pkcs8).ok_or_else(|| Error::internal("a bad key"))?;
        Ok(entity::Model {
            public_key: URL_SAFE_NO_PAD.encode(pair.public()),
            private_key: master.seal(Purpose::SigningKey, id.as_bytes(), &pkcs8),
            signs_from,
            shown_until: self.start(signs_from) + self.period + self.token_lifetime + GRACE,
            created_at: now,
            id,
        })
    }

    /// When the period of an instant begins.
    fn start(self, at: i64) -> i64 {
        at - at.rem_euclid(self.period)
    }
}

async fn read(kernel: &Kernel, now: i64) -> Result<Vec<Arc<SigningKey>>> {
    let mut sql = Sql::new(kernel.store.dialect());
    sql.push(
        "SELECT id, public_key, private_key, signs_from, shown_until FROM signing_keys \
         WHERE shown_until > ",
    )
    .bind(now)
    .push(" ORDER BY signs_from");
    let master = kernel.site.key.clone();
    let gather = move |keys: &mut Vec<Arc<SigningKey>>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        let id = text(0);
        let pkcs8 = master.open(Purpose::SigningKey, id.as_bytes(), &text(2));
        keys.push(Arc::new(SigningKey {
            public: URL_SAFE_NO_PAD.decode(text(1)).unwrap_or_default(),
            pair: pkcs8.and_then(|pkcs8| KeyPair::from_pkcs8(&pkcs8)),
            signs_from: row.int(3).unwrap_or_default(),
            shown_until: row.int(4).unwrap_or_default(),
            id,
        }));
    };
    kernel.store.committed().fetch(sql.query(false), Vec::new(), gather).await
}

/// Adds keys where nobody else has, and forgets those that are no longer shown.
async fn keep(transaction: &DatabaseTransaction, made: &[entity::Model], now: i64) -> Result<()> {
    entity::Entity::delete_many()
        .filter(entity::COLUMN.shown_until.lte(now))
        .exec(transaction)
        .await?;
    for key in made {
        let mut first_wins = OnConflict::column(entity::Column::SignsFrom);
        first_wins.do_nothing();
        entity::Entity::insert(key.clone().into_active_model())
            .on_conflict(first_wins)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use sea_orm::ConnectionTrait;
    use tempfile::TempDir;

    use super::*;
    use crate::kernel::clock::Clock;
    use crate::kernel::config::Config;
    use crate::kernel::db::{Address, Store};
    use crate::kernel::idempotency::Running;
    use crate::kernel::jws;
    use crate::kernel::outgoing::Outgoing;
    use crate::kernel::state::{Parts, Site};
    use crate::kernel::storage::Storage;
    use crate::kernel::traffic::Traffic;

    /// The table as migrations make it, which this layer cannot call.
    const TABLE: &str = "CREATE TABLE signing_keys (id TEXT PRIMARY KEY, public_key TEXT NOT NULL, \
                         private_key TEXT NOT NULL, signs_from BIGINT NOT NULL UNIQUE, \
                         shown_until BIGINT NOT NULL, created_at BIGINT NOT NULL)";

    /// A kernel over a database in a folder, its clock at the epoch.
    pub(in crate::directory) async fn kernel(folder: &TempDir, tables: &[&str]) -> Kernel {
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&Address { url, connections: 1 }).await.unwrap();
        for table in tables.iter().chain([&TABLE]) {
            store.connection().execute_unprepared(table).await.unwrap();
        }
        over(folder, store, Clock::frozen(0), "1")
    }

    fn over(folder: &TempDir, store: Store, clock: Clock, key: &str) -> Kernel {
        let site = Site {
            public_url: "https://apps.example.com".to_owned(),
            domain: "example.com".to_owned(),
            account_url: "https://{account}.example.com".to_owned(),
            key: MasterKey::parse(&key.repeat(64)).unwrap(),
        };
        Kernel::new(Parts {
            store,
            clock,
            outgoing: Outgoing::new(&Config::default()).unwrap(),
            config: Config::default(),
            site: Arc::new(site),
            storage: Storage::local(&folder.path().join("files")).unwrap(),
            running: Running::default(),
            traffic: Traffic::default(),
        })
    }

    fn hours(hours: i64) -> i64 {
        hours * 60 * MINUTE
    }

    /// Beginnings of the keys that are shown, in hours.
    async fn shown(keys: &SigningKeys, kernel: &Kernel) -> Vec<i64> {
        let shown = keys.public(kernel).await.unwrap();
        shown.iter().map(|key| key.signs_from / hours(1)).collect()
    }

    async fn signs(keys: &SigningKeys, kernel: &Kernel) -> i64 {
        keys.current(kernel).await.unwrap().0.signs_from / hours(1)
    }

    #[tokio::test]
    async fn keys_follow_one_another_and_overlap() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &[]).await;
        let keys = SigningKeys::new(1, 3600);
        kernel.clock.advance(hours(10));
        // (hour, the key that signs, those that are shown), by the hours in which they begin.
        let table: [(i64, i64, &[i64]); 7] = [
            (10, 0, &[0]),
            (21, 0, &[0]),
            // Two hours before its period the next one is there.
            (22, 0, &[0, 24]),
            (23, 0, &[0, 24]),
            (24, 24, &[0, 24]),
            // The last token of the first key has expired at the 25th hour.
            (25, 24, &[0, 24]),
            (26, 24, &[24]),
        ];
        for (hour, signer, expected) in table {
            kernel.clock.advance(hours(hour) - kernel.clock.now_millis());
            assert_eq!(signs(&keys, &kernel).await, signer, "hour {hour}");
            assert_eq!(shown(&keys, &kernel).await, expected, "hour {hour}");
        }
        // After a long sleep there is one, at once.
        kernel.clock.advance(100 * DAY);
        assert_eq!(signs(&keys, &kernel).await, 101 * 24);
        assert_eq!(shown(&keys, &kernel).await, [101 * 24]);
        let rows = entity::Entity::find().all(kernel.store.connection()).await.unwrap();
        assert_eq!(rows.len(), 1);
    }

    #[tokio::test]
    async fn the_boundary_of_a_period_needs_no_question() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &[]).await;
        let keys = SigningKeys::new(1, 3600);
        kernel.clock.advance(DAY - 1);
        let before = keys.current(&kernel).await.unwrap();
        kernel.clock.advance(1);
        // Read one millisecond ago, so not read again.
        let after = keys.current(&kernel).await.unwrap();
        assert_eq!((before.0.signs_from, after.0.signs_from), (0, DAY));
        for signer in [before, after] {
            let token = jws::sign(signer.pair(), signer.id(), &"x").unwrap();
            let token = jws::Unverified::parse(&token).unwrap();
            let key = keys.find(&kernel, token.kid()).await.unwrap().unwrap();
            assert_eq!(token.verify::<String>(&key.public).as_deref(), Some("x"));
            let (x, y) = key.coordinates();
            assert_eq!([&[4], x, y].concat(), key.public);
            assert_eq!((x.len(), y.len()), (32, 32));
        }
    }

    #[tokio::test]
    async fn servers_share_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &[]).await;
        let (one, other) = (SigningKeys::new(30, 3600), SigningKeys::new(30, 3600));
        let (left, right) = tokio::join!(one.current(&kernel), other.current(&kernel));
        assert_eq!(left.unwrap().id(), right.unwrap().id());
    }

    #[tokio::test]
    async fn unknown_ids_are_asked_for_once_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &[]).await;
        kernel.clock.advance(DAY);
        let (one, other) = (SigningKeys::new(30, 3600), SigningKeys::new(30, 3600));
        assert!(one.find(&kernel, "unknown").await.unwrap().is_none());
        // Another server has to make one of its own: the first is lost.
        entity::Entity::delete_many().exec(kernel.store.connection()).await.unwrap();
        let made = other.current(&kernel).await.unwrap();
        assert!(one.find(&kernel, made.id()).await.unwrap().is_none());
        kernel.clock.advance(ASKED);
        assert!(one.find(&kernel, made.id()).await.unwrap().is_some());
        // A row that is gone is forgotten within a minute.
        entity::Entity::delete_many().exec(kernel.store.connection()).await.unwrap();
        assert!(one.find(&kernel, made.id()).await.unwrap().is_some());
        kernel.clock.advance(BELIEVED);
        assert!(one.find(&kernel, made.id()).await.unwrap().is_none());
        assert_ne!(one.current(&kernel).await.unwrap().id(), made.id());
    }

    #[tokio::test]
    async fn another_master_key_or_period_gets_a_key_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = kernel(&folder, &[]).await;
        kernel.clock.advance(60 * DAY + MINUTE);
        let first = SigningKeys::new(1, 3600).current(&kernel).await.unwrap();
        let moved = over(&folder, kernel.store.clone(), kernel.clock.clone(), "2");
        let keys = SigningKeys::new(1, 3600);
        let second = keys.current(&moved).await.unwrap();
        assert_eq!(second.0.signs_from, first.0.signs_from + 1);
        assert!(keys.find(&moved, first.id()).await.unwrap().is_some());
        // The period grows: the key of the short one cannot sign for the long one's rest.
        kernel.clock.advance(DAY + 10 * MINUTE);
        let longer = SigningKeys::new(30, 3600).current(&moved).await.unwrap();
        assert_eq!(longer.0.signs_from, second.0.signs_from + 1);
        assert_eq!(longer.0.shown_until, 90 * DAY + hours(1) + GRACE);
    }
}
