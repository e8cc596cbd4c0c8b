//! Changing a package (contract 3.6).
use axum::response::Response;
use futures_util::FutureExt;
use http::header;
use sea_orm::{ActiveModelTrait, ActiveValue, DatabaseTransaction, Set};

use super::children::{self, Permitted};
use super::create;
use super::dto::{ApplicationAttribute, ApplicationCapabilityType};
use super::input::{PackageInput, ParentInput};
use super::read;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::package_api::access::Caller;
use crate::package_api::appsubscriptions;
use crate::package_api::appsubscriptions::input::Known;
use crate::package_api::call::{self, Write};
use crate::package_api::convention::body::Sent;
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, PackageRow, Sight, Which};
use crate::package_api::model::theme::Range;
use crate::package_api::model::versions::Number;
use crate::package_api::model::{applications, packages, parent, status, versions};

/// What the body of a request is called.
pub const BODY: &str = "appDevPackage";

/// Changes a package, and with it what all packages of its version share. What changes nothing leaves no
/// trace.
///
/// # Errors
/// As contract 3.6 lists them.
pub async fn update(state: &AppState, write: Write) -> Result<Response> {
    let key = write.call.target.key()?;
    let (input, seen) = PackageInput::read(write.object(BODY)?, Known::of(state), false)?;
    write.refuse_unknown(&seen)?;
    write
        .run(state, (key, input), |transaction, state, write, (key, input)| {
            change(transaction, state, write, key, input).boxed()
        })
        .await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    key: &AppKey,
    input: &PackageInput,
) -> Result<Answer> {
    let caller = &write.call.caller;
    let (row, sight) = locked(transaction, caller, key).await?;
    // What the caller may not do is refused before what cannot be done (contract 1.9).
    let behaviors = permit(state, caller, &row.package.behavior_ids(), input)?;
    let status = permitted_status(state, caller, &row, sight, input)?;
    check_identity(input, &row)?;
    check_precondition(transaction, state, write, &row, sight).await?;
    let author = Author::of(state, caller);
    let mut version = core(transaction, &author, &row, input).await?;
    let subscribed = subscribe(transaction, &author, &row.package, input).await?;
    check_engine(&row.application, &row.package, input)?;
    let package = configure(transaction, state, behaviors, &row.package, input).await?;
    if subscribed || version.is_changed() || package.is_changed() {
        // Operators decide about versions of others; what is in them is not theirs.
        if sight != Sight::Own {
            return Err(Which::Key(key).not_found());
        }
        row.unlocked()?;
    }
    if let Some(to) = status {
        status::change(row.version.status_id, to)?;
        version.status_id = Set(to);
    }
    save_version(transaction, &author, &row, version).await?;
    save_package(transaction, &author, &row, package, subscribed).await?;
    answer(transaction, state, row.package.id, sight).await
}

/// Finds the package of a change and locks it with its version. Operators may change the status of versions
/// of other accounts.
async fn locked<'c>(
    transaction: &DatabaseTransaction,
    caller: &'c Caller,
    key: &AppKey,
) -> Result<(PackageRow, Sight<'c>)> {
    let (which, principal) = (Which::Key(key), &caller.principal);
    let found = lookup::find(Source::Transaction(transaction), which).await?;
    let owner = found.map(|row| row.package.account_id).filter(|_| principal.operator);
    let account = owner.as_deref().unwrap_or(&principal.account);
    let own = &*principal.account;
    let sight = if account == own { Sight::Own } else { Sight::Foreign(own) };
    Ok((lookup::lock(transaction, which, account, Lock::Version).await?, sight))
}

/// Refuses a body that is of another package than the path.
fn check_identity(input: &PackageInput, row: &PackageRow) -> Result<()> {
    let is_other = input.identity.id != 0 && input.identity.id != row.package.id;
    let differs = is_other.then_some("id").or_else(|| input.identity.differs_from(&row.key()));
    match differs {
        Some(member) => Err(refusal::conflict(&format!(
            "{member} is not that of the package {}: packages are neither renamed nor renumbered.",
            row.key(),
        ))),
        None => Ok(()),
    }
}

/// `If-Match` may name the package as it is read with its children or without.
///
/// # Errors
/// 412 when it names neither.
pub async fn check_precondition(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    row: &PackageRow,
    sight: Sight<'_>,
) -> Result<()> {
    if !write.call.headers.contains_key(header::IF_MATCH) {
        return Ok(());
    }
    let source = Source::Transaction(transaction);
    let mut matched = Ok(());
    for children in [true, false] {
        let shown = read::package(source, state, row, sight, children).await?;
        matched = write.call.check_if_match(Some(&shown));
        if matched.is_ok() {
            break;
        }
    }
    matched
}

