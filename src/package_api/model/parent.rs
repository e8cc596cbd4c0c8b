//! Which theme another may inherit from (contract 3.1, table of `parentThemeAppKey`).
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::lookup::{self, PackageRow, Which};
use super::{applications, status, versions};
use crate::kernel::db::Source;
use crate::kernel::error::Result;
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;

/// Name of the parameter.
pub const PARAMETER: &str = "parentThemeAppKey";
/// Longest line of ancestors that is followed.
const LONGEST_LINE: usize = 64;

/// Reads the key of a parent.
///
/// # Errors
/// 400 when it is no key of a release package.
pub fn parse(text: &str) -> Result<AppKey> {
    let key = AppKey::parse(text, PARAMETER)?;
    if key.is_release() {
        Ok(key)
    } else {
        Err(refusal::missing(PARAMETER, "must name the package Release of a published theme."))
    }
}

/// The theme that `child`, an application of `account`, may inherit from.
///
/// # Errors
/// 404 when there is no such theme for this account, 409 when it cannot be a parent.
pub async fn check(
    transaction: &DatabaseTransaction,
    account: &str,
    parent: &AppKey,
    child: &applications::entity::Model,
) -> Result<PackageRow> {
    let source = Source::Transaction(transaction);
    let found = lookup::find(source, Which::Key(parent)).await?;
    let is_published = |row: &PackageRow| status::of(row.version.status_id).parent;
    // Of others, what is published is all that can be seen.
    let visible = |row: &PackageRow| row.package.account_id == account || is_published(row);
    let row = found
        .filter(visible)
        .ok_or_else(|| refusal::not_found("parent theme", "ParentThemeAppKey", parent))?;
    let is = |what: &str| refusal::conflict(&format!("the parent {} {what}", row.key()));
    if row.application.type_id != applications::THEME {
        return Err(is("is not a theme."));
    }
    if !is_published(&row) {
        return Err(is("is not published."));
    }
    if child.id == row.application.id {
        return Err(is("is the theme itself."));
    }
    if child.type_id != applications::THEME {
        return Err(refusal::conflict("only a theme can have a parent theme."));
    }
    if descends_from(transaction, &row.version, child.id).await? {
        return Err(is("inherits from the theme itself."));
    }
    // Its status must not change before this transaction has ended.
    lookup::lock_version(transaction, row.version.id, false).await?;
    Ok(row)
}

/// Whether a version has the application among its ancestors.
async fn descends_from(
    transaction: &DatabaseTransaction,
    version: &versions::entity::Model,
    application: i64,
) -> Result<bool> {
    let mut next = version.parent_version_id;
    for _ in 0..LONGEST_LINE {
        let Some(id) = next else { return Ok(false) };
        let Some(ancestor) = versions::entity::Entity::find_by_id(id).one(transaction).await?
        else {
            return Ok(false);
        };
        if ancestor.application_id == application {
            return Ok(true);
        }
        next = ancestor.parent_version_id;
    }
    // Nobody builds such a line in earnest.
    Ok(true)
}
