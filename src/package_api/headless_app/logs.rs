//! Runtime logs of a hosted site.
use std::borrow::Cow;
use std::collections::HashSet;
use std::num::IntErrorKind;

use super::dto::{HeadlessAppRuntimeLog, HeadlessAppRuntimeLogResponse, LOGS};
use super::links;
use super::sites::HostedSite;
use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;
use crate::kernel::secret::Purpose;
use crate::kernel::storage::Stored;
use crate::package_api::convention::query::Query;
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;

/// Longest beginning of keys, in characters.
const PREFIX_MAX: usize = 1024;

/// Which logs are asked for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    prefix: Option<&'a str>,
    most: i64,
    token: Option<&'a str>,
}

impl<'a> Ask<'a> {
    /// Reads `prefix` (or `datePrefix`), `maxResults` and `nextToken`.
    ///
    /// # Errors
    /// 400 for what is malformed.
    pub fn read(query: &'a Query) -> Result<Self> {
        let prefix = match query.text("prefix")? {
            None => query.text("datePrefix")?,
            prefix => prefix,
        };
        if prefix.is_some_and(|prefix| prefix.chars().nth(PREFIX_MAX).is_some()) {
            let why = format!("must have at most {PREFIX_MAX} characters.");
            return Err(refusal::missing("prefix", &why));
        }
        Ok(Self { prefix, most: most(query, LOGS)?, token: query.text("nextToken")? })
    }
}

/// `maxResults`, moved into the range from 1 to 1000.
///
/// # Errors
/// 400 for what is no integer.
pub fn most(query: &Query, default: i64) -> Result<i64> {
    let Some(text) = query.text("maxResults")? else { return Ok(default) };
    let number = text.trim().parse::<i64>().or_else(|error| match error.kind() {
        IntErrorKind::PosOverflow => Ok(i64::MAX),
        IntErrorKind::NegOverflow => Ok(i64::MIN),
        _ => Err(refusal::missing("maxResults", "must be an integer.")),
    })?;
    Ok(number.clamp(1, 1000))
}

/// What a `nextToken` is bound to: it continues the list it came from and no other.
fn context(site: &HostedSite, prefix: &str) -> Vec<u8> {
    format!("logs of {} {prefix}", site.id).into_bytes()
}

/// Writes a `nextToken`. Sealed, because clients need not know what is in it.
pub fn seal(state: &AppState, context: &[u8], place: &str) -> String {
    state.site.key.seal(Purpose::Cursor, context, place.as_bytes())
}

/// Reads a `nextToken`.
///
/// # Errors
/// 400 for one that was not made for this list.
pub fn open(state: &AppState, context: &[u8], token: &str) -> Result<String> {
    let place = state.site.key.open(Purpose::Cursor, context, token);
    let place = place.and_then(|place| String::from_utf8(place).ok());
    place.ok_or_else(|| {
        refusal::missing(
            "nextToken",
            "must be the nextToken of the answer before, to the same request.",
        )
    })
}

/// The logs that are asked for.
///
/// # Errors
/// 400 for a `nextToken` that is another list's; the store's.
pub async fn list(
    state: &AppState,
    site: &HostedSite,
    ask: Ask<'_>,
) -> Result<HeadlessAppRuntimeLogResponse> {
    let Ask { prefix, most, token } = ask;
    let beginning = prefix.unwrap_or_default();
    let context = context(site, beginning);
    let after = token.map(|token| open(state, &context, token)).transpose()?;
    let after = after.map(|key| site.stored(&key));
    let wanted = usize::try_from(most).unwrap_or_default();
    // Logs of builds may lie among them, and are shown with their builds.
    let of_builds = keys_of_builds(state, site, beginning).await?;
    let folder = site.stored("");
    let is_shown =
        |stored: &str| stored.strip_prefix(&folder).is_none_or(|key| !of_builds.contains(key));
    let after = after.as_deref();
    let page = state.storage.page(&site.folder(), beginning, after, wanted, is_shown).await?;
    let key = |stored: &Stored| stored.key.strip_prefix(&folder).map(str::to_owned);
    let last = page.files.last().filter(|_| page.has_more).and_then(key);
    let shown = page.files.iter().filter_map(|stored| {
        let key = key(stored)?;
        Some(HeadlessAppRuntimeLog {
            log_url: links::address(state, &format!("{}/{key}", site.log_folder)),
            key,
            size: stored.size,
            last_modified: Time(stored.modified),
        })
    });
    Ok(HeadlessAppRuntimeLogResponse {
        next_token: last.map(|last| seal(state, &context, &last)),
        logs: shown.collect(),
        is_truncated: page.has_more,
        max_results: most,
        prefix: prefix.map(str::to_owned),
    })
}

/// Keys of the logs of the site's builds, of those that begin like this.
async fn keys_of_builds(
    state: &AppState,
    site: &HostedSite,
    beginning: &str,
) -> Result<HashSet<String>> {
    let length = i64::try_from(beginning.chars().count()).map_err(Error::internal)?;
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT s.log_key FROM build_steps s JOIN builds b ON b.id = s.build_id \
         WHERE s.log_key IS NOT NULL AND b.site_id = ",
    )
    .bind(site.id);
    sql.push(&format!(" AND SUBSTR(s.log_key, 1, {length}) = ")).bind(beginning);
    let gather = |found: &mut HashSet<String>, row: &dyn Row| {
        found.extend(row.text(0).map(Cow::into_owned));
    };
    state.store.committed().fetch(sql.query(true), HashSet::new(), gather).await
}
