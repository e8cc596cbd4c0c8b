//! Attaching uploaded files to records and removing them.
use std::collections::HashSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::{Map, Value, json};

use super::{entity, upload_entity};
use crate::kernel::error::{Error, Result};
use crate::kernel::language::violation::Violation;
use crate::kernel::record::{Changes, Record};

/// Refuses, along with everything else that is wrong with a body, files that the account has not
/// uploaded. Those that it has are held until the transaction ends, so that no sweep removes them.
///
/// # Errors
/// The database's.
pub async fn check(
    transaction: &DatabaseTransaction,
    account: &str,
    changes: &mut Changes,
) -> Result<()> {
    let mut refused = Vec::new();
    for (name, files) in changes.files() {
        let keys: HashSet<&str> =
            files.iter().filter(|file| !file.destroy).map(|file| file.key.as_str()).collect();
        if keys.is_empty() {
            continue;
        }
        let known = upload_entity::Entity::of(account)
            .filter(upload_entity::COLUMN.file_key.is_in(keys.iter().copied()))
            .lock_shared()
            .all(transaction)
            .await?;
        if known.len() < keys.len() {
            refused.push(name);
        }
    }
    for name in refused {
        changes.refuse(name, Violation::Invalid);
    }
    Ok(())
}

/// Applies a body's `…_attachments` to a record; returns what changed, for the audit entry: the keys
/// before and after, `null` for none. Comes after [`check`].
///
/// # Errors
/// 422 on the `…_attachments` field that names a file which the account has not uploaded.
pub async fn apply(
    transaction: &DatabaseTransaction,
    account: &str,
    record: &'static Record,
    id: i64,
    changes: &Changes,
    now: i64,
) -> Result<Map<String, Value>> {
    let mut audited = Map::new();
    for (name, files) in changes.files() {
        let field = name.strip_suffix("_attachments").unwrap_or(name);
        let before = keys(transaction, record, id, field).await?;
        for file in files {
            if file.destroy {
                entity::Entity::delete_many()
                    .filter(entity::COLUMN.record_type.eq(record.name))
                    .filter(entity::COLUMN.record_id.eq(id))
                    .filter(entity::COLUMN.field.eq(field))
                    .filter(entity::COLUMN.file_key.eq(file.key.as_str()))
                    .exec(transaction)
                    .await?;
                continue;
            }
            let upload = upload_entity::Entity::of(account)
                .filter(upload_entity::COLUMN.file_key.eq(file.key.as_str()))
                .one(transaction)
                .await?
                .ok_or_else(|| Error::invalid(name, Violation::Invalid))?;
            let row = entity::ActiveModel {
                account_id: Set(account.to_owned()),
                record_type: Set(record.name.to_owned()),
                record_id: Set(id),
                field: Set(field.to_owned()),
                file_key: Set(upload.file_key),
                name: Set(upload.name),
                size: Set(upload.size),
                inline: Set(file.inline),
                created_at: Set(now),
                ..Default::default()
            };
            // A file that is attached already stays as it is.
            let mut known = OnConflict::columns([
                entity::Column::RecordType,
                entity::Column::RecordId,
                entity::Column::Field,
                entity::Column::FileKey,
            ]);
            known.do_nothing();
            entity::Entity::insert(row)
                .on_conflict(known)
                .exec_without_returning(transaction)
                .await?;
        }
        let after = keys(transaction, record, id, field).await?;
        if before != after {
            audited.insert(name.to_owned(), json!([before, after]));
        }
    }
    Ok(audited)
}

/// Keys of the files attached to a field of a record, in the order in which they came; `null` when there
/// are none.
async fn keys(
    transaction: &DatabaseTransaction,
    record: &'static Record,
    id: i64,
    field: &str,
) -> Result<Value> {
    let keys: Vec<String> = entity::Entity::find()
        .filter(entity::COLUMN.record_type.eq(record.name))
        .filter(entity::COLUMN.record_id.eq(id))
        .filter(entity::COLUMN.field.eq(field))
        .select_only()
        .column(entity::Column::FileKey)
        .order_by_asc(entity::Column::Id)
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(if keys.is_empty() { Value::Null } else { keys.into() })
}

/// Copies a record's attachments to another record: publishing an offering copies its files.
///
/// # Errors
/// The database's.
pub async fn copy(
    transaction: &DatabaseTransaction,
    record: &'static Record,
    from: i64,
    to: i64,
) -> Result<()> {
    let files = entity::Entity::find()
        .filter(entity::COLUMN.record_type.eq(record.name))
        .filter(entity::COLUMN.record_id.eq(from))
        .all(transaction)
        .await?;
    if files.is_empty() {
        return Ok(());
    }
    // Held, should somebody take them from the other record meanwhile.
    upload_entity::Entity::find()
        .filter(upload_entity::COLUMN.file_key.is_in(files.iter().map(|it| it.file_key.as_str())))
        .lock_shared()
        .all(transaction)
        .await?;
    for file in files {
        let mut copy: entity::ActiveModel = file.into();
        copy.id = sea_orm::NotSet;
        copy.record_id = Set(to);
        // As a new row; `reset` would not do, every column must be written.
        let copy = sea_orm::ActiveModelTrait::reset_all(copy);
        entity::Entity::insert(copy).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Detaches all files from a record that is removed.
///
/// # Errors
/// The database's.
pub async fn remove(
    transaction: &DatabaseTransaction,
    record: &'static Record,
    id: i64,
) -> Result<()> {
    entity::Entity::delete_many()
        .filter(entity::COLUMN.record_type.eq(record.name))
        .filter(entity::COLUMN.record_id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}
