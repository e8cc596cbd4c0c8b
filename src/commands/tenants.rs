//! Commands about tenants, in which applications are installed.
use clap::Subcommand;
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::report::{Failure, Report};
use crate::directory::accounts;
use crate::directory::state::AppState;
use crate::package_api::appinstall::uninstall::uninstall;
use crate::package_api::tenants::service::{self, NewTenant};

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
    let (account, name, production, domain, sites) = match command {
        TenantCommand::Create { account, name, production, domain, sites } => {
            (account, name, production, domain, sites)
        }
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
        domain: domain.as_deref(),
        sites: &sites,
    };
    let (tenant, sites) = service::create(db, new, state.clock.now_millis()).await?;
    let (domain, note) = match tenant.domain {
        Some(domain) => (domain, ""),
        None => (service::domain(&state.site.public_url), "  (the host of public_url)"),
    };
    let mut text = format!("id      {}\ndomain  {domain}{note}", tenant.id);
    for site in &sites {
        text.push_str(&format!("\nsite    {}  {}", site.id, site.name));
    }
    let sites: Vec<_> =
        sites.iter().map(|site| json!({"id": site.id, "name": site.name})).collect();
    Ok(Report::new(
        text,
        json!({"id": tenant.id, "name": tenant.name, "domain": domain, "account": account,
               "isDevTenant": tenant.is_sandbox, "sites": sites}),
    ))
}
