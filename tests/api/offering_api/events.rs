//! `/v1/events`: the feed of everything that happened in an account.
use appmarket::kernel::events::{self, NewEvent};
use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;

const SERVICE_INSTANCES: &str = "/v1/service_instances";

async fn make(app: &TestApp, name: &str) -> Value {
    let body =
        json!({"name": name, "status": "in_production", "service": {"id": 1, "name": "Echo"}});
    app.acme().post(SERVICE_INSTANCES, body).await.expect(201)
}

/// Positions and names of the events at an address.
async fn feed(app: &TestApp, path: &str) -> Vec<(i64, String)> {
    let feed = app.acme().get(path).await.expect(200);
    let read = |event: &Value| {
        (event["position"].as_i64().unwrap(), event["event"].as_str().unwrap().to_owned())
    };
    feed.as_array().unwrap().iter().map(read).collect()
}

on_both! {
    async fn every_change_leaves_an_event(app: TestApp) {
        let made = make(&app, "Echo Production").await;
        app.advance_seconds(60);
        let path = format!("{SERVICE_INSTANCES}/{}", made["id"]);
        app.acme().patch(&path, json!({"name": "Echo"})).await.expect(200);
        // What is refused, or changes nothing, has not happened.
        app.acme().patch(&path, json!({"name": ""})).await.expect(422);
        app.acme().patch(&path, json!({"name": "Echo"})).await.expect(200);
        // What has a status tells it, and which it was when it has changed.
        let ended = json!({"status": "discontinued", "sourceID": "ERP-4711"});
        app.acme().patch(&path, ended).await.expect(200);
        app.deliver().await;
        let mut feed = app.acme().get("/v1/events").await.expect(200);
        let lines = app.acme().get("/v1/audit_lines?sort=id").await.expect(200);
        for (event, line) in feed.as_array_mut().unwrap().iter_mut().zip(lines.as_array().unwrap()) {
            let id = event["id"].take();
            assert!(uuid::Uuid::parse_str(id.as_str().unwrap()).is_ok(), "{id}");
            assert_eq!(event["audit_line_nodeID"].take(), line["nodeID"]);
        }
        let event = |position: i64, name: &str, time: &str, payload: Value| json!({
            "position": position, "id": null, "event": name, "object_type": "service_instance",
            "object_id": made["id"], "object_nodeID": made["nodeID"],
            "audit_line_id": position, "audit_line_nodeID": null,
            "person": {"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"},
            "payload": payload, "created_at": time,
        });
        let (source, now) = (&made["source"], "2026-02-01T09:16:00+01:00");
        let running = json!({"source": source, "status": "in_production"});
        let ended = json!({"source": source, "sourceID": "ERP-4711", "status": "discontinued",
            "previous_status": "in_production"});
        assert_eq!(feed, json!([
            event(1, "service_instance.create", "2026-02-01T09:15:00+01:00", running.clone()),
            event(2, "service_instance.update", now, running),
            event(3, "service_instance.update", now, ended),
        ]));
        // Nobody else's business.
        assert_eq!(app.globex().get("/v1/events").await.expect(200), json!([]));
    }

    async fn the_feed_goes_on_where_it_was_left(app: TestApp) {
        for number in 1..=5 {
            make(&app, &format!("Echo {number}")).await;
        }
        app.deliver().await;
        let answer = app.acme().get("/v1/events?limit=2&event=service_instance.create").await;
        assert_eq!(
            answer.header("link"),
            "<https://api.example.test/v1/events?after=2&event=service_instance.create&limit=2>; rel=\"next\""
        );
        assert_eq!(answer.expect(200).as_array().unwrap().len(), 2);
        let places = async |path: &str| {
            feed(&app, path).await.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert_eq!(places("/v1/events?after=2&limit=2").await, [3, 4]);
        assert_eq!(places("/v1/events?after=4").await, [5]);
        // Where there is nothing yet is the place to look again.
        let end = app.acme().get("/v1/events?after=5").await;
        assert_eq!(end.header("link"), "<https://api.example.test/v1/events?after=5&limit=100>; rel=\"next\"");
        assert_eq!(end.expect(200), json!([]));
        make(&app, "Echo 6").await;
        // Not before it has its place.
        assert_eq!(places("/v1/events?after=5").await.len(), 0);
        app.deliver().await;
        assert_eq!(places("/v1/events?after=5").await, [6]);
        assert_eq!(places("/v1/events?event=service_instance.delete").await.len(), 0);
        let tag = app.acme().get("/v1/events").await.header("etag").to_owned();
        app.acme().with("if-none-match", &tag).get("/v1/events").await.expect(304);
    }

    async fn what_the_service_does_by_itself_is_told_without_a_person(app: TestApp) {
        app.state
            .store
            .write(app.state.clock.now(), |transaction, now| {
                let event = NewEvent {
                    account: "acme",
                    name: "app_instance.update",
                    record_type: "app_instance",
                    record_id: 31,
                    person: None,
                    audit_line: None,
                    payload: json!({"suspended": true}),
                    secrets: Some(events::Secrets {
                        event_id: "0f4f2a3e-7d5b-4a55-9a44-0c8f2f6d8f1e".to_owned(),
                        sealed: "hunter2".to_owned(),
                    }),
                    now: *now,
                };
                events::record(transaction, event).boxed()
            })
            .await
            .unwrap();
        app.deliver().await;
        assert_eq!(
            app.acme().get("/v1/events").await.expect(200),
            json!([{
                "position": 1, "id": "0f4f2a3e-7d5b-4a55-9a44-0c8f2f6d8f1e",
                "event": "app_instance.update", "object_type": "app_instance", "object_id": 31,
                "object_nodeID": "ZXhhbXBsZS50ZXN0L0FwcEluc3RhbmNlLzMx", "person": null,
                "payload": {"suspended": true}, "created_at": "2026-02-01T09:15:00+01:00",
            }])
        );
    }

    async fn a_query_that_cannot_be_understood_is_refused(app: TestApp) {
        for (query, detail) in [
            ("after=x", "Invalid after: use a number from 0 to 9007199254740991"),
            ("after=-1", "Invalid after: use a number from 0 to 9007199254740991"),
            ("after=%2B1", "Invalid after: use a number from 0 to 9007199254740991"),
            ("after=9007199254740992", "Invalid after: use a number from 0 to 9007199254740991"),
            ("limit=0", "Invalid limit: use a number from 1 to 100"),
            ("limit=101", "Invalid limit: use a number from 1 to 100"),
            ("limit=", "Invalid limit: use a number from 1 to 100"),
            ("event=", "Invalid event: use a name as in app_offering.update"),
            ("event=a%00", "Invalid event: use a name as in app_offering.update"),
            ("colour=red", "Unknown parameter: colour; there are after, event, limit"),
        ] {
            let refused = app.acme().get(&format!("/v1/events?{query}")).await;
            assert_eq!(refused.header("content-type"), "application/problem+json", "{query}");
            let expected =
                json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": detail});
            assert_eq!(refused.expect(400), expected, "{query}");
        }
        let narrow = app.token("acme", None, &["me:Read"], None).await;
        let refused = app.bearer(&narrow).get("/v1/events").await.expect(403);
        let expected =
            json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Forbidden"});
        assert_eq!(refused, expected);
    }
}
