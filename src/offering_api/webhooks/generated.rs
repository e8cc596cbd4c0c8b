//! Webhooks that come with an installed app: they change with it, at nobody's request.
use sea_orm::{ActiveModelTrait, DatabaseTransaction, IntoActiveModel, Set};

use super::address::{self, Address, Userinfo};
use super::entity::Model;
use super::{messages, service};
use crate::kernel::error::Result;
use crate::kernel::state::Site;
use crate::kernel::{audit, delivery};

/// Changes a webhook to what `after` says, and its address to another. A new address is verified before
/// anything goes there.
///
/// # Errors
/// The database's.
pub async fn redirect(
    transaction: &DatabaseTransaction,
    site: &Site,
    (before, mut after): (&Model, Model),
    address: &Address,
    person: i64,
    now: i64,
) -> Result<()> {
    after.uri.clone_from(&address.masked);
    after.credentials = match &address.userinfo {
        Userinfo::New(userinfo) => Some(address::seal(&site.key, before.id, userinfo)),
        Userinfo::None | Userinfo::Kept => None,
    };
    if after == *before {
        return Ok(());
    }
    after.updated_at = now;
    let row = after.into_active_model().reset_all();
    let after = row.update(transaction).await?;
    audit::updated(before, &after)?.write(transaction, person, now).await?;
    if after.uri != before.uri {
        service::verify(transaction, site, after, service::PATIENCE, now).await?;
    }
    Ok(())
}

/// Switches a webhook off or on. One that was switched off for its failures begins anew.
///
/// # Errors
/// The database's.
pub async fn switch(
    transaction: &DatabaseTransaction,
    before: Model,
    disabled: bool,
    person: i64,
    now: i64,
) -> Result<()> {
    if before.disabled == disabled {
        return Ok(());
    }
    let mut row = before.clone().into_active_model();
    row.disabled = Set(disabled);
    if !disabled {
        row.failures = Set(0);
        row.failing_since = Set(None);
        row.last_error = Set(None);
    }
    row.updated_at = Set(now);
    let after = row.update(transaction).await?;
    audit::updated(&before, &after)?.write(transaction, person, now).await?;
    if !disabled {
        delivery::resume(transaction, messages::LANES, after.id, now).await?;
    }
    Ok(())
}
