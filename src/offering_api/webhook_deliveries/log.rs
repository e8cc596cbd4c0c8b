//! The delivery log: what was sent to a webhook, and how to send it once more.
use axum::response::Response;
use chrono::{DateTime, SecondsFormat};
use futures_util::FutureExt;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value, json};

use super::dto::RECORD;
use super::message::{Content, Message};
use crate::directory::state::AppState;
use crate::kernel::db::{Row, Source};
use crate::kernel::delivery::entity::{COLUMN, Column, Entity, Model, WAITING, attempt};
use crate::kernel::delivery::{self, NewDelivery};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::answer;
use crate::kernel::idempotency::Answer;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::select::{self, Scope, Sql};
use crate::kernel::secret::{MasterKey, Purpose};
use crate::kernel::time_zone::parse_timestamp;
use crate::offering_api::access::Caller;
use crate::offering_api::resource::{self, Write};
use crate::offering_api::webhooks;
use crate::offering_api::webhooks::dto::RECORD as WEBHOOK;
use crate::offering_api::webhooks::messages;

/// SQL condition for the deliveries of one webhook of the caller's account; `{id}` is the webhook.
pub const OF_WEBHOOK: &str = "t.account_id = {account} AND t.lane_id IN (\
     SELECT l.id FROM delivery_lanes l WHERE l.kind = 'webhook' AND l.target_id = {id})";

/// Most messages that are queued once more at a time.
const MOST: i64 = 1_000;

const WAITS: &str = "The message waits for its next attempt; it can be delivered once more when it was \
                     delivered or given up";
const FORGOTTEN: &str = "The secrets of this message were delivered and are not kept";
const VOID: &str = "The code in this message is void or soon will be: update the webhook, and it gets \
                    another one";

/// Answers a delivery with its message and its attempts.
///
/// # Errors
/// 404 for what the account does not have.
pub async fn get(state: &AppState, caller: &Caller, id: &str, delivery: &str) -> Result<Response> {
    let webhook = resource::record_id(&WEBHOOK, id, caller)?;
    let db = state.store.connection();
    let account = &*caller.identity.account;
    let found = webhooks::entity::Entity::of(account);
    let found = found.filter(webhooks::entity::COLUMN.id.eq(webhook)).one(db).await?;
    let webhook = found.ok_or(Error::NotFound)?;
    let number = number(state.store.committed(), caller, webhook.id, delivery).await?;
    let row = Entity::find_by_id(number).one(db).await?.ok_or(Error::NotFound)?;
    let attempts = attempt::Entity::find()
        .filter(attempt::COLUMN.delivery_id.eq(number))
        .order_by_asc(attempt::Column::Number)
        .all(db)
        .await?;
    let scope = Scope::own(number);
    let body = select::one(state.store.committed(), &RECORD, scope, &caller.view).await?;
    let body = body.ok_or(Error::NotFound)?;
    let mut shown: Map<String, Value> = serde_json::from_slice(&body).map_err(Error::internal)?;
    let content: Content = serde_json::from_str(&row.payload).map_err(Error::internal)?;
    let message = Message::new(&state.site, &webhook, &row, content, Map::new());
    shown.insert("message".to_owned(), serde_json::to_value(message).map_err(Error::internal)?);
    shown.insert("attempts".to_owned(), attempts.iter().map(show).collect());
    let body = Value::Object(shown).to_string().into_bytes();
    Ok(answer::found(caller.if_none_match.as_ref(), body))
}

fn show(attempt: &attempt::Model) -> Value {
    let at = DateTime::from_timestamp_millis(attempt.started_at);
    let at = at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let headers: Value = serde_json::from_str(&attempt.request_headers).unwrap_or_default();
    json!({
        "number": attempt.number,
        "started_at": at,
        "duration": attempt.duration,
        "request_url": attempt.request_url,
        "request_headers": headers,
        "response_status": attempt.response_status,
        "response_body": attempt.response_body,
        "error": attempt.error,
    })
}

/// The number of a delivery of a webhook, by its number, nodeID or id.
async fn number(source: Source<'_>, caller: &Caller, webhook: i64, text: &str) -> Result<i64> {
    let uuid = uuid::Uuid::try_parse(text).ok().map(|id| id.hyphenated().to_string());
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT t.id FROM deliveries t WHERE ");
    sql.template(OF_WEBHOOK, &caller.identity.account, webhook);
    match uuid {
        Some(uuid) => sql.push(" AND t.delivery_id = ").bind(uuid.as_str()),
        None => sql.push(" AND t.id = ").bind(resource::record_id(&RECORD, text, caller)?),
    };
    let read = |id: &mut Option<i64>, row: &dyn Row| *id = row.int(0);
    source.fetch(sql.query(false), None, read).await?.ok_or(Error::NotFound)
}

