//! The rules of tenants.
use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QueryTrait, Set,
};

use super::dto::{Site, Tenant};
use super::{entity, site_entity};
use crate::directory::accounts::Refused;
use crate::directory::state::AppState;
use crate::directory::tickets::Actor;
use crate::kernel::db::Row;
use crate::kernel::error::Result;
use crate::kernel::record::select::Sql;
use crate::package_api::access::Caller;
use crate::package_api::convention::refusal;

/// Most characters of a name.
const LONGEST: usize = 200;

/// The tenant of this number, with its sites, if the caller may see it.
///
/// # Errors
/// 404.
pub async fn get(state: &AppState, caller: &Caller, id: i64) -> Result<Tenant> {
    let source = state.store.committed();
    let mut sql = Sql::new(source.dialect());
    sql.push(
        "SELECT t.id, t.name, t.domain, t.is_sandbox, s.id, s.name, s.domain FROM tenants t \
         LEFT JOIN sites s ON s.tenant_id = t.id WHERE t.id = ",
    )
    .bind(id);
    sql.push(" AND (t.account_id = ").bind(&*caller.principal.account);
    sql.push(
        " OR EXISTS (SELECT 1 FROM entitlements e WHERE e.is_current AND e.tenant_id = t.id AND ",
    );
    match caller.principal.actor {
        Actor::App { application, .. } => sql.push("e.application_id = ").bind(application),
        Actor::Developer { .. } => {
            sql.push("e.owner_account_id = ").bind(&*caller.principal.account)
        }
    };
    sql.push(")) ORDER BY s.id");
    let here = domain(&state.site.public_url);
    let add = move |found: &mut Option<Tenant>, row: &dyn Row| read(found, row, &here);
    let found = source.fetch(sql.query(false), None, add).await?;
    found.ok_or_else(|| refusal::not_found("tenant", "TenantId", id))
}

/// Adds a row: the tenant, and its next site.
fn read(found: &mut Option<Tenant>, row: &dyn Row, here: &str) {
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    let domain = |at, other: &str| row.text(at).map_or_else(|| other.to_owned(), Into::into);
    let tenant = found.get_or_insert_with(|| Tenant {
        id: row.int(0).unwrap_or_default(),
        name: text(1),
        domain: domain(2, here),
        is_dev_tenant: row.bool(3).unwrap_or_default(),
        sites: Vec::new(),
        master_catalogs: Vec::new(),
    });
    if let Some(id) = row.int(4) {
        let domain = domain(6, &tenant.domain);
        tenant.sites.push(Site { id, tenant_id: tenant.id, name: text(5), domain });
    }
}

/// Host, and port where it has one, of an address: the domain of what has none of its own.
pub fn domain(address: &str) -> String {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    rest.split('/').next().unwrap_or_default().to_owned()
}

/// What a tenant is made of.
#[derive(Clone, Debug)]
pub struct NewTenant<'a> {
    /// Developer account that owns it.
    pub account: &'a str,
    /// Name for people, at most 200 characters.
    pub name: &'a str,
    /// Whether it is for trying things out.
    pub is_sandbox: bool,
    /// Host under which clients reach it, without a scheme; `None` for this service's.
    pub domain: Option<&'a str>,
    /// Names of its sites, at most 200 characters each.
    pub sites: &'a [String],
}

/// Makes a tenant with its sites.
///
/// # Errors
/// When a name is not acceptable. The account must exist.
pub async fn create(
    transaction: &DatabaseTransaction,
    new: NewTenant<'_>,
    now: i64,
) -> Result<(entity::Model, Vec<site_entity::Model>), Refused> {
    let tenant = entity::ActiveModel {
        account_id: Set(new.account.to_owned()),
        name: Set(checked("tenant", new.name)?),
        is_sandbox: Set(new.is_sandbox),
        domain: Set(new.domain.map(host).transpose()?),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let tenant = tenant.insert(transaction).await?;
    let mut sites = Vec::with_capacity(new.sites.len());
    for name in new.sites {
        let site = site_entity::ActiveModel {
            tenant_id: Set(tenant.id),
            name: Set(checked("site", name)?),
            domain: Set(None),
            created_at: Set(now),
            ..Default::default()
        };
        sites.push(site.insert(transaction).await?);
    }
    Ok((tenant, sites))
}

/// The tenants of an account, or all of them, by number, each with its sites.
///
/// # Errors
/// The database's.
pub async fn list(
    db: &impl ConnectionTrait,
    account: Option<&str>,
) -> Result<Vec<(entity::Model, Vec<site_entity::Model>)>, Refused> {
    let tenants = entity::Entity::find()
        .apply_if(account, |find, account| find.filter(entity::Column::AccountId.eq(account)))
        .order_by_asc(entity::Column::Id);
    let mut sites: BTreeMap<i64, Vec<site_entity::Model>> = BTreeMap::new();
    for site in site_entity::Entity::find().order_by_asc(site_entity::Column::Id).all(db).await? {
        sites.entry(site.tenant_id).or_default().push(site);
    }
    let tenants = tenants.all(db).await?.into_iter();
    Ok(tenants
        .map(|it| {
            let sites = sites.remove(&it.id).unwrap_or_default();
            (it, sites)
        })
        .collect())
}

fn checked(what: &str, name: &str) -> Result<String, Refused> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST || name.contains('\0') {
        return Err(Refused::input(format!("{what} name: use 1 to {LONGEST} characters")));
    }
    Ok(name.to_owned())
}

fn host(text: &str) -> Result<String, Refused> {
    let address = url::Url::parse(&format!("https://{text}"));
    // Anything but a host and port is written in another way, or has a path, by then.
    let is_host = address.is_ok_and(|address| address.as_str() == format!("https://{text}/"));
    if !is_host || text.contains('@') || text.len() > 300 {
        return Err(Refused::input(format!(
            "domain {text:?}: use a host in lower case, as apps.acme.example or localhost:8443"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_host_and_port_of_an_address() {
        let table = [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://apps.acme.example", "apps.acme.example"),
            ("https://apps.acme.example/market", "apps.acme.example"),
            ("https://[::1]:8443/x/y", "[::1]:8443"),
        ];
        for (address, expected) in table {
            assert_eq!(domain(address), expected);
        }
    }

    #[test]
    fn a_domain_of_its_own_is_a_host() {
        for text in [
            "apps.acme.example",
            "localhost:8443",
            "127.0.0.1",
            "[::1]:8443",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(host(text).unwrap(), text);
        }
        for text in [
            "",
            "https://apps.acme.example",
            "apps.acme.example/",
            "a.example/b",
            "a b",
            "a.example?x",
            "me@a.example",
            "A.example",
            "a.example:x",
            "a.example:443",
            "bücher.example",
            "#",
        ] {
            let refused = host(text).unwrap_err().to_string();
            let expected = format!(
                "domain {text:?}: use a host in lower case, as apps.acme.example or localhost:8443"
            );
            assert_eq!(refused, expected);
        }
    }
}
