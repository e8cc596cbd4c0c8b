//! Making a new version of an application with its release package (contract 3.1).
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use super::{children, read};
use crate::directory::people;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::secret::MasterKey;
use crate::package_api::call::{self, Write};
use crate::package_api::convention::body::Sent;
use crate::package_api::convention::key::{AppKey, LONGEST_KEY, RELEASE};
use crate::package_api::convention::refusal;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, PackageRow, Sight, Which};
use crate::package_api::model::secret::SharedSecret;
use crate::package_api::model::{applications, namespaces, packages, parent, status, versions};
use crate::package_api::{appsubscriptions, package_files};

/// Random parts of a new version. They are made before the transaction, which may be repeated.
#[derive(Clone, Debug)]
pub struct Random {
    version_guid: String,
    package_guid: String,
    secret: SharedSecret,
}

impl Random {
    /// New guids and a new secret.
    pub fn new(key: &MasterKey) -> Self {
        let version_guid = guid();
        let secret = SharedSecret::new(key, &version_guid);
        Self { version_guid, package_guid: guid(), secret }
    }

    /// The secret: 32 hexadecimal digits.
    pub fn secret(&self) -> &str {
        &self.secret.plain
    }
}

/// A new guid: 32 hexadecimal digits.
pub fn guid() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What is to be made.
#[derive(Clone, Debug)]
pub struct NewCore {
    /// Key of the release package of the new version.
    pub key: AppKey,
    /// The theme it inherits from.
    pub parent: Option<AppKey>,
    /// Type of an application that does not exist yet; otherwise the parent decides.
    pub type_id: Option<i64>,
    /// What the application may do; `None`: what its source may, or nothing.
    pub behaviors: Option<Vec<i64>>,
    /// Random parts.
    pub random: Random,
}

/// Makes a version with its release package: of a new application, empty; of a known one, as a copy of
/// the version before it.
///
/// # Errors
/// Those of the tables of contract 3.1, from the namespace on.
pub async fn core(
    transaction: &DatabaseTransaction,
    author: &Author,
    new: &NewCore,
) -> Result<PackageRow> {
    let namespace = namespace(transaction, author, &new.key).await?;
    let application = match application(transaction, &namespace, &new.key).await? {
        Some(known) => known,
        None => {
            let default =
                if new.parent.is_some() { applications::THEME } else { applications::APPLICATION };
            let type_id = new.type_id.unwrap_or(default);
            new_application(transaction, author, &namespace, &new.key, type_id).await?
        }
    };
    let inherits = match &new.parent {
        Some(key) => Some(parent::check(transaction, &author.account, key, &application).await?),
        None => None,
    };
    let key = stored_key(&namespace, &application, &new.key);
    let source = source(transaction, author, &application, &key).await?;
    let (version_guid, secret) = (new.random.version_guid.clone(), new.random.secret.clone());
    let core = Core {
        name: source.as_ref().map_or_else(|| new.key.app_id.clone(), |it| it.version.name.clone()),
        description: source.as_ref().and_then(|it| it.version.description.clone()),
        parent: match (&inherits, &source) {
            (Some(parent), _) => Some((parent.version.id, range_of(&parent.version))),
            (None, Some(source)) => source.version.parent_version_id.map(|id| {
                (id, source.version.parent_range.clone().unwrap_or_else(|| "*".to_owned()))
            }),
            (None, None) => None,
        },
        guid: version_guid,
        secret,
    };
    let version = new_version(transaction, author, &application, &key, core).await?;
    let package = packages::entity::ActiveModel {
        guid: Set(new.random.package_guid.clone()),
        is_release: Set(true),
        ..blank_package(author, &version, RELEASE)
    };
    let mut package = insert_package(transaction, package, &key).await?;
    if let Some(source) = &source {
        package = copy_into(transaction, author, &source.package, package).await?;
    }
    if let Some(behaviors) = &new.behaviors {
        let mut row: packages::entity::ActiveModel = package.into();
        row.behaviors = Set(serde_json::json!(behaviors).to_string());
        package = row.update(transaction).await?;
    }
    audit::created(&package)?
        .labelled(&key.to_string())
        .write(transaction, author.person, author.now)
        .await?;
    let made = lookup::find(Source::Transaction(transaction), Which::Id(package.id)).await?;
    made.ok_or_else(|| Error::internal("a package was made and is not there"))
}

