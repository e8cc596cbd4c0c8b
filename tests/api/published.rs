//! The documents as an instance serves them, and the pages that show them, also behind a proxy that has put a
//! prefix before all addresses.
use std::io::Read;

use axum::Router;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use crate::support::client::Client;
use crate::support::{Answer, TestApp};

const DOCUMENTS: [&str; 4] =
    ["app-offerings", "app-offerings-3.0", "app-packages", "app-packages-3.0"];

/// Where clients reach the service: another server hands on what is below `/market`.
const PUBLIC: &str = "https://apps.example.test/market";

async fn behind_a_prefix() -> (TestApp, Client) {
    let app = TestApp::sqlite_with(|config| config.public_url = Some(format!("{PUBLIC}/"))).await;
    let proxy = Router::new().nest_service("/market", app.router.clone());
    (app, Client::new(proxy, None))
}

fn committed(name: &str) -> Value {
    let path = format!("{}/openapi/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The bytes, unpacked as the answer says.
fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    match answer.headers.get("content-encoding").map(|it| it.to_str().unwrap()) {
        Some("br") => {
            let mut reader = brotli::Decompressor::new(answer.bytes.as_slice(), 4096);
            reader.read_to_end(&mut bytes).unwrap();
        }
        // The client has unpacked it.
        Some("gzip") | None => bytes.clone_from(&answer.bytes),
        other => panic!("{other:?}"),
    }
    bytes
}

#[tokio::test]
async fn the_documents_name_the_address_of_their_instance() {
    let (_app, client) = behind_a_prefix().await;
    for name in DOCUMENTS {
        let mut expected = committed(name);
        let (base, token) = match name.starts_with("app-packages") {
            true => ("/api", "/api/platform/applications/authtickets/oauth"),
            false => ("", "/token"),
        };
        assert_eq!(expected["servers"][0]["url"], if base.is_empty() { "/" } else { base });
        let mut same = expected["servers"][0].clone();
        same["url"] = if base.is_empty() { "../".into() } else { format!("..{base}").into() };
        same["description"] = "Wherever this document came from.".into();
        expected["servers"][0]["url"] = format!("{PUBLIC}{base}").into();
        expected["servers"].as_array_mut().unwrap().push(same);
        let schemes = &mut expected["components"]["securitySchemes"];
        let scheme = if base.is_empty() { "oauth2" } else { "applicationOAuth2" };
        for url in ["tokenUrl", "refreshUrl"] {
            schemes[scheme]["flows"]["clientCredentials"][url] = format!("{PUBLIC}{token}").into();
        }
        let json = client.get(&format!("/market/openapi/{name}.json")).await;
        assert_eq!(json.header("content-type"), "application/json");
        assert!(json.expect(200) == expected, "{name}.json says more or less");
        let yaml = client.get(&format!("/market/openapi/{name}.yaml")).await;
        assert_eq!((yaml.status.as_u16(), yaml.header("content-type")), (200, "application/yaml"));
        let read: Value = yaml_serde::from_str(&yaml.text()).unwrap();
        assert!(read == expected, "{name}.yaml says something else than {name}.json");
    }
    let events = client.get("/market/openapi/events.json").await.expect(200);
    assert_eq!(events, committed("events"));
}

#[tokio::test]
async fn a_document_comes_in_the_encoding_that_is_asked_for() {
    let app = TestApp::sqlite().await;
    let path = "/openapi/app-packages.json";
    let plain = app.anonymous().get(path).await;
    assert_eq!(plain.headers.get("content-encoding"), None);
    let mut tags = vec![plain.header("etag").to_owned()];
    for (accepted, encoding) in
        [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.1", "gzip")]
    {
        let answer = app.anonymous().with("accept-encoding", accepted).get(path).await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(answer.header("vary"), "Accept-Encoding");
        assert_eq!(answer.header("cache-control"), "no-cache");
        let length: usize = answer.header("content-length").parse().unwrap();
        assert!(length < plain.bytes.len() / 8, "{encoding}: {length}");
        assert!(unpacked(&answer) == plain.bytes, "{accepted}");
        tags.push(answer.header("etag").to_owned());
        // Without a body, the same.
        let head = app.anonymous().with("accept-encoding", accepted);
        let head = head.send(Method::HEAD, path, Vec::new()).await;
        assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
        for name in ["content-encoding", "content-length", "content-type", "etag", "vary"] {
            assert_eq!(head.header(name), answer.header(name), "{accepted}: {name}");
        }
    }
    for accepted in ["gzip;q=0", "identity", "deflate", "*;q=0", "gzip;q=0.5, identity"] {
        let answer = app.anonymous().with("accept-encoding", accepted).get(path).await;
        assert_eq!(answer.headers.get("content-encoding"), None, "{accepted}");
        assert_eq!(answer.header("etag"), tags[0], "{accepted}");
        assert!(answer.bytes == plain.bytes);
    }
    assert_eq!(tags[2], tags[3]);
    tags.truncate(3);
    for (place, accepted) in ["identity", "br", "gzip"].into_iter().enumerate() {
        let tag = tags[place].trim_matches('"').to_owned();
        let known = [
            (format!("\"{tag}\""), true),
            (format!("\"other\", W/\"{tag}\""), true),
            ("*".to_owned(), true),
            // The same content in another encoding is something else; and part of a tag is no tag.
            (tags[(place + 1) % 3].clone(), false),
            (format!("\"{tag}0\""), false),
            (format!("\"{}\"", &tag[1..]), false),
            (tag, false),
            (String::new(), false),
        ];
        for (known, is_known) in known {
            let client = app.anonymous().with("accept-encoding", accepted);
            let answer = client.with("if-none-match", &known).get(path).await;
            assert_eq!(answer.status, if is_known { 304 } else { 200 }, "{accepted} {known:?}");
            assert_eq!(answer.header("etag"), tags[place]);
            assert_eq!(answer.bytes.is_empty(), is_known);
        }
    }
}

#[tokio::test]
async fn a_document_that_is_not_there_is_a_problem() {
    let app = TestApp::sqlite().await;
    for name in
        ["nothing", "nothing.json", "app-offerings", "APP-OFFERINGS.JSON", "..%2FCargo.toml"]
    {
        let answer = app.anonymous().get(&format!("/openapi/{name}")).await;
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(
            answer.expect(404),
            json!({
                "type": "about:blank", "title": "Not Found", "status": 404,
                "detail": "There is no such document; there are app-offerings-3.0.json, \
                    app-offerings-3.0.yaml, app-offerings.json, app-offerings.yaml, \
                    app-packages-3.0.json, app-packages-3.0.yaml, app-packages.json, \
                    app-packages.yaml, config.schema.json, config.schema.yaml, events.json, \
                    events.yaml.",
            }),
            "{name}"
        );
    }
}

/// Browsers find everything that a page names, wherever a proxy has put it.
#[tokio::test]
async fn the_pages_work_behind_a_prefix() {
    let (app, client) = behind_a_prefix().await;
    let public = Url::parse(PUBLIC).unwrap();
    for (page, script) in [("docs", "swagger-initializer.js"), ("reference", "start.js")] {
        let short = public.join(&format!("market/{page}")).unwrap();
        let answer = client.get(short.path()).await;
        assert_eq!(answer.status, 303);
        let whole = short.join(answer.header("location")).unwrap();
        assert_eq!(whole.path(), format!("/market/{page}/"));
        let answer = client.get(whole.path()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
             img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        );
        let text = answer.text();
        let scripts: Vec<&str> =
            text.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(scripts.iter().any(|it| it.ends_with(script)), "{scripts:?}");
        for script in scripts {
            let answer = client.get(whole.join(script).unwrap().path()).await;
            assert_eq!(answer.status, 200, "{script}");
            assert!(answer.header("content-type").contains("javascript"));
        }
        let text = client.get(whole.join(script).unwrap().path()).await.text();
        for name in ["../openapi/app-offerings.json", "../openapi/app-packages.json"] {
            assert!(text.contains(name), "{text}");
            let document = client.get(whole.join(name).unwrap().path()).await.expect(200);
            // And in the document, where its operations are.
            let server = document["servers"][0]["url"].as_str().unwrap();
            let path = document["paths"].as_object().unwrap().keys().find(|it| !it.contains('{'));
            let operation = Url::parse(&format!("{server}{}", path.unwrap())).unwrap();
            assert_ne!(client.get(operation.path()).await.status, 404, "{operation}");
        }
    }
    let script = client.get("/market/reference/scalar.js").await;
    assert!(script.bytes.len() > 1_000_000);
    // Without the prefix there is nothing, so the addresses above are right.
    assert_eq!(client.get("/openapi/app-offerings.json").await.status, 404);
    assert_eq!(app.anonymous().get("/reference/").await.status, 200);
}
