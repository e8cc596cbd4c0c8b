//! What another developer account has is as if it were not there.
use appmarket::package_api::headless_app::pipeline::{self, Commit, Job, Progress};
use http::Method;
use serde_json::{Value, json};

use super::id;
use crate::document::{Operation, nothing, of};
use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{World, install, tenant};

/// Operations whose path names nothing that belongs to an account, and why.
pub const NOBODYS: [(&str, &str); 4] = [
    ("delete_app_ticket", "whoever has the refresh token may give it back"),
    ("get_behavior_category", "the catalogue is the same for all"),
    ("get_behavior", "the catalogue is the same for all"),
    ("download_log", "the address is signed and expires"),
];
/// Lists that are empty where others refuse.
const LISTS: [&str; 2] = ["list_application_versions", "list_tenant_entitlements"];

/// What the parameters of paths and headers name.
pub struct Things {
    key: String,
    pub package: String,
    pub version: String,
    tenant: String,
    site: String,
    pub subscription: String,
    entitlement: String,
    event: String,
}

impl Things {
    fn value(&self, operation: Operation, name: &str) -> String {
        let application = || self.key.split('.').take(2).collect::<Vec<_>>().join(".");
        match name {
            "applicationKey" => self.key.clone(),
            "packageId" => self.package.clone(),
            "applicationId" => self.version.clone(),
            "tenantId" => self.tenant.clone(),
            "nsAndAppId" => application(),
            "appId" if id(operation) == "list_application_versions" => {
                self.key.split('.').nth(1).unwrap().to_owned()
            }
            "appId" => application(),
            "applicationSubscriptionId" | "subscriptionId" => self.subscription.clone(),
            "applicationEntitlementId" => self.entitlement.clone(),
            "eventId" => self.event.clone(),
            "branchName" => "main".to_owned(),
            "jobId" => "17".to_owned(),
            "filepath" | "packageName" => nothing(name),
            _ => panic!("{}: whose is {name}?", operation.name()),
        }
    }

    /// The path of an operation with these.
    pub fn path(&self, operation: Operation) -> String {
        format!("/api{}", operation.filled(|name| self.value(operation, name)))
    }

    /// A client that means this tenant and this site.
    pub fn at(&self, client: &Client) -> Client {
        client.clone().with("x-vol-tenant", &self.tenant).with("x-vol-site", &self.site)
    }

    /// A refusal with what was asked for taken out, and the id of the request.
    fn without_names(&self, mut body: Value) -> String {
        if let Some(id) = body.get_mut("correlationId") {
            id.take();
        }
        let names = [&self.key, &self.package, &self.version, &self.tenant, &self.site];
        let more = [&self.subscription, &self.entitlement, &self.event];
        let application = self.key.split('.').take(2).collect::<Vec<_>>().join(".");
        let mut text = body.to_string();
        let mut all: Vec<&String> = names.into_iter().chain(more).chain([&application]).collect();
        all.sort_by_key(|name| std::cmp::Reverse(name.len()));
        for name in all {
            text = text
                .replace(&format!("\"{name}\""), "\"…\"")
                .replace(&format!(" {name}\""), " …\"");
        }
        text
    }
}

/// A body that an operation reads, and that would change something.
fn body(operation: Operation) -> &'static str {
    match id(operation) {
        "update_package_behaviors" => "[]",
        "rename_package_file" => r#"{"oldFullPath": "assets/a.js", "newFullPath": "b.js"}"#,
        _ => "{}",
    }
}

/// Everything that an account may have, and a client of its application.
pub async fn things(
    app: &TestApp,
    world: &World<'_>,
    account: &str,
    name: &str,
) -> (Things, Client) {
    let application = world.application(&format!("{account}01.{name}.1.0.0")).await;
    let client = world.client(&application).await;
    let (sandbox, site) = tenant(app, account, true).await;
    let file = format!("/api/platform/developer/packages/{}/files/assets/a.js", application.key);
    client.send(Method::POST, &file, name.into()).await.expect(200);
    let body = json!({"packageId": application.package, "events": [{"eventId": 52}],
        "applicationEndPoint": format!("https://{name}.example/")});
    let subscription = client.post("/api/platform/appdev/appsubscriptions/events", body).await;
    let entitlement = install(&client, application.package, sandbox).await;
    let at = client.clone().with("x-vol-tenant", &sandbox.to_string());
    let events = at.get("/api/event/pull").await.expect(200);
    let db = app.state.store.begin().await.unwrap();
    let number = format!("SELECT id FROM applications WHERE app_id = '{name}'");
    pipeline::link(&db, site, app.count(&number).await, name, 0).await.unwrap();
    let job = Job { site, branch: "main".to_owned(), id: "17".to_owned() };
    let progress = Progress { status: "running".to_owned(), started_at: Some(0), ended_at: None };
    pipeline::record(&db, &job, &progress, Commit::default(), 0).await.unwrap();
    db.commit().await.unwrap();
    let things = Things {
        key: application.key.clone(),
        package: application.package.to_string(),
        version: application.version.to_string(),
        tenant: sandbox.to_string(),
        site: site.to_string(),
        subscription: subscription.expect(200)["applicationSubscriptionId"].to_string(),
        entitlement: entitlement["applicationEntitlementId"].to_string(),
        event: events["items"][0]["eventId"].as_str().unwrap().to_owned(),
    };
    (things, client)
}

