//! `PUT /platform/appdev/apppackages/{applicationKey}` (contract 3.6, 2.4).
use http::Method;
use serde_json::{Value, json};

use super::{
    MALFORMED, PATH, all_entries, entries, locked, loyalty, path_of, refused_key,
    refused_parameter, refused_private, refused_rule, refused_verdict, whole, with,
};
use crate::on_both;
use crate::support::packages::{World, operated, refused};

/// A tax calculator with a contract, and countries in both dimensions.
fn tax() -> Value {
    json!({
        "capabilityTypeId": 2, "isImplemented": true,
        "applicationCapabilities": [{
            "capabilityTypeContractId": 21, "applicationEndPoint": "https://loyalty.acme.example/tax",
        }],
        "applicationCapabilityDomains": [{
            "name": "Countries",
            "applicationCapabilityDomainValues1": [{"valueName": "US", "displayName": "United States"}],
            "applicationCapabilityDomainValues2": [{"valueName": "UPS"}],
        }],
    })
}

/// The same as the first one of a package shows it.
fn shown_tax(package: i64, version: i64) -> Value {
    json!({
        "applicationCapabilityTypeId": 1, "applicationId": version, "capabilityTypeId": 2,
        "capabilityTypeName": "Tax Calculator", "isImplemented": true,
        "isInitializedByDefault": false,
        "applicationCapabilities": [{
            "applicationCapabilityId": 2, "capabilityTypeContractId": 21,
            "applicationEndPoint": "https://loyalty.acme.example/tax",
            "applicationCapabilityTypeId": 1, "packageId": package,
        }],
        "applicationCapabilityDomains": [{
            "applicationCapabilityDomainId": 3, "applicationCapabilityTypeId": 1,
            "name": "Countries",
            "applicationCapabilityDomainValues1": [{
                "applicationCapabilityDomainValueId": 4, "applicationCapabilityDomainId1": 3,
                "applicationCapabilityDomainId2": null, "valueName": "US",
                "displayName": "United States",
            }],
            "applicationCapabilityDomainValues2": [{
                "applicationCapabilityDomainValueId": 5, "applicationCapabilityDomainId1": null,
                "applicationCapabilityDomainId2": 3, "valueName": "UPS", "displayName": null,
            }],
        }],
        "packageId": package,
    })
}

/// Definitions of an attribute of products.
fn points() -> Value {
    json!({
        "subsystem": "product", "attributeJson": "{\"items\":[]}", "isAppliedToBase": true,
        "sourceTenantId": 2201, "sourceTenantName": "Acme Sandbox", "attributeCodes": "points",
        "attributes": [{"attributeId": 7, "code": "points", "type": "TextBox",
            "fqn": "acme01~points", "sequence": 1, "name": "Points"}],
    })
}

fn shown_points(package: i64) -> Value {
    json!({
        "subsystem": "Product", "attributeJson": "{\"items\":[]}", "productTypeJson": null,
        "isAppliedToBase": true, "sourceTenantId": 2201, "sourceTenantName": "Acme Sandbox",
        "attributeCodes": "points", "packageId": package,
        "attributes": [{"attributeId": 7, "code": "points", "type": "TextBox",
            "fqn": "acme01~points", "sequence": 1, "vocabularyJson": null,
            "applicationAttributeId": 0, "name": "Points", "inputType": null, "adminName": null,
            "vocabularyValues": null}],
    })
}

/// Everything that a client can change about a package, its status and parent aside.
fn everything() -> Value {
    json!({
        "applicationName": "Loyalty Points", "applicationDescription": "Points for every order.",
        "apiVersion": "2", "packageDescription": "Ann's work",
        "appConfigUrl": "https://loyalty.acme.example/configure",
        "applicationBehaviors": [{"behaviorId": 103}, {"BEHAVIORID": 122, "packageId": 999},
            {"behaviorId": 103}],
        "applicationSubscriptions": [{
            "applicationEndPoint": "https://loyalty.acme.example/hooks",
            "events": [{"eventId": 52}],
        }],
        "applicationCapabilityTypes": [tax()], "applicationAttributes": [points()],
    })
}

