//! `/platform/reference`.
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{World, refused};

const PATH: &str = "/api/platform/reference/behaviors";
const EVENTS: &str = "/api/platform/reference/events";
const CAPABILITY_TYPES: &str = "/api/platform/reference/capabilitytypes";

/// An application that may do nothing in particular: what packages refer to everybody may read.
async fn anybody(app: &TestApp) -> Client {
    let world = World::new(app).await;
    let application = world.application_with("acme01.loyalty.1.0.0", &[]).await;
    world.client(&application).await
}

on_both! {
    async fn behaviors_are_those_of_the_catalogue(app: TestApp) {
        let client = anybody(&app).await;
        let list = client.get(PATH).await.expect(200);
        assert_eq!(list["totalCount"], 127);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 127);
        let ids: Vec<i64> = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
        assert!(ids.is_sorted());
        let create = json!({"id": 101, "categoryId": 5, "name": "Order Create",
            "requiresBehaviorIds": [102], "validUserTypes": ["Developer"], "isPrivate": false,
            "systemRoles": []});
        let certify = json!({"id": 25, "categoryId": 1, "name": "Application Certify",
            "requiresBehaviorIds": [], "validUserTypes": ["Developer"], "isPrivate": true,
            "systemRoles": []});
        assert!(items.contains(&create) && items.contains(&certify));
        assert_eq!(client.get(&format!("{PATH}/101")).await.expect(200), create);
    }

    async fn behaviors_are_listed_by_type_of_user(app: TestApp) {
        let client = anybody(&app).await;
        let all = client.get(PATH).await.expect(200);
        for query in ["userType=Developer", "USERTYPE=developer", "userType=", "other=1"] {
            assert_eq!(client.get(&format!("{PATH}?{query}")).await.expect(200), all, "{query}");
        }
        let none = client.get(&format!("{PATH}?userType=Shopper")).await.expect(200);
        assert_eq!(none, json!({"totalCount": 0, "items": []}));
    }

    async fn categories_group_behaviors(app: TestApp) {
        let client = anybody(&app).await;
        let list = client.get(&format!("{PATH}/categories")).await.expect(200);
        assert_eq!(list["totalCount"], 24);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 24);
        assert_eq!(items[0], json!({"id": 1, "name": "Application"}));
        assert_eq!(items[23], json!({"id": 50, "name": "Account"}));
        let order = client.get(&format!("{PATH}/categories/5")).await.expect(200);
        assert_eq!(order, json!({"id": 5, "name": "Order"}));
    }

    async fn events_are_those_of_the_catalogue(app: TestApp) {
        let client = anybody(&app).await;
        let list = client.get(EVENTS).await.expect(200);
        assert_eq!(list["totalCount"], 121);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 121);
        let ids: Vec<i64> = items.iter().map(|item| item["eventId"].as_i64().unwrap()).collect();
        assert!(ids.is_sorted());
        assert_eq!(items[51], json!({"eventId": 52, "eventName": "order.opened",
            "eventCategory": "Order", "apiVersionNumber": "1", "extendedProperties": []}));
        let renamed = json!({"eventId": 85, "eventName": "product.coderenamed",
            "eventCategory": "Product", "apiVersionNumber": "1",
            "extendedProperties": ["previousProductCode"]});
        assert_eq!(items[84], renamed);
    }

    async fn capability_types_are_those_of_the_catalogue(app: TestApp) {
        let client = anybody(&app).await;
        let list = client.get(CAPABILITY_TYPES).await.expect(200);
        assert_eq!(list["totalCount"], 7);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 7);
        assert_eq!(items[4], json!({"id": 5, "capabilityTypeName": "Shipping Adapter",
            "capabilityTypeLabel": "Shipping Adapter", "apiVersionNumber": "1",
            "domains": ["Countries", "Carriers"],
            "contracts": [{"capabilityTypeContractId": 51, "contractName": null,
                "contractDescription": null, "contractDefinitionUrl": null, "auditInfo": null,
                "capabilityTypeId": 5, "isRequired": true, "verb": "POST"}]}));
        let path = format!("{CAPABILITY_TYPES}/?responseFields=items(id,-x)");
        let shown = client.get(&path.to_uppercase().replace("RESPONSEFIELDS", "responsefields")).await;
        assert_eq!(shown.expect(200)["items"][6], json!({"id": 7}));
    }

    async fn what_is_not_in_the_catalogue_is_not_found(app: TestApp) {
        let client = anybody(&app).await;
        let unknown = client.get(&format!("{PATH}/26")).await;
        let message = "Item not found: behavior 26";
        refused(unknown, 404, "ITEM_NOT_FOUND", message, &[("BehaviorId", "26")]);
        let unknown = client.get(&format!("{PATH}/categories/24")).await;
        let message = "Item not found: category 24";
        refused(unknown, 404, "ITEM_NOT_FOUND", message, &[("CategoryId", "24")]);
        let why = "must be an integer from 1 to 2147483647.";
        for (path, parameter) in [("order", "behaviorId"), ("categories/order", "categoryId")] {
            let malformed = client.get(&format!("{PATH}/{path}")).await;
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            refused(malformed, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        }
    }

    async fn an_access_token_is_needed(app: TestApp) {
        let message = "The access token is missing, not valid or expired.";
        let table = [
            ("", "list_behaviors"),
            ("/101", "get_behavior"),
            ("/categories", "list_behavior_categories"),
            ("/categories/5", "get_behavior_category"),
        ];
        let table = table.map(|(path, operation)| (format!("{PATH}{path}"), operation));
        let others = [(EVENTS, "list_events"), (CAPABILITY_TYPES, "list_capability_types")];
        let others = others.map(|(path, operation)| (path.to_owned(), operation));
        for (path, operation) in table.into_iter().chain(others) {
            let answer = app.anonymous().get(&path).await;
            let data = [("OperationName", operation), ("WWW-Authenticate", "Bearer")];
            refused(answer, 401, "INVALID_ACCESS_TOKEN", message, &data);
        }
    }

    async fn addresses_and_fields_are_those_of_the_family(app: TestApp) {
        let client = anybody(&app).await;
        let path = "/API/Platform/Reference/Behaviors/Categories/?responsefields=";
        let all = client.get(&format!("{PATH}/categories")).await.expect(200);
        assert_eq!(client.get(path).await.expect(200), all);
        let path = "/platform/reference/BEHAVIORS/101/?responseFields=NAME,id";
        let shown = client.get(path).await.expect(200);
        assert_eq!(shown.to_string(), r#"{"id":101,"name":"Order Create"}"#);
        let shown = client.get(&format!("{PATH}?responseFields=totalCount")).await.expect(200);
        assert_eq!(shown, json!({"totalCount": 127}));
        let path = format!("{PATH}?responseFields=items(-requiresBehaviorIds,-systemRoles)");
        let shown = client.get(&path).await.expect(200);
        let order = Value::Array(vec![shown["items"][32].clone()]);
        assert_eq!(order[0].get("systemRoles"), None);
    }
}
