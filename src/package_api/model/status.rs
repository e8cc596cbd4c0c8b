//! Statuses of versions (contract 2.4): a state machine, in which each status says what may be done with
//! the packages of the version.
use crate::kernel::error::Result;
use crate::package_api::convention::refusal;

/// A new version.
pub const IN_DEVELOPMENT: i64 = 1;
/// A version that waits for an operator's verdict.
pub const SUBMITTED: i64 = 2;
/// A version that may go to production.
pub const CERTIFIED: i64 = 3;
/// A version that has to be mended.
pub const CERTIFICATION_FAILED: i64 = 4;
/// A version that everybody may see; of a theme, inherit from.
pub const PUBLISHED: i64 = 5;
/// A version that is installed nowhere any more.
pub const RETIRED: i64 = 6;

/// A status, and what it allows.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// Its number.
    pub id: i64,
    /// Its name for people.
    pub name: &'static str,
    /// Statuses that can follow, ascending.
    pub next: &'static [i64],
    /// Whether packages of the version cannot be changed.
    pub locked: bool,
    /// Whether they can be installed in sandbox tenants.
    pub sandbox: bool,
    /// Whether the release can be installed in production tenants.
    pub production: bool,
    /// Whether a theme can become a parent.
    pub parent: bool,
}

/// All statuses, ascending.
pub static STATUSES: [Status; 6] = [
    Status {
        id: IN_DEVELOPMENT,
        name: "In Development",
        next: &[SUBMITTED, RETIRED],
        locked: false,
        sandbox: true,
        production: false,
        parent: false,
    },
    Status {
        id: SUBMITTED,
        name: "Submitted For Certification",
        next: &[IN_DEVELOPMENT, CERTIFIED, CERTIFICATION_FAILED],
        locked: true,
        sandbox: true,
        production: false,
        parent: false,
    },
    Status {
        id: CERTIFIED,
        name: "Certified",
        next: &[PUBLISHED, RETIRED],
        locked: true,
        sandbox: true,
        production: true,
        parent: false,
    },
    Status {
        id: CERTIFICATION_FAILED,
        name: "Certification Failed",
        next: &[IN_DEVELOPMENT, SUBMITTED, RETIRED],
        locked: false,
        sandbox: true,
        production: false,
        parent: false,
    },
    Status {
        id: PUBLISHED,
        name: "Published",
        next: &[CERTIFIED, RETIRED],
        locked: true,
        sandbox: true,
        production: true,
        parent: true,
    },
    Status {
        id: RETIRED,
        name: "Retired",
        next: &[],
        locked: true,
        sandbox: false,
        production: false,
        parent: false,
    },
];

/// The status of a stored version. The database takes only the numbers of the table; of any other, the
/// last one is shown, which allows nothing.
pub fn of(id: i64) -> &'static Status {
    let [.., retired] = &STATUSES;
    STATUSES.iter().find(|status| status.id == id).unwrap_or(retired)
}

/// Whether this is what becomes of a submitted version: it is certified, or refused.
pub fn is_verdict(from: i64, to: i64) -> bool {
    from == SUBMITTED && matches!(to, CERTIFIED | CERTIFICATION_FAILED)
}

/// Whether somebody may move a version from one status to another. Only operators certify, or refuse to;
/// `operation` is what the refusal calls the operation.
///
/// # Errors
/// 403 when it is for operators.
pub fn permit(from: i64, to: i64, is_operator: bool, operation: &str) -> Result<()> {
    if is_verdict(from, to) && !is_operator {
        return Err(refusal::for_operators(operation));
    }
    Ok(())
}

/// Whether one status follows another.
///
/// # Errors
/// 409 when it does not.
pub fn change(from: i64, to: i64) -> Result<()> {
    let status = of(from);
    if !status.next.contains(&to) {
        let next = status.next.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let why = match status.next {
            [] => format!("status {from} ({}) is final.", status.name),
            _ => format!("status {from} ({}) can be followed by {next}, not by {to}.", status.name),
        };
        return Err(refusal::conflict(&why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcome of every transition: `.` allowed, `o` for operators, `x` never.
    const MATRIX: [&str; 6] = ["x.xxx.", ".xooxx", "xxxx..", "..xxx.", "xx.xx.", "xxxxxx"];

    #[test]
    fn transitions_are_those_of_the_contract() {
        for (from, line) in (1..).zip(MATRIX) {
            for (to, outcome) in (1..).zip(line.chars()) {
                let status = |is_operator| {
                    permit(from, to, is_operator, "update_package")
                        .and_then(|()| change(from, to))
                        .err()
                        .map(|error| error.status().as_u16())
                };
                let expected = match outcome {
                    '.' => [None, None],
                    'o' => [None, Some(403)],
                    _ => [Some(409), Some(409)],
                };
                assert_eq!([status(true), status(false)], expected, "{from} to {to}");
            }
            for to in [0, 7, -1, i64::MAX] {
                let refused = change(from, to).unwrap_err();
                assert_eq!(refused.status().as_u16(), 409, "{from} to {to}");
            }
        }
    }

    #[test]
    fn refusals_say_what_can_follow() {
        let why = |from, to| change(from, to).unwrap_err().to_string();
        assert_eq!(
            why(1, 5),
            "Validation Error: status 1 (In Development) can be followed by 2, 6, not by 5."
        );
        assert_eq!(why(6, 1), "Validation Error: status 6 (Retired) is final.");
    }

    #[test]
    fn statuses_are_those_of_the_contract() {
        let all = STATUSES.each_ref().map(|it| {
            assert_eq!(of(it.id), it);
            (it.id, it.name, it.next, [it.locked, it.sandbox, it.production, it.parent])
        });
        let (yes, no) = (true, false);
        let expected: [(i64, &str, &[i64], [bool; 4]); 6] = [
            (1, "In Development", &[2, 6], [no, yes, no, no]),
            (2, "Submitted For Certification", &[1, 3, 4], [yes, yes, no, no]),
            (3, "Certified", &[5, 6], [yes, yes, yes, no]),
            (4, "Certification Failed", &[1, 2, 6], [no, yes, no, no]),
            (5, "Published", &[3, 6], [yes, yes, yes, yes]),
            (6, "Retired", &[], [yes, no, no, no]),
        ];
        assert_eq!(all, expected);
    }
}
