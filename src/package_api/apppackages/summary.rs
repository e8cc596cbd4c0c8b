//! Applications and packages as lists show them (contract 2.7, 3.8).
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::AppDevPackage;
use super::read;
use crate::kernel::db::{Row, Source};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::convention::key::{AppKey, ApplicationName, RELEASE};
use crate::package_api::convention::list::{Gathered, List};
use crate::package_api::convention::page::Page;
use crate::package_api::model::lookup::{self, Which};
use crate::package_api::model::status;
use crate::package_api::model::theme::{self, Candidate};

/// A version as three numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppVersion {
    /// First part of the version.
    #[schema(value_type = i32, example = 1)]
    pub major_version: i64,
    /// Second part of the version.
    #[schema(value_type = i32, example = 0)]
    pub minor_version: i64,
    /// Third part of the version.
    #[schema(value_type = i32, example = 0)]
    pub revision: i64,
}

/// One version of an application, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSummary {
    /// Name of the theme that this one inherits from; `null` for everything else.
    #[schema(max_length = 200, example = json!(null))]
    pub parent_name: Option<String>,
    /// Number of the version.
    #[schema(value_type = i32, example = 731)]
    pub application_id: i64,
    /// 1 Application, 2 Theme, 3 Extension.
    #[schema(value_type = i32, maximum = 3, example = 1)]
    pub application_type_id: i64,
    /// Number of the version's release package.
    #[schema(value_type = i32, example = 4102)]
    pub release_package_id: i64,
    /// Name of the version's release package.
    #[schema(nullable, max_length = 50, example = "Release")]
    pub release_package_name: String,
    /// Name of the application, for people.
    #[schema(nullable, max_length = 200, example = "Loyalty")]
    pub name: String,
    /// Namespace of the developer account.
    #[schema(nullable, max_length = 50, example = "acme01")]
    pub application_namespace: String,
    /// The version.
    pub application_version: AppVersion,
    /// Number of the version's status.
    #[schema(value_type = i32, maximum = 6, example = 1)]
    pub application_status_id: i64,
    /// Name of the application in its namespace.
    #[schema(nullable, max_length = 50, example = "loyalty")]
    pub app_id: String,
    /// Name of the version's status.
    #[schema(nullable, max_length = 40, example = "In Development")]
    pub application_status_name: String,
    /// Whether the application has other versions.
    #[schema(example = true)]
    pub has_versions: bool,
    /// Generation of the scheme of application keys.
    #[schema(value_type = i32, maximum = 127, example = 2)]
    pub app_scheme_version: i64,
    /// Key of the version's release package.
    #[schema(nullable, max_length = 200, example = "acme01.loyalty.1.0.0.Release")]
    pub app_key: String,
    /// Key of the theme that this one inherits from; `null` for everything else.
    #[schema(max_length = 200, example = json!(null))]
    pub parent_app_key: Option<String>,
    /// Key of the newest update of that theme that this one accepts; `null` when there is none.
    #[schema(max_length = 200, example = json!(null))]
    pub update_parent_app_key: Option<String>,
    /// Whether there is such an update.
    #[schema(example = false)]
    pub update_available: bool,
}

/// A page of applications.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSummaryCollection {
    /// Applications before the first one of the page.
    #[schema(value_type = i32, example = 0)]
    pub start_index: i64,
    /// Most applications of a page.
    #[schema(value_type = i32, maximum = 200, example = 20)]
    pub page_size: i64,
    /// Number of pages.
    #[schema(value_type = i32, example = 1)]
    pub page_count: i64,
    /// Number of applications in all pages.
    #[schema(value_type = i32, example = 1)]
    pub total_count: i64,
    /// The applications of the page.
    #[schema(max_items = 200)]
    pub items: Vec<ApplicationSummary>,
}

/// A page of packages of one version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageCollection {
    /// Packages before the first one of the page.
    #[schema(value_type = i32, example = 0)]
    pub start_index: i64,
    /// Most packages of a page.
    #[schema(value_type = i32, maximum = 200, example = 50)]
    pub page_size: i64,
    /// Number of pages.
    #[schema(value_type = i32, example = 1)]
    pub page_count: i64,
    /// Number of packages in all pages.
    #[schema(value_type = i32, example = 1)]
    pub total_count: i64,
    /// The packages of the page, without their child arrays and secrets.
    #[schema(max_items = 200)]
    pub items: Vec<AppDevPackage>,
}

