//! Services, teams and calendars: records of other systems, known here by number and name only.
//!
//! A body may give the name with the number, `"service": {"id": 1, "name": "Integrations"}`. One number
//! has one name in an account: a name that is given is taken over by every service instance that shows
//! the number. A number without a name gets the one that the account knows, else its type and number.
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, ModelTrait, QueryFilter,
    QuerySelect, Value as Db,
};
use serde_json::{Map, Value, json};

use super::dto::NAME_MAX;
use super::entity::{ActiveModel, Column, Entity, Model};
use crate::kernel::error::Result;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::field::MAX_SAFE_INTEGER;
use crate::kernel::record::input::Input;
use crate::kernel::record::{Body, Changes};

/// A reference to such a record.
struct Named {
    /// The field.
    field: &'static str,
    /// What a record without a name is called, before its number.
    word: &'static str,
    /// Columns of the number and of the name.
    columns: Columns,
    /// Further columns for records of the same type.
    others: &'static [Columns],
}

/// Columns of a number and of the name that goes with it.
type Columns = (Column, Column);

/// Every such reference of a service instance.
const NAMED: [Named; 4] = [
    Named {
        field: "service",
        word: "Service",
        columns: (Column::ServiceId, Column::ServiceName),
        others: &[],
    },
    Named {
        field: "support_team",
        word: "Team",
        columns: (Column::SupportTeamId, Column::SupportTeamName),
        others: &[(Column::FirstLineTeamId, Column::FirstLineTeamName)],
    },
    Named {
        field: "first_line_team",
        word: "Team",
        columns: (Column::FirstLineTeamId, Column::FirstLineTeamName),
        others: &[(Column::SupportTeamId, Column::SupportTeamName)],
    },
    Named {
        field: "maintenance_window",
        word: "Calendar",
        columns: (Column::MaintenanceWindowId, Column::MaintenanceWindowName),
        others: &[],
    },
];

impl Named {
    fn all_columns(&self) -> impl Iterator<Item = Columns> {
        std::iter::once(self.columns).chain(self.others.iter().copied())
    }
}

/// Names that a body gives.
#[derive(Clone, Debug, Default)]
pub struct Given {
    names: Vec<(&'static str, String)>,
    /// Number and name of the service's provider, or that it has none.
    provider: Option<Option<(i64, String)>>,
}

impl Given {
    /// Reads the names of a body whose numbers were read into `changes`; refuses what cannot be one.
    pub fn read(body: &Body, changes: &mut Changes) -> Self {
        let mut given = Self::default();
        for Named { field, .. } in &NAMED {
            let Some(id) = changes.int(field) else { continue };
            if !(1..=MAX_SAFE_INTEGER).contains(&id) {
                changes.refuse(field, Violation::MustExist);
                continue;
            }
            let Some(object) = body.get(field).and_then(Value::as_object) else { continue };
            // Beside a number of another record the name means that other record.
            if body.get(&format!("{field}_id")).is_some() && number(object) != Some(id) {
                continue;
            }
            match name(object) {
                Ok(Some(name)) => given.names.push((field, name)),
                Ok(None) => {}
                Err(violation) => changes.refuse(field, violation),
            }
            if *field == "service" {
                match provider(object) {
                    Ok(provider) => given.provider = provider,
                    Err(violation) => changes.refuse(field, violation),
                }
            }
        }
        given
    }

    /// Sets the names that go with the numbers that `changes` sets.
    ///
    /// # Errors
    /// The database's.
    pub async fn fill(
        &self,
        transaction: &DatabaseTransaction,
        account: &str,
        changes: &Changes,
        row: &mut ActiveModel,
    ) -> Result<()> {
        for named in &NAMED {
            let name = match changes.get(named.field) {
                None => continue,
                Some(Input::Int(id)) => match self.name(named) {
                    Some(name) => Some(name.to_owned()),
                    None => {
                        let known = known(transaction, account, named, *id).await?;
                        Some(known.unwrap_or_else(|| format!("{} {id}", named.word)))
                    }
                },
                Some(_) => None,
            };
            set(row, named.columns.1, Db::String(name));
        }
        let Some(service) = changes.int("service") else { return Ok(()) };
        let provider = match &self.provider {
            Some(given) => given.clone(),
            None => known_provider(transaction, account, service).await?,
        };
        let (id, name) = provider.unzip();
        set(row, Column::ProviderId, Db::BigInt(id));
        set(row, Column::ProviderName, Db::String(name));
        Ok(())
    }

