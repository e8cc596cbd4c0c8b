//! One notification: what is kept of it, and the request that it becomes (contract 4.2).
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::DateTime;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderValue, Request};
use serde::{Deserialize, Serialize};

use crate::kernel::db::{Row, Source};
use crate::kernel::delivery::entity::Model;
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;
use crate::kernel::state::Kernel;
use crate::package_api::appsubscriptions::signature::NotificationKey;
use crate::package_api::convention::time::Time;
use crate::package_api::model::secret;
use crate::package_api::tenants::service::domain;

/// What a notification is made of, as its delivery keeps it. The topic is the delivery's event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    /// Id of the event: the same for all who are told, and whenever they are.
    pub(super) event_id: String,
    /// What has changed: key of the installed package.
    pub(super) entity_id: String,
    /// When it happened, in milliseconds since the epoch.
    pub(super) occurred_at: i64,
    /// Correlation id of the call that caused it.
    pub(super) correlation_id: String,
    /// Tenant that it happened in.
    pub(super) tenant: i64,
    /// Site that it happened in.
    pub(super) site: Option<i64>,
    /// Number of the version whose secret signs.
    pub(super) version: i64,
    /// Where it goes.
    pub(super) endpoint: String,
}

/// The body, its members in the order of contract 4.2. `extendedProperties` is not among them: no topic of
/// applications has any (contract 5.2).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    event_id: &'a str,
    topic: &'a str,
    entity_id: &'a str,
    timestamp: Time,
    correlation_id: &'a str,
    is_test: bool,
}

impl Message {
    /// What a delivery keeps.
    ///
    /// # Errors
    /// 500 for something else, which only this service writes.
    pub(super) fn of(delivery: &Model) -> Result<Self> {
        serde_json::from_str(&delivery.payload).map_err(Error::internal)
    }

    /// The request at a time, in milliseconds since the epoch: receivers refuse dates that are not of
    /// today, so each attempt has its own and is signed for itself.
    ///
    /// # Errors
    /// 500 when the secret of the version does not open.
    pub(super) fn request(
        &self,
        delivery: &Model,
        places: &Places,
        now: i64,
    ) -> Result<Request<Bytes>> {
        let body = serde_json::to_vec(&Body {
            event_id: &self.event_id,
            topic: &delivery.event,
            entity_id: &self.entity_id,
            timestamp: Time(self.occurred_at),
            correlation_id: &self.correlation_id,
            is_test: false,
        });
        let body = body.map_err(Error::internal)?;
        let date = http_date(now);
        let mut request = Request::post(&self.endpoint)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .header(DATE, &date)
            .header("x-vol-hmac-sha256", places.key(self.version)?.sign(&date, &body))
            .header("x-vol-tenant", self.tenant)
            .header("x-vol-correlation", &self.correlation_id);
        if let Some(site) = self.site {
            request = request.header("x-vol-site", site);
        }
        if let Some(domain) = places.domains.get(&(self.tenant, None)) {
            request = request.header("x-vol-tenant-domain", domain);
        }
        if let Some(domain) =
            places.domains.get(&(self.tenant, self.site)).filter(|_| self.site.is_some())
        {
            request = request.header("x-vol-site-domain", domain);
        }
        request.body(body.into()).map_err(Error::internal)
    }
}

/// A date as HTTP has it, `Wed, 04 Mar 2026 09:15:00 GMT`.
fn http_date(now: i64) -> String {
    let date = DateTime::from_timestamp_millis(now).unwrap_or_default();
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What notifications need beside what is kept of them, as it is now.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By version.
    keys: BTreeMap<i64, NotificationKey>,
    /// By tenant, and by tenant and site.
    domains: BTreeMap<(i64, Option<i64>), String>,
}

impl Places {
    /// Reads what these notifications need.
    ///
    /// # Errors
    /// The database's; 500 when a secret does not open.
    pub(super) async fn find(kernel: &Kernel, notifications: &[Message]) -> Result<Self> {
        let source = kernel.store.committed();
        let mut places = Self::default();
        let versions: BTreeSet<i64> = notifications.iter().map(|it| it.version).collect();
        for (version, guid, sealed) in secrets(source, &versions).await? {
            let plain = secret::open(&kernel.site.key, &guid, &sealed)?;
            places.keys.insert(version, NotificationKey::of(&plain));
        }
        let tenants: BTreeSet<i64> = notifications.iter().map(|it| it.tenant).collect();
        let here = domain(&kernel.site.public_url);
        for (tenant, own, site, of_site) in domains(source, &tenants).await? {
            let own = own.unwrap_or_else(|| here.clone());
            if site.is_some() {
                places.domains.insert((tenant, site), of_site.unwrap_or_else(|| own.clone()));
            }
            places.domains.insert((tenant, None), own);
        }
        Ok(places)
    }

    fn key(&self, version: i64) -> Result<&NotificationKey> {
        let missing = || Error::internal("a version that was installed is not there");
        self.keys.get(&version).ok_or_else(missing)
    }
}

/// Versions with their guids and sealed secrets.
async fn secrets(
    source: Source<'_>,
    versions: &BTreeSet<i64>,
) -> Result<Vec<(i64, String, String)>> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT id, guid, shared_secret FROM application_versions WHERE id IN (");
    list(&mut sql, versions);
    let add = |found: &mut Vec<_>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        found.push((row.int(0).unwrap_or_default(), text(1), text(2)));
    };
    source.fetch(sql.query(false), Vec::new(), add).await
}

/// Tenant, its domain, site, its domain.
type Place = (i64, Option<String>, Option<i64>, Option<String>);

/// Tenants with their sites.
async fn domains(source: Source<'_>, tenants: &BTreeSet<i64>) -> Result<Vec<Place>> {
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "SELECT t.id, t.domain, s.id, s.domain FROM tenants t \
         LEFT JOIN sites s ON s.tenant_id = t.id WHERE t.id IN (",
    );
    list(&mut sql, tenants);
    let add = |found: &mut Vec<_>, row: &dyn Row| {
        let text = |at| row.text(at).map(std::borrow::Cow::into_owned);
        found.push((row.int(0).unwrap_or_default(), text(1), row.int(2), text(3)));
    };
    source.fetch(sql.query(false), Vec::new(), add).await
}

/// Appends numbers and the bracket behind them.
fn list(sql: &mut Sql, numbers: &BTreeSet<i64>) {
    for (at, number) in numbers.iter().enumerate() {
        sql.push(if at == 0 { "" } else { ", " }).bind(*number);
    }
    sql.push(")");
}
