//! Installing a package in a tenant (contract 3.11).
use axum::response::Response;
use futures_util::FutureExt;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    Set,
};
use serde::Deserialize;

use super::dto::ApplicationTransaction;
use super::entity::{ActiveModel, COLUMN, Entity, Model};
use super::events::{self, Happened};
use super::input::{MOST_TRANSACTIONS, Package, Terms, Wanted, end_before_start};
use super::outcome::Outcome;
use super::read;
use crate::directory::state::AppState;
use crate::directory::tickets::Principal;
use crate::kernel::audit;
use crate::kernel::db::Source;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Answer;
use crate::package_api::appsubscriptions;
use crate::package_api::call::{self, Write};
use crate::package_api::convention::refusal;
use crate::package_api::model::lookup::{self, PackageRow, Which};
use crate::package_api::model::wire_ids::{self, Series};
use crate::package_api::model::{packages, status};
use crate::package_api::tenants;

/// Kinds of tenants: each has an operation that installs in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For trying things out.
    Sandbox,
    /// For business.
    Production,
}

/// What an install needs beside the request. Random parts are made before the transaction, which may be
/// repeated.
struct Install {
    wanted: Wanted,
    kind: Kind,
    now: i64,
    installation_id: String,
    event_id: String,
}

/// Installs a package.
///
/// # Errors
/// Those of the table of contract 3.11: 400, then 404, 403 and 409.
pub async fn install(state: &AppState, write: Write, kind: Kind) -> Result<Response> {
    let now = state.clock.now_millis();
    let install = Install {
        wanted: Wanted::read(&write, now)?,
        kind,
        now,
        installation_id: uuid::Uuid::new_v4().simple().to_string(),
        event_id: events::new_id(),
    };
    write
        .run(state, install, |transaction, _, write, install| {
            run(transaction, write, install).boxed()
        })
        .await
}

async fn run(
    transaction: &DatabaseTransaction,
    write: &Write,
    install: &Install,
) -> Result<Answer> {
    let account = &*write.call.caller.principal.account;
    let place = Place::find(transaction, &install.wanted).await?;
    let row = package(transaction, &install.wanted.package, account).await?;
    if place.tenant.account_id != account {
        return Err(write.call.caller.forbidden(None));
    }
    let row = place.lock(transaction, &row).await?;
    check(install.kind, &place.tenant, &row)?;
    let record = put(transaction, write, install, &place, &row).await?;
    let source = Source::Transaction(transaction);
    let shown = read::one(source, account, record, install.now).await?;
    let shown = shown.ok_or_else(|| Error::internal("an install was made and is not there"))?;
    call::record(&shown)
}

/// Where to install.
struct Place {
    tenant: tenants::entity::Model,
    site: Option<i64>,
}

impl Place {
    async fn find(transaction: &DatabaseTransaction, wanted: &Wanted) -> Result<Self> {
        let tenant = tenants::entity::Entity::find_by_id(wanted.tenant).one(transaction).await?;
        let tenant =
            tenant.ok_or_else(|| refusal::not_found("tenant", "TenantId", wanted.tenant))?;
        if let Some(site) = wanted.site {
            let found = tenants::site_entity::Entity::find_by_id(site)
                .filter(tenants::site_entity::COLUMN.tenant_id.eq(tenant.id))
                .one(transaction)
                .await?;
            found.ok_or_else(|| refusal::not_found("site", "SiteId", site))?;
        }
        Ok(Self { tenant, site: wanted.site })
    }

    /// Locks the version and the package against changes, then the tenant against other installs: always
    /// in this order, so that two changes never wait for each other. Gives back the package as it is now.
    async fn lock(
        &self,
        transaction: &DatabaseTransaction,
        row: &PackageRow,
    ) -> Result<PackageRow> {
        lookup::lock_version(transaction, row.version.id, false).await?;
        let package = packages::entity::Entity::find_by_id(row.package.id);
        package.lock_shared().one(transaction).await?;
        let tenant = tenants::entity::Entity::find_by_id(self.tenant.id);
        tenant.lock_exclusive().one(transaction).await?;
        let which = Which::Id(row.package.id);
        let row = lookup::find(Source::Transaction(transaction), which).await?;
        row.ok_or_else(|| which.not_found())
    }
}

