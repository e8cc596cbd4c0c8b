//! Finding and locking packages. Every operation on a package comes through here: what belongs to
//! another account is not found, and what is deleted does not exist (contract 1.9, 2.5).
use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use sea_orm::{DatabaseTransaction, EntityTrait, QuerySelect};

use super::theme::Candidate;
use super::{applications, namespaces, packages, status, versions};
use crate::kernel::db::{Dialect, Row, Source};
use crate::kernel::error::{Error, Result};
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::convention::key::{AppKey, RELEASE};
use crate::package_api::convention::refusal;

/// A package with everything it is shown with that has one value: its version, application and
/// namespace, and what its theme inherits from.
#[derive(Clone, Debug)]
pub struct PackageRow {
    /// The package.
    pub package: packages::entity::Model,
    /// Its version.
    pub version: versions::entity::Model,
    /// Its application.
    pub application: Arc<applications::entity::Model>,
    /// Its namespace.
    pub namespace: Arc<namespaces::entity::Model>,
    /// Number of the developer account that owns it.
    pub owner_number: i64,
    /// Whether the application has more than this version.
    pub has_versions: bool,
    /// What the theme inherits from.
    pub parent: Option<Box<Parent>>,
}

/// The parent of a theme.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The version it inherits from.
    pub version: versions::entity::Model,
    /// The parent's application.
    pub application: applications::entity::Model,
    /// The parent's namespace.
    pub namespace: namespaces::entity::Model,
    /// Published versions of the parent that are newer than the inherited one.
    pub candidates: Vec<Candidate>,
}

/// Names a package.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// By its key, in any case of letters.
    Key(&'a AppKey),
    /// By its number.
    Id(i64),
}

impl Which<'_> {
    /// 404 for the package of this name.
    pub fn not_found(self) -> Error {
        match self {
            Self::Key(key) => refusal::not_found("package", "AppKey", key),
            Self::Id(id) => refusal::not_found("package", "PackageId", id),
        }
    }
}

/// As what a caller sees a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight<'a> {
    /// The owner sees everything.
    Own,
    /// Others do not see the secret, and of its installs those in tenants of this account, their own.
    Foreign(&'a str),
}

/// What a transaction is about to do to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Change its version: its status, say. Nobody else writes anything to the version meanwhile.
    Version,
    /// Change the package, while nobody changes the status of its version.
    Package,
    /// Copy from it, while nobody changes it.
    Read,
}

impl PackageRow {
    /// The canonical key.
    pub fn key(&self) -> AppKey {
        key(&self.namespace, &self.application, &self.version, &self.package.name)
    }

    /// Refuses a change of configuration or files while the version is locked (contract 2.4, rule 5).
    ///
    /// # Errors
    /// 409.
    pub fn unlocked(&self) -> Result<()> {
        let status = status::of(self.version.status_id);
        if !status.locked {
            return Ok(());
        }
        Err(refusal::conflict(&format!(
            "version {} of {}.{} is locked, because its status is {}.",
            self.key().version(),
            self.namespace.name,
            self.application.app_id,
            status.name,
        )))
    }
}

impl Parent {
    /// The canonical key of the inherited version.
    pub fn key(&self) -> AppKey {
        key(&self.namespace, &self.application, &self.version, RELEASE)
    }
}

fn key(
    namespace: &namespaces::entity::Model,
    application: &applications::entity::Model,
    version: &versions::entity::Model,
    package: &str,
) -> AppKey {
    AppKey {
        namespace: namespace.name.clone(),
        app_id: application.app_id.clone(),
        major: version.major,
        minor: version.minor,
        revision: version.revision,
        package: package.to_owned(),
    }
}

/// Columns of a row, read one after the other.
pub(super) struct Columns<'a> {
    row: &'a dyn Row,
    at: Cell<usize>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a dyn Row) -> Self {
        Self { row, at: Cell::new(0) }
    }

    fn next(&self) -> usize {
        self.at.replace(self.at.get() + 1)
    }

    fn int(&self) -> i64 {
        self.maybe_int().unwrap_or_default()
    }

    fn maybe_int(&self) -> Option<i64> {
        self.row.int(self.next())
    }

    fn text(&self) -> String {
        self.maybe_text().unwrap_or_default()
    }

    fn maybe_text(&self) -> Option<String> {
        self.row.text(self.next()).map(std::borrow::Cow::into_owned)
    }

    pub(super) fn flag(&self) -> bool {
        self.row.bool(self.next()).unwrap_or_default()
    }
}

// Columns in the order in which the functions below them read.

pub(super) const PACKAGE: &str = "id account_id version_id name name_key is_release is_deleted guid description \
                       api_version app_config_url theme_engine_version project_id user_id behaviors \
                       capability_types attributes file_count created_at updated_at";

