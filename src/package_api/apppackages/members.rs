//! What lists can be sorted and filtered by: every scalar that they show, except secrets (contract 1.7).
use super::dto::AppDevPackage;
use super::summary::{ApplicationSummary, PackageListItem};
use crate::package_api::convention::member::{Member, members};

/// Members of an application in a list.
pub static SUMMARY: &[Member<ApplicationSummary>] = members! {
    "parentName": Text = |it| it.parent_name.as_deref(),
    "applicationId": Int = |it| it.application_id,
    "applicationTypeId": Int = |it| it.application_type_id,
    "releasePackageId": Int = |it| it.release_package_id,
    "releasePackageName": Text = |it| it.release_package_name.as_str(),
    "name": Text = |it| it.name.as_str(),
    "applicationNamespace": Text = |it| it.application_namespace.as_str(),
    "applicationVersion.majorVersion": Int = |it| it.application_version.major_version,
    "applicationVersion.minorVersion": Int = |it| it.application_version.minor_version,
    "applicationVersion.revision": Int = |it| it.application_version.revision,
    "applicationStatusId": Int = |it| it.application_status_id,
    "appId": Text = |it| it.app_id.as_str(),
    "applicationStatusName": Text = |it| it.application_status_name.as_str(),
    "hasVersions": Bool = |it| it.has_versions,
    "appSchemeVersion": Int = |it| it.app_scheme_version,
    "appKey": Text = |it| it.app_key.as_str(),
    "parentAppKey": Text = |it| it.parent_app_key.as_deref(),
    "updateParentAppKey": Text = |it| it.update_parent_app_key.as_deref(),
    "updateAvailable": Bool = |it| it.update_available,
};

/// Members of a package in the list of all packages.
pub static LISTING: &[Member<PackageListItem>] = members! {
    "id": Int = |it| it.id,
    "name": Text = |it| it.name.as_str(),
    "applicationName": Text = |it| it.application_name.as_str(),
    "applicationTypeId": Int = |it| it.application_type_id,
    "majorVersion": Int = |it| it.major_version,
    "minorVersion": Int = |it| it.minor_version,
    "revision": Int = |it| it.revision,
    "isLocked": Bool = |it| it.is_locked,
    "applicationId": Int = |it| it.application_id,
};

/// Members of a package in the list of a version's packages.
pub static PACKAGE: &[Member<AppDevPackage>] = members! {
    "updateDate": Date = |it| it.update_date.0,
    "applicationUpdateDate": Date = |it| it.application_update_date.0,
    "id": Int = |it| it.id,
    "applicationName": Text = |it| it.application_name.as_str(),
    "applicationTypeId": Int = |it| it.application_type_id,
    "applicationTypeName": Text = |it| it.application_type_name.as_str(),
    "majorVersion": Int = |it| it.major_version,
    "minorVersion": Int = |it| it.minor_version,
    "revision": Int = |it| it.revision,
    "applicationStatusId": Int = |it| it.application_status_id,
    "applicationStatusName": Text = |it| it.application_status_name.as_str(),
    "apiVersion": Text = |it| it.api_version.as_str(),
    "applicationDescription": Text = |it| it.application_description.as_deref(),
    "themeEngineVersion": Text = |it| it.theme_engine_version.as_deref(),
    "namespace": Text = |it| it.namespace.as_str(),
    "appSchemeVersion": Int = |it| it.app_scheme_version,
    "appConfigUrl": Text = |it| it.app_config_url.as_deref(),
    "isReleasePackage": Bool = |it| it.is_release_package,
    "packageName": Text = |it| it.package_name.as_str(),
    "packageDescription": Text = |it| it.package_description.as_deref(),
    "dataNamespace": Text = |it| it.data_namespace.as_str(),
    "userId": Text = |it| it.user_id.as_deref(),
    "appId": Text = |it| it.app_id.as_str(),
    "applicationId": Int = |it| it.application_id,
    "applicationDetailId": Int = |it| it.application_detail_id,
    "isLocked": Bool = |it| it.is_locked,
    "isDeleted": Bool = |it| it.is_deleted,
    "assetFileCount": Int = |it| it.asset_file_count,
    "packageGuid": Text = |it| it.package_guid.as_str(),
    "applicationStatus": Text = |it| it.application_status.as_str(),
    "attributeNamespace": Text = |it| it.attribute_namespace.as_str(),
    "hasApplicationVersions": Bool = |it| it.has_application_versions,
    "legacyNamespace": Text = |it| it.legacy_namespace.as_deref(),
    "namespaceRegistryId": Text = |it| it.namespace_registry_id.as_str(),
    "publishedParentThemeId": Int = |it| it.published_parent_theme_id,
    "publishedParentSemanticVersion": Text = |it| it.published_parent_semantic_version.as_deref(),
    "semanticVersionRange": Text = |it| it.semantic_version_range.as_deref(),
    "parentThemeName": Text = |it| it.parent_theme_name.as_deref(),
    "parentThemeAppKey": Text = |it| it.parent_theme_app_key.as_deref(),
    "updateParentAppKey": Text = |it| it.update_parent_app_key.as_deref(),
    "updateAvailable": Bool = |it| it.update_available,
    "appKey": Text = |it| it.app_key.as_str(),
    "updateParentThemeName": Text = |it| it.update_parent_theme_name.as_deref(),
    "updateParentThemeVersion": Text = |it| it.update_parent_theme_version.as_deref(),
    "applicationOwnerDevAccountId": Int = |it| it.application_owner_dev_account_id,
};

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use utoipa::PartialSchema;

    use super::*;
    use crate::package_api::convention::member::Kind;

    /// Names and kinds of the scalars of a schema, in its order.
    fn scalars<T: PartialSchema>() -> Vec<(String, Kind)> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let kind = |schema: &Value| {
            let names = match &schema["type"] {
                Value::Array(names) => names.clone(),
                name => vec![name.clone()],
            };
            match names.iter().filter_map(Value::as_str).find(|name| *name != "null")? {
                "string" if schema["format"] == "date-time" => Some(Kind::Date),
                "string" => Some(Kind::Text),
                "integer" => Some(Kind::Int),
                "boolean" => Some(Kind::Bool),
                _ => None,
            }
        };
        let properties = schema["properties"].as_object().unwrap();
        let scalar = |(name, schema): (&String, &Value)| Some((name.clone(), kind(schema)?));
        properties.iter().filter_map(scalar).collect()
    }

    fn named<T>(members: &[Member<T>]) -> Vec<(String, Kind)> {
        members.iter().map(|member| (member.name.to_owned(), member.kind)).collect()
    }

    #[test]
    fn every_scalar_but_the_secret_is_a_member() {
        let mut summary = named(SUMMARY);
        let version: Vec<_> = summary.extract_if(.., |(name, _)| name.contains('.')).collect();
        assert_eq!(summary, scalars::<ApplicationSummary>());
        let prefixed = |(name, kind)| (format!("applicationVersion.{name}"), kind);
        let parts = scalars::<super::super::summary::AppVersion>().into_iter().map(prefixed);
        assert_eq!(version, parts.collect::<Vec<_>>());
        assert_eq!(named(LISTING), scalars::<PackageListItem>());
        let mut package = scalars::<AppDevPackage>();
        package.retain(|(name, _)| name != "sharedSecret");
        assert_eq!(named(PACKAGE), package);
    }
}
