//! The catalogue of refusals (contract 1.9): one function for each, so that status, code, beginning of
//! the message and names of the data are written once.
use sea_orm::{DbErr, SqlErr};

use crate::kernel::error::{Coded, Error};

fn refusal(
    status: u16,
    code: &'static str,
    message: String,
    data: Vec<(&'static str, String)>,
) -> Error {
    Error::Coded(Box::new(Coded { status, code, message, data }))
}

/// 400: a body, key, query parameter, header or path segment is absent or malformed. `parameter` is its
/// name on the wire, members of a body with their path; `why` says what it must be.
pub fn missing(parameter: &str, why: &str) -> Error {
    refusal(
        400,
        "MISSING_OR_INVALID_PARAMETER",
        format!("Missing or invalid parameter: {parameter} {why}"),
        vec![("ParameterName", parameter.to_owned()), ("ErrorMessage", why.to_owned())],
    )
}

/// What the caller of an operation that gives out tickets has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Key and secret of an application.
    Secret,
    /// Address and password of a developer.
    Password,
    /// A refresh token.
    Refresh,
    /// A refresh token together with the key or the secret of its application.
    RefreshWithSecret,
}

/// 401 of the operations that give out tickets. Names what was sent, and says the same whatever of it was
/// wrong, so that nobody learns which keys exist.
pub fn credentials(sent: Credentials) -> Error {
    let sent = match sent {
        Credentials::Secret => "key or secret",
        Credentials::Password => "e-mail address or password",
        Credentials::Refresh => "refresh token",
        Credentials::RefreshWithSecret => "refresh token, key or secret",
    };
    refusal(
        401,
        "INVALID_CREDENTIALS",
        format!("Invalid Credentials: {sent} not accepted."),
        vec![("CredentialsName", "Invalid credentials".to_owned())],
    )
}

/// 401 of every other operation: no access token, or none that is valid.
pub fn access_token(operation: &str) -> Error {
    refusal(
        401,
        "INVALID_ACCESS_TOKEN",
        "The access token is missing, not valid or expired.".to_owned(),
        vec![("OperationName", operation.to_owned()), ("WWW-Authenticate", "Bearer".to_owned())],
    )
}

/// 403: the behavior of this id is missing, or, without one, the record belongs to another developer
/// account or the change is reserved to operators.
pub fn forbidden(operation: &str, behavior: Option<i64>) -> Error {
    let mut data = vec![("OperationName", operation.to_owned())];
    let message = match behavior {
        Some(id) => {
            data.push(("BehaviorId", id.to_string()));
            format!("Forbidden: the access token lacks the behavior {id}.")
        }
        None => "Forbidden: not for the developer account of the access token.".to_owned(),
    };
    refusal(403, "FORBIDDEN", message, data)
}

/// 403 of a log-in: the developer does not work for the account of this number.
pub fn not_a_member(operation: &str, account: i64) -> Error {
    let message = format!("Forbidden: the developer does not work for account {account}.");
    refusal(403, "FORBIDDEN", message, vec![("OperationName", operation.to_owned())])
}

/// 403: only operators give private behaviors, and this one is private.
pub fn private_behavior(operation: &str, id: i64) -> Error {
    let data = vec![("OperationName", operation.to_owned()), ("BehaviorId", id.to_string())];
    let message = format!("Forbidden: the behavior {id} is private; only operators give it.");
    refusal(403, "FORBIDDEN", message, data)
}

/// 403: only operators decide whether a submitted version is certified.
pub fn for_operators(operation: &str) -> Error {
    let message = "Forbidden: only operators decide about a certification.".to_owned();
    refusal(403, "FORBIDDEN", message, vec![("OperationName", operation.to_owned())])
}

/// 404: there is no such thing, or the caller may not see it. `what` is said in the message (`package`),
/// `name` is that of the id (`AppKey`), `value` the id as it was given.
pub fn not_found(what: &str, name: &'static str, value: impl std::fmt::Display) -> Error {
    let value = value.to_string();
    refusal(404, "ITEM_NOT_FOUND", format!("Item not found: {what} {value}"), vec![(name, value)])
}

