//! `/platform/appdev/appinstall`.
use appmarket::directory::developers::{self, NewDeveloper};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{Application, World, install, refused, tenant};

const INSTALL: &str = "/api/platform/appdev/appinstall/application/entitlement";
const TO_PRODUCTION: &str = "/api/platform/appdev/appinstall/toproductiontenant";
const NOW: &str = "2026-02-01T08:15:00.000Z";

/// Adds a package to a version, beside its release.
async fn add_package(app: &TestApp, application: &Application) -> i64 {
    let (version, guid) = (application.version, uuid::Uuid::new_v4().simple());
    app.execute(&format!(
        "INSERT INTO packages (account_id, version_id, name, name_key, is_release, is_deleted, guid, \
         api_version, behaviors, capability_types, attributes, file_count, created_at, updated_at) \
         SELECT account_id, version_id, 'work', 'work', false, false, '{guid}', api_version, \
         behaviors, capability_types, attributes, 0, created_at, updated_at \
         FROM packages WHERE id = {}",
        application.package
    ))
    .await;
    app.count(&format!("SELECT MAX(id) FROM packages WHERE version_id = {version}")).await
}

/// A client that calls for the developer Ann Lee, in an account unless it is `None`.
async fn developer(app: &TestApp, account: Option<i64>) -> Client {
    let db = app.state.store.begin().await.unwrap();
    let (email, password) = ("ann@acme.example", "correct horse");
    let new = NewDeveloper { account: "acme", email, name: Some("Ann Maria Lee"), password };
    developers::create(&db, new, app.state.clock.now_millis()).await.unwrap();
    db.commit().await.unwrap();
    let account = account.map(|id| format!("?developerAccountId={id}")).unwrap_or_default();
    let path = format!("/api/platform/developer/authtickets/{account}");
    let body = json!({"emailAddress": email, "password": password});
    let ticket = app.anonymous().post(&path, body).await.expect(200);
    app.anonymous().with("x-vol-user-claims", ticket["accessToken"].as_str().unwrap())
}

/// Number and status of each entitlement of a list.
async fn listed(client: &Client, path: &str) -> Vec<(i64, String)> {
    let list = client.get(path).await.expect(200);
    let entry = |it: &Value| {
        let status = it["entitlementStatus"].as_str().unwrap().to_owned();
        (it["applicationEntitlementId"].as_i64().unwrap(), status)
    };
    list.as_array().unwrap().iter().map(entry).collect()
}

/// Topics, entitlements and keys of the events so far.
async fn events(app: &TestApp) -> Vec<(String, i64, String)> {
    use appmarket::package_api::appinstall::events::entity::{Column, Entity};
    use sea_orm::{EntityTrait, QueryOrder};
    let events = Entity::find().order_by_asc(Column::Id);
    let events = events.all(app.state.store.connection()).await.unwrap();
    events.into_iter().map(|it| (it.topic, it.entitlement_id, it.entity_id)).collect()
}

