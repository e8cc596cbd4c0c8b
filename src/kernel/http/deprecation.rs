//! Operations that will go one day, and say so: in the documents, and with each answer (RFC 9745, RFC 8594).
use std::time::{Duration, UNIX_EPOCH};

use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use axum::response::Response;
use chrono::{DateTime, Utc};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Deprecated, Header, ObjectBuilder, RefOr, Type};
use utoipa_axum::router::UtoipaMethodRouter;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Marks the operations of one path.
pub trait Deprecate {
    /// They are deprecated `since` a moment, and gone from `sunset` on. What replaces them is for the manual of
    /// each handler to say. Answers of the handlers tell both moments; refusals at the door, which know no
    /// operation, do not.
    #[must_use]
    fn deprecate(self, since: DateTime<Utc>, sunset: DateTime<Utc>) -> Self;
}

impl<S: Clone + Send + Sync + 'static> Deprecate for UtoipaMethodRouter<S> {
    fn deprecate(self, since: DateTime<Utc>, sunset: DateTime<Utc>) -> Self {
        let (schemas, mut paths, router) = self;
        let moments = moments(since, sunset);
        for operation in paths.paths.values_mut().flat_map(operations) {
            operation.deprecated = Some(Deprecated::True);
            for response in operation.responses.responses.values_mut() {
                let RefOr::T(response) = response else { continue };
                let header = |description, example: &HeaderValue| {
                    let schema = ObjectBuilder::new()
                        .schema_type(Type::String)
                        .max_length(Some(40))
                        .examples(example.to_str().ok());
                    let mut header = Header::new(schema);
                    header.description = Some(description);
                    RefOr::T(header)
                };
                let [(_, since), (_, sunset)] = &moments;
                let deprecation = "Since when it is deprecated, as in RFC 9745.".to_owned();
                response.headers.insert("Deprecation".to_owned(), header(deprecation, since));
                let gone = "When it will be gone, as in RFC 8594.".to_owned();
                response.headers.insert("Sunset".to_owned(), header(gone, sunset));
            }
        }
        let told = axum::middleware::map_response(move |mut response: Response| {
            response.headers_mut().extend(moments.clone());
            std::future::ready(response)
        });
        (schemas, paths, router.layer(told))
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn moments(since: DateTime<Utc>, sunset: DateTime<Utc>) -> [(HeaderName, HeaderValue); 2] {
    // Whole seconds after 1970; a moment before it is none in either header.
    let seconds = |moment: DateTime<Utc>| moment.timestamp().unsigned_abs();
    let sunset = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds(sunset)));
    let text = "digits, and the letters of an HTTP date, are a header's";
    [
        (DEPRECATION, HeaderValue::from_str(&format!("@{}", seconds(since))).expect(text)),
        (SUNSET, HeaderValue::from_str(&sunset).expect(text)),
    ]
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use serde_json::json;
    use tower::ServiceExt;
    use utoipa_axum::router::OpenApiRouter;
    use utoipa_axum::routes;

    use super::*;

    /// Lists what was.
    #[utoipa::path(get, path = "/old", responses((status = 200, description = "All of it.")))]
    async fn list_old() -> &'static str {
        "old"
    }

    #[tokio::test]
    async fn a_deprecated_operation_says_since_when_and_until_when() {
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (since, sunset) = (moment("2026-11-23T00:00:00Z"), moment("2027-11-23T12:30:00Z"));
        let routes = routes!(list_old).deprecate(since, sunset);
        let (router, document) = OpenApiRouter::<()>::new().routes(routes).split_for_parts();

        let request = Request::get("/old").body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        assert_eq!(answer.headers()["deprecation"], "@1795392000");
        assert_eq!(answer.headers()["sunset"], "Tue, 23 Nov 2027 12:30:00 GMT");

        let document = serde_json::to_value(document).unwrap();
        let operation = &document["paths"]["/old"]["get"];
        assert_eq!(operation["deprecated"], true);
        assert_eq!(
            operation["responses"]["200"]["headers"],
            json!({
                "Deprecation": {
                    "description": "Since when it is deprecated, as in RFC 9745.",
                    "schema": {"type": "string", "examples": ["@1795392000"], "maxLength": 40},
                },
                "Sunset": {
                    "description": "When it will be gone, as in RFC 8594.",
                    "schema": {"type": "string", "examples": ["Tue, 23 Nov 2027 12:30:00 GMT"], "maxLength": 40},
                },
            })
        );
    }
}
