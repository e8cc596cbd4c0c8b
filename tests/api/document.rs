//! Properties of the whole API, proved from its documents: a new operation is covered when it is mounted.
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use appmarket::api::openapi_3_0;
use appmarket::directory::catalogue::Catalogue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::contract::{Document, documents};
use crate::support::messages::{self, EVENTS};
use crate::support::packages::World;
use crate::support::receiver::{Received, Receiver};

/// An operation with where it is.
#[derive(Clone, Copy)]
pub struct Operation {
    pub document: &'static Document,
    pub path: &'static str,
    pub method: &'static str,
    pub value: &'static Value,
}

/// Every operation of both families.
fn operations() -> impl Iterator<Item = Operation> {
    documents().into_iter().flat_map(|document| {
        let paths = document.value["paths"].as_object().unwrap();
        paths.iter().flat_map(move |(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, value)| Operation {
                document,
                path,
                method,
                value,
            })
        })
    })
}

/// Those of one family.
pub fn of(family: &'static str) -> impl Iterator<Item = Operation> {
    operations().filter(move |operation| operation.document.family == family)
}

impl Operation {
    pub fn name(self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn method(self) -> Method {
        self.method.to_ascii_uppercase().parse().unwrap()
    }

    pub fn is_free(self) -> bool {
        let alternatives = self.value["security"].as_array().unwrap();
        alternatives.iter().any(|one| one.as_object().unwrap().is_empty())
    }

    pub fn scope(self) -> Option<&'static str> {
        let schemes = &self.value["security"][1];
        schemes["oauth2"][0].as_str().or(schemes["applicationOAuth2"][0].as_str())
    }

    /// The path with a value for each of its parameters.
    pub fn filled(self, value: impl Fn(&str) -> String) -> String {
        let segments = self.path.split('/').map(|segment| {
            let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            name.map_or_else(|| segment.to_owned(), &value)
        });
        segments.collect::<Vec<_>>().join("/")
    }

    pub async fn send(self, client: &Client, path: &str) -> crate::support::Answer {
        client.send(self.method(), path, b"{}".to_vec()).await
    }
}

/// A value that names nothing, for a parameter of packages.
pub fn nothing(name: &str) -> String {
    match name {
        "applicationKey" => "acme01.none.1.0.0.Release",
        "nsAndAppId" => "acme01.none",
        "packageName" => "Work",
        "filepath" => "assets%2Fa.js",
        _ => "999999",
    }
    .to_owned()
}

