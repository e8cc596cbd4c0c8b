//! The rules of subscriptions (contract 3.10, 3.6).
use std::collections::BTreeMap;
use std::iter;

use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, ModelTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, Set,
};

use super::dto::{AppDevEvent, ApplicationSubscription};
use super::entity::{self, ActiveModel, COLUMN, Entity, LANE, Model};
use super::input::{Given, Known, Listed, Wanted};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::{Dialect, Row, Source};
use crate::kernel::delivery;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::call::{self, Write};
use crate::package_api::convention::refusal;
use crate::package_api::model::lookup::{self, Lock, Which};
use crate::package_api::model::packages;

/// Most subscriptions of a package.
const MOST: u64 = 1000;
/// What the body of a request is called.
const BODY: &str = "applicationSubscription";

/// A subscription of the caller's account.
///
/// # Errors
/// 403 without the behavior, unless the application subscribes itself; 404 for one of another account.
pub async fn get(state: &AppState, caller: &Caller, id: i64) -> Result<ApplicationSubscription> {
    let source = state.store.committed();
    let found = find(source, &caller.principal.account, id).await?;
    caller.require(found.as_ref().is_some_and(|it| caller.is_own_package(it.package_id)))?;
    found.ok_or_else(|| not_found(id))
}

/// Makes a subscription.
///
/// # Errors
/// 400 for what is missing or not acceptable, 404 for a package of another account, 409 for one that is
/// locked or has as many as it can.
pub async fn create(state: &AppState, write: Write) -> Result<axum::response::Response> {
    let mut object = write.object(BODY)?;
    // The server gives the number, whatever stands there (contract 3.10).
    object.ignore(&["applicationSubscriptionId"]);
    let mut seen = Vec::new();
    let given = Given::read(&mut object, Known::of(state), &mut seen)?;
    let package = given.package.ok_or_else(|| object.refused("packageId", NUMBER))?;
    let wanted = Wanted::of(given, &object)?;
    write.refuse_unknown(iter::once(&object).chain(&seen))?;
    write
        .run(state, (package, wanted), |transaction, state, write, (package, wanted)| {
            insert(transaction, state, write, *package, wanted).boxed()
        })
        .await
}

const NUMBER: &str = "must be the number of a package.";
const OWN_NUMBER: &str = "must be the number of a subscription.";

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    package: i64,
    wanted: &Wanted,
) -> Result<Answer> {
    let principal = &write.call.caller.principal;
    let package = lock(transaction, package, &principal.account).await?;
    let by = By { person: principal.person, now: state.clock.now_millis() };
    let present = Entity::find().filter(COLUMN.package_id.eq(package.id));
    if present.count(transaction).await? >= MOST {
        return Err(refusal::conflict(&format!("a package has at most {MOST} subscriptions.")));
    }
    let made = add(transaction, &package, wanted, by).await?;
    touch(transaction, package.id, by.now).await?;
    call::record(&made.shown()?)
}

/// Changes a subscription: what the body leaves out stays, but `noCallback`, which is false then.
///
/// # Errors
/// 400 for what is not acceptable, 404 for a subscription of another account, 409 for another package or
/// one that is locked, 412 for a stale `If-Match`.
pub async fn update(state: &AppState, write: Write) -> Result<axum::response::Response> {
    let mut object = write.object(BODY)?;
    let mut seen = Vec::new();
    let given = Given::read(&mut object, Known::of(state), &mut seen)?;
    let own = given.id.filter(|id| *id > 0);
    let id = own.ok_or_else(|| object.refused("applicationSubscriptionId", OWN_NUMBER))?;
    write.refuse_unknown(iter::once(&object).chain(&seen))?;
    write
        .run(state, (id, given), |transaction, state, write, (id, given)| {
            change(transaction, state, write, *id, given).boxed()
        })
        .await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    given: &Given,
) -> Result<Answer> {
    let principal = &write.call.caller.principal;
    let before = locked(transaction, &principal.account, id).await?;
    if given.package.is_some_and(|package| package != before.package_id) {
        let why = format!("subscription {id} belongs to package {}.", before.package_id);
        return Err(refusal::conflict(&why));
    }
    write.call.check_if_match(Some(&before.clone().shown()?))?;
    let wanted = changed(&before, given)?;
    let by = By { person: principal.person, now: state.clock.now_millis() };
    let package = before.package_id;
    match set(transaction, before.clone(), &wanted, by).await? {
        Some(after) => {
            touch(transaction, package, by.now).await?;
            call::record(&after.shown()?)
        }
        None => call::record(&before.shown()?),
    }
}

