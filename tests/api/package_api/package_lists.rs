//! Lists below `/platform/appdev/apppackages`: applications, their versions, packages.
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::client::Client;
use crate::support::packages::{Application, World, refused};

const PACKAGES: &str = "/api/platform/appdev/apppackages";

/// Adds a package to a version, beside its release.
async fn add_package(app: &TestApp, application: &Application, name: &str) -> i64 {
    let (version, key) = (application.version, name.to_lowercase());
    let guid = uuid::Uuid::new_v4().simple();
    app.execute(&format!(
        "INSERT INTO packages (account_id, version_id, name, name_key, is_release, is_deleted, guid, \
         api_version, behaviors, capability_types, attributes, file_count, created_at, updated_at) \
         SELECT account_id, version_id, '{name}', '{key}', false, false, '{guid}', \
         api_version, behaviors, capability_types, attributes, 0, created_at, updated_at + 1000 \
         FROM packages WHERE id = {}",
        application.package
    ))
    .await;
    app.count(&format!("SELECT MAX(id) FROM packages WHERE version_id = {version}")).await
}

/// Renames a version's application for people.
async fn rename(app: &TestApp, application: &Application, name: &str) {
    let key = name.to_lowercase();
    app.execute(&format!(
        "UPDATE application_versions SET name = '{name}', name_key = '{key}' WHERE id = {}",
        application.version
    ))
    .await;
}

/// Members of the items of a list.
async fn items(client: &Client, path: &str, member: &str) -> Vec<Value> {
    let list = client.get(&format!("{PACKAGES}{path}")).await.expect(200);
    let items = if list.is_array() { &list } else { &list["items"] };
    items.as_array().unwrap().iter().map(|item| item[member].clone()).collect()
}