#[test]
fn the_committed_documents_are_current() {
    for (name, fresh) in appmarket::api::generated_files().unwrap() {
        let path = format!("{}/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == fresh,
            "openapi/{name} is out of date: run `cargo run -- openapi` and commit it"
        );
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| walk(value, found));
            }
            _ => {}
        }
    }
    for document in documents() {
        let mut found = Vec::new();
        walk(&document.value, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.value.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
}

/// Generators make a type of each object and each choice. Those that are components have a name; for others
/// generators invent one from the way there, as `AuditChangesValueInnerAnyOfInner`.
#[test]
fn every_type_has_a_name() {
    const EXCEPTIONS: &[&str] = &[
        // Where null is the value of a reference, validators of 3.0.3 refuse it; and it is always null.
        "/AppDevError/properties/exceptionDetail",
        // What comes in is told apart by its event.
        "/AppInstanceChangeMessage/properties/payload",
        "/AppInstanceSecretsMessage/properties/payload",
        "/RecordChangeMessage/properties/payload",
        "/WebhookVerificationMessage/properties/payload",
        "/SignedClaims/properties/data",
    ];
    fn walk(value: &Value, way: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{way}/{index}"), found);
                }
            }
            Value::Object(object) => {
                let members = value["properties"].is_object() && value.get("type").is_some();
                let choices = ["anyOf", "oneOf"].into_iter().any(|kind| {
                    let choices = value[kind].as_array().into_iter().flatten();
                    let others: Vec<_> =
                        choices.filter(|choice| choice["type"] != "null").collect();
                    // A component or null is a component that may be left open.
                    !others.is_empty()
                        && !matches!(others[..], [only] if only.get("$ref").is_some())
                });
                if members || choices {
                    found.insert(way.to_owned());
                }
                for (name, inner) in object {
                    if !["example", "examples", "default", "enum"].contains(&name.as_str()) {
                        walk(inner, &format!("{way}/{name}"), found);
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for document in documents() {
        for (name, schema) in document.value["components"]["schemas"].as_object().unwrap() {
            for (member, inner) in schema.as_object().unwrap() {
                walk(inner, &format!("/{name}/{member}"), &mut found);
            }
            // The choices of the component itself.
            found.remove(&format!("/{name}"));
        }
        for kind in ["parameters", "headers", "responses"] {
            walk(&document.value["components"][kind], &format!("/{kind}"), &mut found);
        }
        walk(&document.value["paths"], "/paths", &mut found);
    }
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let mut exceptions = EXCEPTIONS.to_vec();
    exceptions.sort_unstable();
    assert_eq!(found, exceptions);
}

/// The words of enumerations with a name are constants of one package in Go (openapi-generator, unless it is told
/// `enumClassPrefix`): none may be there twice.
#[test]
fn no_two_types_share_a_word() {
    for document in documents() {
        let schemas = document.value["components"]["schemas"].as_object().unwrap();
        let mut known = BTreeSet::new();
        for (name, schema) in schemas {
            for word in schema["enum"].as_array().into_iter().flatten() {
                let constant = word.as_str().unwrap().replace(['.', '-'], "_").to_uppercase();
                assert!(known.insert(constant), "{name}: {word} is a word of another type too");
            }
        }
        assert!(known.len() > 20 || document.family == "package_api", "{known:?}");
    }
}

#[test]
fn every_operation_is_complete() {
    for document in documents() {
        let mut ids = BTreeSet::new();
        for operation in of(document.family) {
            let (name, value) = (operation.name(), operation.value);
            let id = value["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} is used twice");
            assert!(value["security"].is_array(), "{name}: nothing says who may use it");
            let tags = value["tags"].as_array().unwrap();
            assert_eq!(tags.len(), 1, "{name}");
            let tag = tags[0].as_str().unwrap();
            let folder = format!("{}/src/{}/{tag}", env!("CARGO_MANIFEST_DIR"), document.family);
            assert!(std::path::Path::new(&folder).is_dir(), "{name}: there is no folder {folder}");
            let described = document.value["tags"].as_array().unwrap();
            assert!(described.iter().any(|it| it["name"] == tag), "{name}: {tag} is not described");
            for text in ["summary", "description"] {
                let is_there = value[text].as_str().is_some_and(|text| !text.is_empty());
                assert!(is_there, "{name}: no {text}");
            }
        }
    }
}

/// Each parameter and each response of packages tells what it is; handlers of that family write their
/// parameters by hand.
#[test]
fn every_part_of_an_operation_is_described() {
    for operation in of("package_api") {
        let template = operation.path.matches('{').count();
        let parameters = operation.value["parameters"].as_array().unwrap();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.count(), template, "{}", operation.name());
        for parameter in parameters.iter().filter(|parameter| parameter.get("$ref").is_none()) {
            let text = parameter["description"].as_str();
            assert!(text.is_some_and(|it| !it.is_empty()), "{}: {parameter}", operation.name());
            // A parameter is there or not; only JSON has null.
            assert!(!parameter["schema"].to_string().contains("null"), "{}", operation.name());
        }
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            let is_whole = response.get("$ref").is_some() || response["headers"].is_object();
            assert!(is_whole, "{} {status}", operation.name());
        }
    }
}

/// A helper that reads `x-pagination` finds what it names: a list has it when it has a parameter to go on with.
#[test]
fn every_list_that_has_pages_says_how_they_follow_one_another() {
    const ONWARD: [&str; 4] = ["page", "after", "startIndex", "nextToken"];
    let mut styles = std::collections::BTreeMap::<&str, usize>::new();
    for operation in operations() {
        let (document, value) = (&operation.document.value, operation.value);
        let name = operation.name();
        let resolve = |value: &'static Value| match value["$ref"].as_str() {
            Some(reference) => document.pointer(&reference[1..]).unwrap(),
            None => value,
        };
        let parameters: Vec<&str> = value["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| resolve(parameter)["name"].as_str().unwrap())
            .collect();
        let pagination = &value["x-pagination"];
        let has_pages = parameters.iter().any(|name| ONWARD.contains(name));
        assert_eq!(has_pages, pagination.is_object(), "{name}");
        if !has_pages {
            continue;
        }
        let of = |kind: &str| {
            let named = pagination[kind].as_object().into_iter().flatten();
            named.map(|(_, name)| name.as_str().unwrap()).collect::<Vec<_>>()
        };
        assert!(of("parameters").iter().all(|it| parameters.contains(it)), "{name}");
        // And names all that there are.
        let paging =
            ["per_page", "limit", "pageSize", "maxResults", "search_after", "search_before"];
        for parameter in parameters.iter().filter(|it| ONWARD.contains(it) || paging.contains(it)) {
            assert!(of("parameters").contains(parameter), "{name}: {parameter}");
        }
        let ok = &value["responses"]["200"];
        let mut headers = of("response_headers");
        headers.extend(pagination["next"]["header"].as_str());
        assert!(headers.iter().all(|it| ok["headers"].get(it).is_some()), "{name}: {headers:?}");
        let mut members = of("members");
        members.extend(pagination["next"]["member"].as_str());
        let schema = resolve(&ok["content"]["application/json"]["schema"]);
        assert!(members.iter().all(|it| schema["properties"].get(it).is_some()), "{name}");
        assert!(!headers.is_empty() || !members.is_empty(), "{name}");
        *styles.entry(pagination["style"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(styles.keys().copied().collect::<Vec<_>>(), ["feed", "link", "offset", "token"]);
    assert!(styles["link"] > 30, "{styles:?}");
}

/// Whatever can go out has an entry, and nothing else has: what webhooks can be for, and what is told of
/// installed packages. The older flavour, which knows no such entries, has nothing of theirs.
#[test]
fn every_message_that_can_go_out_is_documented() {
    let [offerings, packages] = documents();
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let schemas = &offerings.value["components"]["schemas"];
    let event = &schemas["CreateWebhook"]["properties"]["event"]["$ref"];
    assert_eq!(*event, "#/components/schemas/EventName");
    let accepted = &schemas["EventName"];
    let accepted: BTreeSet<String> = serde_json::from_value(accepted["enum"].clone()).unwrap();
    assert_eq!(names(&offerings.value["webhooks"]), accepted);
    // The example of `event` is an event of which the type tells.
    let told_by = |event: &str| {
        let body = &offerings.value["webhooks"][event]["post"]["requestBody"]["content"];
        let reference = body["application/json"]["schema"]["anyOf"][0]["$ref"].as_str().unwrap();
        reference.strip_prefix("#/components/schemas/").unwrap()
    };
    for event in &accepted {
        let name = told_by(event);
        let example = &schemas[name]["properties"]["event"]["examples"][0];
        assert_eq!(told_by(example.as_str().unwrap()), name);
    }
    let catalogue = Catalogue::built_in();
    let topics = catalogue.events.all().iter().map(|event| event.name.clone());
    let topics: BTreeSet<String> = topics.filter(|it| it.starts_with("application.")).collect();
    assert_eq!(names(&packages.value["webhooks"]), topics);
    let events = names(&EVENTS.value["$defs"]).into_iter();
    let events: BTreeSet<String> =
        events.filter(|name| !name.starts_with(|it: char| it.is_ascii_uppercase())).collect();
    assert_eq!(events, accepted.into_iter().chain(topics).collect());
    for document in [offerings, packages] {
        let older = openapi_3_0::derive(&document.value).unwrap();
        assert_eq!(older.get("webhooks"), None);
        let schemas = names(&older["components"]["schemas"]);
        for only in ["SignedMessage", "AppInstanceChangeMessage", "EventNotification"] {
            assert!(!schemas.contains(only), "{only}");
        }
    }
}

/// A message as a webhook gets it, when the documents are right.
fn verification() -> (Value, Vec<(&'static str, &'static str)>) {
    let message = json!({
        "webhook_id": 77, "webhook_nodeID": "bG9jYWxob3N0", "account_id": "acme",
        "account": "https://acme.example.test", "name": "Echo", "event": "webhook.verify",
        "object_id": 77, "object_nodeID": "bG9jYWxob3N0", "person_id": null,
        "person_nodeID": null, "person_name": null,
        "payload": {"callback": "https://acme.example.test/webhooks/77/verify?code=1"},
    });
    let id = "0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11";
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-4me-delivery", id),
        ("x-xurrent-delivery", id),
        ("link", "<https://acme.example.test/webhooks/77>; rel=\"canonical\""),
        ("user-agent", "4me/1.0 (https://developer.4me.com/v1/webhooks)"),
    ];
    (message, headers.to_vec())
}

fn received(body: &Value, headers: &[(&'static str, &str)]) -> Received {
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    });
    Received {
        method: Method::POST,
        path: "/".to_owned(),
        headers: headers.collect(),
        body: body.to_string().into(),
        at: Instant::now(),
    }
}

#[test]
fn what_the_documents_do_not_say_of_a_message_is_found() {
    let (message, headers) = verification();
    let check = |body: &Value, headers: &[_]| messages::problems(&received(body, headers));
    assert_eq!(check(&message, &headers), [""; 0]);
    // Each name leads to a member, and a null leaves it out.
    for (pointer, name, value) in [
        ("", "surprise", json!(1)),
        ("", "person_id", Value::Null),
        ("", "event", json!("webhook.create")),
        ("", "webhook_id", json!("77")),
        ("/payload", "callback", Value::Null),
        ("/payload", "surprise", json!(1)),
    ] {
        let mut other = message.clone();
        let object = other.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.remove(name);
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
        let found = check(&other, &headers);
        // Nothing is left of a payload without its only member: that is a test.
        let is_test = other["payload"] == json!({});
        assert_eq!(found.is_empty(), is_test, "{pointer}/{name}: {found:?}");
    }
    for (place, header) in [
        (1, ("x-new", "1")),
        (3, ("x-new", "1")),
        (4, ("x-new", "1")),
        (1, ("x-4me-delivery", "12")),
        (0, ("content-type", "text/plain")),
    ] {
        let mut other = headers.clone();
        other[place] = header;
        assert_ne!(check(&message, &other), [""; 0], "{header:?}");
    }
    for (value, is_right) in [("Basic YW5uOmh1bnRlcjI=", true), ("Bearer YW5u", false)] {
        let with = [headers.clone(), vec![("authorization", value)]].concat();
        assert_eq!(check(&message, &with).is_empty(), is_right, "{value}");
    }
    let header = json!({"typ": "JWT", "alg": "ES256", "kid": uuid::Uuid::new_v4()});
    let claims = json!({"data": message, "jti": "0".repeat(64), "sub": "77",
        "iss": "https://acme.example.test", "iat": 1, "nbf": 1});
    let signed = |header: &Value, claims: &Value| {
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        json!({"jwt": format!("{}.{}.c2ln", part(header), part(claims))})
    };
    assert_eq!(check(&signed(&header, &claims), &headers), [""; 0]);
    for (name, value) in [("alg", json!("none")), ("kid", Value::Null)] {
        let mut other = header.clone();
        other[name] = value;
        assert_ne!(check(&signed(&other, &claims), &headers), [""; 0], "{name}");
    }
    for (name, value) in [("surprise", json!(1)), ("jti", json!("1")), ("sub", json!(77))] {
        let mut other = claims.clone();
        other[name] = value;
        assert_ne!(check(&signed(&header, &other), &headers), [""; 0], "{name}");
    }
    let mut other = claims;
    other["data"]["surprise"] = json!(1);
    assert_ne!(check(&signed(&header, &other), &headers), [""; 0]);
}

#[test]
fn a_receiver_fails_the_test_that_is_sent_something_else() {
    let receiver = Receiver::start();
    let mut stream = TcpStream::connect(receiver.url("").trim_start_matches("http://")).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    receiver.wait_for(1);
    let failed = std::panic::catch_unwind(AssertUnwindSafe(|| drop(receiver))).unwrap_err();
    let text = failed.downcast_ref::<String>().unwrap();
    assert!(text.contains("no event: {}"), "{text}");
}

/// What counts when a parameter is left out is that of the contract (1.7 and 7), and what the server does.
#[tokio::test]
async fn parameters_that_are_left_out_count_as_documented() {
    let defaults: Vec<(&str, &str, Value)> = of("package_api")
        .flat_map(|operation| {
            let id = operation.value["operationId"].as_str().unwrap();
            let parameters = operation.value["parameters"].as_array().unwrap().iter();
            parameters.filter_map(move |parameter| {
                let default = parameter["schema"].get("default")?;
                Some((id, parameter["name"].as_str()?, default.clone()))
            })
        })
        .collect();
    let expected = [
        ("get_package", "includeChildren", json!(false)),
        ("get_package", "skipDevAccountCheck", json!(false)),
        ("list_all_packages", "startIndex", json!(0)),
        ("list_all_packages", "pageSize", json!(20)),
        ("list_applications", "startIndex", json!(0)),
        ("list_applications", "pageSize", json!(20)),
        ("list_packages", "startIndex", json!(0)),
        ("list_packages", "pageSize", json!(50)),
        ("list_runtime_logs", "maxResults", json!(300)),
        ("list_builds", "maxResults", json!(20)),
        ("list_recent_events", "startIndex", json!(0)),
        ("list_recent_events", "pageSize", json!(20)),
    ];
    assert_eq!(defaults, expected);
    let app = TestApp::sqlite().await;
    let world = World::new(&app).await;
    let loyalty = world.application("acme01.loyalty.1.0.0").await;
    let client = world.client(&loyalty).await;
    for operation in of("package_api") {
        let path = operation.filled(|_| loyalty.key.clone());
        let id = operation.value["operationId"].as_str().unwrap();
        for (_, name, default) in defaults
            .iter()
            .filter(|(of, name, _)| *of == id && ["startIndex", "pageSize"].contains(name))
        {
            assert_eq!(
                client.get(&format!("/api{path}")).await.expect(200)[name],
                *default,
                "{id}"
            );
        }
    }
}

/// What is not there is refused exactly where the document says so: other lists are empty.
#[tokio::test]
async fn reading_what_is_not_there_answers_as_documented() {
    let app = TestApp::sqlite().await;
    let world = World::new(&app).await;
    let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
    let client = client.with("x-vol-tenant", "999999").with("x-vol-site", "999999");
    for operation in of("package_api").filter(|operation| operation.method == "get") {
        let answer = operation.send(&client, &format!("/api{}", operation.filled(nothing))).await;
        let expected = if operation.value["responses"].get("404").is_some() { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{}", operation.name());
    }
}

/// The examples of an operation's own refusals are that operation's.
#[test]
fn refusals_are_shown_as_their_operation_gives_them() {
    let mut shown = BTreeSet::new();
    for operation in of("package_api") {
        let id = operation.value["operationId"].as_str().unwrap();
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            let example = &response["content"]["application/json"]["example"];
            let data = example["additionalErrorData"].as_array().into_iter().flatten();
            for line in data.filter(|line| line["name"] == "OperationName") {
                assert_eq!(line["value"], id, "{status}");
            }
            if !status.starts_with('2') && operation.is_free() && !example.is_null() {
                shown.insert((id, status.as_str(), example["message"].as_str().unwrap()));
            }
        }
    }
    let secret = "Invalid Credentials: key or secret not accepted.";
    let refresh = "Invalid Credentials: refresh token not accepted.";
    let password = "Invalid Credentials: e-mail address or password not accepted.";
    let account = "Forbidden: the developer does not work for account 3.";
    let token = "Item not found: refresh token …BkMh";
    let expected = [
        ("authenticate_app", "401", secret),
        ("authenticate_app_oauth", "401", secret),
        ("authenticate_developer", "401", password),
        ("authenticate_developer", "403", account),
        ("delete_app_ticket", "404", token),
        ("delete_developer_ticket", "404", token),
        ("refresh_app_ticket", "401", refresh),
        ("refresh_developer_ticket", "401", refresh),
        ("refresh_developer_ticket", "403", account),
    ];
    assert_eq!(shown, BTreeSet::from(expected));
}

/// Whether a schema, or what it refers to, has this member: `0` is an element of an array.
fn has_member<'a>(document: &'a Value, schema: &'a Value, name: &str) -> Option<&'a Value> {
    let reference = schema["$ref"].as_str();
    let schema =
        reference.map_or(Some(schema), |it| document.pointer(it.trim_start_matches('#')))?;
    if name == "0" {
        return schema.get("items");
    }
    let own = schema["properties"].get(name);
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|of| schema[of].as_array());
    own.or_else(|| parts.flatten().find_map(|part| has_member(document, part, name)))
}

#[test]
fn links_lead_from_what_an_answer_has_to_every_parameter_of_a_path() {
    let mut found = 0;
    for operation in operations() {
        let document = &operation.document.value;
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            let schema = &response["content"]["application/json"]["schema"];
            for (name, link) in response["links"].as_object().into_iter().flatten() {
                let place = format!("{} {status} {name}", operation.name());
                found += 1;
                let target = operations()
                    .find(|other| other.value["operationId"] == link["operationId"])
                    .unwrap_or_else(|| panic!("{place} leads nowhere"));
                let parameters = link["parameters"].as_object().unwrap();
                let wanted: BTreeSet<&str> = target
                    .path
                    .split('{')
                    .skip(1)
                    .map(|part| part.split('}').next().unwrap())
                    .collect();
                assert_eq!(parameters.keys().map(String::as_str).collect::<BTreeSet<_>>(), wanted);
                for value in parameters.values().map(|value| value.as_str().unwrap()) {
                    if let Some(pointer) = value.strip_prefix("$response.body#/") {
                        pointer
                            .split('/')
                            .try_fold(schema, |schema, name| has_member(document, schema, name))
                            .unwrap_or_else(|| panic!("{place}: no {pointer} in the answer"));
                    } else {
                        let name = value.strip_prefix("$request.path.").unwrap();
                        assert!(operation.path.contains(&format!("{{{name}}}")), "{place}: {name}");
                    }
                }
            }
        }
    }
    // That of a ticket, and those of records; a family without any is a mistake.
    assert!(found > 80, "{found} links");
}
