//! The rules of app offerings: references, URL templates, who may change what (contract 2.2, 2.5).
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use serde_json::Value;

use super::dto::{self, RECORD};
use super::entity::{ActiveModel, COLUMN, Entity, Model};
use super::locking;
use super::scopes::nested::{self as scopes, ScopeChanges};
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::{Result, taken};
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::{Input, Mode, is_http_url};
use crate::kernel::record::select::Scope;
use crate::offering_api::attachments::pictures::{self, Picture};
use crate::offering_api::resource::{self, Write};
use crate::offering_api::{attachments, service_instances, ui_extensions};

/// Makes a draft.
///
/// # Errors
/// 422 with everything that is wrong with the body.
pub async fn create(state: &AppState, write: Write) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, scopes::NAMES)?;
    let mut changes = Changes::read(&RECORD, &write.body, Mode::Create, &write.caller.view);
    let scopes = ScopeChanges::read(&write, &mut changes)?;
    check_templates(&mut changes);
    let picture = take_picture(state, &write, &mut changes);
    if changes.text("reference").is_none_or(|text| text.trim().is_empty())
        && let Some(name) = changes.text("name")
    {
        let reference = default_reference(&write.caller.identity.account, name);
        changes.set("reference", Input::Text(reference));
    }
    write.fill_source(state, Mode::Create, &mut changes);
    // A body that is refused for what it says leaves no picture either.
    if let Some(picture) = picture
        && changes.check().is_ok()
    {
        picture.keep(state).await?;
    }
    write
        .run(state, (changes, scopes), |transaction, state, write, (changes, scopes)| {
            insert(transaction, state, write, changes.clone(), scopes).boxed()
        })
        .await
}

/// The picture in a body, as a `data:` URL.
fn take_picture(state: &AppState, write: &Write, changes: &mut Changes) -> Option<Picture> {
    pictures::take(state, &write.caller.identity.account, changes, "picture_uri")
}