pub(super) fn read_package(row: &Columns<'_>) -> packages::entity::Model {
    packages::entity::Model {
        id: row.int(),
        account_id: row.text(),
        version_id: row.int(),
        name: row.text(),
        name_key: row.text(),
        is_release: row.flag(),
        is_deleted: row.flag(),
        guid: row.text(),
        description: row.maybe_text(),
        api_version: row.text(),
        app_config_url: row.maybe_text(),
        theme_engine_version: row.maybe_text(),
        project_id: row.maybe_int(),
        user_id: row.maybe_int(),
        behaviors: row.text(),
        capability_types: row.text(),
        attributes: row.text(),
        file_count: row.int(),
        created_at: row.int(),
        updated_at: row.int(),
    }
}

pub(super) const VERSION: &str = "id account_id application_id major minor revision is_latest guid name name_key \
                       description status_id shared_secret secret_hash parent_version_id parent_range \
                       created_at updated_at";

pub(super) fn read_version(row: &Columns<'_>) -> versions::entity::Model {
    versions::entity::Model {
        id: row.int(),
        account_id: row.text(),
        application_id: row.int(),
        major: row.int(),
        minor: row.int(),
        revision: row.int(),
        is_latest: row.flag(),
        guid: row.text(),
        name: row.text(),
        name_key: row.text(),
        description: row.maybe_text(),
        status_id: row.int(),
        shared_secret: row.text(),
        secret_hash: row.text(),
        parent_version_id: row.maybe_int(),
        parent_range: row.maybe_text(),
        created_at: row.int(),
        updated_at: row.int(),
    }
}

const APPLICATION: &str =
    "id account_id namespace_id app_id app_id_key type_id person_id created_at updated_at";

fn read_application(row: &Columns<'_>) -> applications::entity::Model {
    applications::entity::Model {
        id: row.int(),
        account_id: row.text(),
        namespace_id: row.int(),
        app_id: row.text(),
        app_id_key: row.text(),
        type_id: row.int(),
        person_id: row.int(),
        created_at: row.int(),
        updated_at: row.int(),
    }
}

const NAMESPACE: &str = "id account_id name name_key registry_id created_at";

fn read_namespace(row: &Columns<'_>) -> namespaces::entity::Model {
    namespaces::entity::Model {
        id: row.int(),
        account_id: row.text(),
        name: row.text(),
        name_key: row.text(),
        registry_id: row.text(),
        created_at: row.int(),
    }
}

/// Published versions of the parent that are newer, with their names.
const CANDIDATES: &str = "(SELECT CAST({json_agg}({json_row}(c.major, c.minor, c.revision, c.name)) AS TEXT) \
     FROM application_versions c WHERE c.application_id = pv.application_id AND c.status_id = 5 \
     AND (c.major, c.minor, c.revision) > (pv.major, pv.minor, pv.revision))";

const FROM: &str = " FROM packages p \
     JOIN application_versions v ON v.id = p.version_id \
     JOIN applications a ON a.id = v.application_id \
     JOIN namespaces n ON n.id = a.namespace_id \
     JOIN account_numbers o ON o.account_id = p.account_id \
     LEFT JOIN application_versions pv ON pv.id = v.parent_version_id \
     LEFT JOIN applications pa ON pa.id = pv.application_id \
     LEFT JOIN namespaces pn ON pn.id = pa.namespace_id WHERE NOT p.is_deleted AND ";

/// Whether the application has other versions.
pub(super) const HAS_VERSIONS: &str = "EXISTS (SELECT 1 FROM application_versions x \
     WHERE x.application_id = v.application_id AND x.id <> v.id)";

/// Columns of tables, each with a comma behind it.
pub(super) fn columns_of(tables: &[(&str, &str)]) -> String {
    let columns = tables.iter().flat_map(|(table, columns)| {
        columns.split_ascii_whitespace().map(move |column| format!("{table}.{column}, "))
    });
    columns.collect()
}

/// Everything before the condition.
static SELECT: LazyLock<String> = LazyLock::new(|| {
    let tables = [
        ("p", PACKAGE),
        ("v", VERSION),
        ("a", APPLICATION),
        ("n", NAMESPACE),
        ("pv", VERSION),
        ("pa", APPLICATION),
        ("pn", NAMESPACE),
    ];
    let columns = columns_of(&tables);
    format!(
        "SELECT {columns}o.number, {HAS_VERSIONS}, \
         CASE WHEN pv.id IS NULL THEN NULL ELSE {CANDIDATES} END{FROM}"
    )
});

/// Finds a package, whoever owns it.
///
/// # Errors
/// The database's.
pub async fn find(source: Source<'_>, which: Which<'_>) -> Result<Option<PackageRow>> {
    let mut sql = start(source.dialect());
    match which {
        Which::Id(id) => {
            sql.push("p.id = ").bind(id);
        }
        Which::Key(key) => {
            let key = key.lower();
            sql.push("n.name_key = ").bind(key.namespace.as_str());
            sql.push(" AND a.app_id_key = ").bind(key.app_id.as_str());
            sql.push(" AND v.major = ").bind(key.major);
            sql.push(" AND v.minor = ").bind(key.minor);
            sql.push(" AND v.revision = ").bind(key.revision);
            sql.push(" AND p.name_key = ").bind(key.package.as_str());
        }
    }
    let gather = |found: &mut Option<PackageRow>, row: &dyn Row| *found = Some(read(row));
    source.fetch(sql.query(false), None, gather).await
}

