//! Identifiers: random ones for streams and nonces, time-sorted ones for records.

use crate::clock::Timestamp;

/// A random identifier of 128 bits in 32 hexadecimal digits, not guessable.
///
/// Used for stream ids (RFC 6120 §4.7.3), generated resources and IQ ids.
#[must_use]
pub fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A UUID version 7 (RFC 9562 §5.7): later moments sort after earlier ones.
#[must_use]
pub fn sorted(now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
    let nanos = u32::try_from(now.as_micros().rem_euclid(1_000_000)).unwrap_or(0) * 1_000;
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
    uuid::Uuid::new_v7(stamp).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let early = sorted(Timestamp::from_micros(1_790_000_000_000_000));
        let late = sorted(Timestamp::from_micros(1_790_000_000_001_000));
        assert!(early < late);
    }

    #[test]
    fn random_ids_differ() {
        assert_ne!(random(), random());
    }
}
