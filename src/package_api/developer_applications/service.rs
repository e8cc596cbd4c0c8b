//! Versions and packages by their names (contract 3.7).
use super::dto::{ApplicationVersionsCollection, PackageNamesCollection};
use crate::kernel::db::{Row, Source};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::apppackages::summary;
use crate::package_api::convention::key::{AppKey, ApplicationName};
use crate::package_api::convention::refusal;
use crate::package_api::model::lookup;

/// The versions of an application, highest first.
///
/// # Errors
/// 404 for an application that the caller's account does not have.
pub async fn versions(
    source: Source<'_>,
    caller: &Caller,
    name: &ApplicationName,
) -> Result<ApplicationVersionsCollection> {
    let lower = name.lower();
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "SELECT v.major, v.minor, v.revision FROM application_versions v \
         JOIN applications a ON a.id = v.application_id \
         JOIN namespaces n ON n.id = a.namespace_id WHERE a.account_id = ",
    )
    .bind(&*caller.principal.account);
    sql.push(" AND a.app_id_key = ").bind(lower.app_id.as_str());
    sql.push(" AND n.name_key = ").bind(lower.namespace.as_str());
    sql.push(" ORDER BY v.major DESC, v.minor DESC, v.revision DESC");
    let add = |found: &mut Vec<String>, row: &dyn Row| {
        let part = |at| row.int(at).unwrap_or_default();
        found.push(format!("{}.{}.{}", part(0), part(1), part(2)));
    };
    let items = source.fetch(sql.query(false), Vec::new(), add).await?;
    if items.is_empty() {
        return Err(refusal::not_found("application", "NsAndAppId", name));
    }
    Ok(ApplicationVersionsCollection { total_count: count(&items), items })
}

/// The names of a version's packages: the release first, then by name.
///
/// # Errors
/// 404 for a version that the caller's account does not have.
pub async fn package_names(
    source: Source<'_>,
    caller: &Caller,
    key: &AppKey,
) -> Result<PackageNamesCollection> {
    let version = summary::version_of(source, caller, key).await?;
    let rows = lookup::of_version(source, version).await?;
    let items: Vec<String> = rows.into_iter().map(|row| row.package.name).collect();
    Ok(PackageNamesCollection { total_count: count(&items), items })
}

fn count(items: &[String]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}
