//! The wire of packages (contract 2.5, 2.6). Members are declared in the order in which they are sent.
//!
//! The parts of a package that have no table of their own are kept as JSON of these very types, their
//! numbers included, so that reading a package renames nothing.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::package_api::appinstall::dto::ApplicationEntitlement;
use crate::package_api::appsubscriptions::dto::ApplicationSubscription;
use crate::package_api::convention::time::Time;

/// Most elements of most arrays, as the schemas say.
pub const SOME: usize = 1_000;
/// Most behaviors and capabilities of a package, and attributes in one element.
pub const MANY: usize = 10_000;

/// How much of a package is shown, and whose.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what `http::get` reads")]
pub struct Shown {
    /// Whether behaviors, subscriptions, capability types, capabilities, attributes and installs are
    /// shown; else they are null.
    #[param(rename = "includeChildren", default = false, example = true)]
    include_children: Option<bool>,
    /// Whether packages of other accounts may be shown.
    #[param(rename = "skipDevAccountCheck", default = false, example = false)]
    skip_dev_account_check: Option<bool>,
}

/// What makes a new version of an application.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents what `body::Object` reads, whatever the case of the names")]
pub struct PackageRequest {
    /// Key of the version that is to be made: namespace and name of the application, a version that does
    /// not exist, and `Release`, which may be left out. Needed.
    #[schema(max_length = 200, example = "acme01.loyalty.1.1.0.Release")]
    app_key: Option<String>,
    /// Key of a published theme that the new theme inherits from. Without it a new version of a theme
    /// keeps the parent of the version that it continues.
    #[schema(max_length = 200, example = json!(null))]
    parent_theme_app_key: Option<String>,
}

