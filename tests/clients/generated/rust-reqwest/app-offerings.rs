//! The story of the app offerings: what a publisher does, against the server at `BASE`.
use std::env;
use std::error::Error;

use client::apis::app_offerings_api::{
    self as app_offerings, CreateAppOfferingParams, GetAppOfferingParams, ListAppOfferingsParams,
    PublishAppOfferingParams, UpdateAppOfferingParams,
};
use client::apis::configuration::Configuration;
use client::apis::service_instances_api::{self as service_instances, ListServiceInstancesParams};
use client::models::{CreateAppOffering, JwtAlgorithm, Message, UpdateAppOffering, ValidationFailed};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let configuration = &Configuration {
        base_path: env::var("BASE")?,
        bearer_access_token: Some(env::var("TEST_TOKEN")?),
        ..Configuration::default()
    };
    let suffix = &uuid::Uuid::new_v4().simple().to_string()[..8];
    let source = format!("rust {suffix}");
    let instances =
        service_instances::list_service_instances(configuration, all_instances()).await?;
    let draft = |number: usize, name: String| CreateAppOffering {
        source: Some(source.clone()),
        source_id: Some(Some(number.to_string())),
        ..CreateAppOffering::new(
            name,
            JwtAlgorithm::Es256,
            instances[0].id,
            "https://hook.example.test/?account={account}".to_owned(),
        )
    };
    let create = |offering| {
        let params = CreateAppOfferingParams {
            create_app_offering: offering,
            x_xurrent_account: None,
            x_4me_account: None,
            x_xurrent_language: None,
            x_4me_language: None,
            idempotency_key: None,
            prefer: None,
            x_xurrent_source: None,
            x_4me_source: None,
        };
        app_offerings::create_app_offering(configuration, params)
    };
    let list = |params| app_offerings::list_app_offerings(configuration, params);

    let mut created = Vec::new();
    for number in 1..=5 {
        let offering = create(draft(number, format!("Rust {suffix} {number}"))).await?;
        assert_eq!(offering.name, format!("Rust {suffix} {number}"));
        assert_eq!(offering.source, source);
        assert!(!offering.published);
        created.push(offering);
    }
    println!("created {} offerings", created.len());

    // The client keeps the headers to itself: pages by number, until one is not full.
    let (mut pages, mut found) = (0, Vec::new());
    loop {
        pages += 1;
        let params = ListAppOfferingsParams {
            source: Some(source.clone()),
            sort: Some("sourceID".to_owned()),
            per_page: Some(2),
            page: Some(pages),
            ..all()
        };
        let page = list(params).await?;
        found.extend(page.iter().map(|offering| offering.id));
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(found, created.iter().map(|offering| offering.id).collect::<Vec<_>>());
    println!("listed {} offerings on {pages} pages", found.len());

    let third = &created[2];
    let named = list(ListAppOfferingsParams { name: Some(third.name.clone()), ..all() }).await?;
    assert_eq!(named.iter().map(|offering| offering.id).collect::<Vec<_>>(), [third.id]);
    let since = format!(">={}", created[0].updated_at.to_rfc3339());
    let recent =
        ListAppOfferingsParams { source: Some(source.clone()), updated_at: Some(since), ..all() };
    assert_eq!(list(recent).await?.len(), 5);
    println!("filtered by name and by time of the last change");

    let refused = create(draft(6, String::new())).await;
    let Err(client::apis::Error::ResponseError(refused)) = refused else {
        panic!("an offering without a name: {refused:?}")
    };
    assert_eq!(refused.status, 422);
    let refusal: ValidationFailed = serde_json::from_str(&refused.content)?;
    assert_eq!(refusal.message, "Validation Failed");
    assert_eq!(refusal.errors, [["name", "Name can't be blank"]]);
    println!("refused an offering without a name: {:?}", refusal.errors);

    let id = third.id.to_string();
    let read = GetAppOfferingParams {
        id: id.clone(),
        x_xurrent_account: None,
        x_4me_account: None,
        x_xurrent_language: None,
        x_4me_language: None,
        if_none_match: None,
    };
    assert_eq!(app_offerings::get_app_offering(configuration, read).await?.id, third.id);
    // The tag, which the generated function does not hand out.
    let token = configuration.bearer_access_token.as_deref().unwrap_or_default();
    let address = format!("{}/v1/app_offerings/{id}", configuration.base_path);
    let answer = configuration.client.get(address).bearer_auth(token).send().await?;
    let tag = answer.headers()["etag"].to_str()?.to_owned();
    let update = || {
        let change = UpdateAppOffering {
            description: Some(Some("Echoes tickets".to_owned())),
            ..UpdateAppOffering::new()
        };
        let params = UpdateAppOfferingParams {
            id: id.clone(),
            update_app_offering: change,
            x_xurrent_account: None,
            x_4me_account: None,
            x_xurrent_language: None,
            x_4me_language: None,
            if_match: Some(tag.clone()),
            prefer: None,
        };
        app_offerings::update_app_offering(configuration, params)
    };
    assert_eq!(update().await?.description.as_deref(), Some("Echoes tickets"));
    println!("updated with the tag {tag}");

    let stale = update().await;
    let Err(client::apis::Error::ResponseError(stale)) = stale else {
        panic!("an outdated tag: {stale:?}")
    };
    assert_eq!(stale.status, 412);
    let refusal: Message = serde_json::from_str(&stale.content)?;
    assert_eq!(refusal.message, "Precondition Failed");
    println!("refused the same tag again: {}", refusal.message);

    let publish = PublishAppOfferingParams {
        id,
        x_xurrent_account: None,
        x_4me_account: None,
        x_xurrent_language: None,
        x_4me_language: None,
        idempotency_key: None,
        if_match: None,
        prefer: None,
    };
    let version = app_offerings::publish_app_offering(configuration, publish).await?;
    assert!(version.published && version.latest);
    assert_eq!(version.reference, third.reference);
    assert_ne!(version.id, third.id);
    println!("published {}", version.reference);
    Ok(())
}

// The generator's parameters have no default: here are the lists without filters.

fn all() -> ListAppOfferingsParams {
    ListAppOfferingsParams {
        fields: None,
        sort: None,
        per_page: None,
        page: None,
        search_after: None,
        search_before: None,
        state: None,
        id: None,
        source: None,
        source_id: None,
        reference: None,
        name: None,
        disabled: None,
        published: None,
        latest: None,
        created_at: None,
        updated_at: None,
        x_xurrent_account: None,
        x_4me_account: None,
        x_xurrent_language: None,
        x_4me_language: None,
        if_none_match: None,
    }
}

fn all_instances() -> ListServiceInstancesParams {
    ListServiceInstancesParams {
        fields: None,
        sort: None,
        per_page: None,
        page: None,
        search_after: None,
        search_before: None,
        state: None,
        id: None,
        source: None,
        source_id: None,
        name: None,
        status: None,
        service: None,
        support_team: None,
        created_at: None,
        updated_at: None,
        x_xurrent_account: None,
        x_4me_account: None,
        x_xurrent_language: None,
        x_4me_language: None,
        if_none_match: None,
    }
}
