//! The committed documents as this instance serves them, as JSON and YAML, and the pages that show them: the
//! Swagger UI to try operations out, and Scalar to read.
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_swagger_ui::{Config, Url};

use super::asset::Asset;
use super::document;
use super::meta::problem;
use crate::kernel::error::Error;

/// Name and text of each committed document; `build.rs` writes the table.
static DOCUMENTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// Lets the vendored pages run their own scripts and call this service, and nothing else. Both write style
/// attributes, hence `unsafe-inline` for styles.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// The page around Scalar and the script that starts it. A script of its own, so that the policy need not allow
/// those within pages.
const READING_PAGE: &str = include_str!("reading/page.html");
const READING_START: &str = include_str!("reading/start.js");
/// The page of a folder.
const PAGE: &str = "index.html";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript";
const STYLE: &str = "text/css";
/// What the Swagger UI consists of, as far as it is asked for.
const SWAGGER_UI: [(&str, &str); 8] = [
    (PAGE, HTML),
    ("index.css", STYLE),
    ("swagger-ui.css", STYLE),
    ("swagger-ui-bundle.js", SCRIPT),
    ("swagger-ui-standalone-preset.js", SCRIPT),
    ("swagger-initializer.js", SCRIPT),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
];
/// Title of its page, and what is there instead.
const TITLE: [&str; 2] = ["<title>Swagger UI</title>", "<title>Appmarket</title>"];

/// `/openapi/…`, `/docs` and `/reference`, for clients that reach the service under `public_url`.
pub fn router<S: Clone + Send + Sync + 'static>(public_url: &str) -> Router<S> {
    Router::new()
        .merge(folder("/docs", swagger_ui()))
        .merge(folder("/reference", reading()))
        .layer(from_fn_with_state(Arc::from(public_url), page))
        .route("/openapi/{name}", get(document_file).with_state(documents(public_url)))
}

/// Files below a path, the page of which is at the path itself.
fn folder<S: Clone + Send + Sync + 'static>(path: &str, files: Files) -> Router<S> {
    let file = get(page_file).with_state(files);
    let slash = format!("{path}/");
    Router::new()
        .route(&slash, file.clone())
        .route(&format!("{path}/{{name}}"), file)
        .route(path, get(async move || Redirect::to(&slash)))
}

/// Of a committed document what it says of operations.
pub(super) fn operations(name: &str) -> Value {
    #[derive(Deserialize)]
    struct Operations {
        paths: Value,
    }
    let text = DOCUMENTS.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
    // What is committed was written from a value; before it was written for the first time there is nothing to serve.
    let operations = serde_json::from_str(text).unwrap_or(Operations { paths: Value::Null });
    json!({"paths": operations.paths})
}

/// Files by their names.
type Files = Arc<BTreeMap<String, Asset>>;

fn documents(public_url: &str) -> Files {
    let mut files = BTreeMap::new();
    for (name, text) in DOCUMENTS {
        let address = public_url.to_owned();
        let read = move || here(text, &address);
        let write = read.clone();
        let json = Asset::new("application/json", move || document::to_text(&read()).into());
        // RFC 9512.
        let yaml = Asset::new("application/yaml", move || document::to_yaml(&write()).into());
        files.insert(name.replace(".json", ".yaml"), yaml);
        files.insert((*name).to_owned(), json);
    }
    Arc::new(files)
}

/// A committed document with the addresses of this instance in the place of those that start at its root.
fn here(text: &str, public_url: &str) -> Value {
    // What is committed was written from a value.
    let mut document: Value = serde_json::from_str(text).unwrap_or_default();
    let absolute = |address: &mut Value| {
        if let Some(path) = address.as_str().filter(|it| it.starts_with('/')) {
            *address = format!("{public_url}{}", path.trim_end_matches('/')).into();
        }
    };
    if let Some(servers) = document.get_mut("servers").and_then(Value::as_array_mut) {
        // For whoever came by another address: pages may only call the one that they came from.
        let mut same = servers.clone();
        same.retain_mut(|server| {
            let Some(path) = server["url"].as_str().filter(|it| it.starts_with('/')) else {
                return false;
            };
            server["url"] = format!("..{path}").into();
            server["description"] = "Wherever this document came from.".into();
            true
        });
        servers.iter_mut().for_each(|server| absolute(&mut server["url"]));
        servers.extend(same);
    }
    let schemes = document.pointer_mut("/components/securitySchemes");
    let schemes = schemes.and_then(Value::as_object_mut).into_iter().flatten();
    for (_, scheme) in schemes {
        let flows = scheme.get_mut("flows").and_then(Value::as_object_mut).into_iter().flatten();
        for (_, flow) in flows {
            for name in ["tokenUrl", "refreshUrl"] {
                flow.get_mut(name).into_iter().for_each(absolute);
            }
        }
    }
    document
}

