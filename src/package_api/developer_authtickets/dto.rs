//! The wire of developers' tickets (contract 1.3.8).
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::developers::{EMAIL_MAX, Membership, PASSWORD_MAX};
use crate::kernel::error::Result;
use crate::package_api::convention::body::Object;
use crate::package_api::convention::time::Time;

/// What a developer signs in with.
#[derive(Clone, ToSchema)]
#[schema(as = UserAuthInfo)]
pub struct LogIn {
    /// Address of the developer, in any case of letters.
    #[schema(rename = "emailAddress", max_length = 254, example = "ann@acme.example")]
    pub email: String,
    /// Their password.
    #[schema(max_length = 200, example = "correct horse battery")]
    pub password: String,
}

impl LogIn {
    /// Reads a body. What is missing is empty, and nobody's.
    ///
    /// # Errors
    /// 400 for a body that is no object, and for members that are no texts or longer than any that can
    /// be right.
    pub fn read(body: &[u8]) -> Result<Self> {
        let mut object = Object::parse(body, "userAuthInfo")?;
        let email = object.text("emailAddress", EMAIL_MAX)?.value().unwrap_or_default();
        Ok(Self {
            email: email.trim().to_owned(),
            password: object.text("password", PASSWORD_MAX)?.value().unwrap_or_default(),
        })
    }
}

/// Tokens of a developer.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeveloperAdminUserAuthTicket {
    /// Access token, for `x-vol-user-claims` or `Authorization: Bearer`.
    #[schema(max_length = 4000, example = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl")]
    pub access_token: String,
    /// When the access token expires.
    #[schema(value_type = String, format = DateTime, example = "2026-03-04T10:15:00.000Z")]
    pub access_token_expiration: Time,
    /// Token that gets the next access token.
    #[schema(max_length = 200, example = "S7dq1vNnX4mYb0cWz8kTgR2hJp5uEaLf9oQiVxCyBtDsMjKw")]
    pub refresh_token: String,
    /// When the refresh token expires. Using it does not prolong it.
    #[schema(value_type = String, format = DateTime, example = "2026-03-05T09:15:00.000Z")]
    pub refresh_token_expiration: Time,
    /// The access token again: it is a JWT.
    #[schema(nullable, max_length = 4000, example = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl")]
    pub jwt_access_token: String,
    /// When this ticket was made.
    #[schema(value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub created_on: Time,
    /// The developer.
    pub user: DeveloperUser,
    /// The account that the tokens act for; null when none was chosen, and then they own nothing.
    pub account: Option<DeveloperAccount>,
    /// The accounts that the developer works for.
    pub available_accounts: Vec<DeveloperAccount>,
    /// Numbers of the behaviors that the tokens have.
    #[schema(value_type = Vec<i32>, max_items = 10_000, example = json!([41, 42, 43, 44]))]
    pub granted_behaviors: Vec<i64>,
}

/// A developer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeveloperUser {
    /// Number of the developer, as text.
    #[schema(max_length = 20, example = "12")]
    pub user_id: String,
    /// First name.
    #[schema(max_length = 128, example = "Ann")]
    pub first_name: String,
    /// Last name.
    #[schema(max_length = 128, example = "Lee")]
    pub last_name: String,
    /// Address by which they sign in.
    #[schema(max_length = 254, example = "ann@acme.example")]
    pub email_address: String,
    /// The address again: developers have no other name.
    #[schema(max_length = 254, example = "ann@acme.example")]
    pub user_name: String,
}

/// An account that a developer works for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeveloperAccount {
    /// Number of the account, `developerAccountId`.
    #[schema(value_type = i32, example = 3)]
    pub id: i64,
    /// Its name.
    #[schema(max_length = 128, example = "Acme")]
    pub name: String,
}

impl From<&Membership> for DeveloperAccount {
    fn from(membership: &Membership) -> Self {
        Self { id: membership.number, name: membership.name.clone() }
    }
}

/// The refresh token of a ticket that a client gives back.
///
/// # Errors
/// 400 for a body that is no object or has none.
pub fn refresh_token(body: &[u8]) -> Result<String> {
    let mut object = Object::parse(body, "existingAuthTicket")?;
    let token = object.text("refreshToken", 200)?.value().unwrap_or_default();
    let token = token.trim();
    if token.is_empty() {
        return Err(object.refused("refreshToken", "must be the refresh token of a ticket."));
    }
    Ok(token.to_owned())
}

/// First and last name of a person who has one name.
pub fn names(name: &str) -> (String, String) {
    let (first, last) = name.trim().split_once(' ').unwrap_or((name.trim(), ""));
    (first.to_owned(), last.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parted_at_the_first_blank() {
        let table = [
            ("Ann Lee", "Ann", "Lee"),
            (" Ann  Mary Lee ", "Ann", "Mary Lee"),
            ("ann", "ann", ""),
            ("", "", ""),
        ];
        for (name, first, last) in table {
            assert_eq!(names(name), (first.to_owned(), last.to_owned()), "{name:?}");
        }
    }
}
