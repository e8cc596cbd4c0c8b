//! `new_scopes` and `scopes_to_delete` in the body of an app offering, named as the inputs of the
//! vendor's GraphQL mutations.
use sea_orm::{DatabaseTransaction, QueryFilter};
use serde_json::Value;

use super::dto::{NESTED_MAX, RECORD};
use super::entity::{COLUMN, Entity, Model};
use super::service;
use crate::directory::permission::Permission;
use crate::kernel::error::{Error, Result};
use crate::kernel::language::violation::Violation;
use crate::kernel::node_id;
use crate::kernel::record::input::Mode;
use crate::kernel::record::{Body, Changes};
use crate::offering_api::access::Caller;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::resource::Write;

/// The properties, which the table of an offering's fields does not have.
pub const NAMES: &[&str] = &[NEW, DELETE];
const NEW: &str = "new_scopes";
const DELETE: &str = "scopes_to_delete";

/// What an offering's body says about its scopes.
#[derive(Clone, Debug)]
pub struct ScopeChanges {
    added: Vec<Changes>,
    removed: Vec<i64>,
}

/// Nothing about scopes.
pub static NONE: ScopeChanges = ScopeChanges { added: Vec::new(), removed: Vec::new() };

impl ScopeChanges {
    /// Reads the two properties; what is wrong with them is noted with the offering's problems. A
    /// problem inside a new scope is told by the name of the scope's field: no field of an offering
    /// has such a name.
    ///
    /// # Errors
    /// 403 when the token may not do to scopes what the body asks for, 400 for unknown properties
    /// under `Prefer: handling=strict`.
    pub fn read(write: &Write, offering: &mut Changes) -> Result<Self> {
        let mut changes = NONE.clone();
        for item in items(write, NEW, "Create", offering)? {
            let Value::Object(object) = item else {
                offering.refuse(NEW, Violation::Invalid);
                continue;
            };
            let mut inner = write.clone();
            inner.body = Body::from(object.clone());
            inner.refuse_unknown(&RECORD, &[])?;
            let scope = service::read(&inner.body, Mode::Create, &write.caller.view);
            match scope.check() {
                Ok(()) => changes.added.push(scope),
                Err(Error::Invalid(problems)) => {
                    for problem in problems {
                        offering.refuse(problem.field, problem.violation);
                    }
                }
                Err(other) => return Err(other),
            }
        }
        for item in items(write, DELETE, "Delete", offering)? {
            match id(item, &write.caller) {
                Some(id) => changes.removed.push(id),
                None => offering.refuse(DELETE, Violation::MustExist),
            }
        }
        changes.removed.sort_unstable();
        changes.removed.dedup();
        Ok(changes)
    }

    /// Finds the scopes to remove among those of an offering (`None`: one that is being made), and
    /// notes those that do not exist.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(
        &self,
        transaction: &DatabaseTransaction,
        offering: Option<&Offering>,
        changes: &mut Changes,
    ) -> Result<Vec<Model>> {
        if self.removed.is_empty() {
            return Ok(Vec::new());
        }
        let found = match offering {
            None => Vec::new(),
            Some(offering) => {
                Entity::of(&offering.account_id)
                    .filter(COLUMN.app_offering_id.eq(offering.id))
                    .filter(COLUMN.id.is_in(self.removed.iter().copied()))
                    .all(transaction)
                    .await?
            }
        };
        for _ in found.len()..self.removed.len() {
            changes.refuse(DELETE, Violation::MustExist);
        }
        Ok(found)
    }

    /// The properties by which something is to be added or removed.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let present = [(NEW, !self.added.is_empty()), (DELETE, !self.removed.is_empty())];
        present.into_iter().filter_map(|(name, is_present)| is_present.then_some(name))
    }

    /// Adds and removes what was read and found.
    ///
    /// # Errors
    /// The database's.
    pub async fn apply(
        &self,
        transaction: &DatabaseTransaction,
        caller: &Caller,
        offering: &Offering,
        removed: Vec<Model>,
        now: i64,
    ) -> Result<()> {
        for scope in removed {
            service::remove(transaction, caller, scope, now).await?;
        }
        for scope in &self.added {
            service::add(transaction, caller, offering, scope, now).await?;
        }
        Ok(())
    }
}

/// The elements of one of the properties.
fn items<'a>(
    write: &'a Write,
    name: &'static str,
    operation: &str,
    offering: &mut Changes,
) -> Result<&'a [Value]> {
    let items = match write.body.get(name) {
        None | Some(Value::Null) => return Ok(&[]),
        // A cleared value of any type arrives as "" from some clients (contract 7.11).
        Some(Value::String(text)) if text.is_empty() => return Ok(&[]),
        Some(Value::Array(items)) => items,
        Some(_) => {
            offering.refuse(name, Violation::Invalid);
            return Ok(&[]);
        }
    };
    let permission =
        Permission { record: "app-offering-scope".to_owned(), operation: operation.to_owned() };
    if !items.is_empty() && !write.caller.identity.scopes.allow(&permission) {
        return Err(Error::Forbidden);
    }
    if items.len() > NESTED_MAX as usize {
        offering.refuse(name, Violation::TooManyItems { max: NESTED_MAX });
        return Ok(&[]);
    }
    Ok(items)
}

/// A scope's number, also as text, or its nodeID.
fn id(item: &Value, caller: &Caller) -> Option<i64> {
    if let Some(number) = item.as_i64() {
        return Some(number);
    }
    let text = item.as_str()?.trim();
    let by_name = || node_id::decode(&caller.view.site.domain, RECORD.node_type, text);
    text.parse().ok().or_else(by_name)
}
