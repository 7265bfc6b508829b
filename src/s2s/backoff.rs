//! When a domain that could not be reached is tried again.

use std::time::Duration;

/// Exponential, between two bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    /// After the first failure.
    pub(super) min: Duration,
    /// However many failures there are.
    pub(super) max: Duration,
}

impl Backoff {
    /// How long to wait after that many failures in a row, at least one. `random` is any number: of it come
    /// up to a quarter less, so that those who lost the same server do not all return at the same moment.
    pub(super) fn after(self, failures: u32, random: u16) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.min.saturating_mul(1 << doublings).min(self.max);
        whole - whole.mul_f64(f64::from(random) / f64::from(u16::MAX) / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_bound_and_never_meets_everybody_at_once() {
        let backoff = Backoff {
            min: Duration::from_secs(4),
            max: Duration::from_secs(60),
        };
        for (failures, longest) in [(1, 4), (2, 8), (4, 32), (5, 60), (40, 60), (u32::MAX, 60)] {
            let longest = Duration::from_secs(longest);
            assert_eq!(backoff.after(failures, 0), longest, "{failures}");
            let shortest = backoff.after(failures, u16::MAX);
            assert_eq!(shortest, longest.mul_f64(0.75), "{failures}");
        }
    }
}
