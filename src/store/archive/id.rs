//! Ids of archived messages: they sort by time, and nobody can guess one (XEP-0313 §3, §6.2).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::clock::Timestamp;

/// The id of a message in an archive: a UUID of version 7 (RFC 9562 §5.7, method 3) whose time counts
/// microseconds, so that the moment when the message came can be read off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveId(u128);

/// Bits that count the messages of one microsecond.
const COUNT_BITS: u32 = 14;
/// Bits of chance in an id.
const RANDOM_BITS: u32 = 48;
const VERSION: u128 = 0x7 << 76;
const VARIANT: u128 = 0b10 << (COUNT_BITS + RANDOM_BITS);
/// Milliseconds that an id has room for: until the year 10889.
const MILLIS_MAX: u128 = (1 << 48) - 1;

impl ArchiveId {
    /// The first id of all that begin at that moment.
    pub(super) fn first_of(moment: Timestamp) -> Self {
        let micros = u128::try_from(moment.as_micros()).unwrap_or(0);
        let millis = (micros / 1_000).min(MILLIS_MAX);
        let fraction = (micros % 1_000) * 4_096 / 1_000;
        Self(millis << 80 | VERSION | fraction << 64 | VARIANT)
    }

    /// When the message came, to the microsecond.
    #[must_use]
    pub fn moment(self) -> Timestamp {
        let millis = i64::try_from(self.0 >> 80).unwrap_or(i64::MAX);
        let fraction = i64::try_from(self.0 >> 64 & 0xFFF).unwrap_or(0);
        let micros = (fraction * 1_000 + 4_095) / 4_096;
        Timestamp::from_micros(millis.saturating_mul(1_000).saturating_add(micros))
    }

    /// As it is stored.
    pub(in crate::store) fn to_bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    /// The id that was stored; `None` for other bytes.
    pub(in crate::store) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u128::from_be_bytes).map(Self)
    }

    /// A number that nobody can foretell, the same for the same id.
    pub(super) fn chance(self) -> u64 {
        u64::try_from(self.0 & ((1 << RANDOM_BITS) - 1)).unwrap_or(0)
    }

    /// The id directly before this one.
    pub(super) const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The id directly behind this one.
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    pub(super) const LEAST: Self = Self(0);
    pub(super) const GREATEST: Self = Self(u128::MAX);
}

impl fmt::Display for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_u128(self.0).fmt(f)
    }
}

/// The text is none of this server's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no id of an archived message")]
pub struct UnknownArchiveId;

impl FromStr for ArchiveId {
    type Err = UnknownArchiveId;

    fn from_str(text: &str) -> Result<Self, UnknownArchiveId> {
        // One spelling only, for clients compare them as they are.
        match Uuid::try_parse(text) {
            Ok(id) if id.to_string() == text => Ok(Self(id.as_u128())),
            Ok(_) | Err(_) => Err(UnknownArchiveId),
        }
    }
}

/// Makes ids that grow within this process.
#[derive(Debug, Default)]
pub struct Ids {
    last_micros: i64,
    /// Messages of that microsecond.
    count: u128,
}

impl Ids {
    /// Goes on behind an id that was given before.
    pub(super) fn behind(last: ArchiveId) -> Self {
        Self {
            last_micros: last.moment().as_micros(),
            count: last.0 >> RANDOM_BITS & ((1 << COUNT_BITS) - 1),
        }
    }

    /// The next id for a message of that moment; `random` fills what the time leaves.
    pub fn next(&mut self, now: Timestamp, random: u128) -> ArchiveId {
        if now.as_micros() > self.last_micros {
            self.last_micros = now.as_micros();
            self.count = 0;
        } else if self.count < (1 << COUNT_BITS) - 1 {
            // Another one in the same microsecond, or a clock that was put back.
            self.count += 1;
        } else {
            self.last_micros = self.last_micros.saturating_add(1);
            self.count = 0;
        }
        let first = ArchiveId::first_of(Timestamp::from_micros(self.last_micros));
        ArchiveId(first.0 | self.count << RANDOM_BITS | random & ((1 << RANDOM_BITS) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_stands_or_goes_back() {
        let mut ids = Ids::default();
        let moments = [1_790_000_000_000_000, 1_790_000_000_000_000, 5, -5];
        let made: Vec<_> = moments
            .iter()
            .map(|micros| ids.next(Timestamp::from_micros(*micros), u128::MAX))
            .collect();
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
        assert!(made.iter().map(ToString::to_string).is_sorted());
        let moment = Timestamp::from_micros(1_790_000_000_000_002);
        let many: Vec<_> = (0..40_000).map(|_| ids.next(moment, u128::MAX)).collect();
        assert!(many.is_sorted_by(|a, b| a < b));
        assert_eq!(many[16_383].moment(), moment);
    }

    #[test]
    fn ids_go_on_behind_one_that_was_given_before() {
        let moment = Timestamp::from_micros(1_790_000_000_000_003);
        let mut ids = Ids::default();
        for _ in 0..20_000 {
            let last = ids.next(moment, u128::MAX);
            let next = Ids::behind(last).next(Timestamp::from_micros(5), 0);
            assert!(next > last, "{next} {last}");
        }
    }

    #[test]
    fn the_moment_can_be_read_off_to_the_microsecond() {
        for micros in (1_790_000_000_000_000..).take(2_000) {
            let moment = Timestamp::from_micros(micros);
            let id = Ids::default().next(moment, u128::from(micros.unsigned_abs()));
            assert_eq!(id.moment(), moment);
            assert!(id >= ArchiveId::first_of(moment));
            assert!(id < ArchiveId::first_of(Timestamp::from_micros(micros + 1)));
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(ArchiveId::from_bytes(&id.to_bytes()), Some(id));
        }
    }

    #[test]
    fn a_uuid_has_its_version_and_one_spelling() {
        let id = Ids::default().next(Timestamp::from_micros(1_790_000_000_000_001), 1);
        let text = id.to_string();
        assert_eq!(Uuid::parse_str(&text).unwrap().get_version_num(), 7);
        for wrong in [
            "",
            "x",
            &text.to_uppercase(),
            &text.replace('-', ""),
            "28482-98726-73623",
        ] {
            assert_eq!(wrong.parse::<ArchiveId>(), Err(UnknownArchiveId), "{wrong}");
        }
    }
}
