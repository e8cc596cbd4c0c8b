//! Packages: a configuration of a version, with files (contract 2.1). Exactly one of each version is the
//! release.
use std::borrow::Cow;

use crate::kernel::audit::Audited;
use crate::kernel::record::{Field, Kind, Record};

/// Table `packages`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A package.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "packages")]
    pub struct Model {
        /// Number of the package.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Developer account that owns it.
        pub account_id: String,
        /// Its version.
        pub version_id: i64,
        /// Its name, as it was spelt when it was made.
        pub name: String,
        /// The same in lower case; unique in the version.
        pub name_key: String,
        /// Whether it is the version's release.
        pub is_release: bool,
        /// Whether it is gone for everybody but its key, which is never used again.
        pub is_deleted: bool,
        /// `packageGuid`: 32 hexadecimal digits.
        pub guid: String,
        /// `packageDescription`.
        pub description: Option<String>,
        /// `apiVersion`.
        pub api_version: String,
        /// `appConfigUrl`.
        pub app_config_url: Option<String>,
        /// `themeEngineVersion`.
        pub theme_engine_version: Option<String>,
        /// `projectId` of the request that made it.
        pub project_id: Option<i64>,
        /// The developer who made it.
        pub user_id: Option<i64>,
        /// JSON array of ids, ascending.
        pub behaviors: String,
        /// JSON array of capability types (contract 2.6).
        pub capability_types: String,
        /// JSON array of attributes (contract 2.6).
        pub attributes: String,
        /// `assetFileCount`.
        pub file_count: i64,
        /// Milliseconds since the epoch.
        pub created_at: i64,
        /// Milliseconds since the epoch: `updateDate`.
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Version of the platform's API that a new application targets.
pub const API_VERSION: &str = "1";

impl entity::Model {
    /// The ids of its behaviors, ascending.
    pub fn behavior_ids(&self) -> Vec<i64> {
        // Only this service writes the column; were it unreadable, nothing would be allowed.
        serde_json::from_str(&self.behaviors).unwrap_or_default()
    }
}

/// What the audit trail tells of a package.
pub static RECORD: Record = Record {
    name: "package",
    table: "packages",
    node_type: "Package",
    fields: &[
        Field::new("version_id", "version_id", Kind::Integer { min: 1, max: i64::MAX }),
        Field::text("name", 50),
        Field::text("description", 4000).nullable(),
        Field::text("api_version", 4000),
        Field::text("app_config_url", 2000).nullable(),
        Field::text("theme_engine_version", 4000).nullable(),
        Field::new("project_id", "project_id", Kind::Integer { min: 0, max: i64::MAX }).nullable(),
        Field::new("behaviors", "behaviors", Kind::CustomFields),
        Field::new("capability_types", "capability_types", Kind::CustomFields),
        Field::new("attributes", "attributes", Kind::CustomFields),
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
        Cow::Borrowed(&self.name)
    }
}