async fn insert(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    mut changes: Changes,
    scopes: &ScopeChanges,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    check_references(transaction, account, &mut changes).await?;
    attachments::service::check(transaction, account, &mut changes).await?;
    scopes.find(transaction, None, &mut changes).await?;
    check_reference(transaction, None, &mut changes).await?;
    changes.check()?;
    let now = state.clock.now();
    let mut row = ActiveModel {
        account_id: Set(account.to_owned()),
        draft_id: Set(None),
        published: Set(false),
        latest: Set(true),
        disabled: Set(false),
        openid_connect_discovery: Set(false),
        requires_enabled_oauth_person: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    changes.apply(&mut row)?;
    let row = row.insert(transaction).await.map_err(taken("reference"))?;
    let files =
        attachments::service::apply(transaction, account, &RECORD, row.id, &changes, now).await?;
    audit::created(&row)?.with(files).write(transaction, caller.identity.person, now).await?;
    scopes.apply(transaction, caller, &row, Vec::new(), now).await?;
    let scope = Scope::own(row.id);
    write.answer(transaction, state, &RECORD, scope, 201).await
}

/// Changes a draft or a published version.
///
/// # Errors
/// 404 for what the caller cannot see, 403 for another account's, 412 for a stale `If-Match`, 422 with
/// everything that is wrong with the body.
pub async fn update(state: &AppState, write: Write, id: &str) -> Result<axum::response::Response> {
    write.refuse_unknown(&RECORD, scopes::NAMES)?;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let mut changes = Changes::read(&RECORD, &write.body, Mode::Update, &write.caller.view);
    let scopes = ScopeChanges::read(&write, &mut changes)?;
    write.fill_source(state, Mode::Update, &mut changes);
    check_templates(&mut changes);
    let picture = take_picture(state, &write, &mut changes);
    let is_blank =
        |value: &Value| value.as_str().map_or(value.is_null(), |it| it.trim().is_empty());
    if write.body.get("reference").is_some_and(is_blank) {
        changes.refuse("reference", Violation::Blank);
    }
    // A body that is refused for what it says leaves no picture either.
    if let Some(picture) = picture
        && changes.check().is_ok()
    {
        picture.keep(state).await?;
    }
    write
        .run(state, (id, changes, scopes), |transaction, state, write, (id, changes, scopes)| {
            change(transaction, state, write, *id, changes.clone(), scopes).boxed()
        })
        .await
}

/// Applies changes to a record of the caller's account.
pub(super) async fn change(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
    mut changes: Changes,
    scopes: &ScopeChanges,
) -> Result<Answer> {
    let caller = &write.caller;
    let account = &*caller.identity.account;
    let before = locking::find(transaction, caller, id).await?;
    let scope = Scope::own(id);
    write.check_precondition(transaction, &RECORD, scope).await?;
    if let Some(reference) = changes.text("reference")
        && reference != before.reference
        && is_published(transaction, &before).await?
    {
        changes.refuse("reference", Violation::NotChangeable);
    }
    check_references(transaction, account, &mut changes).await?;
    attachments::service::check(transaction, account, &mut changes).await?;
    let removed = scopes.find(transaction, Some(&before), &mut changes).await?;
    check_reference(transaction, Some(&before), &mut changes).await?;
    changes.check()?;
    let now = state.clock.now();
    let mut row: ActiveModel = before.clone().into();
    changes.apply(&mut row)?;
    if locking::is_installed(transaction, &before).await? {
        refuse_what_was_agreed(&row, scopes, &mut changes)?;
    }
    let files =
        attachments::service::apply(transaction, account, &RECORD, id, &changes, now).await?;
    if row.is_changed() || !files.is_empty() {
        row.updated_at = Set(now);
        let after = row.update(transaction).await.map_err(taken("reference"))?;
        let entry = audit::updated(&before, &after)?.with(files);
        entry.write(transaction, caller.identity.person, now).await?;
    }
    scopes.apply(transaction, caller, &before, removed, now).await?;
    write.answer(transaction, state, &RECORD, scope, 200).await
}

/// What customers have agreed to, and what was generated for them from it, stays as it is in the version that
/// they have installed: changes come as another version, which they approve.
fn refuse_what_was_agreed(
    row: &ActiveModel,
    scopes: &ScopeChanges,
    changes: &mut Changes,
) -> Result<()> {
    let differ = [
        ("webhook_uri_template", row.webhook_uri_template.is_set()),
        ("openid_connect_discovery", row.openid_connect_discovery.is_set()),
        ("policy_jwt_alg", row.policy_jwt_alg.is_set()),
        ("policy_jwt_audience", row.policy_jwt_audience.is_set()),
        ("policy_jwt_claim_expires_in", row.policy_jwt_claim_expires_in.is_set()),
        ("ui_extension_version", row.ui_extension_version_id.is_set()),
    ];
    changes.refuse_where(differ, &Violation::InUse);
    for name in scopes.names() {
        changes.refuse(name, Violation::InUse);
    }
    changes.check()
}

/// Whether this is a published version, or a draft that has one.
async fn is_published(transaction: &DatabaseTransaction, offering: &Model) -> Result<bool> {
    if offering.published {
        return Ok(true);
    }
    let version = Entity::of(&offering.account_id).filter(COLUMN.draft_id.eq(offering.id));
    Ok(version.one(transaction).await?.is_some())
}

/// The reference of an offering that is created without one (contract 2.5): every blank becomes an
/// underscore, nothing else is changed.
fn default_reference(account: &str, name: &str) -> String {
    let reference = format!("{account}_{}", name.trim().to_lowercase().replace(' ', "_"));
    // Lower-casing can lengthen a name; the limit stands.
    reference.chars().take(dto::REFERENCE_MAX as usize).collect()
}

/// URL templates must be absolute http or https addresses once `{account}` is replaced, and the
/// account must not decide where the message goes. Customers read them: credentials are none there.
fn check_templates(changes: &mut Changes) {
    for field in ["webhook_uri_template", "configuration_uri_template"] {
        if changes.text(field).is_some_and(|text| !is_url_template(text)) {
            changes.refuse(field, Violation::Invalid);
        }
    }
}

fn is_url_template(template: &str) -> bool {
    // Clients that normalise URLs encode the braces.
    let text = template.replace("%7Baccount%7D", "{account}").replace("%7baccount%7d", "{account}");
    // No host has a label like that, so what has it now is where the account stands.
    const ACCOUNT: &str = "account--of-a-customer";
    let text = text.replace("{account}", ACCOUNT);
    let is_open = |url: &url::Url| url.username().is_empty() && url.password().is_none();
    // Whose host it is, is the template's to say: `{account}.example.org`, not `example.{account}`.
    let is_fixed = |url: &url::Url| {
        let mut labels = url.host_str().unwrap_or_default().rsplit('.').take(2);
        labels.all(|label| !label.contains(ACCOUNT))
    };
    is_http_url(&text) && url::Url::parse(&text).is_ok_and(|url| is_open(&url) && is_fixed(&url))
}

/// Tells that another draft has the reference together with everything else that is wrong. A body that
/// is right otherwise is refused by the unique index, which no race gets past.
async fn check_reference(
    transaction: &DatabaseTransaction,
    before: Option<&Model>,
    changes: &mut Changes,
) -> Result<()> {
    let Some(reference) = changes.text("reference").filter(|_| changes.is_refused()) else {
        return Ok(());
    };
    // Of all accounts, as the index has it.
    let holder = Entity::find()
        .filter(COLUMN.reference.eq(reference))
        .filter(COLUMN.draft_id.is_null())
        .one(transaction)
        .await?;
    if holder.is_some_and(|holder| before.is_none_or(|before| before.id != holder.id)) {
        changes.refuse("reference", Violation::Taken);
    }
    Ok(())
}

/// Referenced records must exist in the caller's account.
async fn check_references(
    transaction: &DatabaseTransaction,
    account: &str,
    changes: &mut Changes,
) -> Result<()> {
    if let Some(id) = changes.int("service_instance") {
        use service_instances::entity::{COLUMN, Entity};
        if Entity::of(account).filter(COLUMN.id.eq(id)).one(transaction).await?.is_none() {
            changes.refuse("service_instance", Violation::MustExist);
        }
    }
    if let Some(id) = changes.int("ui_extension_version") {
        use ui_extensions::{entity, version_entity};
        let version = version_entity::Entity::of(account)
            .filter(version_entity::COLUMN.id.eq(id))
            .one(transaction)
            .await?;
        let extension = match version {
            Some(version) => {
                entity::Entity::find_by_id(version.ui_extension_id).one(transaction).await?
            }
            None => None,
        };
        match extension {
            None => changes.refuse("ui_extension_version", Violation::MustExist),
            Some(extension) if extension.category != "app_offering" => {
                changes.refuse("ui_extension_version", Violation::Invalid);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blank_of_a_name_becomes_an_underscore() {
        let reference = |name| default_reference("acme", name);
        assert_eq!(reference("Log Note  Dispatcher & Co."), "acme_log_note__dispatcher_&_co.");
        assert_eq!(reference("  Ärger ÉTÉ  "), "acme_ärger_été");
        assert_eq!(reference(&"İ".repeat(128)).chars().count(), 161);
    }

    #[test]
    fn templates_are_addresses_wherever_the_account_stands() {
        for good in [
            "https://example.org/{account}/hook",
            "https://{account}.example.org/",
            "https://hooks-{account}.example.org:8443/",
            "http://example.org/?a={account}&b=%7Baccount%7D",
            "HTTPS://example.org",
        ] {
            assert!(is_url_template(good), "{good}");
        }
        for bad in [
            "{account}",
            "ftp://example.org/",
            "example.org",
            "https://",
            "https://a b/",
            "//x",
            "https://me:secret@example.org/{account}",
            "https://{account}@example.org/",
            "https://{account}/",
            "https://example{account}/",
            "https://example.{account}/",
            "https://my-{account}.org/",
            "https://example.org:{account}/",
        ] {
            assert!(!is_url_template(bad), "{bad}");
        }
    }
}
