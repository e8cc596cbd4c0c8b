//! What handlers may use: the kernel, the identities and what they may be granted.
use std::sync::Arc;

use crate::directory::catalogue::Catalogue;
use crate::directory::identity::{Identities, Limits};
use crate::directory::tickets::{Terms, Tickets};
use crate::kernel::state::{Kernel, Parts};

/// State of every handler; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Database, clock, configuration, files.
    pub kernel: Kernel,
    /// Tokens seen lately and request counters.
    pub identities: Arc<Identities>,
    /// Tickets of applications and developers.
    pub tickets: Arc<Tickets>,
    /// What applications may ask for, hear of and offer.
    pub catalogue: Arc<Catalogue>,
    /// Origin of the service's own pages, from which browsers may call.
    pub origin: http::HeaderValue,
}

impl AppState {
    /// State over a kernel.
    pub fn new(kernel: Kernel, catalogue: Catalogue) -> Self {
        let origin = http::HeaderValue::from_str(&kernel.site.origin())
            .unwrap_or(http::HeaderValue::from_static("null"));
        let tickets = Tickets::new(Terms {
            access_lifetime: kernel.config.access_ticket_lifetime,
            refresh_lifetime: kernel.config.refresh_ticket_lifetime,
            signing_key_days: kernel.config.signing_key_days,
            operator_accounts: kernel.config.operator_accounts.clone(),
        });
        let (tickets, catalogue) = (Arc::new(tickets), Arc::new(catalogue));
        Self { kernel, identities: Arc::default(), tickets, catalogue, origin }
    }

    /// The configured request limits of the app offerings.
    pub fn limits(&self) -> Limits {
        Limits {
            per_hour: self.config.rate_limit_per_hour.into(),
            burst: self.config.rate_limit_burst.into(),
        }
    }

    /// The configured request limits of the app packages.
    pub fn package_limits(&self) -> Limits {
        Limits {
            per_hour: self.config.package_rate_limit_per_hour.into(),
            burst: self.config.package_rate_limit_burst.into(),
        }
    }
}

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.kernel
    }
}
