//! The rules of applications' tickets: who gets one, and for how long (contract 1.3).
use std::sync::Arc;

use crate::directory::identity::{Bucket, FAILED_LOG_INS};
use crate::directory::state::AppState;
use crate::directory::tickets::{self, Access, Behaviors, Holder, Kept, Renewable};
use crate::kernel::error::{Error, Result};
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;
use crate::package_api::model::lookup::{self, PackageRow, Which};
use crate::package_api::model::refresh_tokens;
use crate::package_api::model::secret::SharedSecret;

/// With what an application shows who it is, as it was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Key of a package.
    pub key: Option<String>,
    /// Secret of its version.
    pub secret: Option<String>,
}

impl Credentials {
    /// What a refusal calls these beside a refresh token.
    pub fn with_refresh_token(&self) -> refusal::Credentials {
        match self {
            Self { key: None, secret: None } => refusal::Credentials::Refresh,
            _ => refusal::Credentials::RefreshWithSecret,
        }
    }
}

/// A ticket.
#[derive(Debug)]
pub struct Ticket {
    /// The access token.
    pub access: Access,
    /// The refresh token.
    pub refresh_token: String,
    /// When that expires, in milliseconds since the epoch.
    pub refresh_expires_at: i64,
}

/// Gives a ticket for the key and the secret of an application.
///
/// # Errors
/// 401 for any that is missing or wrong, always in the same words; 429 after too many of them.
pub async fn log_in(state: &AppState, sent: &Credentials, address: &str) -> Result<Ticket> {
    let key = sent.key.as_deref().and_then(|key| AppKey::parse(key, "applicationId").ok());
    let failures = Failures::of(state, key.as_ref(), address);
    failures.check()?;
    let secret = sent.secret.as_deref().unwrap_or_default();
    let Some(row) = authenticate(state, key, secret).await? else {
        failures.count();
        return Err(refusal::credentials(refusal::Credentials::Secret));
    };
    let of = Renewable::App { package: row.package.id };
    let refresh = state.tickets.refresh(&state.kernel, of);
    let (refresh_token, refresh_expires_at) = (refresh.token.clone(), refresh.expires_at);
    let access = access(state, &row).await?;
    refresh_tokens::keep(state, refresh).await?;
    Ok(Ticket { access, refresh_token, refresh_expires_at })
}

/// Log-ins to an application from an address that were refused lately.
struct Failures<'a> {
    bucket: Arc<Bucket>,
    name: String,
    address: &'a str,
    now: i64,
}

impl<'a> Failures<'a> {
    fn of(state: &AppState, key: Option<&AppKey>, address: &'a str) -> Self {
        let now = state.clock.now_millis();
        // Names that are no keys count as one: there is no end of them.
        let name = key.map_or_else(|| "?".to_owned(), |key| key.lower().to_string());
        let bucket = state.identities.failed_log_ins(&name, address, now);
        Self { bucket, name, address, now }
    }

    fn check(&self) -> Result<()> {
        self.bucket.check(self.now, FAILED_LOG_INS).map_err(Error::TooManyRequests)
    }

    fn count(&self) {
        // Two at the same time may both be let in; both are counted.
        let (_, _) = self.bucket.count(self.now, FAILED_LOG_INS);
        tracing::info!(self.name, self.address, "a log-in was refused");
    }
}

/// The package of a key, if this is its secret. Does the same whatever is wrong, so that the time it
/// takes tells nothing: one query, one hash, one comparison.
async fn authenticate(
    state: &AppState,
    key: Option<AppKey>,
    secret: &str,
) -> Result<Option<PackageRow>> {
    let key = key.unwrap_or_else(nobody);
    let row = lookup::find(state.store.committed(), Which::Key(&key)).await?;
    // As long as a real one, and the hash of nothing.
    let stored = row.as_ref().map_or(NO_HASH, |row| &row.version.secret_hash);
    let is_right = SharedSecret::same(&state.site.key, stored, secret);
    Ok(row.filter(|_| is_right))
}

/// Stands for the hash of a secret where there is none.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A key that no package has: names do not begin with a blank.
fn nobody() -> AppKey {
    let none = || " ".to_owned();
    AppKey { namespace: none(), app_id: none(), major: 0, minor: 0, revision: 0, package: none() }
}

/// Gives another access token for a refresh token. Credentials that come along must be those of its
/// application; wrong ones count as those of log-ins do.
///
/// # Errors
/// 401 for a token that is unknown, revoked or expired or whose package is deleted, and for credentials
/// that are wrong; in the same words for all that was sent. 429 after too many of the latter.
pub async fn renew(
    state: &AppState,
    token: &str,
    with: &Credentials,
    address: &str,
) -> Result<Ticket> {
    let now = state.clock.now_millis();
    let key = with.key.as_deref().and_then(|key| AppKey::parse(key, "client_id").ok());
    let failures = with.secret.is_some().then(|| Failures::of(state, key.as_ref(), address));
    if let Some(failures) = &failures {
        failures.check()?;
    }
    let refused = || {
        if let Some(failures) = &failures {
            failures.count();
        }
        refusal::credentials(with.with_refresh_token())
    };
    let found = tickets::find(state.store.connection(), &state.site.key, token, now).await?;
    let Some(Kept { of: Renewable::App { package }, expires_at }) = found else {
        return Err(refused());
    };
    let row = lookup::find(state.store.committed(), Which::Id(package)).await?;
    let row = row.filter(|row| fits(state, row, with)).ok_or_else(refused)?;
    Ok(Ticket {
        access: access(state, &row).await?,
        refresh_token: token.to_owned(),
        refresh_expires_at: expires_at,
    })
}

/// Whether whatever is there of credentials is that of a package.
fn fits(state: &AppState, row: &PackageRow, sent: &Credentials) -> bool {
    let is_key = |key: &String| {
        AppKey::parse(key, "client_id").is_ok_and(|key| key.lower() == row.key().lower())
    };
    let is_secret =
        |secret: &String| SharedSecret::same(&state.site.key, &row.version.secret_hash, secret);
    sent.key.as_ref().is_none_or(is_key) && sent.secret.as_ref().is_none_or(is_secret)
}

/// An access token with the behaviors that the package has now.
async fn access(state: &AppState, row: &PackageRow) -> Result<Access> {
    let ids: Vec<i64> = serde_json::from_str(&row.package.behaviors).map_err(Error::internal)?;
    let behaviors: Behaviors = ids.into_iter().collect();
    let holder = Holder::App {
        version: row.version.id,
        key: row.key().to_string(),
        name: row.version.name.clone(),
    };
    state.tickets.access(&state.kernel, &holder, &behaviors).await
}

/// Revokes the refresh token of an application.
///
/// # Errors
/// As [`refresh_tokens::revoke`].
pub async fn revoke(state: &AppState, token: String) -> Result<()> {
    let is_meant = |of: &Renewable| matches!(of, Renewable::App { .. });
    refresh_tokens::revoke(state, token, is_meant).await
}
