//! The door of this family: who calls, for which account, how often, and with which permission.
//!
//! What an operation needs is read from its own declaration in the document: the scopes of its
//! `security`, and `x-required-role`. There is no second list.
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::envelope::{self, Form};
use crate::directory::identity::{Identity, Standing};
use crate::directory::permission::Permission;
use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::operations::successes;
use crate::kernel::language::Language;
use crate::kernel::record::View;

/// Headers that name the account of a call; equivalent.
const ACCOUNT_HEADERS: [&str; 2] = ["x-xurrent-account", "x-4me-account"];
/// Headers that name the language of messages; equivalent.
const LANGUAGE_HEADERS: [&str; 2] = ["x-xurrent-language", "x-4me-language"];
/// Header value of the role that maintains offerings.
const ADMINISTRATOR: &str = "account_administrator";

/// What the document says of one operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `None` for operations that need no token.
    pub permission: Option<Permission>,
    /// Whether the person must be an Account Administrator.
    pub administrator: bool,
    /// Whether credentials may be missing although they are understood.
    pub optional: bool,
    /// Whose error body it answers with.
    pub form: Form,
    /// Whether it tells the limits instead of counting.
    pub peeks: bool,
    /// Whether it answers with something else than JSON, a file for instance: then `Accept`, which
    /// browsers and upload libraries fill as they like, decides nothing.
    pub serves_files: bool,
    /// Whether `Authorization` names an OAuth client rather than holding a token.
    pub for_clients: bool,
}

/// Every operation by path, without the names of its parameters, and method.
#[derive(Clone, Debug, Default)]
pub struct Operations(HashMap<String, HashMap<Method, Operation>>);

impl Operations {
    /// Reads the operations of a finished document.
    pub fn of(document: &Value) -> Self {
        let mut operations = Self::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
                let alternatives = operation["security"].as_array();
                let scope = alternatives
                    .into_iter()
                    .flatten()
                    .find_map(|alternative| alternative["oauth2"].get(0)?.as_str());
                let free =
                    |alternative: &Value| alternative.as_object().is_some_and(|it| it.is_empty());
                let optional = alternatives.is_some_and(|them| them.iter().any(free));
                let read = Operation {
                    permission: scope.and_then(Permission::parse),
                    administrator: operation["x-required-role"] == ADMINISTRATOR,
                    optional,
                    form: if operation["x-appmarket-extension"] == true {
                        Form::Problem
                    } else {
                        Form::Message
                    },
                    peeks: operation["operationId"] == "get_rate_limit",
                    serves_files: successes(operation).any(|kind| kind != "application/json"),
                    for_clients: operation["operationId"] == "create_token",
                };
                operations.0.entry(shape(path)).or_default().insert(method, read);
            }
        }
        operations
    }

    /// The operation of a path as the router has it.
    pub fn find(&self, path: &str, method: &Method) -> Option<&Operation> {
        let methods = self.0.get(&shape(path))?;
        let method = if method == Method::HEAD { &Method::GET } else { method };
        methods.get(method)
    }
}

/// A path without the names of its parameters, which documents call otherwise than routes where clients need
/// other names.
fn shape(path: &str) -> String {
    let mut shape = String::with_capacity(path.len());
    for (place, part) in path.split('{').enumerate() {
        let (name, rest) =
            if place == 0 { ("", part) } else { part.split_once('}').unwrap_or(("", part)) };
        shape.push_str(if name.is_empty() { "" } else { "{}" });
        shape.push_str(rest);
    }
    shape
}

/// Proof that the request passed the door: who calls, and through whose eyes the answer is shown.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who the token stands for.
    pub identity: Arc<Identity>,
    /// Language of messages.
    pub language: Language,
    /// How records are shown.
    pub view: View,
    /// The caller's standing with the request limits.
    pub standing: Standing,
    /// `If-None-Match` of the request.
    pub if_none_match: Option<HeaderValue>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        // Only the door puts a caller there; an operation that forgot to declare its security is shut.
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthorized)
    }
}

