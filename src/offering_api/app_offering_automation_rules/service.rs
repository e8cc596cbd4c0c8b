//! The rules of automation rules: they belong to an offering of the caller's account, and follow one
//! another in it.
use axum::http::Uri;
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, ModelTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::dto::{COLLECTION, POSITION_MAX, RECORD};
use super::entity::{self, ActiveModel, COLUMN, Entity, Model};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::Mode;
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::app_offerings;
use crate::offering_api::resource::{self, Write};

/// Answers the rules of an offering of the caller's account.
///
/// # Errors
/// 404 for any other offering, 400 for a query that cannot be understood.
pub async fn list_of(
    state: &AppState,
    caller: &Caller,
    offering: &str,
    uri: &Uri,
) -> Result<Response> {
    let record = &app_offerings::dto::RECORD;
    let id = resource::record_id(record, offering, caller)?;
    let own = Scope::own(id);
    resource::require(state, caller, record, own).await?;
    let scope = Scope { condition: entity::OF_OFFERING, id };
    resource::list(state, caller, &COLLECTION, None, Some(scope), uri).await
}

/// Makes a rule.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let changes = Changes::read(&RECORD, &write.body, Mode::Create, &write.caller.view);
    write
        .run(state, changes, |transaction, state, write, changes| {
            insert(transaction, state, write, changes.clone()).boxed()
        })
        .await
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    mut changes: Changes,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    let offering = check_offering(transaction, account, &mut changes).await?;
    changes.check()?;
    if let Some(offering) = &offering {
        app_offerings::locking::refuse_installed(transaction, offering).await?;
    }
    let now = state.clock.now();
    let mut row = ActiveModel {
        account_id: Set(account.to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    changes.apply(&mut row)?;
    if row.position.is_not_set() {
        // `check` has refused a body without an offering.
        let offering = changes.int("app_offering").unwrap_or_default();
        row.position = Set(next_position(transaction, account, offering).await?);
    }
    let row = row.insert(transaction).await?;
    audit::created(&row)?.write(transaction, caller.identity.person, now).await?;
    let scope = Scope::own(row.id);
    write.answer(transaction, state, &RECORD, scope, 201).await
}

/// Changes a rule; it may be moved to another offering of the account.
///
/// # Errors
/// 404 for another account's rule, 412 for a stale `If-Match`, 422 with everything that is wrong with
/// the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let changes = Changes::read(&RECORD, &write.body, Mode::Update, &write.caller.view);
    write
        .run(state, (id, changes), |transaction, state, write, (id, changes)| {
            change(transaction, state, write, *id, changes.clone()).boxed()
        })
        .await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    mut changes: Changes,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    let before = find(transaction, account, id).await?;
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    let offering = check_offering(transaction, account, &mut changes).await?;
    changes.check()?;
    if let Some(offering) = &offering {
        app_offerings::locking::refuse_installed(transaction, offering).await?;
    }
    if offering.is_none_or(|wanted| wanted.id != before.app_offering_id) {
        refuse_installed(transaction, account, before.app_offering_id).await?;
    }
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    if row.is_changed() {
        row.updated_at = Set(now);
        let after = row.update(transaction).await?;
        let entry = audit::updated(&before, &after)?;
        entry.write(transaction, caller.identity.person, now).await?;
    }
    write.answer(transaction, state, &RECORD, scope, 200).await
}

/// Removes a rule.
///
/// # Errors
/// 404 for another account's rule, 412 for a stale `If-Match`.
pub async fn delete(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, id, |transaction, state, write, id| {
            async move {
                let identity = &write.caller.identity;
                let row = find(transaction, &identity.account, *id).await?;
                let scope = Scope::own(*id);
                write.check_precondition(transaction, &RECORD, scope).await?;
                refuse_installed(transaction, &identity.account, row.app_offering_id).await?;
                let entry = audit::destroyed(&row)?;
                entry.write(transaction, identity.person, state.clock.now()).await?;
                row.delete(transaction).await?;
                Ok(Answer { status: 204, location: None, body: Vec::new() })
            }
            .boxed()
        })
        .await
}

/// The offering must be one of the caller's account. It is locked, so that two new rules do not get
/// the same place in it.
async fn check_offering(
    transaction: &DatabaseTransaction,
    account: &str,
    changes: &mut Changes,
) -> Result<Option<app_offerings::entity::Model>> {
    let Some(id) = changes.int("app_offering") else { return Ok(None) };
    let offering = app_offerings::locking::lock(transaction, account, id).await?;
    if offering.is_none() {
        changes.refuse("app_offering", Violation::MustExist);
    }
    Ok(offering)
}

/// Refuses to change the rules of a version that is installed: customers have agreed to them.
async fn refuse_installed(
    transaction: &DatabaseTransaction,
    account: &str,
    offering: i64,
) -> Result<()> {
    match app_offerings::locking::lock(transaction, account, offering).await? {
        Some(offering) => app_offerings::locking::refuse_installed(transaction, &offering).await,
        None => Ok(()),
    }
}

/// The place behind the last rule of an offering; at the very end the id decides.
async fn next_position(
    transaction: &DatabaseTransaction,
    account: &str,
    offering: i64,
) -> Result<i64> {
    let last: Option<i64> = Entity::of(account)
        .filter(COLUMN.app_offering_id.eq(offering))
        .select_only()
        .column(entity::Column::Position)
        .order_by_desc(entity::Column::Position)
        .limit(1)
        .into_tuple()
        .one(transaction)
        .await?;
    Ok((last.unwrap_or(0) + 1).min(POSITION_MAX))
}

/// Loads a rule of the account for a change.
async fn find(transaction: &DatabaseTransaction, account: &str, id: i64) -> Result<Model> {
    let rule = Entity::of(account).filter(COLUMN.id.eq(id)).lock_exclusive();
    rule.one(transaction).await?.ok_or(Error::NotFound)
}
