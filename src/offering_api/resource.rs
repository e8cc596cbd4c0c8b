//! What every resource of this family does alike: list, get, and change under its preconditions.
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Uri, header};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use super::access::Caller;
use crate::directory::state::AppState;
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::body::{self, BODY_LIMIT};
use crate::kernel::http::{answer, prefer};
use crate::kernel::idempotency::{self, Answer, Key};
use crate::kernel::node_id;
use crate::kernel::record::input::{Input, Mode};
use crate::kernel::record::page;
use crate::kernel::record::schema;
use crate::kernel::record::select::{self, Scope};
use crate::kernel::record::{Body, Changes, Collection, ListQuery, Record};

/// Answers a list; `predefined` is the named subset of the path.
///
/// # Errors
/// 400 for a query that cannot be understood.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    collection: &'static Collection,
    predefined: Option<&str>,
    scope: Option<Scope>,
    uri: &Uri,
) -> Result<Response> {
    let named = match predefined {
        None => None,
        Some(name) => {
            let known = collection.predefined.iter().find(|known| known.name == name);
            Some(known.ok_or(Error::NotFound)?)
        }
    };
    let query = ListQuery::parse(uri.query(), collection, named, uri.path(), &caller.view)?;
    let source = state.store.committed();
    let (body, info) = select::page(source, collection, &query, scope, &caller.view).await?;
    let mut response = answer::found(caller.if_none_match.as_ref(), body);
    page::write_headers(response.headers_mut(), &query, &info, uri.path(), &caller.view);
    Ok(response)
}

/// Answers a single record.
///
/// # Errors
/// 404 when there is none within the scope's condition.
pub async fn get(
    state: &AppState,
    caller: &Caller,
    record: &'static Record,
    condition: &'static str,
    id: &str,
) -> Result<Response> {
    let scope = Scope { condition, id: record_id(record, id, caller)? };
    let body = select::one(state.store.committed(), record, scope, &caller.view).await?;
    Ok(answer::found(caller.if_none_match.as_ref(), body.ok_or(Error::NotFound)?))
}

/// Answers a single record that is the caller's own, or that others let them see. Nearly all that is read
/// is their own, which is cheap to find; only for the rest is it worth looking up who trusts whom.
///
/// # Errors
/// 404 when there is none that is visible.
pub async fn get_visible(
    state: &AppState,
    caller: &Caller,
    record: &'static Record,
    visible: &'static str,
    id: &str,
) -> Result<Response> {
    let id = record_id(record, id, caller)?;
    let one = |scope| select::one(state.store.committed(), record, scope, &caller.view);
    let body = match one(Scope::own(id)).await? {
        None => one(Scope { condition: visible, id }).await?,
        own => own,
    };
    Ok(answer::found(caller.if_none_match.as_ref(), body.ok_or(Error::NotFound)?))
}

/// Answers what is no record but is read as one: with a tag, or 304 when the caller has it already.
pub fn found(caller: &Caller, value: &Value) -> Response {
    answer::found(caller.if_none_match.as_ref(), value.to_string().into_bytes())
}

/// Makes sure that a record exists within the scope.
///
/// # Errors
/// 404 when it does not.
pub async fn require(
    state: &AppState,
    caller: &Caller,
    record: &'static Record,
    scope: Scope,
) -> Result<()> {
    let account = &caller.view.account;
    let exists = select::exists(state.store.committed(), record, scope, account).await?;
    if exists { Ok(()) } else { Err(Error::NotFound) }
}

/// The number of a record in a path: digits or a nodeID.
///
/// # Errors
/// 404 for anything else: a record of that name does not exist.
pub fn record_id(record: &Record, text: &str, caller: &Caller) -> Result<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = if digits {
        text.parse().ok()
    } else {
        node_id::decode(&caller.view.site.domain, record.node_type, text)
    };
    id.ok_or(Error::NotFound)
}

/// A record as JSON, inside the transaction that changed it.
///
/// # Errors
/// 404 when there is none within the scope.
pub async fn show(
    transaction: &DatabaseTransaction,
    record: &'static Record,
    scope: Scope,
    caller: &Caller,
) -> Result<Vec<u8>> {
    let body = select::one(Source::Transaction(transaction), record, scope, &caller.view).await?;
    body.ok_or(Error::NotFound)
}