    /// Takes the names that were given over into the account's other service instances.
    ///
    /// # Errors
    /// The database's.
    pub async fn spread(
        &self,
        transaction: &DatabaseTransaction,
        account: &str,
        changes: &Changes,
    ) -> Result<()> {
        for named in &NAMED {
            let (Some(id), Some(name)) = (changes.int(named.field), self.name(named)) else {
                continue;
            };
            for (number, text) in named.all_columns() {
                Entity::update_many()
                    .col_expr(text, name.into())
                    .filter(Column::AccountId.eq(account))
                    .filter(number.eq(id))
                    .filter(text.ne(name))
                    .exec(transaction)
                    .await?;
            }
        }
        if let (Some(service), Some(provider)) = (changes.int("service"), &self.provider) {
            let (id, name) = provider.clone().unzip();
            Entity::update_many()
                .col_expr(Column::ProviderId, Db::BigInt(id).into())
                .col_expr(Column::ProviderName, Db::String(name).into())
                .filter(Column::AccountId.eq(account))
                .filter(Column::ServiceId.eq(service))
                .exec(transaction)
                .await?;
        }
        Ok(())
    }

    fn name(&self, named: &Named) -> Option<&str> {
        let found = self.names.iter().find(|(field, _)| *field == named.field);
        found.map(|(_, name)| name.as_str())
    }
}

/// What an audit entry tells beside the columns: names that changed while their number stayed, and
/// the provider.
pub fn changes(before: &Model, after: &Model) -> Map<String, Value> {
    let mut changes = Map::new();
    let fields = NAMED.iter().map(|named| (named.field, named.columns));
    let provider = ("provider", (Column::ProviderId, Column::ProviderName));
    for (field, (id, name)) in fields.chain([provider]) {
        if before.get(id) == after.get(id) && before.get(name) != after.get(name) {
            let text = |row: &Model| match row.get(name) {
                Db::String(text) => text.into(),
                _ => Value::Null,
            };
            changes.insert(field.to_owned(), json!([text(before), text(after)]));
        } else if field == "provider" && before.get(id) != after.get(id) {
            changes.insert(field.to_owned(), json!([before.provider_id, after.provider_id]));
        }
    }
    changes
}

/// The name by which the account knows a record.
async fn known(
    transaction: &DatabaseTransaction,
    account: &str,
    named: &Named,
    id: i64,
) -> Result<Option<String>> {
    for (number, text) in named.all_columns() {
        let name: Option<Option<String>> = Entity::of(account)
            .select_only()
            .column(text)
            .filter(number.eq(id))
            .into_tuple()
            .one(transaction)
            .await?;
        if let Some(Some(name)) = name {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

async fn known_provider(
    transaction: &DatabaseTransaction,
    account: &str,
    service: i64,
) -> Result<Option<(i64, String)>> {
    let row = Entity::of(account).filter(Column::ServiceId.eq(service)).one(transaction).await?;
    Ok(row.and_then(|row| row.provider_id.zip(row.provider_name)))
}

/// Sets a column; one that keeps its value stays untouched.
fn set(row: &mut ActiveModel, column: Column, value: Db) {
    if row.get(column).into_value().as_ref() != Some(&value) {
        row.set(column, value);
    }
}

fn name(object: &Map<String, Value>) -> Result<Option<String>, Violation> {
    match object.get("name") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) if text.contains('\0') => Err(Violation::Invalid),
        Some(Value::String(text)) if text.chars().count() > NAME_MAX as usize => {
            Err(Violation::TooLong { max: NAME_MAX })
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Violation::Invalid),
    }
}

/// The provider of a service: nothing, `null`, or number and name.
#[expect(clippy::option_option, reason = "left out and null are different answers")]
fn provider(object: &Map<String, Value>) -> Result<Option<Option<(i64, String)>>, Violation> {
    let object = match object.get("provider") {
        None => return Ok(None),
        Some(Value::Null) => return Ok(Some(None)),
        Some(value) => value.as_object().ok_or(Violation::Invalid)?,
    };
    let id = number(object).filter(|id| (1..=MAX_SAFE_INTEGER).contains(id));
    match (id, name(object)?) {
        (Some(id), Some(name)) => Ok(Some(Some((id, name)))),
        _ => Err(Violation::Invalid),
    }
}

fn number(object: &Map<String, Value>) -> Option<i64> {
    let id = object.get("id")?;
    id.as_i64().or_else(|| id.as_str()?.trim().parse().ok())
}
