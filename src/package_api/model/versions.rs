//! Versions of applications, the "core": what all packages of a version share (contract 2.1).
use std::borrow::Cow;

use crate::kernel::audit::Audited;
use crate::kernel::record::{Field, Kind, Record};

/// Table `application_versions`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A version.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "application_versions")]
    pub struct Model {
        /// Number of the version, `applicationId` on the wire.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Developer account that owns it.
        pub account_id: String,
        /// Its application.
        pub application_id: i64,
        /// First part of the version.
        pub major: i64,
        /// Second part of the version.
        pub minor: i64,
        /// Third part of the version.
        pub revision: i64,
        /// Whether it is the highest of its application.
        pub is_latest: bool,
        /// What its secret is bound to: 32 hexadecimal digits.
        pub guid: String,
        /// `applicationName`.
        pub name: String,
        /// The same in lower case, for lists.
        pub name_key: String,
        /// `applicationDescription`.
        pub description: Option<String>,
        /// 1 to 6 (contract 2.4).
        pub status_id: i64,
        /// The sealed secret.
        pub shared_secret: String,
        /// Keyed hash of the secret, for the log-in.
        pub secret_hash: String,
        /// Version of the theme that it inherits from.
        pub parent_version_id: Option<i64>,
        /// Versions of the parent that it accepts, `^1.0.0`.
        pub parent_range: Option<String>,
        /// Milliseconds since the epoch.
        pub created_at: i64,
        /// Milliseconds since the epoch: `applicationUpdateDate`.
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Major, minor and revision: versions compare by them.
pub type Number = (i64, i64, i64);

impl entity::Model {
    /// The numbers of this version.
    pub fn number(&self) -> Number {
        (self.major, self.minor, self.revision)
    }
}

/// What the audit trail tells of a version. Never its secret.
pub static RECORD: Record = Record {
    name: "application_version",
    table: "application_versions",
    node_type: "ApplicationVersion",
    fields: &[
        Field::new("application_id", "application_id", Kind::Integer { min: 1, max: i64::MAX }),
        Field::new("major", "major", Kind::Integer { min: 0, max: i64::MAX }),
        Field::new("minor", "minor", Kind::Integer { min: 0, max: i64::MAX }),
        Field::new("revision", "revision", Kind::Integer { min: 0, max: i64::MAX }),
        Field::text("name", 200),
        Field::text("description", 4000).nullable(),
        Field::new("status_id", "status_id", Kind::Integer { min: 1, max: 6 }),
        Field::new(
            "parent_version_id",
            "parent_version_id",
            Kind::Integer { min: 1, max: i64::MAX },
        )
        .nullable(),
        Field::text("parent_range", 4000).nullable(),
    ],
};

impl Audited for entity::Model {
    const RECORD: &'static Record = &RECORD;

    fn account(&self) -> &str {
        &self.account_id
    }

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{} {}.{}.{}", self.name, self.major, self.minor, self.revision))
    }
}
