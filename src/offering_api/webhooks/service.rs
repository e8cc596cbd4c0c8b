//! The rules of webhooks (contract 3.6, 4.5).
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, ModelTrait, QueryFilter, QuerySelect, Set};
use serde_json::{Map, Value, json};

use super::address::{self, Address, Userinfo};
use super::dto::{OF_INSTANCES, RECORD, VERIFY};
use super::entity::{self, ActiveModel, COLUMN, Entity, Model};
use super::{messages, verification};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::delivery;
use crate::kernel::error::{Error, Result};
use crate::kernel::events;
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::{Input, Mode};
use crate::kernel::record::select::{self, Scope};
use crate::kernel::secret::{MASK, MasterKey, Purpose};
use crate::kernel::signature::Secret;
use crate::kernel::state::Site;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{self, Write};
use crate::offering_api::{attachments, webhook_policies};

/// What a write needs beside the request: what it sets, and the address it names.
type Wanted = (Changes, Option<Userinfo>);

/// Property of answers that make a secret.
const SECRET: &str = "standard_webhooks_secret";

/// Makes a webhook, and begins to verify its address.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let (mut changes, userinfo) = read(state, &write, Mode::Create);
    if changes.text("name").is_none_or(|text| text.trim().is_empty())
        && let Some(event) = changes.text("event").map(str::to_owned)
    {
        changes.set("name", Input::Text(event));
    }
    write.fill_source(state, Mode::Create, &mut changes);
    let makes_secret = changes.bool("standard_webhooks") == Some(true);
    let response = write
        .run(state, (changes, userinfo), |transaction, state, write, (changes, userinfo)| {
            insert(transaction, state, write, changes.clone(), userinfo.as_ref()).boxed()
        })
        .await?;
    Ok(if makes_secret { resource::untagged(response) } else { response })
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    mut changes: Changes,
    userinfo: Option<&Userinfo>,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    check(transaction, account, None, &mut changes).await?;
    if userinfo == Some(&Userinfo::Kept) {
        changes.refuse("uri", Violation::Because(MASKED.into()));
    }
    attachments::service::check(transaction, account, &mut changes).await?;
    changes.check()?;
    let now = state.clock.now();
    let mut row = blank(account, now);
    changes.apply(&mut row)?;
    let row = row.insert(transaction).await?;
    let id = row.id;
    let files =
        attachments::service::apply(transaction, account, &RECORD, id, &changes, now).await?;
    let userinfo = userinfo.unwrap_or(&Userinfo::None);
    let person = caller.identity.person;
    let (webhook, secret) =
        complete(transaction, &state.site, row, userinfo, files, person, now).await?;
    verify(transaction, &state.site, webhook, 0, now).await?;
    let answer = write.answer(transaction, state, &RECORD, Scope::own(id), 201).await?;
    Ok(match secret {
        Some(secret) => resource::show_once(answer, SECRET, &secret),
        None => answer,
    })
}

