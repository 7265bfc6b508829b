//! Identifiers: random ones for streams and nonces, time-sorted ones for records.

use sha2::{Digest as _, Sha256};

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

/// What sorts before each identifier of that millisecond and of later ones, and behind those of earlier ones.
#[must_use]
pub fn floor(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    let digits = format!("{millis:012x}");
    let (high, low) = digits.split_at_checked(8).unwrap_or((&digits, ""));
    format!("{high}-{low}-")
}

/// [`sorted`] with a digest of a name in the place of chance: of one name at one moment there is one identifier, whoever
/// makes it and however often.
#[must_use]
pub fn derived(at: Timestamp, name: &str) -> String {
    let mut bytes = [0; 10];
    let digest = Sha256::digest(name.as_bytes());
    for (byte, digested) in bytes.iter_mut().zip(digest) {
        *byte = digested;
    }
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes)
        .into_uuid()
        .to_string()
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
    fn a_derived_id_is_the_same_each_time_and_stands_among_the_others() {
        let moment = |millis: i64| Timestamp::from_micros(1_790_000_000_000_000 + millis * 1_000);
        let id = derived(moment(1), "call-1 0");
        assert_eq!(id, derived(moment(1), "call-1 0"));
        assert_ne!(id, derived(moment(1), "call-1 1"));
        assert!(sorted(moment(0)) < id && id < sorted(moment(2)));
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    }

    #[test]
    fn a_floor_divides_what_was_made_before_from_what_was_made_since() {
        let moment = |micros: i64| Timestamp::from_micros(1_790_000_000_000_000 + micros);
        let floor = floor(moment(1_234));
        for at in [1_000, 1_234, 1_999, 2_000] {
            assert!(
                floor < sorted(moment(at)) && floor < derived(moment(at), "x"),
                "{at}"
            );
        }
        for at in [0, 999] {
            assert!(
                floor > sorted(moment(at)) && floor > derived(moment(at), "x"),
                "{at}"
            );
        }
    }

    #[test]
    fn random_ids_differ() {
        assert_ne!(random(), random());
    }
}
