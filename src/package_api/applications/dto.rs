//! The wire of installed applications (contract 3.8e).
use serde::Serialize;
use utoipa::ToSchema;

/// An application that is installed in a tenant. In a change, only `enabled` and `initialized` count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstalledApplication {
    /// Id of the installed application in the tenant: `installedAppsApplicationId` of its entitlement.
    #[schema(read_only, nullable, max_length = 64, example = "0c1d2e3f405162738495a6b7c8d9eaf0")]
    pub app_id: String,
    /// Key of the installed package.
    #[schema(read_only, nullable, max_length = 200, example = "acme01.loyalty.1.1.0.Release")]
    pub app_key: String,
    /// Whether the application is switched on. In a change, null leaves it as it is.
    #[schema(nullable, example = true)]
    pub enabled: bool,
    /// Whether the application has been configured. In a change, null leaves it as it is.
    #[schema(nullable, example = true)]
    pub initialized: bool,
    /// Whether the application is extension code that runs in the platform.
    #[schema(read_only, example = false)]
    pub is_extension: bool,
    /// Whether it is such code and its version is certified.
    #[schema(read_only, example = false)]
    pub is_extension_certified: bool,
    /// URL of the page on which the tenant configures the application.
    #[schema(
        read_only,
        max_length = 2000,
        format = "uri",
        example = "https://loyalty.acme.example/configure"
    )]
    pub ui_configuration_url: Option<String>,
    /// Always empty: nothing is done in place of this service.
    #[schema(nullable, max_items = 1000)]
    pub capabilities: Vec<InstalledCapability>,
}

/// Something that an installed application does in place of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstalledCapability {
    /// Name of the capability type.
    #[schema(nullable, max_length = 200, example = "Tax Calculator")]
    pub capability_type: String,
}
