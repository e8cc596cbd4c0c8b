//! Trust: a provider lets a customer see and install what it publishes.
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, Set};

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
