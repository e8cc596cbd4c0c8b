//! Applications: a name within a namespace, shared by all its versions (contract 2.1). They have no
//! number on the wire.
use std::borrow::Cow;

use crate::kernel::audit::Audited;
use crate::kernel::record::{Field, Kind, Record};

/// Types of applications, by number (contract 2.3).
const TYPES: [&str; 3] = ["Application", "Theme", "Extension"];

/// The type of most applications.
pub const APPLICATION: i64 = 1;
/// The type of storefront themes, the only one that inherits.
pub const THEME: i64 = 2;

/// Name of a type; `None` when there is no such type.
pub fn type_name(id: i64) -> Option<&'static str> {
    TYPES.get(usize::try_from(id).ok()?.checked_sub(1)?).copied()
}

/// Number of a type by its name, in any case of letters.
pub fn type_id(name: &str) -> Option<i64> {
    let at = TYPES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    i64::try_from(at + 1).ok()
}

/// Table `applications`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// An application.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "applications")]
    pub struct Model {
        /// Number of the application.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Developer account that owns it.
        pub account_id: String,
        /// Its namespace.
        pub namespace_id: i64,
        /// Its name in the namespace, as it was spelt when it was made.
        pub app_id: String,
        /// The same in lower case; unique in the namespace.
        pub app_id_key: String,
        /// 1 to 3 (contract 2.3).
        pub type_id: i64,
        /// Whom audit entries name when the application itself changes something.
        pub person_id: i64,
        /// Milliseconds since the epoch.
        pub created_at: i64,
        /// Milliseconds since the epoch.
        pub updated_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What the audit trail tells of an application.
pub static RECORD: Record = Record {
    name: "application",
    table: "applications",
    node_type: "Application",
    fields: &[
        Field::new("namespace_id", "namespace_id", Kind::Integer { min: 1, max: i64::MAX }),
        Field::text("app_id", 50),
        Field::new("type_id", "type_id", Kind::Integer { min: 1, max: 3 }),
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
        Cow::Borrowed(&self.app_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_numbers_and_names() {
        assert_eq!(
            [1, 2, 3].map(type_name),
            [Some("Application"), Some("Theme"), Some("Extension")]
        );
        assert_eq!([0, 4, -1, i64::MIN].map(type_name), [None; 4]);
        assert_eq!(type_id("theme"), Some(THEME));
        assert_eq!(type_id("Application"), Some(APPLICATION));
        assert_eq!(type_id("themes"), None);
    }
}