/// A package, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageListItem {
    /// Number of the package.
    #[schema(value_type = i32, example = 4102)]
    pub id: i64,
    /// Name of the package.
    #[schema(nullable, max_length = 50, example = "Release")]
    pub name: String,
    /// Name of the application, for people.
    #[schema(nullable, max_length = 200, example = "Loyalty")]
    pub application_name: String,
    /// 1 Application, 2 Theme, 3 Extension.
    #[schema(value_type = i32, maximum = 3, example = 1)]
    pub application_type_id: i64,
    /// First part of the version.
    #[schema(value_type = i32, example = 1)]
    pub major_version: i64,
    /// Second part of the version.
    #[schema(value_type = i32, example = 0)]
    pub minor_version: i64,
    /// Third part of the version.
    #[schema(value_type = i32, example = 0)]
    pub revision: i64,
    /// Whether the version's status forbids changes.
    #[schema(example = false)]
    pub is_locked: bool,
    /// Number of the version.
    #[schema(value_type = i32, example = 731)]
    pub application_id: i64,
}

/// A page of packages of all versions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageListing {
    /// Packages before the first one of the page.
    #[schema(value_type = i32, example = 0)]
    pub start_index: i64,
    /// Most packages of a page.
    #[schema(value_type = i32, maximum = 200, example = 20)]
    pub page_size: i64,
    /// Number of pages.
    #[schema(value_type = i32, example = 1)]
    pub page_count: i64,
    /// Number of packages in all pages.
    #[schema(value_type = i32, example = 1)]
    pub total_count: i64,
    /// The packages of the page.
    #[schema(max_items = 200)]
    pub items: Vec<PackageListItem>,
}

/// Generation of the scheme of application keys: by names (contract 2.5, member 18).
const APP_SCHEME_VERSION: i64 = 2;

/// Pages that begin at most so far from the start of a list are read at once.
const NEAR: i64 = 1_000;

/// Columns in the order in which [`read_summary`] reads them. Candidates for an update of a theme's parent
/// are the published versions of the parent that are newer than the inherited one.
const SUMMARY: &str = "SELECT v.id, a.type_id, p.id, p.name, v.name, n.name, \
     v.major, v.minor, v.revision, v.status_id, a.app_id, \
     EXISTS (SELECT 1 FROM application_versions x \
       WHERE x.application_id = v.application_id AND x.id <> v.id), \
     v.parent_range, pv.name, pn.name, pa.app_id, pv.major, pv.minor, pv.revision, \
     CASE WHEN pv.id IS NOT NULL THEN \
       (SELECT CAST({json_agg}({json_row}(c.major, c.minor, c.revision, c.name)) AS TEXT) \
       FROM application_versions c WHERE c.application_id = pv.application_id AND c.status_id = 5 \
       AND (c.major, c.minor, c.revision) > (pv.major, pv.minor, pv.revision)) END \
     FROM application_versions v \
     JOIN applications a ON a.id = v.application_id \
     JOIN namespaces n ON n.id = a.namespace_id \
     JOIN packages p ON p.version_id = v.id AND p.is_release \
     LEFT JOIN application_versions pv ON pv.id = v.parent_version_id \
     LEFT JOIN applications pa ON pa.id = pv.application_id \
     LEFT JOIN namespaces pn ON pn.id = pa.namespace_id \
     WHERE v.account_id = {account}";

