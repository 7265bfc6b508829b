//! Retrieving items (XEP-0060 §6.5), in the order of their publication, in pages where there are many
//! (XEP-0059).

use super::access;
use super::config::NodeConfig;
use super::error::node_required;
use super::place::{Face, Node, Place};
use crate::hooks::{Iq, IqAnswer, Services};
use crate::proto::common::kept;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::proto::{BareJid, Condition, StanzaError, ns};
use crate::store::{PubsubItem, Slice, StoreError};
use crate::xml::Element;

/// §6.5: all items, the last few, or those of certain ids.
pub(super) async fn get(place: &Place, iq: &Iq, items: &Element) -> IqAnswer {
    let name = items.attribute("node").ok_or_else(node_required)?;
    super::conversion::sought(place, name, iq.from.bare()).await;
    let node = place.node(name).await?;
    let viewer = place.viewer(&node, iq.from.bare()).await?;
    access::read(&node.config, &viewer)?;
    if items.attribute("subid").is_some() {
        return Err(super::people::no_subid());
    }
    expire(place, &node).await?;
    let ids: Vec<&str> = items
        .children()
        .filter(|child| child.is(ns::PUBSUB, "item"))
        .filter_map(|item| item.attribute("id"))
        .collect();
    let (found, page) = if ids.is_empty() {
        let newest = items.attribute("max_items").map(str::parse::<u32>);
        let newest = newest
            .transpose()
            .map_err(|_| StanzaError::bad_request("max_items is no number"))?;
        list(place, &node, newest, &PageRequest::of(&iq.payload)?).await?
    } else {
        (by_id(place, &node, &ids).await?, None)
    };
    let found = found
        .iter()
        .map(|item| element(item, ns::PUBSUB, Payload::With));
    let found: Vec<Element> = found.collect::<Result<_, _>>()?;
    let list = Element::new(ns::PUBSUB, "items")
        .attr("node", name)
        .children_from(found);
    let page = page.map(|page| page.to_element());
    Ok(Some(
        Element::new(ns::PUBSUB, "pubsub")
            .child(list)
            .child_opt(page),
    ))
}

/// §6.5.8. What is not there is left out, unless nothing is (§6.5.9.12).
async fn by_id(place: &Place, node: &Node, ids: &[&str]) -> Result<Vec<PubsubItem>, StanzaError> {
    if ids.len() > IDS_MAX {
        return Err(StanzaError::new(Condition::PolicyViolation).text("too many items at once"));
    }
    let mut found = Vec::new();
    for id in ids {
        found.extend(place.store().item(&place.address, &node.name, id).await?);
    }
    if found.is_empty() {
        return Err(Condition::ItemNotFound.into());
    }
    Ok(found)
}

type Listed = (Vec<PubsubItem>, Option<Page>);

/// §6.5.4: a page, which ends early where it would become too large; then the answer says so.
async fn list(
    place: &Place,
    node: &Node,
    newest: Option<u32>,
    asked: &PageRequest,
) -> Result<Listed, StanzaError> {
    let (store, address) = (place.store(), &place.address);
    let all = place.limits().items_per_node_max;
    let count = store.count_before(address, &node.name, i64::MAX).await?;
    if *asked == PageRequest::default() && newest.is_some_and(|newest| newest > 0) {
        let newest = newest.unwrap_or(all).min(all);
        let found = store
            .items(address, &node.name, Slice::Before(i64::MAX), newest)
            .await?;
        return Ok((light(found, End::Newest), None));
    }
    let revision_of = async |id: &str| -> Result<i64, StanzaError> {
        let item = store.item(address, &node.name, id).await?;
        Ok(item.ok_or(Condition::ItemNotFound)?.revision)
    };
    let (slice, end) = match &asked.from {
        PageFrom::First => (Slice::After(0, 0), End::Oldest),
        PageFrom::Index(index) => {
            let skipped = u32::try_from(*index).unwrap_or(u32::MAX);
            (Slice::After(0, skipped), End::Oldest)
        }
        PageFrom::After(id) => (Slice::After(revision_of(id).await?, 0), End::Oldest),
        PageFrom::Before(id) => (Slice::Before(revision_of(id).await?), End::Newest),
        PageFrom::Last => (Slice::Before(i64::MAX), End::Newest),
    };
    let max = asked.max.unwrap_or(all).min(all);
    let found = store.items(address, &node.name, slice, max).await?;
    let fetched = found.len();
    let found = light(found, end);
    let whole = *asked == PageRequest::default() && found.len() == fetched;
    if whole {
        return Ok((found, None));
    }
    let index = match found.first() {
        Some(first) => Some(
            store
                .count_before(address, &node.name, first.revision)
                .await?,
        ),
        None => None,
    };
    let ends = found.first().zip(found.last());
    let page = Page {
        ends: ends.map(|(first, last)| (first.id.clone(), last.id.clone())),
        index,
        count: Some(count),
    };
    Ok((found, Some(page)))
}