/// The live packages of a version: the release first, then by name.
///
/// # Errors
/// The database's.
pub async fn of_version(source: Source<'_>, version: i64) -> Result<Vec<PackageRow>> {
    let mut sql = start(source.dialect());
    sql.push("p.version_id = ").bind(version);
    sql.push(" ORDER BY p.is_release DESC, p.name_key, p.id");
    source.fetch(sql.query(true), Vec::new(), |found, row| found.push(read(row))).await
}

fn start(dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.template(&SELECT, "", 0);
    sql
}

fn read(row: &dyn Row) -> PackageRow {
    let row = Columns::of(row);
    let (package, version, application, namespace) =
        (read_package(&row), read_version(&row), read_application(&row), read_namespace(&row));
    let (parent, its_application, its_namespace) =
        (read_version(&row), read_application(&row), read_namespace(&row));
    let (owner_number, has_versions) = (row.int(), row.flag());
    let candidates = row.maybe_text().unwrap_or_default();
    // Numbers start at 1: without a parent, its columns are NULL.
    let parent = (parent.id != 0).then(|| {
        Box::new(Parent {
            candidates: Candidate::list(&candidates),
            version: parent,
            application: its_application,
            namespace: its_namespace,
        })
    });
    let (application, namespace) = (Arc::new(application), Arc::new(namespace));
    PackageRow { package, version, application, namespace, owner_number, has_versions, parent }
}

/// A package that was found, as `caller` may see it. Without their account's being its owner, it must be a
/// published theme or have an active install in one of their tenants, and they must ask for it by
/// `skipDevAccountCheck`; operators see all that way (contract 3.3, 2.4). `now` in milliseconds since the
/// epoch.
///
/// # Errors
/// 404.
pub(super) async fn as_seen<'c>(
    source: Source<'_>,
    row: &PackageRow,
    which: Which<'_>,
    caller: &'c Caller,
    skip_dev_account_check: bool,
    now: i64,
) -> Result<Sight<'c>> {
    let principal = &caller.principal;
    let account = &*principal.account;
    if row.package.account_id == *account {
        return Ok(Sight::Own);
    }
    let visible = skip_dev_account_check
        && (principal.operator
            || is_published_theme(row)
            || is_installed(source, row.package.id, account, now).await?);
    if visible { Ok(Sight::Foreign(account)) } else { Err(which.not_found()) }
}

/// Finds a package of the caller's own account.
///
/// # Errors
/// 404.
pub async fn own(source: Source<'_>, which: Which<'_>, caller: &Caller) -> Result<PackageRow> {
    let found = find(source, which).await?;
    let is_own = |row: &PackageRow| row.package.account_id == *caller.principal.account;
    found.filter(is_own).ok_or_else(|| which.not_found())
}

fn is_published_theme(row: &PackageRow) -> bool {
    row.application.type_id == applications::THEME
        && row.version.status_id == status::PUBLISHED
        && row.package.is_release
}

async fn is_installed(source: Source<'_>, package: i64, account: &str, now: i64) -> Result<bool> {
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT e.id FROM entitlements e WHERE e.is_current AND e.package_id = ")
        .bind(package);
    sql.push(" AND e.account_id = ").bind(account);
    sql.push(" AND e.starts_at <= ").bind(now);
    sql.push(" AND (e.ends_at IS NULL OR e.ends_at > ").bind(now).push(") LIMIT 1");
    source.fetch(sql.query(false), false, |found, _| *found = true).await
}

/// Finds a package of `account` and locks its version, then itself: always in this order, so that two
/// changes never wait for each other.
///
/// # Errors
/// 404.
pub async fn lock(
    transaction: &DatabaseTransaction,
    which: Which<'_>,
    account: &str,
    lock: Lock,
) -> Result<PackageRow> {
    let source = Source::Transaction(transaction);
    let is_own = |row: &PackageRow| row.package.account_id == account;
    let found = find(source, which).await?.filter(is_own).ok_or_else(|| which.not_found())?;
    lock_version(transaction, found.version.id, lock == Lock::Version).await?;
    let row = packages::entity::Entity::find_by_id(found.package.id);
    match lock {
        Lock::Read => row.lock_shared(),
        Lock::Version | Lock::Package => row.lock_exclusive(),
    }
    .one(transaction)
    .await?;
    // Read again: it may have changed while this transaction waited.
    find(source, Which::Id(found.package.id)).await?.ok_or_else(|| which.not_found())
}

/// Locks a version: for a change of its own, or only against one.
///
/// # Errors
/// The database's.
pub async fn lock_version(
    transaction: &DatabaseTransaction,
    version: i64,
    to_change: bool,
) -> Result<()> {
    let row = versions::entity::Entity::find_by_id(version);
    let row = if to_change { row.lock_exclusive() } else { row.lock_shared() };
    row.one(transaction).await?;
    Ok(())
}
