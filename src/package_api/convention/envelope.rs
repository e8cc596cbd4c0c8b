//! How this family's refusals look: body, status and headers (contract 1.5, 1.8, 1.9).
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refusal;
use crate::kernel::error::{Coded, Error, chain};
use crate::kernel::http::answer::JSON;

/// Header with the id of a request, of every answer: one client throws the body of a refusal away when
/// it is missing.
pub const CORRELATION: HeaderName = HeaderName::from_static("x-vol-correlation");
/// `applicationName` of every refusal.
const APPLICATION: &str = "AppDev";
/// Most characters of a path that are repeated.
const LONGEST_PATH: usize = 2_000;

/// Id of a request, which its answer repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation(std::sync::Arc<str>);

impl Correlation {
    /// The id that the caller has given, if it is one (up to 64 letters, digits and hyphens); otherwise
    /// that of the request, as 32 hexadecimal digits.
    pub fn of(headers: &HeaderMap, request: Uuid) -> Self {
        let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let given = headers.get(CORRELATION).and_then(|value| value.to_str().ok());
        let given =
            given.filter(|id| (1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_sign));
        Self(given.map_or_else(|| request.as_simple().to_string().into(), Into::into))
    }

    /// The id as it is shown.
    pub fn text(&self) -> std::sync::Arc<str> {
        self.0.clone()
    }
}

/// Every answer that is no success. Programs go by `errorCode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppDevError {
    /// Always `AppDev`.
    #[schema(max_length = 50)]
    pub application_name: &'static str,
    /// What programs tell the refusal by: one of the codes in the table of the introduction.
    #[schema(max_length = 50, example = "ITEM_NOT_FOUND")]
    pub error_code: &'static str,
    /// What people read.
    #[schema(max_length = 4000)]
    pub message: String,
    /// Id of the request, as in the header `x-vol-correlation`.
    #[schema(pattern = "^[A-Za-z0-9-]{1,64}$")]
    pub correlation_id: String,
    /// Causes in detail; this service puts none here.
    #[schema(max_items = 100)]
    pub items: Vec<AppDevErrorItem>,
    /// What the refusal is about: names, as the table of the introduction has them, with their values.
    #[schema(max_items = 100)]
    pub additional_error_data: Vec<AppDevErrorData>,
    /// Always null: what happened inside stands in the server's log, under the id of the request.
    #[schema(inline)]
    pub exception_detail: Option<AppDevExceptionDetail>,
}

/// A cause in detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppDevErrorItem {
    /// Part of the platform that refused.
    #[schema(max_length = 50)]
    pub application_name: String,
    /// What programs tell the cause by.
    #[schema(max_length = 50)]
    pub error_code: String,
    /// What people read.
    #[schema(max_length = 4000)]
    pub message: String,
    /// What the cause is about.
    #[schema(max_items = 100)]
    pub additional_error_data: Vec<AppDevErrorData>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AppDevErrorData {
    /// The name, as the table of the introduction has it.
    #[schema(max_length = 100, example = "AppKey")]
    pub name: String,
    /// Its value.
    #[schema(max_length = 4000, example = "acme01.loyalty.9.9.9.Release")]
    pub value: String,
}

/// What happened inside a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppDevExceptionDetail {
    /// Type of the exception.
    #[schema(max_length = 4000)]
    pub r#type: Option<String>,
    /// Its message.
    #[schema(max_length = 4000)]
    pub message: Option<String>,
    /// Where it was raised.
    #[schema(max_length = 4000)]
    pub source: Option<String>,
    /// The function that raised it.
    #[schema(max_length = 4000)]
    pub target_site: Option<String>,
    /// The way to it.
    #[schema(max_length = 4000)]
    pub stack_trace: Option<String>,
}

/// A request that is refused, as far as its answer tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// operationId; empty where no operation was found.
    pub operation: &'a str,
    /// The path that was asked for.
    pub path: &'a str,
    /// Its id.
    pub correlation: &'a Correlation,
}

