//! Statuses of versions and the ways between them (contract 2.4).
use crate::kernel::error::Result;
use crate::package_api::access::Caller;
use crate::package_api::convention::refusal;

/// The status of a new version.
pub const IN_DEVELOPMENT: i64 = 1;
/// Waiting for an operator.
pub const SUBMITTED: i64 = 2;
/// May be installed in production tenants.
pub const CERTIFIED: i64 = 3;
/// Sent back by an operator.
pub const CERTIFICATION_FAILED: i64 = 4;
/// May be a parent theme.
pub const PUBLISHED: i64 = 5;
/// Is installed nowhere any more.
pub const RETIRED: i64 = 6;

/// A status.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: &'static str,
    /// Statuses that can follow, ascending.
    pub next: &'static [i64],
    /// Whether configuration and files are locked.
    pub locked: bool,
    /// Whether sandbox tenants may install it.
    pub sandbox: bool,
    /// Whether production tenants may install it.
    pub production: bool,
}

const fn status(id: i64, name: &'static str, next: &'static [i64]) -> Status {
    Status { id, name, next, locked: false, sandbox: true, production: false }
}

/// All statuses, by number.
pub static STATUSES: [Status; 6] = [
    status(IN_DEVELOPMENT, "In Development", &[SUBMITTED, RETIRED]),
    Status {
        locked: true,
        ..status(
            SUBMITTED,
            "Submitted For Certification",
            &[IN_DEVELOPMENT, CERTIFIED, CERTIFICATION_FAILED],
        )
    },
    Status {
        locked: true,
        production: true,
        ..status(CERTIFIED, "Certified", &[PUBLISHED, RETIRED])
    },
    status(CERTIFICATION_FAILED, "Certification Failed", &[IN_DEVELOPMENT, SUBMITTED, RETIRED]),
    Status {
        locked: true,
        production: true,
        ..status(PUBLISHED, "Published", &[CERTIFIED, RETIRED])
    },
    Status { locked: true, sandbox: false, ..status(RETIRED, "Retired", &[]) },
];

/// The status of this number.
pub fn of(id: i64) -> &'static Status {
    // The database checks the range; what it could not hold would be as good as retired.
    STATUSES.iter().find(|status| status.id == id).unwrap_or(&STATUSES[5])
}

/// Checks a move to another status. Whether a submitted version is certified is the operators' decision
/// (rule 3).
///
/// # Errors
/// 409 for a status that cannot follow, 403 for a decision that is not the caller's.
pub fn check_move(from: i64, to: i64, caller: &Caller, is_operator: bool) -> Result<()> {
    let current = of(from);
    if !current.next.contains(&to) {
        let valid: Vec<String> = current.next.iter().map(i64::to_string).collect();
        return Err(refusal::conflict(&format!(
            "status {to} cannot follow {from}, {}; valid are: {}.",
            current.name,
            if valid.is_empty() { "none".to_owned() } else { valid.join(", ") },
        )));
    }
    let is_decision = from == SUBMITTED && (to == CERTIFIED || to == CERTIFICATION_FAILED);
    if is_decision && !is_operator { Err(caller.forbidden(None)) } else { Ok(()) }
}
