//! Pages of lists that are read by addresses or ids (XEP-0059).

use std::str::FromStr;

use crate::contact_center::errors::{Refused, by_number, no_place};
use crate::proto::common::rsm::{PageFrom, PageRequest};
use crate::store::ListOrder;

/// Rows of a page when nobody says how many.
const USUAL: u32 = 50;

/// Rows of a page at most: a screen of them is ten or twenty.
const MAX: u32 = 100;

/// Which rows are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::contact_center) struct Slice<I> {
    /// Behind which row.
    pub(in crate::contact_center) from: Option<I>,
    /// In which direction.
    pub(in crate::contact_center) order: ListOrder,
    /// How many.
    pub(in crate::contact_center) max: u32,
}

impl<I: FromStr> Slice<I> {
    /// What the request asks for.
    ///
    /// # Errors
    /// `item-not-found` for what is the id of no row (XEP-0059 §2.2), `feature-not-implemented` for places by number
    /// (§2.4), which would have to be counted.
    pub(in crate::contact_center) fn of(page: &PageRequest) -> Result<Self, Refused> {
        let id = |id: &str| id.parse().map(Some).map_err(|_| Refused::from(no_place()));
        let (from, order) = match &page.from {
            PageFrom::First => (None, ListOrder::Ascending),
            PageFrom::After(after) => (id(after)?, ListOrder::Ascending),
            PageFrom::Last => (None, ListOrder::Descending),
            PageFrom::Before(before) => (id(before)?, ListOrder::Descending),
            PageFrom::Index(_) => return Err(by_number().into()),
        };
        let max = page.max.unwrap_or(USUAL).min(MAX);
        Ok(Self { from, order, max })
    }

    /// The rows as they are shown, which were read in the order that was asked for.
    pub(in crate::contact_center) fn in_order<T>(&self, mut rows: Vec<T>) -> Vec<T> {
        if self.order == ListOrder::Descending {
            rows.reverse();
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{BareJid, Condition};

    #[test]
    fn pages_are_bounded_and_begin_behind_addresses() {
        let of = |max, from| Slice::<BareJid>::of(&PageRequest { max, from });
        let slice = of(None, PageFrom::First).unwrap();
        assert_eq!((slice.max, slice.order), (USUAL, ListOrder::Ascending));
        let slice = of(Some(9_999), PageFrom::Before("b@h".to_owned())).unwrap();
        assert_eq!((slice.max, slice.order), (MAX, ListOrder::Descending));
        assert_eq!(slice.in_order(vec![2, 1]), [1, 2]);
        for (from, condition) in [
            (PageFrom::After("@".to_owned()), Condition::ItemNotFound),
            (PageFrom::Index(3), Condition::FeatureNotImplemented),
        ] {
            let Err(Refused::Stanza(error)) = of(None, from) else {
                panic!("no such page");
            };
            assert_eq!(error.condition, condition);
        }
    }
}