/// The same message under a new id.
///
/// # Errors
/// 422 when it is not there any more, in words for the caller.
fn again(key: &MasterKey, webhook: i64, former: &Model) -> Result<NewDelivery> {
    let refuse = |text: &str| Err(Error::Unprocessable(text.to_owned()));
    if former.state == WAITING {
        return refuse(WAITS);
    }
    let content: Content = serde_json::from_str(&former.payload).map_err(Error::internal)?;
    // What verifies: whatever else has secrets tells of an event.
    if former.event_id.is_none() && content.has_secrets {
        return refuse(VOID);
    }
    let delivery_id = uuid::Uuid::new_v4().to_string();
    let secrets = match &former.secrets {
        Some(sealed) => {
            let opened = key.open(Purpose::Message, former.delivery_id.as_bytes(), sealed);
            let opened = opened.ok_or_else(|| {
                Error::internal(format!("the secrets of {} cannot be opened", former.delivery_id))
            })?;
            Some(key.seal(Purpose::Message, delivery_id.as_bytes(), &opened))
        }
        None if content.has_secrets => return refuse(FORGOTTEN),
        None => None,
    };
    let origin = former.origin_id.as_ref().unwrap_or(&former.delivery_id);
    Ok(NewDelivery {
        lane: messages::lane(webhook),
        account: former.account_id.clone(),
        delivery_id,
        origin_id: Some(origin.clone()),
        event_id: former.event_id,
        event: former.event.clone(),
        object: former.object.clone(),
        payload: serde_json::to_value(&content).map_err(Error::internal)?,
        secrets,
        pause: 0,
    })
}

/// Queues a message once more.
///
/// # Errors
/// 404 for what the account does not have, 422 while it waits and when its secrets are gone.
pub async fn redeliver(
    state: &AppState,
    write: Write,
    id: &str,
    delivery: &str,
) -> Result<Response> {
    let webhook = resource::record_id(&WEBHOOK, id, &write.caller)?;
    write
        .run(state, (webhook, delivery.to_owned()), |transaction, state, write, (id, delivery)| {
            queue_one(transaction, state, write, *id, delivery).boxed()
        })
        .await
}

async fn queue_one(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    webhook: i64,
    delivery: &str,
) -> Result<Answer> {
    let source = Source::Transaction(transaction);
    let former = number(source, &write.caller, webhook, delivery).await?;
    write.check_precondition(transaction, &RECORD, Scope::own(former)).await?;
    let former = Entity::find_by_id(former).one(transaction).await?.ok_or(Error::NotFound)?;
    let new = again(&state.site.key, webhook, &former)?;
    delivery::enqueue(transaction, std::slice::from_ref(&new), state.clock.now_millis()).await?;
    let made = number(source, &write.caller, webhook, &new.delivery_id).await?;
    let body = resource::show(transaction, &RECORD, Scope::own(made), &write.caller).await?;
    let page = resource::location(state, &write.caller, &WEBHOOK, webhook);
    let location = Some(format!("{page}/deliveries/{made}"));
    Ok(Answer { status: 201, location, body })
}

/// Queues once more what was given up since a time.
///
/// # Errors
/// 404 for what the account does not have, 422 without a time.
pub async fn replay(state: &AppState, write: Write, id: &str) -> Result<Response> {
    let webhook = resource::record_id(&WEBHOOK, id, &write.caller)?;
    write.refuse_others(&["since"])?;
    let since = match write.body.get("since") {
        None | Some(Value::Null) => return Err(Error::invalid("since", Violation::Blank)),
        Some(Value::String(text)) => parse_timestamp(text, write.caller.view.time_zone),
        Some(_) => None,
    };
    let since = since.ok_or_else(|| Error::invalid("since", Violation::Invalid))?;
    write
        .run(state, (webhook, since), |transaction, state, write, (webhook, since)| {
            queue_failed(transaction, state, write, *webhook, *since).boxed()
        })
        .await
}

async fn queue_failed(
    transaction: &DatabaseTransaction,
    state: &AppState,
    write: &Write,
    webhook: i64,
    since: i64,
) -> Result<Answer> {
    let account = &*write.caller.identity.account;
    let source = Source::Transaction(transaction);
    if !select::exists(source, &WEBHOOK, Scope::own(webhook), account).await? {
        return Err(Error::NotFound);
    }
    let mut sql = Sql::new(source.dialect());
    sql.push("SELECT t.id FROM deliveries t WHERE ").template(OF_WEBHOOK, account, webhook);
    sql.push(" AND t.state = 'failed' AND t.event_id IS NOT NULL AND t.finished_at >= ");
    // What was tried once more since has its own place in the log.
    sql.bind(since).push(
        " AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.lane_id = t.lane_id AND n.id > t.id \
         AND n.origin_id = COALESCE(t.origin_id, t.delivery_id)) ORDER BY t.id LIMIT ",
    );
    sql.bind(MOST + 1);
    let read = |ids: &mut Vec<i64>, row: &dyn Row| ids.extend(row.int(0));
    let mut ids = source.fetch(sql.query(true), Vec::new(), read).await?;
    let most = usize::try_from(MOST).map_err(Error::internal)?;
    let more = ids.len() > most;
    ids.truncate(most);
    let failed = Entity::find().filter(COLUMN.id.is_in(ids)).order_by_asc(Column::Id);
    let failed = failed.all(transaction).await?;
    let again = |former: &Model| again(&state.site.key, webhook, former);
    let new = failed.iter().map(again).collect::<Result<Vec<_>>>()?;
    delivery::enqueue(transaction, &new, state.clock.now_millis()).await?;
    let body = json!({"count": new.len(), "more": more}).to_string().into_bytes();
    Ok(Answer { status: 200, location: None, body })
}
