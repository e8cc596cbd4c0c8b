//! The rules of publishing: only a draft can be published, and its copy becomes the newest version.
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, NotSet, QueryFilter, Set};
use serde_json::{Map, json};

use super::belongings;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::record::select::Scope;
use crate::offering_api::app_offering_automation_rules::entity::Entity as Rules;
use crate::offering_api::app_offerings::dto::RECORD;
use crate::offering_api::app_offerings::entity::{ActiveModel, COLUMN, Entity, Model};
use crate::offering_api::app_offerings::locking;
use crate::offering_api::app_offerings::scopes::entity::Entity as Scopes;
use crate::offering_api::attachments;
use crate::offering_api::resource::{self, Write};

/// Publishes a draft.
///
/// # Errors
/// 404, 403 and 412 as for a change; 422 for a published version, which is published already.
pub async fn publish(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, id, |transaction, state, write, id| {
            publish_draft(transaction, state, write, *id).boxed()
        })
        .await
}

async fn publish_draft(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
) -> Result<Answer> {
    let caller = &write.caller;
    let draft = locking::find(transaction, caller, id).await?;
    write.check_precondition(transaction, &RECORD, Scope::own(id)).await?;
    if draft.published {
        return Err(Error::Unprocessable(
            "Only a draft can be published; this record is a published version".to_owned(),
        ));
    }
    let now = state.clock.now();
    let version = copy(transaction, caller.identity.person, &draft, now).await?;
    let scope = Scope::own(version.id);
    write.answer(transaction, state, &RECORD, scope, 201).await
}

/// Copies a draft, with its files, scopes and automation rules, into the newest published version. The
/// caller has locked the draft, so that another who publishes it sees this version as the former one.
///
/// # Errors
/// The database's.
pub async fn copy(
    transaction: &DatabaseTransaction,
    person: i64,
    draft: &Model,
    now: i64,
) -> Result<Model> {
    // The former version first: a unique index allows one latest version per draft.
    let former = Entity::of(&draft.account_id)
        .filter(COLUMN.draft_id.eq(draft.id))
        .filter(COLUMN.latest.eq(true))
        .one(transaction)
        .await?;
    if let Some(former) = former {
        let mut row = ActiveModel::from(former.clone());
        row.latest = Set(false);
        row.updated_at = Set(now);
        let after = row.update(transaction).await?;
        audit::updated(&former, &after)?.write(transaction, person, now).await?;
    }
    let mut version = ActiveModel::from(draft.clone()).reset_all();
    version.id = NotSet;
    version.draft_id = Set(Some(draft.id));
    version.published = Set(true);
    version.latest = Set(true);
    version.created_at = Set(now);
    version.updated_at = Set(now);
    let version = version.insert(transaction).await?;
    attachments::service::copy(transaction, &RECORD, draft.id, version.id).await?;
    audit::created(&version)?.write(transaction, person, now).await?;
    belongings::copy::<Scopes>(transaction, person, (draft, &version), now).await?;
    belongings::copy::<Rules>(transaction, person, (draft, &version), now).await?;
    let mut published = Map::new();
    published.insert("published_as".to_owned(), json!([null, version.id]));
    audit::info(draft, published)?.write(transaction, person, now).await?;
    Ok(version)
}