/// The applications of an account, each with its highest version.
///
/// # Errors
/// The database's.
pub async fn applications(
    source: Source<'_>,
    account: &str,
    list: List<ApplicationSummary>,
) -> Result<ApplicationSummaryCollection> {
    let page = list.page;
    let order = " AND v.is_latest ORDER BY v.name_key, v.id";
    let (total, items) = if list.is_plain() {
        tokio::try_join!(count_applications(source, account), async {
            let mut sql = Sql::new(source.dialect());
            sql.template(SUMMARY, account, 0).push(order);
            one_page(&mut sql, page);
            source.fetch(sql.query(page.start > NEAR), Vec::new(), add_summary).await
        })?
    } else {
        let mut sql = Sql::new(source.dialect());
        // Rows that are equal in the order asked for are ordered by their numbers.
        let order = if list.order.is_none() { order } else { " AND v.is_latest ORDER BY v.id" };
        sql.template(SUMMARY, account, 0).push(order);
        let gather = |found: &mut Gathered<_>, row: &dyn Row| found.add(read_summary(row));
        source.fetch(sql.query(true), Gathered::new(list), gather).await?.finish()
    };
    Ok(ApplicationSummaryCollection {
        start_index: page.start,
        page_size: page.size,
        page_count: page.pages(total),
        total_count: total,
        items,
    })
}

/// Every application has one highest version; triggers count applications.
async fn count_applications(source: Source<'_>, account: &str) -> Result<i64> {
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM collection_counts WHERE account_id = ",
    )
    .bind(account)
    .push(" AND collection = 'applications'");
    let count = |total: &mut i64, row: &dyn Row| *total = row.int(0).unwrap_or_default();
    source.fetch(sql.query(false), 0, count).await
}

/// Which of an account's applications to show the versions of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Those of this name, in any namespace.
    App(String),
    /// This one.
    Application(ApplicationName),
}

/// The versions of an account's applications of one name, highest first.
///
/// # Errors
/// The database's.
pub async fn versions(
    source: Source<'_>,
    account: &str,
    named: &Named,
) -> Result<Vec<ApplicationSummary>> {
    let mut sql = Sql::new(source.dialect());
    sql.template(SUMMARY, account, 0).push(" AND a.account_id = ").bind(account);
    match named {
        Named::App(app_id) => {
            sql.push(" AND a.app_id_key = ").bind(app_id.to_ascii_lowercase().as_str());
        }
        Named::Application(name) => {
            let name = name.lower();
            sql.push(" AND a.app_id_key = ").bind(name.app_id.as_str());
            sql.push(" AND n.name_key = ").bind(name.namespace.as_str());
        }
    }
    sql.push(" ORDER BY v.major DESC, v.minor DESC, v.revision DESC, n.name_key");
    source.fetch(sql.query(false), Vec::new(), add_summary).await
}

fn add_summary(found: &mut Vec<ApplicationSummary>, row: &dyn Row) {
    found.push(read_summary(row));
}

fn read_summary(row: &dyn Row) -> ApplicationSummary {
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    let int = |at| row.int(at).unwrap_or_default();
    let version = |at| [int(at), int(at + 1), int(at + 2)];
    let (namespace, app_id, package) = (text(5), text(10), text(3));
    let [major_version, minor_version, revision] = version(6);
    let status = status::of(int(9));
    let parent_name = row.text(13).map(std::borrow::Cow::into_owned);
    let parent_key = |version| key(&text(14), &text(15), version, RELEASE);
    let update = row.text(12).zip(row.text(19)).and_then(|(range, candidates)| {
        let [major, minor, revision] = version(16);
        let range = theme::Range::parse(&range)?;
        let candidates = Candidate::list(&candidates);
        let (major, minor, revision) =
            theme::newest(&candidates, (major, minor, revision), &range)?.number;
        Some(parent_key([major, minor, revision]))
    });
    ApplicationSummary {
        application_id: int(0),
        application_type_id: int(1),
        release_package_id: int(2),
        name: text(4),
        application_version: AppVersion { major_version, minor_version, revision },
        application_status_id: status.id,
        application_status_name: status.name.to_owned(),
        has_versions: row.bool(11).unwrap_or_default(),
        app_scheme_version: APP_SCHEME_VERSION,
        app_key: key(&namespace, &app_id, version(6), &package),
        parent_app_key: parent_name.as_ref().map(|_| parent_key(version(16))),
        update_available: update.is_some(),
        update_parent_app_key: update,
        release_package_name: package,
        application_namespace: namespace,
        app_id,
        parent_name,
    }
}