/// A key as its namespace and application are spelt (contract 2.2), however the caller writes them.
pub fn stored_key(
    namespace: &namespaces::entity::Model,
    application: &applications::entity::Model,
    key: &AppKey,
) -> AppKey {
    AppKey { namespace: namespace.name.clone(), app_id: application.app_id.clone(), ..key.clone() }
}

/// The caller's namespace of a key. Who may not use a namespace does not learn whether there is one.
///
/// # Errors
/// 403.
pub async fn namespace(
    transaction: &DatabaseTransaction,
    author: &Author,
    key: &AppKey,
) -> Result<namespaces::entity::Model> {
    let found = namespaces::find(transaction, &key.namespace).await?;
    found
        .filter(|namespace| namespace.account_id == author.account)
        .ok_or_else(|| refusal::forbidden(&author.operation, None))
}

/// The application of a key, locked: versions of it are made one after the other.
///
/// # Errors
/// The database's.
pub async fn application(
    transaction: &DatabaseTransaction,
    namespace: &namespaces::entity::Model,
    key: &AppKey,
) -> Result<Option<applications::entity::Model>> {
    let columns = &applications::entity::COLUMN;
    let found = applications::entity::Entity::find()
        .filter(columns.namespace_id.eq(namespace.id))
        .filter(columns.app_id_key.eq(key.lower().app_id))
        .lock_exclusive()
        .one(transaction)
        .await?;
    Ok(found)
}

/// Makes an application, or finds the one that was made at the same moment.
///
/// # Errors
/// The database's.
pub async fn new_application(
    transaction: &DatabaseTransaction,
    author: &Author,
    namespace: &namespaces::entity::Model,
    key: &AppKey,
    type_id: i64,
) -> Result<applications::entity::Model> {
    let row = applications::entity::ActiveModel {
        account_id: Set(author.account.clone()),
        namespace_id: Set(namespace.id),
        app_id: Set(key.app_id.clone()),
        app_id_key: Set(key.lower().app_id),
        type_id: Set(type_id),
        person_id: Set(service_person(transaction, author, namespace, key).await?),
        created_at: Set(author.now),
        updated_at: Set(author.now),
        ..Default::default()
    };
    // A failed statement would end the transaction on PostgreSQL; this one waits for the other.
    let made = applications::entity::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(transaction)
        .await?
        > 0;
    let found = application(transaction, namespace, key)
        .await?
        .ok_or_else(|| Error::internal("an application was made and is not there"))?;
    if made {
        let entry = audit::created(&found)?;
        entry.write(transaction, author.person, author.now).await?;
    }
    Ok(found)
}

/// The person that stands for an application in the audit trail. Nobody logs in as it.
async fn service_person(
    transaction: &DatabaseTransaction,
    author: &Author,
    namespace: &namespaces::entity::Model,
    key: &AppKey,
) -> Result<i64> {
    let key = key.lower();
    // `.invalid` (RFC 2606): nobody receives mail there.
    let email = format!("{}@{}.apps.invalid", key.app_id, key.namespace);
    let name = format!("{}.{}", namespace.name, key.app_id);
    Ok(people::stand_in(transaction, &author.account, &name, &email, author.now).await?)
}

