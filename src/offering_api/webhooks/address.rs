//! The address of a webhook. A name and password in it are taken out before it is kept: the address
//! then reads `https://********@host/path`, here as on the wire, and what was there is sealed beside it.
use url::Url;

use super::entity::Model;
use crate::kernel::error::{Error, Result};
use crate::kernel::outgoing::{Credentials, Guard, Refused};
use crate::kernel::secret::{MASK, MasterKey, Purpose};

/// An address as it is kept, with what was taken out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As it is kept and shown.
    pub masked: String,
    /// The name and password.
    pub userinfo: Userinfo,
}

/// What stands before the `@` of an address.
#[derive(Clone, PartialEq, Eq)]
pub enum Userinfo {
    /// Nothing.
    None,
    /// The mask: what was there before.
    Kept,
    /// A name, a colon and a password, percent-encoded as they were written.
    New(String),
}

impl std::fmt::Debug for Userinfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Kept => "Kept",
            Self::New(_) => "New(…)",
        })
    }
}

impl Address {
    /// Reads an address that a user wrote.
    ///
    /// # Errors
    /// Says why it cannot be called, and what to do about it.
    pub fn read(guard: &Guard, text: &str) -> Result<Self, Refused> {
        guard.check_url(text, Credentials::Allowed)?;
        let (before, userinfo, after) = parts(text);
        let Some(userinfo) = userinfo else {
            return Ok(Self { masked: text.to_owned(), userinfo: Userinfo::None });
        };
        let masked = format!("{before}{MASK}@{after}");
        let userinfo = match userinfo {
            "" | ":" => {
                return Ok(Self { masked: format!("{before}{after}"), userinfo: Userinfo::None });
            }
            MASK => Userinfo::Kept,
            other => Userinfo::New(other.to_owned()),
        };
        Ok(Self { masked, userinfo })
    }
}

/// Whether both lead to one server, which may be told the same secrets: scheme, host and port are equal.
pub fn is_same_server(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    let (one, other) = (origin(one), origin(other));
    one.is_some() && one == other
}

/// Splits an address around its name and password: scheme with slashes, these, what follows their `@`.
fn parts(text: &str) -> (&str, Option<&str>, &str) {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (before, rest) = text.split_at(start);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // The last one: the URL standard takes others as part of the password.
    match rest[..end].rfind('@') {
        Some(at) => (before, Some(&rest[..at]), &rest[at + 1..]),
        None => (before, None, rest),
    }
}

/// What a name and password are sealed for.
fn context(webhook: i64) -> Vec<u8> {
    format!("{webhook} uri").into_bytes()
}

/// Seals a name and password for a webhook.
pub fn seal(key: &MasterKey, webhook: i64, userinfo: &str) -> String {
    key.seal(Purpose::WebhookCredentials, &context(webhook), userinfo.as_bytes())
}

/// The whole address of a webhook, with its name and password: for calling it, and for nothing else.
///
/// # Errors
/// 500 when another master key has sealed them.
pub fn whole(key: &MasterKey, webhook: &Model) -> Result<String> {
    let Some(sealed) = &webhook.credentials else { return Ok(webhook.uri.clone()) };
    let opened = key.open(Purpose::WebhookCredentials, &context(webhook.id), sealed);
    let userinfo = opened.and_then(|bytes| String::from_utf8(bytes).ok());
    let userinfo = userinfo.ok_or_else(|| {
        Error::internal(format!("the credentials of webhook {} cannot be opened", webhook.id))
    })?;
    let (before, _, after) = parts(&webhook.uri);
    Ok(format!("{before}{userinfo}@{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_taken_out_of_addresses() {
        let guard = Guard::default();
        let new = |text: &str| Userinfo::New(text.to_owned());
        for (text, masked, userinfo) in [
            ("https://example.com/a@b?c@d", "https://example.com/a@b?c@d", Userinfo::None),
            ("https://me:s%40@example.com", "https://********@example.com", new("me:s%40")),
            ("https://me@example.com/", "https://********@example.com/", new("me")),
            ("https://a:b@c@example.com?x", "https://********@example.com?x", new("a:b@c")),
            ("https://@example.com/", "https://example.com/", Userinfo::None),
            ("https://:@example.com/", "https://example.com/", Userinfo::None),
            ("https://********@example.com/", "https://********@example.com/", Userinfo::Kept),
        ] {
            let read = Address::read(&guard, text).unwrap();
            assert_eq!(read, Address { masked: masked.to_owned(), userinfo }, "{text}");
        }
        assert!(Address::read(&guard, "https://me:secret@10.0.0.1/").is_err());
    }

    #[test]
    fn a_server_is_known_by_scheme_host_and_port() {
        let same = |other| is_same_server("https://example.com/a", other);
        assert!(same("https://x@EXAMPLE.com:443/b?c"));
        for other in
            ["http://example.com/a", "https://example.com:444/a", "https://example.org/a", "x"]
        {
            assert!(!same(other), "{other}");
        }
    }
}
