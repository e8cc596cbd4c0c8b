//! The steps of an install's life (contract 4.1): install, switches, update to another version, removal.
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, ModelTrait, QueryFilter, QuerySelect, Set,
};
use serde_json::{Map, Value, json};

use super::dto::RECORD;
use super::entity::{ActiveModel, COLUMN, Entity, Model, ONE};
use super::form::Form;
use super::messages;
use super::provisioning::{self, Provisioning};
use super::rules::{self, Parties};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::{Error, Result, on_duplicate};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::Mode;
use crate::kernel::record::select::Scope;
use crate::kernel::secret::random_text;
use crate::offering_api::access::Caller;
use crate::offering_api::app_offerings::dto::RECORD as OFFERING;
use crate::offering_api::app_offerings::entity as app_offerings;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::attachments;
use crate::offering_api::resource::{self, Write};
use crate::offering_api::webhook_policies::entity as policy_entity;
use crate::offering_api::webhook_policies::keys::NewKey;

/// Characters of what the codes of a configuration are made for.
const CONFIRMATION: usize = 32;

/// Installs an app in the caller's account.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[rules::CUSTOMER])?;
    let mut changes = Changes::read(&RECORD, &write.body, Mode::Create, &write.caller.view);
    rules::check_customer(&write, &mut changes);
    let key = match changes.int("app_offering") {
        Some(id) if !changes.is_refused() => {
            match rules::offering(state.store.connection(), id).await? {
                Some(offering) => provisioning::new_key(&offering, None).await?,
                None => None,
            }
        }
        _ => None,
    };
    write
        .run(state, (changes, key), |transaction, state, write, (changes, key)| {
            install(transaction, state, write, changes.clone(), key.as_ref()).boxed()
        })
        .await
}

async fn install(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    mut changes: Changes,
    key: Option<&NewKey>,
) -> Result<Answer> {
    let identity = &write.caller.identity;
    let (account, person) = (&*identity.account, identity.person);
    let found = rules::to_install(transaction, account, &mut changes).await?;
    rules::check_representative(transaction, account, &mut changes).await?;
    attachments::service::check(transaction, account, &mut changes).await?;
    let mut values = Map::new();
    if let Some(offering) = &found {
        values = rules::form(transaction, offering).await?.fill(None, None, &mut changes);
        if offering.account_id != account && changes.bool("disabled") == Some(true) {
            changes.refuse("disabled", Violation::ProviderOnly);
        }
    }
    changes.check()?;
    // A body without an offering was refused just now.
    let offering = found.ok_or(Error::NotFound)?;
    let now = state.clock.now();
    let to_configure = offering.configuration_uri_template.is_some();
    let mut row = ActiveModel {
        account_id: Set(offering.account_id.clone()),
        customer_account_id: Set(account.to_owned()),
        offering_id: Set(rules::draft_of(&offering)),
        customer_representative_id: Set(Some(person)),
        disabled: Set(false),
        enabled_by_customer: Set(true),
        suspended: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    changes.apply(&mut row)?;
    if to_configure {
        // Until the configuration is confirmed, whatever the body says.
        row.enabled_by_customer = Set(false);
    }
    if row.enabled_by_customer == Set(false) {
        row.confirmation = Set(Some(random_text(CONFIRMATION)));
    }
    let disabled = row.disabled != Set(false)
        || row.enabled_by_customer != Set(true)
        || row.suspended != Set(false);
    let provisioning = Provisioning { transaction, state, customer: account, person, now };
    let mut secrets = messages::Parts::default();
    let connection = provisioning.connect(&offering, key, disabled, &mut secrets).await?;
    row.webhook_id = Set(connection.webhook_id());
    row.webhook_policy_id = Set(connection.policy_id());
    // Of two who install at the same time, one was first.
    let installed = on_duplicate("app_offering", Violation::Installed);
    let row = row.insert(transaction).await.map_err(installed)?;
    provisioning.add_rules(&row, &offering).await?;
    provisioning.authorize(&row, &offering, &mut secrets).await?;
    let files =
        attachments::service::apply(transaction, account, &RECORD, row.id, &changes, now).await?;
    let entry = audit::created(&row)?.with(files).with(given(&values));
    let told = (&row, &offering);
    let by = (person, now);
    secrets.secrets = (!values.is_empty()).then_some(values);
    messages::tell(transaction, &state.site, entry, false, secrets, told, by).await?;
    let scope = Scope { condition: ONE, id: row.id };
    write.answer(transaction, state, &RECORD, scope, 201).await
}

/// For the audit entry: which secrets were typed in, without what they are.
fn given(values: &Map<String, Value>) -> Map<String, Value> {
    if values.is_empty() {
        return Map::new();
    }
    let ids: Vec<&String> = values.keys().collect();
    Map::from_iter([("secrets".to_owned(), json!([null, ids]))])
}

/// Answers what a customer fills in when a draft or version is installed.
///
/// # Errors
/// 404 for an offering that the caller cannot see.
pub async fn form(state: &AppState, caller: &Caller, offering: &str) -> Result<Response> {
    let id = resource::record_id(&OFFERING, offering, caller)?;
    let visible = Scope { condition: app_offerings::VISIBLE, id };
    resource::require(state, caller, &OFFERING, visible).await?;
    let db = state.store.connection();
    let offering = rules::offering(db, id).await?.ok_or(Error::NotFound)?;
    Ok(resource::found(caller, &rules::form(db, &offering).await?.tell()))
}

/// Changes an install: its switches, what the customer filled in, or the installed version.
///
/// # Errors
/// 404 for what the caller cannot see, 412 for a stale `If-Match`, 422 with everything that is wrong with
/// the body, and with what only the other party may change.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[rules::CUSTOMER])?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let changes = Changes::read(&RECORD, &write.body, Mode::Update, &write.caller.view);
    let key = key_for_update(state, &write, id, &changes).await?;
    let response = write
        .run(state, (id, changes, key), |transaction, state, write, (id, changes, key)| {
            change(transaction, state, write, *id, changes.clone(), key.as_ref()).boxed()
        })
        .await?;
    // The app's tokens may be switched off or on, or be good for other things.
    state.identities.forget();
    Ok(response)
}

