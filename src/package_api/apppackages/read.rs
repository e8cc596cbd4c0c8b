//! A package as it is shown (contract 2.5).
use super::children::stored;
use super::dto::{AppDevPackage, ApplicationBehavior, ApplicationCapabilityType};
use crate::directory::state::AppState;
use crate::kernel::db::Source;
use crate::kernel::error::Result;
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::time::Time;
use crate::package_api::model::lookup::{PackageRow, Parent, Sight};
use crate::package_api::model::theme::{self, Candidate};
use crate::package_api::model::{applications, secret, status};
use crate::package_api::{appinstall, appsubscriptions};

/// Generation of the scheme of keys.
const KEY_SCHEME: i64 = 2;

/// A package with all its members; its children only on demand. Two queries at most, whatever its size.
///
/// # Errors
/// The database's; 500 when the secret was sealed by another master key.
pub async fn package(
    source: Source<'_>,
    state: &AppState,
    row: &PackageRow,
    sight: Sight<'_>,
    children: bool,
) -> Result<AppDevPackage> {
    let mut shown = without_children(row);
    if sight == Sight::Own {
        shown.shared_secret = Some(secret::show(&state.site.key, &row.version)?);
    }
    if children {
        with_children(source, state, row, sight, &mut shown).await?;
    }
    Ok(shown)
}

async fn with_children(
    source: Source<'_>,
    state: &AppState,
    row: &PackageRow,
    sight: Sight<'_>,
    shown: &mut AppDevPackage,
) -> Result<()> {
    let package = &row.package;
    let behavior = |behavior_id| ApplicationBehavior { behavior_id, package_id: package.id };
    shown.application_behaviors = Some(package.behavior_ids().into_iter().map(behavior).collect());
    shown.application_subscriptions =
        Some(appsubscriptions::service::of_package(source, package.id).await?);
    let types: Vec<ApplicationCapabilityType> = stored(&package.capability_types)?;
    let capabilities = types.iter().flat_map(|it| it.application_capabilities.iter().cloned());
    shown.application_capabilities = Some(capabilities.collect());
    shown.application_capability_types = Some(types);
    shown.application_attributes = Some(stored(&package.attributes)?);
    let tenants_of = match sight {
        Sight::Own => None,
        Sight::Foreign(account) => Some(account),
    };
    let now = state.clock.now_millis();
    let installs = appinstall::read::of_package(source, package.id, tenants_of, now).await?;
    shown.application_entitlements = Some(installs);
    Ok(())
}

/// A package as lists show it: without secret and children.
pub fn without_children(row: &PackageRow) -> AppDevPackage {
    let PackageRow { package, version, application, namespace, .. } = row;
    let status = status::of(version.status_id);
    let inherited = row.parent.as_deref().map(inherited);
    let update = row.parent.as_deref().and_then(|parent| update(row, parent));
    let text = |of: fn(&Inherited) -> &String| inherited.as_ref().map(|it| of(it).clone());
    AppDevPackage {
        update_date: Time(package.updated_at),
        application_update_date: Time(version.updated_at),
        id: package.id,
        application_name: version.name.clone(),
        application_type_id: application.type_id,
        application_type_name: applications::type_name(application.type_id)
            .unwrap_or_default()
            .to_owned(),
        major_version: version.major,
        minor_version: version.minor,
        revision: version.revision,
        shared_secret: None,
        application_status_id: version.status_id,
        application_status_name: status.name.to_owned(),
        api_version: package.api_version.clone(),
        application_description: version.description.clone(),
        theme_engine_version: package.theme_engine_version.clone(),
        namespace: namespace.name.clone(),
        valid_application_status_id_list: status.next.to_vec(),
        app_scheme_version: KEY_SCHEME,
        app_config_url: package.app_config_url.clone(),
        is_release_package: package.is_release,
        package_name: package.name.clone(),
        package_description: package.description.clone(),
        data_namespace: namespace.name.clone(),
        user_id: package.user_id.map(|person| person.to_string()),
        app_id: application.app_id.clone(),
        application_id: version.id,
        application_detail_id: None,
        is_locked: status.locked,
        is_deleted: package.is_deleted,
        asset_file_count: package.file_count,
        package_guid: package.guid.clone(),
        application_status: status.name.to_owned(),
        application_behaviors: None,
        application_subscriptions: None,
        application_capability_types: None,
        application_attributes: None,
        application_capabilities: None,
        application_entitlements: None,
        attribute_namespace: namespace.name.clone(),
        has_application_versions: row.has_versions,
        legacy_namespace: None,
        namespace_registry_id: namespace.registry_id.clone(),
        published_parent_theme_id: row.parent.as_ref().map(|parent| parent.version.id),
        published_parent_semantic_version: text(|it| &it.version),
        semantic_version_range: row.parent.as_ref().and(version.parent_range.clone()),
        parent_theme_name: text(|it| &it.name),
        parent_theme_app_key: text(|it| &it.key),
        update_parent_app_key: update.as_ref().map(|it| it.key.clone()),
        update_available: update.is_some(),
        app_key: row.key().to_string(),
        update_parent_theme_name: update.as_ref().map(|it| it.name.clone()),
        update_parent_theme_version: update.map(|it| it.version),
        application_owner_dev_account_id: row.owner_number,
    }
}

/// A version of a parent theme as its child shows it.
pub struct Inherited {
    /// Key of its release package.
    pub key: String,
    /// Its name.
    pub name: String,
    /// `1.0.0`
    pub version: String,
}

fn inherited(parent: &Parent) -> Inherited {
    let key = parent.key();
    Inherited { key: key.to_string(), name: parent.version.name.clone(), version: key.version() }
}

/// The newest published version of the parent that the theme accepts and has not taken yet (contract
/// 2.5, members 48 to 52).
pub fn update(row: &PackageRow, parent: &Parent) -> Option<Inherited> {
    let range = row.version.parent_range.as_deref().and_then(theme::Range::parse)?;
    let newest: &Candidate = theme::newest(&parent.candidates, parent.version.number(), &range)?;
    let (major, minor, revision) = newest.number;
    let key = AppKey { major, minor, revision, ..parent.key() };
    Some(Inherited { key: key.to_string(), name: newest.name.clone(), version: key.version() })
}