/// Replaces the subscriptions of a package by those of a body, if it has any.
///
/// # Errors
/// 409 for a number that is none of the package's.
pub async fn subscribe(
    transaction: &DatabaseTransaction,
    author: &Author,
    package: &packages::entity::Model,
    input: &PackageInput,
) -> Result<bool> {
    let Some(listed) = &input.subscriptions else { return Ok(false) };
    let Author { person, now, .. } = author;
    appsubscriptions::service::replace(transaction, package, listed, *person, *now).await
}

/// What a body changes for all packages of the version, except its status.
async fn core(
    transaction: &DatabaseTransaction,
    author: &Author,
    row: &PackageRow,
    input: &PackageInput,
) -> Result<versions::entity::ActiveModel> {
    let mut version: versions::entity::ActiveModel = row.version.clone().into();
    if let Some(name) = &input.name {
        version.name.set_if_not_equals(name.clone());
        version.name_key.set_if_not_equals(name.to_lowercase());
    }
    set(&mut version.description, &input.description);
    let mut inherited = row.parent.as_ref().map(|parent| parent.version.number());
    match &input.parent {
        None => {}
        Some(ParentInput::None) => {
            version.parent_version_id.set_if_not_equals(None);
            version.parent_range.set_if_not_equals(None);
            // Whatever the body says of a range: it has none any more.
            return Ok(version);
        }
        Some(ParentInput::Key(key)) if is_parent(row, key) => {}
        Some(ParentInput::Key(key)) => {
            let found = parent::check(transaction, &author.account, key, &row.application).await?;
            version.parent_version_id.set_if_not_equals(Some(found.version.id));
            version.parent_range.set_if_not_equals(Some(create::range_of(&found.version)));
            inherited = Some(found.version.number());
        }
    }
    if let Some(range) = &input.range {
        check_range(range, inherited)?;
        version.parent_range.set_if_not_equals(Some(range.clone()));
    }
    Ok(version)
}

/// Whether a key is that of the present parent.
pub fn is_parent(row: &PackageRow, key: &AppKey) -> bool {
    row.parent.as_ref().is_some_and(|parent| parent.key().lower() == key.lower())
}

/// Refuses a range that is none, or that does not hold the version that is inherited from.
///
/// # Errors
/// 409.
pub fn check_range(text: &str, inherited: Option<Number>) -> Result<()> {
    let refused = |why: &str| Err(refusal::conflict(&format!("semanticVersionRange {why}")));
    let Some((major, minor, revision)) = inherited else {
        return refused("is for themes that have a parent.");
    };
    match Range::parse(text) {
        None => refused("must be a range of versions as npm reads it, such as ^1.2.0."),
        Some(range) if !range.holds((major, minor, revision)) => {
            refused(&format!("must hold the parent's version, {major}.{minor}.{revision}."))
        }
        Some(_) => Ok(()),
    }
}

/// Refuses a version of the theme engine for what is no theme (contract 2.5). What is there may come back.
///
/// # Errors
/// 409.
pub fn check_engine(
    application: &applications::entity::Model,
    before: &packages::entity::Model,
    input: &PackageInput,
) -> Result<()> {
    let Sent::Set(engine) = &input.theme_engine_version else { return Ok(()) };
    let is_known = before.theme_engine_version.as_ref() == Some(engine);
    if is_known || application.type_id == applications::THEME {
        return Ok(());
    }
    Err(refusal::conflict("themeEngineVersion is for themes."))
}

/// The behaviors of a body, if it has any, for a package that has those which are `present`.
///
/// # Errors
/// 403 for private behaviors.
pub fn permit(
    state: &AppState,
    caller: &Caller,
    present: &[i64],
    input: &PackageInput,
) -> Result<Option<Permitted>> {
    let catalogue = &state.catalogue.behaviors;
    let wanted = input.behaviors.as_deref();
    wanted.map(|wanted| Permitted::check(catalogue, wanted, present, caller)).transpose()
}