/// Demands 400 for a parameter.
async fn malformed(client: &Client, path: &str, parameter: &str, why: &str) {
    let answer = client.get(&format!("{PACKAGES}{path}")).await;
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

on_both! {
    async fn applications_are_listed_with_their_highest_version(app: TestApp) {
        let world = World::new(&app).await;
        let first = world.application("acme01.loyalty.1.9.0").await;
        let second = world.application("acme01.loyalty.1.10.0").await;
        let old = world.application("acme01.loyalty.1.0.0").await;
        let base = world.theme("acme01.base.2.0.0").await;
        world.application("globex01.loyalty.9.0.0").await;
        add_package(&app, &second, "work").await;
        rename(&app, &second, "Loyalty").await;
        world.set_status(&second, 3).await;
        let client = world.client(&first).await;
        let list = client.get(&format!("{PACKAGES}/collection")).await.expect(200);
        assert_eq!(list, json!({
            "startIndex": 0, "pageSize": 20, "pageCount": 1, "totalCount": 2,
            "items": [{
                "parentName": null, "applicationId": base.version, "applicationTypeId": 2,
                "releasePackageId": base.package, "releasePackageName": "Release", "name": "base",
                "applicationNamespace": "acme01",
                "applicationVersion": {"majorVersion": 2, "minorVersion": 0, "revision": 0},
                "applicationStatusId": 1, "appId": "base",
                "applicationStatusName": "In Development", "hasVersions": false,
                "appSchemeVersion": 2, "appKey": "acme01.base.2.0.0.Release",
                "parentAppKey": null, "updateParentAppKey": null, "updateAvailable": false,
            }, {
                "parentName": null, "applicationId": second.version, "applicationTypeId": 1,
                "releasePackageId": second.package, "releasePackageName": "Release",
                "name": "Loyalty", "applicationNamespace": "acme01",
                "applicationVersion": {"majorVersion": 1, "minorVersion": 10, "revision": 0},
                "applicationStatusId": 3, "appId": "loyalty",
                "applicationStatusName": "Certified", "hasVersions": true,
                "appSchemeVersion": 2, "appKey": "acme01.loyalty.1.10.0.Release",
                "parentAppKey": null, "updateParentAppKey": null, "updateAvailable": false,
            }],
        }));
        // Members in the order of the contract.
        let members: Vec<&String> = list["items"][0].as_object().unwrap().keys().collect();
        let expected = [
            "parentName", "applicationId", "applicationTypeId", "releasePackageId",
            "releasePackageName", "name", "applicationNamespace", "applicationVersion",
            "applicationStatusId", "appId", "applicationStatusName", "hasVersions",
            "appSchemeVersion", "appKey", "parentAppKey", "updateParentAppKey", "updateAvailable",
        ];
        assert_eq!(members, expected);
        let versions = items(&client, "/apps/loyalty", "applicationId").await;
        assert_eq!(versions, [second.version, first.version, old.version]);
    }

    async fn a_theme_shows_its_parent_and_the_newest_update_it_accepts(app: TestApp) {
        let world = World::new(&app).await;
        let base = world.theme("acme01.base.1.0.0").await;
        world.set_status(&base, 5).await;
        let client = world.client(&base).await;
        let body = json!({
            "appKey": "acme01.shop.1.0.0", "parentThemeAppKey": "acme01.base.1.0.0.Release",
        });
        client.post(&format!("{PACKAGES}/create"), body).await.expect(200);
        let shown = |list: &Value| {
            let item = &list[0];
            ["parentName", "parentAppKey", "updateParentAppKey", "updateAvailable"]
                .map(|name| item[name].clone())
        };
        let path = format!("{PACKAGES}/apps/shop");
        let list = client.get(&path).await.expect(200);
        let parent = "acme01.base.1.0.0.Release";
        assert_eq!(shown(&list), [json!("base"), json!(parent), json!(null), json!(false)]);
        // In the range and published; in it and not published; published and not in it.
        for (version, status) in [("1.2.0", 5), ("1.10.0", 5), ("1.11.0", 3), ("2.0.0", 5)] {
            let newer = world.theme(&format!("acme01.base.{version}")).await;
            world.set_status(&newer, status).await;
        }
        let list = client.get(&path).await.expect(200);
        let newest = "acme01.base.1.10.0.Release";
        assert_eq!(shown(&list), [json!("base"), json!(parent), json!(newest), json!(true)]);
        let filtered =
            items(&client, "/collection?filter=updateAvailable+eq+true", "appId").await;
        assert_eq!(filtered, ["shop"]);
    }

    async fn lists_are_paged(app: TestApp) {
        let world = World::new(&app).await;
        let mut all = Vec::new();
        for name in ["e", "b", "d", "a", "c"] {
            all.push(world.application(&format!("acme01.{name}.1.0.0")).await);
        }
        let client = world.client(&all[0]).await;
        let table = [
            ("", 0, 20, 1, json!(["a", "b", "c", "d", "e"])),
            ("?pageSize=2", 0, 2, 3, json!(["a", "b"])),
            ("?startIndex=3&pageSize=2", 3, 2, 3, json!(["d", "e"])),
            ("?STARTINDEX=4&pagesize=200", 4, 200, 1, json!(["e"])),
            ("?startIndex=5", 5, 20, 1, json!([])),
            ("?startIndex=2147483647", 2_147_483_647, 20, 1, json!([])),
            ("?pageSize=0", 0, 0, 0, json!([])),
            ("?pageSize=&startIndex=&sortBy=&filter=", 0, 20, 1, json!(["a", "b", "c", "d", "e"])),
            ("?sortBy=+&filter=%20+", 0, 20, 1, json!(["a", "b", "c", "d", "e"])),
            ("?sortBy=name+desc&pageSize=2", 0, 2, 3, json!(["e", "d"])),
            ("?sortBy=applicationId&startIndex=1&pageSize=2", 1, 2, 3, json!(["b", "d"])),
            // All equal: by their numbers.
            ("?sortBy=applicationTypeId+desc", 0, 20, 1, json!(["e", "b", "d", "a", "c"])),
        ];
        for (query, start, size, pages, names) in table {
            let path = format!("{PACKAGES}/collection{query}");
            let mut list = client.get(&path).await.expect(200);
            for item in list["items"].as_array_mut().unwrap() {
                *item = item["name"].take();
            }
            assert_eq!(list, json!({
                "startIndex": start, "pageSize": size, "pageCount": pages, "totalCount": 5,
                "items": names,
            }), "{query}");
        }
    }

    async fn lists_are_filtered_by_what_they_show(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let shop = world.theme("acme01.shop.2.0.0").await;
        let points = world.application("acme01.points.3.4.5").await;
        rename(&app, &shop, "Ärger and Wonne").await;
        world.set_status(&points, 6).await;
        let client = world.client(&loyalty).await;
        let table: [(&str, &[&str]); 10] = [
            ("applicationTypeId+eq+2", &["shop"]),
            ("ApplicationVersion.MajorVersion+ge+2", &["points", "shop"]),
            ("applicationversion.majorversion+ge+2+and+applicationVersion.revision+eq+5", &["points"]),
            ("name+sw+'%C3%A4rger'", &["shop"]),
            ("name+eq+'%C3%84RGER+and+wonne'", &["shop"]),
            ("name+cont+oy", &["loyalty"]),
            ("applicationStatusName+eq+retired", &["points"]),
            ("applicationStatusId+in+[1,2]+and+appId+ne+shop", &["loyalty"]),
            ("parentAppKey+eq+null", &["loyalty", "points", "shop"]),
            ("hasVersions+eq+true", &[]),
        ];
        for (filter, names) in table {
            let path = format!("/collection?filter={filter}");
            assert_eq!(items(&client, &path, "appId").await, names, "{filter}");
            let counted = client.get(&format!("{PACKAGES}{path}&pageSize=1")).await.expect(200);
            assert_eq!(counted["totalCount"], names.len(), "{filter}");
        }
    }

    async fn parameters_that_cannot_be_used_are_refused_by_name(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let packages = "/applications/acme01.loyalty.1.0.0/packages";
        for path in ["", "/collection", packages] {
            let size = "must be an integer from 0 to 200.";
            malformed(&client, &format!("{path}?pageSize=201"), "pageSize", size).await;
            malformed(&client, &format!("{path}?pagesize=-1"), "pageSize", size).await;
            let start = "must be an integer from 0 to 2147483647.";
            malformed(&client, &format!("{path}?startIndex=x"), "startIndex", start).await;
            let sort = "names sharedSecret, which is no member to sort by.";
            malformed(&client, &format!("{path}?sortBy=sharedSecret"), "sortBy", sort).await;
            let filter = "names sharedSecret, which is no member to filter by.";
            let query = format!("{path}?filter=sharedSecret+ne+null");
            malformed(&client, &query, "filter", filter).await;
            let fields = "has an opening parenthesis without its closing one.";
            let query = format!("{path}?responseFields=items(id");
            malformed(&client, &query, "responseFields", fields).await;
        }
        let sort = "must have asc, desc or a comma behind name.";
        malformed(&client, "/collection?sortBy=name+up", "sortBy", sort).await;
        let long = format!("/collection?sortBy=name{}", "+".repeat(2_045));
        malformed(&client, &long, "sortBy", "must have at most 2048 bytes.").await;
        let kind = "must compare applicationTypeId with an integer.";
        malformed(&client, "/collection?filter=applicationTypeId+eq+x", "filter", kind).await;
        let joins = "has or, not or a parenthesis in a value without quotes: conditions are joined by and \
                     alone, and a value with such a word stands in quotes, as in name eq 'black or white'.";
        for filter in ["name+eq+a+or+name+eq+b", "name+eq+a+not+b", "name+eq+(a)"] {
            malformed(&client, &format!("/collection?filter={filter}"), "filter", joins).await;
        }
        let name = "must be an application's name of 1 to 50 letters, digits, _ and -, or one with its \
                    namespace in front, as in acme01.loyalty.";
        malformed(&client, "/apps/a%20b", "appId", name).await;
        malformed(&client, &format!("/apps/{}", "a".repeat(51)), "appId", name).await;
        let pair = "must be <namespace>.<appId>, as in acme01.loyalty.";
        malformed(&client, "/apps/acme01.", "appId", pair).await;
        let long = format!("/apps/acme01.loyalty.{}", "x".repeat(87));
        malformed(&client, &long, "appId", name).await;
        let key = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                   acme01.loyalty.1.0.0.Release.";
        malformed(&client, "/applications/acme01.loyalty/packages", "applicationKey", key).await;
    }

    async fn the_packages_of_a_version_are_listed_the_release_first(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        world.application("acme01.loyalty.1.1.0").await;
        let zebra = add_package(&app, &loyalty, "zebra").await;
        let ant = add_package(&app, &loyalty, "Ant").await;
        let gone = add_package(&app, &loyalty, "gone").await;
        app.execute(&format!("UPDATE packages SET is_deleted = true WHERE id = {gone}")).await;
        let client = world.client(&loyalty).await;
        // Whichever package the key names, there or not, in any case.
        for key in ["acme01.loyalty.1.0.0", "Acme01.LOYALTY.01.0.0.zebra", "acme01.loyalty.1.0.0.no"] {
            let path = format!("{PACKAGES}/applications/{key}/packages");
            let list = client.get(&path).await.expect(200);
            let counts = ["startIndex", "pageSize", "pageCount", "totalCount"];
            assert_eq!(counts.map(|name| list[name].clone()), [0, 50, 1, 3].map(Value::from));
            let shown = list["items"].as_array().unwrap();
            let ids: Vec<&Value> = shown.iter().map(|item| &item["id"]).collect();
            assert_eq!(ids, [loyalty.package, ant, zebra], "{key}");
            // As the package alone is shown, but for the secret.
            let path = format!("{PACKAGES}/acme01.loyalty.1.0.0.Ant");
            let mut alone = client.get(&path).await.expect(200);
            assert_eq!(alone["sharedSecret"], loyalty.secret.as_str());
            alone["sharedSecret"] = Value::Null;
            assert_eq!(shown[1], alone);
            assert_eq!(shown[1]["applicationBehaviors"], Value::Null);
        }
        let path = "/applications/acme01.loyalty.1.0.0/packages";
        let table: [(&str, &[&str]); 6] = [
            ("?sortBy=packageName+desc", &["zebra", "Release", "Ant"]),
            ("?sortBy=updateDate+desc&pageSize=2", &["zebra", "Ant"]),
            ("?filter=isReleasePackage+eq+false", &["Ant", "zebra"]),
            ("?filter=updateDate+gt+2026-02-01T08:15:00Z&startIndex=1", &["zebra"]),
            ("?filter=updateDate+lt+2026-02-01", &[]),
            ("?pageSize=0", &[]),
        ];
        for (query, names) in table {
            let found = items(&client, &format!("{path}{query}"), "packageName").await;
            assert_eq!(found, names, "{query}");
        }
    }

    async fn all_packages_are_listed_in_short(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.2.3").await;
        let shop = world.theme("acme01.shop.2.0.0").await;
        world.application("globex01.loyalty.9.0.0").await;
        let work = add_package(&app, &loyalty, "Work").await;
        let gone = add_package(&app, &loyalty, "gone").await;
        app.execute(&format!("UPDATE packages SET is_deleted = true WHERE id = {gone}")).await;
        world.set_status(&shop, 2).await;
        let client = world.client(&loyalty).await;
        let list = client.get(PACKAGES).await.expect(200);
        let of_loyalty = |id: i64, name: &str| json!({
            "id": id, "name": name, "applicationName": "loyalty", "applicationTypeId": 1,
            "majorVersion": 1, "minorVersion": 2, "revision": 3, "isLocked": false,
            "applicationId": loyalty.version,
        });
        let of_shop = json!({
            "id": shop.package, "name": "Release", "applicationName": "shop",
            "applicationTypeId": 2, "majorVersion": 2, "minorVersion": 0, "revision": 0,
            "isLocked": true, "applicationId": shop.version,
        });
        assert_eq!(list, json!({
            "startIndex": 0, "pageSize": 20, "pageCount": 1, "totalCount": 3,
            "items": [of_loyalty(loyalty.package, "Release"), of_shop, of_loyalty(work, "Work")],
        }));
        let table: [(&str, &[i64]); 4] = [
            ("?filter=isLocked+eq+true", &[shop.package]),
            ("?sortBy=name+desc,id+desc", &[work, shop.package, loyalty.package]),
            ("?startIndex=1&pageSize=1", &[shop.package]),
            ("?pageSize=0", &[]),
        ];
        for (query, ids) in table {
            assert_eq!(items(&client, query, "id").await, ids, "{query}");
        }
    }

    async fn what_another_account_has_is_in_no_list(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let foreign = world.application("globex01.secret.1.0.0").await;
        let client = world.client(&loyalty).await;
        for app_id in ["secret", "globex01.secret", "none", "initech01.loyalty"] {
            let list = client.get(&format!("{PACKAGES}/apps/{app_id}")).await.expect(200);
            assert_eq!(list, json!([]), "{app_id}");
        }
        let ids = items(&client, "?filter=id+gt+0", "id").await;
        assert_eq!(ids, [loyalty.package]);
        let ids = items(&client, "/collection?filter=name+eq+secret", "applicationId").await;
        assert_eq!(ids, [0; 0]);
        // A version of somebody else's, and one that does not exist.
        for key in ["globex01.secret.1.0.0.Release", "acme01.loyalty.1.0.1.Release"] {
            let answer = client.get(&format!("{PACKAGES}/applications/{key}/packages")).await;
            let message = format!("Item not found: package {key}");
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("AppKey", key)]);
        }
        let theirs = world.client(&foreign).await;
        let shown = items(&theirs, "/collection", "appKey").await;
        assert_eq!(shown, ["globex01.secret.1.0.0.Release"]);
    }

    async fn lists_are_found_in_any_case_and_show_what_is_selected(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let fields = "responsefields=totalCount,items(appKey,applicationVersion(minorVersion))";
        let path = format!("/API/Platform/AppDev/AppPackages/Collection/?{fields}");
        assert_eq!(client.get(&path).await.expect(200), json!({
            "totalCount": 1,
            "items": [{
                "applicationVersion": {"minorVersion": 0},
                "appKey": "acme01.loyalty.1.0.0.Release",
            }],
        }));
        let path = "/platform/appdev/apppackages/APPS/acme01.Loyalty/?ResponseFields=name&x=1";
        assert_eq!(client.get(path).await.expect(200), json!([{"name": "loyalty"}]));
        let path = "/platform/appdev/apppackages/?responsefields=-items";
        let expected = json!({"startIndex": 0, "pageSize": 20, "pageCount": 1, "totalCount": 1});
        assert_eq!(client.get(path).await.expect(200), expected);
        let path = "/Platform/AppDev/AppPackages/Applications/acme01.loyalty.1.0.0/Packages/\
                    ?responseFields=items(id)";
        let expected = json!({"items": [{"id": loyalty.package}]});
        assert_eq!(client.get(path).await.expect(200), expected);
    }
}
