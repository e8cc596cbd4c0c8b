//! The wire of tickets (contract 1.3).
use http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::{Credentials, Ticket};
use crate::kernel::error::Result;
use crate::kernel::http::basic;
use crate::package_api::convention::body::Object;
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;

/// Most characters of what a request says here.
const LONGEST: usize = 4000;
/// Kinds of grant that are understood. `client` is what older clients call client credentials.
const GRANTS: [&str; 3] = ["client_credentials", "client", "refresh_token"];
/// What the contract calls the body of the OAuth operation.
const OAUTH_BODY: &str = "oauthAuthRequest";

/// An application that logs in.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `body::Object` reads, whatever the case of the names")]
pub struct AppAuthInfo {
    /// Key of one of its packages; without a package name, of its release package.
    #[schema(max_length = 4000, example = "acme01.loyalty.1.0.0.Release")]
    application_id: Option<String>,
    /// Secret of the version.
    #[schema(
        max_length = 4000,
        format = Password,
        write_only,
        example = "0123456789abcdef0123456789abcdef"
    )]
    shared_secret: Option<String>,
}

/// What an OAuth client asks for.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents what `body::Object` reads, whatever the case of the names")]
pub struct OauthAuthRequest {
    /// Key of a package of the application.
    #[schema(max_length = 4000, example = "acme01.loyalty.1.0.0.Release")]
    client_id: Option<String>,
    /// Secret of the version.
    #[schema(
        max_length = 4000,
        format = Password,
        write_only,
        example = "0123456789abcdef0123456789abcdef"
    )]
    client_secret: Option<String>,
    /// A refresh token. With one the request is a renewal, whatever `grant_type` says.
    #[schema(max_length = 4000, write_only, example = "")]
    refresh_token: Option<String>,
    /// `client_credentials`, `client` or `refresh_token`. Default: `client_credentials`.
    #[schema(
        max_length = 20,
        pattern = "^(client_credentials|client|refresh_token)?$",
        example = "client_credentials"
    )]
    grant_type: Option<String>,
}

/// What renews a ticket.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `body::Object` reads, whatever the case of the names")]
pub struct AuthTicketRequest {
    /// The refresh token of the ticket.
    #[schema(
        max_length = 4000,
        format = Password,
        write_only,
        example = "Yx3dQm0c7T1vKq8RzP5sWn2bHf6jLg9aEu4iOyTcVrXwBkMh"
    )]
    refresh_token: Option<String>,
}

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthTicket {
    /// The access token: a JWT for `Authorization: Bearer` and `x-vol-app-claims`.
    #[schema(
        max_length = 4000,
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        example = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lMDEifQ.c2lnbmF0dXJl"
    )]
    pub access_token: String,
    /// When the access token expires.
    #[schema(value_type = String, format = DateTime, example = "2026-03-04T10:15:00.000Z")]
    pub access_token_expiration: Time,
    /// The refresh token, with which the access token is renewed.
    #[schema(
        max_length = 64,
        pattern = "^[A-Za-z0-9]+$",
        example = "Yx3dQm0c7T1vKq8RzP5sWn2bHf6jLg9aEu4iOyTcVrXwBkMh"
    )]
    pub refresh_token: String,
    /// When the refresh token expires; renewals do not prolong it.
    #[schema(value_type = String, format = DateTime, example = "2026-03-05T09:15:00.000Z")]
    pub refresh_token_expiration: Time,
}

/// A ticket as OAuth clients read it (RFC 6749, 5.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthAccessTokenResponse {
    /// The access token: a JWT for `Authorization: Bearer` and `x-vol-app-claims`.
    #[schema(
        max_length = 4000,
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        example = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lMDEifQ.c2lnbmF0dXJl"
    )]
    pub access_token: String,
    /// Always `bearer`.
    #[schema(max_length = 10, example = "bearer")]
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(value_type = i32, example = 3600)]
    pub expires_in: i64,
    /// The refresh token, with which the access token is renewed.
    #[schema(
        max_length = 64,
        pattern = "^[A-Za-z0-9]+$",
        example = "Yx3dQm0c7T1vKq8RzP5sWn2bHf6jLg9aEu4iOyTcVrXwBkMh"
    )]
    pub refresh_token: String,
}

