//! Who calls: from a token to an identity, without a query for each request; and how often they may.
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use chrono_tz::Tz;
use futures_util::FutureExt;
use http::{Extensions, HeaderMap, Request};
use parking_lot::Mutex;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use super::permission::Scopes;
use super::tokens;
use crate::kernel::db::{Query, Row};
use crate::kernel::error::Result;
use crate::kernel::language::Language;
use crate::kernel::record::select::Sql;
use crate::kernel::state::Kernel;
use crate::kernel::time_zone::TimeZone;

/// How long an identity is believed without asking the database again, in milliseconds: so long does
/// it take until a removed token is refused.
const BELIEVED: i64 = 5_000;
/// Identities kept at a time.
const KEPT: usize = 10_000;
/// Length of the burst window, in milliseconds.
const BURST_WINDOW: i64 = 2_000;
/// Length of the long window, in milliseconds.
const HOUR: i64 = 3_600_000;

/// Who a token stands for.
#[derive(Debug)]
pub struct Identity {
    /// Account the token works in.
    pub account: Arc<str>,
    /// Number of the person.
    pub person: i64,
    /// Whether the person has the Account Administrator role.
    pub administrator: bool,
    /// What the token may do.
    pub scopes: Scopes,
    /// Time zone of timestamps.
    pub time_zone: Tz,
    /// Language of messages.
    pub language: Language,
    /// Requests of the person.
    pub bucket: Arc<Bucket>,
    expires_at: Option<i64>,
    read_at: i64,
}

/// Recently seen identities and everybody's request counters.
pub struct Identities {
    seen: quick_cache::sync::Cache<String, Arc<Identity>>,
    buckets: Mutex<HashMap<String, Arc<Bucket>>>,
}

impl Default for Identities {
    fn default() -> Self {
        Self { seen: quick_cache::sync::Cache::new(KEPT), buckets: Mutex::default() }
    }
}

impl Identities {
    /// Asks the database again for whoever calls next: tokens were switched off or on. Other processes find
    /// out within five seconds.
    pub fn forget(&self) {
        self.seen.clear();
    }

    /// The identity of a token; `None` when it is unknown, expired, or its person is disabled.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, kernel: &Kernel, token: &str) -> Result<Option<Arc<Identity>>> {
        let now = kernel.clock.now_millis();
        let hash = tokens::hash(&kernel.site.key, token);
        let valid = |identity: &Arc<Identity>| identity.expires_at.is_none_or(|at| at > now);
        if let Some(known) = self.seen.get(&hash)
            && (0..BELIEVED).contains(&(now - known.read_at))
        {
            return Ok(Some(known).filter(valid));
        }
        let Some(found) = self.read(kernel, &hash, now).await? else {
            self.seen.remove(&hash);
            return Ok(None);
        };
        let found = Arc::new(found);
        self.seen.insert(hash, found.clone());
        Ok(Some(found).filter(valid))
    }

    async fn read(&self, kernel: &Kernel, hash: &str, now: i64) -> Result<Option<Identity>> {
        let mut sql = Sql::new(kernel.store.dialect());
        sql.push(
            "SELECT t.account_id, t.person_id, p.administrator, t.scopes, a.time_zone, a.locale, \
             t.expires_at FROM tokens t JOIN people p ON p.id = t.person_id \
             JOIN accounts a ON a.id = t.account_id \
             LEFT JOIN oauth_clients c ON c.id = t.oauth_client_id \
             WHERE NOT p.disabled AND (c.id IS NULL OR NOT c.disabled) AND t.hash = ",
        )
        .bind(hash);
        let query: Query = sql.query(false);
        let found = kernel
            .store
            .committed()
            .fetch(query, None, move |found: &mut Option<Identity>, row: &dyn Row| {
                let text = |at| row.text(at).unwrap_or_default();
                *found = Some(Identity {
                    account: text(0).as_ref().into(),
                    person: row.int(1).unwrap_or_default(),
                    administrator: row.bool(2).unwrap_or_default(),
                    scopes: Scopes::from_json(&text(3)),
                    time_zone: TimeZone::parse(&text(4)).map_or(Tz::UTC, |zone| zone.tz()),
                    language: Language::from_tag(&text(5)).unwrap_or(Language::English),
                    bucket: Arc::default(),
                    expires_at: row.int(6),
                    read_at: now,
                });
            })
            .await?;
        Ok(found.map(|mut identity| {
            identity.bucket = self.bucket(&format!("person:{}", identity.person), now);
            identity
        }))
    }

    /// The request counter of a person or address; `now` in milliseconds since the epoch.
    pub fn bucket(&self, caller: &str, now: i64) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock();
        if let Some(bucket) = buckets.get(caller) {
            return bucket.clone();
        }
        if buckets.len() >= 2 * KEPT {
            // Counters that nobody holds and that count nothing of this hour.
            let hour = now / HOUR;
            buckets
                .retain(|_, bucket| Arc::strong_count(bucket) > 1 || bucket.0.lock().hour == hour);
        }
        buckets.entry(caller.to_owned()).or_default().clone()
    }

    /// The counter of failed log-ins for a name from an address.
    pub fn failed_log_ins(&self, name: &str, address: &str, now: i64) -> Arc<Bucket> {
        self.bucket(&format!("login:{name}|{address}"), now)
    }

    /// The request counter of the address that a request without a person comes from.
    pub fn address_bucket<B>(&self, kernel: &Kernel, request: &Request<B>) -> Arc<Bucket> {
        let address = address(kernel.config.proxies, request.headers(), request.extensions());
        self.bucket(&format!("address:{address}"), kernel.clock.now_millis())
    }

    /// Tells the other servers on this database what was counted here, and learns what they counted.
    /// A counter is thereby exact on one server, and at most a second behind on several.
    ///
    /// # Errors
    /// The database's; nothing is lost, the next round tells it.
    pub async fn share(&self, kernel: &Kernel) -> Result<()> {
        let hour = kernel.clock.now_millis() / HOUR;
        let counted: Vec<(String, Arc<Bucket>, i64)> = self
            .buckets
            .lock()
            .iter()
            .filter_map(|(caller, bucket)| {
                let fresh = bucket.0.lock().fresh_in(hour);
                (fresh > 0).then(|| (caller.clone(), bucket.clone(), fresh))
            })
            .collect();
        if counted.is_empty() {
            return Ok(());
        }
        let told: Vec<(String, i64)> =
            counted.iter().map(|(caller, _, fresh)| (caller.clone(), *fresh)).collect();
        let totals =
            kernel.store.write((hour, told), |transaction, told| tell(transaction, told).boxed());
        for ((_, bucket, fresh), total) in counted.iter().zip(totals.await?) {
            bucket.0.lock().told(hour, *fresh, total);
        }
        Ok(())
    }
}

