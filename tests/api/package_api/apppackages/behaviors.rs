//! `/platform/appdev/apppackages/{packageId}/behaviors` (contract 3.9).
use http::Method;
use serde_json::{Value, json};

use super::{
    PATH, all_entries, entries, locked, loyalty, path_of, refused_parameter, refused_private,
    refused_rule, whole, with,
};
use crate::on_both;
use crate::support::Answer;
use crate::support::packages::{World, operated, refused};

fn behaviors_of(package: i64) -> String {
    format!("{PATH}/{package}/behaviors")
}

/// A body with these behaviors.
fn wanted(ids: &[i64]) -> Value {
    ids.iter().map(|id| json!({"behaviorId": id})).collect()
}

#[track_caller]
fn refused_id(answer: Answer, id: i64) {
    let (message, id) = (format!("Item not found: package {id}"), id.to_string());
    refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("PackageId", &id)]);
}

fn item(id: i64, category: i64, name: &str) -> Value {
    json!({"id": id, "categoryId": category, "name": name, "isPrivate": false})
}

on_both! {
    async fn behaviors_are_replaced_with_what_they_require(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let (path, package) = (behaviors_of(loyalty.package), loyalty.package);
        let before = whole(&client, &loyalty.key).await;
        app.advance_seconds(60);
        let body = json!([{"behaviorId": 122, "packageId": package}, {"BehaviorId": 103, "packageId": 0},
            {"behaviorId": 103, "packageId": null}]);
        let expected = json!({"totalCount": 2, "items": [
            {"id": 5, "name": "Order",
                "behaviorItems": [item(102, 5, "Order Read"), item(103, 5, "Order Update")]},
            {"id": 6, "name": "Customer", "behaviorItems": [item(122, 6, "Customer Read")]},
        ]});
        assert_eq!(client.post(&path, body.clone()).await.expect(200), expected);
        assert_eq!(client.get(&path).await.expect(200), expected);
        let of_package = |id: i64| json!({"behaviorId": id, "packageId": package});
        let after = whole(&client, &loyalty.key).await;
        assert_eq!(after, with(&before, json!({
            "updateDate": "2026-02-01T08:16:00.000Z",
            "applicationBehaviors": [of_package(102), of_package(103), of_package(122)],
        })));
        assert_eq!(entries(&app, "package", "update").await, 1);
        // The same again is no change.
        app.advance_seconds(60);
        assert_eq!(client.post(&path, body).await.expect(200), expected);
        assert_eq!(whole(&client, &loyalty.key).await, after);
        assert_eq!(entries(&app, "package", "update").await, 1);
        let none = json!({"totalCount": 0, "items": []});
        assert_eq!(client.post(&path, json!([])).await.expect(200), none);
        assert_eq!(client.get(&path).await.expect(200), none);
        let fields = format!("/PLATFORM/appdev/AppPackages/{package}/Behaviors/?RESPONSEFIELDS=items(name)");
        let shown = client.post(&fields, wanted(&[102])).await.expect(200);
        assert_eq!(shown, json!({"items": [{"name": "Order"}]}));
    }

    async fn behaviors_that_somebody_else_has_changed_stay(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = behaviors_of(loyalty.package);
        let known = client.get(&path).await.header("etag").to_owned();
        let with = |tag: &str| client.clone().with("if-match", tag);
        let newer = with(&known).post(&path, wanted(&[102])).await;
        let newer = newer.header("etag").to_owned();
        let before = client.get(&path).await.expect(200);
        let message = "If-Match names another state of the record; read it again.";
        let stale = with(&known).post(&path, wanted(&[])).await;
        refused(stale, 412, "PRECONDITION_FAILED", message, &[]);
        assert_eq!(client.get(&path).await.expect(200), before);
        assert_eq!(with(&newer).post(&path, wanted(&[])).await.expect(200)["totalCount"], 0);
    }

    async fn bodies_that_are_no_behaviors_are_refused(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = behaviors_of(loyalty.package);
        let before = all_entries(&app).await;
        let number = "must be the number of a behavior.";
        for (body, parameter, why) in [
            ("", "applicationBehaviors", "is the body of this request, which is empty."),
            ("[", "applicationBehaviors", "is the body of this request, which is no JSON."),
            ("null", "applicationBehaviors", "must be an array."),
            ("{}", "applicationBehaviors", "must be an array."),
            ("[102]", "applicationBehaviors[0]", "must be an object."),
            ("[{}]", "applicationBehaviors[0].behaviorId", number),
            (r#"[{"behaviorId":102},{"behaviorId":null}]"#, "applicationBehaviors[1].behaviorId", number),
            (r#"[{"behaviorId":"102"}]"#, "applicationBehaviors[0].behaviorId", "must be a 32-bit integer."),
            (r#"[{"behaviorId":102,"packageId":999}]"#, "applicationBehaviors[0].packageId",
                "must be that of the path, or be left out."),
        ] {
            let answer = client.send(Method::POST, &path, body.as_bytes().to_vec()).await;
            refused_parameter(answer, parameter, why);
        }
        let strict = client.clone().with("prefer", "handling=strict");
        let answer = strict.post(&path, json!([{"behaviorId": 102, "name": "x"}])).await;
        refused_parameter(answer, "applicationBehaviors[0].name",
            "is unknown. Unknown members: applicationBehaviors[0].name.");
        for id in [0, -1, 26] {
            let why = format!("there is no behavior {id}.");
            refused_rule(client.post(&path, wanted(&[102, id])).await, &why);
        }
        refused_private(client.post(&path, wanted(&[25])).await, "update_package_behaviors");
        assert_eq!(all_entries(&app).await, before);
    }

    async fn packages_of_others_do_not_exist(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        let nobody = app.anonymous();
        let foreign = world.application("globex01.secret.1.0.0").await;
        for id in [foreign.package, 999_999] {
            refused_id(client.get(&behaviors_of(id)).await, id);
            refused_id(client.post(&behaviors_of(id), wanted(&[102])).await, id);
        }
        let owner = world.client(&foreign).await;
        assert_eq!(owner.get(&behaviors_of(foreign.package)).await.expect(200)["totalCount"], 24);
        // Numbers that no record has are refused as everywhere.
        for id in ["0", "-1", "2147483648", "99999999999999999999"] {
            let path = format!("{PATH}/{id}/behaviors");
            for answer in [client.get(&path).await, client.post(&path, wanted(&[102])).await] {
                refused_parameter(answer, "packageId", "must be an integer from 1 to 2147483647.");
            }
        }
        // With anything but a number there is no such path, whoever asks and how.
        let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
        for word in ["abc", "1.5", "acme01.loyalty.1.0.0.Release"] {
            let path = format!("{PATH}/{word}/behaviors");
            let message = format!("Item not found: path {path}");
            for (caller, method) in methods.iter().flat_map(|it| [(&client, it), (&nobody, it)]) {
                let answer = caller.send(method.clone(), &path, b"[]".to_vec()).await;
                refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("Path", &path)]);
            }
        }
        let path = behaviors_of(999_999);
        assert_eq!(nobody.get(&path).await.expect(401)["errorCode"], "INVALID_ACCESS_TOKEN");
        let answer = nobody.send(Method::PUT, &path, Vec::new()).await;
        assert_eq!(answer.header("allow"), "GET,HEAD,POST");
        assert_eq!(answer.expect(405)["errorCode"], "METHOD_NOT_ALLOWED");
    }

    async fn an_application_may_read_its_own_behaviors(app: TestApp) {
        let world = World::new(&app).await;
        let plain = world.application_with("acme01.plain.1.0.0", &["Order Read"]).await;
        let other = world.application("acme01.other.1.0.0").await;
        let client = world.client(&plain).await;
        let own = client.get(&behaviors_of(plain.package)).await.expect(200);
        assert_eq!(own, json!({"totalCount": 1, "items": [
            {"id": 5, "name": "Order", "behaviorItems": [item(102, 5, "Order Read")]}]}));
        let lacks = |id: &str| format!("Forbidden: the access token lacks the behavior {id}.");
        let data = [("OperationName", "get_package_behaviors"), ("BehaviorId", "42")];
        for package in [other.package, 999_999] {
            let answer = client.get(&behaviors_of(package)).await;
            refused(answer, 403, "FORBIDDEN", &lacks("42"), &data);
        }
        let data = [("OperationName", "update_package_behaviors"), ("BehaviorId", "43")];
        let answer = client.post(&behaviors_of(plain.package), wanted(&[103])).await;
        refused(answer, 403, "FORBIDDEN", &lacks("43"), &data);
    }

    async fn a_locked_version_keeps_its_behaviors(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        for (status, name) in [(2, "Submitted For Certification"), (3, "Certified"),
            (5, "Published"), (6, "Retired")] {
            world.set_status(&loyalty, status).await;
            let answer = client.post(&behaviors_of(loyalty.package), json!([])).await;
            refused_rule(answer, &locked(name));
            // What the caller may not do is told before what cannot be done.
            let answer = client.post(&behaviors_of(loyalty.package), wanted(&[7, 25])).await;
            refused_private(answer, "update_package_behaviors");
            let answer = client.put(&path_of(&loyalty.key),
                json!({"id": 4711, "applicationBehaviors": [{"behaviorId": 25}]})).await;
            refused_private(answer, "update_package");
            let work = json!({"appKey": "acme01.loyalty.1.0.0.work",
                "applicationBehaviors": [{"behaviorId": 25}]});
            refused_private(client.post(&format!("{PATH}/project"), work).await, "create_package");
        }
        assert_eq!(client.get(&behaviors_of(loyalty.package)).await.expect(200)["totalCount"], 24);
    }

    async fn tickets_keep_the_behaviors_of_their_time(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        client.post(&behaviors_of(loyalty.package), json!([])).await.expect(200);
        client.put(&path_of(&loyalty.key), json!({})).await.expect(200);
        let renewed = world.client(&loyalty).await;
        let message = "Forbidden: the access token lacks the behavior 43.";
        let data = [("OperationName", "update_package"), ("BehaviorId", "43")];
        let answer = renewed.put(&path_of(&loyalty.key), json!({})).await;
        refused(answer, 403, "FORBIDDEN", message, &data);
    }

    async fn operators_add_private_behaviors(app: TestApp with operated) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let changed = client.post(&behaviors_of(loyalty.package), wanted(&[25])).await.expect(200);
        assert_eq!(
            changed,
            json!({"totalCount": 1, "items": [{"id": 1, "name": "Application",
            "behaviorItems": [{"id": 25, "categoryId": 1, "name": "Application Certify", "isPrivate": true}]}]})
        );
    }
}
