//! The audit trail: every write leaves an entry in its own transaction (contract 3.9), and with it an
//! event that tells the same: `<record>.create`, `.update`, `.delete` or `.info`.
use std::borrow::Cow;

use sea_orm::{DatabaseTransaction, EntityTrait, ModelTrait, Set};
use serde_json::{Map, Value};

use crate::kernel::error::Result;
use crate::kernel::events::{self, NewEvent, Secrets};
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
#[derive(Clone, Copy, Debug)]
enum Action {
    Create,
    Update,
    Destroy,
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

    /// The same as events call it (contract 3.6).
    fn of_event(self) -> &'static str {
        match self {
            Self::Destroy => "delete",
            other => other.as_str(),
        }
    }
}

/// A row whose changes the trail tells.
pub trait Audited: ModelTrait {
    /// The table of its fields.
    const RECORD: &'static Record;

    /// Account that it belongs to.
    fn account(&self) -> &str;

    /// Its number.
    fn id(&self) -> i64;

    /// Name or reference by which it is known, for the list of all entries.
    fn label(&self) -> Cow<'_, str>;
}

/// An entry to be written.
#[derive(Debug)]
#[must_use = "an entry counts once it is written"]
pub struct Entry {
    account: String,
    record: &'static Record,
    id: i64,
    label: String,
    action: Action,
    /// Old and new value by field.
    pub changes: Map<String, Value>,
    event: Option<Told>,
}

/// What the entry's event says.
#[derive(Debug)]
struct Told {
    payload: Value,
    /// Whether nobody did it.
    by_itself: bool,
    /// Another account in whose feed it is too.
    also_in: Option<String>,
    /// An event behind it, for the account of the record alone.
    handed_over: Option<HandedOver>,
}

/// An event that hands over secrets.
#[derive(Debug)]
struct HandedOver {
    name: &'static str,
    payload: Value,
    secrets: Secrets,
}

/// A row was made.
///
/// # Errors
/// 500 when a table of fields and its entity disagree (a test compares them).
pub fn created<M: Audited>(row: &M) -> Result<Entry> {
    Entry::new(row, Action::Create, changes(None, Some(row))?)
}

/// A row was changed.
///
/// # Errors
/// As [`created`].
pub fn updated<M: Audited>(before: &M, after: &M) -> Result<Entry> {
    Entry::new(after, Action::Update, changes(Some(before), Some(after))?)
}

/// A row is about to be removed.
///
/// # Errors
/// As [`created`].
pub fn destroyed<M: Audited>(row: &M) -> Result<Entry> {
    Entry::new(row, Action::Destroy, changes(Some(row), None)?)
}

/// Something else happened to a row.
///
/// # Errors
/// As [`created`].
pub fn info<M: Audited>(row: &M, changes: Map<String, Value>) -> Result<Entry> {
    Entry::new(row, Action::Info, changes)
}

impl Entry {
    fn new<M: Audited>(row: &M, action: Action, changes: Map<String, Value>) -> Result<Self> {
        let mut payload = states(row)?;
        let is_update = matches!(action, Action::Update);
        if let Some(before) = changes.get(STATUS).filter(|_| is_update).and_then(|it| it.get(0)) {
            payload.insert(PREVIOUS_STATUS.to_owned(), before.clone());
        }
        Ok(Self {
            account: row.account().to_owned(),
            record: M::RECORD,
            id: row.id(),
            label: row.label().into_owned(),
            action,
            changes,
            event: Some(Told {
                payload: Value::Object(payload),
                by_itself: false,
                also_in: None,
                handed_over: None,
            }),
        })
    }

    /// What messages say of it beside the numbers of record, person and entry: an object without secrets.
    /// Without a word about it they say where the record came from and which status it has.
    pub fn payload(mut self, payload: Value) -> Self {
        if let Some(event) = &mut self.event {
            event.payload = payload;
        }
        self
    }

