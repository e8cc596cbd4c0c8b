//! `/platform/tenants`.
use appmarket::package_api::tenants::service::{self, NewTenant};
use serde_json::json;

use crate::on_both;
use crate::support::TestApp;
use crate::support::packages::{World, refused};

const PATH: &str = "/api/platform/tenants";

/// Makes a tenant; its number, and those of its sites.
async fn tenant(
    app: &TestApp,
    account: &str,
    domain: Option<&str>,
    sites: &[&str],
) -> (i64, Vec<i64>) {
    let db = app.state.store.begin().await.unwrap();
    let sites: Vec<String> = sites.iter().map(|name| (*name).to_owned()).collect();
    let new = NewTenant { account, name: " A tenant ", is_sandbox: true, domain, sites: &sites };
    let (tenant, sites) = service::create(&db, new, 0).await.unwrap();
    db.commit().await.unwrap();
    (tenant.id, sites.iter().map(|site| site.id).collect())
}

on_both! {
    async fn a_tenant_is_shown_with_its_sites(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application_with("acme01.loyalty.1.0.0", &[]).await;
        tenant(&app, "acme", None, &["Elsewhere"]).await;
        let (id, sites) = tenant(&app, "acme", None, &["Main store", "Outlet"]).await;
        let outlet = sites[1];
        app.execute(&format!("UPDATE sites SET domain = 'outlet.acme.example' WHERE id = {outlet}"))
            .await;
        // Whoever has a token may ask: no behavior is needed.
        let client = world.client(&loyalty).await;
        let shown = client.get(&format!("{PATH}/{id}")).await.expect(200);
        assert_eq!(shown, json!({
            "id": id, "name": "A tenant", "domain": "api.example.test", "isDevTenant": true,
            "sites": [
                {"id": sites[0], "tenantId": id, "name": "Main store", "domain": "api.example.test"},
                {"id": outlet, "tenantId": id, "name": "Outlet", "domain": "outlet.acme.example"},
            ],
            "masterCatalogs": [],
        }));
        let (id, sites) = tenant(&app, "acme", Some("apps.acme.example:8443"), &["Main"]).await;
        app.execute(&format!("UPDATE tenants SET is_sandbox = false WHERE id = {id}")).await;
        let path = format!("/Platform/Tenants/{id}/?responsefields=isDevTenant,sites(id,domain)");
        assert_eq!(client.get(&path).await.expect(200), json!({
            "isDevTenant": false,
            "sites": [{"id": sites[0], "domain": "apps.acme.example:8443"}],
        }));
        let (id, _) = tenant(&app, "acme", None, &[]).await;
        let shown = client.get(&format!("{PATH}/{id}")).await.expect(200);
        assert_eq!(shown["sites"], json!([]));
    }

    async fn a_tenant_of_another_account_is_not_found(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let (foreign, _) = tenant(&app, "globex", None, &[]).await;
        for id in [foreign, 999_999] {
            let answer = client.get(&format!("{PATH}/{id}")).await;
            let (message, id) = (format!("Item not found: tenant {id}"), id.to_string());
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("TenantId", id.as_str())]);
        }
        let answer = client.get(&format!("{PATH}/acme")).await;
        let why = "must be an integer from 1 to 2147483647.";
        let message = format!("Missing or invalid parameter: tenantId {why}");
        let data = [("ParameterName", "tenantId"), ("ErrorMessage", why)];
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
    }
}
