//! The rules of UI extensions (contract 3.4).
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, QueryFilter, QuerySelect, Set, TryIntoModel};

use super::dto::{APP_OFFERING, RECORD};
use super::entity::{self, ActiveModel, COLUMN, Entity};
use super::versions::Work;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::Mode;
use crate::kernel::record::select::{self, Scope};
use crate::offering_api::resource::{self, Write};

/// Makes a UI extension with its first version.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let mut changes = Changes::read(&RECORD, &write.body, Mode::Create, &write.caller.view);
    write.fill_source(state, Mode::Create, &mut changes);
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
    audit::created(&extension)?.with(code).write(transaction, person, now).await?;
    let scope = Scope::own(extension.id);
    write.answer(transaction, state, &RECORD, scope, 201).await
}

/// Changes a UI extension, its prepared version, or makes that the active one.
///
/// # Errors
/// 404 for what the account does not have, 403 for a new `source` by anybody but an administrator, 412 for a stale `If-Match`, 422 with everything that is
/// wrong with the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, &[])?;
    write.check_source()?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let mut changes = Changes::read(&RECORD, &write.body, Mode::Update, &write.caller.view);
    write.fill_source(state, Mode::Update, &mut changes);
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
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    let source = Source::Transaction(transaction);
    let used = Scope { condition: entity::USED_BY_OFFERING, id };
    if before.category == APP_OFFERING
        && changes.text("category").is_some_and(|category| category != APP_OFFERING)
        && select::exists(source, &RECORD, used, account).await?
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
        let entry = audit::updated(&before, &after)?.with(code);
        entry.write(transaction, caller.identity.person, now).await?;
    }
    write.answer(transaction, state, &RECORD, scope, 200).await
}
