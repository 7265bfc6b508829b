//! How many failures a stream may have, and how long each answer is held back
//! (RFC 6120 §6.4.5, §13.11).
//!
//! Counts only; the caller waits and closes. Guessing over many streams from one address is
//! for the listener's limits.

use std::time::Duration;

use super::Failure;

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Penalty {
    /// Answer `<failure/>` after this delay; the client may try again.
    Retry(Duration),
    /// Answer `<failure/>` after this delay, then close the stream with `policy-violation`.
    Close(Duration),
}

/// The failures of one stream. An exchange that the client aborts is a failure too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    failures: u32,
    failures_max: u32,
    guesses: u32,
}

impl Attempts {
    /// RFC 6120 §6.4.5 recommends to allow two to five.
    pub const FAILURES_MAX_DEFAULT: u32 = 5;

    /// No failure yet; the one numbered `failures_max` ends the stream.
    #[must_use]
    pub const fn new(failures_max: u32) -> Self {
        Self {
            failures: 0,
            failures_max,
            guesses: 0,
        }
    }

    /// Counts a failure. Only a guess is answered late: a client that tries one -PLUS
    /// mechanism after the other with a binding type that is not here gets through quickly.
    #[must_use = "the answer must be delayed"]
    pub fn failed(&mut self, failure: &Failure) -> Penalty {
        self.failures = self.failures.saturating_add(1);
        let delay = if failure.is_guess() {
            let factor = 2_u32.saturating_pow(self.guesses);
            self.guesses = self.guesses.saturating_add(1);
            DELAY_FIRST.saturating_mul(factor).min(DELAY_MAX)
        } else {
            Duration::ZERO
        };
        if self.failures >= self.failures_max {
            Penalty::Close(delay)
        } else {
            Penalty::Retry(delay)
        }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(Self::FAILURES_MAX_DEFAULT)
    }
}

/// Unnoticed by who mistyped.
const DELAY_FIRST: Duration = Duration::from_millis(500);
/// Below the time after which clients give the connection up.
const DELAY_MAX: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::sasl::{SaslCondition, ScramError};

    fn guess() -> Failure {
        ScramError::InvalidProof.into()
    }

    #[test]
    fn delays_double_and_the_last_failure_closes() {
        let mut attempts = Attempts::default();
        let seen: Vec<_> = (0..6).map(|_| attempts.failed(&guess())).collect();
        assert_eq!(
            seen,
            [
                Penalty::Retry(Duration::from_millis(500)),
                Penalty::Retry(Duration::from_secs(1)),
                Penalty::Retry(Duration::from_secs(2)),
                Penalty::Retry(Duration::from_secs(4)),
                Penalty::Close(Duration::from_secs(8)),
                Penalty::Close(Duration::from_secs(8)),
            ]
        );
    }

    #[test]
    fn what_is_no_guess_counts_but_is_answered_at_once() {
        let mut attempts = Attempts::new(4);
        for failure in [
            SaslCondition::Aborted.into(),
            ScramError::UnsupportedChannelBindingType.into(),
        ] {
            assert_eq!(attempts.failed(&failure), Penalty::Retry(Duration::ZERO));
        }
        let wrong_password = SaslCondition::NotAuthorized.into();
        assert_eq!(
            attempts.failed(&wrong_password),
            Penalty::Retry(Duration::from_millis(500))
        );
        assert_eq!(
            attempts.failed(&SaslCondition::IncorrectEncoding.into()),
            Penalty::Close(Duration::ZERO)
        );
    }

    #[test]
    fn delays_stay_below_their_bound() {
        let mut attempts = Attempts::new(u32::MAX);
        for _ in 0..100 {
            let Penalty::Retry(delay) = attempts.failed(&guess()) else {
                panic!("closed early");
            };
            assert!(delay <= Duration::from_secs(8));
        }
        assert!(matches!(
            Attempts::new(0).failed(&guess()),
            Penalty::Close(_)
        ));
    }
}
