//! Deliveries make room for requests. Both share cores and database, and a client that waits for an answer
//! notices what a message that leaves a little later does not.
//!
//! While requests come, what deliveries do in the database is done in small portions, one after the other,
//! each followed by a rest as long as itself: on a slower machine, or while it is busy, less
//! goes out. Nothing else waits: messages on their way to slow receivers take no portion.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::kernel::traffic::Traffic;

/// A portion is followed by a rest as long as itself, but by no longer one than this: it may have taken long
/// because the disk, or another process, was slow.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// Hands out portions.
#[derive(Clone)]
pub(super) struct Pace {
    traffic: Traffic,
    /// Nothing waits any more.
    hurries: Arc<AtomicBool>,
    /// The end of the rest behind the last portion.
    rested_at: Arc<Mutex<Option<Instant>>>,
}

impl Pace {
    pub(super) fn new(traffic: Traffic) -> Self {
        Self { traffic, hurries: Arc::default(), rested_at: Arc::default() }
    }

    /// Whether requests come.
    pub(super) fn is_slow(&self) -> bool {
        self.traffic.is_recent() && !self.hurries.load(Ordering::Relaxed)
    }

    /// Hands out portions at once from now on: the process is about to end.
    pub(super) fn hurry(&self) {
        self.hurries.store(true, Ordering::Relaxed);
    }

    /// Waits, while requests come, until a portion may be taken. The portion lasts until it is dropped.
    pub(super) async fn portion(&self) -> Portion {
        if !self.is_slow() {
            return Portion(None);
        }
        let mut rested_at = self.rested_at.clone().lock_owned().await;
        // Much can have changed until it was this one's turn.
        if !self.is_slow() {
            return Portion(None);
        }
        if let Some(rested_at) = rested_at.take() {
            tokio::time::sleep_until(rested_at.into()).await;
        }
        Portion(Some((rested_at, Instant::now())))
    }
}

/// Some work on the database.
pub(super) struct Portion(Option<(OwnedMutexGuard<Option<Instant>>, Instant)>);

impl Drop for Portion {
    fn drop(&mut self) {
        if let Some((rested_at, begun)) = &mut self.0 {
            let rest = begun.elapsed().min(LONGEST_REST);
            **rested_at = Some(Instant::now() + rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn portions_take_turns_and_rest_while_requests_come() {
        let traffic = Traffic::default();
        let pace = Pace::new(traffic.clone());
        let both = (pace.portion().await, pace.portion().await);
        drop(both);

        let begun = Instant::now();
        traffic.note(begun);
        let first = pace.portion().await;
        assert!(pace.portion().now_or_never().is_none());
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(first);
        // Nobody knows whether this machine took longer; less it cannot.
        traffic.note(Instant::now());
        let _second = pace.portion().await;
        let portion = Duration::from_millis(20);
        assert!(begun.elapsed() >= portion + LONGEST_REST.min(portion));
        pace.hurry();
        assert!(pace.portion().now_or_never().is_some());
    }
}