async fn tell(
    transaction: &DatabaseTransaction,
    (hour, told): &(i64, Vec<(String, i64)>),
) -> Result<Vec<i64>> {
    let backend = transaction.get_database_backend();
    let sql = match backend {
        sea_orm::DbBackend::Postgres => {
            "INSERT INTO rate_limits (caller, window_start, used) VALUES ($1, $2, $3) \
             ON CONFLICT (caller, window_start) DO UPDATE SET used = rate_limits.used + excluded.used \
             RETURNING used"
        }
        _ => {
            "INSERT INTO rate_limits (caller, window_start, used) VALUES (?, ?, ?) \
             ON CONFLICT (caller, window_start) DO UPDATE SET used = rate_limits.used + excluded.used \
             RETURNING used"
        }
    };
    let mut totals = Vec::with_capacity(told.len());
    let mut ordered: Vec<(usize, &(String, i64))> = told.iter().enumerate().collect();
    // Always in the same order, so that two servers never wait for each other in a circle.
    ordered.sort_by(|(_, left), (_, right)| left.0.cmp(&right.0));
    for (place, (caller, fresh)) in ordered {
        let values = [caller.clone().into(), (*hour).into(), (*fresh).into()];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let row = transaction.query_one_raw(statement).await?;
        let total = row.map(|row| row.try_get::<i64>("", "used")).transpose()?;
        totals.push((place, total.unwrap_or(*fresh)));
    }
    let old = format!("DELETE FROM rate_limits WHERE window_start < {}", hour - 1);
    transaction.execute_unprepared(&old).await?;
    totals.sort_unstable_by_key(|(place, _)| *place);
    Ok(totals.into_iter().map(|(_, total)| total).collect())
}

/// The address that a request comes from: the client's before so many `proxies`, else the peer's;
/// `unknown` without a connection.
pub fn address(proxies: u32, headers: &HeaderMap, extensions: &Extensions) -> String {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = || peer.map_or("unknown".to_owned(), |ConnectInfo(peer)| peer.ip().to_string());
    forwarded(headers, proxies).unwrap_or_else(peer)
}

/// The address that the outermost of so many proxies was called from. What stands before it in the
/// header anybody can write.
fn forwarded(headers: &HeaderMap, proxies: u32) -> Option<String> {
    let position = usize::try_from(proxies).ok()?.checked_sub(1)?;
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let addresses: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    // Proxies also write `address:port` and `[address]:port`.
    let text = addresses.iter().rev().nth(position)?;
    let address = text.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    Some(address?.to_string())
}

/// Requests of one caller.
#[derive(Debug, Default)]
pub struct Bucket(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    /// The hour that is counted, since the epoch.
    hour: i64,
    /// Counted by all servers, as far as told.
    told: i64,
    /// Counted here since then.
    fresh: i64,
    burst_start: i64,
    burst: i64,
    /// When the limits themselves were last asked for.
    asked_at: i64,
}

