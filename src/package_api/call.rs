//! A request of this family, as handlers take it: what was asked for, by whom, and how the answer is to
//! look.
use std::sync::Arc;

use axum::RequestPartsExt;
use axum::body::Body;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde_json::Value;

use super::access::Caller;
use super::convention::body::{self, Object};
use super::convention::envelope::Correlation;
use super::convention::fields::Selection;
use super::convention::key::AppKey;
use super::convention::query::Query;
use super::convention::refusal;
use crate::directory::identity::address;
use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::body::{BODY_LIMIT, discard, read};
use crate::kernel::http::{answer, prefer};
use crate::kernel::idempotency::{self, Answer, Key};

/// Name of the query parameter that limits answers.
const RESPONSE_FIELDS: &str = "responseFields";

/// Largest body that is a whole package, in bytes. What the service shows of a package it takes back: a
/// thousand subscriptions to every event with the longest addresses are 15 MiB.
pub const PACKAGE_LIMIT: usize = 16 * 1024 * 1024;

/// Where operations answer with bytes, of which nothing can be selected.
const DOWNLOADS: &str = "/platform/appdev/filebasedpackage/";

/// The parameters of a path, decoded once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target(Vec<(String, String)>);

impl Target {
    async fn of(parts: &mut Parts) -> Result<Self> {
        match parts.extract::<Path<Vec<(String, String)>>>().await {
            Ok(Path(parameters)) => Ok(Self(parameters)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => match failed.kind() {
                ErrorKind::InvalidUtf8InPathParam { key } => {
                    Err(refusal::missing(key, "must be UTF-8 text."))
                }
                _ => Err(Error::internal(failed)),
            },
            // A path without parameters.
            Err(_) => Ok(Self::default()),
        }
    }

    /// A parameter as it was sent; empty when the path has none of this name.
    pub fn text(&self, name: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The parameter `applicationKey`.
    ///
    /// # Errors
    /// 400 for one that is no key.
    pub fn key(&self) -> Result<AppKey> {
        AppKey::parse(&self.text("applicationKey"), "applicationKey")
    }

    /// The number of a record.
    ///
    /// # Errors
    /// 400 when it is no integer from 1 to 2147483647.
    pub fn int(&self, name: &str) -> Result<i64> {
        let number = self.text(name).trim().parse::<i32>().ok().map(i64::from);
        number.filter(|number| *number >= 1).ok_or_else(|| {
            refusal::missing(name, &format!("must be an integer from 1 to {}.", i32::MAX))
        })
    }
}

/// What was asked for, apart from who asks.
#[derive(Clone, Debug)]
pub struct Question {
    /// Query parameters.
    pub query: Query,
    /// `responseFields`.
    pub selection: Selection,
    /// Parameters of the path.
    pub target: Target,
    /// Headers.
    pub headers: HeaderMap,
    /// Id of the request.
    pub correlation: Arc<str>,
    method: Method,
    uri: Uri,
    matched: Option<MatchedPath>,
}

impl Question {
    /// Takes the headers out of `parts`: nobody asks for them after this.
    async fn of(parts: &mut Parts) -> Result<Self> {
        let target = Target::of(parts).await?;
        let query = Query::parse(parts.uri.query());
        let matched = parts.extensions.get::<MatchedPath>().cloned();
        // Only the outermost layer could have left it out.
        let correlation = parts.extensions.get::<Correlation>().map(Correlation::text);
        // Elsewhere it is a parameter like any other that nobody knows (contract 1.6, 3.5).
        let route = matched.as_ref().map_or("", MatchedPath::as_str);
        let is_selected = parts.method != Method::DELETE && !route.starts_with(DOWNLOADS);
        let fields = if is_selected { query.text(RESPONSE_FIELDS)? } else { None };
        Ok(Self {
            selection: Selection::parse(fields)?,
            correlation: correlation.unwrap_or_default(),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: std::mem::take(&mut parts.headers),
            matched,
            target,
            query,
        })
    }

    /// Tells the operation and its path from others.
    fn route(&self) -> String {
        let matched = self.matched.as_ref().map_or("", MatchedPath::as_str);
        format!("{} {matched} {}", self.method, self.uri.path())
    }

    /// 200 with a record, of which the caller sees what `responseFields` selects; 304 when
    /// `If-None-Match` names its present state.
    ///
    /// # Errors
    /// 500 for a record that cannot be written as JSON.
    pub fn found(&self, record: &impl Serialize) -> Result<Response> {
        let whole = json(record)?;
        // The tag is that of the record, whatever is shown of it: it is what a change is tied to.
        let tag = answer::etag(&whole);
        let body = self.selected_of(record, whole)?;
        Ok(answer::tagged(self.headers.get(header::IF_NONE_MATCH), &tag, body))
    }

    /// 200 with a record that nobody may keep, without a tag: tickets.
    ///
    /// # Errors
    /// 500 for a record that cannot be written as JSON.
    pub fn told(&self, record: &impl Serialize) -> Result<Response> {
        let body = self.selected(json(record)?)?;
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, answer::JSON);
        Ok(response)
    }

    /// What the caller wants to see of a record, of which `whole` is the JSON. It is not read from that:
    /// a tree of folders may be deeper than readers of JSON go.
    fn selected_of(&self, record: &impl Serialize, whole: Vec<u8>) -> Result<Vec<u8>> {
        if self.selection.is_everything() {
            return Ok(whole);
        }
        let mut value = serde_json::to_value(record).map_err(Error::internal)?;
        self.selection.prune(&mut value);
        serde_json::to_vec(&value).map_err(Error::internal)
    }

    /// What the caller wants to see of an answer.
    fn selected(&self, whole: Vec<u8>) -> Result<Vec<u8>> {
        if self.selection.is_everything() {
            return Ok(whole);
        }
        let mut value: Value = serde_json::from_slice(&whole).map_err(Error::internal)?;
        self.selection.prune(&mut value);
        serde_json::to_vec(&value).map_err(Error::internal)
    }
}

/// A request without a body that counts: what was asked for, and by whom. Whatever [`Question`] has is
/// at hand.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    question: Question,
}