/// The key that another version needs, made beforehand.
async fn key_for_update(
    state: &AppState,
    write: &Write,
    id: i64,
    changes: &Changes,
) -> Result<Option<NewKey>> {
    let Some(wanted) = changes.int("app_offering").filter(|_| !changes.is_refused()) else {
        return Ok(None);
    };
    let db = state.store.connection();
    let instance =
        Entity::of(&write.caller.identity.account).filter(COLUMN.id.eq(id)).one(db).await?;
    let Some(instance) = instance.filter(|it| it.app_offering_id != wanted) else {
        return Ok(None);
    };
    let offering = rules::offering(db, wanted).await?;
    let Some(offering) = offering.filter(|it| rules::draft_of(it) == instance.offering_id) else {
        return Ok(None);
    };
    let policy = match instance.webhook_policy_id {
        Some(id) => policy_entity::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    provisioning::new_key(&offering, policy.as_ref().map(|policy| policy.jwt_alg.as_str())).await
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    mut changes: Changes,
    key: Option<&NewKey>,
) -> Result<Answer> {
    let identity = &write.caller.identity;
    let (account, person) = (&*identity.account, identity.person);
    let before = find(transaction, account, id).await?;
    let scope = Scope { condition: ONE, id };
    write.check_precondition(transaction, &RECORD, scope).await?;
    let parties = Parties::of(account, &before);
    parties.check(&before, &mut changes);
    attachments::service::check(transaction, account, &mut changes).await?;
    let installed = installed(transaction, &before).await?;
    let mut wanted = None;
    if parties.customer {
        // What others would change of these is refused already, whatever it is.
        rules::check_representative(transaction, account, &mut changes).await?;
        wanted = rules::to_update(transaction, &before, &mut changes).await?;
    }
    let mut values = Map::new();
    if wanted.is_some() || changes.get("custom_fields").is_some() {
        let former = rules::form(transaction, &installed).await?;
        let form = match &wanted {
            Some(offering) => rules::form(transaction, offering).await?,
            None => former.clone(),
        };
        values = fill(&form, &former, &before, &mut changes);
    }
    changes.check()?;
    let now = state.clock.now();
    let customer = &*before.customer_account_id;
    let provisioning = Provisioning { transaction, state, customer, person, now };
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    let mut secrets = messages::Parts::default();
    let former = provisioning.connection(&before).await?;
    let mut present = former.clone();
    if let Some(offering) = &wanted {
        let disabled = !before.is_effective();
        present = provisioning.reconnect(&former, offering, key, disabled, &mut secrets).await?;
        row.webhook_id = Set(present.webhook_id());
        row.webhook_policy_id = Set(present.policy_id());
    }
    let files =
        attachments::service::apply(transaction, account, &RECORD, id, &changes, now).await?;
    let offering = wanted.as_ref().unwrap_or(&installed);
    let mut after = before.clone();
    if row.is_changed() || !files.is_empty() {
        after = save(transaction, row, &before, now).await?;
    }
    if wanted.is_some() {
        provisioning.remove_rules(id).await?;
        provisioning.add_rules(&after, offering).await?;
        provisioning.authorize(&after, offering, &mut secrets).await?;
        provisioning.discard(former, &present).await?;
    }
    if after.is_effective() != before.is_effective() {
        provisioning.switch(&after).await?;
    }
    let told = (&after, offering);
    if after != before || !files.is_empty() || !values.is_empty() {
        let entry = audit::updated(&before, &after)?.with(files).with(given(&values));
        let (updated, by) = (wanted.is_some(), (person, now));
        secrets.secrets = (!values.is_empty()).then_some(values);
        messages::tell(transaction, &state.site, entry, updated, secrets, told, by).await?;
    }
    write.answer(transaction, state, &RECORD, scope, 200).await
}

fn fill(form: &Form, former: &Form, before: &Model, changes: &mut Changes) -> Map<String, Value> {
    form.fill(Some(former), before.custom_fields.as_deref(), changes)
}

/// Writes a changed row. Each time that the customer switches the app off there is something new to
/// confirm, and former codes are void.
async fn save(
    transaction: &DatabaseTransaction,
    mut row: ActiveModel,
    before: &Model,
    now: i64,
) -> Result<Model> {
    if let Set(enabled) = row.enabled_by_customer
        && enabled != before.enabled_by_customer
    {
        row.confirmation = Set((!enabled).then(|| random_text(CONFIRMATION)));
    }
    row.updated_at = Set(now);
    Ok(row.update(transaction).await?)
}

/// Switches an app on whose configuration was confirmed; `person` is who answers for it.
///
/// # Errors
/// The database's.
pub(super) async fn confirm(
    transaction: &DatabaseTransaction,
    state: &AppState,
    before: Model,
    person: i64,
) -> Result<()> {
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    row.enabled_by_customer = Set(true);
    let after = save(transaction, row, &before, now).await?;
    let customer = &*before.customer_account_id;
    let provisioning = Provisioning { transaction, state, customer, person, now };
    if after.is_effective() != before.is_effective() {
        provisioning.switch(&after).await?;
    }
    let offering = installed(transaction, &after).await?;
    let entry = audit::updated(&before, &after)?;
    let told = (&after, &offering);
    let (secrets, by) = (messages::Parts::default(), (person, now));
    messages::tell(transaction, &state.site, entry, false, secrets, told, by).await
}

/// Removes an app from the customer's account, with all that was generated there.
///
/// # Errors
/// 404 for what the caller cannot see, 403 for the provider, 412 for a stale `If-Match`.
pub async fn delete(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let response = write
        .run(state, id, |transaction, state, write, id| {
            uninstall(transaction, state, write, *id).boxed()
        })
        .await?;
    state.identities.forget();
    Ok(response)
}

async fn uninstall(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
) -> Result<Answer> {
    let identity = &write.caller.identity;
    let (account, person) = (&*identity.account, identity.person);
    let instance = find(transaction, account, id).await?;
    if !Parties::of(account, &instance).customer {
        return Err(Error::Forbidden);
    }
    write.check_precondition(transaction, &RECORD, Scope { condition: ONE, id }).await?;
    let now = state.clock.now();
    let offering = installed(transaction, &instance).await?;
    let provisioning = Provisioning { transaction, state, customer: account, person, now };
    let entry = audit::destroyed(&instance)?;
    let told = (&instance, &offering);
    let by = (person, now);
    let secrets = messages::Parts::default();
    messages::tell(transaction, &state.site, entry, false, secrets, told, by).await?;
    let former = provisioning.connection(&instance).await?;
    provisioning.remove_rules(id).await?;
    provisioning.unauthorize(id).await?;
    attachments::service::remove(transaction, &RECORD, id).await?;
    instance.delete(transaction).await?;
    provisioning.discard(former, &provisioning::Connection::default()).await?;
    Ok(Answer { status: 204, location: None, body: Vec::new() })
}

/// Loads an instance that the caller's account provides or has installed, and locks it.
async fn find(transaction: &DatabaseTransaction, account: &str, id: i64) -> Result<Model> {
    let instance = Entity::of(account).filter(COLUMN.id.eq(id)).lock_exclusive();
    instance.one(transaction).await?.ok_or(Error::NotFound)
}

/// The installed version.
async fn installed(transaction: &DatabaseTransaction, instance: &Model) -> Result<Offering> {
    let found =
        app_offerings::Entity::find_by_id(instance.app_offering_id).one(transaction).await?;
    found.ok_or_else(|| Error::internal("an app instance without its offering"))
}
