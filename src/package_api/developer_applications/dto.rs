//! The wire of versions and packages by their names (contract 2.7).
use serde::Serialize;
use utoipa::ToSchema;

/// The versions of an application.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationVersionsCollection {
    /// Number of versions.
    #[schema(value_type = i32, example = 2)]
    pub total_count: i64,
    /// The versions, highest first.
    #[schema(example = json!(["1.1.0", "1.0.0"]))]
    pub items: Vec<String>,
}

/// The packages of a version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageNamesCollection {
    /// Number of packages.
    #[schema(value_type = i32, example = 2)]
    pub total_count: i64,
    /// Names of the packages: `Release` first, then the others in their order.
    #[schema(example = json!(["Release", "work"]))]
    pub items: Vec<String>,
}
