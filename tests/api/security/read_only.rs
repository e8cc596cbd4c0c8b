//! What only the service sets is not set by those who send it.
use std::collections::BTreeSet;

use http::Method;
use serde_json::{Map, Value, json};

use super::id;
use super::records::Records;
use crate::document::{Operation, of};
use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{World, tenant};
use crate::support::receiver::Receiver;

/// Part of every text that is sent where it must not arrive.
const PLANTED: &str = "planted7q";

/// Another value of the same type.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_f64().unwrap() as i64 + 4242),
        Value::Array(_) => json!([{"id": 4242, "key": PLANTED, "name": PLANTED}]),
        Value::Object(_) => json!({"id": 4242, "name": PLANTED}),
        Value::String(_) | Value::Null => json!(PLANTED),
    }
}

/// What is only read of the record that an operation answers a write with, if there is such a record.
fn only_read(operation: Operation) -> Option<Vec<&'static str>> {
    operation.value["requestBody"]["content"].get("application/json")?;
    let responses = &operation.value["responses"];
    let response = responses.get("201").or(responses.get("200"))?;
    let reference = response["content"]["application/json"]["schema"]["$ref"].as_str()?;
    let schema = operation.document.value.pointer(reference.strip_prefix('#')?)?;
    let properties = schema["properties"].as_object()?.iter();
    let read_only = properties.filter(|(_, schema)| schema["readOnly"] == true);
    let names: Vec<&str> = read_only.map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then_some(names)
}

/// Other values for what is only read.
fn planted(shown: &Value, names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), other(&shown[*name]))).collect()
}

/// Operations whose JSON is no record: there is nothing in it that is only read.
const NO_RECORDS: [&str; 2] = ["create_token", "replay_webhook_deliveries"];

/// A body that a create accepts.
fn new(operation: Operation, own: &Records, uri: &str, name: &str) -> Value {
    match id(operation) {
        "create_app_offering" => json!({"name": name, "policy_jwt_alg": "es256",
            "service_instance_id": own.service_instance, "webhook_uri_template": uri}),
        "create_app_offering_scope" => json!({"actions": ["ci:Read"]}),
        "create_app_offering_automation_rule" => json!({"app_offering_id": own.draft,
            "rulable_type": "Req", "name": name, "trigger": "on note added"}),
        "create_app_instance" => json!({"app_offering_id": own.version}),
        "create_ui_extension" => json!({"name": name, "category": "app_offering"}),
        "create_service_instance" => json!({"name": name, "service_id": 1}),
        "create_webhook_policy" => json!({"jwt_alg": "es256"}),
        "create_webhook" => json!({"event": "app_instance.create", "uri": uri}),
        other => panic!("{other}: what does it make?"),
    }
}

/// Sends a create with other values of what is only read; the path of what was made.
async fn create(
    operation: Operation,
    client: &Client,
    path: &str,
    mut body: Value,
    names: &[&str],
) -> String {
    // Its like tells of which types the values are.
    let like = client.get(path).await.expect(200)[0]["id"].to_string();
    let like = format!("{path}/{like}");
    let mut planted = planted(&client.get(&like).await.expect(200), names);
    if id(operation) == "create_app_instance" {
        // An app is installed once; for whom is refused when it is somebody else.
        client.delete(&like).await.expect(204);
        let account = planted.remove("customer_account").unwrap();
        let mut for_others = body.clone();
        for_others["customer_account"] = account;
        let why = "Customer account must be the caller's own: an administrator of the customer \
                   account installs the app";
        let expected =
            json!({"message": "Validation Failed", "errors": [["customer_account", why]]});
        assert_eq!(client.post(path, for_others).await.expect(422), expected);
    }
    body.as_object_mut().unwrap().extend(planted.clone());
    let made = client.post(path, body).await.expect(201);
    let place = format!("{path}/{}", made["id"]);
    let shown = client.get(&place).await.expect(200);
    for (property, value) in &planted {
        assert_ne!(shown[property], *value, "{}: {property} is stored", operation.name());
    }
    place
}

/// Changes nothing but what is only read: then nothing changes.
async fn update(operation: Operation, client: &Client, path: &str, names: &[&str]) {
    let before = client.get(path).await.expect(200);
    let body = Value::Object(planted(&before, names)).to_string();
    client.send(operation.method(), path, body.into()).await.expect(200);
    assert_eq!(client.get(path).await.expect(200), before, "{}", operation.name());
}

/// Other values for all members of a record of the app packages that its schema calls only read.
fn others(record: &Value, schema: &str) -> Value {
    let operation = of("package_api").next().unwrap();
    let properties = &operation.document.value["components"]["schemas"][schema]["properties"];
    let members = record.as_object().unwrap().iter();
    let members = members.filter(|(name, _)| properties[name.as_str()]["readOnly"] == true);
    members.map(|(name, value)| (name.clone(), other(value))).collect()
}

