//! The wire of the token endpoint (contract 1.2, RFC 6749): forms as well as JSON in, JSON out.
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::kernel::http::basic;
use crate::kernel::record::schema;
use crate::literal_schema;
use crate::offering_api::envelope;

/// Parameters that are understood; each may be sent once.
const PARAMETERS: [&str; 4] = ["grant_type", "client_id", "client_secret", "scope"];

/// What a program asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The kind of grant.
    pub grant_type: String,
    /// The client's id; empty when it did not say who it is.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// Permissions, separated by blanks, if it wants fewer than it may have.
    pub scope: Option<String>,
    /// Whether id and secret came as HTTP Basic.
    pub basic: bool,
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// A parameter is missing or sent twice, or nothing can be read.
    Request(&'static str),
    /// There is no such client, or its secret is another; HTTP Basic is answered with a challenge.
    Client {
        /// Whether it was HTTP Basic.
        basic: bool,
    },
    /// Another kind of grant.
    GrantType,
    /// The client acts for people who sign in, not for itself.
    Unauthorized,
    /// The client may not have this.
    Scope(&'static str),
}

/// A token that was made.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token itself.
    pub token: String,
    /// Seconds that it is valid.
    pub expires_in: u32,
    /// Its permissions, if the client asked for fewer than it may have.
    pub scope: Option<String>,
}

impl Ask {
    /// Reads a request. What kind of body it has is told by its first character, not by its
    /// `Content-Type`, which clients get wrong: no form that is understood begins with a brace.
    ///
    /// # Errors
    /// `invalid_request` for what cannot be read, `invalid_client` for malformed credentials.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let body = body.trim_ascii();
        let sent = if body.starts_with(b"{") { from_json(body)? } else { from_form(body)? };
        // A parameter without a value counts as left out (RFC 6749, 3.2).
        let parameter = |name: &str| {
            sent.iter().find(|(known, value)| *known == name && !value.is_empty()).map(|(_, it)| it)
        };
        let grant_type = parameter("grant_type")
            .ok_or(Refusal::Request("The parameter grant_type is missing"))?;
        let mut ask = Self {
            grant_type: grant_type.clone(),
            client_id: parameter("client_id").cloned().unwrap_or_default(),
            client_secret: parameter("client_secret").cloned().unwrap_or_default(),
            scope: parameter("scope").cloned(),
            basic: false,
        };
        let Some(credentials) = basic::credentials(headers) else { return Ok(ask) };
        let (id, secret) = credentials.ok_or(Refusal::Client { basic: true })?;
        let names_another = !ask.client_id.is_empty() && ask.client_id != id;
        if names_another || !ask.client_secret.is_empty() {
            return Err(Refusal::Request("Credentials may be sent in one way only"));
        }
        (ask.client_id, ask.client_secret, ask.basic) = (id, secret, true);
        Ok(ask)
    }
}

fn from_json(body: &[u8]) -> Result<Vec<(&'static str, String)>, Refusal> {
    let unreadable = Refusal::Request("The body is neither a form nor a JSON object");
    let body: Value = serde_json::from_slice(body).map_err(|_| unreadable)?;
    let mut sent = Vec::new();
    for name in PARAMETERS {
        match body.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => sent.push((name, text.clone())),
            Some(_) => return Err(Refusal::Request("Every parameter must be a text")),
        }
    }
    Ok(sent)
}

fn from_form(body: &[u8]) -> Result<Vec<(&'static str, String)>, Refusal> {
    let mut sent: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(body) {
        let Some(name) = PARAMETERS.into_iter().find(|known| *known == name) else { continue };
        if sent.iter().any(|(known, _)| *known == name) {
            return Err(Refusal::Request("A parameter is sent more than once"));
        }
        sent.push((name, value.into_owned()));
    }
    Ok(sent)
}

