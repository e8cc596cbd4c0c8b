//! A bucket of a store that speaks S3.
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::kernel::config::Config;
use crate::kernel::error::{Error, Result};

/// Smallest part of a file that arrives in pieces, in bytes; only the last one may be smaller.
pub(super) const PART: usize = 5 * 1024 * 1024;
/// The region that stores without regions expect.
const REGION: &str = "us-east-1";
/// How long the store may leave a connection or an answer without a byte.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a request that the store could not answer is repeated: callers wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(15);

/// Opens the bucket that the configuration names, `s3://bucket/prefix`. Nothing is asked of the store
/// yet.
///
/// # Errors
/// When the settings do not make up an address, or the machine's certificates cannot be read.
pub(super) fn open(address: &str, config: &Config) -> Result<Arc<dyn ObjectStore>> {
    // All TLS of this program is ring's; another part of it may have said so already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let address = url::Url::parse(address).map_err(Error::internal)?;
    // Whatever the configuration does not say the environment of the machine may.
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(address.host_str().unwrap_or_default())
        .with_region(config.storage_region.as_deref().unwrap_or(REGION))
        .with_client_options(clients(config))
        .with_retry(RetryConfig {
            max_retries: 3,
            retry_timeout: PATIENCE,
            ..RetryConfig::default()
        });
    if let Some(endpoint) = &config.storage_endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    if let (Some(id), Some(secret)) =
        (&config.storage_access_key_id, &config.storage_secret_access_key)
    {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
    }
    let bucket = builder.build().map_err(Error::internal)?;
    let prefix = Path::from_url_path(address.path()).map_err(Error::internal)?;
    Ok(if prefix.is_root() { Arc::new(bucket) } else { Arc::new(PrefixStore::new(bucket, prefix)) })
}

fn clients(config: &Config) -> ClientOptions {
    let is_plain =
        config.storage_endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    ClientOptions::new()
        .with_allow_http(is_plain)
        .with_connect_timeout(Duration::from_secs(5))
        // A large file to a slow client takes its time, as long as bytes flow.
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
}
