//! `/platform/appdev/appsubscriptions`.
use appmarket::directory::people;
use appmarket::kernel::db::Source;
use appmarket::package_api::appsubscriptions::dto::AppDevEvent;
use appmarket::package_api::appsubscriptions::input::{Given, Listed, Wanted};
use appmarket::package_api::appsubscriptions::service;
use appmarket::package_api::model::lookup::{self, Which};
use http::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{Application, World, refused};

const PATH: &str = "/api/platform/appdev/appsubscriptions";
const EVENTS: &str = "/api/platform/appdev/appsubscriptions/events";

/// A request for what the platform tells of orders.
fn orders(package: i64) -> Value {
    json!({"applicationEndPoint": "https://loyalty.acme.example/hooks", "packageId": package,
        "events": [{"eventName": "Order.Opened"}], "noCallback": true})
}

/// The event 52 as it is shown.
fn opened() -> Value {
    json!({"eventId": 52, "eventName": "order.opened", "eventCategory": "Order",
        "apiVersionNumber": "1"})
}

/// The application `loyalty` of acme, and a client of it.
async fn loyalty(app: &TestApp) -> (World<'_>, Application, Client) {
    let world = World::new(app).await;
    let application = world.application("acme01.loyalty.1.0.0").await;
    let client = world.client(&application).await;
    (world, application, client)
}

/// A subscription of a package.
async fn subscribed(client: &Client, package: i64) -> Value {
    client.post(EVENTS, orders(package)).await.expect(200)
}

fn path_of(subscription: &Value) -> String {
    format!("{PATH}/{}", subscription["applicationSubscriptionId"])
}

fn event_path_of(subscription: &Value) -> String {
    format!("{EVENTS}/{}", subscription["applicationSubscriptionId"])
}

#[track_caller]
fn refused_parameter(answer: crate::support::Answer, parameter: &str, why: &str) {
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

#[track_caller]
fn refused_rule(answer: crate::support::Answer, why: &str) {
    let message = format!("Validation Error: {why}");
    refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", why)]);
}

#[track_caller]
fn refused_id(answer: crate::support::Answer, id: &str) {
    let message = format!("Item not found: subscription {id}");
    refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("ApplicationSubscriptionId", id)]);
}

/// Date of the last change of the application's package.
async fn update_date(client: &Client, application: &Application) -> Value {
    let path = format!("/api/platform/appdev/apppackages/{}", application.key);
    client.get(&path).await.expect(200)["updateDate"].clone()
}

