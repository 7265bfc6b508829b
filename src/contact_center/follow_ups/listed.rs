//! A list of which the caller sees some: what it may not see is not counted either. How long the list is, is therefore not
//! told.

use std::collections::BTreeSet;

use super::KIND;
use super::access::{self, Way};
use super::lists::PAGE_MAX;
use crate::contact_center::errors::{Refused, by_number, no_place};
use crate::contact_center::operation::Caller;
use crate::contact_center::{activities, record};
use crate::domain::follow_up::FollowUp;
use crate::domain::ids::CustomerId;
use crate::id;
use crate::proto::StanzaError;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::store::ListOrder;

/// Follow-ups of one object that are looked at: many times what ever follows from one ticket.
const LOOKED_AT_MAX: usize = 500;

/// Follow-ups that are read at once.
const READ_AT_ONCE: u32 = 20;

/// The page that is asked for of those that the caller sees, the newest first.
///
/// # Errors
/// `item-not-found` when the page is behind or before what is no id of a record (XEP-0059 §2.2), and
/// `feature-not-implemented` of a page by its place (§2.4).
pub(super) async fn seen(
    caller: &Caller,
    list: (&'static str, &str),
    (asked, by): (&PageRequest, Way),
) -> Result<(Vec<FollowUp>, Page), Refused> {
    let ids = ids(caller, list, by).await?;
    // A place by its time, be there one that the caller sees or not: how many are newer, and how many with the one that stands there.
    let newer = |id: &String| match id::is_sorted(id) {
        true => Ok(ids.partition_point(|it| it > id)),
        false => Err(no_place()),
    };
    let behind = |id: &String| Ok::<_, StanzaError>(newer(id)? + usize::from(ids.contains(id)));
    let max = asked.max.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let (from, until) = match &asked.from {
        PageFrom::First => (0, max),
        PageFrom::After(id) => (behind(id)?, behind(id)?.saturating_add(max)),
        PageFrom::Before(id) => (newer(id)?.saturating_sub(max), newer(id)?),
        PageFrom::Last => (ids.len().saturating_sub(max), ids.len()),
        PageFrom::Index(_) => return Err(by_number().into()),
    };
    let mut found = Vec::new();
    for id in ids.iter().take(until).skip(from) {
        let stored = record::find::<FollowUp>(&caller.services.store, id).await?;
        found.extend(stored);
    }
    let ends = found.first().zip(found.last());
    let page = Page {
        ends: ends.map(|(first, last)| (first.id.to_string(), last.id.to_string())),
        ..Page::default()
    };
    Ok((found, page))
}

/// The ids of those that the caller sees.
async fn ids(caller: &Caller, list: (&'static str, &str), by: Way) -> Result<Vec<String>, Refused> {
    let records = caller.services.store.records();
    // The list of an agent's own has nothing else, whomever the agent deals with.
    let dealt_with = match by {
        Way::Own => BTreeSet::new(),
        Way::ByPart | Way::ByRight => activities::dealt_with(caller).await?,
    };
    let mut ids = Vec::new();
    let (mut from, mut looked_at) = (None::<String>, 0);
    while looked_at < LOOKED_AT_MAX {
        let order = ListOrder::Descending;
        let page = records.listed(KIND, list, from.as_deref(), order, READ_AT_ONCE);
        let page = page.await?;
        let Some(last) = page.last() else { break };
        from = Some(last.id.clone());
        looked_at += page.len();
        for stored in &page {
            let it: FollowUp = record::read(stored)?;
            if is_seen(caller, &it, &dealt_with) {
                ids.push(stored.id.clone());
            }
        }
    }
    Ok(ids)
}

fn is_seen(caller: &Caller, follow_up: &FollowUp, dealt_with: &BTreeSet<CustomerId>) -> bool {
    let customer = follow_up.plan.as_ref().and_then(|it| it.customer.as_ref());
    access::is_own(caller, follow_up) || customer.is_some_and(|it| dealt_with.contains(it))
}
