//! The addresses that the server has, kept in the database for those beside it: what a worker sends must name
//! the same ones, or receivers refuse it.
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use crate::kernel::config::{Config, DEFAULT_DOMAIN};
use crate::kernel::db::Store;
use crate::kernel::error::Result;
use crate::kernel::state::Site;

/// Table `site_addresses`, of one row.
pub mod entity {
    use sea_orm::entity::prelude::*;

    /// The addresses of the server that was started last.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "site_addresses")]
    pub struct Model {
        /// Always 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        /// As in [`Site`](crate::kernel::state::Site).
        pub public_url: String,
        /// As there.
        pub domain: String,
        /// As there.
        pub account_url: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{Column, Entity, Model};

/// Keeps the addresses of a server that starts.
///
/// # Errors
/// The database's.
pub async fn keep(store: &Store, site: &Site) -> Result<()> {
    let row = Model {
        id: 1,
        public_url: site.public_url.clone(),
        domain: site.domain.clone(),
        account_url: site.account_url.clone(),
    };
    let transaction = store.begin().await?;
    let replace = OnConflict::column(Column::Id)
        .update_columns([Column::PublicUrl, Column::Domain, Column::AccountUrl])
        .to_owned();
    let insert = Entity::insert(row.into_active_model()).on_conflict(replace);
    insert.exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The addresses of the server that was started last, if any has been.
///
/// # Errors
/// The database's.
pub async fn kept(db: &impl ConnectionTrait) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(1).one(db).await?)
}

/// A setting that is not as the server has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Different {
    /// Its name.
    pub setting: &'static str,
    /// As it is here.
    pub here: String,
    /// As the server has it.
    pub server: String,
}

/// Fills in what a process beside the server was not told, and returns what it was told differently. What it
/// derives from an address of its own stays so.
pub fn fill_in(config: &mut Config, kept: &Model) -> Vec<Different> {
    config.public_url.get_or_insert_with(|| kept.public_url.clone());
    if config.domain == DEFAULT_DOMAIN {
        config.domain.clone_from(&kept.domain);
    }
    if (config.public_url(), &config.domain) == (kept.public_url.clone(), &kept.domain) {
        config.account_url.get_or_insert_with(|| kept.account_url.clone());
    }
    let settings = [
        ("public_url", config.public_url(), &kept.public_url),
        ("domain", config.domain.clone(), &kept.domain),
        ("account_url", config.account_url(), &kept.account_url),
    ];
    let different = settings.into_iter().filter(|(_, here, server)| here != *server);
    different
        .map(|(setting, here, server)| Different { setting, here, server: server.clone() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Model {
        Model {
            id: 1,
            public_url: "https://api.example.com".to_owned(),
            domain: "example.com".to_owned(),
            account_url: "https://{account}.apps.example.com".to_owned(),
        }
    }

    fn addresses(config: &Config) -> [String; 3] {
        [config.public_url(), config.domain.clone(), config.account_url()]
    }

    #[test]
    fn what_is_not_told_is_the_servers() {
        let mut config = Config::default();
        assert_eq!(fill_in(&mut config, &kept()), []);
        let Model { public_url, domain, account_url, .. } = kept();
        assert_eq!(addresses(&config), [public_url.clone(), domain, account_url]);
        // The same, told.
        let mut config = Config { public_url: Some(format!("{public_url}/")), ..Config::default() };
        assert_eq!(fill_in(&mut config, &kept()), []);
    }

    #[test]
    fn what_is_told_stays_and_is_named() {
        let mut config = Config { domain: "example.org".to_owned(), ..Config::default() };
        let different = |setting, here: &str, server: &str| Different {
            setting,
            here: here.to_owned(),
            server: server.to_owned(),
        };
        assert_eq!(
            fill_in(&mut config, &kept()),
            [
                different("domain", "example.org", "example.com"),
                different(
                    "account_url",
                    "https://{account}.example.org",
                    "https://{account}.apps.example.com"
                ),
            ]
        );
        let own = "https://{account}.example.net".to_owned();
        let mut config = Config { account_url: Some(own.clone()), ..Config::default() };
        let told = fill_in(&mut config, &kept());
        assert_eq!(told, [different("account_url", &own, "https://{account}.apps.example.com")]);
        assert_eq!(config.domain, "example.com");
    }
}
