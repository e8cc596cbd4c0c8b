//! Who writes.
use crate::directory::state::AppState;
use crate::package_api::access::Caller;

/// Who writes something, and when.
#[derive(Clone, Debug)]
pub struct Author {
    /// Developer account.
    pub account: String,
    /// Whom the audit trail names.
    pub person: i64,
    /// Whom files show as their author.
    pub by: String,
    /// Milliseconds since the epoch.
    pub now: i64,
    /// What a refusal calls the operation.
    pub operation: String,
}

impl Author {
    /// The caller of an operation, now.
    pub fn of(state: &AppState, caller: &Caller) -> Self {
        let principal = &caller.principal;
        Self {
            account: principal.account.to_string(),
            person: principal.person,
            by: principal.by.clone(),
            now: state.clock.now_millis(),
            operation: caller.operation.to_string(),
        }
    }
}