/// A package: the configuration and files of a version of an application, with what all packages of the
/// version share. In requests, members that only the server sets are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppDevPackage {
    /// Last change of this package: its description, configuration or files.
    #[schema(read_only, value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub update_date: Time,
    /// Last change of what all packages of the version share.
    #[schema(read_only, value_type = Option<String>, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
    pub application_update_date: Time,
    /// Number of the package, elsewhere called `packageId`.
    #[schema(value_type = i32, example = 4102)]
    pub id: i64,
    /// Name of the application for people; the same in all packages of the version. In a change, null
    /// leaves it as it is.
    #[schema(nullable, min_length = 1, max_length = 200, example = "Loyalty")]
    pub application_name: String,
    /// Type of the application: 1 application, 2 theme, 3 extension. It never changes.
    #[schema(value_type = i32, maximum = 3, example = 1)]
    pub application_type_id: i64,
    /// Name of the type: `Application`, `Theme` or `Extension`.
    #[schema(read_only, nullable, max_length = 20, example = "Application")]
    pub application_type_name: String,
    /// First part of the version.
    #[schema(value_type = i32, example = 1)]
    pub major_version: i64,
    /// Second part of the version.
    #[schema(value_type = i32, example = 1)]
    pub minor_version: i64,
    /// Third part of the version.
    #[schema(value_type = i32, example = 0)]
    pub revision: i64,
    /// Secret of the version, with which each of its packages authenticates. Null to everybody but the
    /// owner, and in lists.
    #[schema(
        read_only,
        max_length = 32,
        pattern = "^[0-9a-f]{32}$",
        example = "0123456789abcdef0123456789abcdef"
    )]
    pub shared_secret: Option<String>,
    /// Status of the version: 1 In Development, 2 Submitted For Certification, 3 Certified, 4
    /// Certification Failed, 5 Published, 6 Retired. In a change, another one of
    /// `validApplicationStatusIdList` moves the version there; 0 leaves it. Whether a submitted version is
    /// certified, 3 or 4, only operators decide (403), unless the server allows it to everybody.
    #[schema(value_type = i32, maximum = 6, example = 1)]
    pub application_status_id: i64,
    /// Name of the status.
    #[schema(read_only, nullable, max_length = 40, example = "In Development")]
    pub application_status_name: String,
    /// Version of the platform's API that the package is made for. In a change, null leaves it.
    #[schema(nullable, max_length = 50, example = "1")]
    pub api_version: String,
    /// Description of the application; the same in all packages of the version. In a change, null removes it.
    #[schema(max_length = 4000, example = "Points for every order.")]
    pub application_description: Option<String>,
    /// Version of the theme engine that a theme is made for; other applications have none, and giving one is
    /// refused with 409. In a change, null removes it.
    #[schema(max_length = 50, example = json!(null))]
    pub theme_engine_version: Option<String>,
    /// Namespace of the developer account.
    #[schema(nullable, max_length = 50, example = "acme01")]
    pub namespace: String,
    /// Statuses that the version can move to from the present one, ascending: by the owner or by operators.
    #[schema(value_type = Option<Vec<i32>>, max_items = 6, example = json!([2, 6]))]
    pub valid_application_status_id_list: Vec<i64>,
    /// Generation of the scheme of keys, always 2.
    #[schema(read_only, value_type = i32, maximum = 127, example = 2)]
    pub app_scheme_version: i64,
    /// Absolute `http` or `https` URL of the page on which a tenant configures the application. In a change,
    /// null removes it.
    #[schema(
        max_length = 2000,
        format = "uri",
        example = "https://loyalty.acme.example/configure"
    )]
    pub app_config_url: Option<String>,
    /// Whether this is the release package, of which every version has one.
    #[schema(read_only, example = true)]
    pub is_release_package: bool,
    /// Name of the package in its version.
    #[schema(nullable, max_length = 50, example = "Release")]
    pub package_name: String,
    /// What the package is for. In a change, null removes it.
    #[schema(max_length = 4000, example = json!(null))]
    pub package_description: Option<String>,
    /// Namespace of the application's data entities.
    #[schema(read_only, nullable, max_length = 50, example = "acme01")]
    pub data_namespace: String,
    /// Number of the developer who made the package, as a text; null for release packages and those that
    /// an application made.
    #[schema(read_only, max_length = 20, example = json!(null))]
    pub user_id: Option<String>,
    /// Name of the application in its namespace, as in keys.
    #[schema(nullable, max_length = 50, example = "loyalty")]
    pub app_id: String,
    /// Number of the version.
    #[schema(read_only, value_type = i32, example = 731)]
    pub application_id: i64,
    /// Always null.
    #[schema(read_only, value_type = Option<i32>, example = json!(null))]
    pub application_detail_id: Option<i64>,
    /// Whether the status of the version locks its packages: nothing but the status can be changed.
    #[schema(read_only, example = false)]
    pub is_locked: bool,
    /// Always false: deleted packages are not shown.
    #[schema(read_only, example = false)]
    pub is_deleted: bool,
    /// Number of files.
    #[schema(read_only, value_type = i32, example = 0)]
    pub asset_file_count: i64,
    /// Id of the package that no other installation of the service uses.
    #[schema(
        read_only,
        nullable,
        max_length = 32,
        pattern = "^[0-9a-f]{32}$",
        example = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
    )]
    pub package_guid: String,
    /// Name of the status once more.
    #[schema(read_only, nullable, max_length = 40, example = "In Development")]
    pub application_status: String,
    /// What the application may do. This and the next five are null unless children were asked for. In a
    /// change, null leaves them as they are and a list replaces them, except the entitlements, which are
    /// ignored.
    #[schema(max_items = 10000)]
    pub application_behaviors: Option<Vec<ApplicationBehavior>>,
    /// Events that the application is told of.
    #[schema(max_items = 1000)]
    pub application_subscriptions: Option<Vec<ApplicationSubscription>>,
    /// What the application does in place of the platform.
    #[schema(max_items = 1000)]
    pub application_capability_types: Option<Vec<ApplicationCapabilityType>>,
    /// Definitions of attributes that the application brings along, one for each subsystem and tenant
    /// that they were taken from.
    #[schema(max_items = 1000)]
    pub application_attributes: Option<Vec<ApplicationAttribute>>,
    /// The capabilities of all capability types in one list. In a change they count only when the body leaves
    /// out `applicationCapabilityTypes`, or has null there; each then names an
    /// `applicationCapabilityTypeId` of the package.
    #[schema(max_items = 10000)]
    pub application_capabilities: Option<Vec<ApplicationCapability>>,
    /// Installs of this package.
    #[schema(max_items = 10000)]
    pub application_entitlements: Option<Vec<ApplicationEntitlement>>,
    /// Namespace of the fully qualified names of attributes.
    #[schema(read_only, nullable, max_length = 50, example = "acme01")]
    pub attribute_namespace: String,
    /// Whether the application has more than one version.
    #[schema(read_only, example = true)]
    pub has_application_versions: bool,
    /// Always null.
    #[schema(read_only, max_length = 50, example = json!(null))]
    pub legacy_namespace: Option<String>,
    /// Id of the namespace.
    #[schema(read_only, nullable, max_length = 64, example = "2b6d0d0e1c8f4f7c9a55d1f0a1b2c3d4")]
    pub namespace_registry_id: String,
    /// Number of the version of the theme that this one inherits from.
    #[schema(read_only, value_type = Option<i32>, example = json!(null))]
    pub published_parent_theme_id: Option<i64>,
    /// Its version.
    #[schema(read_only, max_length = 32, example = json!(null))]
    pub published_parent_semantic_version: Option<String>,
    /// Range of versions of the parent that the theme takes, in the notation of npm. In a change, null leaves it;
    /// it must hold the version of the parent, and only a theme with a parent has one (409).
    #[schema(max_length = 200, example = json!(null))]
    pub semantic_version_range: Option<String>,
    /// Name of the parent.
    #[schema(read_only, max_length = 200, example = json!(null))]
    pub parent_theme_name: Option<String>,
    /// Key of the parent. In a change, null leaves it and an empty text drops the parent.
    #[schema(max_length = 200, example = json!(null))]
    pub parent_theme_app_key: Option<String>,
    /// Key of the newest published version of the parent that is above the present one and in the range.
    #[schema(read_only, max_length = 200, example = json!(null))]
    pub update_parent_app_key: Option<String>,
    /// Whether there is such a version.
    #[schema(read_only, example = false)]
    pub update_available: bool,
    /// Key of this package.
    #[schema(nullable, max_length = 200, example = "acme01.loyalty.1.1.0.Release")]
    pub app_key: String,
    /// Name of the newest version of the parent.
    #[schema(read_only, max_length = 200, example = json!(null))]
    pub update_parent_theme_name: Option<String>,
    /// The newest version of the parent.
    #[schema(read_only, max_length = 32, example = json!(null))]
    pub update_parent_theme_version: Option<String>,
    /// Developer account that owns the application.
    #[schema(read_only, value_type = i32, example = 12)]
    pub application_owner_dev_account_id: i64,
}

