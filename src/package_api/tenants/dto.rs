//! The wire of tenants (contract 3.8e).
use serde::Serialize;
use utoipa::ToSchema;

/// A place of an account's in which applications are installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// Number of the tenant.
    #[schema(value_type = i32, example = 1)]
    pub id: i64,
    /// Name of the tenant, for people.
    #[schema(nullable, max_length = 200, example = "Acme Sandbox")]
    pub name: String,
    /// Host, with its port unless it is the usual one, under which clients reach the tenant. There is no
    /// scheme in front: clients put `https://` there.
    #[schema(nullable, max_length = 300, example = "apps.acme.example")]
    pub domain: String,
    /// Whether this is a sandbox, for trying things out; otherwise it is a production tenant.
    #[schema(example = true)]
    pub is_dev_tenant: bool,
    /// The tenant's sites, by their numbers.
    #[schema(nullable, max_items = 1000)]
    pub sites: Vec<Site>,
    /// Always empty: this service keeps no catalogs.
    #[schema(nullable, max_items = 1000)]
    pub master_catalogs: Vec<MasterCatalog>,
}

/// A storefront of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// Number of the site.
    #[schema(value_type = i32, example = 1)]
    pub id: i64,
    /// Number of its tenant.
    #[schema(value_type = i32, example = 1)]
    pub tenant_id: i64,
    /// Name of the site, for people.
    #[schema(nullable, max_length = 200, example = "Main store")]
    pub name: String,
    /// Host under which clients reach the site, without a scheme.
    #[schema(nullable, max_length = 300, example = "apps.acme.example")]
    pub domain: String,
}

/// A catalog of a tenant's products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MasterCatalog {
    /// Number of the catalog.
    #[schema(value_type = i32, example = 1)]
    pub id: i64,
    /// Number of its tenant.
    #[schema(value_type = i32, example = 1)]
    pub tenant_id: i64,
    /// Name of the catalog, for people.
    #[schema(nullable, max_length = 200, example = "Master catalog")]
    pub name: String,
}
