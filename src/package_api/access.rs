//! The door of this family: who calls, for which developer account, how often, and with which behavior
//! (contract 1.3.1, 1.9).
//!
//! What an operation needs is read from its own declaration in the document: the scopes of its
//! `security`, and `x-own-package`. There is no second list.
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use serde_json::Value;
use uuid::Uuid;

use super::convention::envelope::{Correlation, Refused};
use super::convention::key::AppKey;
use super::convention::refusal;
use crate::directory::catalogue::behaviors::BehaviorCatalogue;
use crate::directory::identity::{Bucket, Standing};
use crate::directory::state::AppState;
use crate::directory::tickets::{Actor, Principal};
use crate::kernel::error::{Error, Result};

/// Header with the access token of an application, as older clients send it (contract 1.3.1).
const APP_CLAIMS: &str = "x-vol-app-claims";
/// Header with the access token of a developer (contract 1.3.1).
const USER_CLAIMS: &str = "x-vol-user-claims";
/// Name of the scheme in the document whose scopes are the behaviors that an operation needs. The other
/// family's is called otherwise: a page that shows both documents would take a token of the one for the
/// other.
pub const OAUTH: &str = "applicationOAuth2";
/// Marks, in the document, operations that an application may always use on its own package (contract
/// 2.1).
const OWN_PACKAGE: &str = "x-own-package";

/// What the document says of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// operationId.
    pub id: Arc<str>,
    /// Who may use it.
    pub access: Access,
    /// Whether an application may use it on its own package in any case.
    pub own_package: bool,
}

/// Who may use an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; credentials are not looked at.
    Anonymous,
    /// Whoever has an access token.
    Token,
    /// Whoever has an access token with this behavior. `None` for one that the catalogue of this
    /// deployment does not have: nobody holds it.
    Behavior(Option<i64>),
}

/// Every operation by path and method.
#[derive(Clone, Debug, Default)]
pub struct Operations(HashMap<String, HashMap<Method, Operation>>);

impl Operations {
    /// Reads the operations of a finished document; behaviors are found by their names, which stay the
    /// same where a deployment has another catalogue with other ids.
    pub fn of(document: &Value, behaviors: &BehaviorCatalogue) -> Self {
        let mut operations = Self::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
                let Some(id) = operation["operationId"].as_str() else { continue };
                let read = Operation {
                    id: id.into(),
                    access: Access::of(operation, behaviors),
                    own_package: operation[OWN_PACKAGE] == true,
                };
                operations.0.entry(path.clone()).or_default().insert(method, read);
            }
        }
        operations
    }

    /// The operation of a path as the router has it.
    pub fn find(&self, path: &str, method: &Method) -> Option<&Operation> {
        // The document calls a rest of several segments like any other parameter.
        let methods = match path.contains("{*") {
            true => self.0.get(&path.replace("{*", "{")),
            false => self.0.get(path),
        };
        let method = if method == Method::HEAD { &Method::GET } else { method };
        methods?.get(method)
    }
}

impl Access {
    /// Reads the `security` of an operation. One that declares none is shut to whoever has no token.
    fn of(operation: &Value, behaviors: &BehaviorCatalogue) -> Self {
        let alternatives = operation["security"].as_array();
        let mut alternatives = alternatives.into_iter().flatten().filter_map(Value::as_object);
        if alternatives.clone().any(serde_json::Map::is_empty) {
            return Self::Anonymous;
        }
        let scope = alternatives.find_map(|schemes| schemes.get(OAUTH)?.get(0)?.as_str());
        scope.map_or(Self::Token, |scope| {
            let behavior = behaviors.named(&behavior_name(scope));
            Self::Behavior(behavior.map(|behavior| behavior.id))
        })
    }
}

