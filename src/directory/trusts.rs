//! Trust: a provider lets a customer see and install what it publishes.
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

use super::accounts::{self, Refused};

/// Table `trusts`.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// A provider's trust in a customer.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trusts")]
    pub struct Model {
        /// Who publishes.
        #[sea_orm(primary_key, auto_increment = false)]
        pub provider_id: String,
        /// Who may see and install it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub customer_id: String,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Adds a trust; one that exists stays as it is.
///
/// # Errors
/// When an account does not exist, or both are the same.
pub async fn add(
    db: &impl ConnectionTrait,
    provider: &str,
    customer: &str,
    now: i64,
) -> Result<(), Refused> {
    if provider == customer {
        return Err(Refused::input("an account needs no trust in itself"));
    }
    accounts::find(db, provider).await?;
    accounts::find(db, customer).await?;
    let row = entity::ActiveModel {
        provider_id: Set(provider.to_owned()),
        customer_id: Set(customer.to_owned()),
        created_at: Set(now),
    };
    let mut keep = OnConflict::columns([entity::Column::ProviderId, entity::Column::CustomerId]);
    keep.do_nothing();
    entity::Entity::insert(row).on_conflict(keep).exec_without_returning(db).await?;
    Ok(())
}

/// Whether one account trusts another.
///
/// # Errors
/// The database's.
pub async fn exists(
    db: &impl ConnectionTrait,
    provider: &str,
    customer: &str,
) -> Result<bool, DbErr> {
    let found = entity::Entity::find()
        .filter(entity::COLUMN.provider_id.eq(provider))
        .filter(entity::COLUMN.customer_id.eq(customer));
    Ok(found.one(db).await?.is_some())
}

/// Ends a trust. What the customer has installed stays, and is updated no more.
///
/// # Errors
/// When an account does not exist, or the one does not trust the other.
pub async fn remove(
    db: &impl ConnectionTrait,
    provider: &str,
    customer: &str,
) -> Result<(), Refused> {
    accounts::find(db, provider).await?;
    accounts::find(db, customer).await?;
    let removed = entity::Entity::delete_many()
        .filter(entity::COLUMN.provider_id.eq(provider))
        .filter(entity::COLUMN.customer_id.eq(customer))
        .exec(db)
        .await?;
    if removed.rows_affected == 0 {
        let text = format!("account {provider:?} does not trust account {customer:?}");
        return Err(Refused::input(text));
    }
    Ok(())
}