/// 409: there is such a thing already. Arguments as of [`not_found`].
pub fn exists(what: &str, name: &'static str, value: impl std::fmt::Display) -> Error {
    let value = value.to_string();
    let message = format!("Item already exists: {what} {value}");
    refusal(409, "ITEM_ALREADY_EXISTS", message, vec![(name, value)])
}

/// 409: a business rule is broken; `why` says which.
pub fn conflict(why: &str) -> Error {
    refusal(
        409,
        "VALIDATION_CONFLICT",
        format!("Validation Error: {why}"),
        vec![("ErrorMessage", why.to_owned())],
    )
}

/// 409: the stored file is newer than the caller's copy. Clients know this case by the beginning of the
/// message, misspelling included (contract 3.7).
pub fn stale() -> Error {
    conflict("LastModifedTime is before the last update of the stored file.")
}

/// 413: a body above `max` bytes.
pub fn too_large(max: u64) -> Error {
    refusal(
        413,
        "REQUEST_TOO_LARGE",
        format!("The request is too large: at most {max} bytes are taken."),
        vec![("MaxBytes", max.to_string())],
    )
}

/// 405; `Allow` has the methods.
pub fn method_not_allowed() -> Error {
    let message = "The path is known, but not with this method; Allow names those that it has.";
    refusal(405, "METHOD_NOT_ALLOWED", message.to_owned(), Vec::new())
}

/// 412: `If-Match` names another state of the record. An extension of the catalogue.
pub fn changed_since() -> Error {
    let message = "If-Match names another state of the record; read it again.";
    refusal(412, "PRECONDITION_FAILED", message.to_owned(), Vec::new())
}

/// 422: an `Idempotency-Key` was used with another request. An extension of the catalogue.
pub fn unprocessable(why: &str) -> Error {
    let message = format!("Validation Error: {why}");
    refusal(422, "VALIDATION_CONFLICT", message, vec![("ErrorMessage", why.to_owned())])
}

/// 429: more requests, or failed log-ins, than are allowed.
pub fn throttled(seconds: u64) -> Error {
    let message = format!("Too many requests; try again in {seconds} seconds.");
    refusal(429, "EXCEEDED_MAX_RETRIES", message, Vec::new())
}

/// 500: a mistake of ours.
pub fn unexpected() -> Error {
    let message = "Something went wrong; the correlation id finds it in the server's log.";
    refusal(500, "UNEXPECTED_ERROR", message.to_owned(), Vec::new())
}

/// 503: the database is away or busy for too long.
pub fn unavailable() -> Error {
    let message = "The service is not available at the moment; try again soon.";
    refusal(503, "SYSTEM_MAINTENANCE", message.to_owned(), Vec::new())
}

