//! Making a package from a description of it (contract 3.4): the release of a new version, or another package
//! of a known one.
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Set};

use super::create::{self, Core};
use super::input::{Identity, PackageInput, ParentInput};
use super::update;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::kernel::secret::MasterKey;
use crate::package_api::appsubscriptions::input::Known;
use crate::package_api::call::Write;
use crate::package_api::convention::body::Sent;
use crate::package_api::convention::key::{AppKey, RELEASE};
use crate::package_api::convention::refusal;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, PackageRow, Sight, Which};
use crate::package_api::model::secret::SharedSecret;
use crate::package_api::model::{applications, namespaces, packages, parent, status, versions};

/// What is to be made. Random parts are made before the transaction, which may be repeated.
struct Project {
    key: AppKey,
    input: PackageInput,
    project_id: Option<i64>,
    version_guid: String,
    package_guid: String,
    secret: SharedSecret,
}

/// Makes a package as a body describes it.
///
/// # Errors
/// As contract 3.4 lists them.
pub async fn create(state: &AppState, write: Write) -> Result<Response> {
    let project_id = write.call.query.int("projectId", 0..=i64::from(i32::MAX))?;
    let body = write.object(update::BODY)?;
    let (input, seen) = PackageInput::read(body, Known::of(state), true)?;
    write.refuse_unknown(&seen)?;
    let key = key(&input.identity)?;
    let project = Project::new(&state.site.key, key, input, project_id);
    write
        .run(state, project, |transaction, state, write, project| {
            insert(transaction, state, write, project).boxed()
        })
        .await
}

impl Project {
    fn new(master: &MasterKey, key: AppKey, input: PackageInput, project_id: Option<i64>) -> Self {
        let version_guid = create::guid();
        let secret = SharedSecret::new(master, &version_guid);
        Self { key, input, project_id, version_guid, package_guid: create::guid(), secret }
    }
}

/// The key of a body: as it is given, or made of its parts.
fn key(identity: &Identity) -> Result<AppKey> {
    let refused = |why: &str| Err(refusal::missing("appKey", why));
    if let Some(key) = &identity.key {
        return match identity.differs_from(key) {
            Some(member) => refused(&format!("must agree with {member}.")),
            None => Ok(key.clone()),
        };
    }
    let (Some(namespace), Some(app_id)) = (&identity.namespace, &identity.app_id) else {
        return refused("must be the key of the new package, or namespace and appId be given.");
    };
    let [major, minor, revision] = identity.number;
    let package = identity.package.as_deref().unwrap_or(RELEASE).trim();
    let (namespace, app_id) = (namespace.trim(), app_id.trim());
    AppKey::parse(&format!("{namespace}.{app_id}.{major}.{minor}.{revision}.{package}"), "appKey")
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    project: &Project,
) -> Result<Answer> {
    let caller = &write.call.caller;
    let author = Author::of(state, caller);
    let namespace = create::namespace(transaction, &author, &project.key).await?;
    let behaviors = update::permit(state, caller, &[], &project.input)?;
    let (application, version) = version(transaction, &author, &namespace, project).await?;
    let key = create::stored_key(&namespace, &application, &project.key);
    let package = packages::entity::ActiveModel {
        guid: Set(project.package_guid.clone()),
        is_release: Set(project.key.is_release()),
        project_id: Set(project.project_id),
        user_id: Set(caller.principal.developer.filter(|_| !project.key.is_release())),
        ..create::blank_package(&author, &version, &project.key.package)
    };
    let package = create::insert_package(transaction, package, &key).await?;
    let input = &project.input;
    update::check_engine(&application, &package, input)?;
    update::subscribe(transaction, &author, &package, input).await?;
    let configured = update::configure(transaction, state, behaviors, &package, input).await?;
    let package =
        if configured.is_changed() { configured.update(transaction).await? } else { package };
    let entry = audit::created(&package)?.labelled(&key.to_string());
    entry.write(transaction, author.person, author.now).await?;
    update::answer(transaction, state, package.id, Sight::Own).await
}

