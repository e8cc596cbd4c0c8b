//! One notification: what is kept of it, and the request that it becomes (contract 4.2).
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chrono::DateTime;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderValue, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::db::{Row, Source};
use crate::kernel::delivery::entity::Model;
use crate::kernel::error::{Error, Result};
use crate::kernel::message_schema::{Text, Uuid};
use crate::kernel::record::select::Sql;
use crate::kernel::state::Kernel;
use crate::package_api::appinstall::topic::Topic;
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
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventNotification", description = "What has become of an installed package.")]
pub struct Body<'a> {
    /// Id of the event, the same at each attempt: receivers know by it what they have got already.
    #[schemars(with = "Uuid", example = &"6f1c2a34-9b1e-4f0a-8f57-0d3e5b7a9c11")]
    event_id: &'a str,
    /// What happened.
    #[schemars(with = "Topic", example = &"application.installed")]
    topic: &'a str,
    /// Key of the installed package.
    #[schemars(with = "Text<200>", example = &"acme01.loyalty.1.0.0.Release")]
    entity_id: &'a str,
    /// When it happened.
    #[schemars(
        with = "String",
        length(max = 35),
        extend("format" = "date-time"),
        example = &"2026-03-04T09:14:59.120Z"
    )]
    timestamp: Time,
    /// Correlation id of the request that caused it.
    #[schemars(with = "Text<200>", example = &"5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f")]
    correlation_id: &'a str,
    /// Whether it was made up to try a receiver; never so here.
    #[schemars(example = false)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::delivery::entity::WAITING;

    /// What the test vector of contract 4.4 is about.
    fn installed() -> (Message, Model) {
        let message = Message {
            event_id: "6f1c2a34-9b1e-4f0a-8f57-0d3e5b7a9c11".to_owned(),
            entity_id: "acme01.loyalty.1.0.0.Release".to_owned(),
            occurred_at: Time::parse("2026-03-04T09:14:59.120Z").unwrap().0,
            correlation_id: "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f".to_owned(),
            tenant: 2201,
            site: None,
            version: 731,
            endpoint: "https://loyalty.acme.example/hooks?from=market".to_owned(),
        };
        let delivery = Model {
            id: 1,
            lane_id: 1,
            account_id: "acme".to_owned(),
            delivery_id: "0f0e0d0c-0b0a-4908-8706-050403020100".to_owned(),
            origin_id: None,
            event_id: Some(1),
            event: "application.installed".to_owned(),
            object: "tenant:2201:application.installed".to_owned(),
            payload: serde_json::to_string(&message).unwrap(),
            secrets: None,
            state: WAITING.to_owned(),
            attempts: 0,
            next_attempt_at: Some(0),
            finished_at: None,
            created_at: 0,
        };
        (message, delivery)
    }

    fn places() -> Places {
        let key = NotificationKey::of("0123456789abcdef0123456789abcdef");
        let domain = |tenant, site, text: &str| ((tenant, site), text.to_owned());
        Places {
            keys: BTreeMap::from([(731, key)]),
            domains: BTreeMap::from([
                domain(2201, None, "apps.acme.example"),
                domain(2201, Some(9), "shop.acme.example:8443"),
            ]),
        }
    }

    fn headers(request: &Request<Bytes>) -> Vec<(&str, &str)> {
        let headers = request.headers().iter();
        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
    }

    /// Line 14 of the contract's checklist, with the body that this service makes.
    #[test]
    fn check_14_the_request_is_that_of_the_test_vector() {
        let (message, delivery) = installed();
        let now = Time::parse("2026-03-04T09:15:00.999Z").unwrap().0;
        assert_eq!(Message::of(&delivery).unwrap(), message);
        let request = message.request(&delivery, &places(), now).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().to_string(), message.endpoint);
        assert_eq!(
            headers(&request),
            [
                ("content-type", "application/json; charset=utf-8"),
                ("date", "Wed, 04 Mar 2026 09:15:00 GMT"),
                ("x-vol-hmac-sha256", "926iaXZdsN9rW9rT+a/mnLsNqciIp+35tXjBE8DoLbs="),
                ("x-vol-tenant", "2201"),
                ("x-vol-correlation", "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f"),
                ("x-vol-tenant-domain", "apps.acme.example"),
            ]
        );
        let body = concat!(
            r#"{"eventId":"6f1c2a34-9b1e-4f0a-8f57-0d3e5b7a9c11","topic":"application.installed","#,
            r#""entityId":"acme01.loyalty.1.0.0.Release","timestamp":"2026-03-04T09:14:59.120Z","#,
            r#""correlationId":"5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f","isTest":false}"#,
        );
        assert_eq!(request.body(), body);
    }

    #[test]
    fn what_happened_in_a_site_names_it_and_its_host() {
        let (message, delivery) = installed();
        let message = Message { site: Some(9), ..message };
        let request = message.request(&delivery, &places(), 0).unwrap();
        let sites: Vec<_> =
            headers(&request).into_iter().filter(|(name, _)| name.contains("site")).collect();
        let expected = [("x-vol-site", "9"), ("x-vol-site-domain", "shop.acme.example:8443")];
        assert_eq!(sites, expected);
    }

    #[test]
    fn each_attempt_has_its_own_date_and_signature_and_the_same_body() {
        let (message, delivery) = installed();
        let request = |now| message.request(&delivery, &places(), now).unwrap();
        let (first, second) = (request(0), request(1000));
        for name in ["date", "x-vol-hmac-sha256"] {
            assert_ne!(first.headers()[name], second.headers()[name], "{name}");
        }
        assert_eq!(first.headers()["date"], "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(first.body(), second.body());
    }
}