    /// Says that nobody did it: the event names no person (contract 4.3), and the entry whoever stands for
    /// the service.
    pub fn by_itself(mut self) -> Self {
        if let Some(event) = &mut self.event {
            event.by_itself = true;
        }
        self
    }

    /// Hands over secrets that came up with the change, by an event of this name, to the account of the
    /// record alone; `payload` is what else that event says.
    pub fn handing_over(mut self, name: &'static str, payload: Value, secrets: Secrets) -> Self {
        if let Some(event) = &mut self.event {
            event.handed_over = Some(HandedOver { name, payload, secrets });
        }
        self
    }

    /// Tells another account too, to which the record belongs as well.
    pub fn also_in(mut self, account: &str) -> Self {
        if let Some(event) = &mut self.event
            && account != self.account
        {
            event.also_in = Some(account.to_owned());
        }
        self
    }

    /// Leaves no event: whoever writes the entry records one of their own, or there is nothing to tell.
    pub fn untold(mut self) -> Self {
        self.event = None;
        self
    }

    /// Adds what changed beside the row: its files, for instance.
    pub fn with(mut self, more: Map<String, Value>) -> Self {
        self.changes.extend(more);
        self
    }

    /// Calls the record by a name that its row does not have.
    pub fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// Writes the entry into the transaction of the change.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(
        self,
        transaction: &DatabaseTransaction,
        person: i64,
        now: i64,
    ) -> Result<()> {
        let entry = entity::ActiveModel {
            account_id: Set(self.account.clone()),
            record_type: Set(self.record.name.to_owned()),
            record_id: Set(self.id),
            record_label: Set(self.label),
            action: Set(self.action.as_str().to_owned()),
            changes: Set(Value::Object(self.changes).to_string()),
            person_id: Set(person),
            created_at: Set(now),
            ..Default::default()
        };
        let Some(Told { payload, by_itself, also_in, handed_over }) = self.event else {
            // Nobody asks for its number.
            entity::Entity::insert(entry).exec_without_returning(transaction).await?;
            return Ok(());
        };
        let line = entity::Entity::insert(entry).exec(transaction).await?.last_insert_id;
        let event = NewEvent {
            account: &self.account,
            name: &format!("{}.{}", self.record.name, self.action.of_event()),
            record_type: self.record.name,
            record_id: self.id,
            person: (!by_itself).then_some(person),
            audit_line: Some(line),
            payload,
            secrets: None,
            now,
        };
        if let Some(account) = &also_in {
            let event = NewEvent { account, ..event.clone() };
            events::record(transaction, event).await?;
        }
        events::record(transaction, event.clone()).await?;
        if let Some(HandedOver { name, payload, secrets }) = handed_over {
            let event = NewEvent { name, payload, secrets: Some(secrets), ..event };
            events::record(transaction, event).await?;
        }
        Ok(())
    }
}

/// Field of records that go through a life.
const STATUS: &str = "status";
/// What messages call the status that an update has ended.
const PREVIOUS_STATUS: &str = "previous_status";

/// What messages say of every record that has it (contract 4.3): where it came from, and its status. What
/// is null is left out.
fn states<M: Audited>(row: &M) -> Result<Map<String, Value>> {
    let mut states = Map::new();
    for name in ["source", "sourceID", STATUS] {
        let field = M::RECORD.fields.iter().find(|field| field.name == name);
        let Some(field) = field.filter(|field| !field.column.is_empty()) else { continue };
        let value = to_json(row.get(column::<M::Entity>(field)?), field.kind);
        if !value.is_null() {
            states.insert(name.to_owned(), value);
        }
    }
    Ok(states)
}

/// What differs between two states of a row, field by field; `None` stands for "no row". References
/// are told by their numbers; times and ids are not told.
fn changes<M: Audited>(before: Option<&M>, after: Option<&M>) -> Result<Map<String, Value>> {
    let mut changes = Map::new();
    for field in M::RECORD.fields {
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