on_both! {
    async fn what_another_developer_account_has_is_not_found(app: TestApp) {
        let world = World::new(&app).await;
        let (theirs, owner) = things(&app, &world, "globex", "zimtschnecke").await;
        let (_, caller) = things(&app, &world, "acme", "streuselkuchen").await;
        let nobodys = Things {
            key: "globex01.nothing.1.0.0.Release".to_owned(),
            package: "999999".to_owned(),
            version: "999999".to_owned(),
            tenant: "999999".to_owned(),
            site: "999999".to_owned(),
            subscription: "999999".to_owned(),
            entitlement: "999999".to_owned(),
            event: uuid::Uuid::new_v4().to_string(),
        };
        let entries = "SELECT COUNT(*) FROM audit_lines";
        let before = app.count(entries).await;
        for operation in of("package_api") {
            let names = operation.path.contains('{');
            let takes_context = operation.value["parameters"].to_string().contains("x-vol-tenant");
            if !(names || takes_context) || NOBODYS.iter().any(|(it, _)| *it == id(operation)) {
                continue;
            }
            let send = async |client: &Client, things: &Things| {
                let body = body(operation).into();
                things.at(client).send(operation.method(), &things.path(operation), body).await
            };
            let name = operation.name();
            // It is there for those whose it is; the changing operations name the same things.
            if operation.method == "get" {
                let shown = send(&owner, &theirs).await;
                assert_eq!(shown.status, 200, "{name}");
            }
            let foreign = send(&caller, &theirs).await;
            let missing = send(&caller, &nobodys).await;
            assert_eq!(foreign.status, missing.status, "{name}: {}", foreign.text());
            let (foreign_text, status) = (foreign.text(), foreign.status.as_u16());
            let (foreign, missing) = (foreign.expect(status), missing.expect(status));
            assert_eq!(theirs.without_names(foreign.clone()), nobodys.without_names(missing), "{name}");
            if status == 200 {
                // A list in the context of a tenant, or of what has no number of its own.
                assert!(!names || LISTS.contains(&id(operation)), "{name}: {foreign}");
                let items = foreign.get("items").unwrap_or(&foreign);
                assert_eq!(*items, json!([]), "{name}");
                continue;
            }
            assert_eq!((status, foreign["errorCode"].as_str()), (404, Some("ITEM_NOT_FOUND")), "{name}");
            // Nothing but what was asked for.
            let asked = theirs.path(operation);
            for trace in ["zimtschnecke", "Globex", "Greg Hill"] {
                assert!(asked.contains(trace) || !foreign_text.contains(trace), "{name}: {foreign_text}");
            }
            app.advance_seconds(2);
        }
        assert_eq!(app.count(entries).await, before);
    }

    async fn lists_of_packages_show_nothing_of_other_accounts(app: TestApp) {
        let world = World::new(&app).await;
        things(&app, &world, "globex", "zimtschnecke").await;
        let (own, caller) = things(&app, &world, "acme", "streuselkuchen").await;
        let mut with_own = 0;
        for operation in of("package_api").filter(|operation| operation.method == "get") {
            if operation.is_free() || id(operation).starts_with("get_behavior") {
                continue;
            }
            let answer = own.at(&caller).get(&own.path(operation)).await;
            let (name, text) = (operation.name(), String::from_utf8_lossy(&answer.bytes).into_owned());
            assert_eq!(answer.status, 200, "{name}: {text}");
            for trace in ["zimtschnecke", "globex", "Globex", "Greg Hill"] {
                assert!(!text.contains(trace), "{name} tells of {trace}: {text}");
            }
            with_own += usize::from(text.contains("streuselkuchen"));
        }
        assert!(with_own > 8, "only {with_own} show what is one's own");
    }
}
