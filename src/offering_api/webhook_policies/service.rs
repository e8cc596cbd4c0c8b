//! The rules of webhook policies (contract 3.7).
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, ModelTrait, QueryFilter, QuerySelect, Set,
};
use serde_json::{Map, Value, json};

use super::dto::{RECORD, REFUSED_ALGORITHMS};
use super::entity::{self, ActiveModel, COLUMN, Entity, Model};
use super::key_entity;
use super::keys::NewKey;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::Mode;
use crate::kernel::record::select::{self, Scope};
use crate::kernel::signature::Algorithm;
use crate::kernel::state::Site;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{self, Write};

/// Property of answers that make a key.
const PUBLIC_KEY: &str = "public_key_pem";

/// Makes a policy with its key.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let changes = read(&write, Mode::Create);
    changes.check()?;
    let key = NewKey::generate(algorithm(changes.text("jwt_alg").unwrap_or_default())?).await?;
    let response = write
        .run(state, (changes, key), |transaction, state, write, (changes, key)| {
            async move {
                let mut row = ActiveModel {
                    account_id: Set(write.caller.identity.account.to_string()),
                    disabled: Set(false),
                    ..Default::default()
                };
                changes.apply(&mut row)?;
                let person = write.caller.identity.person;
                let now = state.clock.now();
                let policy = add(transaction, &state.site, row, key, person, now).await?;
                let scope = Scope::own(policy.id);
                let answer = write.answer(transaction, state, &RECORD, scope, 201).await?;
                Ok(resource::show_once(answer, PUBLIC_KEY, key.public_key_pem()))
            }
            .boxed()
        })
        .await?;
    Ok(resource::untagged(response))
}

/// Makes a policy of a row that says whose it is and how it signs; its name and its key come here.
///
/// # Errors
/// The database's.
pub async fn add(
    transaction: &DatabaseTransaction,
    site: &Site,
    mut row: ActiveModel,
    key: &NewKey,
    person: i64,
    now: i64,
) -> Result<Model> {
    row.name = Set(hex::encode(rand::random::<[u8; 28]>()));
    row.jwt_alg = Set(key.algorithm().name().to_owned());
    row.created_at = Set(now);
    row.updated_at = Set(now);
    let row = row.insert(transaction).await?;
    key.sign_for(transaction, &site.key, row.id, now).await?;
    audit::created(&row)?.with(replaced(None, key)).write(transaction, person, now).await?;
    Ok(row)
}

/// Changes a policy. Another algorithm means another key.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`, 422 with everything that is
/// wrong with the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let changes = read(&write, Mode::Update);
    let key = match changes.text("jwt_alg") {
        // Made beforehand: others wait for a transaction.
        Some(wanted) if !changes.is_refused() => {
            let found = Entity::of(&write.caller.identity.account)
                .filter(COLUMN.id.eq(id))
                .one(state.store.connection())
                .await?;
            if found.is_some_and(|found| found.jwt_alg != wanted) {
                Some(NewKey::generate(algorithm(wanted)?).await?)
            } else {
                None
            }
        }
        _ => None,
    };
    write
        .run(state, (id, changes, key), |transaction, state, write, (id, changes, key)| {
            change(transaction, state, write, *id, changes.clone(), key.as_ref()).boxed()
        })
        .await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    mut changes: Changes,
    key: Option<&NewKey>,
) -> Result<Answer> {
    let before = find(transaction, &write.caller, id).await?;
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    changes.check()?;
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    let of_instance = Scope { condition: entity::OF_INSTANCE, id };
    let source = Source::Transaction(transaction);
    if select::exists(source, &RECORD, of_instance, &before.account_id).await? {
        // The app checks what it was told of it.
        let differ = [
            ("jwt_alg", row.jwt_alg.is_set()),
            ("jwt_audience", row.jwt_audience.is_set()),
            ("jwt_claim_expires_in", row.jwt_claim_expires_in.is_set()),
        ];
        changes.refuse_where(differ, &Violation::OfApp);
        changes.check()?;
    }
    if row.is_changed() {
        row.updated_at = Set(now);
        let after = row.update(transaction).await?;
        let mut keys = Map::new();
        if after.jwt_alg != before.jwt_alg {
            // Somebody else has changed it since there was a look at it.
            let late = match key {
                Some(_) => None,
                None => Some(NewKey::generate(algorithm(&after.jwt_alg)?).await?),
            };
            if let Some(key) = key.or(late.as_ref()) {
                let former = key.sign_for(transaction, &state.site.key, id, now).await?;
                keys = replaced(former, key);
            }
        }
        let entry = audit::updated(&before, &after)?.with(keys);
        entry.write(transaction, write.caller.identity.person, now).await?;
    }
    write.answer(transaction, state, &RECORD, scope, 200).await
}

/// Gives a policy a new key of the same algorithm.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`, 422 for that of an installed app that
/// does not look for keys.
pub async fn rotate(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let policy = Entity::of(&write.caller.identity.account)
        .filter(COLUMN.id.eq(id))
        .one(state.store.connection())
        .await?
        .ok_or(Error::NotFound)?;
    let key = NewKey::generate(algorithm(&policy.jwt_alg)?).await?;
    let response = write
        .run(state, (id, key), |transaction, state, write, (id, key)| {
            rotate_to(transaction, state, write, *id, key).boxed()
        })
        .await?;
    Ok(resource::untagged(response))
}