/// A webhook that is yet to be filled in: enabled, for all offerings, without signatures.
pub fn blank(account: &str, now: i64) -> ActiveModel {
    ActiveModel {
        account_id: Set(account.to_owned()),
        disabled: Set(false),
        app_offering_references: Set("[]".to_owned()),
        openid_connect_discovery: Set(false),
        standard_webhooks: Set(false),
        failures: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// How long messages that verify what comes with an app wait for what the app is told by the provider's
/// webhook for secrets, in milliseconds: without the key in there it could not trust them (contract 4.2).
/// The time counts from when that was made a delivery.
const HEAD_START: i64 = 2_000;
/// How long they wait for that.
pub(super) const PATIENCE: i64 = 60_000;

/// Has the verification of webhooks that came or changed with these events begin soon, as far as it waits for
/// what the app is told: that is becoming deliveries together with them. `now` in milliseconds since the epoch.
///
/// # Errors
/// The database's.
pub async fn allow_verification(
    transaction: &DatabaseTransaction,
    events: &[events::entity::Model],
    now: i64,
) -> Result<()> {
    let webhooks = events.iter().filter(|event| event.record_type == RECORD.name);
    let webhooks: Vec<i64> = webhooks.map(|event| event.record_id).collect();
    let due = now + HEAD_START;
    delivery::bring_forward(transaction, messages::LANES, &webhooks, VERIFY, due).await
}

/// Makes a webhook that no user has asked for, at an address that was read before, and begins to verify
/// it. The rest of the row comes from [`blank`] and the caller.
///
/// # Errors
/// The database's.
pub async fn add(
    transaction: &DatabaseTransaction,
    site: &Site,
    mut row: ActiveModel,
    address: &Address,
    person: i64,
    now: i64,
) -> Result<Model> {
    row.uri = Set(address.masked.clone());
    let row = row.insert(transaction).await?;
    let (id, account) = (row.id, row.account_id.clone());
    let (webhook, _) =
        complete(transaction, site, row, &address.userinfo, Map::new(), person, now).await?;
    verify(transaction, site, webhook, PATIENCE, now).await?;
    let made = Entity::of(&account).filter(COLUMN.id.eq(id)).one(transaction).await?;
    made.ok_or(Error::NotFound)
}

/// Completes a new webhook with what needs its number: secrets and the trail. Returns it with the secret of
/// Standard Webhooks, if there is one.
async fn complete(
    transaction: &DatabaseTransaction,
    site: &Site,
    webhook: Model,
    userinfo: &Userinfo,
    files: Map<String, Value>,
    person: i64,
    now: i64,
) -> Result<(Model, Option<String>)> {
    let mut row: ActiveModel = webhook.clone().into();
    if let Userinfo::New(userinfo) = userinfo {
        row.credentials = Set(Some(address::seal(&site.key, webhook.id, userinfo)));
    }
    let secret = webhook.standard_webhooks.then(|| Secret::generate().expose());
    if let Some(secret) = &secret {
        row.standard_key = Set(Some(seal_standard(&site.key, webhook.id, secret)));
    }
    let webhook = if row.is_changed() { row.update(transaction).await? } else { webhook };
    audit::created(&webhook)?.with(files).write(transaction, person, now).await?;
    Ok((webhook, secret))
}

/// Begins to verify the address of a webhook after a pause in milliseconds, in the transaction that made it
/// necessary.
///
/// # Errors
/// The database's.
pub(super) async fn verify(
    transaction: &DatabaseTransaction,
    site: &Site,
    webhook: Model,
    pause: i64,
    now: i64,
) -> Result<()> {
    let (webhook, callback) = verification::begin(transaction, site, webhook, now).await?;
    // The codes in them are void: a new one must not wait for them, nor may they come to another address.
    delivery::give_up(transaction, messages::LANES, webhook.id, VERIFY, now).await?;
    if let Some(callback) = callback {
        let message = messages::verification(&site.key, &webhook, &callback, pause);
        return delivery::enqueue(transaction, &[message], now).await;
    }
    // Verified by another one: what waits can go.
    delivery::resume(transaction, messages::LANES, webhook.id, now).await
}

/// Changes a webhook.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`, 422 with everything that is
/// wrong with the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<Response> {
    write.refuse_unknown(&RECORD, &[])?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let (mut changes, userinfo) = read(state, &write, Mode::Update);
    write.fill_source(state, Mode::Update, &mut changes);
    let makes_secret = changes.bool("standard_webhooks") == Some(true);
    let response = write
        .run(state, (id, (changes, userinfo)), |transaction, state, write, (id, wanted)| {
            change(transaction, state, write, *id, wanted.clone()).boxed()
        })
        .await?;
    Ok(if makes_secret { resource::untagged(response) } else { response })
}

async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    (mut changes, userinfo): Wanted,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    let before = find(transaction, caller, id).await?;
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    check(transaction, account, Some(&before), &mut changes).await?;
    let keeps =
        |uri: &str| before.credentials.is_some() && address::is_same_server(&before.uri, uri);
    if userinfo == Some(Userinfo::Kept) && !changes.text("uri").is_some_and(keeps) {
        changes.refuse("uri", Violation::Because(MASKED.into()));
    }
    attachments::service::check(transaction, account, &mut changes).await?;
    changes.check()?;
    let now = state.clock.now();
    let key = &state.site.key;
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    let of_instance = Scope { condition: entity::OF_INSTANCE, id };
    let source = Source::Transaction(transaction);
    if select::exists(source, &RECORD, of_instance, account).await? {
        refuse_what_the_app_says(transaction, &row, userinfo.as_ref(), &mut changes).await?;
    }
    let mut told =
        attachments::service::apply(transaction, account, &RECORD, id, &changes, now).await?;
    match userinfo {
        Some(Userinfo::None) if before.credentials.is_some() => row.credentials = Set(None),
        Some(Userinfo::New(new)) if !has_credentials(key, &before, &new)? => {
            row.credentials = Set(Some(address::seal(key, id, &new)));
            let former = before.credentials.as_ref().map(|_| MASK);
            told.insert("credentials".to_owned(), json!([former, MASK]));
        }
        _ => {}
    }
    let mut secret = None;
    match changes.bool("standard_webhooks") {
        Some(true) if !before.standard_webhooks => {
            let new = Secret::generate().expose();
            row.standard_key = Set(Some(seal_standard(key, id, &new)));
            secret = Some(new);
        }
        Some(false) if before.standard_webhooks => row.standard_key = Set(None),
        _ => {}
    }
    if changes.bool("disabled") == Some(false) && before.disabled {
        row.failures = Set(0);
        row.failing_since = Set(None);
        row.last_error = Set(None);
    }
    let mut after = before.clone();
    if row.is_changed() || !told.is_empty() {
        row.updated_at = Set(now);
        after = row.update(transaction).await?;
        let entry = audit::updated(&before, &after)?.with(told);
        entry.write(transaction, caller.identity.person, now).await?;
    }
    if before.disabled && !after.disabled {
        delivery::resume(transaction, messages::LANES, id, now).await?;
    }
    if after.verified_at.is_none() || after.uri != before.uri {
        verify(transaction, &state.site, after, 0, now).await?;
    }
    let answer = write.answer(transaction, state, &RECORD, scope, 200).await?;
    Ok(match secret {
        Some(secret) => resource::show_once(answer, SECRET, &secret),
        None => answer,
    })
}

