//! Installs as they are shown.
use super::dto::{ApplicationEntitlement, ApplicationTransaction};
use super::entity::holds;
use crate::kernel::db::{Dialect, Row, Source};
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;

/// Columns in the order in which [`read`] reads them, up to the condition.
const SELECT: &str = "SELECT e.id, e.package_id, e.license_type, e.revoked_at, e.starts_at, e.ends_at, \
     e.tenant_id, e.site_id, e.transactions, e.installed_at, e.installation_id, \
     i.name, n.name, a.app_id, v.major, v.minor, v.revision, v.name, v.status_id, v.id, \
     p.name, t.name, tn.number, an.number \
     FROM entitlements e \
     JOIN packages p ON p.id = e.package_id \
     JOIN application_versions v ON v.id = e.version_id \
     JOIN applications a ON a.id = e.application_id \
     JOIN namespaces n ON n.id = a.namespace_id \
     JOIN tenants t ON t.id = e.tenant_id \
     JOIN account_numbers tn ON tn.account_id = e.account_id \
     JOIN account_numbers an ON an.account_id = e.owner_account_id \
     LEFT JOIN people i ON i.id = e.installed_by WHERE ";

/// The installs of a package, by number; with `tenants_of` those in the tenants of this account. `now` in
/// milliseconds since the epoch decides which are active.
///
/// # Errors
/// The database's.
pub async fn of_package(
    source: Source<'_>,
    package: i64,
    tenants_of: Option<&str>,
    now: i64,
) -> Result<Vec<ApplicationEntitlement>> {
    let mut sql = start(source.dialect());
    sql.push("e.package_id = ").bind(package);
    if let Some(account) = tenants_of {
        sql.push(" AND e.account_id = ").bind(account);
    }
    all(source, sql, now).await
}

/// The installs of a version of one of the account's applications, by number.
///
/// # Errors
/// 404 for a version that the account does not have.
pub async fn of_own_version(
    source: Source<'_>,
    account: &str,
    version: i64,
    now: i64,
) -> Result<Vec<ApplicationEntitlement>> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT id FROM application_versions WHERE id = ").bind(version);
    sql.push(" AND account_id = ").bind(account);
    if !source.fetch(sql.query(false), false, |found, _| *found = true).await? {
        return Err(refusal::not_found("application version", "ApplicationId", version));
    }
    let mut sql = start(source.dialect());
    sql.push("e.version_id = ").bind(version);
    all(source, sql, now).await
}

/// The installs of an account's applications and those in its tenants, or those of them in one tenant,
/// by number.
///
/// # Errors
/// The database's.
pub async fn of_account(
    source: Source<'_>,
    account: &str,
    tenant: Option<i64>,
    now: i64,
) -> Result<Vec<ApplicationEntitlement>> {
    let mut sql = start(source.dialect());
    visible(&mut sql, account);
    if let Some(tenant) = tenant {
        sql.push(" AND e.tenant_id = ").bind(tenant);
    }
    all(source, sql, now).await
}

/// An install, if the account owns its application or its tenant.
///
/// # Errors
/// The database's.
pub async fn one(
    source: Source<'_>,
    account: &str,
    id: i64,
    now: i64,
) -> Result<Option<ApplicationEntitlement>> {
    let mut sql = start(source.dialect());
    visible(&mut sql, account);
    sql.push(" AND e.id = ").bind(id);
    Ok(fetch(source, sql, false, now).await?.pop())
}

fn start(dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push(SELECT);
    sql
}

fn visible(sql: &mut Sql, account: &str) {
    sql.push("(e.account_id = ").bind(account);
    sql.push(" OR e.owner_account_id = ").bind(account).push(")");
}

/// Installs may be many.
async fn all(source: Source<'_>, mut sql: Sql, now: i64) -> Result<Vec<ApplicationEntitlement>> {
    sql.push(" ORDER BY e.id");
    fetch(source, sql, true, now).await
}

async fn fetch(
    source: Source<'_>,
    sql: Sql,
    scans: bool,
    now: i64,
) -> Result<Vec<ApplicationEntitlement>> {
    let add = move |found: &mut Vec<_>, row: &dyn Row| found.push(read(row, now));
    let found = source.fetch(sql.query(scans), Vec::new(), add).await?;
    found.into_iter().collect()
}

fn read(row: &dyn Row, now: i64) -> Result<ApplicationEntitlement> {
    let int = |at| row.int(at).unwrap_or_default();
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    let key = AppKey {
        namespace: text(12),
        app_id: text(13),
        major: int(14),
        minor: int(15),
        revision: int(16),
        package: text(20),
    };
    let (id, tenant_id, site_id, version) = (int(0), int(6), row.int(7), int(19));
    let mut transactions: Vec<ApplicationTransaction> =
        serde_json::from_str(&text(8)).map_err(Error::internal)?;
    for transaction in &mut transactions {
        // What they have from their install is kept there.
        transaction.application_id = version;
        transaction.application_entitlement_id = Some(id);
        (transaction.tenant_id, transaction.site_id) = (tenant_id, site_id);
    }
    let (first_name, last_name) = names(row.text(11).as_deref());
    let status = match row.int(3) {
        Some(_) => "Revoked",
        None if holds(int(4), row.int(5), now) => "Active",
        None => "Expired",
    };
    Ok(ApplicationEntitlement {
        app_key: key.to_string(),
        application_entitlement_id: id,
        package_id: int(1),
        application_license_type: text(2),
        entitlement_status: status.to_owned(),
        tenant_id,
        site_id,
        effective_start_date: Time(int(4)),
        effective_end_date: row.int(5).map(Time),
        application_transactions: transactions,
        application_name: text(17),
        application_version: key.version(),
        installed_by_first_name: first_name,
        installed_by_last_name: last_name,
        installed_date: Time(int(9)),
        package_name: key.package,
        tenant_name: text(21),
        application_status_id: int(18).to_string(),
        application_id: version,
        dev_account_id: int(22),
        installed_apps_application_id: text(10),
        app_owner_dev_account_id: int(23),
    })
}

/// First and last name of a person, of whom one name is known: the last word is the last name.
fn names(name: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(name) = name.map(str::trim) else { return (None, None) };
    match name.rsplit_once(char::is_whitespace) {
        Some((first, last)) => (Some(first.trim_end().to_owned()), Some(last.to_owned())),
        None => (Some(name.to_owned()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_first_and_a_last_one() {
        let table = [
            (None, None, None),
            (Some("Ann Lee"), Some("Ann"), Some("Lee")),
            (Some(" Ann Maria  Lee "), Some("Ann Maria"), Some("Lee")),
            (Some("Ann"), Some("Ann"), None),
        ];
        for (name, first, last) in table {
            let text = |name: Option<&str>| name.map(str::to_owned);
            assert_eq!(names(name), (text(first), text(last)));
        }
    }
}
