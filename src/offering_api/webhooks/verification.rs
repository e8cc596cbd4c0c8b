//! Verification: whoever can read what is sent to an address proves it by a code (contract 4.5).
//!
//! The code is part of an address on the host of the account. It is not kept: only a keyed hash of it is,
//! together with the webhook and the time that it is for.
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat};
use futures_util::FutureExt;
use http::{HeaderValue, Method, StatusCode, header};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, QueryFilter, QuerySelect, Set,
};
use serde_json::json;

use super::address;
use super::dto::{RECORD, VERIFY};
use super::entity::{ActiveModel, COLUMN, Entity, Model};
use super::messages::LANES;
use crate::directory::state::AppState;
use crate::kernel::delivery;
use crate::kernel::error::{Error, Result};
use crate::kernel::events::{self, NewEvent};
use crate::kernel::record::schema;
use crate::kernel::secret::{MasterKey, Purpose, random_text};
use crate::kernel::state::Site;
use crate::literal_schema;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "webhooks";

/// How long a code can be used, in milliseconds: a day.
const LIFETIME: i64 = 24 * 60 * 60 * 1000;
/// Characters of a code, of which 62 there are: 142 bits.
const CODE_LENGTH: usize = 24;

/// Begins the verification of a webhook's address, which voids an earlier code: returns the address to be
/// called. It is verified already, and there is none, when exactly the same address, with name and password,
/// of another webhook of the account is.
///
/// # Errors
/// The database's; 500 when another master key has sealed the name and password.
pub(super) async fn begin(
    transaction: &DatabaseTransaction,
    site: &Site,
    webhook: Model,
    now: i64,
) -> Result<(Model, Option<String>)> {
    let alike = Entity::of(&webhook.account_id)
        .filter(COLUMN.uri.eq(webhook.uri.as_str()))
        .filter(COLUMN.id.ne(webhook.id))
        .filter(COLUMN.verified_at.is_not_null());
    let is_verified = if webhook.credentials.is_none() {
        alike.one(transaction).await?.is_some()
    } else {
        // They are kept masked: another name and password may lead to another receiver.
        let whole = address::whole(&site.key, &webhook)?;
        let is_same = |it: &Model| address::whole(&site.key, it).is_ok_and(|other| other == whole);
        alike.all(transaction).await?.iter().any(is_same)
    };
    let expires_at = now + LIFETIME;
    let (id, account) = (webhook.id, webhook.account_id.clone());
    let mut row: ActiveModel = webhook.into();
    let callback = if is_verified {
        row.verified_at = Set(Some(now));
        row.code_hash = Set(None);
        row.code_expires_at = Set(None);
        None
    } else {
        let code = random_text(CODE_LENGTH);
        row.verified_at = Set(None);
        row.code_hash = Set(Some(hex::encode(hash(&site.key, id, &code, expires_at))));
        row.code_expires_at = Set(Some(expires_at));
        let account = site.account_url(&account);
        let seconds = expires_at / 1000;
        Some(format!("{account}/webhooks/{id}/verify?code={code}&expires_at={seconds}"))
    };
    Ok((row.update(transaction).await?, callback))
}

/// What is kept of a code.
fn hash(key: &MasterKey, webhook: i64, code: &str, expires_at: i64) -> [u8; 32] {
    key.sign(Purpose::Code, &parts(&webhook.to_be_bytes(), code, &expires_at.to_be_bytes()))
}

fn parts<'a>(webhook: &'a [u8; 8], code: &'a str, expires_at: &'a [u8; 8]) -> [&'a [u8]; 4] {
    [b"webhook", webhook, code.as_bytes(), expires_at]
}

/// Query parameters of the callback.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `Call::read` reads")]
pub(super) struct CallbackQuery {
    /// The code of the message `webhook.verify`.
    #[param(
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "p1Xq7cVb2nTz8wRk4mYs6hLd"
    )]
    code: String,
    /// When it expires, in seconds since 1970-01-01T00:00:00Z.
    #[param(minimum = 0, maximum = 9007199254740991_i64, example = 1770020100)]
    expires_at: i64,
}

literal_schema!(VerificationText: schema::from_json(json!({
    "type": "string", "maxLength": 200, "pattern": schema::ANY_TEXT,
    "description": "What came of it.", "examples": ["Verification successful"],
})));

