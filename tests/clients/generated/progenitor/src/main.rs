//! The story of the generated clients: what a publisher does with offerings and packages, against the server at `BASE`.
pub mod app_offerings {
    include!(concat!(env!("OUT_DIR"), "/app-offerings.rs"));
}
pub mod app_packages {
    include!(concat!(env!("OUT_DIR"), "/app-packages.rs"));
}

use std::env;
use std::error::Error;
use std::num::NonZeroU32;

use app_offerings::types::{CreateAppOffering, Refusal, UpdateAppOffering, builder};
use app_packages::types::{OauthAuthRequest, PackageRequest};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let base = env::var("BASE")?;
    let suffix = &uuid::Uuid::new_v4().simple().to_string()[..8];
    offerings(&base, suffix).await?;
    packages(&base, suffix).await
}

/// The HTTP client that sends a token with every request.
fn bearer(token: &str) -> Result<reqwest::Client, Box<dyn Error>> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse()?)]);
    Ok(reqwest::Client::builder().default_headers(headers).build()?)
}

fn header(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(&name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn offerings(base: &str, suffix: &str) -> Outcome {
    let client = app_offerings::Client::new_with_client(base, bearer(&env::var("TEST_TOKEN")?)?);
    let source = format!("progenitor {suffix}");
    let instances = client.list_service_instances().send().await?.into_inner();
    let service_instance = instances[0].id;
    let new = |number: i32| -> builder::CreateAppOffering {
        CreateAppOffering::builder()
            .name(format!("Progenitor {suffix} {number}"))
            .policy_jwt_alg(app_offerings::types::JwtAlgorithm::Es256)
            .service_instance_id(service_instance)
            .source(source.clone())
            .source_id(number.to_string())
            .webhook_uri_template("https://hook.example.test/?account={account}".to_owned())
    };

    let mut created = Vec::new();
    for number in 1..=5 {
        let answer = client.create_app_offering().body(new(number)).send().await?;
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.name, format!("Progenitor {suffix} {number}"));
        assert_eq!(answer.source, source);
        assert!(!answer.published);
        created.push(answer.into_inner());
    }
    println!("created {} offerings", created.len());

    let (mut pages, mut found, mut cursor) = (0, Vec::new(), None);
    loop {
        let mut request = client
            .list_app_offerings()
            .per_page(NonZeroU32::try_from(2)?)
            .source(&source)
            .sort("sourceID");
        if let Some(cursor) = cursor {
            request = request.search_after(cursor);
        }
        let page = request.send().await?;
        pages += 1;
        found.extend(page.iter().map(|offering| offering.id));
        if !header(page.headers(), HeaderName::from_static("link")).contains("rel=\"next\"") {
            break;
        }
        cursor = Some(header(page.headers(), HeaderName::from_static("x-pagination-end-cursor")));
    }
    assert_eq!(pages, 3);
    assert_eq!(found, created.iter().map(|offering| offering.id).collect::<Vec<_>>());
    println!("listed {} offerings on {pages} pages", found.len());

    let third = &created[2];
    let named = client.list_app_offerings().name(&third.name).send().await?;
    assert_eq!(named.iter().map(|offering| offering.id).collect::<Vec<_>>(), [third.id]);
    let since = format!(">={}", created[0].updated_at.to_rfc3339());
    let recent = client.list_app_offerings().source(&source).updated_at(since).send().await?;
    assert_eq!(recent.len(), 5);
    println!("filtered by name and by time of the last change");

    let refused = client.create_app_offering().body(new(6).name(String::new())).send().await;
    let Err(app_offerings::Error::ErrorResponse(refused)) = refused else {
        panic!("an offering without a name: {refused:?}")
    };
    assert_eq!(refused.status(), 422);
    let Refusal::ValidationFailed(refusal) = refused.into_inner() else {
        panic!("not what 422 says")
    };
    assert_eq!(refusal.message, "Validation Failed");
    assert_eq!(refusal.errors, [["name".to_owned(), "Name can't be blank".to_owned()]]);
    println!("refused an offering without a name: {:?}", refusal.errors);

    let id = third.id.to_string();
    let before = client.get_app_offering().id(&id).send().await?;
    let tag = header(before.headers(), reqwest::header::ETAG);
    let change = |text: &str| UpdateAppOffering::builder().description(text.to_owned());
    let update = client.update_app_offering().id(&id).if_match(&tag);
    let after = update.body(change("Echoes tickets")).send().await?;
    assert_eq!(after.description.as_deref(), Some("Echoes tickets"));
    assert_ne!(header(after.headers(), reqwest::header::ETAG), tag);
    println!("updated with the tag {tag}");

    let stale =
        client.update_app_offering().id(&id).if_match(&tag).body(change("Too late")).send().await;
    let Err(app_offerings::Error::ErrorResponse(stale)) = stale else {
        panic!("an outdated tag: {stale:?}")
    };
    assert_eq!(stale.status(), 412);
    let Refusal::Message(refusal) = stale.into_inner() else { panic!("not what 412 says") };
    assert_eq!(refusal.message, "Precondition Failed");
    println!("refused the same tag again: {}", refusal.message);

    let version = client.publish_app_offering().id(&id).send().await?;
    assert_eq!(version.status(), 201);
    assert!(version.published && version.latest);
    assert_eq!(version.reference, third.reference);
    assert_ne!(version.id, third.id);
    println!("published {}", version.reference);
    Ok(())
}

async fn packages(base: &str, suffix: &str) -> Outcome {
    let base = format!("{base}/api");
    let client = app_packages::Client::new(&base);
    let credentials = OauthAuthRequest::builder()
        .client_id(env::var("TEST_APP_KEY")?)
        .client_secret(env::var("TEST_SHARED_SECRET")?);
    let ticket = client.authenticate_app_oauth().body(credentials).send().await?;
    assert_eq!(ticket.token_type.as_deref(), Some("bearer"));
    let token = ticket.access_token.as_deref().ok_or("a ticket without a token")?;
    let client = app_packages::Client::new_with_client(&base, bearer(token)?);
    println!("logged in for {} s", ticket.expires_in.ok_or("a ticket that never ends")?);

    let namespace = env::var("TEST_APP_KEY")?.split('.').next().unwrap_or_default().to_owned();
    let key = format!("{namespace}.progenitor{suffix}.1.0.0.Release");
    let request = || PackageRequest::builder().app_key(key.clone());
    let package = client.create_app_package().body(request()).send().await?;
    assert_eq!(package.app_key.as_deref(), Some(key.as_str()));
    assert_eq!(package.major_version, Some(1));
    println!("created the package {key}");

    let again = client.create_app_package().body(request()).send().await;
    let Err(app_packages::Error::ErrorResponse(again)) = again else {
        panic!("created twice: {again:?}")
    };
    assert_eq!(again.status(), 409);
    let refusal = again.into_inner();
    assert_eq!(refusal.error_code, "ITEM_ALREADY_EXISTS");
    println!("refused the same key again: {}", refusal.error_code);

    let bytes: &[u8] = b"body { color: teal }\n";
    let path = "assets/theme.css";
    let file = client
        .upsert_package_file()
        .application_key(&key)
        .filepath(path)
        .body(bytes)
        .send()
        .await?;
    let read =
        client.get_package_file_metadata().application_key(&key).filepath(path).send().await?;
    assert_eq!(read.path.as_deref(), Some(path));
    assert_eq!(read.size_in_bytes, Some(bytes.len() as i64));
    // md5sum of these bytes.
    assert_eq!(read.check_sum.as_deref(), Some("f11bcd9cc37ec145a5f1db660a066f4d"));
    assert_eq!(read.check_sum, file.check_sum);
    println!("uploaded {path}, {} bytes", bytes.len());

    let list = client.list_packages().application_key(&key).send().await?;
    assert_eq!(list.total_count, Some(1));
    assert_eq!(list.items.iter().map(|item| item.id).collect::<Vec<_>>(), [package.id]);
    println!("listed the packages of the version");
    Ok(())
}