on_both! {
    async fn a_package_has_only_so_many(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let first = subscribed(&client, loyalty.package).await;
        let columns = "account_id, package_id, endpoint, events, no_callback, created_at, updated_at";
        app.execute(&format!(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 999) \
             INSERT INTO package_subscriptions ({columns}) SELECT {columns} FROM package_subscriptions, n"
        ))
        .await;
        let answer = client.post(EVENTS, orders(loyalty.package)).await;
        refused_rule(answer, "a package has at most 1000 subscriptions.");
        client.delete(&event_path_of(&first)).await.expect(200);
        subscribed(&client, loyalty.package).await;
    }

    async fn a_create_answers_the_whole_subscription(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        app.advance_seconds(60);
        let mut body = orders(loyalty.package);
        body["applicationSubscriptionId"] = 77.into();
        body["events"] = json!([{"eventId": 53}, {"eventId": 52, "eventName": "order.opened",
            "eventCategory": "Nonsense"}, {"eventId": 53, "eventName": null}]);
        let made = client.post(EVENTS, body).await.expect(200);
        let pending = json!({"eventId": 53, "eventName": "order.pendingreview",
            "eventCategory": "Order", "apiVersionNumber": "1"});
        assert_eq!(made, json!({
            "applicationSubscriptionId": 1,
            "applicationEndPoint": "https://loyalty.acme.example/hooks",
            "events": [pending, opened()], "packageId": loyalty.package, "noCallback": true,
        }));
        assert_eq!(client.get(&path_of(&made)).await.expect(200), made);
        assert_eq!(update_date(&client, &loyalty).await, "2026-02-01T08:16:00.000Z");
        let path = format!("/api/platform/appdev/apppackages/{}?includeChildren=true", loyalty.key);
        let package = client.get(&path).await.expect(200);
        assert_eq!(package["applicationSubscriptions"], json!([made]));
        let entry = format!(
            "SELECT COUNT(*) FROM audit_lines WHERE account_id = 'acme' AND action = 'create' \
             AND record_type = 'package_subscription' AND record_id = 1 \
             AND record_label = 'https://loyalty.acme.example/hooks' \
             AND person_id = (SELECT person_id FROM applications) \
             AND changes = '{}'",
            json!({"package_id": [null, loyalty.package],
                "endpoint": [null, "https://loyalty.acme.example/hooks"],
                "events": [null, [pending, opened()]], "no_callback": [null, true]})
        );
        assert_eq!(app.count(&entry).await, 1);
    }

    async fn a_create_needs_package_address_and_events(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let with = |name: &str, value: Value| {
            let mut body = orders(loyalty.package);
            body[name] = value;
            body
        };
        let number = "must be the number of a package.";
        let address = "must be the absolute http or https URL that is told, of at most 2000 characters.";
        let malformed = "is not a web address: write it as https://example.com/path.";
        let credentials = "must not contain a user name or password.";
        let character = "must not contain white space, control characters or backslashes: \
                         percent-encode them.";
        let private = "leads from 10.1.2.3 to a private network: use a public address, or ask the \
                       operator to allow this one (setting outgoing_allow).";
        let metadata = "leads from [::ffff:a9fe:a9fe] to the metadata service of a cloud: use a public \
                        address, or ask the operator to allow this one (setting outgoing_allow).";
        let events = "must be an array of at least one event.";
        let event = "must be an event of the catalogue, or eventName must be one.";
        let table = [
            (with("packageId", json!(0)), "packageId", number),
            (with("packageId", json!(null)), "packageId", number),
            (with("packageId", json!("1")), "packageId", "must be a 32-bit integer."),
            (with("applicationEndPoint", json!(null)), "applicationEndPoint", address),
            (with("applicationEndPoint", json!("/hooks")), "applicationEndPoint", malformed),
            (
                with("applicationEndPoint", json!("https://ann:pw@a.example/")),
                "applicationEndPoint",
                credentials,
            ),
            (
                with("applicationEndPoint", json!("http://0xa.1.2.3/hooks")),
                "applicationEndPoint",
                private,
            ),
            (
                with("applicationEndPoint", json!("http://[::ffff:169.254.169.254]/")),
                "applicationEndPoint",
                metadata,
            ),
            (with("applicationEndPoint", json!(7)), "applicationEndPoint", "must be a text."),
            (with("applicationEndPoint", json!("https://@acme.example/")), "applicationEndPoint", credentials),
            (with("applicationEndPoint", json!("https:\\\\acme.example\\hooks")), "applicationEndPoint", character),
            (with("applicationEndPoint", json!("https://acme.example\\@evil.example/")), "applicationEndPoint", character),
            (with("applicationEndPoint", json!("https://*.acme.example/")), "applicationEndPoint", malformed),
            (with("applicationEndPoint", json!("https:///hooks")), "applicationEndPoint", malformed),
            (with("applicationEndPoint", json!("https://")), "applicationEndPoint", malformed),
            (with("applicationEndPoint", json!("https://?x")), "applicationEndPoint", malformed),
            (with("events", json!([])), "events", events),
            (with("events", json!(null)), "events", events),
            (with("events", json!([{"eventId": 122}])), "events[0].eventId", event),
            (
                with("events", json!([{"eventId": 52, "eventName": "order.closed"}])),
                "events[0].eventName",
                "must be the name of the event that eventId says, or be left out.",
            ),
            (with("noCallback", json!("no")), "noCallback", "must be true or false."),
            (json!(null), "applicationSubscription", "must be a JSON object."),
            (json!([]), "applicationSubscription", "must be a JSON object."),
        ];
        for (body, parameter, why) in table {
            refused_parameter(client.post(EVENTS, body).await, parameter, why);
        }
        let empty = client.send(Method::POST, EVENTS, Vec::new()).await;
        refused_parameter(empty, "applicationSubscription",
            "is the body of this request, which is empty.");
        assert_eq!(app.count("SELECT COUNT(*) FROM package_subscriptions").await, 0);
    }

    async fn a_strict_create_refuses_members_that_nobody_knows(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let mut body = orders(loyalty.package);
        body["colour"] = "red".into();
        let strict = client.clone().with("prefer", "handling=strict");
        refused_parameter(strict.post(EVENTS, body.clone()).await, "colour",
            "is unknown. Unknown members: colour.");
        client.post(EVENTS, body.clone()).await.expect(200);
        body["events"][0]["foo"] = 1.into();
        let both = "is unknown. Unknown members: colour, events[0].foo.";
        refused_parameter(strict.post(EVENTS, body).await, "colour", both);
        // Those of the events are told as well, wherever the subscription stands.
        let mut body = orders(loyalty.package);
        body["events"][0]["foo"] = 1.into();
        let events = "is unknown. Unknown members: events[0].foo.";
        refused_parameter(strict.post(EVENTS, body.clone()).await, "events[0].foo", events);
        body["applicationSubscriptionId"] = 1.into();
        refused_parameter(strict.put(EVENTS, body.clone()).await, "events[0].foo", events);
        let path = format!("/api/platform/appdev/apppackages/{}", loyalty.key);
        let listed = "applicationSubscriptions[0].events[0].foo";
        refused_parameter(strict.put(&path, json!({"applicationSubscriptions": [body.clone()]})).await,
            listed, &format!("is unknown. Unknown members: {listed}."));
        client.put(EVENTS, body).await.expect(200);
    }

    async fn a_create_looks_at_no_number(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        for number in [json!("x"), json!(1.5), json!([]), json!(-1)] {
            let mut body = orders(loyalty.package);
            body["applicationSubscriptionId"] = number;
            client.clone().with("prefer", "handling=strict").post(EVENTS, body).await.expect(200);
        }
    }

    async fn another_accounts_packages_and_subscriptions_do_not_exist(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let made = subscribed(&client, loyalty.package).await;
        let id = made["applicationSubscriptionId"].to_string();
        let theirs = world.application("globex01.points.1.0.0").await;
        let stranger = world.client(&theirs).await;
        for package in [loyalty.package, 999] {
            let answer = stranger.post(EVENTS, orders(package)).await;
            let message = format!("Item not found: package {package}");
            refused(answer, 404, "ITEM_NOT_FOUND", &message,
                &[("PackageId", &package.to_string())]);
        }
        refused_id(stranger.get(&path_of(&made)).await, &id);
        refused_id(stranger.delete(&event_path_of(&made)).await, &id);
        refused_id(stranger.put(EVENTS, made.clone()).await, &id);
        refused_id(client.get(&format!("{PATH}/999")).await, "999");
        refused_id(client.delete(&format!("{EVENTS}/999")).await, "999");
        refused_id(client.put(EVENTS, json!({"applicationSubscriptionId": 999})).await, "999");
        assert_eq!(client.get(&path_of(&made)).await.expect(200), made);
    }

    async fn ids_are_numbers(app: TestApp) {
        let (_world, _, client) = loyalty(&app).await;
        let why = "must be an integer from 1 to 2147483647.";
        for id in ["0", "x", "2147483648"] {
            refused_parameter(client.get(&format!("{PATH}/{id}")).await, "subscriptionId", why);
            let deleted = client.delete(&format!("{EVENTS}/{id}")).await;
            refused_parameter(deleted, "applicationSubscriptionId", why);
        }
    }

    async fn an_update_changes_what_it_names(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let made = subscribed(&client, loyalty.package).await;
        app.advance_seconds(60);
        let closed = json!({"eventId": 48, "eventName": "order.closed", "eventCategory": "Order",
            "apiVersionNumber": "1"});
        let changed = client.put(EVENTS, json!({"applicationSubscriptionId": 1, "packageId": 0,
            "applicationEndPoint": null, "events": [{"eventId": 48}], "noCallback": true}));
        let mut expected = made.clone();
        expected["events"] = json!([closed]);
        assert_eq!(changed.await.expect(200), expected);
        assert_eq!(update_date(&client, &loyalty).await, "2026-02-01T08:16:00.000Z");
        let entry = format!(
            "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package_subscription' \
             AND action = 'update' AND changes = '{}'",
            json!({"events": [[opened()], [closed]]})
        );
        assert_eq!(app.count(&entry).await, 1);

        // What changes nothing leaves nothing.
        app.advance_seconds(60);
        assert_eq!(client.put(EVENTS, expected.clone()).await.expect(200), expected);
        assert_eq!(update_date(&client, &loyalty).await, "2026-02-01T08:16:00.000Z");
        let entries = "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package_subscription'";
        assert_eq!(app.count(entries).await, 2);

        // Left out, `noCallback` is false.
        let changed = client.put(EVENTS, json!({"applicationSubscriptionId": 1, "events": null,
            "applicationEndPoint": "http://acme.example"}));
        expected["applicationEndPoint"] = "http://acme.example".into();
        expected["noCallback"] = false.into();
        assert_eq!(changed.await.expect(200), expected);
        assert_eq!(client.get(&path_of(&made)).await.expect(200), expected);
    }

    async fn an_update_keeps_the_package(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let other = world.application("acme01.points.1.0.0").await;
        let made = subscribed(&client, loyalty.package).await;
        let mut body = made.clone();
        let why = format!("subscription 1 belongs to package {}.", loyalty.package);
        for package in [other.package, 999_999, -3] {
            body["packageId"] = package.into();
            refused_rule(client.put(EVENTS, body.clone()).await, &why);
        }
        let number = "must be the number of a subscription.";
        for id in [json!(0), json!(null), json!(-1)] {
            let answer = client.put(EVENTS, json!({"applicationSubscriptionId": id})).await;
            refused_parameter(answer, "applicationSubscriptionId", number);
        }
        let answer = client.put(EVENTS, json!({"applicationSubscriptionId": 1, "events": []})).await;
        refused_parameter(answer, "events", "must be an array of at least one event.");
        assert_eq!(client.get(&path_of(&made)).await.expect(200), made);
    }

    async fn changes_can_be_tied_to_what_was_read(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let made = subscribed(&client, loyalty.package).await;
        let read = client.get(&path_of(&made)).await;
        let tag = read.header("etag").to_owned();
        assert_eq!(read.expect(200), made);
        let known = client.clone().with("if-none-match", &tag).get(&path_of(&made)).await;
        assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
        let tied = client.clone().with("if-match", &tag);
        let change = json!({"applicationSubscriptionId": 1, "noCallback": false});
        tied.put(EVENTS, change.clone()).await.expect(200);
        let message = "If-Match names another state of the record; read it again.";
        for stale in [tied.put(EVENTS, change).await, tied.delete(&event_path_of(&made)).await] {
            refused(stale, 412, "PRECONDITION_FAILED", message, &[]);
        }
    }

    async fn a_deleted_subscription_is_gone(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let made = subscribed(&client, loyalty.package).await;
        app.advance_seconds(60);
        let answer = client.delete(&event_path_of(&made)).await;
        assert!(answer.headers.get("content-type").is_none());
        assert_eq!(answer.expect(200), Value::Null);
        assert_eq!(update_date(&client, &loyalty).await, "2026-02-01T08:16:00.000Z");
        refused_id(client.get(&path_of(&made)).await, "1");
        refused_id(client.delete(&event_path_of(&made)).await, "1");
        let entry = "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package_subscription' \
                     AND action = 'destroy' AND record_id = 1";
        assert_eq!(app.count(entry).await, 1);
    }

    async fn a_locked_version_keeps_its_subscriptions(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let made = subscribed(&client, loyalty.package).await;
        let locked = [(2, "Submitted For Certification"), (3, "Certified"), (5, "Published"),
            (6, "Retired")];
        for (status, name) in locked {
            world.set_status(&loyalty, status).await;
            let why = format!(
                "version 1.0.0 of acme01.loyalty is locked, because its status is {name}."
            );
            refused_rule(client.post(EVENTS, orders(loyalty.package)).await, &why);
            refused_rule(client.put(EVENTS, made.clone()).await, &why);
            refused_rule(client.delete(&event_path_of(&made)).await, &why);
        }
        assert_eq!(client.get(&path_of(&made)).await.expect(200), made);
        for status in [1, 4] {
            world.set_status(&loyalty, status).await;
            client.post(EVENTS, orders(loyalty.package)).await.expect(200);
        }
    }

    async fn callers_need_the_behavior_except_for_reading_their_own(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let made = subscribed(&client, loyalty.package).await;
        let weak = world.application_with("acme01.points.1.0.0", &[]).await;
        let own = subscribed(&client, weak.package).await;
        let weak = world.client(&weak).await;
        assert_eq!(weak.get(&path_of(&own)).await.expect(200), own);
        for id in [made["applicationSubscriptionId"].to_string(), "999".to_owned()] {
            let read = weak.get(&format!("{PATH}/{id}")).await;
            let message = "Forbidden: the access token lacks the behavior 42.";
            let data = [("OperationName", "get_application_subscription"), ("BehaviorId", "42")];
            refused(read, 403, "FORBIDDEN", message, &data);
        }
        let message = "Forbidden: the access token lacks the behavior 43.";
        let table = [
            (weak.post(EVENTS, json!(null)).await, "create_application_subscription"),
            (weak.put(EVENTS, own.clone()).await, "update_application_subscription"),
            (weak.delete(&event_path_of(&own)).await, "delete_application_subscription"),
        ];
        for (answer, operation) in table {
            let data = [("OperationName", operation), ("BehaviorId", "43")];
            refused(answer, 403, "FORBIDDEN", message, &data);
        }
    }

    async fn addresses_and_fields_are_those_of_the_family(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let path = "/API/Platform/AppDev/AppSubscriptions/Events/?responseFields=packageid,events(eventId)";
        let made = client.post(path, orders(loyalty.package)).await.expect(200);
        let expected = format!(r#"{{"events":[{{"eventId":52}}],"packageId":{}}}"#, loyalty.package);
        assert_eq!(made.to_string(), expected);
        let path = "/platform/APPDEV/appsubscriptions/1/?responsefields=";
        let whole = client.get(path).await.expect(200);
        assert_eq!(whole["applicationSubscriptionId"], 1);
        let path = "/platform/appdev/appsubscriptions/EVENTS/1/?x=";
        assert_eq!(client.delete(path).await.expect(200), Value::Null);
    }

    async fn a_repeated_create_is_one(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let client = client.with("idempotency-key", "k1");
        let made = subscribed(&client, loyalty.package).await;
        let again = client.post(EVENTS, orders(loyalty.package)).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), made);
        assert_eq!(app.count("SELECT COUNT(*) FROM package_subscriptions").await, 1);
        let other = client.post(EVENTS, json!({})).await;
        refused_parameter(other, "packageId", "must be the number of a package.");
    }

    async fn a_new_version_takes_its_subscriptions_over(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let first = subscribed(&client, loyalty.package).await;
        let body = json!({"applicationEndPoint": "https://b.example/", "packageId": loyalty.package,
            "events": [{"eventId": 1}], "noCallback": false});
        let second = client.post(EVENTS, body).await.expect(200);
        let path = "/api/platform/appdev/apppackages/create";
        let made = client.post(path, json!({"appKey": "acme01.loyalty.1.1.0"})).await.expect(200);
        let expected: Vec<Value> = [(3, first), (4, second)]
            .into_iter()
            .map(|(id, mut subscription)| {
                subscription["applicationSubscriptionId"] = id.into();
                subscription["packageId"] = made["id"].clone();
                subscription
            })
            .collect();
        assert_eq!(made["applicationSubscriptions"], Value::Array(expected));
    }

    async fn the_whole_of_a_package_replaces_its_subscriptions(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        let kept = subscribed(&client, loyalty.package).await;
        let gone = subscribed(&client, loyalty.package).await;
        let wanted = |id: Option<i64>, endpoint: &str| {
            let endpoint = endpoint.to_owned();
            let events = vec![AppDevEvent {
                event_id: 52,
                event_name: "order.opened".to_owned(),
                event_category: "Order".to_owned(),
                api_version_number: "1".to_owned(),
            }];
            match id {
                None => Listed::New(Wanted { endpoint, events, no_callback: true }),
                // What is left out of a known one stays.
                Some(id) => Listed::Known(id, Given { id: Some(id), package: None,
                    endpoint: Some(endpoint), events: None, no_callback: true }),
            }
        };
        let (one, other) = ("https://loyalty.acme.example/hooks", "https://other.example/");
        let replace = async |listed: Vec<Listed>| {
            let db = app.state.store.begin().await.unwrap();
            let person = people::find(&db, "acme", None).await.unwrap().id;
            let which = Which::Id(loyalty.package);
            let row = lookup::find(Source::Transaction(&db), which).await.unwrap().unwrap();
            let now = app.state.clock.now_millis();
            let done = service::replace(&db, &row.package, &listed, person, now).await;
            if done.is_ok() { db.commit().await.unwrap() } else { db.rollback().await.unwrap() }
            done.map_err(|error| error.to_string())
        };
        let entries = "SELECT COUNT(*) FROM audit_lines WHERE record_type = 'package_subscription'";
        let same = vec![wanted(Some(1), one), wanted(Some(2), one)];
        assert_eq!(replace(same).await, Ok(false));
        assert_eq!(app.count(entries).await, 2);
        assert_eq!(replace(vec![wanted(None, other), wanted(Some(1), other)]).await, Ok(true));
        assert_eq!(app.count(entries).await, 5);
        refused_id(client.get(&path_of(&gone)).await, "2");
        let mut expected = kept.clone();
        expected["applicationEndPoint"] = other.into();
        assert_eq!(client.get(&path_of(&kept)).await.expect(200), expected);
        expected["applicationSubscriptionId"] = 3.into();
        assert_eq!(client.get(&format!("{PATH}/3")).await.expect(200), expected);

        let why = |id| {
            Err(format!(
                "Validation Error: package Release has no subscription {id}, or it is there twice."
            ))
        };
        assert_eq!(replace(vec![wanted(Some(2), one)]).await, why(2));
        assert_eq!(replace(vec![wanted(Some(1), one), wanted(Some(1), one)]).await, why(1));
        assert_eq!(client.get(&format!("{PATH}/3")).await.expect(200), expected);
        assert_eq!(replace(Vec::new()).await, Ok(true));
        assert_eq!(app.count("SELECT COUNT(*) FROM package_subscriptions").await, 0);
        assert_eq!(replace(Vec::new()).await, Ok(false));
    }
}
