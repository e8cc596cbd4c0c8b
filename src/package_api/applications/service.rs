//! The rules of installed applications.
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QuerySelect, Set,
};

use super::dto::InstalledApplication;
use crate::directory::state::AppState;
use crate::directory::tickets::Actor;
use crate::kernel::audit;
use crate::kernel::db::{Row, Source};
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::record::select::Sql;
use crate::package_api::appinstall::entity::Entity;
use crate::package_api::appinstall::topic::Topic;
use crate::package_api::appinstall::{context, events};
use crate::package_api::call::{self, Call, Write};
use crate::package_api::convention::key::{AppKey, ApplicationName, is_name};
use crate::package_api::convention::refusal;
use crate::package_api::model::status;
use crate::package_api::tenants;

/// Type of applications that run in the platform (contract 2.3).
const EXTENSION: i64 = 3;
/// Name that the contract gives the body.
const BODY: &str = "application";

/// Which installed application is meant.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// As it was given.
    text: String,
    by: By,
    tenant: i64,
    site: Option<i64>,
}

/// What an installed application is called by.
#[derive(Clone, Debug)]
enum By {
    /// Its id in the tenant.
    Id(String),
    /// Key of the installed package.
    Key(AppKey),
    /// Namespace and name.
    Name(ApplicationName),
}

impl Wanted {
    /// Reads path and headers.
    ///
    /// # Errors
    /// 400 without a tenant, and for what is malformed.
    pub fn read(call: &Call) -> Result<Self> {
        let text = call.target.text("appId").trim().to_owned();
        let by = match text.split('.').count() {
            1 if is_name(&text) => By::Id(text.clone()),
            2 => By::Name(ApplicationName::parse(&text, "appId")?),
            1 => {
                let why = "must be the id of an installed application, the key of its package, or \
                           <namespace>.<appId>.";
                return Err(refusal::missing("appId", why));
            }
            _ => By::Key(AppKey::parse(&text, "appId")?),
        };
        let tenant = context::tenant(&call.headers)?
            .ok_or_else(|| refusal::missing("x-vol-tenant", "must be the number of a tenant."))?;
        Ok(Self { text, by, tenant, site: context::site(&call.headers)? })
    }

    fn not_found(&self) -> Error {
        refusal::not_found("installed application", "AppId", &self.text)
    }
}

/// An installed application, if the caller's account owns it or its tenant.
///
/// # Errors
/// 404.
pub async fn get(state: &AppState, call: &Call, wanted: &Wanted) -> Result<InstalledApplication> {
    let account = &call.caller.principal.account;
    let now = state.clock.now_millis();
    let (_, shown) = find(state.store.committed(), account, wanted, now).await?;
    Ok(shown)
}

/// Columns in the order in which [`read`] reads them.
const SELECT: &str = "SELECT e.id, e.installation_id, n.name, a.app_id, v.major, v.minor, v.revision, \
     p.name, e.enabled, e.initialized, a.type_id, v.status_id, p.app_config_url \
     FROM entitlements e \
     JOIN packages p ON p.id = e.package_id \
     JOIN application_versions v ON v.id = e.version_id \
     JOIN applications a ON a.id = e.application_id \
     JOIN namespaces n ON n.id = a.namespace_id \
     WHERE e.is_current AND e.revoked_at IS NULL AND e.tenant_id = ";

/// The entitlement, by number, and what is shown of it.
async fn find(
    source: Source<'_>,
    account: &str,
    wanted: &Wanted,
    now: i64,
) -> Result<(i64, InstalledApplication)> {
    let mut sql = Sql::new(source.dialect());
    sql.push(SELECT).bind(wanted.tenant);
    sql.push(" AND (e.account_id = ").bind(account);
    sql.push(" OR e.owner_account_id = ").bind(account);
    sql.push(") AND e.starts_at <= ").bind(now);
    sql.push(" AND (e.ends_at IS NULL OR e.ends_at > ").bind(now).push(") AND ");
    match &wanted.by {
        By::Id(id) => {
            sql.push("e.installation_id = ").bind(id.to_ascii_lowercase().as_str());
        }
        By::Name(name) => {
            let name = name.lower();
            sql.push("n.name_key = ").bind(name.namespace.as_str());
            sql.push(" AND a.app_id_key = ").bind(name.app_id.as_str());
        }
        By::Key(key) => {
            let key = key.lower();
            sql.push("n.name_key = ").bind(key.namespace.as_str());
            sql.push(" AND a.app_id_key = ").bind(key.app_id.as_str());
            sql.push(" AND v.major = ").bind(key.major);
            sql.push(" AND v.minor = ").bind(key.minor);
            sql.push(" AND v.revision = ").bind(key.revision);
            sql.push(" AND p.name_key = ").bind(key.package.as_str());
        }
    }
    match wanted.site {
        // That of the site before that of the whole tenant.
        Some(site) => {
            sql.push(" AND e.place IN (0, ").bind(site);
            sql.push(
                ") AND EXISTS (SELECT 1 FROM sites s WHERE s.tenant_id = e.tenant_id AND s.id = ",
            );
            sql.bind(site).push(") ORDER BY e.place DESC")
        }
        None => sql.push(" ORDER BY e.place"),
    };
    sql.push(" LIMIT 1");
    let gather = |found: &mut Option<_>, row: &dyn Row| *found = Some(read(row));
    let found = source.fetch(sql.query(false), None, gather).await?;
    found.ok_or_else(|| wanted.not_found())
}

