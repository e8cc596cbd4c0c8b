//! The rules of UI extensions (contract 3.4).
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, QueryFilter, QuerySelect, QueryTrait, Set,
    TryIntoModel,
};
use serde_json::{Map, Value};

use super::dto::{APP_OFFERING, RECORD};
use super::entity::{self, ActiveModel, COLUMN, Entity, Model};
use super::version_entity;
use super::versions::Work;
use crate::directory::state::AppState;
use crate::kernel::audit::{self, Action};
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::{Input, Mode};
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::app_offerings;
use crate::offering_api::resource::{self, Write};

/// Makes a UI extension with its first version.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let mut changes = Changes::read(&RECORD, &write.body, Mode::Create, &write.caller.view);
    if changes.text("source").is_none_or(str::is_empty) {
        changes.set("source", Input::Text(write.default_source(state)));
    }
    changes.check()?;
    write
        .run(state, changes, |transaction, state, write, changes| {
            insert(transaction, state, write, changes).boxed()
        })
        .await
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    changes: &Changes,
) -> Result<Answer> {
    let caller = &write.caller;
    let now = state.clock.now();
    let person = caller.identity.person;
    let mut row = ActiveModel {
        account_id: Set(caller.identity.account.to_string()),
        disabled: Set(false),
        dark_mode_safe: Set(false),
        hide_note: Set(false),
        show_on_complete: Set(false),
        created_by_id: Set(person),
        updated_by_id: Set(person),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    changes.apply(&mut row)?;
    let extension = row.insert(transaction).await?;
    let work = Work { transaction, caller, extension: &extension, now };
    let (version, code) = work.begin(changes).await?;
    let mut row: ActiveModel = extension.clone().into();
    row.prepared_version_id = Set(Some(version.id));
    if changes.bool("activate") == Some(true) {
        row.active_version_id = Set(Some(version.id));
        row.prepared_version_id = Set(Some(work.activate(&version).await?.id));
    }
    let extension = row.update(transaction).await?;
    let mut audited = audit::changes(&RECORD, None, Some(&extension))?;
    audited.extend(code);
    entry(caller, &extension, Action::Create, audited, now).write(transaction).await?;
    answer(transaction, state, caller, extension.id, 201).await
}

/// Changes a UI extension, its prepared version, or makes that the active one.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`, 422 with everything that is
/// wrong with the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<axum::response::Response> {
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
    // Locked: see `versions` for what two at the same time do.
    let found = Entity::of(account).filter(COLUMN.id.eq(id)).lock_exclusive().one(transaction);
    let before = found.await?.ok_or(Error::NotFound)?;
    write.check_precondition(transaction, &RECORD, Scope { condition: entity::OWN, id }).await?;
    if before.category == APP_OFFERING
        && changes.text("category").is_some_and(|category| category != APP_OFFERING)
        && is_used(transaction, &before).await?
    {
        changes.refuse("category", Violation::Invalid);
    }
    changes.check()?;
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    let extension = row.clone().try_into_model()?;
    let work = Work { transaction, caller, extension: &extension, now };
    let (version, code) = work.change(&changes).await?;
    if changes.bool("activate") == Some(true) {
        row.active_version_id = Set(Some(version.id));
        row.prepared_version_id = Set(Some(work.activate(&version).await?.id));
    }
    if row.is_changed() || !code.is_empty() {
        row.updated_at = Set(now);
        row.updated_by_id = Set(caller.identity.person);
        let after = row.update(transaction).await?;
        let mut audited = audit::changes(&RECORD, Some(&before), Some(&after))?;
        audited.extend(code);
        entry(caller, &after, Action::Update, audited, now).write(transaction).await?;
    }
    answer(transaction, state, caller, id, 200).await
}

/// Whether an app offering has one of its versions as its form.
async fn is_used(transaction: &DatabaseTransaction, extension: &Model) -> Result<bool> {
    use app_offerings::entity::{Column, Entity};
    let versions = version_entity::Entity::of(&extension.account_id)
        .filter(version_entity::COLUMN.ui_extension_id.eq(extension.id))
        .select_only()
        .column(version_entity::Column::Id)
        .into_query();
    let users = Entity::of(&extension.account_id)
        .filter(Column::UiExtensionVersionId.in_subquery(versions));
    Ok(users.one(transaction).await?.is_some())
}

fn entry<'a>(
    caller: &'a Caller,
    row: &'a Model,
    action: Action,
    changes: Map<String, Value>,
    now: i64,
) -> audit::Entry<'a> {
    audit::Entry {
        account: &row.account_id,
        person: caller.identity.person,
        record: &RECORD,
        id: row.id,
        label: &row.name,
        action,
        changes,
        now,
    }
}

/// The record as the caller reads it now.
async fn answer(
    transaction: &DatabaseTransaction,
    state: &AppState,
    caller: &Caller,
    id: i64,
    status: u16,
) -> Result<Answer> {
    let scope = Scope { condition: entity::OWN, id };
    let body = resource::show(transaction, &RECORD, scope, caller).await?;
    let location = (status == 201).then(|| resource::location(state, caller, &RECORD, id));
    Ok(Answer { status, location, body })
}