/// Sends a message that only shows that messages arrive.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`.
pub async fn test(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, id, |transaction, state, write, id| {
            async move {
                let webhook = find(transaction, &write.caller, *id).await?;
                write.check_precondition(transaction, &RECORD, Scope::own(*id)).await?;
                let now = state.clock.now_millis();
                delivery::enqueue(transaction, &[messages::test(&webhook)], now).await?;
                Ok(Answer { status: 204, location: None, body: Vec::new() })
            }
            .boxed()
        })
        .await
}

/// The webhook of an installed app is as the app has it, or its messages would not arrive or not be trusted
/// any more; and it is on only while the app is. The customer may switch it off.
async fn refuse_what_the_app_says(
    transaction: &DatabaseTransaction,
    row: &ActiveModel,
    userinfo: Option<&Userinfo>,
    changes: &mut Changes,
) -> Result<()> {
    let is_switched_on = row.disabled == Set(false);
    let id = *row.id.as_ref();
    let effective = Scope { condition: entity::OF_EFFECTIVE_INSTANCE, id };
    let source = Source::Transaction(transaction);
    let account = row.account_id.as_ref();
    let may_be_on = !is_switched_on || select::exists(source, &RECORD, effective, account).await?;
    let differ = [
        ("event", row.event.is_set()),
        ("uri", row.uri.is_set() || matches!(userinfo, Some(Userinfo::New(_)))),
        ("webhook_policy", row.webhook_policy_id.is_set()),
        ("openid_connect_discovery", row.openid_connect_discovery.is_set()),
        ("disabled", !may_be_on),
    ];
    changes.refuse_where(differ, &Violation::OfApp);
    changes.check()
}

/// Removes a webhook with all that was sent to it, and all that was yet to be.
///
/// # Errors
/// 404 for what the account does not have, 412 for a stale `If-Match`, 422 for that of an installed app.
pub async fn delete(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, id, |transaction, state, write, id| {
            async move {
                let caller = &write.caller;
                let row = find(transaction, caller, *id).await?;
                write.check_precondition(transaction, &RECORD, Scope::own(*id)).await?;
                let of_instance = Scope { condition: entity::OF_INSTANCE, id: *id };
                let source = Source::Transaction(transaction);
                if select::exists(source, &RECORD, of_instance, &caller.identity.account).await? {
                    return Err(Error::Unprocessable(
                        "The webhook belongs to an installed app: remove that, or disable the webhook"
                            .to_owned(),
                    ));
                }
                remove(transaction, row, caller.identity.person, state.clock.now()).await?;
                Ok(Answer { status: 204, location: None, body: Vec::new() })
            }
            .boxed()
        })
        .await
}

/// Removes a webhook that nothing refers to.
///
/// # Errors
/// The database's.
pub async fn remove(
    transaction: &DatabaseTransaction,
    webhook: Model,
    person: i64,
    now: i64,
) -> Result<()> {
    audit::destroyed(&webhook)?.write(transaction, person, now).await?;
    attachments::service::remove(transaction, &RECORD, webhook.id).await?;
    delivery::forget(transaction, messages::LANES, webhook.id).await?;
    webhook.delete(transaction).await?;
    Ok(())
}

