//! Versions of a UI extension: code is written to the prepared one, activation makes it the active one.
//!
//! ```text
//! being_prepared ──activate──▶ active ──next activation──▶ archived
//!       ▲                        │
//!       └──────── a copy ────────┘
//! ```
//!
//! All writes to a UI extension pass through a lock on its row, so that two activations at the same
//! time follow one another: the second activates the copy that the first one left. Unique indexes
//! allow one active and one prepared version, should anything else write to the table.
use sea_orm::{ActiveModelTrait, DatabaseTransaction, NotSet, QueryFilter, Set};
use serde_json::{Map, Value};

use super::entity;
use super::version_dto::{ACTIVE, ARCHIVED, BEING_PREPARED, RECORD};
use super::version_entity::{ActiveModel, COLUMN, Column, Entity, Model};
use crate::directory::state::AppState;
use crate::kernel::audit::{self, Entry};
use crate::kernel::db::Row;
use crate::kernel::error::{Error, Result};
use crate::kernel::record::Changes;
use crate::kernel::record::input::Input;
use crate::kernel::record::select::{Scope, Sql};
use crate::offering_api::access::Caller;
use crate::offering_api::resource;

/// Fields of a UI extension that belong to its version, with the version's field and column.
const CODE: [(&str, &str, Column); 4] = [
    ("html", "html", Column::Html),
    ("css", "css", Column::Css),
    ("javascript", "javascript", Column::Javascript),
    ("form_definition_json", "form_definition", Column::FormDefinition),
];

/// A change to a UI extension, as far as its versions are concerned.
pub(super) struct Work<'a> {
    pub transaction: &'a DatabaseTransaction,
    pub caller: &'a Caller,
    /// The UI extension as it is after the change.
    pub extension: &'a entity::Model,
    pub now: i64,
}

impl Work<'_> {
    /// Makes the first version. Returns it, and what it holds for the audit entry of the UI extension.
    pub(super) async fn begin(&self, changes: &Changes) -> Result<(Model, Map<String, Value>)> {
        let mut row = ActiveModel {
            account_id: Set(self.extension.account_id.clone()),
            ui_extension_id: Set(self.extension.id),
            version_nr: Set(1),
            status: Set(BEING_PREPARED.to_owned()),
            phrases: Set("[]".to_owned()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        };
        self.write(changes, &mut row);
        let version = row.insert(self.transaction).await?;
        let entry = audit::created(&version)?;
        let code = code(&entry.changes);
        self.record(entry).await?;
        Ok((version, code))
    }

    /// Writes code to the prepared version. Returns it, and what changed in its code for the audit
    /// entry of the UI extension.
    pub(super) async fn change(&self, changes: &Changes) -> Result<(Model, Map<String, Value>)> {
        let before = self.find(self.extension.prepared_version_id).await?;
        let before = before.ok_or_else(|| Error::internal("no version is being prepared"))?;
        let mut row: ActiveModel = before.clone().into();
        self.write(changes, &mut row);
        if !row.is_changed() {
            return Ok((before, Map::new()));
        }
        row.updated_at = Set(self.now);
        let after = row.update(self.transaction).await?;
        let entry = audit::updated(&before, &after)?;
        let code = code(&entry.changes);
        self.record(entry).await?;
        Ok((after, code))
    }

    /// Makes the prepared version the active one and a copy of it the prepared one; returns the copy.
    pub(super) async fn activate(&self, prepared: &Model) -> Result<Model> {
        // In this order, because there is never more than one of a kind.
        if let Some(former) = self.find(self.extension.active_version_id).await? {
            let mut row: ActiveModel = former.clone().into();
            row.status = Set(ARCHIVED.to_owned());
            row.archived_at = Set(Some(self.now));
            self.update(&former, row).await?;
        }
        let mut row: ActiveModel = prepared.clone().into();
        row.status = Set(ACTIVE.to_owned());
        row.activated_at = Set(Some(self.now));
        self.update(prepared, row).await?;
        let mut copy = ActiveModel::from(prepared.clone()).reset_all();
        copy.id = NotSet;
        copy.version_nr = Set(prepared.version_nr + 1);
        copy.created_at = Set(self.now);
        copy.updated_at = Set(self.now);
        let copy = copy.insert(self.transaction).await?;
        self.record(audit::created(&copy)?).await?;
        Ok(copy)
    }

    /// Sets the code that the body sets, and what the version takes over from the UI extension.
    fn write(&self, changes: &Changes, row: &mut ActiveModel) {
        for (field, _, column) in CODE {
            let text = match changes.get(field) {
                None => continue,
                Some(Input::Text(text)) => Some(text.clone()),
                Some(_) => None,
            };
            row.set_if_not_equals(column, text.into());
        }
        row.set_if_not_equals(Column::DarkModeSafe, self.extension.dark_mode_safe.into());
        row.set_if_not_equals(Column::HideNote, self.extension.hide_note.into());
    }

    async fn update(&self, before: &Model, mut row: ActiveModel) -> Result<()> {
        row.updated_at = Set(self.now);
        let after = row.update(self.transaction).await?;
        self.record(audit::updated(before, &after)?).await
    }

    async fn find(&self, id: Option<i64>) -> Result<Option<Model>> {
        let Some(id) = id else { return Ok(None) };
        let versions = Entity::of(&self.extension.account_id).filter(COLUMN.id.eq(id));
        Ok(versions.one(self.transaction).await?)
    }

    /// Writes the audit entry of a version, which is known by the name of its UI extension.
    async fn record(&self, entry: Entry) -> Result<()> {
        let entry = entry.labelled(&self.extension.name);
        entry.write(self.transaction, self.caller.identity.person, self.now).await
    }
}

/// The changes of a version that are changes of its UI extension too, by the latter's field names.
fn code(changes: &Map<String, Value>) -> Map<String, Value> {
    CODE.iter()
        .filter_map(|(field, name, _)| Some(((*field).to_owned(), changes.get(*name)?.clone())))
        .collect()
}

/// The numbers of a UI extension and of a version in a path.
///
/// # Errors
/// 404 unless the account has both and they belong together.
pub(super) async fn locate(
    state: &AppState,
    caller: &Caller,
    extension: &str,
    version: &str,
) -> Result<(i64, i64)> {
    let extension = resource::record_id(&super::dto::RECORD, extension, caller)?;
    let version = resource::record_id(&RECORD, version, caller)?;
    let scope = Scope { condition: super::version_entity::OF_EXTENSION, id: extension };
    let mut sql = Sql::new(state.store.dialect());
    sql.push("SELECT t.id FROM ui_extension_versions t WHERE t.id = ").bind(version);
    sql.push(" AND ").template(scope.condition, &caller.view.account, scope.id);
    let seen = |found: &mut bool, _: &dyn Row| *found = true;
    let found = state.store.committed().fetch(sql.query(false), false, seen).await?;
    if found { Ok((extension, version)) } else { Err(Error::NotFound) }
}
