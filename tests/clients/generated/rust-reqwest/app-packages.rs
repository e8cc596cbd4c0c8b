//! The story of the app packages: what an application does, against the server at `BASE`.
use std::env;
use std::error::Error;

use client::apis::app_authtickets_api::{self as app_authtickets, AuthenticateAppParams};
use client::apis::apppackages_api::{
    self as apppackages, CreateAppPackageParams, ListPackagesParams,
};
use client::apis::configuration::Configuration;
use client::apis::package_files_api::{
    self as package_files, GetPackageFileMetadataParams, UpsertPackageFileParams,
};
use client::models::{AppAuthInfo, AppDevError, PackageRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut configuration = Configuration {
        base_path: format!("{}/api", env::var("BASE")?),
        ..Configuration::default()
    };
    let app_key = env::var("TEST_APP_KEY")?;
    let credentials = AppAuthInfo {
        application_id: Some(Some(app_key.clone())),
        shared_secret: Some(Some(env::var("TEST_SHARED_SECRET")?)),
    };
    let login = AuthenticateAppParams {
        app_auth_info: credentials,
        response_fields: None,
        x_vol_correlation: None,
    };
    let ticket = app_authtickets::authenticate_app(&configuration, login).await?;
    configuration.bearer_access_token = ticket.access_token;
    println!(
        "logged in until {}",
        ticket.access_token_expiration.ok_or("a ticket that never ends")?
    );

    let namespace = app_key.split('.').next().unwrap_or_default();
    let suffix = &uuid::Uuid::new_v4().simple().to_string()[..8];
    let key = format!("{namespace}.rust{suffix}.1.0.0.Release");
    let create = || {
        let request = PackageRequest { app_key: Some(Some(key.clone())), ..PackageRequest::new() };
        let params = CreateAppPackageParams {
            package_request: request,
            response_fields: None,
            idempotency_key: None,
            prefer: None,
            x_vol_correlation: None,
        };
        apppackages::create_app_package(&configuration, params)
    };
    let created = create().await?;
    assert_eq!(created.app_key, Some(Some(key.clone())));
    assert_eq!(created.major_version, Some(1));
    println!("created the package {key}");

    let again = create().await;
    let Err(client::apis::Error::ResponseError(again)) = again else {
        panic!("created twice: {again:?}")
    };
    assert_eq!(again.status, 409);
    let refusal: AppDevError = serde_json::from_str(&again.content)?;
    assert_eq!(refusal.error_code, "ITEM_ALREADY_EXISTS");
    println!("refused the same key again: {}", refusal.error_code);

    let bytes = "body { color: teal }\n";
    let path = "assets/theme.css";
    let file = env::temp_dir().join(format!("theme-{suffix}.css"));
    std::fs::write(&file, bytes)?;
    let upload = UpsertPackageFileParams {
        application_key: key.clone(),
        filepath: path.to_owned(),
        last_modified_time: None,
        response_fields: None,
        idempotency_key: None,
        if_match: None,
        x_vol_correlation: None,
        body: Some(file.clone()),
    };
    let uploaded = package_files::upsert_package_file(&configuration, upload).await;
    std::fs::remove_file(file)?;
    let uploaded = uploaded?;
    let read = GetPackageFileMetadataParams {
        application_key: key.clone(),
        filepath: path.to_owned(),
        response_fields: None,
        if_none_match: None,
        x_vol_correlation: None,
    };
    let read = package_files::get_package_file_metadata(&configuration, read).await?;
    assert_eq!(read.path, Some(Some(path.to_owned())));
    assert_eq!(read.size_in_bytes, Some(bytes.len() as i64));
    // md5sum of these bytes.
    assert_eq!(read.check_sum, Some(Some("f11bcd9cc37ec145a5f1db660a066f4d".to_owned())));
    assert_eq!(read.check_sum, uploaded.check_sum);
    println!("uploaded {path}, {} bytes", bytes.len());

    let list = ListPackagesParams {
        application_key: key,
        start_index: None,
        sort_by: None,
        filter: None,
        page_size: None,
        response_fields: None,
        if_none_match: None,
        x_vol_correlation: None,
    };
    let list = apppackages::list_packages(&configuration, list).await?;
    assert_eq!(list.total_count, Some(1));
    let ids: Vec<_> = list.items.unwrap_or_default().into_iter().map(|item| item.id).collect();
    assert_eq!(ids, [created.id]);
    println!("listed the packages of the version");
    Ok(())
}
