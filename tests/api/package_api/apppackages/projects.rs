//! `POST /platform/appdev/apppackages/project` (contract 3.4).
use serde_json::{Value, json};

use super::{
    MALFORMED, PATH, all_entries, entries, locked, loyalty, path_of, refused_caller,
    refused_parameter, refused_private, refused_rule, whole, with,
};
use crate::on_both;
use crate::support::packages::{World, refused};

fn project() -> String {
    format!("{PATH}/project")
}

on_both! {
    async fn a_new_application_is_what_the_body_says(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let blank = whole(&client, &loyalty.key).await;
        app.advance_seconds(60);
        let made = client.post(&format!("{}?projectId=17", project()), json!({
            "namespace": "Acme01", "appId": "Points", "majorVersion": 2, "minorVersion": 1,
            "applicationName": "Points", "applicationTypeId": 3, "applicationStatusId": 1,
            "applicationDescription": "Points for every order.", "packageDescription": "First",
            "apiVersion": "2", "appConfigUrl": "https://points.acme.example/",
            // Numbers of another package, and what only the server sets, do not count.
            "id": 4711, "sharedSecret": "mine", "isLocked": true, "assetFileCount": 9,
            "applicationBehaviors": [{"behaviorId": 104}],
            "applicationSubscriptions": [{"applicationSubscriptionId": 77,
                "applicationEndPoint": "https://points.acme.example/hooks",
                "events": [{"eventId": 52}]}],
            "applicationCapabilityTypes": [{"applicationCapabilityTypeId": 77, "capabilityTypeId": 4,
                "applicationCapabilities": [{"applicationCapabilityId": 78,
                    "capabilityTypeContractId": 41}]}],
            "applicationAttributes": [{"subsystem": "Customer"}],
        })).await.expect(200);
        let (id, version) = (made["id"].as_i64().unwrap(), made["applicationId"].as_i64().unwrap());
        assert!(id > loyalty.package && version > loyalty.version && version != 4711);
        let (secret, guid) = (made["sharedSecret"].as_str().unwrap(), &made["packageGuid"]);
        assert_eq!(secret.len(), 32);
        assert_ne!(secret, loyalty.secret);
        let capability = json!({"applicationCapabilityId": 2, "capabilityTypeContractId": 41,
            "applicationEndPoint": null, "applicationCapabilityTypeId": 1, "packageId": id});
        let expected = with(&blank, json!({
            "updateDate": "2026-02-01T08:16:00.000Z",
            "applicationUpdateDate": "2026-02-01T08:16:00.000Z",
            "id": id, "applicationName": "Points", "applicationTypeId": 3,
            "applicationTypeName": "Extension", "majorVersion": 2, "minorVersion": 1, "revision": 0,
            "sharedSecret": secret, "apiVersion": "2",
            "applicationDescription": "Points for every order.",
            "appConfigUrl": "https://points.acme.example/", "packageDescription": "First",
            "appId": "Points", "applicationId": version, "packageGuid": guid,
            "applicationBehaviors": [{"behaviorId": 102, "packageId": id},
                {"behaviorId": 104, "packageId": id}],
            "applicationSubscriptions": [{"applicationSubscriptionId": 1,
                "applicationEndPoint": "https://points.acme.example/hooks",
                "events": [{"eventId": 52, "eventName": "order.opened", "eventCategory": "Order",
                    "apiVersionNumber": "1"}], "packageId": id, "noCallback": false}],
            "applicationCapabilityTypes": [{"applicationCapabilityTypeId": 1,
                "applicationId": version, "capabilityTypeId": 4, "capabilityTypeName": "Order",
                "isImplemented": false, "isInitializedByDefault": false,
                "applicationCapabilities": [capability], "applicationCapabilityDomains": [],
                "packageId": id}],
            "applicationAttributes": [{"subsystem": "Customer", "attributeJson": null,
                "productTypeJson": null, "isAppliedToBase": false, "sourceTenantId": 0,
                "sourceTenantName": null, "attributeCodes": null, "packageId": id,
                "attributes": []}],
            "applicationCapabilities": [capability],
            "appKey": "acme01.Points.2.1.0.Release",
        }));
        assert_eq!(made, expected);
        assert_eq!(whole(&client, "acme01.points.2.1.0").await, expected);
        assert_eq!(app.count(&format!("SELECT project_id FROM packages WHERE id = {id}")).await, 17);
        for record in ["application", "application_version", "package"] {
            assert_eq!(entries(&app, record, "create").await, 2, "{record}");
        }
        // The new version logs in.
        let credentials = json!({"applicationId": "acme01.Points.2.1.0", "sharedSecret": secret});
        app.anonymous().post("/api/platform/applications/authtickets", credentials).await.expect(200);
    }

    async fn known_applications_get_versions_and_packages(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let release = whole(&client, &loyalty.key).await;
        // A new version is not a copy of another one, but for its name.
        let version = json!({"appKey": "acme01.loyalty.2.0.0", "applicationTypeId": 2});
        let version = client.post(&project(), version).await.expect(200);
        assert_eq!(version["applicationName"], "loyalty");
        assert_eq!(version["applicationTypeId"], 1);
        assert_eq!(version["applicationBehaviors"], json!([]));
        assert_eq!(version["hasApplicationVersions"], true);
        assert_ne!(version["sharedSecret"], loyalty.secret.as_str());
        // Another package of a version shares its core, whatever the body says of that.
        app.advance_seconds(60);
        let body = with(&release, json!({"id": 0, "packageName": "work", "applicationName": "Other",
            "packageDescription": "Ann's", "applicationBehaviors": [],
            "appKey": "acme01.loyalty.1.0.0.Work"}));
        let made = client.post(&project(), body).await.expect(200);
        let expected = with(&release, json!({
            "updateDate": "2026-02-01T08:16:00.000Z", "id": made["id"],
            "isReleasePackage": false, "packageName": "Work", "packageDescription": "Ann's",
            "packageGuid": made["packageGuid"], "applicationBehaviors": [],
            "appKey": "acme01.loyalty.1.0.0.Work", "hasApplicationVersions": true,
        }));
        assert_eq!(made, expected);
        assert_ne!(made["packageGuid"], release["packageGuid"]);
        let fields = format!("{}/?responseFields=isReleasePackage", project().to_uppercase());
        let third = client.post(&fields, json!({"appKey": "acme01.loyalty.1.0.0.third"})).await;
        assert_eq!(third.expect(200), json!({"isReleasePackage": false}));
    }

    async fn themes_are_made_with_and_without_parents(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        let theme = |key: &str, more: Value| {
            let mut body = json!({"appKey": key, "applicationName": "Theme", "applicationTypeId": 2});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let base = theme("acme01.base.1.2.0", json!({"parentThemeAppKey": ""}));
        let base = client.post(&project(), base).await.expect(200);
        assert_eq!(base["applicationTypeName"], "Theme");
        assert_eq!(base["parentThemeAppKey"], Value::Null);
        let child = |more: Value| {
            let (client, body) = (client.clone(), theme("acme01.winter.1.0.0", more));
            async move { client.post(&project(), body).await }
        };
        refused_rule(child(json!({"parentThemeAppKey": base["appKey"]})).await,
            "the parent acme01.base.1.2.0.Release is not published.");
        app.execute("UPDATE application_versions SET status_id = 5 WHERE major = 1 AND minor = 2").await;
        refused_rule(child(json!({"semanticVersionRange": "*"})).await,
            "semanticVersionRange is for themes that have a parent.");
        refused_rule(child(json!({"parentThemeAppKey": base["appKey"], "semanticVersionRange": "^2"})).await,
            "semanticVersionRange must hold the parent's version, 1.2.0.");
        let made = child(json!({"parentThemeAppKey": base["appKey"], "semanticVersionRange": "1.x"}))
            .await.expect(200);
        for (member, value) in [("semanticVersionRange", "1.x"), ("parentThemeName", "Theme"),
            ("publishedParentSemanticVersion", "1.2.0")] {
            assert_eq!(made[member], value);
        }
        let next = json!({"appKey": "acme01.winter.1.1.0", "parentThemeAppKey": base["appKey"]});
        let next = client.post(&project(), next).await.expect(200);
        assert_eq!(next["semanticVersionRange"], "^1.2.0");
        // A version that is there keeps its parent, and a body that cannot be of one is wrong all the same.
        let another = |more: Value| {
            let (client, body) = (client.clone(), theme("acme01.winter.1.1.0.work", more));
            async move { client.post(&project(), body).await }
        };
        for (more, why) in [
            (json!({"parentThemeAppKey": "acme01.winter.1.0.0"}),
                "the parent acme01.winter.1.0.0.Release is not published."),
            (json!({"parentThemeAppKey": "acme01.loyalty.1.0.0"}),
                "the parent acme01.loyalty.1.0.0.Release is not a theme."),
            (json!({"parentThemeAppKey": "", "semanticVersionRange": "*"}),
                "semanticVersionRange is for themes that have a parent."),
            (json!({"semanticVersionRange": "newest"}),
                "semanticVersionRange must be a range of versions as npm reads it, such as ^1.2.0."),
            (json!({"semanticVersionRange": "^2"}),
                "semanticVersionRange must hold the parent's version, 1.2.0."),
            (json!({"parentThemeAppKey": base["appKey"], "semanticVersionRange": "^2"}),
                "semanticVersionRange must hold the parent's version, 1.2.0."),
        ] {
            refused_rule(another(more).await, why);
        }
        let nobody = "acme01.nothing.1.0.0.Release";
        let answer = another(json!({"parentThemeAppKey": nobody})).await;
        let message = format!("Item not found: parent theme {nobody}");
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("ParentThemeAppKey", nobody)]);
        app.execute("UPDATE application_versions SET status_id = 6 WHERE major = 1 AND minor = 2").await;
        // Not even the parent it has could be chosen now; it is no news.
        let echo = with(&next, json!({"appKey": "acme01.winter.1.1.0.work", "packageName": "work"}));
        let work = client.post(&project(), echo).await.expect(200);
        assert_eq!(work["parentThemeAppKey"], base["appKey"]);
        assert_eq!(work["semanticVersionRange"], "^1.2.0");
        app.execute("UPDATE application_versions SET status_id = 5 WHERE major = 1 AND minor = 2").await;
        refused_rule(client.post(&project(), json!({"appKey": "acme01.loyalty.1.0.0.work",
            "parentThemeAppKey": base["appKey"]})).await, "only a theme can have a parent theme.");
        refused_rule(client.post(&project(), json!({"appKey": "acme01.loyalty.1.0.0.work",
            "themeEngineVersion": "8"})).await, "themeEngineVersion is for themes.");
        // Applications have none, and of others only published themes can be seen.
        let plain = json!({"appKey": "acme01.plain.1.0.0", "applicationName": "Plain",
            "parentThemeAppKey": base["appKey"]});
        refused_rule(client.post(&project(), plain).await, "only a theme can have a parent theme.");
        let foreign = world.theme("globex01.draft.1.0.0").await;
        let message = format!("Item not found: parent theme {}", foreign.key);
        let answer = client.post(&project(), theme("acme01.summer.1.0.0",
            json!({"parentThemeAppKey": foreign.key}))).await;
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("ParentThemeAppKey", &foreign.key)]);
    }

    async fn bodies_that_make_nothing_are_refused(app: TestApp) {
        let (_world, _loyalty, client) = loyalty(&app).await;
        let before = all_entries(&app).await;
        let parts = "must be the key of the new package, or namespace and appId be given.";
        let new = |more: Value| {
            let mut body = json!({"appKey": "acme01.points.1.0.0", "applicationName": "Points"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, parameter, why) in [
            (json!(null), "appDevPackage", "must be a JSON object."),
            (json!({}), "appKey", parts),
            (json!({"namespace": "acme01"}), "appKey", parts),
            (json!({"appId": "points", "majorVersion": 1}), "appKey", parts),
            (json!({"namespace": "acme01", "appId": "a.b"}), "appKey", MALFORMED),
            (json!({"namespace": "acme01", "appId": "a", "minorVersion": -1}), "appKey", MALFORMED),
            (new(json!({"appKey": "points"})), "appKey", MALFORMED),
            (new(json!({"namespace": "acme02"})), "appKey", "must agree with namespace."),
            (new(json!({"appId": "loyalty"})), "appKey", "must agree with appId."),
            (new(json!({"majorVersion": 2})), "appKey", "must agree with majorVersion."),
            (new(json!({"packageName": "work"})), "appKey", "must agree with packageName."),
            (new(json!({"applicationName": null})), "applicationName",
                "must be the name of the new application."),
            (new(json!({"applicationName": " "})), "applicationName", "must not be blank."),
            (new(json!({"applicationTypeId": 4})), "applicationTypeId", "must be 1, 2 or 3."),
            (new(json!({"applicationTypeId": -1})), "applicationTypeId", "must be 1, 2 or 3."),
            (new(json!({"applicationAttributes": [{"subsystem": "Order", "attributeJson": "["}]})),
                "applicationAttributes[0].attributeJson", "must be JSON in a text."),
        ] {
            refused_parameter(client.post(&project(), body).await, parameter, why);
        }
        for (body, why) in [
            (new(json!({"applicationStatusId": 3})), "a new package is in status 1, In Development."),
            (new(json!({"appKey": "acme01.points.1.0.0.work"})),
                "version 1.0.0 does not exist, so its first package is Release."),
            (new(json!({"appKey": "acme01.loyalty.2.0.0.work"})),
                "version 2.0.0 does not exist, so its first package is Release."),
            (new(json!({"applicationBehaviors": [{"behaviorId": 7}]})), "there is no behavior 7."),
            (new(json!({"applicationCapabilityTypes": [{"capabilityTypeId": 9}]})),
                "there is no capability type 9."),
        ] {
            refused_rule(client.post(&project(), body).await, why);
        }
        let private = new(json!({"applicationBehaviors": [{"behaviorId": 25}]}));
        refused_private(client.post(&project(), private).await, "create_package");
        for namespace in ["globex01", "nobody"] {
            let body = json!({"appKey": format!("{namespace}.points.1.0.0"), "applicationTypeId": 9});
            refused_caller(client.post(&project(), body).await, "create_package");
        }
        let answer = client.post(&format!("{}?projectId=x", project()), new(json!({}))).await;
        refused_parameter(answer, "projectId", "must be an integer from 0 to 2147483647.");
        assert_eq!(all_entries(&app).await, before);
        assert_eq!(app.count("SELECT COUNT(*) FROM applications").await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM application_versions").await, 1);
    }

    /// Numbers of another package do not count, yet they are numbers.
    async fn malformed_numbers_of_subscriptions_are_refused_as_in_an_update(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        for number in [json!("7"), json!("x"), json!(1.5), json!(true), json!([7]), json!({}), json!(1_i64 << 31)] {
            let subscriptions = json!([
                {"applicationEndPoint": "https://points.acme.example/hooks", "events": [{"eventId": 52}]},
                {"applicationSubscriptionId": number, "applicationEndPoint": "https://points.acme.example/hooks",
                    "events": [{"eventId": 52}]},
            ]);
            let new = json!({"appKey": "acme01.points.1.0.0.Release", "applicationSubscriptions": subscriptions});
            let known = json!({"applicationSubscriptions": subscriptions});
            for answer in [client.post(&project(), new).await, client.put(&path_of(&loyalty.key), known).await] {
                refused_parameter(answer, "applicationSubscriptions[1].applicationSubscriptionId",
                    "must be a 32-bit integer.");
            }
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM package_subscriptions").await, 0);
    }

    async fn what_exists_is_not_made_again(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        client.post(&format!("{}/clone/work", path_of(&loyalty.key)), json!({})).await.expect(200);
        client.delete(&path_of("acme01.loyalty.1.0.0.work")).await.expect(200);
        for (given, key) in [
            ("acme01.loyalty.1.0.0.Release", "acme01.loyalty.1.0.0.Release"),
            ("ACME01.LOYALTY.1.0.0.Release", "acme01.loyalty.1.0.0.Release"),
            ("acme01.loyalty.1.0.0.WORK", "acme01.loyalty.1.0.0.work"),
        ] {
            let message = format!("Item already exists: package {key}");
            let answer = client.post(&project(), json!({"appKey": given})).await;
            refused(answer, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", key)]);
        }
        for (status, name) in [(2, "Submitted For Certification"), (3, "Certified"),
            (5, "Published"), (6, "Retired")] {
            world.set_status(&loyalty, status).await;
            let answer = client.post(&project(), json!({"appKey": "acme01.loyalty.1.0.0.more"})).await;
            refused_rule(answer, &locked(name));
        }
        // A locked version does not keep others from being made.
        client.post(&project(), json!({"appKey": "acme01.loyalty.1.1.0"})).await.expect(200);
    }

    async fn of_racing_projects_one_is_made(app: TestApp) {
        let (_world, _loyalty, client) = loyalty(&app).await;
        for key in ["acme01.points.1.0.0", "acme01.loyalty.1.1.0", "acme01.loyalty.1.0.0.work"] {
            let racing = (0..6).map(|_| {
                let (client, body) = (client.clone(), json!({"appKey": key, "applicationName": "Points"}));
                async move { client.post(&project(), body).await }
            });
            let answers = futures_util::future::join_all(racing).await;
            let mut statuses: Vec<u16> = answers.iter().map(|it| it.status.as_u16()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409, 409, 409, 409, 409], "{key}");
        }
    }

    async fn projects_need_their_behavior(app: TestApp) {
        let world = World::new(&app).await;
        let reader = world.application_with("acme01.reader.1.0.0", &["Developer Update"]).await;
        let client = world.client(&reader).await;
        let data = |operation| [("OperationName", operation), ("BehaviorId", "41")];
        let message = "Forbidden: the access token lacks the behavior 41.";
        let answer = client.post(&project(), json!({"appKey": "acme01.points.1.0.0"})).await;
        refused(answer, 403, "FORBIDDEN", message, &data("create_package"));
        let answer = client.post(&format!("{}/clone/work", path_of(&reader.key)), json!({})).await;
        refused(answer, 403, "FORBIDDEN", message, &data("clone_package"));
        let message = "Forbidden: the access token lacks the behavior 44.";
        let data = [("OperationName", "delete_package"), ("BehaviorId", "44")];
        let answer = client.delete(&path_of(&reader.key)).await;
        refused(answer, 403, "FORBIDDEN", message, &data);
    }
}
