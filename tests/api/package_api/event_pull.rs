//! `/event/pull`.
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{Application, World, install, refused, tenant};

const PULL: &str = "/api/event/pull";

/// Switches what is installed in a tenant on or off.
async fn switch(client: &Client, application: &Application, tenant: i64, enabled: bool) {
    let path = format!("/api/platform/applications/{}", application.key);
    let client = client.clone().with("x-vol-tenant", &tenant.to_string());
    client.put(&path, json!({"enabled": enabled})).await.expect(200);
}

/// Topics of a list.
async fn topics(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{PULL}{query}")).await.expect(200);
    let topic =
        |it: &Value| it["topic"].as_str().unwrap().trim_start_matches("application.").to_owned();
    list["items"].as_array().unwrap().iter().map(topic).collect()
}

#[track_caller]
fn refused_id(answer: crate::support::Answer, id: &str) {
    let message = format!("Item not found: event {id}");
    refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("EventId", id)]);
}

on_both! {
    async fn an_event_is_shown_whole_by_either_form_of_its_id(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, site) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await.with("x-vol-correlation", "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f");
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox, "siteId": site});
        client.post("/api/platform/appdev/appinstall/application/entitlement", body).await.expect(200);
        let list = client.get(&format!("{PULL}/?startIndex=&pageSize=&sortBy=&filter=&responseFields=")).await;
        let mut list = list.expect(200);
        let (id, dashed) = (list["items"][0]["id"].take(), list["items"][0]["eventId"].take());
        let (id, dashed) = (id.as_str().unwrap(), dashed.as_str().unwrap());
        assert_eq!((id.len(), id), (32, dashed.replace('-', "").as_str()));
        let now = "2026-02-01T08:15:00.000Z";
        let mut event = json!({
            "id": null, "eventId": null, "topic": "application.installed",
            "entityId": "acme01.loyalty.1.0.0.Release",
            "correlationId": "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f", "isTest": false,
            "tenantId": sandbox, "siteId": site, "masterCatalogId": null, "catalogId": null,
            "auditInfo": {"updateDate": now, "createDate": now, "updateBy": null, "createBy": null},
            "extendedProperties": [],
        });
        let expected = json!({"startIndex": 0, "pageSize": 20, "pageCount": 1, "totalCount": 1, "items": [event]});
        assert_eq!(list, expected);
        (event["id"], event["eventId"]) = (id.into(), dashed.into());
        for path in [id, dashed, &id.to_uppercase()] {
            assert_eq!(client.get(&format!("/Api/Event/Pull/{path}/")).await.expect(200), event, "{path}");
        }
        let selected = client.get(&format!("/event/pull/{id}?responseFields=topic")).await.expect(200);
        assert_eq!(selected, json!({"topic": "application.installed"}));
    }

    async fn events_are_seen_by_who_owns_tenant_or_application(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let shop = world.application("globex01.shop.1.0.0").await;
        let other = world.application("initech01.other.1.0.0").await;
        world.set_status(&loyalty, 5).await;
        let (ours, _) = tenant(&app, "acme", true).await;
        let (theirs, _) = tenant(&app, "globex", true).await;
        let (acme, globex) = (world.client(&loyalty).await, world.client(&shop).await);
        install(&acme, loyalty.package, ours).await;
        install(&globex, loyalty.package, theirs).await;
        switch(&globex, &loyalty, theirs, false).await;
        assert_eq!(topics(&acme, "").await, ["installed", "installed", "disabled"]);
        assert_eq!(topics(&globex, "").await, ["installed", "disabled"]);
        let stranger = world.client(&other).await;
        assert_eq!(topics(&stranger, "").await, [""; 0]);
        let in_tenant = |tenant: i64| acme.clone().with("x-vol-tenant", &tenant.to_string());
        assert_eq!(topics(&in_tenant(ours), "").await, ["installed"]);
        assert_eq!(topics(&in_tenant(theirs), "").await, ["installed", "disabled"]);
        let id = globex.get(PULL).await.expect(200)["items"][1]["id"].clone();
        let path = format!("{PULL}/{}", id.as_str().unwrap());
        for client in [&acme, &globex] {
            assert_eq!(client.get(&path).await.expect(200)["topic"], "application.disabled");
        }
        refused_id(stranger.get(&path).await, id.as_str().unwrap());
        for unknown in ["7", "6f1c2a349b1e4f0a8f570d3e5b7a9c11"] {
            refused_id(acme.get(&format!("{PULL}/{unknown}")).await, unknown);
        }
    }

    async fn lists_are_filtered_sorted_and_paged(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (first, _) = tenant(&app, "acme", true).await;
        let (second, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        install(&client, loyalty.package, first).await;
        app.advance_seconds(60);
        switch(&client, &loyalty, first, false).await;
        app.advance_seconds(60);
        switch(&client, &loyalty, first, true).await;
        install(&client, loyalty.package, second).await;
        let table: [(&str, &[&str]); 8] = [
            ("", &["installed", "disabled", "enabled", "installed"]),
            ("?filter=topic+eq+application.installed", &["installed", "installed"]),
            ("?filter=Topic+sw+application.dis", &["disabled"]),
            ("?filter=createDate+gt+2026-02-01T08:15:00Z", &["disabled", "enabled", "installed"]),
            ("?sortBy=createDate+desc&pageSize=2", &["enabled", "installed"]),
            ("?sortBy=topic&startIndex=1&pageSize=2", &["enabled", "installed"]),
            ("?startIndex=3&pageSize=5", &["installed"]),
            ("?pageSize=0", &[]),
        ];
        for (query, expected) in table {
            assert_eq!(topics(&client, query).await, expected, "{query}");
        }
        let counts = client.get(&format!("{PULL}?pageSize=3&responseFields=totalCount,pageCount")).await;
        assert_eq!(counts.expect(200), json!({"pageCount": 2, "totalCount": 4}));
        let tenant = format!("?filter=tenantId+eq+{second}");
        assert_eq!(topics(&client, &tenant).await, ["installed"]);
    }

    async fn what_is_malformed_is_refused(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let table = [
            ("pageSize=201", "pageSize", "must be an integer from 0 to 200."),
            ("startIndex=-1", "startIndex", "must be an integer from 0 to 2147483647."),
            ("filter=recipients+eq+1", "filter", "names recipients, which is no member to filter by."),
            ("sortBy=recipients", "sortBy", "names recipients, which is no member to sort by."),
        ];
        for (query, parameter, why) in table {
            let answer = client.get(&format!("{PULL}?{query}")).await;
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        }
        let answer = client.with("x-vol-tenant", "acme").get(PULL).await;
        let why = "must be an integer from 1 to 2147483647.";
        let message = format!("Missing or invalid parameter: x-vol-tenant {why}");
        let data = [("ParameterName", "x-vol-tenant"), ("ErrorMessage", why)];
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
    }

    async fn events_need_their_behavior(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application_with("acme01.loyalty.1.0.0", &["Application Read"]).await;
        let client = world.client(&loyalty).await;
        for (path, operation) in [(PULL.to_owned(), "list_recent_events"), (format!("{PULL}/7"), "get_recent_event")] {
            let message = "Forbidden: the access token lacks the behavior 421.";
            let data = [("OperationName", operation), ("BehaviorId", "421")];
            refused(client.get(&path).await, 403, "FORBIDDEN", message, &data);
        }
    }
}
