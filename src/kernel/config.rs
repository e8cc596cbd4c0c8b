//! Configuration: defaults < file < environment.
//!
//! Every setting is a key of `appmarket.toml` and, in capitals behind `APPMARKET_`, an environment
//! variable; secrets may also come from a file named by the variable with `_FILE` behind it.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::outgoing::network::Network;
use crate::kernel::secret::{MASK, MasterKey};
use crate::kernel::tls;

/// Prefix of environment variables.
const PREFIX: &str = "APPMARKET_";
/// The domain of a machine that has none.
pub(super) const DEFAULT_DOMAIN: &str = "localhost";
/// Settings that are never printed.
const SECRETS: [&str; 3] = ["database_url", "master_key", "storage_secret_access_key"];

/// All settings.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Folder of the embedded database, the stored files and the generated key.
    pub data: PathBuf,
    /// Address under which clients reach the service, as in `https://api.example.com`. Links, upload
    /// addresses and file addresses start with it. Default: `http://` and the listen address.
    pub public_url: Option<String>,
    /// Domain in nodeIDs and in account addresses. Never change it once clients keep nodeIDs.
    pub domain: String,
    /// Address of an account's pages; `{account}` stands for its id. Default:
    /// `https://{account}.<domain>`, or with the default domain `<public_url>/accounts/{account}`.
    pub account_url: Option<String>,
    /// `postgres://user:password@host/database`. Default: SQLite in the data folder. Secret.
    pub database_url: Option<String>,
    /// Most PostgreSQL connections for writing; reading takes a quarter of it on top.
    #[schemars(range(min = 1))]
    pub database_connections: u32,
    /// 64 hexadecimal digits from which all keys are derived. Default: a file in the data folder,
    /// made at first start. Several servers on one database need the same key. Secret.
    pub master_key: Option<String>,
    /// Requests per hour and person.
    #[schemars(range(min = 1))]
    pub rate_limit_per_hour: u32,
    /// Requests within two seconds per person.
    #[schemars(range(min = 1))]
    pub rate_limit_burst: u32,
    /// Page that a refusal for too many requests refers to. Default: the Swagger UI.
    pub documentation_url: Option<String>,
    /// `source` of records created by a caller who names none.
    pub default_source: String,
    /// Largest attachment that can be uploaded, in bytes.
    #[schemars(range(min = 1))]
    pub upload_size_limit: u64,
    /// How uploads are described to clients: `local` or `s3` (the shape of Amazon S3's POST).
    pub upload_shape: UploadShape,
    /// Seconds that an access token from `/token` is valid. More than 120.
    #[schemars(range(min = 121))]
    pub token_lifetime: u32,
    /// App packages: requests per hour and application or developer. A file sync makes many.
    #[schemars(range(min = 1))]
    pub package_rate_limit_per_hour: u32,
    /// App packages: requests within two seconds per application or developer.
    #[schemars(range(min = 1))]
    pub package_rate_limit_burst: u32,
    /// Largest file of an app package, in bytes.
    #[schemars(range(min = 1))]
    pub package_file_size_limit: u64,
    /// Seconds that the access token of an application or developer is valid. More than 180: so much
    /// earlier clients renew theirs.
    #[schemars(range(min = 181))]
    pub access_ticket_lifetime: u32,
    /// Seconds that a refresh token is valid, which using it does not prolong. At least
    /// `access_ticket_lifetime`.
    #[schemars(range(min = 181))]
    pub refresh_ticket_lifetime: u32,
    /// Days after which another key signs access tokens.
    #[schemars(range(min = 1))]
    pub signing_key_days: u32,
    /// Accounts that may certify the applications of all others, and grant private behaviors. In the
    /// environment: `["wdc","acme"]`.
    pub operator_accounts: Vec<String>,
    /// Whether every account may certify its own applications.
    pub self_certification: bool,
    /// Folder with `behaviors.json`, `events.json` or `capability_types.json`, which take the place of
    /// the reference data that the program brings along.
    pub catalogue: Option<PathBuf>,
    /// Where files are kept: `s3://bucket` or `s3://bucket/prefix`. Default: in the data folder.
    pub storage_url: Option<String>,
    /// Address of an S3-compatible server, as in `https://s3.example.com`. Default: Amazon's.
    pub storage_endpoint: Option<String>,
    /// Region of the bucket. Default: `us-east-1`.
    pub storage_region: Option<String>,
    /// Who the store knows this service as; comes with `storage_secret_access_key`. Default: the
    /// credentials of the machine.
    pub storage_access_key_id: Option<String>,
    /// The secret of `storage_access_key_id`. Secret.
    pub storage_secret_access_key: Option<String>,
    /// Reverse proxies in front that append to `X-Forwarded-For`: so many addresses from its end stands
    /// the client, by whose address calls without a token are counted. With 0 the header is not believed.
    pub proxies: u32,
    /// Networks beside the public ones to which webhooks and subscriptions may lead: `loopback`,
    /// `private` (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7), or networks and addresses as
    /// `10.1.0.0/16`. Metadata services of clouds stay closed to all but an entry with their very
    /// address. In the environment: `["loopback","10.1.0.0/16"]`.
    #[schemars(with = "Vec<String>")]
    pub outgoing_allow: Vec<Network>,
    /// PEM file with authorities that webhooks and subscriptions are trusted by, beside the public ones.
    pub outgoing_ca_file: Option<PathBuf>,
    /// `User-Agent` of messages to webhooks, by which some receivers know them.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[!-~]([ -~]*[!-~])?$"))]
    pub webhook_user_agent: String,
    /// Whether `serve` delivers messages itself. Without, run `appmarket worker` beside it.
    pub deliver: bool,
    /// Receivers that one process delivers to at a time; of one account at most a quarter of them.
    #[schemars(range(min = 1))]
    pub delivery_lanes: usize,
    /// Most messages on their way to one receiver at a time. Those about one record never are.
    #[schemars(range(min = 1))]
    pub deliveries_in_flight: usize,
    /// Seconds after which another process delivers to the receivers of one that has died. At least 3.
    #[schemars(range(min = 3))]
    pub delivery_lease: u32,
    /// Days that the feed of events goes back.
    #[schemars(range(min = 1))]
    pub event_retention_days: u32,
    /// Days that deliveries are kept after they were delivered or given up, and that messages wait for a
    /// receiver that is switched off.
    #[schemars(range(min = 1))]
    pub delivery_retention_days: u32,
    /// Most connections at a time.
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// What is logged, as `tracing` directives: `info`, `appmarket=debug`, …
    pub log: String,
}