/// The package that is meant: one of the account's own, or a published one.
async fn package(
    transaction: &DatabaseTransaction,
    package: &Package,
    account: &str,
) -> Result<PackageRow> {
    let which = match package {
        Package::Id(id, _) => Which::Id(*id),
        Package::Key(key) => Which::Key(key),
    };
    let visible = |row: &PackageRow| {
        row.package.account_id == account || row.version.status_id == status::PUBLISHED
    };
    let found = lookup::find(Source::Transaction(transaction), which).await?.filter(visible);
    let row = found.ok_or_else(|| which.not_found())?;
    match package {
        Package::Id(_, Some(key)) if key.lower() != row.key().lower() => {
            Err(refusal::missing("appKey", "must name the package that packageId names."))
        }
        _ => Ok(row),
    }
}

/// Whether a package may be installed in a tenant by the operation of this kind.
fn check(kind: Kind, tenant: &tenants::entity::Model, row: &PackageRow) -> Result<()> {
    let status = status::of(row.version.status_id);
    let why = match kind {
        Kind::Sandbox if !tenant.is_sandbox => {
            format!("tenant {} is a production tenant, not a sandbox.", tenant.id)
        }
        Kind::Production if tenant.is_sandbox => {
            format!("tenant {} is a sandbox, not a production tenant.", tenant.id)
        }
        Kind::Sandbox if !status.sandbox => {
            format!("a version whose status is {} is not installed any more.", status.name)
        }
        Kind::Production if !status.production => format!(
            "a version whose status is {} is not installed in production tenants.",
            status.name
        ),
        Kind::Production if !row.package.is_release => {
            "only release packages are installed in production tenants.".to_owned()
        }
        _ => return Ok(()),
    };
    Err(refusal::conflict(&why))
}

/// Writes the install, with its audit entries and its event; the number of its record.
async fn put(
    transaction: &DatabaseTransaction,
    write: &Write,
    install: &Install,
    place: &Place,
    row: &PackageRow,
) -> Result<i64> {
    let now = install.now;
    let principal = &write.call.caller.principal;
    let key = row.key().to_string();
    let current = Entity::find()
        .filter(COLUMN.application_id.eq(row.application.id))
        .filter(COLUMN.tenant_id.eq(place.tenant.id))
        .filter(COLUMN.place.eq(place.site.unwrap_or_default()))
        .filter(COLUMN.is_current.eq(true))
        .one(transaction)
        .await?;
    let outcome = Outcome::of(current.as_ref(), row.package.id, now);
    let snapshot = snapshot(transaction, row, install, principal).await?;
    let mut former = None;
    let (record, entry) = match (outcome, current) {
        (Outcome::Again, Some(current)) => {
            let record = again(snapshot, &current, &install.wanted.terms)?;
            let record = record.update(transaction).await?;
            let entry = audit::updated(&current, &record)?;
            (record, entry)
        }
        (outcome, current) => {
            let mut record = first(snapshot, place, row, install)?;
            if let Some(current) = current {
                if outcome == Outcome::Upgrade {
                    // The application stays the same one, switched on or off as it was.
                    record.installation_id = Set(current.installation_id.clone());
                    record.enabled = Set(current.enabled);
                    record.initialized = Set(current.initialized);
                }
                let ended = end(transaction, current.clone(), now).await?;
                let entry = audit::updated(&current, &ended)?;
                entry.write(transaction, principal.person, now).await?;
                former = Some(ended).filter(|_| outcome == Outcome::Upgrade);
            }
            let record = record.insert(transaction).await?;
            let entry = audit::created(&record)?;
            (record, entry)
        }
    };
    entry.labelled(&key).write(transaction, principal.person, now).await?;
    let happened = Happened {
        id: &install.event_id,
        topic: outcome.topic(),
        install: &record,
        former: former.as_ref(),
        key: &key,
        at: now,
    };
    events::write(transaction, (&write.call).into(), happened).await?;
    Ok(record.id)
}

/// What an install takes over from the package, and what each install sets anew.
async fn snapshot(
    transaction: &DatabaseTransaction,
    row: &PackageRow,
    install: &Install,
    principal: &Principal,
) -> Result<ActiveModel> {
    let source = Source::Transaction(transaction);
    let subscriptions = appsubscriptions::service::of_package(source, row.package.id).await?;
    let mut record = ActiveModel {
        behaviors: Set(row.package.behaviors.clone()),
        subscriptions: Set(serde_json::to_string(&subscriptions).map_err(Error::internal)?),
        capability_types: Set(row.package.capability_types.clone()),
        installed_at: Set(install.now),
        installed_by: Set(principal.developer.map(|_| principal.person)),
        updated_at: Set(install.now),
        ..Default::default()
    };
    if let Some(given) = &install.wanted.terms.transactions {
        let given = numbered(transaction, given.clone()).await?;
        record.transactions = Set(serde_json::to_string(&given).map_err(Error::internal)?);
    }
    Ok(record)
}

