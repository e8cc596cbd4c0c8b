//! What happens to files of packages (contract 3.7).
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait,
    QueryFilter, Set,
};

use super::dto::{FileMetadata, FolderMetadata};
use super::entity::{self, COLUMN, Entity};
use super::path::FilePath;
use super::receive::{self, Blob, Upload};
use super::tree;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::db::{Row, Source};
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::record::select::Sql;
use crate::package_api::call::{self, Call, Write};
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, PackageRow, Which};
use crate::package_api::model::packages;

/// The behavior that a new file needs on top of that of the operation.
const CREATE: &str = "Developer Asset Create";

/// Where an upload goes.
struct Destination {
    key: AppKey,
    path: FilePath,
    /// When the caller's copy was last changed, if they care.
    seen_at: Option<Time>,
}

/// Stores the bytes of a request as a file, new or not.
///
/// # Errors
/// 400 for a path or date that cannot be read and for a body that ends early, 403 for a new file without
/// the behavior to create it, 404 for the package, 409 for a locked version, a stale copy or a path that
/// is a folder, 413. Nothing is kept then.
pub async fn upsert(state: &AppState, upload: Upload) -> Result<Response> {
    let Upload { call, body } = upload;
    let to = Destination {
        path: FilePath::parse(&call.target.text("filepath"), "filepath")?,
        seen_at: call.query.date("lastModifiedTime")?,
        key: call.target.key()?,
    };
    check_early(state, &call, &to).await?;
    let blob = receive::stream(state, body).await?;
    let key = blob.key.clone();
    let written = keep(state, call, to, blob).await;
    let is_superfluous = match &written {
        Ok(response) => response.headers().contains_key("idempotency-replayed"),
        // After these it is not known whether the row is there. The sweep will see.
        Err(Error::Internal(_) | Error::Unavailable(_)) => false,
        Err(_) => true,
    };
    if is_superfluous {
        receive::discard(state, &key).await;
    }
    written
}

/// Refuses what is certain to be refused, before the body is read. It is all looked at again under the
/// package's lock.
async fn check_early(state: &AppState, call: &Call, to: &Destination) -> Result<()> {
    let source = state.store.committed();
    let row = lookup::own(source, Which::Key(&to.key), &call.caller).await?;
    // A repetition is answered as the first time, whatever happened since.
    if !call.headers.contains_key("idempotency-key") {
        row.unlocked()?;
        let known = find(source, row.package.id, &to.path).await?;
        admit(state, call, to, known.as_ref())?;
    }
    receive::check_length(&call.headers, state.config.package_file_size_limit)
}

fn admit(
    state: &AppState,
    call: &Call,
    to: &Destination,
    known: Option<&entity::Model>,
) -> Result<()> {
    if known.is_none() && !call.caller.holds(state, CREATE) {
        let behavior = state.catalogue.behaviors.named(CREATE).map(|it| it.id);
        return Err(call.caller.forbidden(behavior));
    }
    call.check_if_match(known.map(FileMetadata::from).as_ref())?;
    let Some(known) = known else { return Ok(()) };
    match to.seen_at {
        Some(Time(seen_at)) if known.updated_at > seen_at => Err(refusal::stale()),
        _ => Ok(()),
    }
}

async fn keep(state: &AppState, call: Call, to: Destination, blob: Blob) -> Result<Response> {
    let content = format!("{}\n{}\n{}", to.path.text, blob.size, blob.check_sum);
    let write = Write::of(call, content)?;
    write
        .run(state, (to, blob), |transaction, state, write, (to, blob)| {
            async move {
                let author = Author::of(state, &write.call.caller);
                let row = lock(transaction, &to.key, &author).await?;
                row.unlocked()?;
                let known =
                    find(Source::Transaction(transaction), row.package.id, &to.path).await?;
                admit(state, &write.call, to, known.as_ref())?;
                let file = self::write(transaction, row.package.id, &author, &to.path, blob, known)
                    .await?;
                call::record(&FileMetadata::from(&file))
            }
            .boxed()
        })
        .await
}

/// The caller's package, held against everybody who would change it.
async fn lock(
    transaction: &DatabaseTransaction,
    key: &AppKey,
    author: &Author,
) -> Result<PackageRow> {
    lookup::lock(transaction, Which::Key(key), &author.account, Lock::Package).await
}

