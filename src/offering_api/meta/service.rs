//! The caller, their account and the enumerations.
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::dto;
use crate::directory::state::AppState;
use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::answer;
use crate::kernel::language::Language;
use crate::kernel::language::enumerations::{self as known, CURRENCIES, enum_text};
use crate::kernel::node_id;
use crate::kernel::record::select::{self, Scope, Sql};
use crate::kernel::time_zone::TimeZone;
use crate::offering_api::access::Caller;
use crate::offering_api::resource;

/// The person of the token.
///
/// # Errors
/// The database's.
pub async fn me(state: &AppState, caller: &Caller) -> Result<Response> {
    let scope = Scope::own(caller.identity.person);
    let body = select::one(state.store.committed(), &dto::PERSON, scope, &caller.view).await?;
    Ok(answer::found(caller.if_none_match.as_ref(), body.ok_or(Error::NotFound)?))
}

/// What is read of an account: name, time zone, locale, owner's number and name.
type AccountRow = (String, String, String, Option<(i64, String)>);

/// The account that the call is about.
///
/// # Errors
/// The database's.
pub async fn account(state: &AppState, caller: &Caller) -> Result<Response> {
    let id = &*caller.view.account;
    let mut sql = Sql::new(state.store.dialect());
    sql.push(
        "SELECT a.name, a.time_zone, a.locale, p.id, p.name FROM accounts a \
         LEFT JOIN people p ON p.id = (SELECT MIN(id) FROM people \
         WHERE account_id = a.id AND administrator AND NOT disabled) WHERE a.id = ",
    )
    .bind(id);
    let read = |found: &mut Option<AccountRow>, row: &dyn Row| {
        let text = |at| row.text(at).unwrap_or_default().into_owned();
        *found = Some((text(0), text(1), text(2), row.int(3).map(|id| (id, text(4)))));
    };
    let found = state.store.committed().fetch(sql.query(false), None, read).await?;
    let (name, time_zone, locale, owner) = found.ok_or(Error::NotFound)?;
    let site = &state.site;
    let owner = owner.map(|(id, name)| {
        let node_id = node_id::encode(&site.domain, dto::PERSON_NODE_TYPE, id);
        json!({"id": id, "name": name, "nodeID": node_id})
    });
    let account = json!({
        "id": id,
        "name": name,
        "url": site.account_url(id),
        "plan": dto::PLAN,
        // What this service keeps nothing about is null.
        "currency": null,
        "locale": locale,
        "time_zone": dto::time_zone(&time_zone),
        // No settings of an account: the contract's defaults.
        "time_format_24h": true,
        "start_of_week": "mon",
        "strong_privacy": false,
        "organization": null,
        "owner": owner,
        "directory_account": null,
    });
    Ok(resource::found(caller, &account))
}

/// The enumerations with their texts in the caller's language.
pub fn enumerations(caller: &Caller) -> Response {
    resource::found(caller, &Value::Object(texts(caller.language)))
}

fn texts(language: Language) -> Map<String, Value> {
    let named = |name: &str, id: &str| json!({"id": id, "txt": enum_text(name, id, language)});
    let mut all: Map<String, Value> = known::enumerations()
        .map(|(name, ids)| (name.to_owned(), ids.map(|id| named(name, id)).collect()))
        .collect();
    let currencies = CURRENCIES.iter().map(|(code, _)| named(dto::CURRENCY, code));
    all.insert(dto::CURRENCY.to_owned(), currencies.collect());
    let zones = TimeZone::all()
        .map(|zone| json!({"id": zone.name(), "txt": zone.name(), "code": zone.tz().name()}));
    all.insert(dto::TIME_ZONES.to_owned(), zones.collect());
    all
}