/// What an OAuth client asks for, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Grant {
    /// A ticket for an application's credentials.
    New(Credentials),
    /// The renewal of a ticket. Credentials that come along must be right too.
    Renewal {
        /// The refresh token.
        token: String,
        /// What came along.
        with: Credentials,
    },
}

impl From<Ticket> for AuthTicket {
    fn from(ticket: Ticket) -> Self {
        Self {
            access_token: ticket.access.token,
            access_token_expiration: Time(ticket.access.expires_at),
            refresh_token: ticket.refresh_token,
            refresh_token_expiration: Time(ticket.refresh_expires_at),
        }
    }
}

impl OAuthAccessTokenResponse {
    /// A ticket whose access token is valid for so many seconds.
    pub fn of(ticket: Ticket, expires_in: u32) -> Self {
        Self {
            access_token: ticket.access.token,
            token_type: "bearer",
            expires_in: expires_in.into(),
            refresh_token: ticket.refresh_token,
        }
    }
}

/// Reads the body of a log-in.
///
/// # Errors
/// 400 for what is no object, and for members that are no texts.
pub fn credentials(body: &[u8]) -> Result<Credentials> {
    let mut body = Object::parse(body, "appAuthInfo")?;
    let key = body.text("applicationId", LONGEST)?.value();
    let secret = body.text("sharedSecret", LONGEST)?.value();
    Ok(Credentials { key, secret })
}

/// Reads the body of a renewal.
///
/// # Errors
/// 400 for what is no object, and for a token that is no text.
pub fn refresh_token(body: &[u8]) -> Result<String> {
    let mut body = Object::parse(body, "authTicketRequest")?;
    Ok(body.text("refreshToken", LONGEST)?.value().unwrap_or_default())
}

/// Reads a request of OAuth: JSON, or a form where the content type says so, with id and secret in the
/// body or as HTTP Basic.
///
/// # Errors
/// 400 for a body that cannot be read and for another kind of grant; 401 for Basic that cannot be read.
pub fn grant(headers: &HeaderMap, body: &[u8]) -> Result<Grant> {
    let mut body =
        if is_form(headers, body) { Object::form(body)? } else { Object::loose(body, OAUTH_BODY)? };
    let mut text = |name| -> Result<Option<String>> {
        Ok(body.text(name, LONGEST)?.value().filter(|text| !text.is_empty()))
    };
    let mut with = Credentials { key: text("client_id")?, secret: text("client_secret")? };
    let token = text("refresh_token")?;
    // What comes with a refresh token in a header says nothing (contract 1.3.1, rule 4).
    if with.key.is_none()
        && token.is_none()
        && let Some(sent) = basic::credentials(headers)
    {
        let (key, secret) =
            sent.ok_or_else(|| refusal::credentials(refusal::Credentials::Secret))?;
        with = Credentials { key: Some(key), secret: Some(secret) };
    }
    if let Some(token) = token {
        return Ok(Grant::Renewal { token, with });
    }
    match text("grant_type")?.as_deref() {
        None | Some("client_credentials" | "client") => Ok(Grant::New(with)),
        Some("refresh_token") => Err(refusal::credentials(with.with_refresh_token())),
        Some(_) => {
            let why = format!("must be {}, or be left out.", GRANTS.join(", "));
            Err(refusal::missing("grant_type", &why))
        }
    }
}

