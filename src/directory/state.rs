//! What handlers may use: the kernel and the identities.
use std::sync::Arc;

use crate::directory::identity::{Identities, Limits};
use crate::kernel::state::{Kernel, Parts};

/// State of every handler; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Database, clock, configuration, files.
    pub kernel: Kernel,
    /// Tokens seen lately and request counters.
    pub identities: Arc<Identities>,
    /// Origin of the service's own pages, from which browsers may call.
    pub origin: http::HeaderValue,
}

impl AppState {
    /// State over a kernel.
    pub fn new(kernel: Kernel) -> Self {
        let origin = http::HeaderValue::from_str(&kernel.site.origin())
            .unwrap_or(http::HeaderValue::from_static("null"));
        Self { kernel, identities: Arc::default(), origin }
    }

    /// The configured request limits.
    pub fn limits(&self) -> Limits {
        Limits {
            per_hour: self.config.rate_limit_per_hour.into(),
            burst: self.config.rate_limit_burst.into(),
        }
    }
}

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.kernel
    }
}