/// Removes a subscription.
///
/// # Errors
/// 404 for a subscription of another account, 409 for one of a locked package, 412 for a stale
/// `If-Match`.
pub async fn delete(state: &AppState, write: Write, id: i64) -> Result<axum::response::Response> {
    write
        .run(state, id, |transaction, state, write, id| {
            remove(transaction, state, write, *id).boxed()
        })
        .await
}

async fn remove(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
) -> Result<Answer> {
    let principal = &write.call.caller.principal;
    let row = locked(transaction, &principal.account, id).await?;
    write.call.check_if_match(Some(&row.clone().shown()?))?;
    let by = By { person: principal.person, now: state.clock.now_millis() };
    let package = row.package_id;
    drop_row(transaction, row, by).await?;
    touch(transaction, package, by.now).await?;
    Ok(call::nothing())
}

/// The subscriptions of a package, by number.
///
/// # Errors
/// The database's.
pub async fn of_package(source: Source<'_>, package: i64) -> Result<Vec<ApplicationSubscription>> {
    let mut sql = select(source.dialect());
    sql.push("s.package_id = ").bind(package).push(" ORDER BY s.id");
    gather(source, sql).await
}

/// Copies the subscriptions of one package into another, empty one.
///
/// # Errors
/// The database's.
pub async fn copy(
    transaction: &DatabaseTransaction,
    from: i64,
    to: i64,
    account: &str,
    now: i64,
) -> Result<()> {
    let rows = Entity::find().filter(COLUMN.package_id.eq(from)).order_by_asc(entity::Column::Id);
    let copied = rows.all(transaction).await?.into_iter().map(|row| ActiveModel {
        id: NotSet,
        account_id: Set(account.to_owned()),
        package_id: Set(to),
        created_at: Set(now),
        updated_at: Set(now),
        ..row.into()
    });
    let copied: Vec<ActiveModel> = copied.collect();
    if !copied.is_empty() {
        Entity::insert_many(copied).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Makes the subscriptions of a package, which is locked for the change, what they are to be: those with
/// a number are changed, those without are made, all others are removed. Tells whether anything was
/// done. `person` is whom audit entries name.
///
/// # Errors
/// 409 for a number that is none of the package's, or is there twice.
pub async fn replace(
    transaction: &DatabaseTransaction,
    package: &packages::entity::Model,
    listed: &[Listed],
    person: i64,
    now: i64,
) -> Result<bool> {
    let by = By { person, now };
    let rows = Entity::find().filter(COLUMN.package_id.eq(package.id));
    let rows = rows.order_by_asc(entity::Column::Id).all(transaction).await?;
    let mut left: BTreeMap<i64, Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut is_changed = false;
    for listed in listed {
        match listed {
            Listed::Known(id, given) => {
                let row = left.remove(id).ok_or_else(|| {
                    let name = &package.name;
                    let why =
                        format!("package {name} has no subscription {id}, or it is there twice.");
                    refusal::conflict(&why)
                })?;
                let wanted = changed(&row, given)?;
                is_changed |= set(transaction, row, &wanted, by).await?.is_some();
            }
            Listed::New(wanted) => {
                add(transaction, package, wanted, by).await?;
                is_changed = true;
            }
        }
    }
    is_changed |= !left.is_empty();
    for row in left.into_values() {
        drop_row(transaction, row, by).await?;
    }
    Ok(is_changed)
}

/// Who changes something, and when.
#[derive(Clone, Copy)]
struct By {
    /// Whom audit entries name.
    person: i64,
    /// Milliseconds since the epoch.
    now: i64,
}

async fn add(
    transaction: &DatabaseTransaction,
    package: &packages::entity::Model,
    wanted: &Wanted,
    by: By,
) -> Result<Model> {
    let row = ActiveModel {
        id: NotSet,
        account_id: Set(package.account_id.clone()),
        package_id: Set(package.id),
        endpoint: Set(wanted.endpoint.clone()),
        events: Set(column(&wanted.events)?),
        no_callback: Set(wanted.no_callback),
        created_at: Set(by.now),
        updated_at: Set(by.now),
    };
    let row = row.insert(transaction).await?;
    audit::created(&row)?.write(transaction, by.person, by.now).await?;
    Ok(row)
}

/// A subscription as a request changes it: what that leaves out stays, but `noCallback`, which is false
/// then (contract 3.10).
fn changed(before: &Model, given: &Given) -> Result<Wanted> {
    Ok(Wanted {
        endpoint: given.endpoint.clone().unwrap_or_else(|| before.endpoint.clone()),
        events: match &given.events {
            Some(events) => events.clone(),
            None => entity::events(&before.events)?,
        },
        no_callback: given.no_callback,
    })
}

/// Changes a subscription; `None` when it is what it is to be already.
async fn set(
    transaction: &DatabaseTransaction,
    before: Model,
    wanted: &Wanted,
    by: By,
) -> Result<Option<Model>> {
    let mut row: ActiveModel = before.clone().into();
    row.endpoint.set_if_not_equals(wanted.endpoint.clone());
    row.events.set_if_not_equals(column(&wanted.events)?);
    row.no_callback.set_if_not_equals(wanted.no_callback);
    if !row.is_changed() {
        return Ok(None);
    }
    row.updated_at = Set(by.now);
    let after = row.update(transaction).await?;
    audit::updated(&before, &after)?.write(transaction, by.person, by.now).await?;
    Ok(Some(after))
}

/// Removes the subscriptions of a package that is deleted, without a word in the audit trail: that tells of
/// the package.
///
/// # Errors
/// The database's.
pub async fn drop_all(transaction: &DatabaseTransaction, package: i64) -> Result<()> {
    let rows = Entity::find().filter(COLUMN.package_id.eq(package)).all(transaction).await?;
    for row in rows {
        delivery::forget(transaction, LANE, row.id).await?;
        row.delete(transaction).await?;
    }
    Ok(())
}

/// Removes a subscription, and the messages that wait for it (contract 3.10).
async fn drop_row(transaction: &DatabaseTransaction, row: Model, by: By) -> Result<()> {
    audit::destroyed(&row)?.write(transaction, by.person, by.now).await?;
    delivery::forget(transaction, LANE, row.id).await?;
    row.delete(transaction).await?;
    Ok(())
}

/// A package of an account, locked for a change of its configuration.
async fn lock(
    transaction: &DatabaseTransaction,
    package: i64,
    account: &str,
) -> Result<packages::entity::Model> {
    let row = lookup::lock(transaction, Which::Id(package), account, Lock::Package).await?;
    row.unlocked()?;
    Ok(row.package)
}

/// A subscription of an account, its package locked for a change.
async fn locked(transaction: &DatabaseTransaction, account: &str, id: i64) -> Result<Model> {
    let find = || Entity::of(account).filter(COLUMN.id.eq(id)).one(transaction);
    let found = find().await?.ok_or_else(|| not_found(id))?;
    lock(transaction, found.package_id, account).await?;
    // Another change may have come before the lock.
    find().await?.ok_or_else(|| not_found(id))
}

/// Dates the last change of a package's configuration.
async fn touch(transaction: &DatabaseTransaction, package: i64, now: i64) -> Result<()> {
    packages::entity::Entity::update_many()
        .col_expr(packages::entity::Column::UpdatedAt, Expr::value(now))
        .filter(packages::entity::COLUMN.id.eq(package))
        .exec(transaction)
        .await?;
    Ok(())
}

fn not_found(id: i64) -> Error {
    refusal::not_found("subscription", "ApplicationSubscriptionId", id)
}

/// Events as their column keeps them.
fn column(events: &[AppDevEvent]) -> Result<String> {
    serde_json::to_string(events).map_err(Error::internal)
}

/// A subscription of an account.
async fn find(
    source: Source<'_>,
    account: &str,
    id: i64,
) -> Result<Option<ApplicationSubscription>> {
    let mut sql = select(source.dialect());
    sql.push("s.account_id = ").bind(account).push(" AND s.id = ").bind(id);
    Ok(gather(source, sql).await?.pop())
}

/// Everything before the condition.
fn select(dialect: Dialect) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push(
        "SELECT s.id, s.endpoint, s.events, s.package_id, s.no_callback \
         FROM package_subscriptions s WHERE ",
    );
    sql
}

async fn gather(source: Source<'_>, sql: Sql) -> Result<Vec<ApplicationSubscription>> {
    let read = |rows: &mut Vec<Result<ApplicationSubscription>>, row: &dyn Row| {
        let int = |at| row.int(at).unwrap_or_default();
        let text = |at| row.text(at).unwrap_or_default();
        rows.push(entity::events(&text(2)).map(|events| ApplicationSubscription {
            application_subscription_id: int(0),
            application_end_point: text(1).into_owned(),
            events,
            package_id: int(3),
            no_callback: row.bool(4).unwrap_or_default(),
        }));
    };
    source.fetch(sql.query(false), Vec::new(), read).await?.into_iter().collect()
}
