//! One error type for everything that can go wrong, free of transport and of wording for machines.
//!
//! A family turns it into its own body (`offering_api::envelope`). What each status means:
//!
//! | Status | The caller should… | The operator should… |
//! |---|---|---|
//! | 400 | mend the request as the message says | – |
//! | 401 | send a valid token | – |
//! | 403 | ask for the permission or role | – |
//! | 404 | check the id: there is no such record, or not for this account | – |
//! | 409 | wait for the same request to end, or look at what is there already | – |
//! | 412 | read the record again, then repeat the change | – |
//! | 422 | mend the named fields | – |
//! | 429 | wait as long as `Retry-After` says | raise the limit if it is too low |
//! | 500 | report the `X-Request-Id` | look that id up in the log |
//! | 503 | try again soon | look at the database |
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use crate::kernel::language::violation::Violation;

/// Result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be understood; the text tells the caller what to mend.
    #[error("{0}")]
    BadRequest(String),
    /// No credentials, or none that are valid.
    #[error("Unauthorized")]
    Unauthorized,
    /// Valid credentials, but without the permission or role, or for another account's record.
    #[error("Forbidden")]
    Forbidden,
    /// No such path or record, or not visible to the caller.
    #[error("Not Found")]
    NotFound,
    /// The path exists, the method does not; `Allow` says which do.
    #[error("Method Not Allowed")]
    MethodNotAllowed,
    /// The `Accept` header names nothing that can be produced.
    #[error("Not Acceptable")]
    NotAcceptable,
    /// A request with the same `Idempotency-Key` is still running.
    #[error("{0}")]
    Conflict(String),
    /// `If-Match` names another state of the record.
    #[error("Precondition Failed")]
    PreconditionFailed,
    /// The body is larger than the limit, in bytes.
    #[error("Payload Too Large: the limit is {0} bytes")]
    PayloadTooLarge(usize),
    /// Fields that were refused, all of them.
    #[error("Validation Failed")]
    Invalid(Vec<Problem>),
    /// Understood, but not possible; not about one field.
    #[error("{0}")]
    Unprocessable(String),
    /// A refusal out of a family's own catalogue.
    #[error("{0}")]
    Coded(Box<Coded>),
    /// Too many requests; try again after this many seconds.
    #[error("Too Many Requests")]
    TooManyRequests(u64),
    /// The database is not reachable or busy for too long.
    #[error("Service Unavailable")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// Unforeseen. The cause goes to the log, never to the caller.
    #[error("Internal Server Error")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// A refusal as a family's own catalogue of errors words it. The family writes its body; here is only
/// what a transaction needs to hand it on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Coded {
    /// HTTP status.
    pub status: u16,
    /// What programs tell it by: `ITEM_NOT_FOUND`.
    pub code: &'static str,
    /// What people read.
    pub message: String,
    /// What it is about: names of the catalogue with their values.
    pub data: Vec<(&'static str, String)>,
}

/// One refused field: its name on the wire and what is wrong with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the field as the contract spells it.
    pub field: &'static str,
    /// What is wrong; worded in the caller's language when it is answered.
    pub violation: Violation,
}

impl Error {
    /// An unforeseen failure with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// The refusal of a single field.
    pub fn invalid(field: &'static str, violation: Violation) -> Self {
        Self::Invalid(vec![Problem { field, violation }])
    }

    /// HTTP status of this error.
    pub fn status(&self) -> http::StatusCode {
        use http::StatusCode;
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) | Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            // A catalogue without a valid status is a mistake of ours.
            Self::Coded(coded) => {
                StatusCode::from_u16(coded.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Database errors are unforeseen, except that a lost connection means "try again".
impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(Arc::new(error)),
            // Connections wait in a pool: that one is gone shows when it is used.
            DbErr::Exec(RuntimeErr::SqlxError(ref cause))
            | DbErr::Query(RuntimeErr::SqlxError(ref cause))
                if matches!(cause.as_ref(), sqlx::Error::Io(_)) =>
            {
                Self::Unavailable(Arc::new(error))
            }
            other => Self::internal(other),
        }
    }
}

/// An error with its causes, for the log.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// Turns a unique violation into the refusal of `field` (422), anything else into itself.
pub fn taken(field: &'static str) -> impl FnOnce(DbErr) -> Error {
    on_duplicate(field, Violation::Taken)
}

/// As [`taken`], in other words.
pub fn on_duplicate(field: &'static str, violation: Violation) -> impl FnOnce(DbErr) -> Error {
    move |error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::invalid(field, violation),
        _ => error.into(),
    }
}

/// The error travels to the family's layer in the response's extensions, where the body is written
/// in the family's form and the caller's language.
impl axum::response::IntoResponse for Error {
    fn into_response(self) -> axum::response::Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coded_refusal_has_its_own_status_and_words() {
        let coded = |status| {
            Error::Coded(Box::new(Coded {
                status,
                code: "ITEM_NOT_FOUND",
                message: "Item not found: package 7".to_owned(),
                data: vec![("item", "package 7".to_owned())],
            }))
        };
        assert_eq!(coded(404).status(), http::StatusCode::NOT_FOUND);
        assert_eq!(coded(404).to_string(), "Item not found: package 7");
        assert_eq!(coded(1).status(), http::StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn the_log_tells_every_cause() {
        let cause = std::io::Error::other("disk full");
        assert_eq!(chain(&Error::internal(cause)), "Internal Server Error: disk full");
    }
}
