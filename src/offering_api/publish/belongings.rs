//! What a draft takes along into each of its versions.
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};

use crate::kernel::audit::{self, Audited};
use crate::kernel::error::Result;
use crate::offering_api::app_offering_automation_rules::entity as rules;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::app_offerings::scopes::entity as scopes;

/// A table whose rows belong to an offering, by its columns.
pub trait Belonging: EntityTrait {
    /// Number of the row.
    const ID: Self::Column;
    /// Account of the row.
    const ACCOUNT: Self::Column;
    /// Offering that the row belongs to.
    const OFFERING: Self::Column;
    /// When the row was made, and when it last changed.
    const TIMES: [Self::Column; 2];
}

impl Belonging for scopes::Entity {
    const ID: Self::Column = scopes::Column::Id;
    const ACCOUNT: Self::Column = scopes::Column::AccountId;
    const OFFERING: Self::Column = scopes::Column::AppOfferingId;
    const TIMES: [Self::Column; 2] = [scopes::Column::CreatedAt, scopes::Column::UpdatedAt];
}

impl Belonging for rules::Entity {
    const ID: Self::Column = rules::Column::Id;
    const ACCOUNT: Self::Column = rules::Column::AccountId;
    const OFFERING: Self::Column = rules::Column::AppOfferingId;
    const TIMES: [Self::Column; 2] = [rules::Column::CreatedAt, rules::Column::UpdatedAt];
}

/// Copies a draft's rows of a table to a version of it, in the order in which they were made.
///
/// # Errors
/// The database's.
pub async fn copy<E>(
    transaction: &DatabaseTransaction,
    person: i64,
    (draft, version): (&Offering, &Offering),
    now: i64,
) -> Result<()>
where
    E: Belonging,
    E::Model: Audited + IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: Send,
{
    let rows = E::find()
        .filter(E::ACCOUNT.eq(draft.account_id.as_str()))
        .filter(E::OFFERING.eq(draft.id))
        .order_by_asc(E::ID);
    for row in rows.all(transaction).await? {
        let mut copy = row.into_active_model().reset_all();
        copy.not_set(E::ID);
        copy.try_set(E::OFFERING, version.id.into())?;
        for time in E::TIMES {
            copy.try_set(time, now.into())?;
        }
        let copy = copy.insert(transaction).await?;
        audit::created(&copy)?.write(transaction, person, now).await?;
    }
    Ok(())
}