fn read(row: &dyn Row) -> (i64, InstalledApplication) {
    let int = |at| row.int(at).unwrap_or_default();
    let text = |at| row.text(at).unwrap_or_default().into_owned();
    let flag = |at| row.bool(at).unwrap_or_default();
    let key = AppKey {
        namespace: text(2),
        app_id: text(3),
        major: int(4),
        minor: int(5),
        revision: int(6),
        package: text(7),
    };
    let is_extension = int(10) == EXTENSION;
    let is_certified = [status::CERTIFIED, status::PUBLISHED].contains(&int(11));
    let shown = InstalledApplication {
        app_id: text(1),
        app_key: key.to_string(),
        enabled: flag(8),
        initialized: flag(9),
        is_extension,
        is_extension_certified: is_extension && is_certified,
        ui_configuration_url: row.text(12).map(std::borrow::Cow::into_owned),
        capabilities: Vec::new(),
    };
    (int(0), shown)
}

/// What a change needs beside the request. The random part is made before the transaction, which may be
/// repeated.
struct Change {
    wanted: Wanted,
    enabled: Option<bool>,
    initialized: Option<bool>,
    event_id: String,
    now: i64,
}

/// Switches an installed application on or off, or says whether it has been configured.
///
/// # Errors
/// 400 for what is malformed, 403 for a tenant of another account, 404, 412 for a stale `If-Match`.
pub async fn update(state: &AppState, write: Write) -> Result<Response> {
    let wanted = Wanted::read(&write.call)?;
    let mut body = write.object(BODY)?;
    let enabled = body.flag("enabled")?.value();
    let initialized = body.flag("initialized")?.value();
    body.ignore(&[
        "appId",
        "appKey",
        "isExtension",
        "isExtensionCertified",
        "uiConfigurationUrl",
        "capabilities",
    ]);
    write.refuse_unknown([&body])?;
    let (event_id, now) = (events::new_id(), state.clock.now_millis());
    let change = Change { wanted, enabled, initialized, event_id, now };
    write
        .run(state, change, |transaction, _, write, change| run(transaction, write, change).boxed())
        .await
}

async fn run(transaction: &DatabaseTransaction, write: &Write, change: &Change) -> Result<Answer> {
    let principal = &write.call.caller.principal;
    // What is installed in a tenant changes under this lock only.
    let tenant = tenants::entity::Entity::find_by_id(change.wanted.tenant);
    tenant.lock_exclusive().one(transaction).await?;
    let source = Source::Transaction(transaction);
    let (id, mut shown) = find(source, &principal.account, &change.wanted, change.now).await?;
    write.call.check_if_match(Some(&shown))?;
    let before = Entity::find_by_id(id).one(transaction).await?;
    let before = before.ok_or_else(|| change.wanted.not_found())?;
    let is_itself = matches!(principal.actor, Actor::App { application, .. } if application == before.application_id);
    if before.account_id != *principal.account && !is_itself {
        // Its owner sees where an application is installed; what is switched there is the tenant's affair.
        return Err(write.call.caller.forbidden(None));
    }
    let enabled = change.enabled.unwrap_or(before.enabled);
    let initialized = change.initialized.unwrap_or(before.initialized);
    if (enabled, initialized) != (before.enabled, before.initialized) {
        let mut row = before.clone().into_active_model();
        row.enabled = Set(enabled);
        row.initialized = Set(initialized);
        row.updated_at = Set(change.now);
        let after = row.update(transaction).await?;
        let entry = audit::updated(&before, &after)?.labelled(&shown.app_key);
        entry.write(transaction, principal.person, change.now).await?;
        if enabled != before.enabled {
            let topic = if enabled { Topic::Enabled } else { Topic::Disabled };
            let happened = events::Happened {
                id: &change.event_id,
                topic,
                install: &after,
                former: None,
                key: &shown.app_key,
                at: change.now,
            };
            events::write(transaction, (&write.call).into(), happened).await?;
        }
        (shown.enabled, shown.initialized) = (enabled, initialized);
    }
    call::record(&shown)
}