/// What a body changes in a package itself, except its subscriptions.
///
/// # Errors
/// 409 for numbers that the package or the catalogue does not have.
pub async fn configure(
    transaction: &DatabaseTransaction,
    state: &AppState,
    behaviors: Option<Permitted>,
    before: &packages::entity::Model,
    input: &PackageInput,
) -> Result<packages::entity::ActiveModel> {
    let mut package: packages::entity::ActiveModel = before.clone().into();
    set(&mut package.description, &input.package_description);
    set(&mut package.app_config_url, &input.app_config_url);
    set(&mut package.theme_engine_version, &input.theme_engine_version);
    if let Some(api_version) = &input.api_version {
        package.api_version.set_if_not_equals(api_version.clone());
    }
    if let Some(behaviors) = behaviors {
        let behaviors = behaviors.known(&state.catalogue.behaviors)?;
        package.behaviors.set_if_not_equals(children::column(&behaviors)?);
    }
    if let Some(wanted) = &input.attributes {
        let present: Vec<ApplicationAttribute> = children::stored(&before.attributes)?;
        let attributes = children::attributes(wanted, &present, before.id)?;
        package.attributes.set_if_not_equals(children::column(&attributes)?);
    }
    if let Some(types) = capability_types(transaction, state, before, input).await? {
        package.capability_types.set_if_not_equals(types);
    }
    Ok(package)
}

/// Column `capability_types`, if a body says anything of it: the types win over the list of all capabilities
/// (contract 2.5, member 37).
async fn capability_types(
    transaction: &DatabaseTransaction,
    state: &AppState,
    before: &packages::entity::Model,
    input: &PackageInput,
) -> Result<Option<String>> {
    let catalogue = &state.catalogue.capability_types;
    let present: Vec<ApplicationCapabilityType> = children::stored(&before.capability_types)?;
    let mut types = match (&input.capability_types, &input.capabilities) {
        (Some(wanted), _) => children::capability_types(catalogue, wanted, &present)?,
        (None, Some(wanted)) => children::flat_capabilities(catalogue, wanted, &present)?,
        (None, None) => return Ok(None),
    };
    children::check_numbers(&types)?;
    children::number(transaction, &mut types, before).await?;
    children::column(&types).map(Some)
}

/// Sets a column that can be cleared.
fn set(column: &mut ActiveValue<Option<String>>, sent: &Sent<String>) {
    match sent {
        Sent::Absent => {}
        Sent::Null => column.set_if_not_equals(None),
        Sent::Set(text) => column.set_if_not_equals(Some(text.clone())),
    };
}

/// The status that a body is to move the version to, if that is another one.
fn permitted_status(
    state: &AppState,
    caller: &Caller,
    row: &PackageRow,
    sight: Sight<'_>,
    input: &PackageInput,
) -> Result<Option<i64>> {
    let (from, to) = (row.version.status_id, input.status);
    if to == 0 || to == from {
        return Ok(None);
    }
    // Operators give verdicts on versions of others (contract 2.4); the rest is their owners' affair.
    if sight != Sight::Own && !status::is_verdict(from, to) {
        return Err(refusal::not_found("package", "AppKey", row.key()));
    }
    let certifies_itself = state.config.self_certification && sight == Sight::Own;
    let is_operator = caller.principal.operator || certifies_itself;
    status::permit(from, to, is_operator, &caller.operation)?;
    Ok(Some(to))
}

async fn save_version(
    transaction: &DatabaseTransaction,
    author: &Author,
    row: &PackageRow,
    mut version: versions::entity::ActiveModel,
) -> Result<()> {
    if !version.is_changed() {
        return Ok(());
    }
    version.updated_at = Set(author.now);
    let after = version.update(transaction).await?;
    let entry = audit::updated(&row.version, &after)?;
    entry.write(transaction, author.person, author.now).await
}

/// Saves a package. Subscriptions have entries of their own in the audit trail.
///
/// # Errors
/// The database's.
pub async fn save_package(
    transaction: &DatabaseTransaction,
    author: &Author,
    row: &PackageRow,
    mut package: packages::entity::ActiveModel,
    subscribed: bool,
) -> Result<()> {
    let is_changed = package.is_changed();
    if !is_changed && !subscribed {
        return Ok(());
    }
    package.updated_at = Set(author.now);
    let after = package.update(transaction).await?;
    if is_changed {
        let entry = audit::updated(&row.package, &after)?.labelled(&row.key().to_string());
        entry.write(transaction, author.person, author.now).await?;
    }
    Ok(())
}

/// The package as a change has left it, with its children.
///
/// # Errors
/// The database's.
pub async fn answer(
    transaction: &DatabaseTransaction,
    state: &AppState,
    package: i64,
    sight: Sight<'_>,
) -> Result<Answer> {
    let source = Source::Transaction(transaction);
    let row = lookup::find(source, Which::Id(package)).await?;
    // It is locked by this transaction.
    let row = row.ok_or_else(|| Error::internal("a package that was changed is not there"))?;
    call::record(&read::package(source, state, &row, sight, true).await?)
}
