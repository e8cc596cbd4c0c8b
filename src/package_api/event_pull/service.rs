//! What an account may read of events: those of its applications, and those in its tenants.
use uuid::Uuid;

use super::dto::{Event, EventAuditInfo, EventCollection};
use crate::kernel::db::{Row, Source};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::convention::list::{Gathered, List};
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;

/// Pages that begin at most so far from the start of a list are read at once.
const NEAR: i64 = 1_000;

/// A page of events, or of those in one tenant.
///
/// # Errors
/// The database's.
pub async fn list(
    source: Source<'_>,
    account: &str,
    tenant: Option<i64>,
    list: List<Event>,
) -> Result<EventCollection> {
    let page = list.page;
    let (total, items) = if list.is_plain() {
        let sql = select(source, "SELECT COUNT(*)", account, tenant);
        let count = |total: &mut i64, row: &dyn Row| *total = row.int(0).unwrap_or_default();
        let total = source.fetch(sql.query(true), 0, count);
        let mut sql = select(source, SELECT, account, tenant);
        sql.push(&format!(" ORDER BY p.id LIMIT {} OFFSET ", page.size)).bind(page.start);
        let add = |found: &mut Vec<_>, row: &dyn Row| found.push(read(row));
        let items = source.fetch(sql.query(page.start > NEAR), Vec::new(), add);
        tokio::try_join!(total, items)?
    } else {
        let mut sql = select(source, SELECT, account, tenant);
        sql.push(" ORDER BY p.id");
        let gather = |found: &mut Gathered<_>, row: &dyn Row| found.add(read(row));
        source.fetch(sql.query(true), Gathered::new(list), gather).await?.finish()
    };
    Ok(EventCollection {
        start_index: page.start,
        page_size: page.size,
        page_count: page.pages(total),
        total_count: total,
        items,
    })
}

/// An event.
///
/// # Errors
/// 404, also for what is no id.
pub async fn get(source: Source<'_>, account: &str, id: &str) -> Result<Event> {
    let missing = || refusal::not_found("event", "EventId", id);
    let known = Uuid::try_parse(id).map_err(|_| missing())?.to_string();
    let mut sql = select(source, SELECT, account, None);
    sql.push(" AND p.event_id = ").bind(known.as_str());
    let add = |found: &mut Option<_>, row: &dyn Row| *found = Some(read(row));
    source.fetch(sql.query(false), None, add).await?.ok_or_else(missing)
}

/// Columns in the order in which [`read`] reads them.
const SELECT: &str = "SELECT p.event_id, p.topic, p.entity_id, p.correlation_id, p.tenant_id, p.site_id, \
     p.occurred_at";

fn select(source: Source<'_>, columns: &str, account: &str, tenant: Option<i64>) -> Sql {
    let mut sql = Sql::new(source.dialect());
    sql.push(columns).push(" FROM package_events p WHERE (p.account_id = ").bind(account);
    sql.push(" OR p.owner_account_id = ").bind(account).push(")");
    if let Some(tenant) = tenant {
        sql.push(" AND p.tenant_id = ").bind(tenant);
    }
    sql
}

fn read(row: &dyn Row) -> Event {
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    let event_id = text(0);
    let happened = Time(row.int(6).unwrap_or_default());
    Event {
        id: event_id.replace('-', ""),
        event_id,
        topic: text(1),
        entity_id: text(2),
        correlation_id: text(3),
        is_test: false,
        tenant_id: row.int(4).unwrap_or_default(),
        site_id: row.int(5),
        master_catalog_id: (),
        catalog_id: (),
        audit_info: EventAuditInfo {
            update_date: happened,
            create_date: happened,
            update_by: (),
            create_by: (),
        },
        extended_properties: Vec::new(),
    }
}
