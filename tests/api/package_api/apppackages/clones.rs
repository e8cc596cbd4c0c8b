//! `POST /platform/appdev/apppackages/{applicationKey}/clone/{packageName}` (contract 3.8a).
use http::Method;
use serde_json::{Value, json};

use super::{
    MALFORMED, all_entries, entries, locked, loyalty, path_of, refused_key, refused_parameter,
    refused_rule, whole, with,
};
use crate::on_both;
use crate::support::packages::refused;

fn clone_path(key: &str, name: &str) -> String {
    format!("{}/clone/{name}", path_of(key))
}

fn taken(name: &str) -> (String, String) {
    let key = format!("acme01.loyalty.1.0.0.{name}");
    (format!("Item already exists: package {key}"), key)
}

on_both! {
    async fn a_clone_is_the_source_with_its_own_name_and_numbers(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let body = json!({
            "packageDescription": "The first", "appConfigUrl": "https://loyalty.acme.example/",
            "apiVersion": "2",
            "applicationBehaviors": [{"behaviorId": 102}],
            "applicationSubscriptions": [{"applicationEndPoint": "https://loyalty.acme.example/hooks",
                "events": [{"eventId": 52}], "noCallback": true}],
            "applicationCapabilityTypes": [{"capabilityTypeId": 2,
                "applicationCapabilities": [{"capabilityTypeContractId": 21}],
                "applicationCapabilityDomains": [{"name": "Countries",
                    "applicationCapabilityDomainValues1": [{"valueName": "US"}]}]}],
            "applicationAttributes": [{"subsystem": "Order", "sourceTenantId": 7}],
        });
        let source = client.put(&path_of(&loyalty.key), body).await.expect(200);
        app.advance_seconds(60);
        let ignored = b"{\"applicationKey\": 7".to_vec();
        let answer = client.send(Method::POST, &clone_path(&loyalty.key, "Anns-Work"), ignored).await;
        let clone = answer.expect(200);
        let (id, guid) = (clone["id"].as_i64().unwrap(), clone["packageGuid"].as_str().unwrap());
        assert!(id > loyalty.package);
        assert_eq!(guid.len(), 32);
        assert_ne!(source["packageGuid"], guid);
        let capability = json!({
            "applicationCapabilityId": 6, "capabilityTypeContractId": 21,
            "applicationEndPoint": null, "applicationCapabilityTypeId": 5, "packageId": id,
        });
        let expected = with(&source, json!({
            "updateDate": "2026-02-01T08:16:00.000Z", "id": id, "packageGuid": guid,
            "isReleasePackage": false, "packageName": "Anns-Work", "packageDescription": null,
            "appKey": "acme01.loyalty.1.0.0.Anns-Work",
            "applicationBehaviors": [{"behaviorId": 102, "packageId": id}],
            "applicationSubscriptions": [with(&source["applicationSubscriptions"][0], json!({
                "applicationSubscriptionId": 2, "packageId": id,
            }))],
            "applicationCapabilityTypes": [with(&source["applicationCapabilityTypes"][0], json!({
                "applicationCapabilityTypeId": 5, "packageId": id,
                "applicationCapabilities": [capability],
                "applicationCapabilityDomains": [{
                    "applicationCapabilityDomainId": 7, "applicationCapabilityTypeId": 5,
                    "name": "Countries",
                    "applicationCapabilityDomainValues1": [{
                        "applicationCapabilityDomainValueId": 8,
                        "applicationCapabilityDomainId1": 7,
                        "applicationCapabilityDomainId2": null, "valueName": "US",
                        "displayName": null,
                    }],
                    "applicationCapabilityDomainValues2": [],
                }],
            }))],
            "applicationAttributes": [with(&source["applicationAttributes"][0], json!({
                "packageId": id,
            }))],
            "applicationCapabilities": [capability],
        }));
        assert_eq!(clone, expected);
        assert_eq!(whole(&client, "acme01.loyalty.1.0.0.anns-work").await, expected);
        assert_eq!(whole(&client, &loyalty.key).await, source);
        let made = format!("SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package' \
            AND action = 'create' AND record_id = {id} \
            AND record_label = 'acme01.loyalty.1.0.0.Anns-Work'");
        assert_eq!(app.count(&made).await, 1);

        // A clone can be cloned, in any spelling of the path.
        let path = "/platform/appdev/apppackages/ACME01.LOYALTY.1.0.0.ANNS-WORK/CLONE/second/\
            ?responseFields=packageName,sharedSecret,apiVersion";
        let second = client.post(path, Value::Null).await.expect(200);
        assert_eq!(second, json!({"sharedSecret": loyalty.secret, "apiVersion": "2",
            "packageName": "second"}));
    }

    async fn files_are_copied_and_then_live_apart(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let work = "acme01.loyalty.1.0.0.work";
        let file = |key: &str, path: &str| format!("/api/platform/developer/packages/{key}/files/{path}");
        for (path, text) in [("assets%2Ffunctions.json", "{}"), ("readme.md", "Hello")] {
            let bytes = text.as_bytes().to_vec();
            client.send(Method::POST, &file(&loyalty.key, path), bytes).await.expect(200);
        }
        let clone = client.post(&clone_path(&loyalty.key, "work"), json!({})).await.expect(200);
        assert_eq!(clone["assetFileCount"], 2);
        client.send(Method::POST, &file(work, "readme.md"), b"Changed".to_vec()).await.expect(200);
        client.delete(&file(work, "assets%2Ffunctions.json")).await.expect(200);
        let read = |key: &str, name: &str| {
            let path = format!("/api/platform/appdev/filebasedpackage/packages/{key}?fileName={name}");
            let client = client.clone();
            async move { client.get(&path).await.text() }
        };
        assert_eq!(read(work, "readme.md").await, "Changed");
        assert_eq!(whole(&client, work).await["assetFileCount"], 1);
        client.delete(&path_of(work)).await.expect(200);
        assert_eq!(app.count("SELECT COUNT(*) FROM package_files").await, 2);
        assert_eq!(whole(&client, &loyalty.key).await["assetFileCount"], 2);
        assert_eq!(read(&loyalty.key, "readme.md").await, "Hello");
        assert_eq!(read(&loyalty.key, "assets/functions.json").await, "{}");
    }

    async fn names_that_cannot_be_are_refused(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let before = all_entries(&app).await;
        let why = "must have 1 to 50 letters, digits, hyphens and underscores.";
        let long = "a".repeat(51);
        for name in ["a.b", "a%20b", "a%2Fb", "%C3%A4", "%20", &long] {
            let answer = client.post(&clone_path(&loyalty.key, name), json!({})).await;
            refused_parameter(answer, "packageName", why);
        }
        let answer = client.post(&clone_path("acme01.loyalty", "work"), json!({})).await;
        refused_parameter(answer, "applicationKey", MALFORMED);
        for name in ["Release", "RELEASE", "release"] {
            let answer = client.post(&clone_path(&loyalty.key, name), json!({})).await;
            // What is taken is named as it is spelt there.
            let (message, key) = taken("Release");
            refused(answer, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", &key)]);
        }
        assert_eq!(all_entries(&app).await, before);
    }

    async fn names_stay_taken_when_their_package_is_deleted(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = clone_path(&loyalty.key, "work");
        client.post(&path, json!({})).await.expect(200);
        let (message, key) = taken("work");
        let answer = client.post(&path, json!({})).await;
        refused(answer, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", &key)]);
        client.delete(&path_of(&key)).await.expect(200);
        let answer = client.post(&clone_path(&loyalty.key, "Work"), json!({})).await;
        refused(answer, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", &key)]);
        assert_eq!(entries(&app, "package", "create").await, 2);
    }

    async fn of_racing_clones_one_is_made(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let racing = (0..8).map(|_| {
            let (client, path) = (client.clone(), clone_path(&loyalty.key, "work"));
            async move { client.post(&path, json!({})).await }
        });
        let answers = futures_util::future::join_all(racing).await;
        let mut statuses: Vec<u16> = answers.iter().map(|it| it.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
        for answer in answers.into_iter().filter(|it| it.status == 409) {
            let (message, key) = taken("work");
            refused(answer, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", &key)]);
        }
        // Different names are all made, each with subscriptions of its own.
        let racing = (0..6).map(|number| {
            let (client, path) = (client.clone(), clone_path(&loyalty.key, &format!("work{number}")));
            async move { client.post(&path, json!({})).await }
        });
        for answer in futures_util::future::join_all(racing).await {
            answer.expect(200);
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 8);
        assert_eq!(entries(&app, "package", "create").await, 8);
    }

    async fn a_locked_version_takes_no_more_packages(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        for (status, name) in [(2, "Submitted For Certification"), (3, "Certified"),
            (5, "Published"), (6, "Retired")] {
            world.set_status(&loyalty, status).await;
            let answer = client.post(&clone_path(&loyalty.key, "work"), json!({})).await;
            refused_rule(answer, &locked(name));
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 1);
        world.set_status(&loyalty, 4).await;
        client.post(&clone_path(&loyalty.key, "work"), json!({})).await.expect(200);
    }

    async fn packages_of_others_cannot_be_cloned(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        let foreign = world.theme("globex01.secret.1.0.0").await;
        world.set_status(&foreign, 5).await;
        for key in [foreign.key.as_str(), "acme01.loyalty.1.0.0.nothing"] {
            refused_key(client.post(&clone_path(key, "work"), json!({})).await, key);
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 2);
    }

    async fn a_repeated_clone_gets_the_same_answer(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let client = client.with("idempotency-key", "one");
        let path = clone_path(&loyalty.key, "work");
        let first = client.post(&path, json!({})).await.expect(200);
        let again = client.post(&path, json!({})).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), first);
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 2);
    }
}
