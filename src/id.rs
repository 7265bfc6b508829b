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

/// Whether the text is such a one, as it is written here: what is made of it stands somewhere among them, be it one of them or not.
#[must_use]
pub fn is_sorted(text: &str) -> bool {
    let read = uuid::Uuid::try_parse(text).ok();
    let read = read.filter(|it| it.get_version_num() == 7);
    read.is_some_and(|it| it.to_string() == text)
}

/// What stands before all identifiers of that millisecond, and behind all of the one before.
#[must_use]
pub fn floor(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10])
        .into_uuid()
        .to_string()
}

/// The same with a digest of a name in the place of chance: of one name at one moment there is one identifier, whoever
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
    fn what_sorts_by_time_is_known_by_its_form() {
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        for good in [sorted(at), floor(at), derived(at, "call-1")] {
            assert!(is_sorted(&good), "{good}");
            for bad in [
                good.to_uppercase(),
                good.replace('-', ""),
                format!("{good} "),
            ] {
                assert!(!is_sorted(&bad), "{bad}");
            }
        }
        let random = uuid::Uuid::new_v4().to_string();
        for bad in ["", "nothing", "call-1", random.as_str()] {
            assert!(!is_sorted(bad), "{bad}");
        }
    }

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
        let first = floor(moment(1));
        assert!(first <= id && first <= sorted(moment(1)) && sorted(moment(0)) < first);
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    }

    #[test]
    fn the_least_id_of_a_moment_stands_before_all_that_are_made_then() {
        let moment = |millis: i64| Timestamp::from_micros(1_790_000_000_000_000 + millis * 1_000);
        assert!(sorted(moment(0)) < floor(moment(1)) && floor(moment(1)) < sorted(moment(1)));
        assert!(floor(Timestamp::from_micros(-1)) < sorted(moment(0)));
    }

    #[test]
    fn random_ids_differ() {
        assert_ne!(random(), random());
    }
}