fn key(namespace: &str, app_id: &str, [major, minor, revision]: [i64; 3], package: &str) -> String {
    let (namespace, app_id, package) =
        (namespace.to_owned(), app_id.to_owned(), package.to_owned());
    AppKey { namespace, app_id, major, minor, revision, package }.to_string()
}

/// The live packages of an account, by their numbers.
///
/// # Errors
/// The database's.
pub async fn packages(
    source: Source<'_>,
    account: &str,
    list: List<PackageListItem>,
) -> Result<PackageListing> {
    const LISTED: &str = "SELECT p.id, p.name, v.name, a.type_id, v.major, v.minor, v.revision, \
         v.status_id, v.id FROM packages p \
         JOIN application_versions v ON v.id = p.version_id \
         JOIN applications a ON a.id = v.application_id \
         WHERE p.account_id = {account} AND NOT p.is_deleted ORDER BY p.id";
    let page = list.page;
    let mut sql = Sql::new(source.dialect());
    sql.template(LISTED, account, 0);
    let (total, items) = if list.is_plain() {
        one_page(&mut sql, page);
        let add = |found: &mut Vec<_>, row: &dyn Row| found.push(read_listed(row));
        let items = source.fetch(sql.query(page.start > NEAR), Vec::new(), add);
        tokio::try_join!(count_packages(source, account), items)?
    } else {
        let gather = |found: &mut Gathered<_>, row: &dyn Row| found.add(read_listed(row));
        source.fetch(sql.query(true), Gathered::new(list), gather).await?.finish()
    };
    Ok(PackageListing {
        start_index: page.start,
        page_size: page.size,
        page_count: page.pages(total),
        total_count: total,
        items,
    })
}

/// The live packages of the version that a key names, whichever package of it the key names: the release
/// first, then by name.
///
/// # Errors
/// 404 for a version that the account does not have.
pub async fn packages_of_version(
    source: Source<'_>,
    caller: &Caller,
    key: &AppKey,
    list: List<AppDevPackage>,
) -> Result<PackageCollection> {
    let page = list.page;
    let mut rows = lookup::of_version(source, version_of(source, caller, key).await?).await?;
    if !list.order.is_none() {
        // Rows that are equal in the order asked for are ordered by their numbers.
        rows.sort_by_key(|row| row.package.id);
    }
    let mut found = Gathered::new(list);
    for row in rows {
        found.add(read::without_children(&row));
    }
    let (total, items) = found.finish();
    Ok(PackageCollection {
        start_index: page.start,
        page_size: page.size,
        page_count: page.pages(total),
        total_count: total,
        items,
    })
}

/// The version that a key names, if the caller's account owns it. The package of the key does not count.
///
/// # Errors
/// 404.
pub async fn version_of(source: Source<'_>, caller: &Caller, key: &AppKey) -> Result<i64> {
    let release = AppKey { package: RELEASE.to_owned(), ..key.clone() };
    let found = lookup::find(source, Which::Key(&release)).await?;
    found
        .filter(|row| *row.version.account_id == *caller.principal.account)
        .map(|row| row.version.id)
        .ok_or_else(|| Which::Key(key).not_found())
}

async fn count_packages(source: Source<'_>, account: &str) -> Result<i64> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT COUNT(*) FROM packages WHERE NOT is_deleted AND account_id = ").bind(account);
    let count = |total: &mut i64, row: &dyn Row| *total = row.int(0).unwrap_or_default();
    source.fetch(sql.query(true), 0, count).await
}

fn read_listed(row: &dyn Row) -> PackageListItem {
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    let int = |at| row.int(at).unwrap_or_default();
    PackageListItem {
        id: int(0),
        name: text(1),
        application_name: text(2),
        application_type_id: int(3),
        major_version: int(4),
        minor_version: int(5),
        revision: int(6),
        is_locked: status::of(int(7)).locked,
        application_id: int(8),
    }
}

/// Cuts a page out of a query. The size is written as a literal: for a limit that it does not know
/// PostgreSQL makes a new plan each time.
fn one_page(sql: &mut Sql, page: Page) {
    sql.push(&format!(" LIMIT {} OFFSET ", page.size)).bind(page.start);
}