impl Call {
    /// Refuses a change that was meant for another state of the record; `current` is the whole record as
    /// the caller would read it now, if there is one.
    ///
    /// # Errors
    /// 412 when `If-Match` does not name it.
    pub fn check_if_match(&self, current: Option<&impl Serialize>) -> Result<()> {
        let Some(wanted) = self.headers.get(header::IF_MATCH) else { return Ok(()) };
        let wanted = wanted.to_str().unwrap_or_default();
        if wanted.trim().is_empty() {
            return Ok(());
        }
        match current.map(json).transpose()? {
            Some(current) if answer::names_tag(wanted, &answer::etag(&current)) => Ok(()),
            _ => Err(Error::PreconditionFailed),
        }
    }
}

impl std::ops::Deref for Call {
    type Target = Question;

    fn deref(&self) -> &Question {
        &self.question
    }
}

impl FromRequestParts<AppState> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self { caller, question: Question::of(parts).await? })
    }
}

impl FromRequestParts<AppState> for Question {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self> {
        Self::of(parts).await
    }
}

/// A request of an anonymous operation, with its body of at most 1 MiB.
#[derive(Clone, Debug)]
pub struct Anonymous {
    /// What was asked for.
    pub question: Question,
    /// The body, whatever its type.
    pub body: Bytes,
    /// The address that it comes from.
    pub address: String,
}

impl FromRequest<AppState> for Anonymous {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let question = Question::of(&mut parts).await?;
        let address = address(state.config.proxies, &question.headers, &parts.extensions);
        Ok(Self { question, body: whole(body, BODY_LIMIT).await?, address })
    }
}

/// A request that changes something, with its body of at most 1 MiB and its preconditions.
#[derive(Clone, Debug)]
pub struct Write {
    /// Who asks for what.
    pub call: Call,
    /// The body, whatever its type.
    pub body: Bytes,
    key: Option<Key>,
    is_strict: bool,
}

impl FromRequest<AppState> for Write {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        Self::with_body(request, state, BODY_LIMIT).await
    }
}

/// A request whose body is a whole package, of at most [`PACKAGE_LIMIT`] bytes.
#[derive(Clone, Debug)]
pub struct PackageWrite(pub Write);

impl FromRequest<AppState> for PackageWrite {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        Write::with_body(request, state, PACKAGE_LIMIT).await.map(Self)
    }
}

/// A request that changes something and takes no body. One that comes all the same is thrown away
/// (contract 1.2): clients send their whole arguments along.
#[derive(Clone, Debug)]
pub struct Command(pub Write);

impl FromRequest<AppState> for Command {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let call = Call::from_request_parts(&mut parts, state).await?;
        discard(body).await;
        Write::of(call, []).map(Self)
    }
}

impl Write {
    async fn with_body(request: Request, state: &AppState, limit: usize) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let call = Call::from_request_parts(&mut parts, state).await?;
        let body = whole(body, limit).await?;
        Self::of(call, body.clone()).map(|write| Self { body, ..write })
    }

    /// A write whose body was read elsewhere (uploads); `content` is what tells it from others.
    ///
    /// # Errors
    /// 400 for an `Idempotency-Key` that is not one.
    pub fn of(call: Call, content: impl AsRef<[u8]>) -> Result<Self> {
        let key = if call.method == Method::POST { key(&call, content.as_ref())? } else { None };
        let is_strict = prefer::is_strict(&call.headers);
        Ok(Self { call, body: Bytes::new(), key, is_strict })
    }

    /// The body as an object; `parameter` is the name that the contract gives it.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn object(&self, parameter: &'static str) -> Result<Object> {
        Object::parse(&self.body, parameter)
    }

    /// The body as an array of objects; `parameter` is the name that the contract gives it.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn list(&self, parameter: &'static str) -> Result<Vec<Object>> {
        body::list(&self.body, parameter)
    }

    /// Refuses members that were not read, when the caller asked for it with `Prefer: handling=strict`.
    ///
    /// # Errors
    /// 400 with the path of the first of them, and all of them in words.
    pub fn refuse_unknown<'a>(&self, objects: impl IntoIterator<Item = &'a Object>) -> Result<()> {
        if !self.is_strict {
            return Ok(());
        }
        let unknown: Vec<String> = objects.into_iter().flat_map(Object::unknown).collect();
        let Some(first) = unknown.first() else { return Ok(()) };
        let why = format!("is unknown. Unknown members: {}.", unknown.join(", "));
        Err(refusal::missing(first, &why))
    }

    /// Runs a change in a transaction and answers with what it made, of which the caller sees what
    /// `responseFields` selects. With an `Idempotency-Key` the whole answer is kept in that transaction,
    /// and a repetition gets it again. The job may run twice: what is random is made before it.
    ///
    /// # Errors
    /// The job's; 409 and 422 for a key that is in use.
    pub async fn run<C>(self, state: &AppState, context: C, job: Change<C>) -> Result<Response>
    where
        C: Send + Sync + 'static,
    {
        let _turn = self.key.as_ref().map(|key| state.running.take(key)).transpose()?;
        let (question, is_strict) = (self.call.question.clone(), self.is_strict);
        let running = Running { state: state.clone(), write: self, context, job };
        let (answer, replayed) = state
            .store
            .write(running, |transaction, running| running.run(transaction).boxed())
            .await?;
        let shown = question.selected_answer(answer)?;
        Ok(answer::marked(shown, is_strict, replayed))
    }
}

