//! Lists of records that have the newest first, page by page (XEP-0059). Ids of records sort by the time of their making.

use super::errors::Refused;
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::proto::Condition;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::store::{ListOrder, Listing, StoredRecord};

/// Whose list it is.
pub(super) struct Owned<'a> {
    pub(super) list: &'static str,
    pub(super) owner: &'a str,
    /// What was made earlier belongs to a former account of the same name, and is neither shown nor counted.
    pub(super) since: Option<Timestamp>,
}

/// The page that is asked for of an owner's list, at most so many records; those that are not `meant` are left out.
///
/// # Errors
/// `item-not-found` when the record is not in the list behind or before which the page is (§2.2), and
/// `feature-not-implemented` of a page by its place, which changes with each new record (§2.4).
pub(super) async fn page<R: Record>(
    services: &Services,
    Owned { list, owner, since }: Owned<'_>,
    (asked, max): (&PageRequest, u32),
    meant: impl Fn(&R) -> bool + Send,
) -> Result<(Vec<R>, Page), Refused> {
    let records = services.store.records();
    let of = (list, owner);
    let all = records.count(R::KIND, of).await?;
    let oldest = since.map(crate::id::floor);
    let former = match &oldest {
        Some(oldest) => records.count_before(R::KIND, of, oldest).await?,
        None => 0,
    };
    let max = asked.max.unwrap_or(max).min(max);
    let (from, order) = match &asked.from {
        PageFrom::First => (None, ListOrder::Descending),
        PageFrom::After(id) => (Some(id), ListOrder::Descending),
        // What is before an item of such a list is newer.
        PageFrom::Before(id) => (Some(id), ListOrder::Ascending),
        PageFrom::Last => (None, ListOrder::Ascending),
        PageFrom::Index(_) => return Err(Condition::FeatureNotImplemented.into()),
    };
    if let Some(id) = from {
        let known: Option<R> = record::find(&services.store, id).await?;
        let listed = Listing {
            list,
            owner: owner.to_owned(),
        };
        let known = known.filter(|it| it.listings().contains(&listed));
        known
            .filter(|it| meant(it))
            .ok_or(Condition::ItemNotFound)?;
    }
    let mut stored: Vec<StoredRecord> = match max {
        0 => Vec::new(),
        max => {
            let begin = match order {
                ListOrder::Ascending => oldest.as_deref(),
                ListOrder::Descending => None,
            };
            let from = from.map(String::as_str).or(begin);
            records.listed(R::KIND, of, from, order, max).await?
        }
    };
    if order == ListOrder::Ascending {
        stored.reverse();
    }
    let found = stored.iter().map(record::read);
    let mut found: Vec<R> = found.collect::<Result<_, _>>()?;
    found.retain(|it| meant(it));
    let index = match found.first() {
        Some(first) => {
            let older = records.count_before(R::KIND, of, &first.id()).await?;
            Some(all.saturating_sub(older).saturating_sub(1))
        }
        None => None,
    };
    let ends = found.first().zip(found.last());
    let page = Page {
        ends: ends.map(|(first, last)| (first.id(), last.id())),
        index,
        count: Some(all.saturating_sub(former)),
    };
    Ok((found, page))
}
