//! What changes a record leaves an entry in the audit trail.
use http::Method;
use serde_json::json;

use super::{CREATE, PACKAGES};
use crate::on_both;
use crate::support::audit::Trail;
use crate::support::packages::{World, tenant};

/// Tickets are nobody's records: who logs in changes nothing that an account has.
const TICKETS: &str = "a ticket is no record";

on_both! {
    async fn every_change_is_told_in_the_audit_trail_or_not_made(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let (production, _) = tenant(&app, "acme", false).await;
        let mut trail = Trail::new(&app);
        let (key, id) = (&loyalty.key, loyalty.package);

        let body = json!({"appKey": "acme01.loyalty.1.1.0"}).to_string();
        trail.change(&client, Method::POST, CREATE, body).await;
        let body = json!({"appKey": "acme01.points.1.0.0.Release", "applicationName": "Points"});
        trail.change(&client, Method::POST, &format!("{PACKAGES}/project"), body.to_string()).await;
        let body = json!({"packageDescription": "New"}).to_string();
        trail.change(&client, Method::PUT, &format!("{PACKAGES}/{key}"), body).await;
        trail.change(&client, Method::POST, &format!("{PACKAGES}/{key}/clone/Work"), "").await;
        let work = format!("{PACKAGES}/acme01.loyalty.1.0.0.Work");
        trail.change(&client, Method::DELETE, &work, "").await;
        let body = json!([{"behaviorId": 104}]).to_string();
        trail.change(&client, Method::POST, &format!("{PACKAGES}/{id}/behaviors"), body).await;

        let files = format!("/api/platform/developer/packages/{key}");
        trail.change(&client, Method::POST, &format!("{files}/files/a"), "hello\n").await;
        let body = json!({"oldFullPath": "a", "newFullPath": "b"}).to_string();
        trail.change(&client, Method::POST, &format!("{files}/files_rename"), body).await;
        trail.change(&client, Method::DELETE, &format!("{files}/files/b"), "").await;

        let events = "/api/platform/appdev/appsubscriptions/events";
        let body = json!({"packageId": id, "applicationEndPoint": "https://acme.example/hooks",
            "events": [{"eventId": 52}]});
        let made = trail.change(&client, Method::POST, events, body.to_string()).await;
        let subscription = &made["applicationSubscriptionId"];
        let body = json!({"applicationSubscriptionId": subscription, "noCallback": true});
        trail.change(&client, Method::PUT, events, body.to_string()).await;
        trail.change(&client, Method::DELETE, &format!("{events}/{subscription}"), "").await;

        let installs = "/api/platform/appdev/appinstall";
        let body = json!({"appKey": key, "tenantId": sandbox}).to_string();
        let path = format!("{installs}/application/entitlement");
        trail.change(&client, Method::POST, &path, body).await;
        let there = client.clone().with("x-vol-tenant", &sandbox.to_string());
        let path = "/api/platform/applications/acme01.loyalty";
        let body = json!({"enabled": false}).to_string();
        trail.change(&there, Method::PUT, path, body).await;
        world.set_status(&loyalty, 3).await;
        let body = json!({"appKey": key, "tenantId": production}).to_string();
        trail.change(&client, Method::POST, &format!("{installs}/toproductiontenant"), body).await;

        trail.finish("package_api", &[
            ("authenticate_app", TICKETS),
            ("authenticate_app_oauth", TICKETS),
            ("authenticate_developer", TICKETS),
            ("delete_app_ticket", TICKETS),
            ("delete_developer_ticket", TICKETS),
            ("refresh_app_ticket", TICKETS),
            ("refresh_developer_ticket", TICKETS),
        ]);
    }
}
