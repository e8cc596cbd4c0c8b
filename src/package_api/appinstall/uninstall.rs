//! Removing an application from a tenant. The API of the contract has no such operation: it is the
//! operator's (contract 3.11).
use sea_orm::{DatabaseTransaction, EntityTrait, QuerySelect};

use super::dto::ApplicationEntitlement;
use super::entity::Entity;
use super::events::{self, Cause, Happened};
use super::install::end;
use super::read;
use super::topic::Topic;
use crate::directory::accounts::Refused;
use crate::directory::people;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::Error;
use crate::package_api::tenants;

/// Ends an install and tells its subscriptions. What is installed in the same place later is another
/// application there, with an id of its own. `now` in milliseconds since the epoch.
///
/// # Errors
/// When there is no such install, or another one has taken its place, or it was removed before.
pub async fn uninstall(
    transaction: &DatabaseTransaction,
    id: i64,
    now: i64,
) -> Result<ApplicationEntitlement, Refused> {
    let missing = || Refused::input(format!("there is no entitlement {id}"));
    let found = Entity::find_by_id(id).one(transaction).await?.ok_or_else(missing)?;
    // What is installed in a tenant changes under this lock only.
    let tenant = tenants::entity::Entity::find_by_id(found.tenant_id);
    tenant.lock_exclusive().one(transaction).await?;
    let before = Entity::find_by_id(id).one(transaction).await?.ok_or_else(missing)?;
    if !before.is_current {
        return Err(Refused::input(format!("entitlement {id} is not installed any more")));
    }
    let person = people::find(transaction, &before.account_id, None).await?.id;
    let after = end(transaction, before.clone(), now).await?;
    let source = Source::Transaction(transaction);
    let shown = read::one(source, &after.account_id, id, now).await?;
    let shown = shown.ok_or_else(|| Error::internal("an install was ended and is not there"))?;
    let entry = audit::updated(&before, &after)?.labelled(&shown.app_key);
    entry.write(transaction, person, now).await?;
    let correlation = uuid::Uuid::new_v4().simple().to_string();
    let cause = Cause { application: None, person, correlation: &correlation };
    let happened = Happened {
        id: &events::new_id(),
        topic: Topic::Uninstalled,
        install: &after,
        former: None,
        key: &shown.app_key,
        at: now,
    };
    events::write(transaction, cause, happened).await?;
    Ok(shown)
}