/// How many requests a caller may make.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Within a clock hour.
    pub per_hour: i64,
    /// Within two seconds.
    pub burst: i64,
}

/// A caller's standing, for the `X-RateLimit-*` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Requests per hour.
    pub limit: i64,
    /// Requests left in this hour.
    pub remaining: i64,
    /// When the hour ends, in seconds since the epoch.
    pub reset: i64,
}

/// How many failed log-ins one address may make for one name.
pub const FAILED_LOG_INS: Limits = Limits { per_hour: 60, burst: 10 };

impl Bucket {
    /// Counts a request. `Err` carries the seconds to wait.
    pub fn count(&self, now: i64, limits: Limits) -> (Standing, Result<(), u64>) {
        let mut counters = self.0.lock();
        let allowed = counters.allowed(now, limits);
        if allowed.is_ok() {
            counters.fresh += 1;
            counters.burst += 1;
        }
        (counters.standing(now, limits), allowed)
    }

    /// Whether a request would be allowed, without counting it: for what counts only when it fails.
    /// `Err` carries the seconds to wait.
    pub fn check(&self, now: i64, limits: Limits) -> Result<(), u64> {
        self.0.lock().allowed(now, limits)
    }

    /// Tells the standing without counting; at most once a second.
    pub fn peek(&self, now: i64, limits: Limits) -> (Standing, Result<(), u64>) {
        let mut counters = self.0.lock();
        counters.fresh_in(now / HOUR);
        let too_soon = (0..1000).contains(&(now - counters.asked_at));
        if !too_soon {
            counters.asked_at = now;
        }
        (counters.standing(now, limits), if too_soon { Err(1) } else { Ok(()) })
    }
}

impl Counters {
    /// Whether the limits allow one more. `Err` carries the seconds to wait.
    fn allowed(&mut self, now: i64, limits: Limits) -> Result<(), u64> {
        self.fresh_in(now / HOUR);
        if now - self.burst_start >= BURST_WINDOW || now < self.burst_start {
            (self.burst_start, self.burst) = (now, 0);
        }
        let wait = if self.told + self.fresh >= limits.per_hour {
            (now / HOUR + 1) * HOUR - now
        } else if self.burst >= limits.burst {
            self.burst_start + BURST_WINDOW - now
        } else {
            return Ok(());
        };
        // Whole seconds, rounded up: a client that waits this long gets through.
        Err(u64::try_from(wait).unwrap_or(0).div_ceil(1000).max(1))
    }

    /// What was counted here in this hour and not told yet; a new hour starts at nothing.
    fn fresh_in(&mut self, hour: i64) -> i64 {
        if self.hour != hour {
            (self.hour, self.told, self.fresh) = (hour, 0, 0);
        }
        self.fresh
    }

    fn told(&mut self, hour: i64, fresh: i64, total: i64) {
        if self.hour == hour {
            self.fresh -= fresh;
            self.told = total;
        }
    }

    fn standing(&self, now: i64, limits: Limits) -> Standing {
        Standing {
            limit: limits.per_hour,
            remaining: (limits.per_hour - self.told - self.fresh).max(0),
            reset: (now / HOUR + 1) * HOUR / 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { per_hour: 30, burst: 20 };

    #[test]
    fn a_burst_ends_and_the_hour_goes_on() {
        let bucket = Bucket::default();
        for _ in 0..20 {
            assert_eq!(bucket.count(11_000, LIMITS).1, Ok(()));
        }
        let (standing, refused) = bucket.count(11_500, LIMITS);
        assert_eq!(refused, Err(2));
        assert_eq!(standing, Standing { limit: 30, remaining: 10, reset: 3600 });
        for _ in 0..10 {
            assert_eq!(bucket.count(13_000, LIMITS).1, Ok(()));
        }
        assert_eq!(bucket.count(20_000, LIMITS).1, Err(3580));
        assert_eq!(bucket.count(HOUR, LIMITS).1, Ok(()));
    }

    #[test]
    fn a_check_counts_nothing() {
        let bucket = Bucket::default();
        for _ in 0..30 {
            assert_eq!(bucket.check(11_000, LIMITS), Ok(()));
        }
        for _ in 0..20 {
            assert_eq!(bucket.count(11_000, LIMITS).1, Ok(()));
        }
        assert_eq!(bucket.check(11_500, LIMITS), Err(2));
        assert_eq!(bucket.check(13_000, LIMITS), Ok(()));
    }

    #[test]
    fn asking_for_the_limits_counts_nothing_and_is_limited_itself() {
        let bucket = Bucket::default();
        assert_eq!(bucket.peek(10_000, LIMITS).0.remaining, 30);
        assert_eq!(bucket.peek(10_999, LIMITS).1, Err(1));
        assert_eq!(
            bucket.peek(11_000, LIMITS),
            (Standing { limit: 30, remaining: 30, reset: 3600 }, Ok(()))
        );
    }
}
