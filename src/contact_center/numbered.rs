//! Pages of what is read as one with its record and counted from its beginning, such as notes: the ids of its items are their
//! numbers (XEP-0059).

use std::ops::Range;

use super::errors::{Refused, no_place};
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};

/// What a page may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The number of the first item; greater than 1 where older ones are forgotten.
    pub(super) first: usize,
    /// Bytes of the items of one page. One that is larger comes alone.
    pub(super) bytes_max: usize,
}

/// The page that is asked for: where its items are, and what is told of it.
///
/// # Errors
/// `item-not-found` when there is no item of the number behind or before which the page is (§2.2).
pub(super) fn page<T>(
    items: &[T],
    bounds: Bounds,
    asked: &PageRequest,
    bytes: impl Fn(&T) -> usize,
) -> Result<(Range<usize>, Page), Refused> {
    let length = items.len();
    // How many items lie before the one of that number, and with it.
    let place = |id: &str| {
        let number = id.parse::<usize>().ok();
        let place = number.and_then(|it| it.checked_sub(bounds.first));
        place.filter(|it| *it < length).ok_or_else(no_place)
    };
    let max = asked
        .max
        .map_or(length, |max| usize::try_from(max).unwrap_or(length));
    let forward = |from: usize| {
        let from = from.min(length);
        let behind = items.iter().skip(from).take(max);
        from..from + fitting(behind.map(&bytes), bounds.bytes_max)
    };
    let backward = |until: usize| {
        let before = items.iter().take(until).rev().take(max);
        until.saturating_sub(fitting(before.map(&bytes), bounds.bytes_max))..until
    };
    let range = match &asked.from {
        PageFrom::First => forward(0),
        PageFrom::After(id) => forward(place(id)? + 1),
        PageFrom::Before(id) => backward(place(id)?),
        PageFrom::Last => backward(length),
        PageFrom::Index(index) => forward(usize::try_from(*index).unwrap_or(length)),
    };
    let number = |place: usize| (bounds.first + place).to_string();
    let ends = (!range.is_empty()).then(|| (number(range.start), number(range.end - 1)));
    let page = Page {
        index: ends.as_ref().and_then(|_| u64::try_from(range.start).ok()),
        ends,
        count: u64::try_from(length).ok(),
    };
    Ok((range, page))
}

/// How many of the items of those sizes fit into so many bytes; the first always does.
fn fitting(sizes: impl Iterator<Item = usize>, bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fits = sizes.enumerate().take_while(|(place, size)| {
        bytes += size;
        *place == 0 || bytes <= bytes_max
    });
    fits.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0059 §2.2 to §2.6, of items of 4, 4, 9, 4 and 4 bytes, the first of which has the number 3.
    #[test]
    fn a_page_has_what_is_asked_for_and_fits() {
        let items = [4, 4, 9, 4, 4];
        let bounds = Bounds {
            first: 3,
            bytes_max: 8,
        };
        let id = str::to_owned;
        for (from, max, expected) in [
            (PageFrom::First, None, Some(("3", "4", 0))),
            (PageFrom::First, Some(1), Some(("3", "3", 0))),
            (PageFrom::First, Some(0), None),
            (PageFrom::After(id("3")), None, Some(("4", "4", 1))),
            (PageFrom::After(id("4")), None, Some(("5", "5", 2))),
            (PageFrom::After(id("5")), Some(9), Some(("6", "7", 3))),
            (PageFrom::After(id("7")), None, None),
            (PageFrom::Last, None, Some(("6", "7", 3))),
            (PageFrom::Before(id("6")), None, Some(("5", "5", 2))),
            (PageFrom::Before(id("5")), Some(1), Some(("4", "4", 1))),
            (PageFrom::Before(id("3")), None, None),
            (PageFrom::Index(1), None, Some(("4", "4", 1))),
            (PageFrom::Index(9), None, None),
        ] {
            let asked = PageRequest { max, from };
            let (_, page) = page(&items, bounds, &asked, |it| *it).unwrap();
            let ends = page.ends.as_ref().zip(page.index);
            let ends = ends.map(|((first, last), at)| (first.as_str(), last.as_str(), at));
            assert_eq!(ends, expected, "{asked:?}");
            assert_eq!(page.count, Some(5));
        }
        for bad in ["2", "8", "x", ""] {
            for from in [PageFrom::After(id(bad)), PageFrom::Before(id(bad))] {
                let asked = PageRequest { max: None, from };
                assert!(page(&items, bounds, &asked, |it| *it).is_err(), "{asked:?}");
            }
        }
    }
}