/// How an upload is described to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UploadShape {
    /// `provider: local`; the upload answers JSON.
    Local,
    /// `provider: s3`; the upload answers XML.
    S3,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("data"),
            public_url: None,
            domain: DEFAULT_DOMAIN.to_owned(),
            account_url: None,
            database_url: None,
            database_connections: 16,
            master_key: None,
            rate_limit_per_hour: 3600,
            rate_limit_burst: 20,
            documentation_url: None,
            default_source: "Xurrent API".to_owned(),
            upload_size_limit: 20 * 1024 * 1024,
            upload_shape: UploadShape::Local,
            token_lifetime: 3600,
            package_rate_limit_per_hour: 100_000,
            package_rate_limit_burst: 1_000,
            package_file_size_limit: 64 * 1024 * 1024,
            access_ticket_lifetime: 3600,
            refresh_ticket_lifetime: 86_400,
            signing_key_days: 30,
            operator_accounts: Vec::new(),
            self_certification: false,
            catalogue: None,
            storage_url: None,
            storage_endpoint: None,
            storage_region: None,
            storage_access_key_id: None,
            storage_secret_access_key: None,
            proxies: 0,
            outgoing_allow: Vec::new(),
            outgoing_ca_file: None,
            webhook_user_agent: "4me/1.0 (https://developer.4me.com/v1/webhooks)".to_owned(),
            deliver: true,
            delivery_lanes: 256,
            deliveries_in_flight: 4,
            delivery_lease: 15,
            event_retention_days: 30,
            delivery_retention_days: 30,
            connections: 10_000,
            log: "warn,appmarket=info".to_owned(),
        }
    }
}

