//! Demo data of the app packages family: what a developer account has when it is at work.
use sea_orm::{ActiveModelTrait, DatabaseTransaction, Set};

use crate::directory::accounts::Refused;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::package_api::apppackages::clone::{self, Working};
use crate::package_api::apppackages::create::{self, NewCore, Random};
use crate::package_api::convention::key::{AppKey, RELEASE};
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::PackageRow;
use crate::package_api::model::{applications, namespaces, status, versions};
use crate::package_api::package_files;
use crate::package_api::tenants::{self, service::NewTenant};

/// Namespace of the provider.
const NAMESPACE: &str = "acme01";

/// An application with which a newcomer can log in. The secret is told once.
#[derive(Clone, Debug)]
pub struct DemoApplication {
    /// Key of its working version.
    pub key: String,
    /// Secret of that version.
    pub secret: String,
    /// Number of the sandbox tenant, to install it in.
    pub sandbox: i64,
}

/// Makes a namespace of `account`, an application with two versions and a working package with files, a
/// theme with its parent, and tenants to install in. `person` is whom the audit trail names.
pub(super) async fn fill(
    state: &AppState,
    db: &DatabaseTransaction,
    account: &str,
    person: i64,
) -> Result<DemoApplication, Refused> {
    let now = state.clock.now_millis();
    namespaces::create(db, account, NAMESPACE, now).await?;
    let author = Author {
        account: account.to_owned(),
        person,
        by: format!("{NAMESPACE}.demo"),
        now,
        operation: "seed".to_owned(),
    };
    let by = By { state, db, author };
    let behaviors = &state.catalogue.behaviors;
    let all = behaviors.all().iter().filter(|it| !it.is_private).map(|it| it.id).collect();
    let (certified, _) = by.version("loyalty", (1, 0, 0), None, Some(all)).await?;
    by.rename(&certified, "Loyalty", "Points for every order.").await?;
    by.set_status(&certified, status::CERTIFIED).await?;
    let (working, secret) = by.version("loyalty", (1, 1, 0), None, None).await?;
    by.files(&working).await?;
    by.working_package(&working, "ann").await?;
    let (base, _) = by.theme("base", (1, 0, 0), None).await?;
    by.set_status(&base, status::PUBLISHED).await?;
    by.theme("winter", (1, 0, 0), Some(base.key())).await?;
    // An update of the parent, for the child to accept.
    let (update, _) = by.theme("base", (1, 1, 0), None).await?;
    by.set_status(&update, status::PUBLISHED).await?;
    let sandbox = by.tenant("Acme Sandbox", true).await?;
    by.tenant("Acme", false).await?;
    Ok(DemoApplication { key: working.key().to_string(), secret, sandbox })
}

/// Writes demo records.
struct By<'a> {
    state: &'a AppState,
    db: &'a DatabaseTransaction,
    author: Author,
}

impl By<'_> {
    /// A version with its release package, and the secret of the version.
    async fn version(
        &self,
        app_id: &str,
        number: versions::Number,
        parent: Option<AppKey>,
        behaviors: Option<Vec<i64>>,
    ) -> Result<(PackageRow, String), Refused> {
        self.make(app_id, number, None, parent, behaviors).await
    }

    async fn theme(
        &self,
        app_id: &str,
        number: versions::Number,
        parent: Option<AppKey>,
    ) -> Result<(PackageRow, String), Refused> {
        self.make(app_id, number, Some(applications::THEME), parent, None).await
    }

    async fn make(
        &self,
        app_id: &str,
        (major, minor, revision): versions::Number,
        type_id: Option<i64>,
        parent: Option<AppKey>,
        behaviors: Option<Vec<i64>>,
    ) -> Result<(PackageRow, String), Refused> {
        let key = AppKey {
            namespace: NAMESPACE.to_owned(),
            app_id: app_id.to_owned(),
            major,
            minor,
            revision,
            package: RELEASE.to_owned(),
        };
        let random = Random::new(&self.state.site.key);
        let secret = random.secret().to_owned();
        let new = NewCore { key, parent, type_id, behaviors, random };
        Ok((create::core(self.db, &self.author, &new).await?, secret))
    }

    async fn files(&self, row: &PackageRow) -> Result<(), Refused> {
        Ok(package_files::seed::fill(self.db, self.state, row.package.id, &self.author).await?)
    }

    /// A copy of a version's release package.
    async fn working_package(&self, release: &PackageRow, name: &str) -> Result<(), Refused> {
        let (source, guid) = (release.key(), create::guid());
        let new = Working { source: &source, name, guid: &guid, user_id: None };
        clone::working_copy(self.db, &self.author, new).await.map(drop).map_err(Refused::from)
    }

    async fn tenant(&self, name: &str, is_sandbox: bool) -> Result<i64, Refused> {
        let sites = ["Main".to_owned()];
        let account = &self.author.account;
        let new = NewTenant { account, name, is_sandbox, domain: None, sites: &sites };
        let (tenant, _) = tenants::service::create(self.db, new, self.author.now).await?;
        Ok(tenant.id)
    }

    async fn rename(&self, row: &PackageRow, name: &str, description: &str) -> Result<(), Refused> {
        let mut version: versions::entity::ActiveModel = row.version.clone().into();
        version.name = Set(name.to_owned());
        version.name_key = Set(name.to_lowercase());
        version.description = Set(Some(description.to_owned()));
        self.changed(&row.version, version).await
    }

    async fn set_status(&self, row: &PackageRow, status: i64) -> Result<(), Refused> {
        let mut version: versions::entity::ActiveModel = row.version.clone().into();
        version.status_id = Set(status);
        self.changed(&row.version, version).await
    }

    async fn changed(
        &self,
        before: &versions::entity::Model,
        row: versions::entity::ActiveModel,
    ) -> Result<(), Refused> {
        let after = row.update(self.db).await?;
        let entry = audit::updated(before, &after)?;
        Ok(entry.write(self.db, self.author.person, self.author.now).await?)
    }
}
