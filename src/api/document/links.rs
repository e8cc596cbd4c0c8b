//! Links: what of an answer leads to which operation. Programs that follow them know without words that the
//! `id` of a new record is the `{id}` of the address that reads it.
use serde_json::{Map, Value, json};

/// Where in an answer a parameter of the linked operation's path stands, as a JSON pointer.
type Pointer = &'static str;

/// Links of the app packages, whose addresses do not say what belongs together: from which operation, where
/// in its answer the first parameter is found, to which operations. None of it is that of the request: a clone
/// has another key than its source.
const PACKAGES: &[(&str, Pointer, &[&str])] = &[
    ("authenticate_app", "/refreshToken", &["delete_app_ticket"]),
    ("create_app_package", "/appKey", OF_RELEASES),
    ("create_app_package", "/id", &["get_package_behaviors", "update_package_behaviors"]),
    ("create_package", "/appKey", OF_PACKAGES),
    ("create_package", "/id", &["get_package_behaviors", "update_package_behaviors"]),
    ("clone_package", "/appKey", OF_PACKAGES),
    ("clone_package", "/id", &["get_package_behaviors", "update_package_behaviors"]),
    ("list_all_packages", "/items/0/id", &["get_package_behaviors"]),
    ("list_packages", "/items/0/appKey", &["get_package", "get_package_metadata"]),
    (
        "create_application_subscription",
        "/applicationSubscriptionId",
        &["get_application_subscription", "delete_application_subscription"],
    ),
    ("install_application", "/applicationEntitlementId", &["get_entitlement"]),
    ("install_application_to_production", "/applicationEntitlementId", &["get_entitlement"]),
    ("list_entitlements", "/0/applicationEntitlementId", &["get_entitlement"]),
    ("list_recent_events", "/items/0/id", &["get_recent_event"]),
    ("list_behaviors", "/items/0/id", &["get_behavior"]),
    ("list_behavior_categories", "/items/0/id", &["get_behavior_category"]),
];

/// What is done with a package by its key.
const OF_PACKAGES: &[&str] = &[
    "get_package",
    "update_package",
    "delete_package",
    "get_package_file",
    "get_package_metadata",
    "list_packages",
    "list_app_package_names",
];

/// The same of one that cannot be deleted.
const OF_RELEASES: &[&str] = &[
    "get_package",
    "update_package",
    "get_package_file",
    "get_package_metadata",
    "list_packages",
    "list_app_package_names",
];

/// Adds the links of the app packages.
pub fn add_packages(document: &mut Value) {
    for (from, pointer, targets) in PACKAGES {
        for target in *targets {
            let (from, path) = (find(document, from), find(document, target));
            if let (Some(from), Some(path)) = (from, path) {
                let link = link(target, "", &path.0, pointer);
                add(document, &from, target, link);
            }
        }
    }
}

/// Adds the links of the app offerings. There the addresses say it: what is created or listed at `/x` is read,
/// changed and removed at `/x/{id}`, and what belongs to it is at `/x/{id}/y`.
pub fn add_offerings(document: &mut Value) {
    let mut links = Vec::new();
    let paths = document["paths"].as_object();
    let paths: Vec<(&String, &Value)> = paths.into_iter().flatten().collect();
    for (path, item) in &paths {
        for (method, pointer) in [("post", "/id"), ("get", "/0/id")] {
            if item.get(method).is_none() {
                continue;
            }
            for (target_path, target) in &paths {
                let Some((_, rest)) = target_path
                    .strip_prefix(path.as_str())
                    .and_then(|rest| rest.strip_prefix("/{"))
                    .and_then(|rest| rest.split_once('}'))
                else {
                    continue;
                };
                // A list leads to its records alone.
                let leads = rest.is_empty() || method == "post" && !rest.contains('{');
                if !leads {
                    continue;
                }
                for (verb, target) in target.as_object().into_iter().flatten() {
                    if method == "get" && verb != "get" {
                        continue;
                    }
                    let Some(id) = target["operationId"].as_str() else { continue };
                    let from = ((*path).clone(), method.to_owned());
                    links.push((from, id.to_owned(), link(id, path, target_path, pointer)));
                }
            }
        }
    }
    for (from, target, link) in links {
        add(document, &from, &target, link);
    }
}

/// Path and method of an operation.
fn find(document: &Value, id: &str) -> Option<(String, String)> {
    let paths = document["paths"].as_object()?;
    paths.iter().find_map(|(path, item)| {
        let (method, _) = item.as_object()?.iter().find(|(_, it)| it["operationId"] == id)?;
        Some((path.clone(), method.clone()))
    })
}

/// The names of a path's parameters.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// The link from an answer to the operation at a path. The parameters that it shares with the path of the request,
/// if that is given, come first and in the same order, not always under the same names; the next is in the answer.
fn link(id: &str, from: &str, path: &str, pointer: &str) -> Value {
    let of_request = parameters(from).map(|name| format!("$request.path.{name}"));
    let places = of_request.chain([format!("$response.body#{pointer}")]);
    let parameters: Map<String, Value> =
        parameters(path).map(str::to_owned).zip(places.map(Value::from)).collect();
    json!({"operationId": id, "parameters": parameters})
}

/// Adds a link to the answer of success.
fn add(document: &mut Value, (path, method): &(String, String), name: &str, link: Value) {
    let responses = document["paths"][path][method]["responses"].as_object_mut();
    let success = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
    let Some((_, success)) = success else { return };
    if success.get("links").is_none() {
        success["links"] = json!({});
    }
    success["links"][name] = link;
}