on_both! {
    async fn an_install_answers_the_whole_entitlement(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.2.3").await;
        let (sandbox, site) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let mut made = client.post(INSTALL, json!({
            "AppKey": "ACME01.loyalty.1.2.3", "tenantId": sandbox, "siteId": site,
            "effectiveStartDate": "2026-02-01T08:00:00", "effectiveEndDate": "2027-01-01T00:00:00+01:00",
            "applicationLicenseType": " Paid ", "entitlementStatus": "Revoked", "unknown": 1,
            "applicationTransactions": [
                {"localeCode": 1033, "isoCurrencyCode": "USD", "transactionPrice": 49.9,
                 "transactionTax": 9.98, "transactionTotal": 59.88, "orderNumber": "A-1007",
                 "transactionDate": "2026-01-31T12:00:00Z", "applicationTransactionId": 4711,
                 "applicationId": 4712, "applicationEntitlementId": 4713, "tenantId": 4714,
                 "siteId": 4715},
                {},
            ],
        })).await.expect(200);
        let id = made["applicationEntitlementId"].as_i64().unwrap();
        let installed = made["installedAppsApplicationId"].take();
        let installed = installed.as_str().unwrap();
        assert!(installed.len() == 32 && installed.bytes().all(|it| it.is_ascii_hexdigit()));
        // Numbers are the server's, whatever the request says.
        let first = made["applicationTransactions"][0]["applicationTransactionId"].as_i64().unwrap();
        assert_ne!(first, 4711);
        let expected = json!({
            "appKey": "acme01.loyalty.1.2.3.Release", "applicationEntitlementId": id,
            "packageId": loyalty.package, "applicationLicenseType": "Paid",
            "entitlementStatus": "Active", "tenantId": sandbox, "siteId": site,
            "effectiveStartDate": "2026-02-01T08:00:00.000Z",
            "effectiveEndDate": "2026-12-31T23:00:00.000Z",
            "applicationTransactions": [
                {"applicationTransactionId": first, "applicationId": loyalty.version,
                 "applicationEntitlementId": id, "tenantId": sandbox, "siteId": site,
                 "localeCode": 1033, "isoCurrencyCode": "USD",
                 "transactionDate": "2026-01-31T12:00:00.000Z", "transactionPrice": 49.9,
                 "transactionTax": 9.98, "transactionTotal": 59.88, "orderNumber": "A-1007"},
                {"applicationTransactionId": first + 1, "applicationId": loyalty.version,
                 "applicationEntitlementId": id, "tenantId": sandbox, "siteId": site,
                 "localeCode": 0, "isoCurrencyCode": null, "transactionDate": NOW,
                 "transactionPrice": 0.0, "transactionTax": 0.0, "transactionTotal": 0.0,
                 "orderNumber": null},
            ],
            "applicationName": "loyalty", "applicationVersion": "1.2.3",
            "installedByFirstName": null, "installedByLastName": null, "installedDate": NOW,
            "packageName": "Release", "tenantName": "A tenant", "applicationStatusId": "1",
            "applicationId": loyalty.version, "devAccountId": loyalty.account,
            "installedAppsApplicationId": null, "appOwnerDevAccountId": loyalty.account,
        });
        assert_eq!(made, expected);
        let members: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(members, expected.as_object().unwrap().keys().collect::<Vec<_>>());
        made["installedAppsApplicationId"] = installed.into();
        let read = client.get(&format!("{INSTALL}/{id}")).await.expect(200);
        assert_eq!(read, made);
        // The package shows it too.
        let path = "/api/platform/appdev/apppackages/acme01.loyalty.1.2.3?includeChildren=true";
        let package = client.get(path).await.expect(200);
        assert_eq!(package["applicationEntitlements"], json!([made]));
    }

    async fn defaults_are_those_of_the_contract(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let made = client.post(INSTALL, json!({
            "packageId": loyalty.package, "appKey": "acme01.loyalty.1.0.0.Release",
            "tenantId": sandbox, "siteId": 0, "applicationLicenseType": null,
            "effectiveStartDate": null, "effectiveEndDate": null, "applicationTransactions": null,
        })).await.expect(200);
        let names = ["siteId", "applicationLicenseType", "effectiveStartDate", "effectiveEndDate",
            "applicationTransactions", "entitlementStatus"];
        let expected = [json!(null), json!("Free"), json!(NOW), json!(null), json!([]), json!("Active")];
        assert_eq!(names.map(|name| made[name].clone()), expected);
    }

    async fn installing_again_ends_as_the_contract_says(app: TestApp) {
        let world = World::new(&app).await;
        let old = world.application("acme01.loyalty.1.0.0").await;
        let new = world.application("acme01.loyalty.1.1.0").await;
        let (sandbox, site) = tenant(&app, "acme", true).await;
        let client = world.client(&old).await;
        let text = str::to_owned;
        let (active, revoked) = (|id| (id, text("Active")), |id| (id, text("Revoked")));
        let first = install(&client, old.package, sandbox).await;
        let id = first["applicationEntitlementId"].as_i64().unwrap();
        // The same package: the same record, installed anew.
        app.advance_seconds(60);
        let again = install(&client, old.package, sandbox).await;
        assert_eq!(again["applicationEntitlementId"], id);
        assert_eq!(again["installedDate"], "2026-02-01T08:16:00.000Z");
        assert_eq!(again["effectiveStartDate"], NOW);
        assert_eq!(listed(&client, INSTALL).await, [active(id)]);
        // Another place has its own.
        let body = json!({"packageId": old.package, "tenantId": sandbox, "siteId": site});
        let elsewhere = client.post(INSTALL, body).await.expect(200);
        let elsewhere = elsewhere["applicationEntitlementId"].as_i64().unwrap();
        // Another version: the old record is revoked.
        let upgraded = install(&client, new.package, sandbox).await;
        let second = upgraded["applicationEntitlementId"].as_i64().unwrap();
        assert_eq!(upgraded["installedAppsApplicationId"], first["installedAppsApplicationId"]);
        let expected = [revoked(id), active(elsewhere), active(second)];
        assert_eq!(listed(&client, INSTALL).await, expected);
        // Another package of the same version too.
        let work = add_package(&app, &new).await;
        let third = install(&client, work, sandbox).await["applicationEntitlementId"].as_i64().unwrap();
        let expected = [revoked(id), active(elsewhere), revoked(second), active(third)];
        assert_eq!(listed(&client, INSTALL).await, expected);
        let key = |version: &str| format!("acme01.loyalty.{version}");
        let (installed, upgrade) = (text("application.installed"), text("application.upgraded"));
        assert_eq!(events(&app).await, [
            (installed.clone(), id, key("1.0.0.Release")),
            (installed.clone(), id, key("1.0.0.Release")),
            (installed, elsewhere, key("1.0.0.Release")),
            (upgrade.clone(), second, key("1.1.0.Release")),
            (upgrade, third, key("1.1.0.work")),
        ]);
    }

    async fn what_was_bought_stays_bought(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        for (order, orders) in [("A1", json!(["A1"])), ("B2", json!(["A1", "B2"]))] {
            let body = json!({"packageId": loyalty.package, "tenantId": sandbox,
                "applicationTransactions": [{"orderNumber": order}]});
            let made = client.post(INSTALL, body).await.expect(200);
            let bought = made["applicationTransactions"].as_array().unwrap();
            let bought: Vec<&Value> = bought.iter().map(|it| &it["orderNumber"]).collect();
            assert_eq!(json!(bought), orders);
        }
        let again = install(&client, loyalty.package, sandbox).await;
        assert_eq!(again["applicationTransactions"].as_array().unwrap().len(), 2);
        // An install shows no more of them than a request may have.
        let bought = |number: usize| json!({"packageId": loyalty.package, "tenantId": sandbox,
            "applicationTransactions": vec![json!({}); number]});
        let full = client.post(INSTALL, bought(998)).await.expect(200);
        assert_eq!(full["applicationTransactions"].as_array().unwrap().len(), 1000);
        let why = "an install has at most 1000 transactions.";
        let message = format!("Validation Error: {why}");
        let answer = client.post(INSTALL, bought(1)).await;
        refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", why)]);
        let why = "must have at most 1000 elements.";
        let message = format!("Missing or invalid parameter: applicationTransactions {why}");
        let data = [("ParameterName", "applicationTransactions"), ("ErrorMessage", why)];
        let answer = client.post(INSTALL, bought(1001)).await;
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
    }

    async fn an_end_of_null_makes_an_install_open_ended(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let end = "2026-12-31T00:00:00.000Z";
        let with = |end: Value| {
            json!({"packageId": loyalty.package, "tenantId": sandbox, "effectiveEndDate": end})
        };
        let first = client.post(INSTALL, with(json!(end))).await.expect(200);
        assert_eq!(first["effectiveEndDate"], end);
        // What is not said stays.
        let again = install(&client, loyalty.package, sandbox).await;
        assert_eq!(again["effectiveEndDate"], end);
        let open = client.post(INSTALL, with(json!(null))).await.expect(200);
        assert_eq!(open["effectiveEndDate"], Value::Null);
        assert_eq!(open["applicationEntitlementId"], first["applicationEntitlementId"]);
        app.advance_seconds(366 * 24 * 3600);
        let path = format!("{INSTALL}/{}", first["applicationEntitlementId"]);
        let shown = world.client(&loyalty).await.get(&path).await.expect(200);
        assert_eq!(shown["entitlementStatus"], "Active");
    }

    async fn what_has_expired_is_installed_anew(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox,
            "effectiveEndDate": "2026-02-01T08:15:01Z"});
        let first = client.post(INSTALL, body).await.expect(200);
        let id = first["applicationEntitlementId"].as_i64().unwrap();
        assert_eq!(first["entitlementStatus"], "Active");
        app.advance_seconds(1);
        assert_eq!(listed(&client, INSTALL).await, [(id, "Expired".to_owned())]);
        let second = install(&client, loyalty.package, sandbox).await;
        let next = second["applicationEntitlementId"].as_i64().unwrap();
        assert_ne!(second["installedAppsApplicationId"], first["installedAppsApplicationId"]);
        let expected = [(id, "Expired".to_owned()), (next, "Active".to_owned())];
        assert_eq!(listed(&client, INSTALL).await, expected);
        // One that is yet to begin is not active either.
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox,
            "effectiveStartDate": "2026-03-01T00:00:00Z"});
        let later = client.post(INSTALL, body).await.expect(200);
        assert_eq!((&later["applicationEntitlementId"], &later["entitlementStatus"]),
            (&json!(next), &json!("Expired")));
    }

    async fn what_was_to_begin_later_gives_way_to_what_is_installed_now(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox,
            "effectiveStartDate": "2026-02-01T08:15:05Z"});
        let later = client.post(INSTALL, body).await.expect(200);
        let later = later["applicationEntitlementId"].as_i64().unwrap();
        assert_eq!(listed(&client, INSTALL).await, [(later, "Expired".to_owned())]);
        let now = install(&client, loyalty.package, sandbox).await;
        let now = now["applicationEntitlementId"].as_i64().unwrap();
        let expected = [(later, "Revoked".to_owned()), (now, "Active".to_owned())];
        assert_eq!(listed(&client, INSTALL).await, expected);
        app.advance_seconds(10);
        assert_eq!(listed(&client, INSTALL).await, expected);
    }

    async fn a_licence_can_be_ended_by_another_install(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let first = install(&client, loyalty.package, sandbox).await;
        app.advance_seconds(60);
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox,
            "effectiveEndDate": "2026-02-01T08:15:30Z"});
        let ended = client.post(INSTALL, body.clone()).await.expect(200);
        assert_eq!(ended["effectiveStartDate"], first["effectiveStartDate"]);
        assert_eq!((&ended["applicationEntitlementId"], &ended["entitlementStatus"]),
            (&first["applicationEntitlementId"], &json!("Expired")));
        // A new one begins now, which is too late for this end.
        let answer = client.post(INSTALL, body).await;
        let message = "Missing or invalid parameter: effectiveEndDate must be after effectiveStartDate.";
        assert_eq!(answer.expect(400)["message"], message);
    }

    async fn an_install_keeps_what_the_package_was_until_the_next(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application_with("acme01.loyalty.1.0.0",
            &["Application Create", "Developer Update"]).await;
        let (first, _) = tenant(&app, "acme", true).await;
        let (second, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let subscriptions = "/api/platform/appdev/appsubscriptions/events";
        let subscription = client.post(subscriptions, json!({
            "packageId": loyalty.package, "applicationEndPoint": "https://a.example/hooks",
            "events": [{"eventId": 3}], "noCallback": true,
        })).await.expect(200);
        install(&client, loyalty.package, first).await;
        let snapshot = async |tenant: i64| {
            use appmarket::package_api::appinstall::entity::{COLUMN, Entity};
            use sea_orm::{EntityTrait, QueryFilter};
            let row = Entity::find().filter(COLUMN.tenant_id.eq(tenant));
            let row = row.one(app.state.store.connection()).await.unwrap().unwrap();
            let read = |column: &str| serde_json::from_str::<Value>(column).unwrap();
            let columns = [&row.behaviors, &row.subscriptions, &row.capability_types];
            (columns.map(|column| read(column)), row.initialized)
        };
        let before = ([json!([21, 43]), json!([subscription]), json!([])], true);
        assert_eq!(snapshot(first).await, before);
        let id = &subscription["applicationSubscriptionId"];
        client.delete(&format!("{subscriptions}/{id}")).await.expect(200);
        let types = r#"[{"isInitializedByDefault":false}]"#;
        app.execute(&format!(
            "UPDATE packages SET behaviors = '[21]', capability_types = '{types}'"
        ))
        .await;
        assert_eq!(snapshot(first).await, before);
        let types = json!([{"isInitializedByDefault": false}]);
        let after = [json!([21]), json!([]), types];
        install(&client, loyalty.package, first).await;
        // What was initialized stays so; elsewhere it has to be, now that a type needs it.
        assert_eq!(snapshot(first).await, (after.clone(), true));
        install(&client, loyalty.package, second).await;
        assert_eq!(snapshot(second).await, (after, false));
    }

    async fn production_tenants_take_released_certified_versions(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (production, _) = tenant(&app, "acme", false).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let refuse = async |path: &str, package: i64, tenant: i64, why: &str| {
            let answer = client.post(path, json!({"packageId": package, "tenantId": tenant})).await;
            let message = format!("Validation Error: {why}");
            refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", why)]);
        };
        let wrong = format!("tenant {production} is a production tenant, not a sandbox.");
        refuse(INSTALL, loyalty.package, production, &wrong).await;
        let wrong = format!("tenant {sandbox} is a sandbox, not a production tenant.");
        refuse(TO_PRODUCTION, loyalty.package, sandbox, &wrong).await;
        let names = ["In Development", "Submitted For Certification", "Certified",
            "Certification Failed", "Published", "Retired"];
        for (status, name) in (1..).zip(names) {
            world.set_status(&loyalty, status).await;
            let body = json!({"packageId": loyalty.package, "tenantId": sandbox});
            if status == 6 {
                let why = "a version whose status is Retired is not installed any more.";
                refuse(INSTALL, loyalty.package, sandbox, why).await;
            } else {
                let made = client.post(INSTALL, body).await.expect(200);
                assert_eq!(made["applicationStatusId"], status.to_string());
            }
            let body = json!({"packageId": loyalty.package, "tenantId": production});
            if [3, 5].contains(&status) {
                let made = client.post(TO_PRODUCTION, body).await.expect(200);
                assert_eq!(made["tenantId"], production);
            } else {
                let why =
                    format!("a version whose status is {name} is not installed in production tenants.");
                refuse(TO_PRODUCTION, loyalty.package, production, &why).await;
            }
        }
        world.set_status(&loyalty, 3).await;
        let work = add_package(&app, &loyalty).await;
        let why = "only release packages are installed in production tenants.";
        refuse(TO_PRODUCTION, work, production, why).await;
        install(&client, work, sandbox).await;
    }

    async fn what_is_missing_or_malformed_is_refused_by_name(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await;
        let package = loyalty.package;
        let after = "must be after effectiveStartDate.";
        let table = [
            (json!(null), "applicationEntitlement", "must be a JSON object."),
            (json!({}), "tenantId", "must be the number of a tenant."),
            (json!({"tenantId": 0}), "tenantId", "must be the number of a tenant."),
            (json!({"tenantId": -1}), "tenantId", "must not be negative."),
            (json!({"tenantId": "1"}), "tenantId", "must be a 32-bit integer."),
            (json!({"tenantId": sandbox, "appKey": " ", "packageId": 0}), "packageId",
                "must be the number of a package, unless appKey is given."),
            (json!({"tenantId": sandbox, "appKey": "acme01.loyalty"}), "appKey",
                "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                 acme01.loyalty.1.0.0.Release."),
            (json!({"tenantId": sandbox, "packageId": package, "appKey": "acme01.loyalty.1.0.1"}),
                "appKey", "must name the package that packageId names."),
            (json!({"tenantId": sandbox, "packageId": package, "siteId": -1}), "siteId",
                "must not be negative."),
            (json!({"tenantId": sandbox, "packageId": package, "effectiveStartDate": NOW,
                "effectiveEndDate": NOW}), "effectiveEndDate", after),
            (json!({"tenantId": sandbox, "packageId": package,
                "effectiveStartDate": "2027-01-01T00:00:00Z",
                "effectiveEndDate": "2026-12-31T00:00:00Z"}), "effectiveEndDate", after),
            (json!({"tenantId": sandbox, "packageId": package, "effectiveStartDate": "soon"}),
                "effectiveStartDate",
                "must be an ISO 8601 date and time, as in 2026-03-04T09:15:00.000Z."),
            (json!({"tenantId": sandbox, "packageId": package,
                "applicationLicenseType": "x".repeat(101)}), "applicationLicenseType",
                "must have at most 100 characters."),
            (json!({"tenantId": sandbox, "packageId": package,
                "applicationTransactions": [{"orderNumber": "1"}, {"transactionTax": 1e13}]}),
                "applicationTransactions[1].transactionTax",
                "must be between -1000000000000 and 1000000000000."),
            (json!({"tenantId": sandbox, "packageId": package,
                "applicationTransactions": [{"localeCode": -1}]}),
                "applicationTransactions[0].localeCode", "must not be negative."),
            (json!({"tenantId": sandbox, "packageId": package,
                "applicationTransactions": [{"isoCurrencyCode": "EURO"}]}),
                "applicationTransactions[0].isoCurrencyCode", "must have at most 3 characters."),
            (json!({"tenantId": sandbox, "packageId": package,
                "applicationTransactions": [{"isoCurrencyCode": "U$"}]}),
                "applicationTransactions[0].isoCurrencyCode",
                "must be three letters, as in ISO 4217."),
        ];
        for path in [INSTALL, TO_PRODUCTION] {
            for (body, parameter, why) in &table {
                let answer = client.post(path, body.clone()).await;
                let message = format!("Missing or invalid parameter: {parameter} {why}");
                let data = [("ParameterName", *parameter), ("ErrorMessage", *why)];
                refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
            }
        }
        // One that begins now.
        let body = json!({"tenantId": sandbox, "packageId": package, "effectiveEndDate": NOW});
        let message = format!("Missing or invalid parameter: effectiveEndDate {after}");
        let data = [("ParameterName", "effectiveEndDate"), ("ErrorMessage", after)];
        let answer = client.post(INSTALL, body).await;
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        // An end that is not after the beginning of what is installed already.
        let start = json!({"tenantId": sandbox, "packageId": package,
            "effectiveStartDate": "2026-02-01T08:15:00Z"});
        client.post(INSTALL, start).await.expect(200);
        let strict = client.clone().with("prefer", "handling=strict");
        let body = json!({"tenantId": sandbox, "packageId": package, "devAccountId": 1,
            "applicationTransactions": [{"localeCode": 0, "siteId": 1, "Extra": 1}], "More": 2});
        let why = "is unknown. Unknown members: More, applicationTransactions[0].Extra.";
        let answer = strict.post(INSTALL, body).await;
        let message = format!("Missing or invalid parameter: More {why}");
        let data = [("ParameterName", "More"), ("ErrorMessage", why)];
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        assert_eq!(listed(&client, INSTALL).await.len(), 1);
        let answer = client.clone().with("x-vol-tenant", "acme").get(INSTALL).await;
        let why = "must be an integer from 1 to 2147483647.";
        let message = format!("Missing or invalid parameter: x-vol-tenant {why}");
        let data = [("ParameterName", "x-vol-tenant"), ("ErrorMessage", why)];
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
    }

    async fn what_belongs_to_others_is_not_found_and_not_touched(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let foreign = world.application("globex01.secret.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let (theirs, their_site) = tenant(&app, "globex", true).await;
        let client = world.client(&loyalty).await;
        let missing = async |body: Value, what: &str, name: &str, value: &str| {
            let message = format!("Item not found: {what} {value}");
            for path in [INSTALL, TO_PRODUCTION] {
                let answer = client.post(path, body.clone()).await;
                refused(answer, 404, "ITEM_NOT_FOUND", &message, &[(name, value)]);
            }
        };
        let package = loyalty.package;
        let body = json!({"tenantId": 999_999, "packageId": package});
        missing(body, "tenant", "TenantId", "999999").await;
        let body = json!({"tenantId": sandbox, "siteId": their_site, "packageId": package});
        missing(body, "site", "SiteId", &their_site.to_string()).await;
        let body = json!({"tenantId": sandbox, "packageId": foreign.package});
        missing(body, "package", "PackageId", &foreign.package.to_string()).await;
        let body = json!({"tenantId": sandbox, "appKey": foreign.key});
        missing(body, "package", "AppKey", &foreign.key).await;
        let body = json!({"tenantId": sandbox, "packageId": 999_999});
        missing(body, "package", "PackageId", "999999").await;
        for (path, operation) in [(INSTALL, "install_application"),
            (TO_PRODUCTION, "install_application_to_production")] {
            let answer = client.post(path, json!({"tenantId": theirs, "packageId": package})).await;
            let message = "Forbidden: not for the developer account of the access token.";
            refused(answer, 403, "FORBIDDEN", message, &[("OperationName", operation)]);
        }
        assert_eq!(listed(&client, INSTALL).await, []);
        // What is published may be installed by others, and its owner sees it.
        world.set_status(&foreign, 5).await;
        let made = install(&client, foreign.package, sandbox).await;
        assert_eq!((&made["devAccountId"], &made["appOwnerDevAccountId"]),
            (&json!(loyalty.account), &json!(foreign.account)));
        let id = made["applicationEntitlementId"].as_i64().unwrap();
        let owner = world.client(&foreign).await;
        assert_eq!(owner.get(&format!("{INSTALL}/{id}")).await.expect(200), made);
        let stranger = world.application("initech01.tool.1.0.0").await;
        let stranger = world.client(&stranger).await;
        for (client, id) in [(&stranger, id), (&owner, 999_999)] {
            let answer = client.get(&format!("{INSTALL}/{id}")).await;
            let (message, id) = (format!("Item not found: entitlement {id}"), id.to_string());
            let data = [("ApplicationEntitlementId", id.as_str())];
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
        }
    }

    async fn entitlements_are_listed_by_tenant_and_version(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let points = world.application("acme01.points.1.0.0").await;
        let shop = world.application("globex01.shop.1.0.0").await;
        world.set_status(&loyalty, 5).await;
        let (ours, _) = tenant(&app, "acme", true).await;
        let (other, _) = tenant(&app, "acme", true).await;
        let (theirs, _) = tenant(&app, "globex", true).await;
        let (acme, globex) = (world.client(&loyalty).await, world.client(&shop).await);
        let id = |it: Value| it["applicationEntitlementId"].as_i64().unwrap();
        let a = id(install(&acme, loyalty.package, ours).await);
        let b = id(install(&acme, points.package, other).await);
        let c = id(install(&globex, loyalty.package, theirs).await);
        let d = id(install(&globex, shop.package, theirs).await);
        let base = "/api/platform/appdev/appinstall";
        let of = async |client: &Client, path: &str| -> Vec<i64> {
            listed(client, path).await.into_iter().map(|(id, _)| id).collect()
        };
        assert_eq!(of(&acme, INSTALL).await, [a, b, c]);
        assert_eq!(of(&globex, INSTALL).await, [c, d]);
        let at = |client: &Client, tenant: i64| {
            client.clone().with("x-vol-tenant", &tenant.to_string())
        };
        assert_eq!(of(&at(&acme, ours), INSTALL).await, [a]);
        assert_eq!(of(&at(&acme, theirs), INSTALL).await, [c]);
        for (client, tenant, expected) in [
            (&acme, ours, vec![a]),
            (&acme, theirs, vec![c]),
            (&globex, theirs, vec![c, d]),
            (&globex, ours, vec![]),
            (&globex, 999_999, vec![]),
        ] {
            assert_eq!(of(client, &format!("{base}/tenant/{tenant}/entitlements")).await, expected);
        }
        let path = |version: i64| format!("{base}/applicationversion/{version}/entitlements");
        assert_eq!(of(&acme, &path(loyalty.version)).await, [a, c]);
        assert_eq!(of(&acme, &path(points.version)).await, [b]);
        for version in [loyalty.version, 999_999] {
            let answer = globex.get(&path(version)).await;
            let (message, version) =
                (format!("Item not found: application version {version}"), version.to_string());
            let data = [("ApplicationId", version.as_str())];
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &data);
        }
        let answer = acme.get(&format!("{base}/tenant/x/entitlements")).await;
        let why = "must be an integer from 1 to 2147483647.";
        let message = format!("Missing or invalid parameter: tenantId {why}");
        let data = [("ParameterName", "tenantId"), ("ErrorMessage", why)];
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        let path = format!("/Platform/AppDev/AppInstall/Tenant/{ours}/Entitlements/?responsefields=appKey");
        let expected = json!([{"appKey": "acme01.loyalty.1.0.0.Release"}]);
        assert_eq!(acme.get(&path).await.expect(200), expected);
    }

    async fn racing_installs_end_with_one_current_entitlement(app: TestApp) {
        let world = World::new(&app).await;
        let old = world.application("acme01.loyalty.1.0.0").await;
        let new = world.application("acme01.loyalty.1.1.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&old).await;
        let (a, b, c, d) = tokio::join!(
            install(&client, old.package, sandbox),
            install(&client, new.package, sandbox),
            install(&client, old.package, sandbox),
            install(&client, new.package, sandbox),
        );
        let current = app.count("SELECT COUNT(*) FROM entitlements WHERE is_current").await;
        let made = app.count("SELECT COUNT(*) FROM entitlements").await;
        let ids: std::collections::BTreeSet<i64> = [a, b, c, d]
            .iter()
            .map(|it| it["applicationEntitlementId"].as_i64().unwrap())
            .collect();
        assert_eq!((current, made), (1, i64::try_from(ids.len()).unwrap()));
        let statuses = listed(&client, INSTALL).await;
        let active = statuses.iter().filter(|(_, status)| status == "Active").count();
        assert_eq!(active, 1, "{statuses:?}");
        assert_eq!(events(&app).await.len(), 4);
    }

    async fn installs_leave_entries_in_the_audit_trail(app: TestApp) {
        let world = World::new(&app).await;
        let old = world.application_with("acme01.loyalty.1.0.0", &["Application Create"]).await;
        let new = world.application_with("acme01.loyalty.1.1.0", &["Application Create"]).await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&old).await;
        let first = install(&client, old.package, sandbox).await["applicationEntitlementId"].clone();
        let second = install(&client, new.package, sandbox).await["applicationEntitlementId"].clone();
        let lines = app.acme().get("/v1/audit_lines?per_page=100").await.expect(200);
        let lines: Vec<&Value> = lines
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line["audited"] == "entitlement")
            .collect();
        let shown: Vec<Value> = lines
            .iter()
            .map(|line| json!([line["action"], line["entitlement"]["id"]]))
            .collect();
        let mut expected = vec![json!(["create", first]), json!(["update", first]), json!(["create", second])];
        if shown.first() != expected.first() {
            expected.reverse();
        }
        assert_eq!(shown, expected);
    }

    async fn a_repetition_with_its_key_gets_the_same_answer(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let client = world.client(&loyalty).await.with("idempotency-key", "install-1");
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox});
        let first = client.post(INSTALL, body.clone()).await.expect(200);
        app.advance_seconds(5);
        assert_eq!(client.post(INSTALL, body).await.expect(200), first);
        assert_eq!(events(&app).await.len(), 1);
    }

    async fn a_developer_who_installs_is_named(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        let developer = developer(&app, Some(loyalty.account)).await;
        let made = install(&developer, loyalty.package, sandbox).await;
        let names = ["installedByFirstName", "installedByLastName"].map(|name| made[name].clone());
        assert_eq!(names, ["Ann Maria", "Lee"]);
        // An application that installs it again has no name.
        let client = world.client(&loyalty).await;
        let again = install(&client, loyalty.package, sandbox).await;
        assert_eq!(again["applicationEntitlementId"], made["applicationEntitlementId"]);
        let names = ["installedByFirstName", "installedByLastName"].map(|name| again[name].clone());
        assert_eq!(names, [Value::Null, Value::Null]);
        let caused = "SELECT COUNT(*) FROM package_events WHERE caused_by IS NULL";
        assert_eq!(app.count(caused).await, 1);
    }

    async fn a_developer_without_account_has_nothing(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let (sandbox, _) = tenant(&app, "acme", true).await;
        install(&world.client(&loyalty).await, loyalty.package, sandbox).await;
        let nobody = developer(&app, None).await;
        assert_eq!(listed(&nobody, INSTALL).await, []);
        let tenant = format!("/api/platform/appdev/appinstall/tenant/{sandbox}/entitlements");
        assert_eq!(listed(&nobody, &tenant).await, []);
        for path in ["", "/collection"] {
            let list = nobody.get(&format!("/api/platform/appdev/apppackages{path}")).await;
            assert_eq!(list.expect(200)["totalCount"], 0, "{path}");
        }
        let body = json!({"packageId": loyalty.package, "tenantId": sandbox});
        let message = format!("Item not found: package {}", loyalty.package);
        let id = loyalty.package.to_string();
        let data = [("PackageId", id.as_str())];
        refused(nobody.post(INSTALL, body).await, 404, "ITEM_NOT_FOUND", &message, &data);
        let answer = nobody.get(&format!("/api/platform/tenants/{sandbox}")).await;
        let (message, id) = (format!("Item not found: tenant {sandbox}"), sandbox.to_string());
        refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("TenantId", id.as_str())]);
    }

    async fn a_tenant_is_seen_by_what_is_installed_in_it(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let points = world.application("acme01.points.1.0.0").await;
        let shop = world.application("globex01.shop.1.0.0").await;
        world.set_status(&loyalty, 5).await;
        let (theirs, _) = tenant(&app, "globex", true).await;
        let path = format!("/api/platform/tenants/{theirs}");
        let caller = world.client(&loyalty).await;
        caller.get(&path).await.expect(404);
        install(&world.client(&shop).await, loyalty.package, theirs).await;
        assert_eq!(caller.get(&path).await.expect(200)["id"], theirs);
        // Another application of the account is not installed there; a developer works on all of them.
        world.client(&points).await.get(&path).await.expect(404);
        let developer = developer(&app, Some(loyalty.account)).await;
        assert_eq!(developer.get(&path).await.expect(200)["id"], theirs);
        app.execute("UPDATE entitlements SET is_current = false").await;
        caller.get(&path).await.expect(404);
    }
}
