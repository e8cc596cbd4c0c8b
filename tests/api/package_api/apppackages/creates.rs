//! `POST /platform/appdev/apppackages/create`: what the acceptance checks leave open of contract 3.1.
use serde_json::{Value, json};

use super::{PATH, loyalty, path_of, refused_rule, whole, with};
use crate::on_both;
use crate::support::packages::{refused, tenant};

fn create() -> String {
    format!("{PATH}/create")
}

on_both! {
    async fn a_new_version_continues_the_highest_one_below_it(app: TestApp) {
        let (world, first, client) = loyalty(&app).await;
        let third = world.application("acme01.loyalty.3.0.0").await;
        let marks = [(&first, "From 1.0.0"), (&third, "From 3.0.0")];
        for (version, mark) in marks {
            let body = json!({"applicationDescription": mark, "apiVersion": mark});
            client.put(&path_of(&version.key), body).await.expect(200);
        }
        let mut before = Vec::new();
        // Certified and locked, a version can still be continued.
        for (version, status) in [(&first, 5), (&third, 3)] {
            world.set_status(version, status).await;
            before.push(whole(&client, &version.key).await);
        }
        app.advance_seconds(60);
        for (number, mark) in [
            ("2.0.0", "From 1.0.0"), ("1.0.1", "From 1.0.0"), ("2.9.9", "From 1.0.0"),
            // By number, not by text.
            ("10.0.0", "From 3.0.0"), ("3.0.1", "From 3.0.0"), ("3.1.0", "From 3.0.0"),
            // None is below: the highest there is.
            ("0.9.9", "From 3.0.0"),
        ] {
            let body = json!({"appKey": format!("acme01.loyalty.{number}")});
            let made = client.post(&create(), body).await.expect(200);
            assert_eq!(made["applicationDescription"], mark, "{number}");
            assert_eq!(made["apiVersion"], mark, "{number}");
            assert_eq!((&made["applicationStatusId"], &made["isLocked"]), (&json!(1), &json!(false)));
        }
        for (version, before) in [&first, &third].into_iter().zip(before) {
            assert_eq!(whole(&client, &version.key).await, before);
        }
    }

    async fn a_deleted_key_stays_taken(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let body = json!({"appKey": "acme01.loyalty.2.0.0"});
        let made = client.post(&create(), body.clone()).await.expect(200);
        let sql = format!("UPDATE packages SET is_deleted = TRUE WHERE id = {}", made["id"]);
        app.execute(&sql).await;
        let key = "acme01.loyalty.2.0.0.Release";
        let message = format!("Item already exists: package {key}");
        let answer = client.post(&create(), body).await;
        refused(answer, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", key)]);
        client.get(&path_of(&loyalty.key)).await.expect(200);
    }

    async fn without_a_parent_nothing_is_inherited(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        world.theme("acme01.plain.1.0.0").await;
        let bodies = [
            json!({"appKey": "acme01.points.1.0.0"}),
            json!({"appKey": "acme01.points.1.1.0", "parentThemeAppKey": null}),
            json!({"appKey": "acme01.points.1.2.0", "parentThemeAppKey": ""}),
            json!({"appKey": "acme01.points.1.3.0", "parentThemeAppKey": "  "}),
            json!({"appKey": "acme01.plain.1.1.0", "parentThemeAppKey": null}),
        ];
        for body in bodies {
            let made = client.post(&create(), body.clone()).await.expect(200);
            let inherited = ["publishedParentThemeId", "publishedParentSemanticVersion",
                "semanticVersionRange", "parentThemeName", "parentThemeAppKey", "updateParentAppKey",
                "updateParentThemeName", "updateParentThemeVersion"];
            for member in inherited {
                assert_eq!(made[member], Value::Null, "{body}: {member}");
            }
            assert_eq!(made["updateAvailable"], false, "{body}");
        }
    }

    async fn themes_of_others_can_be_inherited_once_published(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        let theirs = world.theme("globex01.base.2.3.4").await;
        let body = json!({"appKey": "acme01.winter.1.0.0", "parentThemeAppKey": "GLOBEX01.Base.2.3.4"});
        world.set_status(&theirs, 5).await;
        let child = client.post(&create(), body).await.expect(200);
        let expected = with(&child, json!({
            "applicationTypeId": 2, "applicationTypeName": "Theme", "assetFileCount": 0,
            "publishedParentThemeId": theirs.version, "publishedParentSemanticVersion": "2.3.4",
            "semanticVersionRange": "^2.3.4", "parentThemeName": "base",
            "parentThemeAppKey": theirs.key, "updateParentAppKey": null, "updateAvailable": false,
        }));
        assert_eq!(child, expected);
        // Whatever becomes of the parent, its children keep it, and new ones cannot have it.
        for status in [3, 6] {
            world.set_status(&theirs, status).await;
            assert_eq!(whole(&client, "acme01.winter.1.0.0").await, child);
            let body = json!({"appKey": "acme01.summer.1.0.0", "parentThemeAppKey": theirs.key});
            let message = format!("Item not found: parent theme {}", theirs.key);
            let data = [("ParentThemeAppKey", theirs.key.as_str())];
            refused(client.post(&create(), body).await, 404, "ITEM_NOT_FOUND", &message, &data);
        }
        // What is published can be seen, and need not be a theme.
        let theirs = world.application("globex01.tool.1.0.0").await;
        world.set_status(&theirs, 5).await;
        let body = json!({"appKey": "acme01.summer.1.0.0", "parentThemeAppKey": theirs.key});
        let answer = client.post(&create(), body).await;
        refused_rule(answer, "the parent globex01.tool.1.0.0.Release is not a theme.");
        // A refused parent leaves no application behind.
        let answer = client.get(&format!("{PATH}/apps/summer")).await;
        assert_eq!(answer.expect(200), json!([]));
    }

    async fn retiring_a_version_ends_no_install(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let install = "/api/platform/appdev/appinstall/application/entitlement";
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox});
        let made = client.post(install, body.clone()).await.expect(200);
        client.post(&format!("{}/clone/Work", path_of(&loyalty.key)), json!({})).await.expect(200);
        let retired = json!({"applicationStatusId": 6});
        client.put(&path_of(&loyalty.key), retired).await.expect(200);
        let listed = client.get(install).await.expect(200);
        assert_eq!(listed, json!([with(&made, json!({"applicationStatusId": "6"}))]));
        refused_rule(client.post(install, body).await,
            "a version whose status is Retired is not installed any more.");
        // The status is the version's: its other packages have it too.
        let work = whole(&client, "acme01.loyalty.1.0.0.Work").await;
        assert_eq!(work["applicationStatusName"], "Retired");
        assert_eq!((&work["isLocked"], &work["validApplicationStatusIdList"]), (&json!(true), &json!([])));
        // And it can be continued all the same.
        let next = client.post(&create(), json!({"appKey": "acme01.loyalty.1.0.1"})).await;
        assert_eq!(next.expect(200)["validApplicationStatusIdList"], json!([2, 6]));
    }
}