async fn rotate_to(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    key: &NewKey,
) -> Result<Answer> {
    let before = find(transaction, &write.caller, id).await?;
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    if before.jwt_alg != key.algorithm().name() {
        return Err(Error::Conflict(
            "The algorithm of the policy is being changed: rotate it again".to_owned(),
        ));
    }
    let by_key = Scope { condition: entity::OF_INSTANCE_BY_KEY, id };
    let source = Source::Transaction(transaction);
    if select::exists(source, &RECORD, by_key, &before.account_id).await? {
        return Err(Error::Unprocessable(
            "The policy signs the messages of an installed app that knows this key only: for another \
             key remove the app and install it anew"
                .to_owned(),
        ));
    }
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    row.updated_at = Set(now);
    let after = row.update(transaction).await?;
    let former = key.sign_for(transaction, &state.site.key, id, now).await?;
    let entry = audit::updated(&before, &after)?.with(replaced(former, key));
    entry.write(transaction, write.caller.identity.person, now).await?;
    let answer = write.answer(transaction, state, &RECORD, scope, 200).await?;
    Ok(resource::show_once(answer, PUBLIC_KEY, key.public_key_pem()))
}

/// Removes a policy and its keys.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`, 422 while something uses it.
pub async fn delete(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, id, |transaction, state, write, id| {
            async move {
                let caller = &write.caller;
                let row = find(transaction, caller, *id).await?;
                write.check_precondition(transaction, &RECORD, Scope::own(*id)).await?;
                let (person, now) = (caller.identity.person, state.clock.now());
                if !remove_unused(transaction, row, person, now).await? {
                    return Err(Error::Unprocessable(
                        "The policy signs the messages of webhooks: link those to another one first"
                            .to_owned(),
                    ));
                }
                Ok(Answer { status: 204, location: None, body: Vec::new() })
            }
            .boxed()
        })
        .await
}

/// Removes a policy with its keys, unless something uses it; whether it is gone.
///
/// # Errors
/// The database's.
pub async fn remove_unused(
    transaction: &DatabaseTransaction,
    policy: Model,
    person: i64,
    now: i64,
) -> Result<bool> {
    let used = Scope { condition: entity::USED, id: policy.id };
    let source = Source::Transaction(transaction);
    if select::exists(source, &RECORD, used, &policy.account_id).await? {
        return Ok(false);
    }
    audit::destroyed(&policy)?.write(transaction, person, now).await?;
    key_entity::Entity::delete_many()
        .filter(key_entity::COLUMN.webhook_policy_id.eq(policy.id))
        .exec(transaction)
        .await?;
    policy.delete(transaction).await?;
    Ok(true)
}

/// Loads a policy of the caller's account for a change, and locks it.
async fn find(transaction: &DatabaseTransaction, caller: &Caller, id: i64) -> Result<Model> {
    let policy = Entity::of(&caller.identity.account).filter(COLUMN.id.eq(id)).lock_exclusive();
    policy.one(transaction).await?.ok_or(Error::NotFound)
}

/// Reads and checks what a body sets.
fn read(write: &Write, mode: Mode) -> Changes {
    let mut changes = Changes::read(&RECORD, &write.body, mode, &write.caller.view);
    let wanted = write.body.get("jwt_alg").and_then(Value::as_str);
    if wanted.is_some_and(|wanted| REFUSED_ALGORITHMS.contains(&wanted)) {
        changes.refuse_instead("jwt_alg", Violation::Because(NOT_OFFERED.into()));
    }
    changes
}

const NOT_OFFERED: &str = "must be one of rs256, rs384, rs512, es256, es384 and es512: for unsigned messages \
     leave the webhook without a policy, for a shared secret set standard_webhooks of the webhook";

/// The algorithm of this name.
fn algorithm(name: &str) -> Result<Algorithm> {
    // Fields and rows hold no other names.
    Algorithm::parse(name).ok_or_else(|| Error::internal(format!("no algorithm {name}")))
}

/// For the audit entry: which key signs now, and which did before.
fn replaced(former: Option<String>, key: &NewKey) -> Map<String, Value> {
    Map::from_iter([("signing_key".to_owned(), json!([former, key.id()]))])
}

/// The policy of this name, which receivers ask for.
///
/// # Errors
/// 404 when the account has none.
pub async fn named(state: &AppState, account: &str, name: &str) -> Result<Model> {
    let policy = Entity::of(account).filter(COLUMN.name.eq(name));
    policy.one(state.store.connection()).await?.ok_or(Error::NotFound)
}

/// `iss` claim of messages whose webhook has OpenID Connect discovery: keys are found below it.
pub fn issuer(site: &Site, policy: &Model) -> String {
    format!("{}/{}/{}", site.account_url(&policy.account_id), RECORD.table, policy.name)
}
