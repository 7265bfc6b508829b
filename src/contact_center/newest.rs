//! Lists of records that have the newest first, page by page (XEP-0059). Ids of records sort by the time of their making.

use super::errors::{Refused, by_number, no_place};
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::id;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::store::{ListOrder, Listing, StoredRecord};

/// The page that is asked for of an owner's list, at most so many records, those alone that were made since then: what an earlier
/// account of the same name has is not its successor's. Ids of records begin with that time.
///
/// # Errors
/// `item-not-found` when the page is behind or before what is no id of a record (§2.2), and `feature-not-implemented` of a page by
/// its place, which changes with each new record (§2.4).
pub(super) async fn page<R: Record>(
    services: &Services,
    (list, owner): (&'static str, &str),
    (asked, max): (&PageRequest, u32),
    since: Option<Timestamp>,
) -> Result<(Vec<R>, Page), Refused> {
    let records = services.store.records();
    let of = (list, owner);
    let begin = since.map(id::floor).unwrap_or_default();
    let older = match since {
        Some(_) => records.count_before(R::KIND, of, &begin).await?,
        None => 0,
    };
    let count = records.count(R::KIND, of).await?.saturating_sub(older);
    let max = asked.max.unwrap_or(max).min(max);
    let (from, order) = match &asked.from {
        PageFrom::First => (None, ListOrder::Descending),
        PageFrom::After(id) => (Some(id), ListOrder::Descending),
        // What is before an item of such a list is newer.
        PageFrom::Before(id) => (Some(id), ListOrder::Ascending),
        PageFrom::Last => (None, ListOrder::Ascending),
        PageFrom::Index(_) => return Err(by_number().into()),
    };
    // What has the form of an id is a place by its time: what stood there may be gone, or in another list by now, and the page goes on
    // all the same. So nobody learns by that whether there is such a record.
    if let Some(id) = from.filter(|it| !id::is_sorted(it)) {
        // It is one of the list, and not of an earlier account.
        let known: Option<R> = record::find(&services.store, id).await?;
        let listed = Listing {
            list,
            owner: owner.to_owned(),
        };
        let known = known.filter(|it| it.listings().contains(&listed));
        known.filter(|it| it.id() >= begin).ok_or_else(no_place)?;
    }
    let mut stored: Vec<StoredRecord> = match max {
        0 => Vec::new(),
        max => {
            let from = match (from, order) {
                (None, ListOrder::Ascending) if since.is_some() => Some(begin.as_str()),
                (Some(from), ListOrder::Ascending) => Some(from.as_str().max(begin.as_str())),
                (from, _) => from.map(String::as_str),
            };
            records.listed(R::KIND, of, from, order, max).await?
        }
    };
    if order == ListOrder::Ascending {
        stored.reverse();
    }
    stored.retain(|it| it.id >= begin);
    let found = stored.iter().map(record::read);
    let found: Vec<R> = found.collect::<Result<_, _>>()?;
    let index = match found.first() {
        Some(first) => {
            let before = records.count_before(R::KIND, of, &first.id()).await?;
            let older = before.saturating_sub(older);
            Some(count.saturating_sub(older).saturating_sub(1))
        }
        None => None,
    };
    let ends = found.first().zip(found.last());
    let page = Page {
        ends: ends.map(|(first, last)| (first.id(), last.id())),
        index,
        count: Some(count),
    };
    Ok((found, page))
}
