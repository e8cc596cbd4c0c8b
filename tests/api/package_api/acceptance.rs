//! The acceptance checklist of the contract (section 8), line by line. What else each operation does is
//! tested in its own file.
use http::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::contract::documents;
use crate::support::packages::{World, refused};

const CREATE: &str = "/api/platform/appdev/apppackages/create";

/// The 53 members in the order of the wire.
const MEMBERS: [&str; 53] = [
    "updateDate",
    "applicationUpdateDate",
    "id",
    "applicationName",
    "applicationTypeId",
    "applicationTypeName",
    "majorVersion",
    "minorVersion",
    "revision",
    "sharedSecret",
    "applicationStatusId",
    "applicationStatusName",
    "apiVersion",
    "applicationDescription",
    "themeEngineVersion",
    "namespace",
    "validApplicationStatusIdList",
    "appSchemeVersion",
    "appConfigUrl",
    "isReleasePackage",
    "packageName",
    "packageDescription",
    "dataNamespace",
    "userId",
    "appId",
    "applicationId",
    "applicationDetailId",
    "isLocked",
    "isDeleted",
    "assetFileCount",
    "packageGuid",
    "applicationStatus",
    "applicationBehaviors",
    "applicationSubscriptions",
    "applicationCapabilityTypes",
    "applicationAttributes",
    "applicationCapabilities",
    "applicationEntitlements",
    "attributeNamespace",
    "hasApplicationVersions",
    "legacyNamespace",
    "namespaceRegistryId",
    "publishedParentThemeId",
    "publishedParentSemanticVersion",
    "semanticVersionRange",
    "parentThemeName",
    "parentThemeAppKey",
    "updateParentAppKey",
    "updateAvailable",
    "appKey",
    "updateParentThemeName",
    "updateParentThemeVersion",
    "applicationOwnerDevAccountId",
];