/// Turns a unique violation into [`exists`], anything else into itself: the index decides races.
pub fn taken(what: &str, name: &'static str, value: &str) -> impl FnOnce(DbErr) -> Error {
    move |error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => exists(what, name, value),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, ConnectionTrait, Database};

    use super::*;

    /// A refusal with its status, code, message and data.
    type Line<'a> = (Error, u16, &'static str, &'a str, &'a [(&'static str, &'a str)]);

    #[test]
    fn refusals_are_those_of_the_catalogue() {
        let table: [Line<'_>; 13] = [
            (
                missing("appKey", "must not be blank."),
                400,
                "MISSING_OR_INVALID_PARAMETER",
                "Missing or invalid parameter: appKey must not be blank.",
                &[("ParameterName", "appKey"), ("ErrorMessage", "must not be blank.")],
            ),
            (
                credentials(Credentials::Secret),
                401,
                "INVALID_CREDENTIALS",
                "Invalid Credentials: key or secret not accepted.",
                &[("CredentialsName", "Invalid credentials")],
            ),
            (
                credentials(Credentials::RefreshWithSecret),
                401,
                "INVALID_CREDENTIALS",
                "Invalid Credentials: refresh token, key or secret not accepted.",
                &[("CredentialsName", "Invalid credentials")],
            ),
            (
                access_token("get_package"),
                401,
                "INVALID_ACCESS_TOKEN",
                "The access token is missing, not valid or expired.",
                &[("OperationName", "get_package"), ("WWW-Authenticate", "Bearer")],
            ),
            (
                forbidden("get_package", Some(42)),
                403,
                "FORBIDDEN",
                "Forbidden: the access token lacks the behavior 42.",
                &[("OperationName", "get_package"), ("BehaviorId", "42")],
            ),
            (
                forbidden("create_app_package", None),
                403,
                "FORBIDDEN",
                "Forbidden: not for the developer account of the access token.",
                &[("OperationName", "create_app_package")],
            ),
            (
                not_a_member("authenticate_developer", 7),
                403,
                "FORBIDDEN",
                "Forbidden: the developer does not work for account 7.",
                &[("OperationName", "authenticate_developer")],
            ),
            (
                not_found("package", "AppKey", "acme01.loyalty.9.9.9.Release"),
                404,
                "ITEM_NOT_FOUND",
                "Item not found: package acme01.loyalty.9.9.9.Release",
                &[("AppKey", "acme01.loyalty.9.9.9.Release")],
            ),
            (
                not_found("subscription", "ApplicationSubscriptionId", 7),
                404,
                "ITEM_NOT_FOUND",
                "Item not found: subscription 7",
                &[("ApplicationSubscriptionId", "7")],
            ),
            (
                exists("package", "AppKey", "acme01.loyalty.1.0.0.Release"),
                409,
                "ITEM_ALREADY_EXISTS",
                "Item already exists: package acme01.loyalty.1.0.0.Release",
                &[("AppKey", "acme01.loyalty.1.0.0.Release")],
            ),
            (
                conflict("the version is locked."),
                409,
                "VALIDATION_CONFLICT",
                "Validation Error: the version is locked.",
                &[("ErrorMessage", "the version is locked.")],
            ),
            (
                stale(),
                409,
                "VALIDATION_CONFLICT",
                "Validation Error: LastModifedTime is before the last update of the stored file.",
                &[(
                    "ErrorMessage",
                    "LastModifedTime is before the last update of the stored file.",
                )],
            ),
            (
                too_large(67_108_864),
                413,
                "REQUEST_TOO_LARGE",
                "The request is too large: at most 67108864 bytes are taken.",
                &[("MaxBytes", "67108864")],
            ),
        ];
        for (error, status, code, message, data) in table {
            assert_eq!((error.status().as_u16(), error.to_string().as_str()), (status, message));
            let Error::Coded(coded) = error else { panic!("{error:?} has no code") };
            let data = data.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            assert_eq!(*coded, Coded { status, code, message: message.to_owned(), data });
        }
    }

    #[tokio::test]
    async fn only_a_unique_violation_says_that_a_thing_exists() {
        let mut memory = ConnectOptions::new("sqlite::memory:");
        memory.max_connections(1);
        let db = Database::connect(memory).await.unwrap();
        let table =
            "CREATE TABLE packages (name TEXT NOT NULL UNIQUE, of TEXT REFERENCES packages (name))";
        db.execute_unprepared(table).await.unwrap();
        let mut statuses = Vec::new();
        for row in ["'a', NULL", "'a', NULL", "NULL, NULL", "'b', 'c'"] {
            let insert = format!("INSERT INTO packages VALUES ({row})");
            let done = db.execute_unprepared(&insert).await;
            let refused = done.map_err(taken("package", "AppKey", "a.b.1.0.0.Release")).err();
            statuses.push(refused.map(|error| (error.status().as_u16(), error.to_string())));
        }
        let exists = (409, "Item already exists: package a.b.1.0.0.Release".to_owned());
        let other = (500, "Internal Server Error".to_owned());
        assert_eq!(statuses, [None, Some(exists), Some(other.clone()), Some(other)]);
    }
}
