//! Whether there is room for one more file, and when there will be: pure.

use sqlx::FromRow;

use super::Reserved;
use crate::clock::Timestamp;

/// How much one account may have and do.
#[derive(Clone, Copy, Debug)]
pub struct UploadLimits {
    /// Bytes of all its files together.
    pub account_bytes_max: u64,
    /// Bytes that it may upload in 24 hours.
    pub day_bytes_max: u64,
    /// Files that it may upload in 24 hours.
    pub day_files_max: u32,
    /// The longest that an upload may last once it has begun.
    pub transfer_seconds_max: u32,
}

const DAY_SECONDS: i64 = 86_400;

impl UploadLimits {
    /// A slot that ended before this moment, and has no file, will never have one.
    pub(super) fn unused_before(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-i64::from(self.transfer_seconds_max))
    }
}

pub(super) const fn day_before(now: Timestamp) -> Timestamp {
    now.minus_days(1)
}

/// How many bytes something takes that began or ends at a moment.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct Takes {
    moment: i64,
    size: i64,
}

/// Why there is no room for `size` bytes more; `None` when there is. `held` are the bytes of all
/// files, `today` those of the last 24 hours by their beginning, `expiring` those that will be deleted
/// by their end.
pub(super) fn refusal(
    limits: &UploadLimits,
    size: i64,
    held: i64,
    today: &[Takes],
    expiring: &[Takes],
) -> Option<Reserved> {
    let bound = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let over = held
        .saturating_add(size)
        .saturating_sub(bound(limits.account_bytes_max));
    let of_account = (over > 0).then(|| freed(expiring, over, 0, 0));
    let bytes = today
        .iter()
        .fold(size, |sum, it| sum.saturating_add(it.size));
    let over = bytes.saturating_sub(bound(limits.day_bytes_max));
    let files = today.len().saturating_add(1);
    let more = files.saturating_sub(usize::try_from(limits.day_files_max).unwrap_or(usize::MAX));
    let of_day = (over > 0 || more > 0).then(|| freed(today, over, more, DAY_SECONDS));
    // Both have to be over; an end that nobody knows is the latest.
    let ends: Vec<_> = of_account.into_iter().chain(of_day).collect();
    if ends.is_empty() {
        return None;
    }
    let known: Option<Vec<Timestamp>> = ends.into_iter().collect();
    Some(Reserved::Full(
        known.and_then(|ends| ends.into_iter().max()),
    ))
}

/// When so many bytes and files are free again, each `seconds` after its moment.
fn freed(takes: &[Takes], bytes: i64, files: usize, seconds: i64) -> Option<Timestamp> {
    let mut left = bytes;
    for (gone, it) in (1..).zip(takes) {
        left = left.saturating_sub(it.size);
        if left <= 0 && gone >= files {
            return Some(Timestamp::from_micros(it.moment).plus_seconds(seconds));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: UploadLimits = UploadLimits {
        account_bytes_max: 1_000,
        day_bytes_max: 100,
        day_files_max: 3,
        transfer_seconds_max: 60,
    };

    fn at(second: i64, size: i64) -> Takes {
        Takes {
            moment: second * 1_000_000,
            size,
        }
    }

    #[test]
    fn what_is_over_a_bound_is_refused_until_enough_is_free() {
        let day = |second: i64| Some(second + DAY_SECONDS);
        let none: &[Takes] = &[];
        for (size, held, today, expiring, answer) in [
            (100, 900, none, none, None),
            // More than a day's bytes will never fit, whatever is deleted.
            (101, 0, none, none, Some(None)),
            (101, 900, none, none, Some(None)),
            (100, 901, none, &[at(5, 1), at(9, 50)], Some(Some(5))),
            (100, 902, none, &[at(5, 1), at(9, 50)], Some(Some(9))),
            (100, 999, none, &[at(5, 1), at(9, 50)], Some(None)),
            (50, 0, &[at(1, 20), at(2, 30)], none, None),
            (51, 0, &[at(1, 20), at(2, 30)], none, Some(day(1))),
            (80, 0, &[at(1, 20), at(2, 30)], none, Some(day(2))),
            (1, 0, &[at(1, 1), at(2, 1), at(3, 1)], none, Some(day(1))),
            (
                1,
                1_000,
                &[at(1, 1), at(2, 1), at(3, 1)],
                &[at(200_000, 1)],
                Some(Some(200_000)),
            ),
            (i64::MAX, i64::MAX, none, none, Some(None)),
        ] {
            let found = refusal(&LIMITS, size, held, today, expiring);
            let wanted = answer.map(|at: Option<i64>| {
                Reserved::Full(at.map(|second| Timestamp::from_micros(second * 1_000_000)))
            });
            assert_eq!(found, wanted, "{size} {held} {today:?} {expiring:?}");
        }
    }
}
