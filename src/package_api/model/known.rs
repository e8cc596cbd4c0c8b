//! Packages found by what is known of their names already: the most frequent read asks two tables instead
//! of eight.
use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;

use super::lookup::{self, Columns, PackageRow, Sight, Which};
use super::{applications, namespaces};
use crate::kernel::db::{Row, Source};
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::convention::key::AppKey;

/// Most applications that are remembered, of about a kilobyte each.
const KEPT: usize = 5_000;

/// An application, its namespace and its owner: what never changes about its packages.
#[derive(Clone, Debug)]
struct Named {
    application: Arc<applications::entity::Model>,
    namespace: Arc<namespaces::entity::Model>,
    owner_number: i64,
}

/// Applications by name. Nobody renames, gives away or removes a namespace or an application, so what was
/// read of them once holds, whichever server answers. Themes are not among them: what they inherit from
/// may change, and is read with all the rest.
#[derive(Clone)]
pub struct Known(Arc<Cache<(String, String), Arc<Named>>>);

impl Default for Known {
    fn default() -> Self {
        Self(Arc::new(Cache::new(KEPT)))
    }
}

/// Everything before the number of the application.
static SELECT: LazyLock<String> = LazyLock::new(|| {
    let columns = lookup::columns_of(&[("p", lookup::PACKAGE), ("v", lookup::VERSION)]);
    let has_versions = lookup::HAS_VERSIONS;
    format!(
        "SELECT {columns}{has_versions} FROM application_versions v \
         JOIN packages p ON p.version_id = v.id WHERE NOT p.is_deleted AND v.application_id = "
    )
});

impl Known {
    /// Finds a package as `caller` may see it, by one query where it is their account's. `now` in
    /// milliseconds since the epoch.
    ///
    /// # Errors
    /// 404.
    pub async fn seen<'c>(
        &self,
        source: Source<'_>,
        key: &AppKey,
        caller: &'c Caller,
        skip_dev_account_check: bool,
        now: i64,
    ) -> Result<(PackageRow, Sight<'c>)> {
        let which = Which::Key(key);
        let found = self.find(source, &key.lower()).await?.ok_or_else(|| which.not_found())?;
        let skip = skip_dev_account_check;
        let sight = lookup::as_seen(source, &found, which, caller, skip, now).await?;
        Ok((found, sight))
    }

    /// The package of a key in lower case.
    async fn find(&self, source: Source<'_>, key: &AppKey) -> Result<Option<PackageRow>> {
        let name = (key.namespace.clone(), key.app_id.clone());
        if let Some(named) = self.0.get(&name) {
            return find(source, named, key).await;
        }
        let found = lookup::find(source, Which::Key(key)).await?;
        if let Some(row) = &found
            && row.application.type_id != applications::THEME
        {
            let named = Named {
                application: row.application.clone(),
                namespace: row.namespace.clone(),
                owner_number: row.owner_number,
            };
            self.0.insert(name, Arc::new(named));
        }
        Ok(found)
    }
}

async fn find(source: Source<'_>, named: Arc<Named>, key: &AppKey) -> Result<Option<PackageRow>> {
    let mut sql = Sql::new(source.dialect());
    sql.push(&SELECT).bind(named.application.id);
    sql.push(" AND v.major = ").bind(key.major);
    sql.push(" AND v.minor = ").bind(key.minor);
    sql.push(" AND v.revision = ").bind(key.revision);
    sql.push(" AND p.name_key = ").bind(key.package.as_str());
    let gather = move |found: &mut Option<PackageRow>, row: &dyn Row| {
        *found = Some(read(&named, row));
    };
    source.fetch(sql.query(false), None, gather).await
}

fn read(named: &Named, row: &dyn Row) -> PackageRow {
    let row = Columns::of(row);
    PackageRow {
        package: lookup::read_package(&row),
        version: lookup::read_version(&row),
        has_versions: row.flag(),
        application: named.application.clone(),
        namespace: named.namespace.clone(),
        owner_number: named.owner_number,
        parent: None,
    }
}
