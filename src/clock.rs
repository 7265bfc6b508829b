//! Wall-clock time as a value that is passed in, so that every test picks its own.
//!
//! Timers inside tasks use `tokio::time`, which tests pause; this is the time that is
//! stored, compared with certificates, and shown to people.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
///
/// Stored as BIGINT. Displayed in the profile of XEP-0082 §3.2, for example
/// `2026-11-21T20:34:59.972837Z`. In JSON it is the number of microseconds, as in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

const DAY_SECONDS: i64 = 86_400;

impl Timestamp {
    /// The moment that lies `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment without what is less than a second, as people read it.
    #[must_use]
    pub const fn whole_seconds(self) -> Self {
        Self(self.as_seconds().saturating_mul(1_000_000))
    }

    /// The moment `seconds` later; saturates at the end of time.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The moment that many times 24 hours later; saturates at the end of time.
    #[must_use]
    pub const fn plus_days(self, days: u32) -> Self {
        self.plus_seconds(days as i64 * DAY_SECONDS)
    }

    /// The moment that many times 24 hours earlier; saturates at the beginning of time.
    #[must_use]
    pub const fn minus_days(self, days: u32) -> Self {
        self.plus_seconds(-(days as i64 * DAY_SECONDS))
    }

    /// Whole seconds from `earlier` to this moment; negative when it lies after.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1_000_000)
    }

    /// Reads a `DateTime` of XEP-0082 §3.2; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        Some(Self(moment.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => f.write_str("invalid time"),
        }
    }
}

/// Where the present moment comes from.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance_seconds`]; clones share the time.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp(jiff::Timestamp::now().as_microsecond()),
            Source::Manual(micros) => Timestamp(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock on; the machine's clock cannot be moved and is left alone.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Source::Manual(micros) = &self.0 {
            micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_written_and_read_as_xep_0082_says() {
        let moment = Timestamp::from_micros(1_790_000_000_123_456);
        assert_eq!(moment.to_string(), "2026-09-21T14:13:20.123456Z");
        assert_eq!(
            Timestamp::parse("2026-09-21T14:13:20.123456Z"),
            Some(moment)
        );
        assert_eq!(
            Timestamp::parse("2026-09-21T16:13:20.123456+02:00"),
            Some(moment)
        );
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(Timestamp::from_micros(0));
        let same = clock.clone();
        clock.advance_seconds(90);
        assert_eq!(same.now().as_seconds(), 90);
        assert_eq!(same.now().seconds_since(Timestamp::from_micros(0)), 90);
    }
}