on_both! {
    async fn a_change_answers_the_whole_package(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let before = whole(&client, &loyalty.key).await;
        let (package, version) = (loyalty.package, loyalty.version);
        app.advance_seconds(60);
        let changed = client.put(&path_of(&loyalty.key), everything()).await.expect(200);
        let mut capability = shown_tax(package, version)["applicationCapabilities"][0].take();
        capability["packageId"] = package.into();
        let expected = with(&before, json!({
            "updateDate": "2026-02-01T08:16:00.000Z",
            "applicationUpdateDate": "2026-02-01T08:16:00.000Z",
            "applicationName": "Loyalty Points",
            "applicationDescription": "Points for every order.",
            "apiVersion": "2", "packageDescription": "Ann's work",
            "appConfigUrl": "https://loyalty.acme.example/configure",
            "applicationBehaviors": [{"behaviorId": 102, "packageId": package},
                {"behaviorId": 103, "packageId": package},
                {"behaviorId": 122, "packageId": package}],
            "applicationSubscriptions": [{
                "applicationSubscriptionId": 1,
                "applicationEndPoint": "https://loyalty.acme.example/hooks",
                "events": [{"eventId": 52, "eventName": "order.opened", "eventCategory": "Order",
                    "apiVersionNumber": "1"}],
                "packageId": package, "noCallback": false,
            }],
            "applicationCapabilityTypes": [shown_tax(package, version)],
            "applicationAttributes": [shown_points(package)],
            "applicationCapabilities": [capability],
        }));
        assert_eq!(changed, expected);
        assert_eq!(whole(&client, &loyalty.key).await, expected);
        for record in ["application_version", "package"] {
            assert_eq!(entries(&app, record, "update").await, 1, "{record}");
        }
        assert_eq!(entries(&app, "package_subscription", "create").await, 1);
        let told = format!(
            "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'application_version' \
             AND action = 'update' AND record_id = {version} AND changes = \
             '{{\"name\":[\"loyalty\",\"Loyalty Points\"],\
             \"description\":[null,\"Points for every order.\"]}}'"
        );
        assert_eq!(app.count(&told).await, 1);
    }

    async fn check_13_what_is_read_and_sent_back_changes_nothing(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        client.put(&path, everything()).await.expect(200);
        let (with_children, entries) = (whole(&client, &loyalty.key).await, all_entries(&app).await);
        let without = client.get(&path).await.expect(200);
        assert_eq!(without["applicationBehaviors"], Value::Null);
        app.advance_seconds(60);
        for echo in [without, with_children.clone(), json!({})] {
            assert_eq!(client.put(&path, echo).await.expect(200), with_children);
        }
        assert_eq!(whole(&client, &loyalty.key).await, with_children);
        assert_eq!(all_entries(&app).await, entries);
    }

    /// 110 subscriptions to every event are more than the bodies of other operations may have.
    async fn a_package_of_megabytes_is_taken_back(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let events: Vec<Value> = (1..=120).map(|id| json!({"eventId": id})).collect();
        let subscription = |number: usize| json!({
            "applicationEndPoint": format!("https://loyalty.acme.example/{number}"), "events": events,
        });
        let all: Vec<Value> = (0..110).map(subscription).collect();
        let made = client.put(&path, json!({"applicationSubscriptions": all})).await.expect(200);
        assert!(made.to_string().len() > 1024 * 1024);
        let entries = all_entries(&app).await;
        let echo = whole(&client, &loyalty.key).await;
        assert_eq!(client.put(&path, echo.clone()).await.expect(200), echo);
        assert_eq!(all_entries(&app).await, entries);
        let of_copy = with(&echo, json!({"appKey": "acme01.loyalty.1.0.0.Copy", "packageName": "Copy"}));
        let copy = client.post(&format!("{PATH}/project"), of_copy).await.expect(200);
        assert_eq!(copy["applicationSubscriptions"].as_array().unwrap().len(), 110);
    }

    async fn packages_above_the_limit_are_refused(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let body = vec![b' '; 16 * 1024 * 1024 + 1];
        let message = "The request is too large: at most 16777216 bytes are taken.";
        for (method, path) in [(Method::PUT, path_of(&loyalty.key)), (Method::POST, format!("{PATH}/project"))] {
            let answer = client.send(method.clone(), &path, body.clone()).await;
            refused(answer, 413, "REQUEST_TOO_LARGE", message, &[("MaxBytes", "16777216")]);
            let answer = client.send(method, &path, body[1..].to_vec()).await;
            refused_parameter(answer, "appDevPackage", "is the body of this request, which is empty.");
        }
    }

    async fn what_is_null_is_cleared_or_stays(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let before = client.put(&path, everything()).await.expect(200);
        let nulls = json!({
            "applicationName": null, "apiVersion": null, "semanticVersionRange": null,
            "parentThemeAppKey": null, "applicationStatusId": null, "id": null,
            "applicationBehaviors": null, "applicationSubscriptions": null,
            "applicationCapabilityTypes": null, "applicationCapabilities": null,
            "applicationAttributes": null, "applicationEntitlements": [{"tenantId": 1}],
        });
        assert_eq!(client.put(&path, nulls).await.expect(200), before);
        let cleared = json!({
            "applicationDescription": null, "packageDescription": null, "appConfigUrl": null,
            "themeEngineVersion": null,
        });
        let expected = with(&before, cleared.clone());
        assert_eq!(client.put(&path, cleared).await.expect(200), expected);
        let emptied = json!({
            "applicationBehaviors": [], "applicationSubscriptions": [],
            "applicationCapabilityTypes": [], "applicationAttributes": [],
        });
        let expected = with(&with(&expected, emptied.clone()), json!({"applicationCapabilities": []}));
        assert_eq!(client.put(&path, emptied).await.expect(200), expected);
    }

    async fn only_themes_have_an_engine(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let engine = json!({"themeEngineVersion": "8"});
        refused_rule(client.put(&path_of(&loyalty.key), engine.clone()).await,
            "themeEngineVersion is for themes.");
        let theme = world.theme("acme01.winter.1.0.0").await;
        let changed = client.put(&path_of(&theme.key), engine.clone()).await.expect(200);
        assert_eq!(changed["themeEngineVersion"], "8");
        // What an application has from before may come back, and leave.
        app.execute("UPDATE packages SET theme_engine_version = '8'").await;
        let read = whole(&client, &loyalty.key).await;
        assert_eq!(client.put(&path_of(&loyalty.key), read.clone()).await.expect(200), read);
        let without = client.put(&path_of(&loyalty.key), json!({"themeEngineVersion": null})).await;
        assert_eq!(without.expect(200)["themeEngineVersion"], Value::Null);
    }

    async fn json_in_a_text_may_be_blank_and_is_none_then(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let attributes = json!({"applicationAttributes": [
            {"subsystem": "Order", "attributeJson": "", "productTypeJson": " "},
        ]});
        let changed = client.put(&path_of(&loyalty.key), attributes).await.expect(200);
        let shown = &changed["applicationAttributes"][0];
        assert_eq!([&shown["attributeJson"], &shown["productTypeJson"]], [&Value::Null, &Value::Null]);
    }

    /// What may be sent is what the document says.
    async fn arrays_and_texts_have_their_bounds(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let many = |number: usize| vec![json!({}); number];
        let types = |of_type: Value| json!({"applicationCapabilityTypes": [of_type]});
        let domains = |of_domain: Value| types(json!({"capabilityTypeId": 2,
            "applicationCapabilityDomains": [of_domain]}));
        for (body, parameter, most) in [
            (json!({"applicationBehaviors": many(10_001)}), "applicationBehaviors", 10_000),
            (json!({"applicationSubscriptions": many(1_001)}), "applicationSubscriptions", 1_000),
            (json!({"applicationSubscriptions": [{"events": many(1_001)}]}),
                "applicationSubscriptions[0].events", 1_000),
            (json!({"applicationCapabilityTypes": many(1_001)}), "applicationCapabilityTypes", 1_000),
            (json!({"applicationCapabilities": many(10_001)}), "applicationCapabilities", 10_000),
            (json!({"applicationAttributes": many(1_001)}), "applicationAttributes", 1_000),
            (json!({"applicationAttributes": [{"attributes": many(10_001)}]}),
                "applicationAttributes[0].attributes", 10_000),
            (types(json!({"capabilityTypeId": 2, "applicationCapabilities": many(1_001)})),
                "applicationCapabilityTypes[0].applicationCapabilities", 1_000),
            (types(json!({"capabilityTypeId": 2, "applicationCapabilityDomains": many(1_001)})),
                "applicationCapabilityTypes[0].applicationCapabilityDomains", 1_000),
            (domains(json!({"applicationCapabilityDomainValues1": many(1_001)})),
                "applicationCapabilityTypes[0].applicationCapabilityDomains[0].applicationCapabilityDomainValues1",
                1_000),
            (domains(json!({"applicationCapabilityDomainValues2": many(1_001)})),
                "applicationCapabilityTypes[0].applicationCapabilityDomains[0].applicationCapabilityDomainValues2",
                1_000),
        ] {
            let why = format!("must have at most {most} elements.");
            refused_parameter(client.put(&path, body).await, parameter, &why);
        }
        for (member, most) in [("appKey", 200), ("parentThemeAppKey", 200), ("namespace", 50),
            ("appId", 50), ("packageName", 50)] {
            let why = format!("must have at most {most} characters.");
            let body = json!({member: "x".repeat(most + 1)});
            refused_parameter(client.put(&path, body).await, member, &why);
        }
        let long = format!("{path}{}", "0".repeat(200));
        refused_parameter(client.put(&long, json!({})).await, "applicationKey", MALFORMED);
    }

    async fn a_package_has_only_so_many_capabilities(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let why = "a capability type has at most 1000 capabilities, and a package 10000.";
        let capabilities = |number: usize| vec![json!({"capabilityTypeContractId": 21}); number];
        let of_type = |number: usize| json!({"capabilityTypeId": 2,
            "applicationCapabilities": capabilities(number)});
        let mut types = vec![of_type(1_000); 10];
        let full = client.put(&path, json!({"applicationCapabilityTypes": types})).await.expect(200);
        assert_eq!(full["applicationCapabilities"].as_array().unwrap().len(), 10_000);
        assert_eq!(client.put(&path, full.clone()).await.expect(200), full);
        types.push(of_type(1));
        refused_rule(client.put(&path, json!({"applicationCapabilityTypes": types})).await, why);
        client.put(&path, json!({"applicationCapabilityTypes": [of_type(0)]})).await.expect(200);
        let flat = json!({"applicationCapabilities": capabilities(1_001)});
        refused_rule(client.put(&path, flat).await, why);
    }

    async fn dates_are_those_of_what_has_changed(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let (first, second) = ("2026-02-01T08:15:00.000Z", "2026-02-01T08:16:00.000Z");
        let third = "2026-02-01T08:17:00.000Z";
        app.advance_seconds(60);
        let changed = client.put(&path, json!({"applicationName": "Points"})).await.expect(200);
        assert_eq!([&changed["updateDate"], &changed["applicationUpdateDate"]], [first, second]);
        app.advance_seconds(60);
        let changed = client.put(&path, json!({"apiVersion": "2"})).await.expect(200);
        assert_eq!([&changed["updateDate"], &changed["applicationUpdateDate"]], [third, second]);
        // Another package of the version shares the name.
        let clone = client.post(&format!("{path}/clone/work"), json!({})).await.expect(200);
        assert_eq!(clone["applicationName"], "Points");
    }

    async fn known_children_are_changed_and_others_made_or_removed(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        client.put(&path, everything()).await.expect(200);
        let (package, version) = (loyalty.package, loyalty.version);
        // Without lists the known type keeps what is in it; the new one gets numbers of its own.
        let types = json!({"applicationCapabilityTypes": [
            {"capabilityTypeId": 4},
            {"applicationCapabilityTypeId": 1, "isInitializedByDefault": true,
                "applicationCapabilities": null},
        ]});
        let changed = client.put(&path, types).await.expect(200);
        let kept = with(&shown_tax(package, version), json!({
            "isImplemented": false, "isInitializedByDefault": true,
        }));
        let new = json!({
            "applicationCapabilityTypeId": 6, "applicationId": version, "capabilityTypeId": 4,
            "capabilityTypeName": "Order", "isImplemented": false,
            "isInitializedByDefault": false, "applicationCapabilities": [],
            "applicationCapabilityDomains": [], "packageId": package,
        });
        assert_eq!(changed["applicationCapabilityTypes"], json!([new, kept]));
        // Values are found by their numbers as well.
        let domains = json!({"applicationCapabilityTypes": [{
            "applicationCapabilityTypeId": 1, "capabilityTypeId": 0,
            "applicationCapabilityDomains": [{
                "applicationCapabilityDomainId": 3, "name": "Countries",
                "applicationCapabilityDomainValues1": [
                    {"valueName": "CA"}, {"applicationCapabilityDomainValueId": 4, "valueName": "US"},
                ],
            }],
        }]});
        let changed = client.put(&path, domains).await.expect(200);
        let value = |id: i64, name: &str| json!({
            "applicationCapabilityDomainValueId": id, "applicationCapabilityDomainId1": 3,
            "applicationCapabilityDomainId2": null, "valueName": name, "displayName": null,
        });
        let mut kept = with(&kept, json!({"isInitializedByDefault": false}));
        kept["applicationCapabilityDomains"][0]["applicationCapabilityDomainValues1"] =
            json!([value(7, "CA"), value(4, "US")]);
        assert_eq!(changed["applicationCapabilityTypes"], json!([kept]));

        // The list of all capabilities counts when it stands alone.
        let flat = json!({"applicationCapabilities": [
            {"applicationCapabilityId": 2, "applicationEndPoint": null},
            {"capabilityTypeContractId": 21, "applicationCapabilityTypeId": 1},
        ]});
        let changed = client.put(&path, flat.clone()).await.expect(200);
        let capability = |id: i64| json!({
            "applicationCapabilityId": id, "capabilityTypeContractId": 21,
            "applicationEndPoint": null, "applicationCapabilityTypeId": 1, "packageId": package,
        });
        let both = json!([capability(2), capability(8)]);
        assert_eq!(changed["applicationCapabilities"], both);
        assert_eq!(changed["applicationCapabilityTypes"][0]["applicationCapabilities"], both);
        let mut both = flat;
        both["applicationCapabilityTypes"] = json!([]);
        let changed = client.put(&path, both).await.expect(200);
        assert_eq!(changed["applicationCapabilityTypes"], json!([]));
        assert_eq!(changed["applicationCapabilities"], json!([]));

        // Attributes are known by their subsystem and tenant.
        let attributes = json!({"applicationAttributes": [
            {"subsystem": "Product", "sourceTenantId": 2201}, {"subsystem": "ORDER"},
        ]});
        let changed = client.put(&path, attributes).await.expect(200);
        let kept = with(&shown_points(package), json!({
            "attributeJson": null, "isAppliedToBase": false, "sourceTenantName": null,
            "attributeCodes": null,
        }));
        let new = with(&kept, json!({"subsystem": "Order", "sourceTenantId": 0, "attributes": []}));
        assert_eq!(changed["applicationAttributes"], json!([kept, new]));
    }

    async fn what_a_body_leaves_out_of_a_known_subscription_stays(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let made = client.put(&path, json!({"applicationSubscriptions": [{
            "applicationEndPoint": "https://loyalty.acme.example/hooks",
            "events": [{"eventId": 52}], "noCallback": true,
        }]})).await.expect(200);
        let mut expected = made["applicationSubscriptions"][0].clone();
        let id = expected["applicationSubscriptionId"].clone();
        let change = async |members: Value| {
            let mut given = json!({"applicationSubscriptionId": id});
            given.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            client.put(&path, json!({"applicationSubscriptions": [given]})).await
        };
        // As in a change of the subscription itself: `noCallback` counts always.
        let same = json!({"applicationEndPoint": null, "events": null, "noCallback": true});
        assert_eq!(change(same).await.expect(200), made);
        let changed = change(json!({})).await.expect(200);
        expected["noCallback"] = false.into();
        assert_eq!(changed["applicationSubscriptions"], json!([expected]));
        let changed = change(json!({"events": [{"eventId": 48}]})).await.expect(200);
        assert_eq!(changed["applicationSubscriptions"][0]["events"][0]["eventId"], 48);
        assert_eq!(changed["applicationSubscriptions"][0]["applicationEndPoint"],
            "https://loyalty.acme.example/hooks");
        refused_parameter(change(json!({"events": []})).await, "applicationSubscriptions[0].events",
            "must be an array of at least one event.");
        // In a package that is made, no subscription is known.
        let new = json!({"appKey": "acme01.loyalty.1.0.0.work", "applicationSubscriptions":
            [{"applicationSubscriptionId": id, "events": [{"eventId": 52}]}]});
        let answer = client.post(&format!("{PATH}/project"), new).await;
        refused_parameter(answer, "applicationSubscriptions[0].applicationEndPoint",
            "must be the absolute http or https URL that is told, of at most 2000 characters.");
    }

    async fn values_that_cannot_be_are_refused(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let before = whole(&client, &loyalty.key).await;
        let long = "x".repeat(4001);
        let url = "must be an absolute http or https URL.";
        let blank = "must not be blank.";
        for (body, parameter, why) in [
            (json!(null), "appDevPackage", "must be a JSON object."),
            (json!([]), "appDevPackage", "must be a JSON object."),
            (json!({"applicationName": " "}), "applicationName", blank),
            (json!({"applicationName": &long[..201]}), "applicationName", "must have at most 200 characters."),
            (json!({"apiVersion": ""}), "apiVersion", blank),
            (json!({"applicationDescription": long}), "applicationDescription", "must have at most 4000 characters."),
            (json!({"packageDescription": 7}), "packageDescription", "must be a text."),
            (json!({"appConfigUrl": "/configure"}), "appConfigUrl", url),
            (json!({"appConfigUrl": ""}), "appConfigUrl", url),
            (json!({"appKey": "acme01.loyalty"}), "appKey", MALFORMED),
            (json!({"majorVersion": "1"}), "majorVersion", "must be a 32-bit integer."),
            (json!({"applicationStatusId": 2.5}), "applicationStatusId", "must be a 32-bit integer."),
            (json!({"parentThemeAppKey": "base"}), "parentThemeAppKey", MALFORMED),
            (json!({"parentThemeAppKey": "acme01.base.1.0.0.ann"}), "parentThemeAppKey",
                "must name the package Release of a published theme."),
            (json!({"applicationBehaviors": {}}), "applicationBehaviors", "must be an array."),
            (json!({"applicationBehaviors": [102]}), "applicationBehaviors[0]", "must be an object."),
            (json!({"applicationBehaviors": [{}]}), "applicationBehaviors[0].behaviorId",
                "must be the number of a behavior."),
            (json!({"applicationSubscriptions": [{"events": [{"eventId": 52}]}]}),
                "applicationSubscriptions[0].applicationEndPoint",
                "must be the absolute http or https URL that is told, of at most 2000 characters."),
            (json!({"applicationCapabilityTypes": [{}]}),
                "applicationCapabilityTypes[0].capabilityTypeId",
                "must be the number of a capability type."),
            (json!({"applicationCapabilityTypes": [{"capabilityTypeId": 2,
                "applicationCapabilities": [{}]}]}),
                "applicationCapabilityTypes[0].applicationCapabilities[0].capabilityTypeContractId",
                "must be the number of a contract."),
            (json!({"applicationCapabilities": [{"capabilityTypeContractId": 21,
                "applicationEndPoint": "ftp://a.example"}]}),
                "applicationCapabilities[0].applicationEndPoint", url),
            (json!({"applicationAttributes": [{"subsystem": "Cart"}]}),
                "applicationAttributes[0].subsystem", "must be Customer, Order or Product."),
            (json!({"applicationAttributes": [{"subsystem": "Order", "attributeJson": "{"}]}),
                "applicationAttributes[0].attributeJson", "must be JSON in a text."),
            (json!({"applicationAttributes": [{"subsystem": "Order", "productTypeJson": "x"}]}),
                "applicationAttributes[0].productTypeJson", "must be JSON in a text."),
            (json!({"applicationAttributes": [{"subsystem": "Order",
                "attributes": [{"sequence": "first"}]}]}),
                "applicationAttributes[0].attributes[0].sequence", "must be a 32-bit integer."),
        ] {
            refused_parameter(client.put(&path, body).await, parameter, why);
        }
        let answer = client.put(&path_of("acme01.loyalty"), json!({})).await;
        refused_parameter(answer, "applicationKey", MALFORMED);
        let strict = client.clone().with("prefer", "handling=strict");
        let answer = strict.put(&path, json!({"applicationAttributes": [{"subsystem": "Order",
            "attributes": [{"weight": 1}]}], "colour": "red"})).await;
        refused_parameter(answer, "colour", "is unknown. Unknown members: colour, \
            applicationAttributes[0].attributes[0].weight.");
        assert_eq!(strict.put(&path, before.clone()).await.expect(200), before);
        assert_eq!(whole(&client, &loyalty.key).await, before);
    }

    async fn bodies_of_another_package_are_refused(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let other = world.application("acme01.other.1.0.0").await;
        let entries = all_entries(&app).await;
        for (body, member) in [
            (json!({"id": other.package}), "id"),
            (json!({"appKey": other.key}), "appKey"),
            (json!({"appKey": "acme01.loyalty.1.0.0.work"}), "appKey"),
            (json!({"namespace": "globex01"}), "namespace"),
            (json!({"appId": "other"}), "appId"),
            (json!({"majorVersion": 2}), "majorVersion"),
            (json!({"minorVersion": 2}), "minorVersion"),
            (json!({"revision": 2}), "revision"),
            (json!({"packageName": "work"}), "packageName"),
        ] {
            let why = format!("{member} is not that of the package acme01.loyalty.1.0.0.Release: \
                packages are neither renamed nor renumbered.");
            refused_rule(client.put(&path, body).await, &why);
        }
        let same = json!({"id": 0, "appKey": " ACME01.loyalty.01.0.0 ", "namespace": "Acme01",
            "appId": "LOYALTY", "majorVersion": 0, "packageName": "release"});
        client.put(&path, same).await.expect(200);
        assert_eq!(all_entries(&app).await, entries);
    }

    async fn children_that_cannot_be_are_refused(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let other = world.application("acme01.other.1.0.0").await;
        client.put(&path_of(&other.key), everything()).await.expect(200);
        let before = whole(&client, &loyalty.key).await;
        let tax = |more: Value| json!({"applicationCapabilityTypes": [
            with(&json!({"capabilityTypeId": 2, "applicationCapabilities": [],
                "applicationCapabilityDomains": []}), more)]});
        for (body, why) in [
            (json!({"applicationBehaviors": [{"behaviorId": 7}]}), "there is no behavior 7."),
            (json!({"applicationSubscriptions": [{"applicationSubscriptionId": 1,
                "applicationEndPoint": "https://a.example/", "events": [{"eventId": 52}]}]}),
                "package Release has no subscription 1, or it is there twice."),
            (tax(json!({"capabilityTypeId": 8})), "there is no capability type 8."),
            (tax(json!({"applicationCapabilities": [{"capabilityTypeContractId": 31}]})),
                "there is no contract 31 of the capability type 2."),
            (tax(json!({"applicationCapabilities": [{"applicationCapabilityId": 2}]})),
                "applicationCapabilityId 2 is not of this package."),
            (tax(json!({"applicationCapabilityDomains": [{"applicationCapabilityDomainId": 3}]})),
                "applicationCapabilityDomainId 3 is not of this package."),
            (tax(json!({"applicationCapabilityDomains": [{
                "applicationCapabilityDomainValues2": [{"applicationCapabilityDomainValueId": 5}]}]})),
                "applicationCapabilityDomainValueId 5 is not of this package."),
            (json!({"applicationCapabilityTypes": [{"applicationCapabilityTypeId": 1}]}),
                "applicationCapabilityTypeId 1 is not of this package."),
            (json!({"applicationCapabilities": [{"capabilityTypeContractId": 21,
                "applicationCapabilityTypeId": 1}]}),
                "applicationCapabilityTypeId 1 is not of this package."),
            (json!({"applicationAttributes": [{"subsystem": "Order"}, {"subsystem": "order"}]}),
                "there are two applicationAttributes of the subsystem Order and the sourceTenantId 0."),
            (json!({"semanticVersionRange": "^1.0.0"}),
                "semanticVersionRange is for themes that have a parent."),
        ] {
            refused_rule(client.put(&path, body).await, why);
        }
        let own = json!({"applicationCapabilityTypes": [{"applicationCapabilityTypeId": 1},
            {"applicationCapabilityTypeId": 1}]});
        let answer = client.put(&path_of(&other.key), own).await;
        refused_rule(answer, "applicationCapabilityTypeId 1 is there twice.");
        let private = json!({"applicationBehaviors": [{"behaviorId": 25}]});
        refused_private(client.put(&path, private).await, "update_package");
        assert_eq!(whole(&client, &loyalty.key).await, before);
    }

    async fn packages_of_others_do_not_exist(app: TestApp) {
        let (world, _loyalty, client) = loyalty(&app).await;
        let foreign = world.application("globex01.secret.1.0.0").await;
        let owner = world.client(&foreign).await;
        let before = whole(&owner, &foreign.key).await;
        for key in [foreign.key.as_str(), "globex01.secret.2.0.0.Release", "acme01.loyalty.1.0.0.work"] {
            let answer = client.put(&path_of(key), json!({"applicationName": "Mine"})).await;
            refused_key(answer, key);
            refused_key(client.put(&path_of(key), json!({"applicationStatusId": 2})).await, key);
        }
        assert_eq!(whole(&owner, &foreign.key).await, before);
        let reader = world.application_with("acme01.reader.1.0.0", &["Developer Read"]).await;
        let answer = world.client(&reader).await.put(&path_of(&reader.key), json!({})).await;
        let message = "Forbidden: the access token lacks the behavior 43.";
        let data = [("OperationName", "update_package"), ("BehaviorId", "43")];
        refused(answer, 403, "FORBIDDEN", message, &data);
    }

    async fn a_locked_version_changes_nothing_but_its_status(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        client.put(&path, everything()).await.expect(200);
        for (status, name) in [(2, "Submitted For Certification"), (3, "Certified"),
            (5, "Published"), (6, "Retired")] {
            world.set_status(&loyalty, status).await;
            let before = whole(&client, &loyalty.key).await;
            for body in [
                json!({"applicationName": "New"}), json!({"applicationDescription": null}),
                json!({"packageDescription": "New"}), json!({"applicationBehaviors": []}),
                json!({"applicationSubscriptions": []}), json!({"applicationAttributes": []}),
                json!({"applicationCapabilityTypes": [tax()]}),
                json!({"apiVersion": "3", "applicationStatusId": 1}),
            ] {
                refused_rule(client.put(&path, body).await, &locked(name));
            }
            assert_eq!(client.put(&path, before.clone()).await.expect(200), before);
            assert_eq!(whole(&client, &loyalty.key).await, before);
        }
        world.set_status(&loyalty, 2).await;
        // Who may not decide is told so, whatever else the body has.
        let verdict = json!({"applicationName": "New", "applicationStatusId": 3});
        refused_verdict(client.put(&path, verdict).await);
        let echo = with(&whole(&client, &loyalty.key).await, json!({"applicationStatusId": 1}));
        app.advance_seconds(60);
        let withdrawn = client.put(&path, echo).await.expect(200);
        assert_eq!(withdrawn["applicationStatusName"], "In Development");
        assert_eq!(withdrawn["isLocked"], false);
        assert_eq!(withdrawn["updateDate"], "2026-02-01T08:15:00.000Z");
        assert_eq!(withdrawn["applicationUpdateDate"], "2026-02-01T08:16:00.000Z");
    }

    async fn owners_move_their_versions_as_the_statuses_allow(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        let names = ["In Development", "Submitted For Certification", "Certified",
            "Certification Failed", "Published", "Retired"];
        // `.` moves, `o` is for operators, `x` never; the same status is no move.
        let outcomes = ["=.xxx.", ".=ooxx", "xx=x..", "..x=x.", "xx.x=.", "xxxxx="];
        let next = ["2, 6", "1, 3, 4", "5, 6", "1, 2, 6", "3, 6", ""];
        for (from, outcomes) in (1_usize..).zip(outcomes) {
            for (to, outcome) in (1_usize..).zip(outcomes.chars()) {
                world.set_status(&loyalty, from as i64).await;
                let answer = client.put(&path, json!({"applicationStatusId": to})).await;
                match outcome {
                    'o' => refused_verdict(answer),
                    'x' if from == 6 => refused_rule(answer, "status 6 (Retired) is final."),
                    'x' => {
                        let (name, next) = (names[from - 1], next[from - 1]);
                        let why = format!("status {from} ({name}) can be followed by {next}, not by {to}.");
                        refused_rule(answer, &why);
                    }
                    _ => {
                        let moved = answer.expect(200);
                        assert_eq!(moved["applicationStatusId"], to);
                        assert_eq!(moved["applicationStatusName"], names[to - 1]);
                        assert_eq!(moved["applicationStatus"], names[to - 1]);
                    }
                }
            }
        }
        let answer = client.put(&path, json!({"applicationStatusId": 7})).await;
        refused_rule(answer, "status 6 (Retired) is final.");
    }

    async fn themes_take_updates_of_their_parents(app: TestApp) {
        let world = World::new(&app).await;
        let base = world.theme("acme01.base.1.0.0").await;
        let (newer, other) = (world.theme("acme01.base.1.1.0").await, world.theme("globex01.basic.3.0.0").await);
        let theme = world.theme("acme01.winter.1.0.0").await;
        for published in [&base, &newer, &other] {
            world.set_status(published, 5).await;
        }
        let client = world.client(&theme).await;
        let path = path_of(&theme.key);
        let orphan = whole(&client, &theme.key).await;
        let range = "semanticVersionRange";
        refused_rule(client.put(&path, json!({range: "*"})).await,
            "semanticVersionRange is for themes that have a parent.");
        let inherits = client.put(&path, json!({"parentThemeAppKey": base.key})).await.expect(200);
        let inherited = with(&orphan, json!({
            "publishedParentThemeId": base.version, "publishedParentSemanticVersion": "1.0.0",
            "semanticVersionRange": "^1.0.0", "parentThemeName": "base",
            "parentThemeAppKey": base.key, "updateParentAppKey": newer.key,
            "updateAvailable": true, "updateParentThemeName": "base",
            "updateParentThemeVersion": "1.1.0",
        }));
        assert_eq!(inherits, inherited);
        // The range decides what is offered, and holds what is inherited.
        let narrowed = client.put(&path, json!({range: "1.0.x || 3"})).await.expect(200);
        assert_eq!(narrowed, with(&inherited, json!({
            "semanticVersionRange": "1.0.x || 3", "updateParentAppKey": null,
            "updateAvailable": false, "updateParentThemeName": null, "updateParentThemeVersion": null,
        })));
        refused_rule(client.put(&path, json!({range: "newest"})).await,
            "semanticVersionRange must be a range of versions as npm reads it, such as ^1.2.0.");
        refused_rule(client.put(&path, json!({range: "^2.0.0"})).await,
            "semanticVersionRange must hold the parent's version, 1.0.0.");
        refused_rule(client.put(&path, json!({range: "^1.0.0", "parentThemeAppKey": other.key})).await,
            "semanticVersionRange must hold the parent's version, 3.0.0.");
        // Accepting an update is naming it as the parent.
        let echo = with(&inherited, json!({"parentThemeAppKey": newer.key}));
        let accepted = client.put(&path, echo).await.expect(200);
        assert_eq!(accepted, with(&inherited, json!({
            "publishedParentThemeId": newer.version, "publishedParentSemanticVersion": "1.1.0",
            "parentThemeAppKey": newer.key, "updateParentAppKey": null, "updateAvailable": false,
            "updateParentThemeName": null, "updateParentThemeVersion": null,
        })));
        let moved = client.put(&path, json!({"parentThemeAppKey": other.key})).await.expect(200);
        assert_eq!(moved["semanticVersionRange"], "^3.0.0");
        assert_eq!(moved["parentThemeName"], "basic");
        let dropped = client.put(&path, with(&moved, json!({"parentThemeAppKey": ""}))).await;
        assert_eq!(dropped.expect(200), orphan);
        let told = "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'application_version' \
            AND action = 'update' AND changes LIKE '{\"parent_version_id\":[%,null],\
            \"parent_range\":[\"^3.0.0\",null]}'";
        assert_eq!(app.count(told).await, 1);
    }

    async fn parents_that_cannot_be_are_refused(app: TestApp) {
        let world = World::new(&app).await;
        let (base, draft) = (world.theme("acme01.base.1.0.0").await, world.theme("acme01.draft.1.0.0").await);
        let foreign = world.theme("globex01.draft.1.0.0").await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        world.set_status(&base, 5).await;
        let client = world.client(&loyalty).await;
        let named = |key: &str| json!({"parentThemeAppKey": key});
        for key in [foreign.key.as_str(), "acme01.nothing.1.0.0.Release"] {
            let message = format!("Item not found: parent theme {key}");
            let answer = client.put(&path_of(&draft.key), named(key)).await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("ParentThemeAppKey", key)]);
        }
        for (child, parent, why) in [
            (&draft, &loyalty, "the parent acme01.loyalty.1.0.0.Release is not a theme."),
            (&base, &draft, "the parent acme01.draft.1.0.0.Release is not published."),
            (&loyalty, &base, "only a theme can have a parent theme."),
        ] {
            refused_rule(client.put(&path_of(&child.key), named(&parent.key)).await, why);
        }
        client.put(&path_of(&draft.key), named(&base.key)).await.expect(200);
        world.set_status(&draft, 5).await;
        world.set_status(&base, 1).await;
        let answer = client.put(&path_of(&base.key), named(&draft.key)).await;
        refused_rule(answer, "the parent acme01.draft.1.0.0.Release inherits from the theme itself.");
        let answer = client.put(&path_of(&draft.key), named(&draft.key)).await;
        refused_rule(answer, "the parent acme01.draft.1.0.0.Release is the theme itself.");
    }

    async fn a_change_may_depend_on_the_state_that_was_read(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        for query in ["", "?includeChildren=true"] {
            let read = client.get(&format!("{path}{query}")).await;
            let tag = read.header("etag").to_owned();
            let matching = client.clone().with("if-match", &tag);
            app.advance_seconds(60);
            let body = json!({"packageDescription": format!("read with {query}")});
            matching.put(&path, body.clone()).await.expect(200);
            let message = "If-Match names another state of the record; read it again.";
            refused(matching.put(&path, json!({"packageDescription": null})).await, 412,
                "PRECONDITION_FAILED", message, &[]);
        }
    }

    async fn racing_changes_do_not_undo_each_other(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let put = |body: Value| {
            let (client, path) = (client.clone(), path_of(&loyalty.key));
            async move { client.put(&path, body).await }
        };
        let bodies = [json!({"apiVersion": "2"}), json!({"packageDescription": "Ann's"}),
            json!({"applicationDescription": "Points"}), json!({"appConfigUrl": "https://a.example/"}),
            json!({"applicationBehaviors": []}), json!({"applicationAttributes": [points()]})];
        for answer in futures_util::future::join_all(bodies.map(put)).await {
            answer.expect(200);
        }
        let after = whole(&client, &loyalty.key).await;
        for (member, value) in [("apiVersion", json!("2")), ("packageDescription", json!("Ann's")),
            ("applicationDescription", json!("Points")), ("appConfigUrl", json!("https://a.example/")),
            ("applicationBehaviors", json!([])),
            ("applicationAttributes", json!([shown_points(loyalty.package)]))] {
            assert_eq!(after[member], value, "{member}");
        }
    }

    async fn no_change_slips_behind_a_submit(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let put = |body: Value| {
            let (client, path) = (client.clone(), path_of(&loyalty.key));
            async move { client.put(&path, body).await }
        };
        let mut bodies: Vec<Value> = (0..6).map(|it| json!({"apiVersion": format!("{it}")})).collect();
        bodies.insert(3, json!({"applicationStatusId": 2}));
        let answers = futures_util::future::join_all(bodies.into_iter().map(put)).await;
        let mut versions = vec![json!("1")];
        for answer in answers {
            if answer.status == 409 {
                refused_rule(answer, &locked("Submitted For Certification"));
            } else {
                versions.push(answer.expect(200)["apiVersion"].take());
            }
        }
        let after = whole(&client, &loyalty.key).await;
        assert_eq!(after["applicationStatusId"], 2);
        assert!(versions.contains(&after["apiVersion"]), "{} of {versions:?}", after["apiVersion"]);
    }

    async fn paths_and_response_fields_are_as_everywhere(app: TestApp) {
        let (_world, _loyalty, client) = loyalty(&app).await;
        let path = "/PLATFORM/AppDev/AppPackages/ACME01.Loyalty.1.0.0/?responseFields=appKey,packageDescription";
        let changed = client.put(path, json!({"PackageDescription": "New"})).await.expect(200);
        assert_eq!(changed, json!({"packageDescription": "New", "appKey": "acme01.loyalty.1.0.0.Release"}));
    }

    async fn operators_certify_versions_of_others_and_change_nothing_else(app: TestApp with operated) {
        let world = World::new(&app).await;
        let operator = world.application("acme01.console.1.0.0").await;
        let foreign = world.application("globex01.secret.1.0.0").await;
        let (client, owner) = (world.client(&operator).await, world.client(&foreign).await);
        let path = path_of(&foreign.key);
        owner.put(&path, json!({"applicationStatusId": 2})).await.expect(200);
        refused_verdict(owner.put(&path, json!({"applicationStatusId": 3})).await);
        let read = format!("{path}?skipDevAccountCheck=true&includeChildren=true");
        let submitted = client.get(&read).await.expect(200);
        let verdict = with(&submitted, json!({"applicationStatusId": 3}));
        refused_key(client.put(&path, with(&verdict, json!({"apiVersion": "9"}))).await, &foreign.key);
        app.advance_seconds(60);
        let certified = client.put(&path, verdict).await.expect(200);
        let expected = with(
            &submitted,
            json!({
                "applicationUpdateDate": "2026-02-01T08:16:00.000Z", "applicationStatusId": 3,
                "applicationStatusName": "Certified", "validApplicationStatusIdList": [5, 6],
                "applicationStatus": "Certified",
            }),
        );
        assert_eq!(certified, expected);
        assert_eq!(certified["sharedSecret"], Value::Null);
        // The rest is the owner's: to publish, say, or to retire it for good.
        for status in [5, 6] {
            let body = json!({"applicationStatusId": status});
            refused_key(client.put(&path, body).await, &foreign.key);
        }
        // What is theirs is theirs: private behaviors may be given, and stay when the owner sends them back.
        let own = path_of(&operator.key);
        let given = json!({"applicationBehaviors": [{"behaviorId": 25}]});
        let changed = client.put(&own, given).await.expect(200);
        assert_eq!(changed["applicationBehaviors"][0]["behaviorId"], 25);
    }

    async fn private_behaviors_stay_when_their_owner_sends_them_back(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let sql = format!("UPDATE packages SET behaviors = '[25]' WHERE id = {}", loyalty.package);
        app.execute(&sql).await;
        let read = whole(&client, &loyalty.key).await;
        assert_eq!(client.put(&path_of(&loyalty.key), read.clone()).await.expect(200), read);
    }

    async fn owners_certify_themselves_where_that_is_allowed(app: TestApp with |config| config.self_certification = true) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = path_of(&loyalty.key);
        for status in [2, 4, 2, 3, 5] {
            let moved = client.put(&path, json!({"applicationStatusId": status})).await.expect(200);
            assert_eq!(moved["applicationStatusId"], status);
        }
        let private = json!({"applicationStatusId": 3, "applicationBehaviors": [{"behaviorId": 25}]});
        refused_private(client.put(&path, private).await, "update_package");
    }
}
