//! The rules of the behaviors of a package (contract 3.9).
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use super::dto::BehaviorCategoryBehaviorCollection;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::package_api::apppackages::children::{self, Permitted};
use crate::package_api::apppackages::update;
use crate::package_api::call::{self, Call, Write};
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, Which};
use crate::package_api::model::packages;

/// What the body of a request is called.
const BODY: &str = "applicationBehaviors";
/// Name of the path's parameter.
const PACKAGE: &str = "packageId";

/// The behaviors of a package of the caller's account.
///
/// # Errors
/// 400 for a number that no record has, 404 for a package of another account, 403 without the behavior unless it is the application's own.
pub async fn get(state: &AppState, call: &Call) -> Result<Response> {
    let id = call.target.int(PACKAGE)?;
    call.caller.require(call.caller.is_own_package(id))?;
    let row = lookup::own(state.store.committed(), Which::Id(id), &call.caller).await?;
    call.found(&shown(state, &row.package.behavior_ids()))
}

fn shown(state: &AppState, ids: &[i64]) -> BehaviorCategoryBehaviorCollection {
    BehaviorCategoryBehaviorCollection::of(&state.catalogue.behaviors, ids)
}

/// Replaces the behaviors of a package.
///
/// # Errors
/// 400 for a body that is no list of behaviors or names another package, 404 for a package of another
/// account, 409 for an unknown behavior and for a locked version, 403 for a private behavior, 412.
pub async fn update(state: &AppState, write: Write) -> Result<Response> {
    let id = write.call.target.int(PACKAGE)?;
    let mut body = write.list(BODY)?;
    let mut wanted = Vec::with_capacity(body.len());
    for element in &mut body {
        let of = element.int(PACKAGE)?.value().unwrap_or_default();
        if of != 0 && of != id {
            return Err(element.refused(PACKAGE, "must be that of the path, or be left out."));
        }
        let behavior = element.int("behaviorId")?.value();
        let why = "must be the number of a behavior.";
        wanted.push(behavior.ok_or_else(|| element.refused("behaviorId", why))?);
    }
    write.refuse_unknown(&body)?;
    write
        .run(state, (id, wanted), |transaction, state, write, (id, wanted)| {
            replace(transaction, state, write, *id, wanted).boxed()
        })
        .await
}

async fn replace(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    wanted: &[i64],
) -> Result<Answer> {
    let caller = &write.call.caller;
    let author = Author::of(state, caller);
    let row = lookup::lock(transaction, Which::Id(id), &author.account, Lock::Package).await?;
    let present = row.package.behavior_ids();
    let catalogue = &state.catalogue.behaviors;
    // What the caller may not do is refused before what cannot be done (contract 1.9).
    let permitted = Permitted::check(catalogue, wanted, &present, caller)?;
    row.unlocked()?;
    write.call.check_if_match(Some(&shown(state, &present)))?;
    let behaviors = permitted.known(catalogue)?;
    let mut package: packages::entity::ActiveModel = row.package.clone().into();
    package.behaviors.set_if_not_equals(children::column(&behaviors)?);
    update::save_package(transaction, &author, &row, package, false).await?;
    call::record(&shown(state, &behaviors))
}