/// The layer before all operations of the family, found or not.
pub async fn guard(
    State((state, operations)): State<(AppState, Arc<Operations>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let operation =
        matched.and_then(|path| operations.find(path.as_str(), request.method())).cloned();
    let form = operation.as_ref().map_or(Form::Message, |operation| operation.form);
    let mut language = language(request.headers());
    let mut standing = None;
    let path = request.uri().path();
    // No record is called by what is no text; the extractor of paths would refuse it in its own words.
    let is_text = !path.contains('%') || percent_decode_str(path).decode_utf8().is_ok();
    let admitted = match &operation {
        Some(_) if !is_text => Err(Error::NotFound),
        Some(operation) => admit(&state, operation, &mut request, &mut standing).await,
        None => Ok(()),
    };
    if let Some(caller) = request.extensions().get::<Caller>() {
        language = Some(caller.language);
    }
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if let Some(error) = response.extensions_mut().remove::<Error>() {
        let language = language.unwrap_or(Language::English);
        response = envelope::refusal(&state, &error, form, language, response);
    }
    if let Some(standing) = standing {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit", standing.limit.into());
        headers.insert("x-ratelimit-remaining", standing.remaining.into());
        headers.insert("x-ratelimit-reset", standing.reset.into());
    }
    response
}

/// Lets a request in: 401, then 429, 400 for the account, 403, 406.
async fn admit(
    state: &AppState,
    operation: &Operation,
    request: &mut Request,
    standing: &mut Option<Standing>,
) -> Result<()> {
    let now = state.clock.now_millis();
    let headers = request.headers();
    let token = if operation.for_clients { None } else { credentials(headers) };
    let identity = match token {
        Some(token) => state.identities.find(&state.kernel, &token).await?,
        None if operation.permission.is_none() || operation.optional => {
            let bucket = state.identities.address_bucket(&state.kernel, request);
            let (counted, allowed) = bucket.count(now, state.limits());
            *standing = Some(counted);
            allowed.map_err(Error::TooManyRequests)?;
            return accept(operation, request.headers());
        }
        None => None,
    };
    let Some(identity) = identity else {
        // Whoever tries tokens is slowed down, like anybody without one.
        let bucket = state.identities.address_bucket(&state.kernel, request);
        let (counted, allowed) = bucket.count(now, state.limits());
        if allowed.is_err() {
            *standing = Some(counted);
        }
        allowed.map_err(Error::TooManyRequests)?;
        return Err(Error::Unauthorized);
    };
    let (counted, allowed) = if operation.peeks {
        identity.bucket.peek(now, state.limits())
    } else {
        identity.bucket.count(now, state.limits())
    };
    *standing = Some(counted);
    let caller = Caller {
        language: language(headers).unwrap_or(identity.language),
        view: View {
            account: identity.account.clone(),
            time_zone: identity.time_zone,
            site: state.site.clone(),
            now,
        },
        standing: counted,
        if_none_match: headers.get(header::IF_NONE_MATCH).cloned(),
        identity,
    };
    let identity = caller.identity.clone();
    request.extensions_mut().insert(caller);
    allowed.map_err(Error::TooManyRequests)?;
    check_account(request.headers(), &identity)?;
    if let Some(permission) = &operation.permission
        && !identity.scopes.allow(permission)
    {
        return Err(Error::Forbidden);
    }
    if operation.administrator && !identity.administrator {
        return Err(Error::Forbidden);
    }
    accept(operation, request.headers())
}

/// The token of `Authorization: Bearer <token>` in any case, or of the older
/// `Basic base64("<token>:x")`.
fn credentials(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let plain = STANDARD.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let plain = plain.unwrap_or_default();
        return Some(plain.split_once(':').map_or(plain.as_str(), |(token, _)| token).to_owned());
    }
    // Credentials of another kind are credentials all the same: wrong ones.
    Some(String::new())
}

/// The account headers must agree and name the token's account; whether another account exists is
/// not told.
fn check_account(headers: &HeaderMap, identity: &Identity) -> Result<()> {
    let mut named = ACCOUNT_HEADERS.iter().flat_map(|name| headers.get_all(*name));
    if named.all(|value| value.as_bytes() == identity.account.as_bytes()) {
        return Ok(());
    }
    Err(Error::BadRequest("Invalid x-xurrent-account header".to_owned()))
}

fn language(headers: &HeaderMap) -> Option<Language> {
    LANGUAGE_HEADERS.iter().find_map(|name| Language::from_tag(headers.get(*name)?.to_str().ok()?))
}

/// Whether JSON is acceptable to the caller.
fn accept(operation: &Operation, headers: &HeaderMap) -> Result<()> {
    if operation.serves_files {
        return Ok(());
    }
    let Some(accept) = headers.get(header::ACCEPT) else { return Ok(()) };
    let accept = accept.to_str().map_err(|_| Error::NotAcceptable)?;
    let takes_json = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| {
            part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q == 0.0))
        });
        !refused
            && matches!(
                kind.as_str(),
                "*/*" | "application/*" | "application/json" | "application/problem+json" | ""
            )
    };
    if accept.split(',').any(takes_json) { Ok(()) } else { Err(Error::NotAcceptable) }
}