/// The release package that a new version continues: of the highest version below the new one, or of
/// the highest one. It stays as it is until the copy is made.
async fn source(
    transaction: &DatabaseTransaction,
    author: &Author,
    application: &applications::entity::Model,
    key: &AppKey,
) -> Result<Option<PackageRow>> {
    use versions::entity::{COLUMN, Column, Entity};
    let all = || {
        Entity::find()
            .filter(COLUMN.application_id.eq(application.id))
            .order_by_desc(Column::Major)
            .order_by_desc(Column::Minor)
            .order_by_desc(Column::Revision)
    };
    let same = |condition: Condition, column: Column, number: i64| condition.add(column.eq(number));
    let same_major = || same(Condition::all(), Column::Major, key.major);
    let same_minor = || same(same_major(), Column::Minor, key.minor);
    let below = Condition::any()
        .add(Column::Major.lt(key.major))
        .add(same_major().add(Column::Minor.lt(key.minor)))
        .add(same_minor().add(Column::Revision.lt(key.revision)));
    let found = match all().filter(below).one(transaction).await? {
        Some(found) => Some(found),
        None => all().one(transaction).await?,
    };
    let Some(version) = found else { return Ok(None) };
    let release = packages::entity::Entity::find()
        .filter(packages::entity::COLUMN.version_id.eq(version.id))
        .filter(packages::entity::COLUMN.is_release.eq(true))
        .one(transaction)
        .await?
        .ok_or_else(|| Error::internal("a version has no release package"))?;
    lookup::lock(transaction, Which::Id(release.id), &author.account, Lock::Read).await.map(Some)
}

/// What is new about a version besides its numbers.
#[derive(Debug)]
pub struct Core {
    /// `applicationName`.
    pub name: String,
    /// `applicationDescription`.
    pub description: Option<String>,
    /// Number of the parent's version, and the range of versions that is accepted.
    pub parent: Option<(i64, String)>,
    /// What the secret is bound to.
    pub guid: String,
    /// Its secret.
    pub secret: SharedSecret,
}

/// The range in which a theme accepts updates of its parent when nobody says another.
pub fn range_of(parent: &versions::entity::Model) -> String {
    format!("^{}.{}.{}", parent.major, parent.minor, parent.revision)
}

/// Makes a version of a locked application.
///
/// # Errors
/// 409 when it exists.
pub async fn new_version(
    transaction: &DatabaseTransaction,
    author: &Author,
    application: &applications::entity::Model,
    key: &AppKey,
    core: Core,
) -> Result<versions::entity::Model> {
    use versions::entity::{ActiveModel, COLUMN, Entity};
    let of_application = || Entity::find().filter(COLUMN.application_id.eq(application.id));
    let number = (key.major, key.minor, key.revision);
    let same = of_application()
        .filter(COLUMN.major.eq(key.major))
        .filter(COLUMN.minor.eq(key.minor))
        .filter(COLUMN.revision.eq(key.revision));
    if same.one(transaction).await?.is_some() {
        return Err(refusal::exists("package", "AppKey", key));
    }
    let latest = of_application().filter(COLUMN.is_latest.eq(true)).one(transaction).await?;
    let is_latest = latest.as_ref().is_none_or(|latest| latest.number() < number);
    if let Some(latest) = latest.filter(|_| is_latest) {
        let mut row: ActiveModel = latest.into();
        row.is_latest = Set(false);
        row.update(transaction).await?;
    }
    let (parent_version_id, parent_range) = core.parent.unzip();
    let row = ActiveModel {
        account_id: Set(author.account.clone()),
        application_id: Set(application.id),
        major: Set(key.major),
        minor: Set(key.minor),
        revision: Set(key.revision),
        is_latest: Set(is_latest),
        guid: Set(core.guid),
        name_key: Set(core.name.to_lowercase()),
        name: Set(core.name),
        description: Set(core.description),
        status_id: Set(status::IN_DEVELOPMENT),
        shared_secret: Set(core.secret.sealed),
        secret_hash: Set(core.secret.hash),
        parent_version_id: Set(parent_version_id),
        parent_range: Set(parent_range),
        created_at: Set(author.now),
        updated_at: Set(author.now),
        ..Default::default()
    };
    let made = row.insert(transaction).await.map_err(refusal::taken(
        "package",
        "AppKey",
        &key.to_string(),
    ))?;
    let entry = audit::created(&made)?;
    entry.write(transaction, author.person, author.now).await?;
    Ok(made)
}

