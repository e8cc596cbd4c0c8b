//! Commands about tenants, in which applications are installed.
use clap::Subcommand;
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::report::{Failure, Report};
use crate::directory::accounts;
use crate::directory::state::AppState;
use crate::package_api::appinstall::uninstall::uninstall;
use crate::package_api::tenants::entity::Model as Tenant;
use crate::package_api::tenants::service::{self, NewTenant};
use crate::package_api::tenants::site_entity::Model as Site;

#[derive(Debug, Subcommand)]
pub(super) enum TenantCommand {
    /// Make a tenant of an account and print its number, domain and sites
    ///
    /// Without --domain a tenant has no domain of its own: clients reach it at the host of the server's
    /// `public_url`. The one that is printed then is that of the settings of this command; a server that
    /// was started with another --listen or `public_url` has another.
    Create {
        /// Developer account that owns it
        #[arg(long, value_name = "ID")]
        account: String,
        /// Name for people [default: the account's, with Sandbox or Production behind it]
        #[arg(long)]
        name: Option<String>,
        /// Make it for production; otherwise it is a sandbox
        #[arg(long)]
        production: bool,
        /// Host under which clients reach it [default: that of public_url]
        #[arg(long, value_name = "HOST")]
        domain: Option<String>,
        /// Name of a site that it has; may be repeated
        #[arg(long = "site", value_name = "NAME")]
        sites: Vec<String>,
    },
    /// List tenants with their sites
    List {
        /// Developer account that owns them [default: all]
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Remove an application from a tenant; its subscriptions are told
    Uninstall {
        /// Number of the entitlement
        #[arg(value_name = "ENTITLEMENT")]
        entitlement: i64,
    },
}

/// Runs a command about tenants.
pub(super) async fn tenant(
    state: &AppState,
    db: &DatabaseTransaction,
    command: TenantCommand,
) -> Result<Report, Failure> {
    let (account, name, production, host, sites) = match command {
        TenantCommand::Create { account, name, production, domain, sites } => {
            (account, name, production, domain, sites)
        }
        TenantCommand::List { account } => return list(state, db, account.as_deref()).await,
        TenantCommand::Uninstall { entitlement } => {
            let ended = uninstall(db, entitlement, state.clock.now_millis()).await?;
            let (key, tenant) = (&ended.app_key, ended.tenant_id);
            return Ok(Report::new(
                format!("Removed {key} from tenant {tenant}."),
                json!({"applicationEntitlementId": entitlement, "appKey": key, "tenantId": tenant}),
            ));
        }
    };
    let owner = accounts::find(db, &account).await?;
    let kind = if production { "Production" } else { "Sandbox" };
    let name = name.unwrap_or_else(|| format!("{} {kind}", owner.name));
    let new = NewTenant {
        account: &account,
        name: &name,
        is_sandbox: !production,
        domain: host.as_deref(),
        sites: &sites,
    };
    let (tenant, sites) = service::create(db, new, state.clock.now_millis()).await?;
    let note = if tenant.domain.is_some() { "" } else { "  (the host of public_url)" };
    let mut text = format!("id      {}\ndomain  {}{note}", tenant.id, domain(state, &tenant));
    for site in &sites {
        text.push_str(&format!("\nsite    {}  {}", site.id, site.name));
    }
    Ok(Report::new(text, told(state, &tenant, &sites)))
}

async fn list(
    state: &AppState,
    db: &DatabaseTransaction,
    account: Option<&str>,
) -> Result<Report, Failure> {
    if let Some(account) = account {
        accounts::find(db, account).await?;
    }
    let tenants = service::list(db, account).await?;
    let mut text = Vec::new();
    for (tenant, sites) in &tenants {
        let kind = if tenant.is_sandbox { "sandbox" } else { "production" };
        text.push(format!("{:<7} {kind:<10}  {}  {}", tenant.id, tenant.account_id, tenant.name));
        text.extend(sites.iter().map(|site| format!("  site {}  {}", site.id, site.name)));
    }
    if text.is_empty() {
        text.push("There are no tenants.".to_owned());
    }
    let told: Vec<Value> =
        tenants.iter().map(|(tenant, sites)| told(state, tenant, sites)).collect();
    Ok(Report::new(text.join("\n"), json!({"tenants": told})))
}

/// Host under which clients reach a tenant.
fn domain(state: &AppState, tenant: &Tenant) -> String {
    tenant.domain.clone().unwrap_or_else(|| service::domain(&state.site.public_url))
}

/// A tenant as programs are told of it.
fn told(state: &AppState, tenant: &Tenant, sites: &[Site]) -> Value {
    let sites: Vec<_> =
        sites.iter().map(|site| json!({"id": site.id, "name": site.name})).collect();
    json!({"id": tenant.id, "name": tenant.name, "domain": domain(state, tenant),
           "account": tenant.account_id, "isDevTenant": tenant.is_sandbox, "sites": sites})
}
