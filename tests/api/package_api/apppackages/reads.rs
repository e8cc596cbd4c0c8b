//! `GET /platform/appdev/apppackages/{applicationKey}` (contract 3.3).
use serde_json::{Value, json};

use super::{PATH, loyalty, path_of, refused_key, refused_parameter, whole, with};
use crate::on_both;
use crate::support::packages::tenant;

on_both! {
    async fn what_is_known_of_names_hides_no_change(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let first = client.get(&path_of(&loyalty.key)).await.expect(200);
        assert_eq!(client.get(&path_of("ACME01.Loyalty.01.0.0")).await.expect(200), first);
        assert_eq!(first["hasApplicationVersions"], false);

        app.advance_seconds(60);
        let body = json!({"applicationName": "Points", "packageDescription": "Changed"});
        let changed = client.put(&path_of(&loyalty.key), body).await.expect(200);
        assert_eq!(whole(&client, &loyalty.key).await, changed);
        assert_eq!(changed["applicationName"], "Points");

        let next = json!({"appKey": "acme01.loyalty.1.1.0"});
        client.post(&format!("{PATH}/create"), next).await.expect(200);
        let again = client.get(&path_of(&loyalty.key)).await.expect(200);
        assert_eq!(again["hasApplicationVersions"], true);
        let next = client.get(&path_of("acme01.loyalty.1.1.0")).await.expect(200);
        assert_eq!(next["appKey"], "acme01.loyalty.1.1.0.Release");

        world.set_status(&loyalty, 5).await;
        let published = client.get(&path_of(&loyalty.key)).await.expect(200);
        assert_eq!(published["applicationStatusId"], 5);

        for key in ["acme01.loyalty.9.0.0.Release", "acme01.loyalty.1.0.0.nothing"] {
            refused_key(client.get(&path_of(key)).await, key);
        }
        let globex = world.application("globex01.points.1.0.0").await;
        let globex = world.client(&globex).await;
        refused_key(globex.get(&path_of(&loyalty.key)).await, &loyalty.key);
    }

    async fn children_are_shown_when_asked_for(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let whole = whole(&client, &loyalty.key).await;
        let children = json!({
            "applicationBehaviors": null, "applicationSubscriptions": null,
            "applicationCapabilityTypes": null, "applicationAttributes": null,
            "applicationCapabilities": null, "applicationEntitlements": null,
        });
        let alone = with(&whole, children);
        for query in ["", "?includeChildren=false", "?includechildren=False", "?includeChildren="] {
            assert_eq!(client.get(&format!("{path}{query}")).await.expect(200), alone, "{query}");
        }
        for query in ["?includeChildren=True", "?INCLUDECHILDREN=TRUE&skipDevAccountCheck=False"] {
            assert_eq!(client.get(&format!("{path}{query}")).await.expect(200), whole, "{query}");
        }
        for parameter in ["includeChildren", "skipDevAccountCheck"] {
            for value in ["1", "yes", "truefalse"] {
                let answer = client.get(&format!("{path}?{parameter}={value}")).await;
                refused_parameter(answer, parameter, "must be true or false.");
            }
        }
    }

    async fn published_themes_and_what_is_installed_are_seen_without_their_secrets(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        let theme = world.theme("globex01.winter.1.0.0").await;
        let tool = world.application("globex01.tool.1.0.0").await;
        let owner = world.client(&theme).await;
        let all = "skipDevAccountCheck=True&includeChildren=true";
        let seen = async |key: &str| client.get(&format!("{}?{all}", path_of(key))).await;
        let foreign = async |key: &str| {
            let hidden = json!({"sharedSecret": null, "applicationEntitlements": []});
            with(&whole(&owner, key).await, hidden)
        };
        // Neither: not even who asks for everything sees it.
        refused_key(seen(&theme.key).await, &theme.key);
        for published in [&theme, &tool] {
            world.set_status(published, 5).await;
        }
        let install = "/api/platform/appdev/appinstall/application/entitlement";
        let (theirs, _) = tenant(&app, "globex", true).await;
        for package in [theme.package, tool.package] {
            let body = json!({"packageId": package, "tenantId": theirs});
            owner.post(install, body).await.expect(200);
        }
        let own = whole(&owner, &theme.key).await;
        assert_eq!(own["sharedSecret"], theme.secret.as_str());
        assert_eq!(own["applicationEntitlements"].as_array().unwrap().len(), 1);
        assert_eq!(seen(&theme.key).await.expect(200), foreign(&theme.key).await);
        // Only who asks for it, and only themes.
        for query in ["", "?skipDevAccountCheck=false"] {
            let answer = client.get(&format!("{}{query}", path_of(&theme.key))).await;
            refused_key(answer, &theme.key);
        }
        refused_key(seen(&tool.key).await, &tool.key);
        // What is installed with them is seen, whatever becomes of it, and so are their installs.
        let (ours, _) = tenant(&app, "acme", true).await;
        let body = json!({"packageId": tool.package, "tenantId": ours,
            "effectiveStartDate": "2026-02-01T08:16:00Z", "effectiveEndDate": "2026-02-01T08:17:00Z"});
        let installed = client.post(install, body).await.expect(200);
        world.set_status(&tool, 6).await;
        refused_key(seen(&tool.key).await, &tool.key);
        app.advance_seconds(60);
        let shown = seen(&tool.key).await.expect(200);
        let active = with(&installed, json!({"entitlementStatus": "Active", "applicationStatusId": "6"}));
        let expected = with(&foreign(&tool.key).await, json!({"applicationEntitlements": [active]}));
        assert_eq!(shown, expected);
        assert_eq!((&shown["sharedSecret"], &shown["isLocked"]), (&Value::Null, &json!(true)));
        // Seeing is all: nothing can be changed.
        let body = json!({"packageDescription": "Mine"});
        let answer = client.put(&format!("{}?{all}", path_of(&tool.key)), body).await;
        refused_key(answer, &tool.key);
        // With its install ends what the tenant may see.
        app.advance_seconds(60);
        refused_key(seen(&tool.key).await, &tool.key);
    }
}
