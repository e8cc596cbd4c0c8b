//! The wire of installs (contract 2.6).
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::package_api::convention::time::Time;

/// An install of a package in a tenant, or in one of its sites.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationEntitlement {
    /// Key of the installed package.
    #[schema(nullable, max_length = 200, example = "acme01.loyalty.1.1.0.Release")]
    pub app_key: String,
    /// Number of the entitlement.
    #[schema(read_only, value_type = i32, example = 611)]
    pub application_entitlement_id: i64,
    /// Number of the installed package.
    #[schema(value_type = i32, example = 4102)]
    pub package_id: i64,
    /// Kind of the licence; `Free` unless an install says another.
    #[schema(nullable, max_length = 100, example = "Free")]
    pub application_license_type: String,
    /// `Active` between its dates, `Expired` before and after, `Revoked` when it was uninstalled or another install
    /// took its place.
    #[schema(read_only, nullable, max_length = 20, example = "Active")]
    pub entitlement_status: String,
    /// Number of the tenant.
    #[schema(value_type = i32, example = 1)]
    pub tenant_id: i64,
    /// Number of the site; null for the whole tenant.
    #[schema(value_type = Option<i32>, example = 1)]
    pub site_id: Option<i64>,
    /// When the licence begins; at once unless an install says when.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub effective_start_date: Time,
    /// When the licence ends; null when it does not.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-03-04T09:15:00.000Z")]
    pub effective_end_date: Option<Time>,
    /// Purchases of the licence, as they were given with the install.
    #[schema(nullable, max_items = 1000)]
    pub application_transactions: Vec<ApplicationTransaction>,
    /// Name of the application.
    #[schema(read_only, nullable, max_length = 200, example = "Loyalty")]
    pub application_name: String,
    /// Version of the application, without its package.
    #[schema(read_only, nullable, max_length = 32, example = "1.1.0")]
    pub application_version: String,
    /// First name of the developer who installed it; null when an application did.
    #[schema(read_only, max_length = 200, example = "Ann")]
    pub installed_by_first_name: Option<String>,
    /// Last name of the developer who installed it; null when an application did.
    #[schema(read_only, max_length = 200, example = "Lee")]
    pub installed_by_last_name: Option<String>,
    /// When it was installed, or installed again.
    #[schema(read_only, value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub installed_date: Time,
    /// Name of the installed package.
    #[schema(read_only, nullable, max_length = 50, example = "Release")]
    pub package_name: String,
    /// Name of the tenant.
    #[schema(read_only, nullable, max_length = 200, example = "Acme Sandbox")]
    pub tenant_name: String,
    /// Status of the version, as a text.
    #[schema(read_only, nullable, max_length = 10, example = "1")]
    pub application_status_id: String,
    /// Number of the version.
    #[schema(read_only, value_type = i32, example = 731)]
    pub application_id: i64,
    /// Developer account in which the application is installed: the owner of the tenant.
    #[schema(read_only, value_type = i32, example = 12)]
    pub dev_account_id: i64,
    /// Id of the installed application in the tenant.
    #[schema(read_only, nullable, max_length = 64, example = "0c1d2e3f405162738495a6b7c8d9eaf0")]
    pub installed_apps_application_id: String,
    /// Developer account that owns the application.
    #[schema(read_only, value_type = i32, example = 12)]
    pub app_owner_dev_account_id: i64,
}

/// A purchase of a licence. The server keeps it as it was given; its numbers are the server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationTransaction {
    /// Number of the transaction.
    #[schema(read_only, value_type = i32, example = 88)]
    pub application_transaction_id: i64,
    /// Number of the version.
    #[schema(read_only, value_type = i32, example = 731)]
    pub application_id: i64,
    /// Number of the entitlement.
    #[schema(read_only, value_type = Option<i32>, example = 611)]
    pub application_entitlement_id: Option<i64>,
    /// Number of the tenant.
    #[schema(read_only, value_type = i32, example = 1)]
    pub tenant_id: i64,
    /// Number of the site; null for the whole tenant.
    #[schema(read_only, value_type = Option<i32>, example = 1)]
    pub site_id: Option<i64>,
    /// Number of the language.
    #[schema(value_type = i32, example = 1033)]
    pub locale_code: i64,
    /// Currency of the amounts, as in ISO 4217.
    #[schema(max_length = 3, example = "USD")]
    pub iso_currency_code: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    #[serde(deserialize_with = "time")]
    pub transaction_date: Time,
    /// Price without tax.
    #[schema(minimum = -1e12, maximum = 1e12, example = 49.9)]
    pub transaction_price: f64,
    /// Tax on the price.
    #[schema(minimum = -1e12, maximum = 1e12, example = 9.98)]
    pub transaction_tax: f64,
    /// Price and tax.
    #[schema(minimum = -1e12, maximum = 1e12, example = 59.88)]
    pub transaction_total: f64,
    /// Number of the order.
    #[schema(max_length = 200, example = "A-1007")]
    pub order_number: Option<String>,
}

/// Reads a date of a stored transaction.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    Time::parse(&text).ok_or_else(|| D::Error::custom("no date and time"))
}