/// The record of the same package, brought up to date.
fn again(mut record: ActiveModel, current: &Model, terms: &Terms) -> Result<ActiveModel> {
    let starts_at = terms.starts_at.unwrap_or(current.starts_at);
    let ends_at = if terms.is_open { None } else { terms.ends_at.or(current.ends_at) };
    if ends_at.is_some_and(|end| end <= starts_at) {
        return Err(end_before_start());
    }
    if let Some(given) = record.transactions.take() {
        // What was bought before stays bought.
        let read = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text);
        let mut all = read(&current.transactions).map_err(Error::internal)?;
        all.extend(read(&given).map_err(Error::internal)?);
        if all.len() > MOST_TRANSACTIONS {
            let why = format!("an install has at most {MOST_TRANSACTIONS} transactions.");
            return Err(refusal::conflict(&why));
        }
        record.transactions = Set(serde_json::to_string(&all).map_err(Error::internal)?);
    }
    record.id = Set(current.id);
    record.starts_at = Set(starts_at);
    record.ends_at = Set(ends_at);
    record.license_type =
        Set(terms.license_type.clone().unwrap_or_else(|| current.license_type.clone()));
    Ok(record)
}

/// A new record.
fn first(
    record: ActiveModel,
    place: &Place,
    row: &PackageRow,
    install: &Install,
) -> Result<ActiveModel> {
    let terms = &install.wanted.terms;
    let starts_at = terms.starts_at.unwrap_or(install.now);
    if terms.ends_at.is_some_and(|end| end <= starts_at) {
        return Err(end_before_start());
    }
    let transactions = match record.transactions.try_as_ref() {
        Some(given) => given.clone(),
        None => "[]".to_owned(),
    };
    Ok(ActiveModel {
        account_id: Set(place.tenant.account_id.clone()),
        owner_account_id: Set(row.package.account_id.clone()),
        application_id: Set(row.application.id),
        version_id: Set(row.version.id),
        package_id: Set(row.package.id),
        tenant_id: Set(place.tenant.id),
        site_id: Set(place.site),
        place: Set(place.site.unwrap_or_default()),
        is_current: Set(true),
        revoked_at: Set(None),
        license_type: Set(terms.license_type()),
        starts_at: Set(starts_at),
        ends_at: Set(terms.ends_at),
        installation_id: Set(install.installation_id.clone()),
        enabled: Set(true),
        initialized: Set(is_initialized(&row.package.capability_types)?),
        transactions: Set(transactions),
        created_at: Set(install.now),
        ..record
    })
}

/// Ends a record, which from now on is not what is installed in its place. One whose licence has ended by
/// itself is not revoked; one that was to begin later is, or it would come to life beside its successor.
pub(super) async fn end(
    transaction: &DatabaseTransaction,
    current: Model,
    now: i64,
) -> Result<Model> {
    let has_ended = current.ends_at.is_some_and(|end| end <= now);
    let mut record = current.into_active_model();
    // Before the new one is there: an index knows one current record.
    record.is_current = Set(false);
    if !has_ended {
        record.revoked_at = Set(Some(now));
    }
    record.updated_at = Set(now);
    Ok(record.update(transaction).await?)
}

/// Whether nothing is left to configure: all capability types say so (contract 5.3).
fn is_initialized(capability_types: &str) -> Result<bool> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct CapabilityType {
        is_initialized_by_default: bool,
    }
    let types: Vec<CapabilityType> =
        serde_json::from_str(capability_types).map_err(Error::internal)?;
    Ok(types.iter().all(|it| it.is_initialized_by_default))
}

/// Gives transactions numbers that no other has.
async fn numbered(
    transaction: &DatabaseTransaction,
    mut given: Vec<ApplicationTransaction>,
) -> Result<Vec<ApplicationTransaction>> {
    let count = i64::try_from(given.len()).map_err(Error::internal)?;
    let next = wire_ids::take(transaction, Series::Transaction, count).await?;
    for (number, transaction) in (next..).zip(&mut given) {
        transaction.application_transaction_id = number;
    }
    Ok(given)
}
