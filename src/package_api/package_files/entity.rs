//! Table `package_files`.
use std::borrow::Cow;

use sea_orm::entity::prelude::*;

use crate::kernel::audit::Audited;
use crate::kernel::record::{Field, Kind, Record};

/// A file of a package. Its bytes are in the store, where several files may share them.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_files")]
pub struct Model {
    /// Number of the file; it stays when the file is overwritten or renamed.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Developer account that owns the package.
    pub account_id: String,
    /// Its package.
    pub package_id: i64,
    /// From the package's root, as it was spelt.
    pub path: String,
    /// The same in lower case; unique in the package.
    pub path_key: String,
    /// By its extension.
    pub media_type: String,
    /// MD5 of its bytes, 32 lower-case hexadecimal digits.
    pub check_sum: String,
    /// Bytes.
    pub size: i64,
    /// Key of its bytes in the store.
    pub blob: String,
    /// Who made it.
    pub created_by: String,
    /// Who wrote it last.
    pub updated_by: String,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Files of a package.
    pub fn of(package: i64) -> Select<Self> {
        Self::find().filter(COLUMN.package_id.eq(package))
    }
}

/// What the audit trail tells of a file.
pub static RECORD: Record = Record {
    name: "package_file",
    table: "package_files",
    node_type: "PackageFile",
    fields: &[
        Field::new("package_id", "package_id", Kind::Integer { min: 1, max: i64::MAX }),
        Field::text("path", 1024),
        Field::text("check_sum", 32),
        Field::new("size", "size", Kind::Integer { min: 0, max: i64::MAX }),
    ],
};

impl Audited for Model {
    const RECORD: &'static Record = &RECORD;

    fn account(&self) -> &str {
        &self.account_id
    }

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.path)
    }
}