/// A request that changes something: caller, JSON body and preconditions.
#[derive(Clone, Debug)]
pub struct Write {
    /// Who changes.
    pub caller: Caller,
    /// The body; empty when the request had none.
    pub body: Body,
    key: Option<Key>,
    if_match: Option<String>,
    strict: bool,
    /// First non-empty of the source headers, cut to 30 characters.
    source: Option<String>,
}

impl FromRequest<AppState> for Write {
    type Rejection = Error;

    async fn from_request(request: Request, _: &AppState) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(Error::Unauthorized)?;
        let bytes = body::read(body, BODY_LIMIT).await?;
        let route = parts.extensions.get::<MatchedPath>().map_or("", |path| path.as_str());
        let route = format!("{} {route} {}", parts.method, parts.uri.path());
        let key = Key::of(&parts.headers, &caller.identity.account, &route, &bytes)?;
        let has_body = !bytes.is_empty() || parts.method != http::Method::DELETE;
        Ok(Self {
            body: if has_body { Body::parse(&bytes)? } else { Body::default() },
            key: key.filter(|_| parts.method == http::Method::POST),
            if_match: text(&parts.headers, header::IF_MATCH.as_str()).map(str::to_owned),
            strict: prefer::is_strict(&parts.headers),
            source: source(&parts.headers),
            caller,
        })
    }
}

/// A write without a body of its own: publish, delete.
#[derive(Clone, Debug)]
pub struct BareWrite(pub Write);

impl FromRequest<AppState> for BareWrite {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let bytes = body::read(body, BODY_LIMIT).await?;
        // Some clients send `{}`, some nothing.
        let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
        parts.headers.remove(header::CONTENT_LENGTH);
        let request = Request::from_parts(parts, axum::body::Body::from(bytes));
        let write = Write::from_request(request, state).await?;
        // No property is known here.
        write.refuse_others(&[])?;
        Ok(Self(write))
    }
}

impl Write {
    /// A write whose body was read elsewhere (uploads).
    ///
    /// # Errors
    /// 400 for an `Idempotency-Key` that is not one.
    pub fn of_upload(
        caller: Caller,
        headers: &HeaderMap,
        route: &str,
        content: &[u8],
    ) -> Result<Self> {
        Ok(Self {
            key: Key::of(headers, &caller.identity.account, route, content)?,
            body: Body::default(),
            if_match: text(headers, header::IF_MATCH.as_str()).map(str::to_owned),
            strict: false,
            source: source(headers),
            caller,
        })
    }

    /// Refuses unknown properties when the caller asked for it. `more` names properties that the
    /// record's table does not have.
    ///
    /// # Errors
    /// 400 with the list of names.
    pub fn refuse_unknown(&self, record: &Record, more: &[&str]) -> Result<()> {
        if self.strict { self.body.refuse_unknown(record, more) } else { Ok(()) }
    }

    /// The same where no record is written: all but these properties.
    ///
    /// # Errors
    /// 400 with the list of names.
    pub fn refuse_others(&self, known: &[&str]) -> Result<()> {
        if self.strict { self.body.refuse_others(known) } else { Ok(()) }
    }

    /// Refuses a change of where a record came from to all but administrators (contract 1.14).
    ///
    /// # Errors
    /// 403 when the body names `source` or `sourceID` and the caller has not the role.
    pub fn check_source(&self) -> Result<()> {
        let names_source = ["source", "sourceID"].iter().any(|name| self.body.get(name).is_some());
        if names_source && !self.caller.identity.administrator {
            return Err(Error::Forbidden);
        }
        Ok(())
    }

    /// What the document says of [`Write::check_source`].
    pub fn with_source_checked(changes: RefOr<Schema>) -> RefOr<Schema> {
        const SENTENCE: &str = "A change that names it needs the role Account Administrator, else it is \
                                refused with 403.";
        schema::with_sentence(changes, &["source", "sourceID"], SENTENCE)
    }

    /// Fills in `source` where the body names none: of a new record by the request's headers, of a
    /// record whose `source` is cleared by the default (contract 1.14).
    pub fn fill_source(&self, state: &AppState, mode: Mode, changes: &mut Changes) {
        let default = || state.config.default_source.clone();
        let is_cleared = |value: &Value| value.is_null() || value == "";
        let source = match mode {
            Mode::Create if changes.text("source").is_some_and(|text| !text.is_empty()) => return,
            Mode::Create => self.source.clone().unwrap_or_else(default),
            Mode::Update if self.body.get("source").is_some_and(is_cleared) => default(),
            Mode::Update => return,
        };
        changes.set("source", Input::Text(source));
    }

