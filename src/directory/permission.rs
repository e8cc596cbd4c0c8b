//! Permissions: what a token may do (contract 1.2).
//!
//! A permission is `<record type>:<Operation>`, as in `app-offering:Read`. A token carries patterns:
//! `All` stands for every operation of a type, `*` for every type or operation, and a leading `!`
//! takes a permission away again.
use serde::{Deserialize, Serialize};

/// What an operation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Record type, kebab-case singular.
    pub record: String,
    /// `Create`, `Read`, `Update` or `Delete`.
    pub operation: String,
}

impl Permission {
    /// Reads `app-offering:Read`.
    pub fn parse(text: &str) -> Option<Self> {
        let (record, operation) = text.split_once(':')?;
        Some(Self { record: record.to_owned(), operation: operation.to_owned() })
    }
}

/// The patterns of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

/// The patterns separated by blanks, as OAuth writes them.
impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Operations that patterns may name.
pub const OPERATIONS: [&str; 6] = ["Create", "Read", "Update", "Delete", "All", "*"];

impl Scopes {
    /// Everything.
    pub fn everything() -> Self {
        Self(vec!["*:*".to_owned()])
    }

    /// What an installed app may do: what its scopes allow, less what they deny. Without anything that is
    /// allowed that is nothing: denials alone would allow the rest of the world.
    pub fn of_app(
        allowed: impl IntoIterator<Item = String>,
        denied: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut scopes: Vec<String> = allowed.into_iter().collect();
        if !scopes.is_empty() {
            scopes.extend(denied.into_iter().map(|pattern| format!("!{pattern}")));
        }
        Self(scopes)
    }