on_both! {
    async fn properties_that_are_only_read_are_never_stored(app: TestApp) {
        let receiver = Receiver::of_anything();
        let own = Records::of(&app, "acme", "streuselkuchen", &receiver).await;
        let uri = receiver.url("/in");
        let mut writes = 0;
        // What is made takes the place of what there was.
        let mut operations: Vec<Operation> = of("offering_api").collect();
        operations.sort_by_key(|operation| operation.method == "post");
        for operation in operations {
            let Some(names) = only_read(operation) else {
                let content = &operation.value["requestBody"]["content"];
                let is_known = content.get("application/json").is_none()
                    || NO_RECORDS.contains(&id(operation));
                assert!(is_known, "{}: is it a record?", operation.name());
                continue;
            };
            let client = own.owner(&app, operation);
            let path = own.path(operation, None);
            // They are known, so that even who asks for strictness may send back what was shown.
            for (name, client) in [
                ("One", client.clone()),
                ("Other", client.clone().with("prefer", "handling=strict")),
            ] {
                let place = if operation.method() == Method::POST {
                    let body = new(operation, &own, &uri, name);
                    create(operation, &client, &path, body, &names).await
                } else {
                    update(operation, &client, &path, &names).await;
                    path.clone()
                };
                let shown = client.get(&place).await.text();
                assert!(!shown.contains(PLANTED), "{}: {shown}", operation.name());
                writes += 1;
            }
            app.advance_seconds(2);
        }
        assert!(writes > 40, "only {writes}");
        let planted = format!("SELECT COUNT(*) FROM audit_lines WHERE changes LIKE '%{PLANTED}%'");
        assert_eq!(app.count(&planted).await, 0);
    }

    async fn members_that_the_server_sets_are_never_stored(app: TestApp) {
        let world = World::new(&app).await;
        let application = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&application).await.with("prefer", "handling=strict");
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let api = "/api/platform/appdev";

        let package = format!("{api}/apppackages/{}", application.key);
        let before = client.get(&package).await.expect(200);
        let planted = others(&before, "AppDevPackage");
        assert_eq!(planted.as_object().unwrap().len(), 30);
        client.put(&package, planted.clone()).await.expect(200);
        assert_eq!(client.get(&package).await.expect(200), before);
        // The same in the body of a new one, beside its key.
        let mut body = planted;
        body["appKey"] = json!("acme01.loyalty.1.0.0.Work");
        let made = client.post(&format!("{api}/apppackages/project"), body).await.expect(200);
        assert!(!made.to_string().contains(PLANTED), "{made}");
        assert_eq!((&made["isReleasePackage"], &made["isDeleted"]), (&json!(false), &json!(false)));
        assert_eq!(made["applicationOwnerDevAccountId"], before["applicationOwnerDevAccountId"]);
        assert_ne!(made["packageGuid"], before["packageGuid"]);

        let subscriptions = format!("{api}/appsubscriptions/events");
        let body = json!({"applicationSubscriptionId": 4242, "packageId": application.package,
            "applicationEndPoint": "https://a.example/", "events": [{"eventId": 52,
            "eventCategory": PLANTED, "apiVersionNumber": PLANTED}]});
        let made = client.post(&subscriptions, body).await.expect(200);
        assert_ne!(made["applicationSubscriptionId"], 4242);
        let mut changed = made.clone();
        changed["events"][0]["eventCategory"] = json!(PLANTED);
        changed["events"][0]["apiVersionNumber"] = json!(PLANTED);
        client.put(&subscriptions, changed).await.expect(200);
        let one = format!("{api}/appsubscriptions/{}", made["applicationSubscriptionId"]);
        assert_eq!(client.get(&one).await.expect(200), made);

        let install = format!("{api}/appinstall/application/entitlement");
        let terms = json!({"packageId": application.package, "tenantId": sandbox});
        let made = client.post(&install, terms.clone()).await.expect(200);
        let mut again = others(&made, "ApplicationEntitlement");
        assert_eq!(again.as_object().unwrap().len(), 14);
        again.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        client.post(&install, again.clone()).await.expect(200);
        let one = format!("{install}/{}", made["applicationEntitlementId"]);
        assert_eq!(client.get(&one).await.expect(200), made);
        let (production, _) = tenant(&app, "acme", false).await;
        again["tenantId"] = json!(production);
        let to_production = format!("{api}/appinstall/toproductiontenant");
        world.set_status(&application, 3).await;
        let made = client.post(&to_production, again).await.expect(200);
        assert!(!made.to_string().contains(PLANTED), "{made}");

        let client = client.with("x-vol-tenant", &sandbox.to_string());
        let installed = "/api/platform/applications/acme01.loyalty";
        let before = client.get(installed).await.expect(200);
        let planted = others(&before, "InstalledApplication");
        assert_eq!(planted.as_object().unwrap().len(), 6);
        client.put(installed, planted).await.expect(200);
        assert_eq!(client.get(installed).await.expect(200), before);
    }
}

/// Operations of packages that take a JSON record are all in the test above, or have nothing in their body
/// that the server sets.
#[test]
fn every_write_of_packages_is_tried() {
    let tried = [
        "create_application_subscription",
        "create_package",
        "install_application",
        "install_application_to_production",
        "update_application_subscription",
        "update_installed_application",
        "update_package",
    ];
    // Credentials, a key, two paths, and numbers of behaviors.
    let others = [
        "authenticate_app",
        "authenticate_app_oauth",
        "authenticate_developer",
        "create_app_package",
        "refresh_app_ticket",
        "refresh_developer_ticket",
        "rename_package_file",
        "update_package_behaviors",
    ];
    let writes = of("package_api").filter(|operation| {
        operation.value["requestBody"]["content"].get("application/json").is_some()
    });
    let writes: BTreeSet<&str> = writes.map(id).collect();
    assert_eq!(writes, tried.into_iter().chain(others).collect());
}