/// From which end a page is filled.
#[derive(Clone, Copy)]
enum End {
    Oldest,
    Newest,
}

/// As many of the items as one answer may carry, one at least.
fn light(mut items: Vec<PubsubItem>, end: End) -> Vec<PubsubItem> {
    if matches!(end, End::Newest) {
        items.reverse();
    }
    let mut bytes = 0_usize;
    let mut kept = Vec::new();
    for item in items {
        bytes = bytes.saturating_add(item.payload.len());
        if bytes > ANSWER_BYTES_MAX && !kept.is_empty() {
            break;
        }
        kept.push(item);
    }
    if matches!(end, End::Newest) {
        kept.reverse();
    }
    kept
}

/// Whether what is published is shown with the item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    With,
    Without,
}

impl Payload {
    pub(super) const fn of(config: &NodeConfig) -> Self {
        if config.deliver_payloads {
            Self::With
        } else {
            Self::Without
        }
    }
}

/// The element `<item/>`.
pub(super) fn element(
    item: &PubsubItem,
    ns: &str,
    payload: Payload,
) -> Result<Element, StanzaError> {
    let element = Element::new(ns, "item").attr("id", &item.id);
    if item.payload.is_empty() || payload == Payload::Without {
        return Ok(element);
    }
    Ok(element.child(kept::from_bytes(&item.payload)?))
}

/// The last item of a node.
pub(super) async fn last(place: &Place, node: &Node) -> Result<Option<PubsubItem>, StanzaError> {
    expire(place, node).await?;
    let newest = Slice::Before(i64::MAX);
    let found = place
        .store()
        .items(&place.address, &node.name, newest, 1)
        .await?;
    Ok(found.into_iter().next_back())
}

/// All items of a node, oldest first.
pub(in crate::extensions) async fn all(
    place: &Place,
    name: &str,
) -> Result<Vec<PubsubItem>, StanzaError> {
    let max = place.limits().items_per_node_max;
    let found = place
        .store()
        .items(&place.address, name, Slice::After(0, 0), max)
        .await;
    Ok(found?)
}

/// Drops items that have grown too old (`pubsub#item_expire`), before anybody sees them.
pub(super) async fn expire(place: &Place, node: &Node) -> Result<(), StanzaError> {
    if let Some(seconds) = node.config.item_expire {
        let oldest = place.services.clock.now().plus_seconds(-i64::from(seconds));
        place
            .store()
            .expire(&place.address, &node.name, oldest)
            .await?;
    }
    Ok(())
}

/// Drops what has grown too old in any node, for the nodes that nobody looks into.
///
/// # Errors
/// When the database fails.
pub(super) async fn expire_all(services: &Services) -> Result<u64, StoreError> {
    let (store, now) = (services.store.pubsub(), services.clock.now());
    let (mut gone, mut after) = (0_u64, None);
    loop {
        let page = store.configurations(after.as_ref(), EXPIRE_PAGE).await?;
        for node in &page {
            let Ok(service) = BareJid::new(&node.service) else {
                continue;
            };
            // Which face it is makes no difference to how long items are kept.
            let config = NodeConfig::from_bytes(&node.config, Face::Account);
            if let Some(seconds) = config.ok().and_then(|config| config.item_expire) {
                let oldest = now.plus_seconds(-i64::from(seconds));
                gone += store.expire(&service, &node.node, oldest).await?;
            }
        }
        after = page.into_iter().next_back();
        if after.is_none() {
            return Ok(gone);
        }
    }
}

/// One item.
///
/// # Errors
/// `item-not-found`.
pub(in crate::extensions) async fn item(
    place: &Place,
    node: &str,
    id: &str,
) -> Result<PubsubItem, StanzaError> {
    let found = place.store().item(&place.address, node, id).await?;
    found.ok_or_else(|| Condition::ItemNotFound.into())
}

/// Ids of one request; each is a query.
const IDS_MAX: usize = 100;
/// Nodes that are looked at together for what is too old.
const EXPIRE_PAGE: u32 = 500;
/// Payloads of one answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;