async fn document_file(
    Path(name): Path<String>,
    State(files): State<Files>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let Some(file) = files.get(&name) else {
        let known: Vec<&str> = files.keys().map(String::as_str).collect();
        let detail = format!("There is no such document; there are {}.", known.join(", "));
        return Ok(problem(StatusCode::NOT_FOUND, &detail));
    };
    file.answer(&headers).await
}

/// The Swagger UI: what it consists of.
fn swagger_ui() -> Files {
    // The addresses start from the page: a proxy may have put a prefix before it.
    let config = Config::new([
        Url::new("App Offerings", "../openapi/app-offerings.json"),
        Url::new("App Packages", "../openapi/app-packages.json"),
    ])
    .deep_linking(true)
    .display_operation_id(true)
    .display_request_duration(true)
    .default_models_expand_depth(0)
    .doc_expansion("none")
    .filter(true)
    .persist_authorization(true)
    .try_it_out_enabled(true)
    // The badge of a remote validator has no place on a page without remote hosts.
    .validator_url("none");
    let config = Arc::new(config);
    let file = |(name, content_type): (&'static str, &'static str)| {
        let config = Arc::clone(&config);
        let make = move || {
            // That each file is there, a test shows.
            let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok().flatten();
            let bytes = file.map(|file| file.bytes.into_owned()).unwrap_or_default();
            if name == PAGE { with_title(&bytes) } else { bytes }
        };
        (name.to_owned(), Asset::new(content_type, make))
    };
    Arc::new(SWAGGER_UI.map(file).into())
}

/// The page under the title of the product.
fn with_title(page: &[u8]) -> Vec<u8> {
    let [theirs, ours] = TITLE;
    String::from_utf8_lossy(page).replacen(theirs, ours, 1).into_bytes()
}

/// The page for reading: what it consists of.
fn reading() -> Files {
    let script = || scalar_api_reference::get_asset("scalar.js").unwrap_or_default();
    Arc::new(BTreeMap::from([
        (PAGE.to_owned(), Asset::new(HTML, || READING_PAGE.as_bytes().to_vec())),
        ("start.js".to_owned(), Asset::new(SCRIPT, || READING_START.as_bytes().to_vec())),
        ("scalar.js".to_owned(), Asset::new(SCRIPT, script)),
    ]))
}

async fn page_file(
    name: Option<Path<String>>,
    State(files): State<Files>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let name = name.map_or_else(|| PAGE.to_owned(), |Path(name)| name);
    files.get(&name).ok_or(Error::NotFound)?.answer(&headers).await
}