/// The answer, which nobody may keep.
pub fn answer(answer: Result<Issued, Refusal>) -> Response {
    let (status, body) = match &answer {
        Ok(issued) => {
            let mut body = json!({
                "access_token": issued.token, "token_type": "bearer", "expires_in": issued.expires_in,
            });
            if let Some(scope) = &issued.scope {
                body["scope"] = scope.as_str().into();
            }
            (StatusCode::OK, body)
        }
        Err(refusal) => {
            let (status, error, description) = refusal.describe();
            (status, json!({"error": error, "error_description": description}))
        }
    };
    let mut response = envelope::json(&body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    if matches!(answer, Err(Refusal::Client { basic: true })) {
        let challenge = HeaderValue::from_static("Basic realm=\"appmarket\", charset=\"UTF-8\"");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

impl Refusal {
    /// Status, code and words of RFC 6749, 5.2; the words have neither quotes nor backslashes.
    fn describe(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Request(text) => (StatusCode::BAD_REQUEST, "invalid_request", text),
            Self::Client { .. } => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "There is no client of this id and secret",
            ),
            Self::GrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "Only the grant_type client_credentials is supported",
            ),
            Self::Unauthorized => (
                StatusCode::BAD_REQUEST,
                "unauthorized_client",
                "This client acts for people who sign in: it may not use the grant_type \
                 client_credentials",
            ),
            Self::Scope(text) => (StatusCode::BAD_REQUEST, "invalid_scope", text),
        }
    }
}

literal_schema!(TokenRequest: schema::from_json(schema::parse(TOKEN_REQUEST)));
literal_schema!(AccessToken: schema::from_json(schema::parse(ACCESS_TOKEN)));
literal_schema!(TokenRefusal: schema::from_json(schema::parse(TOKEN_REFUSAL)));

const TOKEN_REQUEST: &str = r#"{
    "type": "object", "description": "What is asked for.",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"],
                       "description": "The kind of grant.", "examples": ["client_credentials"]},
        "client_id": {"type": "string", "minLength": 1, "maxLength": 48, "pattern": "^[A-Za-z0-9]+$",
                      "description": "Id of the client, unless it is sent as HTTP Basic.",
                      "examples": ["Yx3dQm0c7T1vKq8RzP5sWn2bHf6jLg9aEu4iOyTcVrXwBkMh"]},
        "client_secret": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9]+$",
                          "writeOnly": true,
                          "description": "Secret of the client, unless it is sent as HTTP Basic.",
                          "examples": ["q7Zt0Lw5Jc2Xn9Vb4Rk8Gd1Ms6Hy3Fp7Ua0Ie5To2Wq9Cx4Nz8Bv1Kj6Lh3Sg7Pr"]},
        "scope": {"type": "string", "maxLength": 4000, "pattern": "^[!*:A-Za-z -]*$",
                  "description": "Permissions, separated by blanks, to get a token that may do less than the client.",
                  "examples": ["app-offering:Read ui-extension:Read"]}
    }
}"#;

const ACCESS_TOKEN: &str = r#"{
    "type": "object", "description": "A short-lived token.",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": {
        "access_token": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9_]+$",
                         "description": "The token, to be sent as `Authorization: Bearer …`.",
                         "examples": ["amt_k3Jd8sLq0Zx7Vb2Nm5Tr9Wy4Hc6Gf1Pa8Ue3Io0S"]},
        "token_type": {"type": "string", "enum": ["bearer"], "description": "The kind of token.",
                       "examples": ["bearer"]},
        "expires_in": {"type": "integer", "format": "int64", "minimum": 121, "maximum": 4294967295,
                       "description": "Seconds until it expires.", "examples": [3600]},
        "scope": {"type": "string", "maxLength": 8000, "pattern": "^[!*:A-Za-z -]*$",
                  "description": "Only when fewer permissions were asked for: what the token may do.",
                  "examples": ["app-offering:Read"]}
    }
}"#;

const TOKEN_REFUSAL: &str = r#"{
    "type": "object", "description": "Why there is no token (RFC 6749, 5.2).",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string",
                  "enum": ["invalid_request", "invalid_client", "unauthorized_client",
                           "unsupported_grant_type", "invalid_scope"],
                  "description": "The reason, for programs.", "examples": ["invalid_client"]},
        "error_description": {"type": "string", "maxLength": 200, "pattern": "^[ !#-\\[\\]-~]*$",
                              "description": "The reason, for people.",
                              "examples": ["There is no client of this id and secret"]}
    }
}"#;
