//! The rules of service instances (contract 3.5).
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, QueryFilter, QuerySelect, Set};

use super::dto::RECORD;
use super::entity::{ActiveModel, COLUMN, Entity};
use super::names::{self, Given};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::{Input, Mode, is_http_url};
use crate::kernel::record::select::Scope;
use crate::kernel::time_zone::TimeZone;
use crate::offering_api::attachments;
use crate::offering_api::resource::{self, Write};

/// What a write needs beside the request: what it sets, and the names it gives.
type Wanted = (Changes, Given);

/// Makes a service instance.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let (mut changes, given) = read(&write, Mode::Create);
    if changes.get("status").is_none() {
        changes.set("status", Input::Text("being_prepared".to_owned()));
    }
    write.fill_source(state, Mode::Create, &mut changes);
    changes.check()?;
    write
        .run(state, (changes, given), |transaction, state, write, wanted| {
            insert(transaction, state, write, wanted).boxed()
        })
        .await
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    (changes, given): &Wanted,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    let now = state.clock.now();
    let mut row = ActiveModel {
        account_id: Set(account.to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    changes.apply(&mut row)?;
    given.fill(transaction, account, changes, &mut row).await?;
    let row = row.insert(transaction).await?;
    given.spread(transaction, account, changes).await?;
    let files =
        attachments::service::apply(transaction, account, &RECORD, row.id, changes, now).await?;
    audit::created(&row)?.with(files).write(transaction, caller.identity.person, now).await?;
    let scope = Scope::own(row.id);
    write.answer(transaction, state, &RECORD, scope, 201).await
}

/// Changes a service instance.
///
/// # Errors
/// 404 for what the account does not have, 403 for a new `source` by anybody but an administrator, 412 for a stale `If-Match`, 422 with everything that is
/// wrong with the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, &[])?;
    write.check_source()?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let (mut changes, given) = read(&write, Mode::Update);
    write.fill_source(state, Mode::Update, &mut changes);
    write
        .run(state, (id, (changes, given)), |transaction, state, write, (id, wanted)| {
            change(transaction, state, write, *id, wanted).boxed()
        })
        .await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    (changes, given): &Wanted,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    // Locked, because custom fields are merged into what is there.
    let found = Entity::of(account).filter(COLUMN.id.eq(id)).lock_exclusive().one(transaction);
    let before = found.await?.ok_or(Error::NotFound)?;
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    changes.check()?;
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    given.fill(transaction, account, changes, &mut row).await?;
    let files =
        attachments::service::apply(transaction, account, &RECORD, id, changes, now).await?;
    if row.is_changed() || !files.is_empty() {
        row.updated_at = Set(now);
        let after = row.update(transaction).await?;
        given.spread(transaction, account, changes).await?;
        let names = names::changes(&before, &after);
        let entry = audit::updated(&before, &after)?.with(names).with(files);
        entry.write(transaction, caller.identity.person, now).await?;
    }
    write.answer(transaction, state, &RECORD, scope, 200).await
}

/// Reads and checks what a body sets.
fn read(write: &Write, mode: Mode) -> Wanted {
    let mut changes = Changes::read(&RECORD, &write.body, mode, &write.caller.view);
    if let Some(name) = changes.text("time_zone").map(str::to_owned) {
        match TimeZone::parse(&name) {
            Some(zone) => changes.set("time_zone", Input::Text(zone.name().to_owned())),
            None => changes.refuse("time_zone", Violation::NotIncluded),
        }
    }
    if changes.text("picture_uri").is_some_and(|text| !is_http_url(text)) {
        changes.refuse("picture_uri", Violation::Invalid);
    }
    let given = Given::read(&write.body, &mut changes);
    (changes, given)
}
