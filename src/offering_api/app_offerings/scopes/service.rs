//! The rules of scopes: only the owner writes, whoever sees the offering reads.
use axum::http::Uri;
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, ModelTrait, QueryFilter, Set};
use serde_json::Value;

use super::dto::{self, COLLECTION, RECORD};
use super::entity::{self, ActiveModel, COLUMN, Entity, Model};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::input::{Input, Mode};
use crate::kernel::record::select::{Scope, Sql};
use crate::kernel::record::{Body, Changes, View};
use crate::offering_api::access::Caller;
use crate::offering_api::app_offerings;
use crate::offering_api::resource::{self, Write};

/// Answers the scopes of an offering.
///
/// # Errors
/// 404 for an offering that the caller cannot see, 400 for a query that cannot be understood.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    offering: &str,
    uri: &Uri,
) -> Result<Response> {
    let id = visible_offering(state, caller, offering).await?;
    let scope = Scope { condition: entity::OF_OFFERING, id };
    resource::list(state, caller, &COLLECTION, None, Some(scope), uri).await
}

/// Answers one scope of an offering.
///
/// # Errors
/// 404 for an offering that the caller cannot see, and for a scope that it does not have.
pub async fn get(state: &AppState, caller: &Caller, offering: &str, id: &str) -> Result<Response> {
    let offering = visible_offering(state, caller, offering).await?;
    let scope = resource::record_id(&RECORD, id, caller)?;
    // The shared read knows one id; that both belong together is asked before.
    let mut sql = Sql::new(state.store.dialect());
    sql.push("SELECT t.id FROM app_offering_scopes t WHERE t.id = ").bind(scope);
    sql.push(" AND t.app_offering_id = ").bind(offering);
    let seen = |exists: &mut bool, _: &dyn Row| *exists = true;
    if !state.store.committed().fetch(sql.query(false), false, seen).await? {
        return Err(Error::NotFound);
    }
    resource::get(state, caller, &RECORD, entity::ONE, id).await
}

/// Adds a scope to an offering.
///
/// # Errors
/// 404 for an offering that the caller cannot see, 403 for another account's, 422 with everything that
/// is wrong with the body.
pub async fn create(state: &AppState, write: Write, offering: &str) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let offering = resource::record_id(&app_offerings::dto::RECORD, offering, &write.caller)?;
    let changes = read(&write.body, Mode::Create, &write.caller.view);
    write
        .run(state, (offering, changes), |transaction, state, write, (offering, changes)| {
            insert(transaction, state, write, *offering, changes).boxed()
        })
        .await
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    offering: i64,
    changes: &Changes,
) -> Result<Answer> {
    let caller = &write.caller;
    let offering = app_offerings::locking::find(transaction, caller, offering).await?;
    changes.check()?;
    app_offerings::locking::refuse_installed(transaction, &offering).await?;
    let row = add(transaction, caller, &offering, changes, state.clock.now()).await?;
    let scope = Scope { condition: entity::ONE, id: row.id };
    let mut answer = write.answer(transaction, state, &RECORD, scope, 201).await?;
    let owner = resource::location(state, caller, &app_offerings::dto::RECORD, offering.id);
    answer.location = Some(format!("{owner}/scopes/{}", row.id));
    Ok(answer)
}

