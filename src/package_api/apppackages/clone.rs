//! Copying a package within its version (contract 3.8a).
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, Set};

use super::create;
use super::update;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::package_api::call::Write;
use crate::package_api::convention::key::{AppKey, is_name};
use crate::package_api::convention::refusal;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, Sight, Which};
use crate::package_api::model::packages;

/// What is to be copied, and how the copy is called.
struct Copy {
    source: AppKey,
    name: String,
    guid: String,
}

/// Makes a copy of a package under another name, with the same configuration and files.
///
/// # Errors
/// 400 for a name that is none, 404 for a package of another account, 409 for a name that is taken and for
/// a locked version.
pub async fn clone(state: &AppState, write: Write) -> Result<Response> {
    let source = write.call.target.key()?;
    let name = write.call.target.text("packageName").trim().to_owned();
    if !is_name(&name) {
        return Err(refusal::missing(
            "packageName",
            "must have 1 to 50 letters, digits, hyphens and underscores.",
        ));
    }
    let copy = Copy { source, name, guid: create::guid() };
    write
        .run(state, copy, |transaction, state, write, copy| {
            insert(transaction, state, write, copy).boxed()
        })
        .await
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    Copy { source, name, guid }: &Copy,
) -> Result<Answer> {
    let caller = &write.call.caller;
    let author = Author::of(state, caller);
    let new = Working { source, name, guid, user_id: caller.principal.developer };
    let package = working_copy(transaction, &author, new).await?;
    update::answer(transaction, state, package.id, Sight::Own).await
}

/// A working package that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Working<'a> {
    /// Key of the package that is copied.
    pub source: &'a AppKey,
    /// Name of the copy.
    pub name: &'a str,
    /// Its guid, made before the transaction.
    pub guid: &'a str,
    /// The developer whose package it is to be.
    pub user_id: Option<i64>,
}

/// Makes a working package.
///
/// # Errors
/// As [`clone`], but for the name.
pub async fn working_copy(
    transaction: &DatabaseTransaction,
    author: &Author,
    Working { source, name, guid, user_id }: Working<'_>,
) -> Result<packages::entity::Model> {
    // Neither the source nor the status of its version changes until the copy is complete.
    let source = lookup::lock(transaction, Which::Key(source), &author.account, Lock::Read).await?;
    source.unlocked()?;
    let same = packages::entity::Entity::find()
        .filter(packages::entity::COLUMN.version_id.eq(source.version.id))
        .filter(packages::entity::COLUMN.name_key.eq(name.to_ascii_lowercase()));
    if let Some(same) = same.one(transaction).await? {
        let key = AppKey { package: same.name, ..source.key() };
        return Err(refusal::exists("package", "AppKey", key));
    }
    let key = AppKey { package: name.to_owned(), ..source.key() };
    let package = packages::entity::ActiveModel {
        guid: Set(guid.to_owned()),
        user_id: Set(user_id),
        ..create::blank_package(author, &source.version, name)
    };
    let package = create::insert_package(transaction, package, &key).await?;
    let package = create::copy_into(transaction, author, &source.package, package).await?;
    let entry = audit::created(&package)?.labelled(&key.to_string());
    entry.write(transaction, author.person, author.now).await?;
    Ok(package)
}