/// What pages have in common: their policy, and that they lead on to their folder by its name alone, whatever a
/// proxy has put before it.
async fn page(State(public_url): State<Arc<str>>, request: Request, next: Next) -> Response {
    if let Some(path) = path_at_public_url(&public_url, &request) {
        return Redirect::temporary(&format!("{public_url}{path}")).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    if let Some(location) = headers.get_mut(header::LOCATION)
        && let Some(folder) = location.as_bytes().strip_prefix(b"/")
        && let Ok(folder) = HeaderValue::from_bytes(folder)
    {
        *location = folder;
    }
    response
}

/// Path and query of a page that was asked for by another name of the same machine, as by `localhost`. Its documents name
/// the public address, which pages of another one may not call.
fn path_at_public_url<'a>(public_url: &str, request: &'a Request) -> Option<&'a str> {
    let host = || request.headers().get(header::HOST)?.to_str().ok()?.parse().ok();
    let asked: Authority = request.uri().authority().cloned().or_else(host)?;
    let public = public_url.parse::<Uri>().ok()?.into_parts().authority?;
    let is_local = |it: &Authority| matches!(it.host(), "localhost" | "127.0.0.1" | "[::1]");
    // Of another port it may be another machine's, forwarded.
    let is_same = is_local(&asked) && is_local(&public) && asked.port_u16() == public.port_u16();
    let is_other_name = is_same && asked.host() != public.host();
    request.uri().path_and_query().filter(|_| is_other_name).map(PathAndQuery::as_str)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_page_that_another_name_of_the_machine_finds_is_that_of_the_public_one() {
        let at = async |public_url: &str, host: &str, path: &str| {
            let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
            let answer = router::<()>(public_url).oneshot(request).await.unwrap();
            let location = answer.headers().get("location");
            (answer.status().as_u16(), location.map(|it| it.to_str().unwrap().to_owned()))
        };
        let here = "http://127.0.0.1:8080";
        for (path, there) in [
            ("/docs/?urls.primaryName=a", "http://127.0.0.1:8080/docs/?urls.primaryName=a"),
            ("/reference/", "http://127.0.0.1:8080/reference/"),
        ] {
            assert_eq!(at(here, "localhost:8080", path).await, (307, Some(there.to_owned())));
            assert_eq!(at(here, "[::1]:8080", path).await, (307, Some(there.to_owned())));
            // Under its own name, a forwarded port, and that of another machine.
            for host in ["127.0.0.1:8080", "localhost:9090", "market.example:8080"] {
                assert_eq!(at(here, host, path).await, (200, None), "{host}");
            }
            assert_eq!(at("https://market.example", "localhost", path).await, (200, None));
        }
    }

    #[tokio::test]
    async fn what_the_swagger_ui_consists_of_is_there_and_may_be_kept() {
        let app = router::<()>("https://market.example");
        let get = async |path: &str, header: (&str, &str)| {
            let request = Request::get(path).header(header.0, header.1).body(Body::empty());
            let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            (parts, String::from_utf8_lossy(&body).into_owned())
        };
        for (name, content_type) in SWAGGER_UI {
            let path = format!("/docs/{name}");
            let (parts, body) = get(&path, ("accept-encoding", "identity")).await;
            assert_eq!(parts.status, 200, "{name}");
            assert_eq!(parts.headers["content-type"], content_type);
            assert!(body.len() > 100, "{name}: {body}");
            let tag = parts.headers["etag"].to_str().unwrap().to_owned();
            let (parts, body) = get(&path, ("if-none-match", &tag)).await;
            assert_eq!((parts.status.as_u16(), &*body), (304, ""), "{name}");
        }
        let (parts, _) = get("/docs/swagger-ui-bundle.js", ("accept-encoding", "gzip, br")).await;
        assert_eq!(parts.headers["content-encoding"], "br");
        let (_, page) = get("/docs/", ("accept", "*/*")).await;
        assert!(page.contains("<title>Appmarket</title>"), "{page}");
        let named = page.split(['"']).filter_map(|text| text.strip_prefix("./"));
        let known = SWAGGER_UI.map(|(name, _)| name);
        let named: Vec<&str> = named.collect();
        assert!(named.len() > 4 && named.iter().all(|it| known.contains(it)), "{named:?}");
    }

    #[test]
    fn dates_are_texts_to_every_reader_of_yaml() {
        let document = json!({
            "a": "2026-03-04", "b": ["2026-03-04T09:15:00Z", "2026-03-0", "x: 2026-03-04"],
            "c": {"d": "2026-03-04 is a day"}, "e": "one\n2026-03-04\n",
        });
        let text = document::to_yaml(&document);
        assert_eq!(yaml_serde::from_str::<Value>(&text).unwrap(), document, "{text}");
        assert!(
            text.starts_with("a: '2026-03-04'\nb:\n- '2026-03-04T09:15:00Z'\n- 2026-03-0\n"),
            "{text}"
        );
    }

    #[test]
    fn addresses_that_start_at_the_root_become_this_instances_own() {
        let flow = |token: &str| {
            json!({"o": {"flows": {"clientCredentials": {
            "tokenUrl": token, "refreshUrl": token, "scopes": {"/": "/"},
        }}}, "b": {"type": "http"}})
        };
        let document = |root: &str, token: &str| {
            json!({
                "servers": [{"url": root}, {"url": "https://other.example"}],
                "components": {"securitySchemes": flow(token)},
                "paths": {"/": {"description": "/"}},
            })
        };
        for (committed, mut served, same) in [
            (
                document("/", "/token"),
                document("https://a.example/b", "https://a.example/b/token"),
                "../",
            ),
            (
                document("/api", "/api/x"),
                document("https://a.example/b/api", "https://a.example/b/api/x"),
                "../api",
            ),
        ] {
            let same = json!({"url": same, "description": "Wherever this document came from."});
            served["servers"].as_array_mut().unwrap().push(same);
            assert_eq!(here(&committed.to_string(), "https://a.example/b"), served);
        }
        assert_eq!(here(r#"{"$defs": {}}"#, "https://a.example"), json!({"$defs": {}}));
    }
}
