//! How fast a peer may send: a token bucket over bytes.
//!
//! Exceeding it costs nothing but time: the peer is not read until the bucket has
//! filled again, and TCP slows the sender.

use std::time::Duration;

use tokio::time::Instant;

/// A bucket of bytes that fills with time.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    per_second: u64,
    burst: u64,
    level: u64,
    filled: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub const fn new(per_second: u64, burst: u64, now: Instant) -> Self {
        Self {
            per_second,
            burst,
            level: burst,
            filled: now,
        }
    }

    /// Takes bytes that were read. When the bucket is overdrawn, returns how long not to
    /// read on.
    pub fn take(&mut self, bytes: u64, now: Instant) -> Option<Duration> {
        if let Some(left) = self.level.checked_sub(bytes) {
            self.level = left;
            return None;
        }
        let elapsed = now.saturating_duration_since(self.filled).as_micros();
        let gained = u64::try_from(elapsed)
            .unwrap_or(u64::MAX)
            .saturating_mul(self.per_second)
            / 1_000_000;
        self.filled = now;
        let level = self.level.saturating_add(gained).min(self.burst);
        if let Some(left) = level.checked_sub(bytes) {
            self.level = left;
            return None;
        }
        self.level = 0;
        let missing = bytes - level;
        let wait =
            Duration::from_micros(missing.saturating_mul(1_000_000) / self.per_second.max(1));
        // The wait itself pays the debt.
        self.filled = now + wait;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_slows_what_follows() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1_000, 4_000, start);
        assert_eq!(bucket.take(4_000, start), None);
        assert_eq!(bucket.take(500, start), Some(Duration::from_millis(500)));
        let later = start + Duration::from_millis(500);
        assert_eq!(bucket.take(1_000, later), Some(Duration::from_secs(1)));
        let rested = later + Duration::from_secs(60);
        assert_eq!(bucket.take(4_000, rested), None);
    }
}