/// A package without configuration, to be completed and inserted.
pub fn blank_package(
    author: &Author,
    version: &versions::entity::Model,
    name: &str,
) -> packages::entity::ActiveModel {
    let nothing = || Set("[]".to_owned());
    packages::entity::ActiveModel {
        account_id: Set(author.account.clone()),
        version_id: Set(version.id),
        name: Set(name.to_owned()),
        name_key: Set(name.to_ascii_lowercase()),
        is_release: Set(false),
        is_deleted: Set(false),
        guid: Set(String::new()),
        api_version: Set(packages::API_VERSION.to_owned()),
        behaviors: nothing(),
        capability_types: nothing(),
        attributes: nothing(),
        file_count: Set(0),
        created_at: Set(author.now),
        updated_at: Set(author.now),
        ..Default::default()
    }
}

/// Inserts a package.
///
/// # Errors
/// 409 when its name is taken, be it by a deleted one.
pub async fn insert_package(
    transaction: &DatabaseTransaction,
    row: packages::entity::ActiveModel,
    key: &AppKey,
) -> Result<packages::entity::Model> {
    let key = key.to_string();
    row.insert(transaction).await.map_err(refusal::taken("package", "AppKey", &key))
}

/// Copies configuration and files of one package into a new, empty one (contract 3.1, 3.8a). `from` is
/// locked.
///
/// # Errors
/// The database's.
pub async fn copy_into(
    transaction: &DatabaseTransaction,
    author: &Author,
    from: &packages::entity::Model,
    to: packages::entity::Model,
) -> Result<packages::entity::Model> {
    let Author { account, by, now, .. } = author;
    let (capability_types, attributes) = children::copy(transaction, from, &to).await?;
    appsubscriptions::service::copy(transaction, from.id, to.id, account, *now).await?;
    let files = package_files::copy::files(transaction, from.id, to.id, account, by, *now).await?;
    let mut row: packages::entity::ActiveModel = to.into();
    row.api_version = Set(from.api_version.clone());
    row.app_config_url = Set(from.app_config_url.clone());
    row.theme_engine_version = Set(from.theme_engine_version.clone());
    row.behaviors = Set(from.behaviors.clone());
    row.capability_types = Set(capability_types);
    row.attributes = Set(attributes);
    row.file_count = Set(files);
    Ok(row.update(transaction).await?)
}

/// Answers `POST /create`.
///
/// # Errors
/// As contract 3.1 lists them.
pub async fn create(state: &AppState, write: Write) -> Result<Response> {
    let (key, parent) = read_request(&write)?;
    let new = NewCore {
        key,
        parent,
        type_id: None,
        behaviors: None,
        random: Random::new(&state.site.key),
    };
    write
        .run(state, new, |transaction, state, write, new| {
            async move {
                let author = Author::of(state, &write.call.caller);
                let row = core(transaction, &author, new).await?;
                let source = Source::Transaction(transaction);
                let shown = read::package(source, state, &row, Sight::Own, true).await?;
                call::record(&shown)
            }
            .boxed()
        })
        .await
}

/// The key of the new version and that of its parent.
fn read_request(write: &Write) -> Result<(AppKey, Option<AppKey>)> {
    let mut body = write.object("packageRequest")?;
    let text = |sent: Sent<String>| sent.value().filter(|text| !text.trim().is_empty());
    let key = text(body.text("appKey", LONGEST_KEY)?);
    let parent = text(body.text(parent::PARAMETER, LONGEST_KEY)?);
    let key = key.ok_or_else(|| body.refused("appKey", "must be the key of the new version."))?;
    let key = AppKey::parse(&key, "appKey")?;
    if !key.is_release() {
        return Err(body.refused(
            "appKey",
            "must name the package Release: other packages are made by cloning it, POST \
             /platform/appdev/apppackages/{applicationKey}/clone/{packageName}.",
        ));
    }
    let parent = parent.map(|text| parent::parse(&text)).transpose()?;
    write.refuse_unknown([&body])?;
    Ok((key, parent))
}
