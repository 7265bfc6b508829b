//! How fast one occupant may be: a bucket that fills with time.

use crate::clock::Timestamp;

/// One occupant's bucket.
#[derive(Clone, Copy, Debug)]
pub(in crate::extensions::muc) struct Pace {
    /// In millionths of a stanza.
    left: i64,
    at: Timestamp,
}

impl Pace {
    /// A full bucket.
    pub(in crate::extensions::muc) fn full(burst: u32, now: Timestamp) -> Self {
        Self {
            left: i64::from(burst) * 1_000_000,
            at: now,
        }
    }

    /// Takes one stanza out; answers whether there was one.
    pub(in crate::extensions::muc) fn take(
        &mut self,
        per_second: u32,
        burst: u32,
        now: Timestamp,
    ) -> bool {
        let passed = now.as_micros().saturating_sub(self.at.as_micros()).max(0);
        let more = passed.saturating_mul(i64::from(per_second));
        self.left = self
            .left
            .saturating_add(more)
            .min(i64::from(burst) * 1_000_000);
        self.at = now;
        let taken = self.left >= 1_000_000;
        if taken {
            self.left -= 1_000_000;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_so_many_a_second() {
        let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
        let mut pace = Pace::full(3, at(0));
        for (millis, taken) in [
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (499, false),
            (500, true),
            (500, false),
            // A clock that goes back gives nothing and takes nothing.
            (400, false),
            (900_000, true),
            (900_000, true),
            (900_000, true),
            (900_000, false),
        ] {
            assert_eq!(pace.take(2, 3, at(millis)), taken, "{millis}");
        }
    }
}
