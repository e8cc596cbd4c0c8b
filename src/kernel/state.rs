//! What every request may use.
use std::sync::Arc;

use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db::Store;
use crate::kernel::idempotency::Running;
use crate::kernel::outgoing::Outgoing;
use crate::kernel::secret::MasterKey;
use crate::kernel::storage::Storage;
use crate::kernel::traffic::Traffic;

/// Names and keys of this installation.
#[derive(Clone, Debug)]
pub struct Site {
    /// Address under which clients reach this service, without a slash at the end.
    pub public_url: String,
    /// Domain in nodeIDs and account addresses.
    pub domain: String,
    /// Address of an account's pages, with `{account}` in it.
    pub account_url: String,
    /// The key that all others are derived from.
    pub key: MasterKey,
}

impl Site {
    /// Address of an account's pages, `https://acme.example.test`.
    pub fn account_url(&self, account: &str) -> String {
        self.account_url.replace("{account}", account)
    }

    /// Scheme, host and port of the public address: the origin of the Swagger UI.
    pub fn origin(&self) -> String {
        url::Url::parse(&self.public_url)
            .map_or_else(|_| "null".to_owned(), |url| url.origin().ascii_serialization())
    }
}

/// The service's parts; cheap to clone.
#[derive(Clone)]
pub struct Kernel(Arc<Parts>);

/// See [`Kernel`].
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What the operator has set.
    pub config: Config,
    /// Names and keys.
    pub site: Arc<Site>,
    /// Stored files.
    pub storage: Storage,
    /// The way out to addresses that users give.
    pub outgoing: Outgoing,
    /// Requests with an `Idempotency-Key` that this process is answering.
    pub running: Running,
    /// When it was last asked for something.
    pub traffic: Traffic,
}

impl Kernel {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for Kernel {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