/// Whether a body is a form. Some clients say so of everything; no form begins with a brace.
fn is_form(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && !body.trim_ascii_start().starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use http::HeaderValue;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

    fn headers(kind: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers
    }

    fn pair(key: &str, secret: &str) -> Credentials {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Credentials { key: some(key), secret: some(secret) }
    }

    fn renewal(token: &str, with: Credentials) -> Grant {
        Grant::Renewal { token: token.to_owned(), with }
    }

    #[test]
    fn requests_of_oauth_are_read_in_every_form() {
        let json = [
            (r#"{"client_id":"k","client_secret":"s"}"#, Grant::New(pair("k", "s"))),
            (
                r#"{"clientId":"k","ClientSecret":"s","grantType":"client"}"#,
                Grant::New(pair("k", "s")),
            ),
            (
                r#"{"CLIENT_ID":"k","client_secret":"s","grant_type":"client_credentials"}"#,
                Grant::New(pair("k", "s")),
            ),
            (
                r#"{"client_id":"k","client_secret":"s","grant_type":""}"#,
                Grant::New(pair("k", "s")),
            ),
            (
                r#"{"client_id":"","client_secret":null,"grant_type":null}"#,
                Grant::New(pair("", "")),
            ),
            ("{}", Grant::New(pair("", ""))),
            (
                r#"{"grant_type":"client_credentials","refresh_token":"t","client_id":"k"}"#,
                renewal("t", pair("k", "")),
            ),
            (r#"{"grant_type":"refresh_token","refreshToken":"t"}"#, renewal("t", pair("", ""))),
            (r#"{"grant_type":"password","refresh_token":"t"}"#, renewal("t", pair("", ""))),
            (
                r#"{"refresh_token":"","client_id":"k","client_secret":"s"}"#,
                Grant::New(pair("k", "s")),
            ),
        ];
        for (body, expected) in json {
            for kind in ["application/json", "text/plain", FORM] {
                assert_eq!(grant(&headers(kind), body.as_bytes()).unwrap(), expected, "{body}");
            }
        }
        let forms = [
            (
                "client_id=k&client_secret=s&grant_type=client_credentials",
                Grant::New(pair("k", "s")),
            ),
            ("refresh_token=t&grant_type=refresh_token", renewal("t", pair("", ""))),
            ("", Grant::New(pair("", ""))),
        ];
        for (body, expected) in forms {
            assert_eq!(grant(&headers(FORM), body.as_bytes()).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn basic_stands_in_for_an_id_in_the_body() {
        let with = |value: &str| {
            let mut headers = headers(FORM);
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            headers
        };
        let basic = with(&format!("Basic {}", STANDARD.encode("k:s")));
        let read = |headers: &HeaderMap, body: &str| grant(headers, body.as_bytes());
        assert_eq!(
            read(&basic, "grant_type=client_credentials").unwrap(),
            Grant::New(pair("k", "s"))
        );
        assert_eq!(
            read(&basic, "client_id=i&client_secret=t").unwrap(),
            Grant::New(pair("i", "t"))
        );
        for ignored in [basic, with("Basic !")] {
            assert_eq!(read(&ignored, "refresh_token=t").unwrap(), renewal("t", pair("", "")));
        }
        let refused = read(&with("Basic !"), "").unwrap_err();
        assert_eq!(refused.to_string(), "Invalid Credentials: key or secret not accepted.");
        // Credentials of the other operations say nothing here.
        assert_eq!(read(&with("Bearer x"), "").unwrap(), Grant::New(pair("", "")));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        let table = [
            ("application/json", "", "oauthAuthRequest"),
            ("application/json", "[]", "oauthAuthRequest"),
            ("application/json", "client_id=k", "oauthAuthRequest"),
            ("application/json", r#"{"client_id":7}"#, "client_id"),
            ("application/json", r#"{"grant_type":"password"}"#, "grant_type"),
            ("application/json", r#"{"grant_type":"CLIENT"}"#, "grant_type"),
            (FORM, "client_id=%FF", "client_id"),
        ];
        for (kind, body, parameter) in table {
            let refused = grant(&headers(kind), body.as_bytes()).unwrap_err();
            let start = format!("Missing or invalid parameter: {parameter} ");
            assert!(refused.to_string().starts_with(&start), "{body}: {refused}");
        }
        let refused = grant(&headers(FORM), b"grant_type=refresh_token").unwrap_err();
        assert_eq!(refused.to_string(), "Invalid Credentials: refresh token not accepted.");
    }
}