fn is_hex(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

on_both! {
    async fn check_01_create_answers_the_53_members_in_order(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let body = json!({"appKey": "acme01.points.1.2.3.Release", "parentThemeAppKey": null});
        let answer = client.post(CREATE, body).await;
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        let mut made = answer.expect(200);
        let members: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(members, MEMBERS);
        let schema = "/components/schemas/AppDevPackage/properties";
        let documented = documents()[1].value.pointer(schema).unwrap().as_object().unwrap();
        assert_eq!(documented.keys().collect::<Vec<_>>(), MEMBERS);
        // What no test can foresee.
        for random in ["sharedSecret", "packageGuid", "namespaceRegistryId"] {
            assert!(is_hex(&made[random]), "{random}");
            made[random] = "random".into();
        }
        assert!(made["id"].as_i64().unwrap() > loyalty.package);
        assert!(made["applicationId"].as_i64().unwrap() > loyalty.version);
        let (id, version) = (made["id"].clone(), made["applicationId"].clone());
        let expected = json!({
            "updateDate": "2026-02-01T08:15:00.000Z",
            "applicationUpdateDate": "2026-02-01T08:15:00.000Z",
            "id": id,
            "applicationName": "points",
            "applicationTypeId": 1,
            "applicationTypeName": "Application",
            "majorVersion": 1,
            "minorVersion": 2,
            "revision": 3,
            "sharedSecret": "random",
            "applicationStatusId": 1,
            "applicationStatusName": "In Development",
            "apiVersion": "1",
            "applicationDescription": null,
            "themeEngineVersion": null,
            "namespace": "acme01",
            "validApplicationStatusIdList": [2, 6],
            "appSchemeVersion": 2,
            "appConfigUrl": null,
            "isReleasePackage": true,
            "packageName": "Release",
            "packageDescription": null,
            "dataNamespace": "acme01",
            "userId": null,
            "appId": "points",
            "applicationId": version,
            "applicationDetailId": null,
            "isLocked": false,
            "isDeleted": false,
            "assetFileCount": 0,
            "packageGuid": "random",
            "applicationStatus": "In Development",
            "applicationBehaviors": [],
            "applicationSubscriptions": [],
            "applicationCapabilityTypes": [],
            "applicationAttributes": [],
            "applicationCapabilities": [],
            "applicationEntitlements": [],
            "attributeNamespace": "acme01",
            "hasApplicationVersions": false,
            "legacyNamespace": null,
            "namespaceRegistryId": "random",
            "publishedParentThemeId": null,
            "publishedParentSemanticVersion": null,
            "semanticVersionRange": null,
            "parentThemeName": null,
            "parentThemeAppKey": null,
            "updateParentAppKey": null,
            "updateAvailable": false,
            "appKey": "acme01.points.1.2.3.Release",
            "updateParentThemeName": null,
            "updateParentThemeVersion": null,
            "applicationOwnerDevAccountId": loyalty.account,
        });
        assert_eq!(made, expected);
    }

    async fn check_02_the_same_create_again_changes_nothing(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let create = || client.post(CREATE, json!({"appKey": "acme01.points.1.0.0"}));
        let path = "/api/platform/appdev/apppackages/acme01.points.1.0.0?includeChildren=true";
        let made = create().await.expect(200);
        app.advance_seconds(60);
        let key = "acme01.points.1.0.0.Release";
        let message = format!("Item already exists: package {key}");
        refused(create().await, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", key)]);
        assert_eq!(client.get(path).await.expect(200), made);
        // In other letters it is the same key.
        let again = client.post(CREATE, json!({"appKey": "ACME01.Points.01.0.0.RELEASE"})).await;
        refused(again, 409, "ITEM_ALREADY_EXISTS", &message, &[("AppKey", key)]);
    }

    async fn check_02_of_parallel_creates_one_succeeds(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        for key in ["acme01.points.1.0.0", "acme01.loyalty.2.0.0"] {
            let racing = (0..8).map(|_| client.post(CREATE, json!({"appKey": key})));
            let answers = futures_util::future::join_all(racing).await;
            let mut statuses: Vec<u16> = answers.iter().map(|it| it.status.as_u16()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409], "{key}");
        }
        // Of a new application, versions that are made at the same time all come to be.
        let racing = (0..4).map(|major| {
            client.post(CREATE, json!({"appKey": format!("acme01.race.{major}.0.0")}))
        });
        for answer in futures_util::future::join_all(racing).await {
            answer.expect(200);
        }
    }

    async fn check_03_keys_that_create_nothing(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let malformed = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                         acme01.loyalty.1.0.0.Release.";
        let absent = "must be the key of the new version.";
        let clone = "must name the package Release: other packages are made by cloning it, POST \
                     /platform/appdev/apppackages/{applicationKey}/clone/{packageName}.";
        for (body, parameter, why) in [
            ("null", "packageRequest", "must be a JSON object."),
            ("[]", "packageRequest", "must be a JSON object."),
            ("", "packageRequest", "is the body of this request, which is empty."),
            ("{}", "appKey", absent),
            (r#"{"appKey": null}"#, "appKey", absent),
            (r#"{"appKey": "  "}"#, "appKey", absent),
            (r#"{"appKey": 7}"#, "appKey", "must be a text."),
            (r#"{"appKey": "acme01loyalty100Release"}"#, "appKey", malformed),
            (r#"{"appKey": "acme01.loyalty"}"#, "appKey", malformed),
            (r#"{"appKey": "acme01.loyalty.1.0.2147483648"}"#, "appKey", malformed),
            (r#"{"appKey": "acme01.loyalty.1.0.0.ann"}"#, "appKey", clone),
            (r#"{"appKey": "acme01.unknown.1.0.0.ann"}"#, "appKey", clone),
        ] {
            let answer = client.send(Method::POST, CREATE, body.as_bytes().to_vec()).await;
            let message = format!("Missing or invalid parameter: {parameter} {why}");
            let data = [("ParameterName", parameter), ("ErrorMessage", why)];
            refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        }
        let message = "Forbidden: not for the developer account of the access token.";
        for key in ["globex01.app.1.0.0", "nobody.app.1.0.0"] {
            let answer = client.post(CREATE, json!({"appKey": key})).await;
            refused(answer, 403, "FORBIDDEN", message, &[("OperationName", "create_app_package")]);
        }
    }

    async fn check_05_parents_are_published_themes(app: TestApp) {
        let world = World::new(&app).await;
        let base = world.theme("acme01.base.1.0.0").await;
        let client = world.client(&base).await;
        let child = |parent: &str| {
            client.post(CREATE, json!({"appKey": "acme01.winter.1.0.0", "parentThemeAppKey": parent}))
        };
        let named = "must name the package Release of a published theme.";
        let message = format!("Missing or invalid parameter: parentThemeAppKey {named}");
        let data = [("ParameterName", "parentThemeAppKey"), ("ErrorMessage", named)];
        let answer = child("acme01.base.1.0.0.ann").await;
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        let malformed = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                         acme01.loyalty.1.0.0.Release.";
        let message = format!("Missing or invalid parameter: parentThemeAppKey {malformed}");
        let data = [("ParameterName", "parentThemeAppKey"), ("ErrorMessage", malformed)];
        let answer = child("base").await;
        refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
        // Unknown, and of another account: nobody can tell which.
        let foreign = world.theme("globex01.base.1.0.0").await;
        for key in ["acme01.nothing.1.0.0.Release", &foreign.key] {
            let message = format!("Item not found: parent theme {key}");
            let data = [("ParentThemeAppKey", key)];
            refused(child(key).await, 404, "ITEM_NOT_FOUND", &message, &data);
        }
        let application = world.application("acme01.loyalty.1.0.0").await;
        world.set_status(&application, 5).await;
        let conflict = |why: &str| (format!("Validation Error: {why}"), why.to_owned());
        let (message, why) = conflict("the parent acme01.loyalty.1.0.0.Release is not a theme.");
        let answer = child(&application.key).await;
        refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", &why)]);
        let (message, why) = conflict("the parent acme01.base.1.0.0.Release is not published.");
        let answer = child(&base.key).await;
        refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", &why)]);

        world.set_status(&base, 5).await;
        let (message, why) = conflict("the parent acme01.base.1.0.0.Release is the theme itself.");
        let next = json!({"appKey": "acme01.base.2.0.0", "parentThemeAppKey": base.key});
        let answer = client.post(CREATE, next).await;
        refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", &why)]);
        let (message, why) = conflict("only a theme can have a parent theme.");
        let next = json!({"appKey": "acme01.loyalty.2.0.0", "parentThemeAppKey": base.key});
        let answer = client.post(CREATE, next).await;
        refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", &why)]);

        let made = child("ACME01.base.1.0.0").await.expect(200);
        let inherited = json!({
            "applicationTypeId": 2, "applicationTypeName": "Theme",
            "publishedParentThemeId": base.version, "publishedParentSemanticVersion": "1.0.0",
            "semanticVersionRange": "^1.0.0", "parentThemeName": "base",
            "parentThemeAppKey": base.key, "updateParentAppKey": null, "updateAvailable": false,
            "updateParentThemeName": null, "updateParentThemeVersion": null,
        });
        for (member, value) in inherited.as_object().unwrap() {
            assert_eq!(&made[member], value, "{member}");
        }
        // A child cannot become the parent of its own parent.
        let db = app.state.store.connection();
        sea_orm::ConnectionTrait::execute_unprepared(
            db,
            "UPDATE application_versions SET status_id = 5 WHERE name = 'winter'",
        )
        .await
        .unwrap();
        let next = json!({"appKey": "acme01.base.2.0.0", "parentThemeAppKey": "acme01.winter.1.0.0"});
        let (message, why) =
            conflict("the parent acme01.winter.1.0.0.Release inherits from the theme itself.");
        let answer = client.post(CREATE, next).await;
        refused(answer, 409, "VALIDATION_CONFLICT", &message, &[("ErrorMessage", &why)]);
        // Published versions of the parent within the range are offered; the newest counts.
        for (version, status) in [("1.1.0", 5), ("1.10.0", 5), ("1.11.0", 1), ("2.0.0", 5)] {
            let theme = world.theme(&format!("acme01.base.{version}")).await;
            world.set_status(&theme, status).await;
        }
        let path = "/api/platform/appdev/apppackages/acme01.winter.1.0.0.Release";
        let shown = client.get(path).await.expect(200);
        let update = json!({
            "updateParentAppKey": "acme01.base.1.10.0.Release", "updateAvailable": true,
            "updateParentThemeName": "base", "updateParentThemeVersion": "1.10.0",
        });
        for (member, value) in update.as_object().unwrap() {
            assert_eq!(&shown[member], value, "{member}");
        }
        // The next version of the child keeps its parent.
        let next = client.post(CREATE, json!({"appKey": "acme01.winter.1.1.0"})).await.expect(200);
        assert_eq!(next["parentThemeAppKey"], base.key.as_str());
        assert_eq!(next["semanticVersionRange"], "^1.0.0");
    }

    async fn check_06_response_fields_select_members(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let body = json!({"appKey": "acme01.points.1.0.0"});
        let answer = client.post(&format!("{CREATE}?responseFields=appKey,id"), body).await;
        let made = answer.expect(200);
        assert_eq!(made, json!({"id": made["id"], "appKey": "acme01.points.1.0.0.Release"}));
        // In the order of the wire, whatever was asked for.
        let members: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(members, ["id", "appKey"]);
        let path = "/api/platform/appdev/apppackages/acme01.points.1.0.0.Release?responsefields=";
        assert_eq!(client.get(path).await.expect(200).as_object().unwrap().len(), 53);
    }

    async fn check_07_paths_are_read_in_any_case_and_with_a_slash(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        for (number, path) in [
            "/API/Platform/AppDev/AppPackages/Create/?responseFields=",
            "/platform/appdev/apppackages/create",
            "/platform/appdev/apppackages/CREATE/",
            "/Api/platform/appdev/apppackages/create?RESPONSEFIELDS=&unknown=1",
        ]
        .iter()
        .enumerate()
        {
            let key = format!("acme01.points.1.{number}.0");
            let made = client.post(path, json!({"appKey": key})).await.expect(200);
            assert_eq!(made["appKey"], format!("{key}.Release"), "{path}");
        }
    }
}