/// The version of the new package and its application: a new one for a release, otherwise a known one that
/// is not locked.
async fn version(
    transaction: &DatabaseTransaction,
    author: &Author,
    namespace: &namespaces::entity::Model,
    project: &Project,
) -> Result<(applications::entity::Model, versions::entity::Model)> {
    let Project { key, input, .. } = project;
    if !matches!(input.status, 0 | status::IN_DEVELOPMENT) {
        return Err(refusal::conflict("a new package is in status 1, In Development."));
    }
    let application = match create::application(transaction, namespace, key).await? {
        Some(known) => known,
        None => {
            check_release(key)?;
            let type_id = new_type(input)?;
            create::new_application(transaction, author, namespace, key, type_id).await?
        }
    };
    let release = AppKey { package: RELEASE.to_owned(), ..key.clone() };
    let source = Source::Transaction(transaction);
    if lookup::find(source, Which::Key(&release)).await?.is_none() {
        check_release(key)?;
        let version = new_version(transaction, author, &application, project).await?;
        return Ok((application, version));
    }
    let release =
        lookup::lock(transaction, Which::Key(&release), &author.account, Lock::Read).await?;
    let same = packages::entity::Entity::find()
        .filter(packages::entity::COLUMN.version_id.eq(release.version.id))
        .filter(packages::entity::COLUMN.name_key.eq(key.lower().package));
    if let Some(same) = same.one(transaction).await? {
        let key = AppKey { package: same.name, ..release.key() };
        return Err(refusal::exists("package", "AppKey", key));
    }
    release.unlocked()?;
    check_inheritance(transaction, author, &release, input).await?;
    Ok((application, release.version))
}

/// Refuses a parent and a range that a new version could not have. A known one keeps its own; a body that
/// says nonsense of them is still wrong.
async fn check_inheritance(
    transaction: &DatabaseTransaction,
    author: &Author,
    release: &PackageRow,
    input: &PackageInput,
) -> Result<()> {
    let inherited = match &input.parent {
        Some(ParentInput::Key(key)) if !update::is_parent(release, key) => {
            let parent =
                parent::check(transaction, &author.account, key, &release.application).await?;
            Some(parent.version.number())
        }
        Some(ParentInput::None) => None,
        Some(ParentInput::Key(_)) | None => {
            release.parent.as_ref().map(|parent| parent.version.number())
        }
    };
    input.range.as_ref().map_or(Ok(()), |range| update::check_range(range, inherited))
}

/// Refuses a package of a version that does not exist, unless it is the release.
fn check_release(key: &AppKey) -> Result<()> {
    if key.is_release() {
        return Ok(());
    }
    let why = format!("version {} does not exist, so its first package is Release.", key.version());
    Err(refusal::conflict(&why))
}

/// The type of a new application.
fn new_type(input: &PackageInput) -> Result<i64> {
    if input.name.is_none() {
        let why = "must be the name of the new application.";
        return Err(refusal::missing("applicationName", why));
    }
    match input.type_id {
        0 => Ok(applications::APPLICATION),
        known if applications::type_name(known).is_some() => Ok(known),
        _ => Err(refusal::missing("applicationTypeId", "must be 1, 2 or 3.")),
    }
}

async fn new_version(
    transaction: &DatabaseTransaction,
    author: &Author,
    application: &applications::entity::Model,
    Project { key, input, version_guid, secret, .. }: &Project,
) -> Result<versions::entity::Model> {
    let inherited = match &input.parent {
        Some(ParentInput::Key(parent)) => {
            Some(parent::check(transaction, &author.account, parent, application).await?.version)
        }
        Some(ParentInput::None) | None => None,
    };
    if let Some(range) = &input.range {
        update::check_range(range, inherited.as_ref().map(|parent| parent.number()))?;
    }
    let range = |parent: &_| input.range.clone().unwrap_or_else(|| create::range_of(parent));
    let core = Core {
        name: match &input.name {
            Some(name) => name.clone(),
            None => latest_name(transaction, application).await?,
        },
        description: match &input.description {
            Sent::Set(description) => Some(description.clone()),
            Sent::Absent | Sent::Null => None,
        },
        parent: inherited.as_ref().map(|parent| (parent.id, range(parent))),
        guid: version_guid.clone(),
        secret: secret.clone(),
    };
    create::new_version(transaction, author, application, key, core).await
}

/// The name of a known application: that of its highest version.
async fn latest_name(
    transaction: &DatabaseTransaction,
    application: &applications::entity::Model,
) -> Result<String> {
    use versions::entity::{COLUMN, Column, Entity};
    let latest = Entity::find()
        .filter(COLUMN.application_id.eq(application.id))
        .order_by_desc(Column::IsLatest)
        .one(transaction)
        .await?;
    Ok(latest.map_or_else(|| application.app_id.clone(), |latest| latest.name))
}
