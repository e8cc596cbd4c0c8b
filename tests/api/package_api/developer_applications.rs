//! `/platform/developer/applications`.
use serde_json::json;

use crate::on_both;
use crate::support::packages::{World, refused};

const PATH: &str = "/api/platform/developer/applications";

on_both! {
    async fn versions_are_told_highest_first(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.9.0").await;
        for version in ["1.10.0", "0.0.7", "1.10.2"] {
            world.application(&format!("acme01.loyalty.{version}")).await;
        }
        world.application("globex01.loyalty.5.0.0").await;
        let client = world.client(&loyalty).await;
        let expected =
            json!({"totalCount": 4, "items": ["1.10.2", "1.10.0", "1.9.0", "0.0.7"]});
        for name in ["acme01.loyalty", "ACME01.Loyalty", "acme01.loyalty.9.9.9.none", "%20acme01.loyalty"] {
            let versions = client.get(&format!("{PATH}/versions/{name}")).await.expect(200);
            assert_eq!(versions, expected, "{name}");
        }
        let path = "/Platform/Developer/Applications/Versions/acme01.loyalty/?responsefields=totalCount";
        assert_eq!(client.get(path).await.expect(200), json!({"totalCount": 4}));
    }

    async fn package_names_are_told_the_release_first(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        for (name, is_deleted) in [("zebra", false), ("Ant", false), ("gone", true)] {
            app.execute(&format!(
                "INSERT INTO packages (account_id, version_id, name, name_key, is_release, \
                 is_deleted, guid, api_version, behaviors, capability_types, attributes, \
                 file_count, created_at, updated_at) SELECT account_id, version_id, '{name}', \
                 '{}', false, {is_deleted}, '{name}', api_version, behaviors, capability_types, \
                 attributes, 0, created_at, updated_at FROM packages WHERE id = {}",
                name.to_lowercase(),
                loyalty.package
            ))
            .await;
        }
        let client = world.client(&loyalty).await;
        let expected = json!({"totalCount": 3, "items": ["Release", "Ant", "zebra"]});
        for key in ["acme01.loyalty.1.0.0", "acme01.LOYALTY.01.0.0.Ant", "acme01.loyalty.1.0.0.no"] {
            let names = client.get(&format!("{PATH}/{key}/packagenames")).await.expect(200);
            assert_eq!(names, expected, "{key}");
        }
        let path = "/Platform/Developer/Applications/acme01.loyalty.1.0.0/PackageNames/\
                    ?responseFields=items";
        assert_eq!(client.get(path).await.expect(200), json!({"items": ["Release", "Ant", "zebra"]}));
    }

    async fn what_the_account_does_not_have_is_not_found(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        world.application("globex01.secret.1.0.0").await;
        let client = world.client(&loyalty).await;
        for name in ["globex01.secret", "acme01.secret", "none.none"] {
            let answer = client.get(&format!("{PATH}/versions/{name}")).await;
            let message = format!("Item not found: application {name}");
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("NsAndAppId", name)]);
        }
        for key in ["globex01.secret.1.0.0.Release", "acme01.loyalty.1.0.1.work"] {
            let answer = client.get(&format!("{PATH}/{key}/packagenames")).await;
            let message = format!("Item not found: package {key}");
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("AppKey", key)]);
        }
    }

    async fn names_that_are_none_are_refused(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let name = "must be <namespace>.<appId>, as in acme01.loyalty.";
        let key = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                   acme01.loyalty.1.0.0.Release.";
        let table = [
            ("/versions/acme01", "nsAndAppId", name),
            ("/versions/a%20b.c", "nsAndAppId", name),
            ("/acme01.loyalty/packagenames", "applicationKey", key),
            ("/acme01.loyalty.1.0.x/packagenames", "applicationKey", key),
        ];
        for (path, parameter, why) in table {
            let answer = client.get(&format!("{PATH}{path}")).await;
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        }
    }
}
