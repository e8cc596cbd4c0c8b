//! Publishing: a copy of the draft becomes the newest published version (contract 2.6).
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, NotSet, QueryFilter, Set};

use super::dto::RECORD;
use super::entity::{self, ActiveModel, COLUMN, Entity};
use super::scopes;
use super::service::{answer, find, record};
use crate::directory::state::AppState;
use crate::kernel::audit::{self, Action};
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::record::select::Scope;
use crate::offering_api::resource::{self, Write};
use crate::offering_api::{app_offering_automation_rules, attachments};

/// Publishes a draft.
///
/// # Errors
/// 404, 403 and 412 as for a change; 422 for a published version, which is published already.
pub async fn publish(state: &AppState, write: Write, id: &str) -> Result<axum::response::Response> {
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    write
        .run(state, id, |transaction, state, write, id| {
            copy(transaction, state, write, *id).boxed()
        })
        .await
}

async fn copy(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    id: i64,
) -> Result<Answer> {
    let caller = &write.caller;
    let draft = find(transaction, caller, id).await?;
    write.check_precondition(transaction, &RECORD, Scope { condition: entity::OWN, id }).await?;
    if draft.published {
        return Err(Error::Unprocessable(
            "Only a draft can be published; this record is a published version".to_owned(),
        ));
    }
    let now = state.clock.now();
    // The former version first: a unique index allows one latest version per draft. `find` has locked
    // the draft, so that another who publishes it sees this version as the former one.
    Entity::update_many()
        .col_expr(entity::Column::Latest, Expr::value(false))
        .filter(COLUMN.draft_id.eq(id))
        .filter(COLUMN.latest.eq(true))
        .exec(transaction)
        .await?;
    let mut version: ActiveModel = ActiveModel::from(draft.clone()).reset_all();
    version.id = NotSet;
    version.draft_id = Set(Some(id));
    version.published = Set(true);
    version.latest = Set(true);
    version.created_at = Set(now);
    version.updated_at = Set(now);
    let version = version.insert(transaction).await?;
    attachments::service::copy(transaction, &RECORD, id, version.id).await?;
    let changes = audit::changes(&RECORD, None, Some(&version))?;
    record(caller, &version, Action::Create, changes, now).write(transaction).await?;
    let person = caller.identity.person;
    scopes::service::copy(transaction, person, &draft, &version, now).await?;
    app_offering_automation_rules::service::copy(transaction, person, &draft, &version, now)
        .await?;
    let mut published = serde_json::Map::new();
    published.insert("published_as".to_owned(), serde_json::json!([null, version.id]));
    record(caller, &draft, Action::Info, published, now).write(transaction).await?;
    answer(transaction, state, caller, version.id, 201).await
}
