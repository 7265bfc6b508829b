//! Keys of messages, made by the server so that they sort by time.

use crate::clock::Timestamp;

/// Makes ids that grow: microseconds, and in the low ten bits a mark of this process, so that two nodes
/// on one database make different ones.
pub(in crate::store) struct Ids {
    last: i64,
    mark: i64,
}

impl Ids {
    /// 2^10 marks leave 2^53 µs: until the year 2255.
    const MARK_BITS: u32 = 10;

    pub(in crate::store) fn new(random: u128) -> Self {
        let mark = i64::try_from(random % (1 << Self::MARK_BITS)).unwrap_or(0);
        Self { last: 0, mark }
    }

    pub(in crate::store) fn next(&mut self, now: Timestamp) -> i64 {
        let step = 1 << Self::MARK_BITS;
        let fresh = now.as_micros().max(0).saturating_mul(step) | self.mark;
        // Two messages in one microsecond, or a clock that was put back.
        self.last = fresh.max(self.last.saturating_add(step));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_stands_or_goes_back() {
        let mut ids = Ids::new(u128::MAX);
        let moments = [
            1_790_000_000_000_000,
            1_790_000_000_000_000,
            5,
            -5,
            i64::MAX,
        ];
        let made: Vec<i64> = moments
            .map(|micros| ids.next(Timestamp::from_micros(micros)))
            .to_vec();
        assert!(made[..4].is_sorted_by(|a, b| a < b), "{made:?}");
        assert_eq!(made[0] >> Ids::MARK_BITS, 1_790_000_000_000_000);
        assert!(made[4] >= made[3]);
    }
}