/// A behavior of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationBehavior {
    /// Number of the behavior in the catalogue.
    #[schema(value_type = i32, example = 102)]
    pub behavior_id: i64,
    /// Number of the package. Ignored in the body of a package; where behaviors are changed by themselves, it is
    /// that of the path or left out.
    #[schema(value_type = i32, example = 4102)]
    pub package_id: i64,
}

/// Something that the application does in place of the platform. In a change, one that is there already is written
/// anew: texts, numbers and flags that the body leaves out are what they are by default. Lists that it leaves out
/// stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationCapabilityType {
    /// Number of this declaration; 0 or absent in a request that makes one.
    #[schema(value_type = i32, example = 501)]
    pub application_capability_type_id: i64,
    /// Number of the version.
    #[schema(value_type = i32, example = 731)]
    pub application_id: i64,
    /// Number of the capability type in the catalogue.
    #[schema(value_type = i32, example = 2)]
    pub capability_type_id: i64,
    /// Its name, from the catalogue.
    #[schema(nullable, max_length = 200, example = "Tax Calculator")]
    pub capability_type_name: String,
    /// Whether the application implements it already.
    #[schema(example = true)]
    pub is_implemented: bool,
    /// Whether it needs no configuration before the application counts as initialized.
    #[schema(example = true)]
    pub is_initialized_by_default: bool,
    /// Contracts of the type that the application implements. A package has at most 10,000 of them in all
    /// its types.
    #[schema(nullable, max_items = 1000)]
    pub application_capabilities: Vec<ApplicationCapability>,
    /// Where it applies.
    #[schema(nullable, max_items = 1000)]
    pub application_capability_domains: Vec<ApplicationCapabilityDomain>,
    /// Number of the package.
    #[schema(value_type = i32, example = 4102)]
    pub package_id: i64,
}

