//! Which hosted site a request is about.
use http::HeaderMap;

use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::convention::refusal;

/// Header with the number of a tenant.
const TENANT: &str = "x-vol-tenant";
/// Header with the number of one of its sites.
const SITE: &str = "x-vol-site";

/// Folder of all logs in the store of files.
const HOSTING: &str = "hosting";

/// A site whose storefront is hosted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedSite {
    /// Number of the site.
    pub id: i64,
    /// Folder of its logs, below that of all logs.
    pub log_folder: String,
}

impl HostedSite {
    /// Where a log of the site lies in the store; `key` is its key in the site's folder.
    pub fn stored(&self, key: &str) -> String {
        format!("{}/{key}", self.folder())
    }

    /// Folder of its logs in the store.
    pub fn folder(&self) -> String {
        stored(&self.log_folder)
    }
}

/// Where something of the hosting lies in the store.
pub fn stored(key: &str) -> String {
    format!("{HOSTING}/{key}")
}

/// The site that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    tenant: i64,
    site: i64,
}

impl Wanted {
    /// Reads the headers `x-vol-tenant` and `x-vol-site`.
    ///
    /// # Errors
    /// 400 for one that is missing or no number.
    pub fn read(headers: &HeaderMap) -> Result<Self> {
        Ok(Self {
            tenant: number(headers, TENANT, "must be the number of a tenant.")?,
            site: number(headers, SITE, "must be the number of one of the tenant's sites.")?,
        })
    }
}

/// A site of one of the caller's tenants that is hosted.
///
/// # Errors
/// 404 for any other site.
pub async fn find(state: &AppState, caller: &Caller, wanted: Wanted) -> Result<HostedSite> {
    let Wanted { tenant, site } = wanted;
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT h.site_id, h.log_folder FROM hosted_sites h JOIN sites s ON s.id = h.site_id \
         JOIN tenants t ON t.id = s.tenant_id WHERE h.site_id = ",
    )
    .bind(site);
    sql.push(" AND t.id = ").bind(tenant);
    sql.push(" AND t.account_id = ").bind(&*caller.principal.account);
    let gather = |found: &mut Option<HostedSite>, row: &dyn Row| {
        *found = Some(HostedSite {
            id: row.int(0).unwrap_or_default(),
            log_folder: row.text(1).unwrap_or_default().into_owned(),
        });
    };
    let found = state.store.committed().fetch(sql.query(false), None, gather).await?;
    found.ok_or_else(|| refusal::not_found("hosted site", "SiteId", site))
}

fn number(headers: &HeaderMap, name: &str, why: &str) -> Result<i64> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let number = value.trim().parse::<i32>().ok().filter(|number| *number >= 1);
    number.map(i64::from).ok_or_else(|| refusal::missing(name, why))
}