/// Verify the address of a webhook
///
/// The `callback` of the message `webhook.verify`: the code in it is the proof, no token is needed. On the
/// host of the account it is `/webhooks/{id}/verify`. Calls may be repeated. HEAD is answered alike and
/// verifies nothing.
#[utoipa::path(
    get, path = "/{id}/verify", tag = TAG, operation_id = "verify_webhook",
    params(
        ("account" = String, Path, description = "Id of the account.", min_length = 1, max_length = 32,
         pattern = "^[a-z0-9-]+$", example = "wdc"),
        ("id" = String, Path, description = "Number of the webhook.", example = "1"),
        CallbackQuery,
    ),
    responses(
        (status = OK, description = "The address is verified.", body = VerificationText, content_type = "text/plain"),
        (status = BAD_REQUEST, description = "The code or its time is missing.", body = VerificationText, content_type = "text/plain"),
        (status = FORBIDDEN, description = "The code is wrong, or void because a newer one was sent.", body = VerificationText, content_type = "text/plain"),
        (status = GONE, description = "The code has expired.", body = VerificationText, content_type = "text/plain"),
    ),
)]
pub async fn follow(
    State(state): State<AppState>,
    Path((account, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    method: Method,
) -> Result<Response> {
    // HEAD comes here too. Who checks links asks that way, and has not called anything yet.
    answer(&state, account, &id, query.as_deref(), method != Method::HEAD).await
}

/// Verify the address of a webhook (POST)
///
/// The same as GET. A body is not looked at.
#[utoipa::path(
    post, path = "/{id}/verify", tag = TAG, operation_id = "confirm_webhook",
    params(
        ("account" = String, Path, description = "Id of the account.", min_length = 1, max_length = 32,
         pattern = "^[a-z0-9-]+$", example = "wdc"),
        ("id" = String, Path, description = "Number of the webhook.", example = "1"),
        CallbackQuery,
    ),
    responses(
        (status = OK, description = "The address is verified.", body = VerificationText, content_type = "text/plain"),
        (status = BAD_REQUEST, description = "The code or its time is missing.", body = VerificationText, content_type = "text/plain"),
        (status = FORBIDDEN, description = "The code is wrong, or void because a newer one was sent.", body = VerificationText, content_type = "text/plain"),
        (status = GONE, description = "The code has expired.", body = VerificationText, content_type = "text/plain"),
    ),
)]
pub async fn confirm(
    State(state): State<AppState>,
    Path((account, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    answer(&state, account, &id, query.as_deref(), true).await
}

/// What a callback comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The code is right, and the address verified from now on.
    Right,
    /// It was verified with this code before.
    Again,
    Wrong,
    Expired,
}

/// A callback.
struct Call {
    state: AppState,
    account: String,
    webhook: i64,
    code: String,
    /// Milliseconds.
    expires_at: i64,
}

/// What a callback answers; whether it also `verifies`.
async fn answer(
    state: &AppState,
    account: String,
    id: &str,
    query: Option<&str>,
    verifies: bool,
) -> Result<Response> {
    let webhook = id.parse().map_err(|_| Error::NotFound)?;
    let parameter = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let expires_at = parameter("expires_at").and_then(|text| text.parse::<i64>().ok());
    let (Some(code), Some(expires_at)) = (parameter("code"), expires_at) else {
        return Ok(text(
            StatusCode::BAD_REQUEST,
            "The address is not complete: call it with code and expires_at, as the message has it",
        ));
    };
    let expires_at = expires_at.saturating_mul(1000);
    let call = Call { state: state.clone(), account, webhook, code, expires_at };
    // Guesses do not make others wait for a transaction.
    let mut verdict = call.judge(&call.find(state.store.connection()).await?);
    if verdict == Verdict::Right && verifies {
        let verify = state.store.write(call, |transaction, call| call.verify(transaction).boxed());
        verdict = verify.await?;
    }
    Ok(match verdict {
        Verdict::Right | Verdict::Again => text(StatusCode::OK, "Verification successful"),
        Verdict::Wrong => text(
            StatusCode::FORBIDDEN,
            "The code is wrong, or void because a newer one was sent: use that of the last message",
        ),
        Verdict::Expired => text(
            StatusCode::GONE,
            "The code has expired: update the webhook, and it gets a new one",
        ),
    })
}

impl Call {
    async fn find(&self, db: &impl ConnectionTrait) -> Result<Model> {
        let webhook = Entity::of(&self.account).filter(COLUMN.id.eq(self.webhook));
        webhook.one(db).await?.ok_or(Error::NotFound)
    }

    fn judge(&self, webhook: &Model) -> Verdict {
        let kept = webhook.code_hash.as_deref().and_then(|text| hex::decode(text).ok());
        let (id, time) = (self.webhook.to_be_bytes(), self.expires_at.to_be_bytes());
        let parts = parts(&id, &self.code, &time);
        // Takes the same time for right and wrong.
        let verify = |kept: Vec<u8>| self.state.site.key.verify(Purpose::Code, &parts, &kept);
        if !kept.is_some_and(verify) {
            Verdict::Wrong
        } else if webhook.verified_at.is_some() {
            Verdict::Again
        } else if self.expires_at <= self.state.clock.now_millis() {
            Verdict::Expired
        } else {
            Verdict::Right
        }
    }

    async fn verify(&self, transaction: &DatabaseTransaction) -> Result<Verdict> {
        let webhook = Entity::of(&self.account).filter(COLUMN.id.eq(self.webhook)).lock_exclusive();
        let webhook = webhook.one(transaction).await?.ok_or(Error::NotFound)?;
        // A newer code may have come between.
        let verdict = self.judge(&webhook);
        if verdict == Verdict::Right {
            let now = self.state.clock.now();
            let mut row: ActiveModel = webhook.into();
            row.verified_at = Set(Some(now));
            row.updated_at = Set(now);
            row.update(transaction).await?;
            let at = DateTime::from_timestamp_millis(now);
            // Whoever reads the message is no person of the account, so no entry of the trail tells it.
            let event = NewEvent {
                account: &self.account,
                name: "webhook.update",
                record_type: RECORD.name,
                record_id: self.webhook,
                person: None,
                audit_line: None,
                payload: json!({
                    "verified_at": at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
                }),
                secrets: None,
                now,
            };
            events::record(transaction, event).await?;
            delivery::give_up(transaction, LANES, self.webhook, VERIFY, now).await?;
            delivery::resume(transaction, LANES, self.webhook, now).await?;
        }
        Ok(verdict)
    }
}

fn text(status: StatusCode, text: &'static str) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], text).into_response()
}