/// A contract of a capability type, implemented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationCapability {
    /// Number of the capability; 0 or absent in a request that makes one.
    #[schema(value_type = i32, example = 502)]
    pub application_capability_id: i64,
    /// Number of the contract, of those of its capability type.
    #[schema(value_type = i32, example = 21)]
    pub capability_type_contract_id: i64,
    /// Absolute `http` or `https` URL that implements the contract.
    #[schema(max_length = 2000, format = "uri", example = "https://loyalty.acme.example/tax")]
    pub application_end_point: Option<String>,
    /// Number of the declaration of the capability type that it belongs to.
    #[schema(value_type = Option<i32>, example = 501)]
    pub application_capability_type_id: i64,
    /// Number of the package.
    #[schema(value_type = i32, example = 4102)]
    pub package_id: i64,
}

/// Where a capability applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationCapabilityDomain {
    /// Number of the domain; 0 or absent in a request that makes one.
    #[schema(value_type = i32, example = 503)]
    pub application_capability_domain_id: i64,
    /// Number of the declaration of the capability type that it belongs to.
    #[schema(value_type = i32, example = 501)]
    pub application_capability_type_id: i64,
    /// What the values are, such as `Countries`.
    #[schema(max_length = 200, example = "Countries")]
    pub name: Option<String>,
    /// Values of the first dimension.
    #[schema(nullable, max_items = 1000)]
    pub application_capability_domain_values1: Vec<ApplicationCapabilityDomainValue>,
    /// Values of the second dimension, where the domain is a pairing, such as of countries and carriers.
    #[schema(nullable, max_items = 1000)]
    pub application_capability_domain_values2: Vec<ApplicationCapabilityDomainValue>,
}

/// A value of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationCapabilityDomainValue {
    /// Number of the value; 0 or absent in a request that makes one.
    #[schema(value_type = i32, example = 504)]
    pub application_capability_domain_value_id: i64,
    /// Number of the domain, of a value of the first dimension.
    #[schema(value_type = Option<i32>, example = 503)]
    pub application_capability_domain_id1: Option<i64>,
    /// Number of the domain, of a value of the second dimension.
    #[schema(value_type = Option<i32>, example = json!(null))]
    pub application_capability_domain_id2: Option<i64>,
    /// Code of the value.
    #[schema(max_length = 200, example = "US")]
    pub value_name: Option<String>,
    /// Name of the value for people.
    #[schema(max_length = 200, example = "United States")]
    pub display_name: Option<String>,
}

/// Definitions of attributes that the application brings along. There is one element for each subsystem
/// and tenant that they were taken from: by these a change knows which one is meant. It is written anew then:
/// texts and flags that the body leaves out are what they are by default, `attributes` stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationAttribute {
    /// `Customer`, `Order` or `Product`.
    #[schema(nullable, max_length = 20, example = "Product")]
    pub subsystem: String,
    /// The definitions, as JSON in a text. A blank one is none, and so is that of `productTypeJson`.
    #[schema(max_length = 1000000, example = "[]")]
    pub attribute_json: Option<String>,
    /// For products their types, else sets of attributes, as JSON in a text.
    #[schema(max_length = 1000000, example = json!(null))]
    pub product_type_json: Option<String>,
    /// Whether they are part of the base definitions.
    #[schema(example = false)]
    pub is_applied_to_base: bool,
    /// Number of the tenant that they were taken from.
    #[schema(value_type = i32, example = 1)]
    pub source_tenant_id: i64,
    /// Name of that tenant.
    #[schema(max_length = 200, example = "Acme Sandbox")]
    pub source_tenant_name: Option<String>,
    /// Codes of the attributes, separated by commas.
    #[schema(max_length = 4000, example = "points,level")]
    pub attribute_codes: Option<String>,
    /// Number of the package.
    #[schema(value_type = i32, example = 4102)]
    pub package_id: i64,
    /// The attributes one by one.
    #[schema(nullable, max_items = 10000)]
    pub attributes: Vec<AppDevAttribute>,
}

