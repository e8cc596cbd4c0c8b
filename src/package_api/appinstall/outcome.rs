//! What an install makes of what is installed in the same place already (contract 3.11).
use super::entity::Model;
use super::topic::Topic;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is a new record; the application was not installed there, or its licence does not hold.
    First,
    /// The record of the same package is brought up to date.
    Again,
    /// There is a new record; that of another version or package is revoked.
    Upgrade,
}

impl Outcome {
    /// The outcome of installing `package` where `current` is installed. `now` in milliseconds since the
    /// epoch.
    pub fn of(current: Option<&Model>, package: i64, now: i64) -> Self {
        match current.filter(|current| current.is_active(now)) {
            None => Self::First,
            Some(current) if current.package_id == package => Self::Again,
            Some(_) => Self::Upgrade,
        }
    }

    /// What subscribers are told.
    pub fn topic(self) -> Topic {
        match self {
            Self::First | Self::Again => Topic::Installed,
            Self::Upgrade => Topic::Upgraded,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An install with this licence.
    pub(in super::super) fn installed(
        starts_at: i64,
        ends_at: Option<i64>,
        revoked_at: Option<i64>,
    ) -> Model {
        let text = str::to_owned;
        Model {
            id: 1,
            account_id: text("acme"),
            owner_account_id: text("acme"),
            application_id: 2,
            version_id: 3,
            package_id: 4,
            tenant_id: 5,
            site_id: None,
            place: 0,
            is_current: true,
            revoked_at,
            license_type: text("Free"),
            starts_at,
            ends_at,
            installed_at: 0,
            installed_by: None,
            installation_id: text("i"),
            enabled: true,
            initialized: true,
            behaviors: text("[]"),
            subscriptions: text("[]"),
            capability_types: text("[]"),
            transactions: text("[]"),
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn outcomes_are_those_of_the_contract() {
        let (now, same, other) = (100, 4, 9);
        assert_eq!(Outcome::of(None, same, now), Outcome::First);
        let table = [
            // Active.
            (installed(100, None, None), Outcome::Again, Outcome::Upgrade),
            (installed(99, Some(101), None), Outcome::Again, Outcome::Upgrade),
            // Expired, not begun yet, revoked.
            (installed(1, Some(100), None), Outcome::First, Outcome::First),
            (installed(101, None, None), Outcome::First, Outcome::First),
            (installed(1, None, Some(50)), Outcome::First, Outcome::First),
        ];
        for (current, of_same, of_other) in table {
            assert_eq!(Outcome::of(Some(&current), same, now), of_same, "{current:?}");
            assert_eq!(Outcome::of(Some(&current), other, now), of_other, "{current:?}");
        }
    }

    #[test]
    fn subscribers_are_told_of_installs_and_upgrades() {
        assert_eq!(Outcome::First.topic(), Topic::Installed);
        assert_eq!(Outcome::Again.topic(), Topic::Installed);
        assert_eq!(Outcome::Upgrade.topic(), Topic::Upgraded);
    }
}
