//! What the document says of requests and answers, held against what is taken and given.
use std::collections::BTreeSet;

use appmarket::api::openapi_3_0;
use serde_json::{Value, json};

use super::PATH;
use crate::offering_api::app_offerings::{offering, service_instance};
use crate::support::TestApp;
use crate::support::contract::documents;

#[test]
fn requests_may_remove_custom_fields_that_answers_show_with_a_value() {
    let [offerings, _] = documents();
    let problems = |schema: &str, value: &Value| {
        let place = format!("/components/schemas/{schema}/properties/custom_fields");
        offerings.problems(&place, value)
    };
    let (all, one) = (Value::Null, json!([{"id": "url", "value": null}]));
    for record in ["AppInstance", "ServiceInstance"] {
        for schema in [format!("Create{record}"), format!("Update{record}")] {
            assert_eq!(problems(&schema, &all), [""; 0], "{schema}");
            assert_eq!(problems(&schema, &one), [""; 0], "{schema}");
        }
        assert_ne!(problems(record, &all), [""; 0], "{record}");
        assert_ne!(problems(record, &one), [""; 0], "{record}");
    }
    let older = openapi_3_0::derive(&offerings.value).unwrap();
    let schemas = &older["components"]["schemas"];
    assert_eq!(schemas["UpdateAppInstance"]["properties"]["custom_fields"]["nullable"], true);
    // Null is exactly one of the choices.
    let choices = schemas["CustomFieldInputValue"]["oneOf"].as_array().unwrap();
    assert_eq!(choices.iter().filter(|choice| choice["nullable"] == true).count(), 1);
}

#[tokio::test]
async fn the_address_of_a_picture_need_not_be_a_uri() {
    let app = TestApp::sqlite().await;
    let mut body = offering("Echo", service_instance(&app, "acme").await);
    body["picture_uri"] = json!("https://e.example.org/{x}");
    let made = app.acme().post(PATH, body).await.expect(201);
    assert_eq!(made["picture_uri"], "https://e.example.org/{x}");
}

#[test]
fn only_records_with_a_source_take_it_from_headers() {
    let [offerings, _] = documents();
    let mut taking = BTreeSet::new();
    for (path, item) in offerings.value["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let sources = parameters.filter(|it| {
                it["$ref"].as_str().is_some_and(|reference| reference.ends_with("Source"))
            });
            if sources.count() > 0 {
                taking.insert(format!("{method} {path}"));
            }
        }
    }
    let records = ["app_offerings", "service_instances", "ui_extensions", "webhooks"];
    assert_eq!(taking, records.map(|record| format!("post /v1/{record}")).into());
}

#[test]
fn an_answer_that_shows_a_secret_has_no_tag() {
    let [offerings, _] = documents();
    let tag = |path: &str, method: &str, status: &str| {
        offerings.value["paths"][path][method]["responses"][status]["headers"]["ETag"]["$ref"]
            .as_str()
            .and_then(|reference| reference.rsplit('/').next())
    };
    for (path, method, status, expected) in [
        ("/v1/webhook_policies", "post", "201", None),
        ("/v1/webhook_policies/{id}/rotate", "post", "200", None),
        ("/v1/webhook_policies/{id}", "patch", "200", Some("ETag")),
        ("/v1/webhooks", "post", "201", Some("ETagUnlessSecret")),
        ("/v1/webhooks/{id}", "put", "200", Some("ETagUnlessSecret")),
        ("/v1/webhooks/{id}", "get", "200", Some("ETag")),
    ] {
        assert_eq!(tag(path, method, status), expected, "{method} {path}");
    }
}

#[test]
fn lists_name_what_they_always_show() {
    let [offerings, _] = documents();
    let fields = |path: &str| {
        let parameters = offerings.value["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().find(|it| it["name"] == "fields").unwrap()["description"].to_string()
    };
    for (path, disabled, account) in [
        ("/v1/app_offerings", true, true),
        ("/v1/app_instances", true, true),
        ("/v1/app_offerings/{app_offering_id}/scopes", false, true),
        ("/v1/webhooks", true, false),
        ("/v1/service_instances", false, false),
    ] {
        let text = fields(path);
        assert_eq!(text.contains(", `disabled` on records that are"), disabled, "{path}: {text}");
        assert_eq!(text.contains(", `account` on records of other"), account, "{path}: {text}");
    }
}