    /// Checks patterns; none at all means everything.
    ///
    /// # Errors
    /// Names the first pattern that is not one, and what one looks like.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut scopes = Vec::new();
        for pattern in patterns {
            if pattern == "*" {
                scopes.push("*:*".to_owned());
                continue;
            }
            let plain = pattern.strip_prefix('!').unwrap_or(pattern);
            let word = |text: &str| {
                text == "*"
                    || !text.is_empty()
                        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            };
            match plain.split_once(':') {
                Some((record, operation)) if word(record) && OPERATIONS.contains(&operation) => {
                    scopes.push(pattern.to_owned());
                }
                _ => {
                    return Err(format!(
                        "scope {pattern:?}: use <record-type>:<Create|Read|Update|Delete|All>, as in \
                         app-offering:Read, `*` for anything, `!` in front to deny"
                    ));
                }
            }
        }
        Ok(if scopes.is_empty() { Self::everything() } else { Self(scopes) })
    }

    /// The patterns as JSON, for the database.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Scopes::to_json`] wrote; nothing is allowed when it cannot be read.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self(Vec::new()))
    }

    /// Whether the permission is given and not taken away.
    pub fn allow(&self, permission: &Permission) -> bool {
        let matches = |pattern: &str| {
            pattern.split_once(':').is_some_and(|(record, operation)| {
                (record == "*" || record == permission.record)
                    && (matches!(operation, "*" | "All") || operation == permission.operation)
            })
        };
        // A token that only denies is one that allows everything else.
        let only_denies = self.0.iter().all(|pattern| pattern.starts_with('!'));
        let denied = self.0.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(matches);
        let allowed = (only_denies && !self.0.is_empty())
            || self.0.iter().any(|pattern| !pattern.starts_with('!') && matches(pattern));
        allowed && !denied
    }

    /// What both allow: patterns of `wanted` that `self` covers word by word.
    pub fn narrowed(&self, wanted: &Self) -> Option<Self> {
        if self.0.is_empty() {
            // Of nothing, nothing is left; denials of it would allow everything else.
            return None;
        }
        let denies = |pattern: &String| pattern.starts_with('!');
        if wanted.0.iter().all(denies) {
            // "Everything but this" means everything that is one's own: the denials alone would
            // allow the rest of the world.
            return Some(Self(self.0.iter().chain(&wanted.0).cloned().collect()));
        }
        let covers = |pattern: &String| {
            denies(pattern)
                || Permission::parse(pattern).is_some_and(|permission| self.allow(&permission))
        };
        if !wanted.0.iter().all(covers) {
            return None;
        }
        // What is denied stays denied.
        let denied = self.0.iter().filter(|pattern| pattern.starts_with('!'));
        Some(Self(wanted.0.iter().chain(denied).cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(patterns: &[&str], permission: &str) -> bool {
        let scopes = Scopes::parse(patterns.iter().copied()).unwrap();
        scopes.allow(&Permission::parse(permission).unwrap())
    }

    #[test]
    fn patterns_allow_and_deny() {
        assert!(allows(&[], "app-offering:Create"));
        assert!(allows(&["app-offering:Read"], "app-offering:Read"));
        assert!(!allows(&["app-offering:Read"], "app-offering:Create"));
        assert!(!allows(&["app-offering:Read"], "app-offering-scope:Read"));
        assert!(allows(&["app-offering:All"], "app-offering:Delete"));
        assert!(allows(&["*:Read"], "account:Read"));
        assert!(!allows(&["*:Read"], "account:Update"));
        assert!(!allows(&["*", "!app-offering:Delete"], "app-offering:Delete"));
        assert!(allows(&["!app-offering:Delete"], "app-offering:Read"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_name() {
        for wrong in ["", "app-offering", "AppOffering:Read", "app-offering:read", "!", ":Read"] {
            let message = Scopes::parse([wrong]).unwrap_err();
            assert!(message.contains(&format!("{wrong:?}")), "{message}");
        }
    }

    #[test]
    fn a_client_can_ask_for_less_but_not_for_more() {
        let own = Scopes::parse(["app-offering:All", "!app-offering:Delete"]).unwrap();
        let read = Scopes::parse(["app-offering:Read"]).unwrap();
        let narrowed = own.narrowed(&read).unwrap();
        assert!(narrowed.allow(&Permission::parse("app-offering:Read").unwrap()));
        assert!(!narrowed.allow(&Permission::parse("app-offering:Update").unwrap()));
        let all = Scopes::parse(["app-offering:All"]).unwrap();
        let kept = own.narrowed(&all).unwrap();
        assert!(!kept.allow(&Permission::parse("app-offering:Delete").unwrap()));
        assert_eq!(own.narrowed(&Scopes::parse(["webhook:Read"]).unwrap()), None);
    }

    #[test]
    fn an_app_may_do_what_its_scopes_allow_and_never_more() {
        let texts = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let app = |allowed: &[&str], denied: &[&str]| Scopes::of_app(texts(allowed), texts(denied));
        let may = |scopes: &Scopes, text| scopes.allow(&Permission::parse(text).unwrap());
        let scopes = app(&["request:All"], &["request:Delete"]);
        assert!(may(&scopes, "request:Read"));
        assert!(!may(&scopes, "request:Delete"));
        assert!(!may(&scopes, "webhook:Read"));
        for nothing in [app(&[], &["request:Read"]), app(&[], &[])] {
            for text in ["request:Read", "request:Delete", "webhook:Read"] {
                assert!(!may(&nothing, text), "{text}");
            }
            assert_eq!(nothing.narrowed(&Scopes::parse(["!webhook:Read"]).unwrap()), None);
            assert_eq!(nothing.narrowed(&Scopes::parse(["request:Read"]).unwrap()), None);
            assert_eq!(Scopes::from_json(&nothing.to_json()), nothing);
        }
    }

    #[test]
    fn a_client_that_asks_only_for_denials_gets_no_more_than_it_has() {
        let own = Scopes::parse(["app-offering:Read", "ui-extension:Read"]).unwrap();
        let narrowed = own.narrowed(&Scopes::parse(["!ui-extension:Read"]).unwrap()).unwrap();
        assert!(narrowed.allow(&Permission::parse("app-offering:Read").unwrap()));
        assert!(!narrowed.allow(&Permission::parse("ui-extension:Read").unwrap()));
        assert!(!narrowed.allow(&Permission::parse("webhook:Read").unwrap()));
        assert!(!narrowed.allow(&Permission::parse("app-offering:Create").unwrap()));
    }
}