/// Changes a scope.
///
/// # Errors
/// As [`create`], and 412 for a stale `If-Match`.
pub async fn update(state: &AppState, write: Write, offering: &str, id: &str) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let offering = resource::record_id(&app_offerings::dto::RECORD, offering, &write.caller)?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let changes = read(&write.body, Mode::Update, &write.caller.view);
    let context = (offering, id, changes);
    write
        .run(state, context, |transaction, state, write, (offering, id, changes)| {
            change(transaction, state, write, (*offering, *id), changes).boxed()
        })
        .await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    place: (i64, i64),
    changes: &Changes,
) -> Result<Answer> {
    let caller = &write.caller;
    let before = find(transaction, caller, place).await?;
    let scope = Scope { condition: entity::ONE, id: before.id };
    write.check_precondition(transaction, &RECORD, scope).await?;
    changes.check()?;
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

/// Removes a scope.
///
/// # Errors
/// 404 for what the caller cannot see, 403 for another account's, 412 for a stale `If-Match`.
pub async fn delete(state: &AppState, write: Write, offering: &str, id: &str) -> Result<Response> {
    let offering = resource::record_id(&app_offerings::dto::RECORD, offering, &write.caller)?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, (offering, id), |transaction, state, write, place| {
            async move {
                let caller = &write.caller;
                let row = find(transaction, caller, *place).await?;
                let scope = Scope { condition: entity::ONE, id: row.id };
                write.check_precondition(transaction, &RECORD, scope).await?;
                remove(transaction, caller, row, state.clock.now()).await?;
                Ok(Answer { status: 204, location: None, body: Vec::new() })
            }
            .boxed()
        })
        .await
}

/// Reads and checks the fields of a scope.
pub(super) fn read(body: &Body, mode: Mode, view: &View) -> Changes {
    let mut changes = Changes::read(&RECORD, body, mode, view);
    if let Some(actions) = changes.text("actions") {
        // Read from a JSON array of texts a moment ago.
        let actions: Vec<String> = serde_json::from_str(actions).unwrap_or_default();
        if actions.is_empty() {
            changes.refuse("actions", Violation::Blank);
        } else if !actions.iter().all(|action| dto::is_action(action)) {
            changes.refuse("actions", Violation::Invalid);
        }
    }
    // No conditions are an empty list; there is no null to keep.
    if matches!(body.get("conditions"), Some(Value::Null)) {
        changes.set("conditions", Input::Text("[]".to_owned()));
    }
    changes
}

/// Adds a scope that has been checked.
pub(super) async fn add(
    transaction: &DatabaseTransaction,
    caller: &Caller,
    offering: &app_offerings::entity::Model,
    changes: &Changes,
    now: i64,
) -> Result<Model> {
    let mut row = ActiveModel {
        account_id: Set(offering.account_id.clone()),
        app_offering_id: Set(offering.id),
        effect: Set("allow".to_owned()),
        grant_type: Set("client_credentials".to_owned()),
        conditions: Set("[]".to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    changes.apply(&mut row)?;
    let row = row.insert(transaction).await?;
    audit::created(&row)?.write(transaction, caller.identity.person, now).await?;
    Ok(row)
}

/// Removes a scope of the caller's account.
pub(super) async fn remove(
    transaction: &DatabaseTransaction,
    caller: &Caller,
    row: Model,
    now: i64,
) -> Result<()> {
    audit::destroyed(&row)?.write(transaction, caller.identity.person, now).await?;
    row.delete(transaction).await?;
    Ok(())
}

/// The id of an offering that the caller may see.
async fn visible_offering(state: &AppState, caller: &Caller, offering: &str) -> Result<i64> {
    let record = &app_offerings::dto::RECORD;
    let id = resource::record_id(record, offering, caller)?;
    let scope = Scope { condition: app_offerings::entity::VISIBLE, id };
    resource::require(state, caller, record, scope).await?;
    Ok(id)
}

/// Loads a scope of an offering of the caller's account for a change; the offering comes first, which
/// decides between 403 and 404.
async fn find(
    transaction: &DatabaseTransaction,
    caller: &Caller,
    (offering, id): (i64, i64),
) -> Result<Model> {
    let offering = app_offerings::locking::find(transaction, caller, offering).await?;
    let scope = Entity::of(&offering.account_id)
        .filter(COLUMN.app_offering_id.eq(offering.id))
        .filter(COLUMN.id.eq(id))
        .one(transaction)
        .await?
        .ok_or(Error::NotFound)?;
    app_offerings::locking::refuse_installed(transaction, &offering).await?;
    Ok(scope)
}