/// An attribute. The server keeps it as it was given, whatever other attributes there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppDevAttribute {
    /// Number of the attribute in the tenant that it was taken from; 0 for none.
    #[schema(value_type = i32, example = 7)]
    pub attribute_id: i64,
    /// Code of the attribute.
    #[schema(max_length = 200, example = "points")]
    pub code: Option<String>,
    /// Type of its values' origin.
    #[schema(max_length = 200, example = "TextBox")]
    pub r#type: Option<String>,
    /// Fully qualified name, `<namespace>~<code>`.
    #[schema(max_length = 400, example = "acme01~points")]
    pub fqn: Option<String>,
    /// Place among the attributes.
    #[schema(value_type = i32, example = 1)]
    pub sequence: i64,
    /// Values to choose from, as JSON in a text.
    #[schema(max_length = 1000000, example = json!(null))]
    pub vocabulary_json: Option<String>,
    /// Number of the definitions that it was taken from.
    #[schema(value_type = i32, example = 0)]
    pub application_attribute_id: i64,
    /// Name for shoppers.
    #[schema(max_length = 400, example = "Points")]
    pub name: Option<String>,
    /// How it is entered.
    #[schema(max_length = 200, example = "TextBox")]
    pub input_type: Option<String>,
    /// Name for administrators.
    #[schema(max_length = 400, example = "Loyalty points")]
    pub admin_name: Option<String>,
    /// Values to choose from, separated by commas.
    #[schema(max_length = 1000000, example = json!(null))]
    pub vocabulary_values: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::PartialSchema;

    use super::*;

    /// Members of a schema, in its order.
    fn members<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn members_that_the_contract_lets_be_null_may_be_null() {
        let schema = serde_json::to_value(AppDevPackage::schema()).unwrap();
        let never_null = |name: &str| {
            let of = &schema["properties"][name]["type"];
            assert!(!of.is_null(), "{name}: {}", schema["properties"][name]);
            of.as_str().is_some()
        };
        let strict: Vec<String> =
            members::<AppDevPackage>().into_iter().filter(|name| never_null(name)).collect();
        let expected = [
            "updateDate",
            "id",
            "applicationTypeId",
            "majorVersion",
            "minorVersion",
            "revision",
            "applicationStatusId",
            "appSchemeVersion",
            "isReleasePackage",
            "applicationId",
            "isLocked",
            "isDeleted",
            "assetFileCount",
            "hasApplicationVersions",
            "updateAvailable",
            "applicationOwnerDevAccountId",
        ];
        assert_eq!(strict, expected);
    }

    #[test]
    fn stored_parts_read_as_they_were_written() {
        let stored = json!([{
            "applicationCapabilityTypeId": 501, "applicationId": 731, "capabilityTypeId": 5,
            "capabilityTypeName": "Shipping Adapter", "isImplemented": true,
            "isInitializedByDefault": false,
            "applicationCapabilities": [{
                "applicationCapabilityId": 502, "capabilityTypeContractId": 51,
                "applicationEndPoint": null, "applicationCapabilityTypeId": 501, "packageId": 4102,
            }],
            "applicationCapabilityDomains": [{
                "applicationCapabilityDomainId": 503, "applicationCapabilityTypeId": 501,
                "name": "Countries",
                "applicationCapabilityDomainValues1": [{
                    "applicationCapabilityDomainValueId": 504,
                    "applicationCapabilityDomainId1": 503, "applicationCapabilityDomainId2": null,
                    "valueName": "US", "displayName": null,
                }],
                "applicationCapabilityDomainValues2": [],
            }],
            "packageId": 4102,
        }]);
        let read: Vec<ApplicationCapabilityType> = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored.to_string());
        let stored = json!([{
            "subsystem": "Order", "attributeJson": "[]", "productTypeJson": null,
            "isAppliedToBase": false, "sourceTenantId": 0, "sourceTenantName": null,
            "attributeCodes": "a,b", "packageId": 4102,
            "attributes": [{
                "attributeId": 1, "code": "a", "type": "TextBox", "fqn": null, "sequence": 1,
                "vocabularyJson": null, "applicationAttributeId": 0, "name": null,
                "inputType": null, "adminName": null, "vocabularyValues": null,
            }],
        }]);
        let read: Vec<ApplicationAttribute> = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored.to_string());
    }
}