/// Makes bytes a file of a package that the caller holds; `known` is the present file of this path.
///
/// # Errors
/// 409 when the path, or a part of it, is a file and a folder.
pub(super) async fn write(
    transaction: &DatabaseTransaction,
    package: i64,
    author: &Author,
    path: &FilePath,
    blob: &Blob,
    known: Option<entity::Model>,
) -> Result<entity::Model> {
    let (is_new, file, entry) = match known {
        Some(known) => {
            let mut changed = known.clone().into_active_model();
            changed.blob = Set(blob.key.clone());
            changed.check_sum = Set(blob.check_sum.clone());
            changed.size = Set(blob.size);
            changed.updated_by = Set(author.by.clone());
            changed.updated_at = Set(author.now);
            let file = changed.update(transaction).await?;
            let entry = audit::updated(&known, &file)?;
            (false, file, entry)
        }
        None => {
            refuse_clash(transaction, package, path, None).await?;
            let file = insert(transaction, package, author, path, blob).await?;
            let entry = audit::created(&file)?;
            (true, file, entry)
        }
    };
    touch(transaction, package, i64::from(is_new), author.now).await?;
    entry.write(transaction, author.person, author.now).await?;
    Ok(file)
}

async fn insert(
    transaction: &DatabaseTransaction,
    package: i64,
    author: &Author,
    path: &FilePath,
    blob: &Blob,
) -> Result<entity::Model> {
    let row = entity::ActiveModel {
        account_id: Set(author.account.clone()),
        package_id: Set(package),
        path: Set(path.text.clone()),
        path_key: Set(path.key.clone()),
        media_type: Set(path.media_type()),
        check_sum: Set(blob.check_sum.clone()),
        size: Set(blob.size),
        blob: Set(blob.key.clone()),
        created_by: Set(author.by.clone()),
        updated_by: Set(author.by.clone()),
        created_at: Set(author.now),
        updated_at: Set(author.now),
        ..Default::default()
    };
    // Under the package's lock nobody can be faster; should it fail, the index has the last word.
    row.insert(transaction).await.map_err(refusal::taken("file", "FilePath", &path.text))
}

/// Refuses a path that would make a file a folder too. `moving` is a file that leaves its place.
async fn refuse_clash(
    transaction: &DatabaseTransaction,
    package: i64,
    path: &FilePath,
    moving: Option<i64>,
) -> Result<()> {
    let key = COLUMN.path_key;
    // Whatever is in a folder sorts between its path with `/` and with the character behind that.
    let below = Condition::all()
        .add(key.gte(format!("{}/", path.key)))
        .add(key.lt(format!("{}0", path.key)));
    let clash = Condition::any().add(key.is_in(path.folders())).add(below);
    let mut files = Entity::of(package).filter(clash);
    if let Some(moving) = moving {
        files = files.filter(COLUMN.id.ne(moving));
    }
    match files.one(transaction).await? {
        Some(other) => Err(refusal::conflict(&format!(
            "{} and {} cannot both be there: one would be a file and a folder.",
            path.text, other.path
        ))),
        None => Ok(()),
    }
}

/// Notes at the package that its files changed: by how many, and when.
async fn touch(transaction: &DatabaseTransaction, package: i64, step: i64, now: i64) -> Result<()> {
    use packages::entity::{COLUMN, Column, Entity};
    Entity::update_many()
        .col_expr(Column::FileCount, Expr::col(Column::FileCount).add(step))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(COLUMN.id.eq(package))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Removes a file. Its bytes stay until the sweep finds that no other file shares them.
///
/// # Errors
/// 400 for the path, 404 for the package or file, 409 for a locked version, 412.
pub async fn remove(state: &AppState, write: Write) -> Result<Response> {
    let path = FilePath::parse(&write.call.target.text("filepath"), "filepath")?;
    let key = write.call.target.key()?;
    write
        .run(state, (key, path), |transaction, state, write, (key, path)| {
            async move {
                let author = Author::of(state, &write.call.caller);
                let row = lock(transaction, key, &author).await?;
                let source = Source::Transaction(transaction);
                let file =
                    find(source, row.package.id, path).await?.ok_or_else(|| missing(path))?;
                row.unlocked()?;
                write.call.check_if_match(Some(&FileMetadata::from(&file)))?;
                audit::destroyed(&file)?.write(transaction, author.person, author.now).await?;
                file.delete(transaction).await?;
                touch(transaction, row.package.id, -1, author.now).await?;
                Ok(call::nothing())
            }
            .boxed()
        })
        .await
}

/// Where a file is and where it is to be.
struct Move {
    key: AppKey,
    old: FilePath,
    new: FilePath,
}

/// Gives a file another path.
///
/// # Errors
/// 400 for either path, 404 for the package or file, 409 for a locked version, a path that is taken or
/// one that is a folder, 412.
pub async fn rename(state: &AppState, write: Write) -> Result<Response> {
    let mut info = write.object("renameInfo")?;
    let mut path = |name: &'static str| {
        let text = info.text(name, usize::MAX)?.value().unwrap_or_default();
        FilePath::parse(&text, name)
    };
    let (old, new) = (path("oldFullPath")?, path("newFullPath")?);
    write.refuse_unknown([&info])?;
    let key = write.call.target.key()?;
    write.run(state, Move { key, old, new }, relocate).await
}