impl Question {
    /// The answer to a change, with the tag of the whole of it.
    fn selected_answer(&self, answer: Answer) -> Result<Response> {
        let whole = (!answer.body.is_empty() && !self.selection.is_everything())
            .then(|| answer.body.clone());
        let mut response = answer::changed(answer);
        if let Some(whole) = whole {
            *response.body_mut() = Body::from(self.selected(whole)?);
        }
        Ok(response)
    }
}

/// A record as it is sent.
fn json(record: &impl Serialize) -> Result<Vec<u8>> {
    // Room for most records at once: a package without children has about 1.5 KiB.
    let mut body = Vec::with_capacity(2048);
    serde_json::to_writer(&mut body, record).map_err(Error::internal)?;
    Ok(body)
}

/// What a change answers with a record: 200 and the whole of it.
///
/// # Errors
/// 500 for a record that cannot be written as JSON.
pub fn record(record: &impl Serialize) -> Result<Answer> {
    let body = json(record)?;
    Ok(Answer { status: 200, location: None, body })
}

/// What a change answers that leaves nothing to show: 200 without a body.
pub fn nothing() -> Answer {
    Answer { status: 200, location: None, body: Vec::new() }
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
        let (now, master) = (self.state.clock.now_millis(), &self.state.site.key);
        let change = (self.job)(transaction, &self.state, &self.write, &self.context);
        idempotency::once(self.write.key.as_ref(), transaction, master, now, change).await
    }
}

/// The `Idempotency-Key` of a request: good for one account and path, and for one query and body. What
/// is to be shown of the answer does not count.
fn key(call: &Call, content: &[u8]) -> Result<Option<Key>> {
    let mut request = Vec::new();
    for (name, value) in call.query.pairs() {
        if !name.eq_ignore_ascii_case(RESPONSE_FIELDS) {
            request.extend(format!("{}={value}\0", name.to_ascii_lowercase()).into_bytes());
        }
    }
    request.extend(content);
    let principal = &call.caller.principal;
    // A developer who has chosen no account shares no keys with the others of that kind.
    let owner = if principal.account.is_empty() {
        format!("{:?}", principal.actor)
    } else {
        principal.account.to_string()
    };
    Key::of(&call.headers, &owner, &call.route(), &request).map_err(|error| match error {
        Error::BadRequest(_) => {
            refusal::missing("Idempotency-Key", "must have 1 to 255 visible ASCII characters.")
        }
        error => error,
    })
}

/// Reads a body of at most `limit` bytes.
async fn whole(body: Body, limit: usize) -> Result<Bytes> {
    read(body, limit).await.map_err(|error| match error {
        Error::BadRequest(_) => refusal::missing("body", "ended early."),
        error => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(pairs: &[(&str, &str)]) -> Target {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Target(pairs.collect())
    }

    #[test]
    fn parameters_of_paths_are_found_by_name() {
        let target = target(&[("applicationKey", "acme01.loyalty.1.0.0"), ("packageId", " 7 ")]);
        assert_eq!(target.key().unwrap().to_string(), "acme01.loyalty.1.0.0.Release");
        assert_eq!(target.int("packageId").unwrap(), 7);
        assert_eq!(target.text("packageId"), " 7 ");
        assert_eq!(target.text("filepath"), "");
    }

    #[test]
    fn numbers_of_records_are_int32_from_1() {
        let why = "Missing or invalid parameter: id must be an integer from 1 to 2147483647.";
        for text in ["", "0", "-1", "1.0", "2147483648", "seven", "1e3"] {
            let refused = target(&[("id", text)]).int("id").unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.to_string()), (400, why.to_owned()));
        }
        assert_eq!(target(&[("id", "2147483647")]).int("id").unwrap(), 2_147_483_647);
    }
}