    /// Refuses a change that was meant for another state of the record.
    ///
    /// # Errors
    /// 412 when `If-Match` does not name what the caller would read now; 404 when there is nothing.
    pub async fn check_precondition(
        &self,
        transaction: &DatabaseTransaction,
        record: &'static Record,
        scope: Scope,
    ) -> Result<()> {
        let Some(wanted) = &self.if_match else { return Ok(()) };
        let current = show(transaction, record, scope, &self.caller).await?;
        if answer::names_tag(wanted, &answer::etag(&current)) {
            Ok(())
        } else {
            Err(Error::PreconditionFailed)
        }
    }

    /// What a change answers: the record as the caller reads it now. A new one (201) comes with the
    /// address of its page.
    ///
    /// # Errors
    /// 404 when there is none within the scope.
    pub async fn answer(
        &self,
        transaction: &DatabaseTransaction,
        state: &AppState,
        record: &'static Record,
        scope: Scope,
        status: u16,
    ) -> Result<Answer> {
        let body = show(transaction, record, scope, &self.caller).await?;
        let location = (status == 201).then(|| location(state, &self.caller, record, scope.id));
        Ok(Answer { status, location, body })
    }

    /// Runs a change in a transaction and answers with what it made. With an `Idempotency-Key` the
    /// answer is kept in that transaction, and a repetition gets it again.
    ///
    /// # Errors
    /// The job's; 409 and 422 for a key that is in use.
    pub async fn run<C>(self, state: &AppState, context: C, job: Change<C>) -> Result<Response>
    where
        C: Send + Sync + 'static,
    {
        let _turn = self.key.as_ref().map(|key| state.running.take(key)).transpose()?;
        let strict = self.strict;
        let running = Running { state: state.clone(), write: self, context, job };
        let (answer, replayed) = state
            .store
            .write(running, |transaction, running| running.run(transaction).boxed())
            .await?;
        Ok(answer::marked(answer::changed(answer), strict, replayed))
    }
}

/// What a change does: a plain function over the transaction, the service, the request and its own
/// context.
pub type Change<C> = for<'t> fn(
    &'t DatabaseTransaction,
    &'t AppState,
    &'t Write,
    &'t C,
) -> BoxFuture<'t, Result<Answer>>;

struct Running<C> {
    state: AppState,
    write: Write,
    context: C,
    job: Change<C>,
}

impl<C: Send + Sync> Running<C> {
    async fn run(&self, transaction: &DatabaseTransaction) -> Result<(Answer, bool)> {
        let (now, master) = (self.state.clock.now(), &self.state.site.key);
        let change = (self.job)(transaction, &self.state, &self.write, &self.context);
        idempotency::once(self.write.key.as_ref(), transaction, master, now, change).await
    }
}

/// Adds to a record what only this answer shows.
pub fn show_once(mut answer: Answer, name: &str, value: &str) -> Answer {
    // Before the brace that closes the record.
    answer.body.pop();
    let more = format!(",{}:{}}}", Value::from(name), Value::from(value));
    answer.body.extend_from_slice(more.as_bytes());
    answer
}

/// An answer without its tag, because it may show what it shows only once: a change is guarded by the tag
/// of what a GET shows.
pub fn untagged(mut response: Response) -> Response {
    response.headers_mut().remove(header::ETAG);
    response
}

/// The address of a record's page, for `Location` (contract 1.4).
pub fn location(state: &AppState, caller: &Caller, record: &Record, id: i64) -> String {
    format!("{}/{}/{id}", state.site.account_url(&caller.identity.account), record.table)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}

/// Where a new record came from, by its headers (contract 1.14), which may hold any UTF-8.
fn source(headers: &HeaderMap) -> Option<String> {
    ["x-xurrent-source", "x-4me-source", "user-agent"]
        .iter()
        .find_map(|name| {
            std::str::from_utf8(headers.get(*name)?.as_bytes())
                .ok()
                .map(str::trim)
                .filter(|text| !text.is_empty())
        })
        .map(|text| text.chars().take(30).collect())
}