/// Loads a webhook of the caller's account for a change, and locks it.
async fn find(transaction: &DatabaseTransaction, caller: &Caller, id: i64) -> Result<Model> {
    let webhook = Entity::of(&caller.identity.account).filter(COLUMN.id.eq(id)).lock_exclusive();
    webhook.one(transaction).await?.ok_or(Error::NotFound)
}

const MASKED: &str = "hides a name and password that are not known for this host: write them again";
const NOT_FOR_INSTANCES: &str = "is for events of installed apps (app_instance.…): leave it empty";

/// Reads and checks what a body sets. The address loses its name and password, which are returned.
fn read(state: &AppState, write: &Write, mode: Mode) -> Wanted {
    let mut changes = Changes::read(&RECORD, &write.body, mode, &write.caller.view);
    let mut userinfo = None;
    if let Some(uri) = changes.text("uri").map(str::to_owned) {
        match Address::read(state.outgoing.guard(), &uri) {
            Ok(address) => {
                changes.set("uri", Input::Text(address.masked));
                userinfo = Some(address.userinfo);
            }
            Err(refused) => {
                changes.refuse("uri", Violation::Because(refused.to_string().into()));
            }
        }
    }
    if write.body.get("app_offering_references").is_some_and(|it| it.is_null() || it == "") {
        changes.set("app_offering_references", Input::Text("[]".to_owned()));
    }
    if changes.text("mail_exceptions_to").is_some_and(|text| !are_mail_addresses(text)) {
        changes.refuse("mail_exceptions_to", Violation::Invalid);
    }
    (changes, userinfo)
}

/// Addresses separated by commas. Whether one is right only a mail can tell; this finds what is none.
fn are_mail_addresses(text: &str) -> bool {
    text.split(',').map(str::trim).all(|address| {
        let is_plain =
            |it: char| !it.is_whitespace() && !it.is_control() && !"<>()\",;".contains(it);
        let parts = address.rsplit_once('@');
        address.chars().all(is_plain)
            && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
    })
}

/// What can only be checked with the database, or against what is there already.
async fn check(
    transaction: &DatabaseTransaction,
    account: &str,
    before: Option<&Model>,
    changes: &mut Changes,
) -> Result<()> {
    if let Some(id) = changes.int("webhook_policy") {
        use webhook_policies::entity::{COLUMN, Entity};
        // Held, so that nobody removes or disables it meanwhile.
        let policy = Entity::of(account).filter(COLUMN.id.eq(id)).lock_shared();
        let is_linked = before.is_some_and(|before| before.webhook_policy_id == Some(id));
        match policy.one(transaction).await? {
            None => changes.refuse("webhook_policy", Violation::MustExist),
            Some(policy) if policy.disabled && !is_linked => {
                changes.refuse("webhook_policy", Violation::Disabled);
            }
            Some(_) => {}
        }
    }
    let event = changes.text("event").or(before.map(|before| before.event.as_str()));
    let references = changes
        .text("app_offering_references")
        .or(before.map(|before| before.app_offering_references.as_str()));
    if event.is_some_and(|event| !event.starts_with(OF_INSTANCES))
        && references.is_some_and(|references| references != "[]")
    {
        let text = Violation::Because(NOT_FOR_INSTANCES.into());
        changes.refuse("app_offering_references", text);
    }
    Ok(())
}

/// Whether this name and password are those of the webhook already.
fn has_credentials(key: &MasterKey, webhook: &Model, userinfo: &str) -> Result<bool> {
    Ok(webhook.credentials.is_some()
        && address::whole(key, webhook)?.contains(&format!("://{userinfo}@")))
}

/// What the secret of Standard Webhooks is sealed for.
fn standard_context(webhook: i64) -> Vec<u8> {
    format!("{webhook} standard").into_bytes()
}

fn seal_standard(key: &MasterKey, webhook: i64, secret: &str) -> String {
    key.seal(Purpose::WebhookCredentials, &standard_context(webhook), secret.as_bytes())
}

/// The secret of Standard Webhooks of a webhook that has opted in.
///
/// # Errors
/// 500 when another master key has sealed it.
pub fn standard_key(key: &MasterKey, webhook: &Model) -> Result<Option<Secret>> {
    let Some(sealed) = &webhook.standard_key else { return Ok(None) };
    let opened = key.open(Purpose::WebhookCredentials, &standard_context(webhook.id), sealed);
    let secret = opened.and_then(|bytes| Secret::parse(std::str::from_utf8(&bytes).ok()?).ok());
    secret.map(Some).ok_or_else(|| {
        Error::internal(format!("the secret of webhook {} cannot be opened", webhook.id))
    })
}
