//! Whether clients are waiting for answers: work that can wait makes room for them.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So long after the last request more of them are expected.
const RECENT: Duration = Duration::from_secs(1);

/// When this process was last asked for something. Clones share it.
#[derive(Clone, Debug)]
pub struct Traffic {
    start: Instant,
    /// Milliseconds from the start to the last request, and one; 0 before the first.
    last: Arc<AtomicU64>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }
}

impl Traffic {
    /// Notes that a request has come.
    pub fn note(&self, at: Instant) {
        let at = u64::try_from(at.duration_since(self.start).as_millis()).unwrap_or(u64::MAX - 1);
        self.last.fetch_max(at + 1, Ordering::Relaxed);
    }

    /// Whether there were requests in the last second.
    pub fn is_recent(&self) -> bool {
        match self.last.load(Ordering::Relaxed) {
            0 => false,
            last => self.start.elapsed() < Duration::from_millis(last - 1) + RECENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_recent_for_a_second() {
        let traffic = Traffic::default();
        assert!(!traffic.is_recent());
        traffic.note(traffic.start);
        assert!(traffic.is_recent());
        let long_ago = Traffic { start: Instant::now() - 2 * RECENT, ..Traffic::default() };
        long_ago.note(long_ago.start);
        assert!(!long_ago.is_recent());
        long_ago.note(Instant::now());
        assert!(long_ago.is_recent());
        // Whatever is told late does not undo it.
        long_ago.note(long_ago.start);
        assert!(long_ago.is_recent());
    }
}
