//! The audit trail: every write leaves an entry in its own transaction (contract 3.9).
use sea_orm::{ActiveModelTrait, DatabaseTransaction, ModelTrait, Set};
use serde_json::{Map, Value};

use crate::kernel::error::Result;
use crate::kernel::record::field::{Kind, Record};
use crate::kernel::record::input::column;

/// Table `audit_lines`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// One entry.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_lines")]
    pub struct Model {
        /// Number of the entry.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Account of the record.
        pub account_id: String,
        /// Type of the record, `app_offering`.
        pub record_type: String,
        /// Number of the record.
        pub record_id: i64,
        /// Text by which the record was known at the time.
        pub record_label: String,
        /// `create`, `update`, `destroy` or `info`.
        pub action: String,
        /// `{"name":["Old","New"]}`.
        pub changes: String,
        /// Who did it.
        pub person_id: i64,
        /// When, in milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Create,
    /// It was changed.
    Update,
    /// It was removed.
    Destroy,
    /// Something else happened to it.
    Info,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Destroy => "destroy",
            Self::Info => "info",
        }
    }
}

/// An entry to be written.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Account of the record.
    pub account: &'a str,
    /// Who does it.
    pub person: i64,
    /// Type of the record.
    pub record: &'static Record,
    /// Number of the record.
    pub id: i64,
    /// Name or reference of the record, for the list of all entries.
    pub label: &'a str,
    /// What happens.
    pub action: Action,
    /// Old and new value by field.
    pub changes: Map<String, Value>,
    /// When, in milliseconds since the epoch.
    pub now: i64,
}

impl Entry<'_> {
    /// Writes the entry into the transaction of the change.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(self, transaction: &DatabaseTransaction) -> Result<()> {
        entity::ActiveModel {
            account_id: Set(self.account.to_owned()),
            record_type: Set(self.record.name.to_owned()),
            record_id: Set(self.id),
            record_label: Set(self.label.to_owned()),
            action: Set(self.action.as_str().to_owned()),
            changes: Set(Value::Object(self.changes).to_string()),
            person_id: Set(self.person),
            created_at: Set(self.now),
            ..Default::default()
        }
        .insert(transaction)
        .await?;
        Ok(())
    }
}

/// What differs between two states of a row, field by field; `None` stands for "no row". References
/// are told by their numbers; times and ids are not told.
///
/// # Errors
/// 500 when a table of fields and its entity disagree (a test compares them).
pub fn changes<M>(
    record: &'static Record,
    before: Option<&M>,
    after: Option<&M>,
) -> Result<Map<String, Value>>
where
    M: ModelTrait,
{
    let mut changes = Map::new();
    for field in record.fields {
        if field.column.is_empty()
            || matches!(field.kind, Kind::Id | Kind::NodeId | Kind::Timestamp)
        {
            continue;
        }
        let column = column::<M::Entity>(field)?;
        let value =
            |row: Option<&M>| row.map_or(Value::Null, |row| to_json(row.get(column), field.kind));
        let (old, new) = (value(before), value(after));
        if old != new {
            changes.insert(field.name.to_owned(), Value::Array(vec![old, new]));
        }
    }
    Ok(changes)
}

fn to_json(value: sea_orm::Value, kind: Kind) -> Value {
    use sea_orm::Value as Db;
    match value {
        // Arrays are kept as JSON text.
        Db::String(Some(text)) if matches!(kind, Kind::Texts { .. } | Kind::CustomFields) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        Db::String(Some(text)) => Value::String(text),
        Db::BigInt(Some(number)) => number.into(),
        Db::Bool(Some(flag)) => flag.into(),
        _ => Value::Null,
    }
}