/// The behavior that a scope stands for: `developer-asset:Read` is `Developer Asset Read`.
pub fn behavior_name(scope: &str) -> String {
    let words = scope.split(['-', ':']).map(|word| {
        let mut word = word.to_owned();
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        word
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Proof that the request passed the door: who calls which operation.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who the token stands for.
    pub principal: Arc<Principal>,
    /// operationId.
    pub operation: Arc<str>,
    /// The behavior that is needed and that the token does not have.
    lacking: Option<Option<i64>>,
}

impl Caller {
    /// Refuses a caller without the behavior of the operation, unless it is about the caller's `own`
    /// package. Operations that are marked `x-own-package` call it as soon as they know which package is
    /// meant, before they look for it; at all others the door has done so.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, own: bool) -> Result<()> {
        match self.lacking {
            Some(behavior) if !own => Err(self.forbidden(behavior)),
            _ => Ok(()),
        }
    }

    /// Whether a key is that of the package whose ticket the caller holds. It may always read that (contract
    /// 3); other versions have secrets of their own.
    pub fn is_own_key(&self, key: &AppKey) -> bool {
        let Actor::App { key: own, .. } = &self.principal.actor else { return false };
        own.eq_ignore_ascii_case(&key.to_string())
    }

    /// Whether this is the number of that package.
    pub fn is_own_package(&self, id: i64) -> bool {
        matches!(self.principal.actor, Actor::App { package, .. } if package == id)
    }

    /// The refusal of this operation: for want of a behavior, or, without one, because of whose the
    /// record is.
    pub fn forbidden(&self, behavior: Option<i64>) -> Error {
        refusal::forbidden(&self.operation, behavior)
    }

    /// Whether the token has the behavior of this name, `Developer Asset Create`.
    pub fn holds(&self, state: &AppState, behavior: &str) -> bool {
        let behavior = state.catalogue.behaviors.named(behavior);
        behavior.is_some_and(|behavior| self.principal.behaviors.contains(behavior.id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        // Only the door puts a caller there; an anonymous operation has none.
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthorized)
    }
}

/// The layer before all operations of the family, found or not.
pub async fn guard(
    State((state, operations)): State<(AppState, Arc<Operations>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let correlation = correlation(&mut request);
    let path = asked_path(&request);
    let matched = request.extensions().get::<MatchedPath>();
    let operation =
        matched.and_then(|path| operations.find(path.as_str(), request.method())).cloned();
    let mut standing = None;
    let admitted = match &operation {
        Some(operation) => admit(&state, operation, &mut request, &mut standing).await,
        None => Ok(()),
    };
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if let Some(error) = response.extensions_mut().remove::<Error>() {
        let operation = operation.as_ref().map_or("", |operation| &operation.id);
        let refused = Refused { operation, path: &path, correlation: &correlation };
        response = refused.answer(&error, response.headers());
    }
    if let Some(standing) = standing {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit", standing.limit.into());
        headers.insert("x-ratelimit-remaining", standing.remaining.into());
        headers.insert("x-ratelimit-reset", standing.reset.into());
    }
    response
}

/// The id of the request, which the outermost layer has put there.
fn correlation(request: &mut Request) -> Correlation {
    if let Some(known) = request.extensions().get::<Correlation>() {
        return known.clone();
    }
    let correlation = Correlation::of(request.headers(), Uuid::new_v4());
    request.extensions_mut().insert(correlation.clone());
    correlation
}

/// The path as the caller has written it.
fn asked_path(request: &Request) -> String {
    let original = request.extensions().get::<OriginalUri>();
    original.map_or_else(|| request.uri(), |OriginalUri(uri)| uri).path().to_owned()
}

/// Lets a request in: 401, then 429, then 403.
async fn admit(
    state: &AppState,
    operation: &Operation,
    request: &mut Request,
    standing: &mut Option<Standing>,
) -> Result<()> {
    if operation.access == Access::Anonymous {
        let bucket = state.identities.address_bucket(&state.kernel, request);
        return count(state, &bucket, standing);
    }
    let Some(principal) = identify(state, request.headers()).await? else {
        // Whoever tries tokens is slowed down, like anybody without one.
        let bucket = state.identities.address_bucket(&state.kernel, request);
        count(state, &bucket, standing)?;
        return Err(refusal::access_token(&operation.id));
    };
    count(state, &principal.bucket, standing)?;
    let lacking = match operation.access {
        Access::Behavior(None) => Some(None),
        Access::Behavior(Some(id)) if !principal.behaviors.contains(id) => Some(Some(id)),
        _ => None,
    };
    let caller = Caller { principal, operation: operation.id.clone(), lacking };
    if !operation.own_package {
        caller.require(false)?;
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

fn count(state: &AppState, bucket: &Bucket, standing: &mut Option<Standing>) -> Result<()> {
    let (counted, allowed) = bucket.count(state.clock.now_millis(), state.package_limits());
    *standing = Some(counted);
    allowed.map_err(Error::TooManyRequests)
}

/// Who the credentials of a request stand for: `Authorization` before all others; without it the
/// application of `x-vol-app-claims`, on behalf of the developer of `x-vol-user-claims` when there is
/// one; or that developer alone. `None` when there are none, or one of those that count is not valid or
/// not of the kind that its header is for.
async fn identify(state: &AppState, headers: &HeaderMap) -> Result<Option<Arc<Principal>>> {
    let verify = |token| state.tickets.verify(&state.kernel, &state.identities, token);
    if headers.contains_key(header::AUTHORIZATION) {
        return match bearer(headers) {
            Some(token) => verify(token).await,
            None => Ok(None),
        };
    }
    let app = match claims(headers, APP_CLAIMS) {
        Some(token) => Some(verify(token).await?.filter(|it| !is_developer(it))),
        None => None,
    };
    let developer = match claims(headers, USER_CLAIMS) {
        Some(token) => Some(verify(token).await?.filter(is_developer)),
        None => None,
    };
    Ok(match (app, developer) {
        (Some(app), Some(developer)) => {
            app.zip(developer).map(|(app, developer)| app.on_behalf_of(&developer).into())
        }
        (one, other) => one.or(other).flatten(),
    })
}

/// Whether a token is a developer's, and not an application's. Each has a header of its own.
fn is_developer(principal: &Arc<Principal>) -> bool {
    matches!(principal.actor, Actor::Developer { .. })
}

/// The token of `Authorization: Bearer <token>`, the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token of a header that has no scheme. An empty header is as good as none, as empty parameters
/// are; one that is no text is a wrong token.
fn claims<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().unwrap_or("-").trim();
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::directory::catalogue::Catalogue;

    #[test]
    fn scopes_stand_for_behaviors_by_name() {
        let table = [
            ("developer:Create", "Developer Create"),
            ("developer-asset:Read", "Developer Asset Read"),
            ("application:Update", "Application Update"),
            ("", ""),
        ];
        for (scope, name) in table {
            assert_eq!(behavior_name(scope), name);
        }
    }

    #[test]
    fn operations_are_what_the_document_says() {
        let operation =
            |id: &str, security: Value| json!({"operationId": id, "security": security});
        let scoped = |scope: &str| json!([{"bearerAuth": []}, {OAUTH: [scope]}]);
        let mut own = operation("own", scoped("developer:Read"));
        own["x-own-package"] = true.into();
        let document = json!({"paths": {
            "/files/{filepath}": {
                "get": own,
                "post": operation("write", scoped("developer-asset:Update")),
                "parameters": [],
            },
            "/tickets": {"post": operation("log_in", json!([{}]))},
            "/things": {
                "get": operation("any", json!([{"bearerAuth": []}, {OAUTH: []}])),
                "put": operation("unknown", scoped("developer:Dance")),
                "post": {"operationId": "undeclared"},
            },
        }});
        let operations = Operations::of(&document, &Catalogue::built_in().behaviors);
        let find = |path: &str, method: &Method| {
            let found = operations.find(path, method)?;
            Some((found.id.to_string(), found.access.clone(), found.own_package))
        };
        let found = |id: &str, access: Access, own| Some((id.to_owned(), access, own));
        let read = found("own", Access::Behavior(Some(42)), true);
        assert_eq!(find("/files/{*filepath}", &Method::GET), read);
        assert_eq!(find("/files/{filepath}", &Method::HEAD), read);
        let write = found("write", Access::Behavior(Some(63)), false);
        assert_eq!(find("/files/{*filepath}", &Method::POST), write);
        assert_eq!(find("/tickets", &Method::POST), found("log_in", Access::Anonymous, false));
        assert_eq!(find("/things", &Method::GET), found("any", Access::Token, false));
        assert_eq!(find("/things", &Method::PUT), found("unknown", Access::Behavior(None), false));
        // What declares nothing is not open.
        assert_eq!(find("/things", &Method::POST), found("undeclared", Access::Token, false));
        assert_eq!(find("/things", &Method::DELETE), None);
        assert_eq!(find("/nothing", &Method::GET), None);
    }

    #[test]
    fn tokens_are_read_from_their_headers() {
        let with = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            headers
        };
        let table = [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("BEARER abc", Some("abc")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic abc", None),
            ("abc", None),
            ("", None),
            ("Bearer é", None),
        ];
        for (value, token) in table {
            assert_eq!(bearer(&with("authorization", value)), token, "{value}");
        }
        for (value, token) in [("abc", Some("abc")), (" abc", Some("abc")), (" ", None)] {
            assert_eq!(claims(&with(APP_CLAIMS, value), APP_CLAIMS), token, "{value}");
        }
        assert_eq!(claims(&with(APP_CLAIMS, "é"), APP_CLAIMS), Some("-"));
        assert_eq!(claims(&with(APP_CLAIMS, "abc"), USER_CLAIMS), None);
    }
}