impl Refused<'_> {
    /// The body of a refusal.
    pub fn body(&self, error: &Error) -> AppDevError {
        let Coded { code, message, data, .. } = self.coded(error);
        let named =
            |(name, value): (&str, String)| AppDevErrorData { name: name.to_owned(), value };
        AppDevError {
            application_name: APPLICATION,
            error_code: code,
            message,
            correlation_id: self.correlation.0.to_string(),
            items: Vec::new(),
            additional_error_data: data.into_iter().map(named).collect(),
            exception_detail: None,
        }
    }

    /// What the catalogue calls an error. Those of the service as a whole have their place in it too.
    fn coded(&self, error: &Error) -> Coded {
        let known = match error {
            Error::Coded(coded) => return (**coded).clone(),
            Error::BadRequest(why) => refusal::missing("request", why),
            Error::Unauthorized => refusal::access_token(self.operation),
            Error::Forbidden => refusal::forbidden(self.operation, None),
            Error::NotFound => {
                // Addresses may be longer than texts of this family are.
                let path: String = self.path.chars().take(LONGEST_PATH).collect();
                refusal::not_found("path", "Path", path)
            }
            Error::MethodNotAllowed => refusal::method_not_allowed(),
            Error::Conflict(why) => refusal::conflict(why),
            Error::PreconditionFailed => refusal::changed_since(),
            Error::PayloadTooLarge(max) => refusal::too_large(*max as u64),
            Error::Unprocessable(why) => refusal::unprocessable(why),
            Error::TooManyRequests(seconds) => refusal::throttled(*seconds),
            Error::Unavailable(_) => refusal::unavailable(),
            // No operation of this family looks at `Accept` or refuses by fields.
            Error::Internal(_) | Error::NotAcceptable | Error::Invalid(_) => refusal::unexpected(),
        };
        self.coded(&known)
    }

    /// The answer: status and body of the error, and the headers that `draft` already has.
    pub fn answer(&self, error: &Error, draft: &HeaderMap) -> Response {
        if let Error::Internal(cause) | Error::Unavailable(cause) = error {
            tracing::error!(error = %chain(cause.as_ref()), "a request failed");
        }
        let status = StatusCode::from_u16(self.coded(error).status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Texts alone: it cannot fail. An empty body would be worse than none.
        let body = serde_json::to_vec(&self.body(error)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.extend(draft.iter().map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.remove(header::CONTENT_LENGTH);
        match error {
            Error::TooManyRequests(seconds) => {
                headers.insert(header::RETRY_AFTER, (*seconds).into());
            }
            Error::Unavailable(_) => {
                headers.insert(header::RETRY_AFTER, 1.into());
            }
            _ => {}
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    fn cause() -> Arc<dyn std::error::Error + Send + Sync> {
        Arc::new(std::io::Error::other("the disk is full"))
    }

    #[test]
    fn every_error_has_its_place_in_the_catalogue() {
        let correlation = Correlation("abc-1".into());
        let refused =
            Refused { operation: "get_package", path: "/platform/x", correlation: &correlation };
        let named = |name: &str, value: &str| json!([{"name": name, "value": value}]);
        let table = [
            (
                Error::BadRequest("is odd.".to_owned()),
                400,
                "MISSING_OR_INVALID_PARAMETER",
                "Missing or invalid parameter: request is odd.",
                json!([
                    {"name": "ParameterName", "value": "request"},
                    {"name": "ErrorMessage", "value": "is odd."},
                ]),
            ),
            (
                Error::Unauthorized,
                401,
                "INVALID_ACCESS_TOKEN",
                "The access token is missing, not valid or expired.",
                json!([
                    {"name": "OperationName", "value": "get_package"},
                    {"name": "WWW-Authenticate", "value": "Bearer"},
                ]),
            ),
            (
                Error::Forbidden,
                403,
                "FORBIDDEN",
                "Forbidden: not for the developer account of the access token.",
                named("OperationName", "get_package"),
            ),
            (
                Error::NotFound,
                404,
                "ITEM_NOT_FOUND",
                "Item not found: path /platform/x",
                named("Path", "/platform/x"),
            ),
            (
                Error::MethodNotAllowed,
                405,
                "METHOD_NOT_ALLOWED",
                "The path is known, but not with this method; Allow names those that it has.",
                json!([]),
            ),
            (
                Error::Conflict("it runs.".to_owned()),
                409,
                "VALIDATION_CONFLICT",
                "Validation Error: it runs.",
                named("ErrorMessage", "it runs."),
            ),
            (
                Error::PreconditionFailed,
                412,
                "PRECONDITION_FAILED",
                "If-Match names another state of the record; read it again.",
                json!([]),
            ),
            (
                Error::PayloadTooLarge(7),
                413,
                "REQUEST_TOO_LARGE",
                "The request is too large: at most 7 bytes are taken.",
                named("MaxBytes", "7"),
            ),
            (
                Error::Unprocessable("it was another.".to_owned()),
                422,
                "VALIDATION_CONFLICT",
                "Validation Error: it was another.",
                named("ErrorMessage", "it was another."),
            ),
            (
                Error::TooManyRequests(3),
                429,
                "EXCEEDED_MAX_RETRIES",
                "Too many requests; try again in 3 seconds.",
                json!([]),
            ),
            (
                Error::Unavailable(cause()),
                503,
                "SYSTEM_MAINTENANCE",
                "The service is not available at the moment; try again soon.",
                json!([]),
            ),
            (
                Error::Internal(cause()),
                500,
                "UNEXPECTED_ERROR",
                "Something went wrong; the correlation id finds it in the server's log.",
                json!([]),
            ),
        ];
        for (error, status, code, message, data) in table {
            let expected = json!({
                "applicationName": "AppDev", "errorCode": code, "message": message,
                "correlationId": "abc-1", "items": [], "additionalErrorData": data,
                "exceptionDetail": null,
            });
            assert_eq!(serde_json::to_value(refused.body(&error)).unwrap(), expected);
            let answer = refused.answer(&error, &HeaderMap::new());
            assert_eq!(answer.status().as_u16(), status, "{error:?}");
            let header = |name| answer.headers().get(name).map(|it| it.to_str().unwrap());
            assert_eq!(header(header::CONTENT_TYPE), Some("application/json; charset=utf-8"));
            assert_eq!(header(header::WWW_AUTHENTICATE), (status == 401).then_some("Bearer"));
            let wait = match status {
                429 => Some("3"),
                503 => Some("1"),
                _ => None,
            };
            assert_eq!(header(header::RETRY_AFTER), wait);
        }
    }

    #[test]
    fn members_stand_in_the_order_of_the_contract() {
        let correlation = Correlation("abc-1".into());
        let refused = Refused { operation: "", path: "/platform/x", correlation: &correlation };
        let body = serde_json::to_string(&refused.body(&Error::NotFound)).unwrap();
        let expected = r#"{"applicationName":"AppDev","errorCode":"ITEM_NOT_FOUND","message":"Item not found: path /platform/x","correlationId":"abc-1","items":[],"additionalErrorData":[{"name":"Path","value":"/platform/x"}],"exceptionDetail":null}"#;
        assert_eq!(body, expected);
        let path = "é".repeat(LONGEST_PATH + 1);
        let body = Refused { path: &path, ..refused }.body(&Error::NotFound);
        assert_eq!(body.additional_error_data[0].value, "é".repeat(LONGEST_PATH));
    }

    #[test]
    fn headers_of_the_draft_stay() {
        let correlation = Correlation("abc-1".into());
        let refused = Refused { operation: "", path: "/", correlation: &correlation };
        let mut draft = HeaderMap::new();
        draft.insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        draft.insert(header::CONTENT_LENGTH, 0.into());
        let answer = refused.answer(&Error::MethodNotAllowed, &draft);
        assert_eq!(answer.headers()[header::ALLOW], "GET,HEAD");
        assert!(!answer.headers().contains_key(header::CONTENT_LENGTH));
    }

    #[test]
    fn callers_may_name_their_requests() {
        let request = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let own = "0123456789abcdef0123456789abcdef";
        let long = "a".repeat(64);
        let table = [
            (None, own),
            (Some("Order-17"), "Order-17"),
            (Some(long.as_str()), long.as_str()),
            (Some(""), own),
            (Some("a b"), own),
            (Some("a_b"), own),
            (Some("é"), own),
        ];
        for (given, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                let value = HeaderValue::from_bytes(given.as_bytes()).unwrap();
                headers.insert(CORRELATION, value);
            }
            assert_eq!(&*Correlation::of(&headers, request).text(), expected, "{given:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(CORRELATION, HeaderValue::from_str(&"a".repeat(65)).unwrap());
        assert_eq!(&*Correlation::of(&headers, request).text(), own);
    }

    #[test]
    fn causes_stay_inside() {
        let correlation = Correlation("abc-1".into());
        let refused = Refused { operation: "", path: "/", correlation: &correlation };
        for error in [Error::Internal(cause()), Error::Unavailable(cause())] {
            let body: Value = serde_json::to_value(refused.body(&error)).unwrap();
            assert!(!body.to_string().contains("disk"), "{body}");
        }
    }
}