/// A setting that cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads the settings. `file` is read when it is named or when `appmarket.toml` exists; `flags`
    /// are the command line's and win over everything.
    ///
    /// # Errors
    /// Says which setting is wrong, where it came from, and what it should be.
    pub fn load(file: Option<&Path>, flags: impl Serialize) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("{}: there is no such file", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        } else {
            figment = figment.merge(Toml::file("appmarket.toml"));
        }
        let reserved = |name: &str| {
            let name = name.to_ascii_lowercase();
            // What tests are told of the machine they run on is no setting.
            name == "config"
                || name.starts_with("test_")
                || (name.ends_with("_file") && name != "outgoing_ca_file")
        };
        figment = figment.merge(Env::prefixed(PREFIX).filter(move |name| !reserved(name.as_str())));
        for name in SECRETS {
            let variable = format!("{PREFIX}{}_FILE", name.to_ascii_uppercase());
            if let Some(path) = std::env::var_os(&variable) {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    ConfigError(format!("{variable}: {}: {error}", Path::new(&path).display()))
                })?;
                figment = figment.merge(Serialized::default(name, text.trim()));
            }
        }
        let config: Self = figment
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| ConfigError(describe(&error)))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        for (name, value) in [
            ("public_url", &self.public_url),
            ("account_url", &self.account_url),
            ("storage_endpoint", &self.storage_endpoint),
        ] {
            let Some(value) = value else { continue };
            let url = url::Url::parse(&value.replace("{account}", "account"));
            if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
                return refuse(format!("{name}: {value:?} is not an http or https address"));
            }
        }
        let is_domain = |text: &str| {
            let label = |label: &str| {
                let mut bytes = label.bytes();
                !label.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            text.len() <= 253 && text.split('.').all(label)
        };
        if !is_domain(&self.domain) {
            return refuse(format!("domain: {:?} is not a domain, as example.com is", self.domain));
        }
        if let Some(account_url) = &self.account_url
            && !account_url.contains("{account}")
        {
            return refuse("account_url: must contain {account}".to_owned());
        }
        if let Some(url) = &self.database_url
            && !["postgres://", "postgresql://", "sqlite:"]
                .iter()
                .any(|known| url.starts_with(known))
        {
            return refuse("database_url: must start with postgres:// or sqlite:".to_owned());
        }
        if self.master_key.as_ref().is_some_and(|key| MasterKey::parse(key).is_none()) {
            return refuse(
                "master_key: must be 64 hexadecimal digits, as `openssl rand -hex 32` prints"
                    .to_owned(),
            );
        }
        if self.token_lifetime <= 120 {
            return refuse("token_lifetime: must be more than 120 seconds".to_owned());
        }
        let positive = [
            ("rate_limit_per_hour", u64::from(self.rate_limit_per_hour)),
            ("rate_limit_burst", u64::from(self.rate_limit_burst)),
            ("database_connections", u64::from(self.database_connections)),
            ("connections", self.connections as u64),
            ("upload_size_limit", self.upload_size_limit),
            ("package_rate_limit_per_hour", u64::from(self.package_rate_limit_per_hour)),
            ("package_rate_limit_burst", u64::from(self.package_rate_limit_burst)),
            ("package_file_size_limit", self.package_file_size_limit),
            ("signing_key_days", u64::from(self.signing_key_days)),
            ("delivery_lanes", self.delivery_lanes as u64),
            ("deliveries_in_flight", self.deliveries_in_flight as u64),
            ("event_retention_days", u64::from(self.event_retention_days)),
            ("delivery_retention_days", u64::from(self.delivery_retention_days)),
        ];
        for (name, value) in positive {
            if value == 0 {
                return refuse(format!("{name}: must be at least 1"));
            }
        }
        if let Some(file) = &self.outgoing_ca_file
            && let Err(problem) = tls::authorities(file)
        {
            return refuse(format!("outgoing_ca_file: {}: {problem}", file.display()));
        }
        let agent = &self.webhook_user_agent;
        let is_text = agent.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if agent.trim() != agent || agent.is_empty() || agent.len() > 200 || !is_text {
            return refuse(
                "webhook_user_agent: must be 1 to 200 ASCII characters without blanks around them"
                    .to_owned(),
            );
        }
        if self.delivery_lease < 3 {
            return refuse("delivery_lease: must be at least 3 seconds".to_owned());
        }
        self.check_packages()?;
        self.check_storage()
    }

    /// What only app packages use.
    fn check_packages(&self) -> Result<(), ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        if self.access_ticket_lifetime <= 180 {
            return refuse("access_ticket_lifetime: must be more than 180 seconds".to_owned());
        }
        if self.refresh_ticket_lifetime < self.access_ticket_lifetime {
            return refuse(
                "refresh_ticket_lifetime: must be at least access_ticket_lifetime".to_owned(),
            );
        }
        let is_account = |id: &str| {
            let mut bytes = id.bytes();
            (1..=32).contains(&id.len())
                && bytes.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
        };
        if let Some(id) = self.operator_accounts.iter().find(|id| !is_account(id)) {
            return refuse(format!("operator_accounts: {id:?} is not the id of an account"));
        }
        if let Some(folder) = self.catalogue.as_ref().filter(|folder| !folder.is_dir()) {
            return refuse(format!("catalogue: {}: there is no such folder", folder.display()));
        }
        Ok(())
    }

    fn check_storage(&self) -> Result<(), ConfigError> {
        let refuse = |text: &str| Err(ConfigError(text.to_owned()));
        let is_bucket = |text: &str| {
            url::Url::parse(text).is_ok_and(|url| {
                let has_more = url.port().is_some()
                    || !url.username().is_empty()
                    || url.query().is_some()
                    || url.fragment().is_some();
                url.scheme() == "s3" && url.has_host() && !has_more
            })
        };
        if self.storage_url.as_ref().is_some_and(|text| !is_bucket(text)) {
            return refuse("storage_url: must be s3://bucket or s3://bucket/prefix");
        }
        if self.storage_access_key_id.is_some() != self.storage_secret_access_key.is_some() {
            return refuse(
                "storage_access_key_id: comes with storage_secret_access_key, or neither",
            );
        }
        Ok(())
    }

    /// Address under which clients reach the service, without a slash at the end.
    pub fn public_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }

    /// Address of an account's pages, with `{account}` in it.
    pub fn account_url(&self) -> String {
        let default = || {
            if self.domain == DEFAULT_DOMAIN {
                // Hosts of that name lead to each machine's own, and have no certificates.
                format!("{}/accounts/{{account}}", self.public_url())
            } else {
                format!("https://{{account}}.{}", self.domain)
            }
        };
        self.account_url.as_ref().map_or_else(default, |url| url.trim_end_matches('/').to_owned())
    }

    /// The database: the configured one, or SQLite in the data folder.
    pub fn database_url(&self) -> String {
        let default = || format!("sqlite://{}", self.data.join("appmarket.db").display());
        self.database_url.clone().unwrap_or_else(default)
    }

    /// The file of the master key that [`Self::master_key`] would make.
    pub fn missing_master_key(&self) -> Option<PathBuf> {
        let path = self.data.join("master.key");
        (self.master_key.is_none() && !path.exists()).then_some(path)
    }

    /// The configured master key, or the one in the data folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the key file cannot be read, written or understood.
    pub fn master_key(&self) -> Result<MasterKey, ConfigError> {
        if let Some(key) = self.master_key.as_ref().and_then(|key| MasterKey::parse(key)) {
            return Ok(key);
        }
        let path = self.data.join("master.key");
        let failed = |error: std::io::Error| ConfigError(format!("{}: {error}", path.display()));
        match std::fs::read_to_string(&path) {
            Ok(text) => MasterKey::parse(&text).ok_or_else(|| {
                ConfigError(format!("{}: must hold 64 hexadecimal digits", path.display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&self.data).map_err(failed)?;
                write_new(&path, &MasterKey::generate().to_hex()).map_err(failed)?;
                // Read back: another process may have been first.
                let text = std::fs::read_to_string(&path).map_err(failed)?;
                MasterKey::parse(&text)
                    .ok_or_else(|| ConfigError(format!("{}: is being written", path.display())))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The settings as JSON, secrets masked.
    pub fn masked(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        for name in SECRETS {
            if let Some(secret) = value.get_mut(name).filter(|secret| !secret.is_null()) {
                *secret = MASK.into();
            }
        }
        value
    }

    /// JSON Schema of the configuration file.
    pub fn json_schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
    }
}

/// Makes a file that only its owner may read, durably and only if there is none.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut temporary = path.to_owned();
    temporary.set_extension(format!("key.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link, not a rename: it fails when the file exists, so the first key stays.
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The first problem in words: setting, reason, source.
fn describe(error: &figment::Error) -> String {
    let mut text = error.path.join(".");
    if !text.is_empty() {
        text.push_str(": ");
    }
    let names = |known: &[&str]| {
        known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let reason = match &error.kind {
        Kind::UnknownField(name, known) => {
            format!("there is no setting `{name}`; there are {}", names(known))
        }
        Kind::UnknownVariant(value, known) => {
            format!("found `{value}`, expected one of {}", names(known))
        }
        other => other.to_string(),
    };
    text.push_str(&reason);
    if let Some(metadata) = error.metadata.as_ref() {
        let place = match &metadata.source {
            Some(figment::Source::File(path)) => path.display().to_string(),
            _ => metadata.name.clone().into_owned(),
        };
        text.push_str(&format!(" (in {place})"));
    }
    text
}
