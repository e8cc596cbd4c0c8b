//! Addresses (contract 1.1).
use http::Method;
use serde_json::json;

use super::{CREATE, PACKAGES, lost, malformed};
use crate::on_both;
use crate::support::contract::documents;
use crate::support::packages::{World, refused};

on_both! {
    async fn every_path_is_answered_in_every_form(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let readable = documents()[1].value["paths"].as_object().unwrap().iter();
        let readable = readable.filter(|(_, item)| item.get("get").is_some());
        let mut seen = 0;
        for (template, _) in readable {
            let fill = |name: &str| match name {
                "{applicationKey}" => loyalty.key.clone(),
                "{packageId}" => loyalty.package.to_string(),
                "{nsAndAppId}" => "acme01.loyalty".to_owned(),
                _ => "999999".to_owned(),
            };
            let segments = |literal: fn(&str) -> String| -> String {
                let parts = template.split('/').map(|part| {
                    if part.starts_with('{') { fill(part) } else { literal(part) }
                });
                parts.collect::<Vec<_>>().join("/")
            };
            let plain = segments(str::to_owned);
            let expected = client.get(&plain).await;
            for form in [
                format!("/api{plain}"),
                format!("/API{}", segments(str::to_uppercase)),
                format!("{}/", segments(str::to_lowercase)),
                format!("/Api{plain}///?responseFields=&unknown=1"),
            ] {
                let answer = client.get(&form).await;
                assert_eq!(answer.status, expected.status, "{form}: {}", answer.text());
                let is_refusal = !answer.status.is_success();
                assert!(is_refusal || answer.bytes == expected.bytes, "{form}");
            }
            app.advance_seconds(2);
            seen += 1;
        }
        assert!(seen >= 2, "{seen}");
    }

    async fn unknown_paths_are_not_found(app: TestApp) {
        for path in [
            "/api",
            "/api/",
            "/api/unknown",
            "/API/Platform/Unknown/",
            "/platform",
            "/platform/appdev/apppackages//create",
            "/api/api/platform/appdev/apppackages/create",
            "/.well-known/openid-configuration",
            "/api/platform/appdev/apppackages/acme01.loyalty.1.0.0.Release/clone",
            // Slashes too many are another path of this family.
            "//api/platform/appdev/apppackages/create",
            "///platform/appdev/apppackages/create",
            "/api//platform/appdev/apppackages/create",
            "//API",
        ] {
            lost(app.anonymous().get(path).await, path);
            lost(app.anonymous().post(&format!("{path}?x=1"), json!({})).await, path);
        }
    }

    async fn other_methods_are_refused_with_those_that_are_there(app: TestApp) {
        let message = "The path is known, but not with this method; Allow names those that it has.";
        for path in [CREATE, "/Platform/AppDev/AppPackages/CREATE/"] {
            for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
                let answer = app.anonymous().send(method.clone(), path, Vec::new()).await;
                assert_eq!(answer.header("allow"), "POST", "{method} {path}");
                refused(answer, 405, "METHOD_NOT_ALLOWED", message, &[]);
            }
        }
    }

    async fn words_are_never_keys(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        for word in ["applications", "Apps", "create/clone/work", "PROJECT/clone/work",
            "collection/behaviors"] {
            let path = format!("{PACKAGES}/{word}");
            for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE] {
                lost(client.send(method, &path, b"{}".to_vec()).await, &path);
            }
        }
        // A word that is a path has other methods; it is no key for these either.
        let message = "The path is known, but not with this method; Allow names those that it has.";
        for (word, method, allow) in [
            ("create", Method::PUT, "POST"),
            ("Project", Method::GET, "POST"),
            ("collection", Method::DELETE, "GET,HEAD"),
        ] {
            let answer = client.send(method, &format!("{PACKAGES}/{word}"), b"{}".to_vec()).await;
            assert_eq!(answer.header("allow"), allow, "{word}");
            refused(answer, 405, "METHOD_NOT_ALLOWED", message, &[]);
        }
        let why = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                   acme01.loyalty.1.0.0.Release.";
        malformed(client.get(&format!("{PACKAGES}/other")).await, "applicationKey", why);
        let answer = client.get(&format!("{PACKAGES}/%FF")).await;
        malformed(answer, "applicationKey", "must be UTF-8 text.");
    }

    async fn keys_in_paths_are_decoded_once(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        for key in ["acme01.loyalty.1.0.0", "ACME01%2ELoyalty.1.0.0.release", "%20acme01.loyalty.01.0.0"]
        {
            let shown = client.get(&format!("{PACKAGES}/{key}")).await.expect(200);
            assert_eq!(shown["appKey"], "acme01.loyalty.1.0.0.Release", "{key}");
        }
        let why = "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                   acme01.loyalty.1.0.0.Release.";
        let answer = client.get(&format!("{PACKAGES}/acme01%252Eloyalty.1.0.0")).await;
        malformed(answer, "applicationKey", why);
    }

    async fn query_names_are_read_in_any_case(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let path = format!("{PACKAGES}/{}", loyalty.key);
        for query in ["includechildren=True", "INCLUDECHILDREN=true", "x=&includeChildren=TRUE&x"] {
            let shown = client.get(&format!("{path}?{query}")).await.expect(200);
            assert!(shown["applicationBehaviors"].is_array(), "{query}");
        }
        for query in ["", "includeChildren=", "includeChildren=false", "includeChildren"] {
            let shown = client.get(&format!("{path}?{query}")).await.expect(200);
            assert!(shown["applicationBehaviors"].is_null(), "{query}");
        }
        let answer = client.get(&format!("{path}?IncludeChildren=yes")).await;
        malformed(answer, "includeChildren", "must be true or false.");
        for value in ["%FF", "a%00"] {
            let answer = client.get(&format!("{path}?includeChildren={value}")).await;
            malformed(answer, "includeChildren", "must be UTF-8 text without NUL.");
            // Of parameters that nobody knows, nobody reads the value either.
            client.get(&format!("{path}?unknown={value}")).await.expect(200);
        }
        // Deleting shows nothing, so that nothing can be selected.
        let work = client.post(&format!("{path}/clone/work?x=%FF"), json!({})).await.expect(200);
        let path = format!("{PACKAGES}/{}?responseFields=%FF", work["appKey"].as_str().unwrap());
        client.delete(&path).await.expect(200);
    }
}