fn relocate<'t>(
    transaction: &'t DatabaseTransaction,
    state: &'t AppState,
    write: &'t Write,
    to: &'t Move,
) -> BoxFuture<'t, Result<Answer>> {
    async move {
        let author = Author::of(state, &write.call.caller);
        let row = lock(transaction, &to.key, &author).await?;
        let (source, package) = (Source::Transaction(transaction), row.package.id);
        let file = find(source, package, &to.old).await?.ok_or_else(|| missing(&to.old))?;
        row.unlocked()?;
        write.call.check_if_match(Some(&FileMetadata::from(&file)))?;
        if to.new.key != to.old.key {
            if find(source, package, &to.new).await?.is_some() {
                return Err(refusal::exists("file", "FilePath", &to.new.text));
            }
            refuse_clash(transaction, package, &to.new, Some(file.id)).await?;
        }
        let mut moved = file.clone().into_active_model();
        moved.path = Set(to.new.text.clone());
        moved.path_key = Set(to.new.key.clone());
        moved.media_type = Set(to.new.media_type());
        moved.updated_by = Set(author.by.clone());
        moved.updated_at = Set(author.now);
        let moved = moved.update(transaction).await.map_err(refusal::taken(
            "file",
            "FilePath",
            &to.new.text,
        ))?;
        touch(transaction, package, 0, author.now).await?;
        audit::updated(&file, &moved)?.write(transaction, author.person, author.now).await?;
        call::record(&FileMetadata::from(&moved))
    }
    .boxed()
}

/// 404 for a file.
pub fn missing(path: &FilePath) -> Error {
    refusal::not_found("file", "FilePath", &path.text)
}

/// The file of a path, in any case of its letters.
///
/// # Errors
/// The database's.
pub async fn find(
    source: Source<'_>,
    package: i64,
    path: &FilePath,
) -> Result<Option<entity::Model>> {
    let mut sql = select(source);
    sql.bind(package).push(" AND path_key = ").bind(path.key.as_str());
    let gather = |found: &mut Option<entity::Model>, row: &dyn Row| *found = Some(read(row));
    source.fetch(sql.query(false), None, gather).await
}

/// All files of a package, by their paths in lower case.
///
/// # Errors
/// The database's.
pub async fn all(source: Source<'_>, package: i64) -> Result<Vec<entity::Model>> {
    let mut sql = select(source);
    sql.bind(package).push(" ORDER BY path_key");
    source.fetch(sql.query(true), Vec::new(), |files, row| files.push(read(row))).await
}

/// All files of a package as a tree.
///
/// # Errors
/// The database's.
pub async fn tree(source: Source<'_>, package: i64) -> Result<FolderMetadata> {
    let files = all(source, package).await?;
    Ok(tree::build(files.iter().map(FileMetadata::from).collect()))
}

/// Everything up to the package's number; [`read`] reads the columns in this order.
fn select(source: Source<'_>) -> Sql {
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "SELECT id, account_id, package_id, path, path_key, media_type, check_sum, size, blob, \
         created_by, updated_by, created_at, updated_at FROM package_files WHERE package_id = ",
    );
    sql
}

fn read(row: &dyn Row) -> entity::Model {
    let int = |at| row.int(at).unwrap_or_default();
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    entity::Model {
        id: int(0),
        account_id: text(1),
        package_id: int(2),
        path: text(3),
        path_key: text(4),
        media_type: text(5),
        check_sum: text(6),
        size: int(7),
        blob: text(8),
        created_by: text(9),
        updated_by: text(10),
        created_at: int(11),
        updated_at: int(12),
    }
}
