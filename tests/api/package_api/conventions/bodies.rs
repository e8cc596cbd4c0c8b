//! Bodies and dates (contract 1.2).
use http::Method;
use serde_json::json;

use super::{CREATE, PACKAGES, malformed};
use crate::on_both;
use crate::support::packages::{World, refused};

on_both! {
    async fn any_content_type_is_json(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        for (number, kind) in
            ["application/json", "text/json", "application/vnd.x+json", "text/plain", "nonsense", ""]
                .into_iter()
                .enumerate()
        {
            let key = format!("acme01.points.1.{number}.0.Release");
            let client = client.clone().with("content-type", kind).with("accept", "text/plain");
            let answer = client.post(CREATE, json!({"appKey": key})).await;
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8", "{kind}");
            assert_eq!(answer.expect(200)["appKey"], key.as_str(), "{kind}");
        }
    }

    async fn members_are_read_in_any_case_and_unknown_ones_ignored(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let body = "\u{feff}{\"APPKEY\": \"x\", \"AppKey\": \"acme01.points.1.0.0\", \"other\": {}}";
        let answer = client.send(Method::POST, CREATE, body.as_bytes().to_vec()).await;
        assert_eq!(answer.expect(200)["appKey"], "acme01.points.1.0.0.Release");
    }

    async fn unknown_members_are_refused_when_asked_for(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let strict = client.clone().with("prefer", "handling=strict");
        let body = json!({"appKey": "acme01.points.1.0.0", "Other": 1, "more": null});
        let answer = strict.post(CREATE, body).await;
        malformed(answer, "Other", "is unknown. Unknown members: Other, more.");
        let answer = strict.post(CREATE, json!({"appKey": "acme01.points.1.0.0"})).await;
        assert_eq!(answer.header("preference-applied"), "handling=strict");
        answer.expect(200);
    }

    async fn bodies_above_the_limit_are_refused(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let body = vec![b' '; 1024 * 1024 + 1];
        let message = "The request is too large: at most 1048576 bytes are taken.";
        let tickets = "/platform/applications/authtickets";
        for (client, path) in [(client, CREATE), (app.anonymous(), tickets)] {
            let answer = client.send(Method::POST, path, body.clone()).await;
            refused(answer, 413, "REQUEST_TOO_LARGE", message, &[("MaxBytes", "1048576")]);
        }
    }

    async fn bodies_that_no_operation_takes_are_ignored(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let (large, broken) = (vec![b'{'; 1024 * 1024 + 1], b"{\"appKey\": 7".to_vec());
        let package = format!("{PACKAGES}/{}", loyalty.key);
        let clone = |name: &str| format!("{package}/clone/{name}");
        let keyed = client.clone().with("idempotency-key", "clone-1");
        let first = keyed.send(Method::POST, &clone("Work"), large.clone()).await.expect(200);
        // It is no other request for having another body.
        let again = keyed.send(Method::POST, &clone("Work"), broken.clone()).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), first);
        let work = format!("{PACKAGES}/acme01.loyalty.1.0.0.Work");
        client.send(Method::DELETE, &work, large.clone()).await.expect(200);

        let file = format!("/api/platform/developer/packages/{}/files/a.js", loyalty.key);
        client.send(Method::POST, &file, b"a".to_vec()).await.expect(200);
        client.send(Method::DELETE, &file, large.clone()).await.expect(200);
        let subscriptions = "/api/platform/appdev/appsubscriptions/events";
        let body = json!({"applicationEndPoint": "https://a.example/", "packageId": loyalty.package,
            "events": [{"eventId": 52}]});
        let made = client.post(subscriptions, body).await.expect(200);
        let path = format!("{subscriptions}/{}", made["applicationSubscriptionId"]);
        client.send(Method::DELETE, &path, large.clone()).await.expect(200);
        // Nor do reads and log-outs mind one.
        client.send(Method::GET, &package, large.clone()).await.expect(200);
        let tickets = "/api/platform/applications/authtickets";
        let body = json!({"applicationId": loyalty.key, "sharedSecret": loyalty.secret});
        let ticket = app.anonymous().post(tickets, body).await.expect(200);
        let path = format!("{tickets}/{}", ticket["refreshToken"].as_str().unwrap());
        app.anonymous().send(Method::DELETE, &path, large).await.expect(200);
    }

    async fn texts_with_nul_are_refused(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let answer = client.post(CREATE, json!({"appKey": "a\0b"})).await;
        malformed(answer, "appKey", "must not contain NUL.");
    }

    // Contract 8, line 15; what concerns entitlements is shown with installs.
    async fn check_15_dates_have_milliseconds_and_a_zone(app: TestApp) {
        let world = World::new(&app).await;
        app.state.clock.advance(7);
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let shown = client.get(&format!("/platform/appdev/apppackages/{}", loyalty.key)).await;
        let shown = shown.expect(200);
        assert_eq!(shown["updateDate"], "2026-02-01T08:15:00.007Z");
        assert_eq!(shown["applicationUpdateDate"], "2026-02-01T08:15:00.007Z");
    }
}
