//! Time is handed in, so that tests can freeze and move it.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is moved.
    pub fn frozen(epoch_millis: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(epoch_millis))))
    }

    /// Milliseconds since the epoch.
    pub fn now_millis(&self) -> i64 {
        match &self.0 {
            Some(frozen) => frozen.load(Ordering::Relaxed),
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
            None => chrono::Utc::now().timestamp_millis(),
        }
    }

    /// Milliseconds since the epoch, cut to whole seconds: the contract shows seconds (1.6), and a
    /// record must be found by the time that it shows.
    pub fn now(&self) -> i64 {
        let now = self.now_millis();
        now - now.rem_euclid(1000)
    }

    /// Moves a frozen clock on; the machine's clock goes on by itself.
    pub fn advance(&self, millis: i64) {
        if let Some(frozen) = &self.0 {
            frozen.fetch_add(millis, Ordering::Relaxed);
        }
    }
}
