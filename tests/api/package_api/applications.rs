//! `/platform/applications/{appId}`: installed applications.
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{Application, World, refused, tenant};

const PATH: &str = "/api/platform/applications";
const INSTALL: &str = "/api/platform/appdev/appinstall/application/entitlement";

/// Installs a package; the id of the installed application.
async fn install(client: &Client, of: &Application, tenant: i64, site: Option<i64>) -> String {
    let body = json!({"packageId": of.package, "tenantId": tenant, "siteId": site});
    let made = client.post(INSTALL, body).await.expect(200);
    made["installedAppsApplicationId"].as_str().unwrap().to_owned()
}

/// The caller, in the context of a tenant.
fn at(client: &Client, tenant: i64) -> Client {
    client.clone().with("x-vol-tenant", &tenant.to_string())
}

/// Topics and causes of the events so far.
async fn events(app: &TestApp) -> Vec<(String, bool)> {
    use appmarket::package_api::appinstall::events::entity::{Column, Entity};
    use sea_orm::{EntityTrait, QueryOrder};
    let events = Entity::find().order_by_asc(Column::Id);
    let events = events.all(app.state.store.connection()).await.unwrap();
    events.into_iter().map(|it| (it.topic, it.caused_by.is_some())).collect()
}

on_both! {
    async fn an_installed_application_is_found_by_id_key_and_name(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        app.execute("UPDATE packages SET app_config_url = 'https://a.example/configure'").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let id = install(&client, &loyalty, sandbox, None).await;
        let client = at(&client, sandbox);
        let expected = json!({
            "appId": id, "appKey": "acme01.loyalty.1.0.0.Release", "enabled": true,
            "initialized": true, "isExtension": false, "isExtensionCertified": false,
            "uiConfigurationUrl": "https://a.example/configure", "capabilities": [],
        });
        for name in [id.as_str(), "acme01.loyalty", "ACME01.Loyalty.1.0.0", "acme01.loyalty.1.0.0.release"] {
            let shown = client.get(&format!("{PATH}/{name}")).await.expect(200);
            assert_eq!(shown, expected, "{name}");
        }
        app.execute("UPDATE applications SET type_id = 3").await;
        let path = "/Platform/Applications/acme01.loyalty/?responsefields=isExtension,isExtensionCertified";
        let expected = json!({"isExtension": true, "isExtensionCertified": false});
        assert_eq!(client.get(path).await.expect(200), expected);
        world.set_status(&loyalty, 3).await;
        let expected = json!({"isExtension": true, "isExtensionCertified": true});
        assert_eq!(client.get(path).await.expect(200), expected);
    }

    async fn an_application_is_switched_and_subscribers_are_told(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        install(&client, &loyalty, sandbox, None).await;
        let client = at(&client, sandbox);
        let path = format!("{PATH}/acme01.loyalty");
        let mut shown = client.get(&path).await.expect(200);
        // Nothing that is not said, and nothing else than the two.
        let same = json!({"AppKey": "x", "isExtension": true, "enabled": null, "capabilities": [1]});
        assert_eq!(client.put(&path, same).await.expect(200), shown);
        let changed = client.put(&path, json!({"enabled": false, "initialized": false})).await;
        (shown["enabled"], shown["initialized"]) = (false.into(), false.into());
        assert_eq!(changed.expect(200), shown);
        assert_eq!(client.get(&path).await.expect(200), shown);
        client.put(&path, json!({"Initialized": true})).await.expect(200);
        client.put(&path, json!({"enabled": true})).await.expect(200);
        let text = str::to_owned;
        assert_eq!(events(&app).await, [
            (text("application.installed"), true),
            (text("application.disabled"), true),
            (text("application.enabled"), true),
        ]);
        let lines = app.acme().get("/v1/audit_lines?per_page=100").await.expect(200);
        let updates = lines.as_array().unwrap().iter().filter(|line| {
            line["audited"] == "entitlement" && line["action"] == "update"
        });
        assert_eq!(updates.count(), 3);
    }

    async fn an_upgrade_leaves_an_application_switched_as_it_was(app: TestApp) {
        let world = World::new(&app).await;
        let old = world.application("acme01.loyalty.1.0.0").await;
        let new = world.application("acme01.loyalty.2.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&old).await;
        let id = install(&client, &old, sandbox, None).await;
        let here = at(&client, sandbox);
        let path = format!("{PATH}/{id}");
        here.put(&path, json!({"enabled": false})).await.expect(200);
        assert_eq!(install(&client, &new, sandbox, None).await, id);
        let shown = here.get(&path).await.expect(200);
        assert_eq!((&shown["appKey"], &shown["enabled"]),
            (&json!("acme01.loyalty.2.0.0.Release"), &json!(false)));
        let answer = here.get(&format!("{PATH}/acme01.loyalty.1.0.0")).await;
        let message = "Item not found: installed application acme01.loyalty.1.0.0";
        refused(answer, 404, "ITEM_NOT_FOUND", message, &[("AppId", "acme01.loyalty.1.0.0")]);
    }

    async fn a_site_has_an_install_of_its_own(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, site) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let of_site = install(&client, &loyalty, sandbox, Some(site)).await;
        let here = at(&client, sandbox);
        let there = here.clone().with("x-vol-site", &site.to_string());
        let path = format!("{PATH}/acme01.loyalty");
        let id = async |client: &Client| client.get(&path).await.expect(200)["appId"].clone();
        assert_eq!(id(&here).await, of_site.as_str());
        let of_tenant = install(&client, &loyalty, sandbox, None).await;
        assert_eq!((id(&here).await, id(&there).await), (json!(of_tenant), json!(of_site)));
        let elsewhere = here.clone().with("x-vol-site", "999999");
        let message = "Item not found: installed application acme01.loyalty";
        let data = [("AppId", "acme01.loyalty")];
        refused(elsewhere.get(&path).await, 404, "ITEM_NOT_FOUND", message, &data);
    }

    async fn what_is_not_installed_there_or_not_the_callers_is_not_found(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let points = world.application("acme01.points.1.0.0").await;
        let foreign = world.application("globex01.shop.1.0.0").await;
        world.set_status(&loyalty, 5).await;
        let (ours, _) = tenant(&app, "acme", true).await;
        let (theirs, _) = tenant(&app, "globex", true).await;
        let (acme, globex) = (world.client(&loyalty).await, world.client(&foreign).await);
        let id = install(&acme, &points, ours, None).await;
        install(&globex, &loyalty, theirs, None).await;
        let hidden = install(&globex, &foreign, theirs, None).await;
        // The owner of an application sees where it is installed; what is switched there is the affair of the
        // tenant, and of the application itself.
        let (other, path) = (at(&world.client(&points).await, theirs), format!("{PATH}/acme01.loyalty"));
        other.get(&path).await.expect(200);
        let answer = other.put(&path, json!({"enabled": false})).await;
        let message = "Forbidden: not for the developer account of the access token.";
        let data = [("OperationName", "update_installed_application")];
        refused(answer, 403, "FORBIDDEN", message, &data);
        at(&acme, theirs).put(&path, json!({"initialized": true})).await.expect(200);
        let none = "0".repeat(32);
        for (client, tenant, name) in [
            (&acme, theirs, "acme01.points"),
            (&acme, ours, "acme01.loyalty"),
            (&acme, theirs, "globex01.shop"),
            (&acme, theirs, hidden.as_str()),
            (&globex, ours, id.as_str()),
            (&globex, 999_999, "globex01.shop"),
            (&acme, ours, none.as_str()),
        ] {
            let (path, client) = (format!("{PATH}/{name}"), at(client, tenant));
            let message = format!("Item not found: installed application {name}");
            let data = [("AppId", name)];
            refused(client.get(&path).await, 404, "ITEM_NOT_FOUND", &message, &data);
            let answer = client.put(&path, json!({"enabled": false})).await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
        }
        // The owner of an application sees it in tenants of others.
        let shown = at(&acme, theirs).get(&format!("{PATH}/acme01.loyalty")).await.expect(200);
        assert_eq!(shown["enabled"], true);
        // What has expired is not installed.
        app.execute("UPDATE entitlements SET starts_at = 0, ends_at = 1").await;
        let answer = at(&acme, ours).get(&format!("{PATH}/acme01.points")).await;
        let message = "Item not found: installed application acme01.points";
        refused(answer, 404, "ITEM_NOT_FOUND", message, &[("AppId", "acme01.points")]);
    }

    async fn what_is_missing_or_malformed_is_refused_by_name(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        install(&client, &loyalty, sandbox, None).await;
        let number = "must be an integer from 1 to 2147483647.";
        let key = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                   acme01.loyalty.1.0.0.Release.";
        let malformed = |client: Client, name: &'static str, parameter: &'static str, why: &'static str| async move {
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            let path = format!("{PATH}/{name}");
            let code = "MISSING_OR_INVALID_PARAMETER";
            refused(client.get(&path).await, 400, code, &message, &data);
            let answer = client.put(&path, json!({"enabled": true})).await;
            refused(answer, 400, code, &message, &data);
        };
        let name = "acme01.loyalty";
        malformed(client.clone(), name, "x-vol-tenant", "must be the number of a tenant.").await;
        malformed(client.clone().with("x-vol-tenant", "x"), name, "x-vol-tenant", number).await;
        let here = at(&client, sandbox);
        malformed(here.clone().with("x-vol-site", "0"), name, "x-vol-site", number).await;
        malformed(here.clone(), "acme01.loyalty.1", "appId", key).await;
        malformed(here.clone(), "acme01.", "appId", "must be <namespace>.<appId>, as in acme01.loyalty.").await;
        malformed(here.clone(), "a%20b", "appId", "must be the id of an installed application, the key of \
            its package, or <namespace>.<appId>.").await;
        let path = format!("{PATH}/{name}");
        for (body, parameter, why) in [
            (json!([]), "application", "must be a JSON object."),
            (json!({"enabled": 1}), "enabled", "must be true or false."),
            (json!({"initialized": "true"}), "initialized", "must be true or false."),
        ] {
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            let answer = here.put(&path, body).await;
            refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        }
        let strict = here.clone().with("prefer", "handling=strict");
        let why = "is unknown. Unknown members: on.";
        let answer = strict.put(&path, json!({"appId": "x", "on": true})).await;
        let message = format!("Missing or invalid parameter: on {why}");
        let data = [("ParameterName", "on"), ("ErrorMessage", why)];
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
    }

    async fn a_change_for_another_state_is_refused(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        install(&client, &loyalty, sandbox, None).await;
        let here = at(&client, sandbox);
        let path = format!("{PATH}/acme01.loyalty");
        let answer = here.get(&path).await;
        let tag = answer.header("etag").to_owned();
        answer.expect(200);
        let guarded = here.clone().with("if-match", &tag);
        guarded.put(&path, json!({"enabled": false})).await.expect(200);
        let refused: Value = guarded.put(&path, json!({"enabled": true})).await.expect(412);
        assert_eq!(refused["errorCode"], "PRECONDITION_FAILED");
        assert_eq!(here.get(&path).await.expect(200)["enabled"], false);
    }
}
