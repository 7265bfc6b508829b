//! Publishing and retracting items (XEP-0060 §7.1, §7.2).

use super::access::{self, Affiliation};
use super::config::{NodeConfig, NodeFull};
use super::error::{forbidden, full, no_node, node_required, precondition, refusal};
use super::items::{self, Payload};
use super::notify::{self, Event};
use super::place::{Face, Node, Place};
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::kept;
use crate::proto::{BareJid, Condition, StanzaError, ns};
use crate::store::{NewItem, PublishBounds, Published, PubsubItem, WhenFull};
use crate::xml::Element;

/// §7.1.
pub(super) async fn publish(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    super::nodes::check_name(name)?;
    let given = item_of(request)?;
    let options = iq.payload.find(ns::PUBSUB, "publish-options");
    let options = options.and_then(|options| options.find(ns::DATA_FORMS, "x"));
    let who = iq.from.bare();
    super::conversion::sought(place, name, who).await;
    let node = match place.find(name).await? {
        Some(node) => {
            access::publish(&node.config, &place.viewer(&node, who).await?)?;
            if let Some(options) = options {
                meets(place, &node.config, options)?;
            }
            node
        }
        None => make(place, name, options, who).await?,
    };
    let item = checked(place, &node, given)?;
    let id = Box::pin(store_and_tell(place, &node, item, who)).await?;
    super::conversion::published(
        place,
        &node,
        item.and_then(|item| item.children().next()),
        &id,
    )
    .await;
    let item = Element::new(ns::PUBSUB, "item").attr("id", &id);
    let publish = Element::new(ns::PUBSUB, "publish")
        .attr("node", name)
        .child(item);
    Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(publish)))
}

/// §7.1.5: whether a node is as a publisher thinks.
fn meets(place: &Place, config: &NodeConfig, options: &Element) -> Result<(), StanzaError> {
    let max = place.limits().items_per_node_max;
    let wanted = config.with_options(place.face, options, max)?;
    let now = NodeConfig {
        max_items: config.max_items.filter(|count| *count < max),
        ..config.clone()
    };
    if wanted == now {
        Ok(())
    } else {
        Err(precondition())
    }
}

/// §7.1.4: a node that nobody made, as the options say.
async fn make(
    place: &Place,
    name: &str,
    options: Option<&Element>,
    who: &BareJid,
) -> Result<Node, StanzaError> {
    super::nodes::may_create(place, who)?;
    let default = super::nodes::default_config(place.face, name);
    let config = match options {
        Some(options) => {
            default.with_options(place.face, options, place.limits().items_per_node_max)?
        }
        None => default,
    };
    match place.create(name, config, who).await? {
        Some(node) => Ok(node),
        // Somebody else was quicker.
        None => place.node(name).await,
    }
}

/// The one item of a request.
fn item_of(request: &Element) -> Result<Option<&Element>, StanzaError> {
    let mut items = request
        .children()
        .filter(|child| child.is(ns::PUBSUB, "item"));
    let first = items.next();
    if items.next().is_some() {
        // §7.1.1: batches are no longer allowed.
        return Err(StanzaError::bad_request("publish one item at a time"));
    }
    Ok(first)
}

/// §7.1.3: whether the item is what the node takes.
pub(super) fn checked<'a>(
    place: &Place,
    node: &Node,
    item: Option<&'a Element>,
) -> Result<Option<&'a Element>, StanzaError> {
    let config = &node.config;
    let item = match item {
        None if config.persist_items => return Err(bad("item-required")),
        None => return Ok(None),
        Some(_) if !config.persist_items && !config.deliver_payloads => {
            return Err(bad("item-forbidden"));
        }
        Some(item) => item,
    };
    if let Some(id) = item.attribute("id")
        && (id.is_empty() || id.len() > ID_BYTES_MAX)
    {
        return Err(StanzaError::bad_request("an id has 1 to 1023 bytes"));
    }
    let max = config.payload_max(place.limits().payload_bytes_max.as_usize());
    let mut payloads = item.children();
    match (payloads.next(), payloads.next()) {
        (Some(_), Some(_)) => Err(bad("invalid-payload")),
        (None, _) if config.deliver_payloads => Err(bad("payload-required")),
        (None, _) => Ok(Some(item)),
        (Some(payload), None) if payload.ns().is_empty() || payload.ns() == ns::PUBSUB => {
            Err(bad("invalid-payload"))
        }
        (Some(payload), None) => {
            if kept::to_bytes(payload).len() > max {
                return Err(refusal(Condition::NotAcceptable, "payload-too-big"));
            }
            Ok(Some(item))
        }
    }
}

fn bad(own: &str) -> StanzaError {
    refusal(Condition::BadRequest, own)
}

/// Keeps an item, where the node keeps items, and tells of it. Answers its id.
pub(super) async fn store_and_tell(
    place: &Place,
    node: &Node,
    item: Option<&Element>,
    who: &BareJid,
) -> Result<String, StanzaError> {
    let given = item.and_then(|item| item.attribute("id"));
    let id = given.map_or_else(crate::id::random, str::to_owned);
    let payload = item.and_then(|item| item.children().next());
    let kept = PubsubItem {
        id,
        publisher: who.to_string(),
        published_at: place.services.clock.now(),
        revision: 0,
        payload: payload.map(kept::to_bytes).unwrap_or_default(),
    };
    let _turn = super::turn(place, &node.name).await;
    let mut gone = Vec::new();
    if node.config.persist_items {
        gone = keep(place, node, &kept, who).await?;
    }
    let with = Payload::of(&node.config);
    let shown = match item {
        Some(_) => vec![items::element(&kept, ns::PUBSUB_EVENT, with)?],
        None => Vec::new(),
    };
    notify::tell(place, node, &Event::items(&node.name, shown)).await?;
    if node.config.tells_of_the_oldest() {
        for id in gone {
            notify::tell(place, node, &Event::retract(&node.name, &id)).await?;
        }
    }
    Ok(kept.id)
}

async fn keep(
    place: &Place,
    node: &Node,
    item: &PubsubItem,
    who: &BareJid,
) -> Result<Vec<String>, StanzaError> {
    items::expire(place, node).await?;
    let new = NewItem {
        id: &item.id,
        publisher: &item.publisher,
        published_at: item.published_at,
        payload: &item.payload,
        own_only: place.affiliation(node, who).await? != Affiliation::Owner,
    };
    match place
        .store()
        .publish(&place.address, &node.name, new, bounds(place, node))
        .await?
    {
        Published::Done(gone) => Ok(gone),
        outcome @ (Published::NoNode
        | Published::NodeFull
        | Published::ServiceFull
        | Published::Foreign) => Err(refused(&outcome)),
    }
}

/// How much a node and its place may hold.
pub(super) fn bounds(place: &Place, node: &Node) -> PublishBounds {
    PublishBounds {
        items_max: node.config.items_max(place.limits().items_per_node_max),
        when_full: match node.config.node_full {
            NodeFull::RetractOldest | NodeFull::DiscardOldest => WhenFull::DropOldest,
            NodeFull::Reject => WhenFull::Reject,
        },
        bytes_max: place.bytes_max(),
    }
}

/// What a publisher is told whose item was not kept.
pub(super) fn refused(outcome: &Published) -> StanzaError {
    match outcome {
        Published::NoNode => no_node(),
        Published::NodeFull => refusal(Condition::Conflict, "node-full"),
        Published::ServiceFull => full("no more can be published here"),
        Published::Foreign => forbidden(),
        Published::Done(_) => Condition::InternalServerError.into(),
    }
}

/// §7.2.
pub(super) async fn retract(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let item = item_of(request)?.and_then(|item| item.attribute("id"));
    let id = item
        .filter(|id| !id.is_empty())
        .ok_or_else(|| bad("item-required"))?;
    let notify = match request.attribute("notify") {
        None | Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(_) => return Err(StanzaError::bad_request("notify is true or false")),
    };
    let node = place.node(name).await?;
    let who = iq.from.bare();
    let affiliation = place.affiliation(&node, who).await?;
    if matches!(
        affiliation,
        Affiliation::None | Affiliation::Outcast | Affiliation::Member
    ) && access::publish(&node.config, &place.viewer(&node, who).await?).is_err()
    {
        return Err(forbidden());
    }
    if !node.config.persist_items {
        return Err(super::error::unsupported("persistent-items"));
    }
    let item = items::item(place, &node.name, id).await?;
    if affiliation != Affiliation::Owner && item.publisher != who.as_str() {
        return Err(forbidden());
    }
    take_out(place, &node, id, notify).await?;
    super::conversion::retracted(place, &node).await;
    Ok(None)
}

/// Takes an item out and tells of it.
pub(super) async fn take_out(
    place: &Place,
    node: &Node,
    id: &str,
    notify: bool,
) -> Result<(), StanzaError> {
    let _turn = super::turn(place, &node.name).await;
    if !place
        .store()
        .retract(&place.address, &node.name, id)
        .await?
    {
        return Err(Condition::ItemNotFound.into());
    }
    if notify || node.config.notify_retract {
        notify::tell(place, node, &Event::retract(&node.name, id)).await?;
    }
    Ok(())
}

/// Publishes for the account itself, as its clients could; a node that is not there is made with
/// that configuration.
///
/// # Errors
/// As for a client.
pub(in crate::extensions) async fn publish_own(
    place: &Place,
    name: &str,
    config: NodeConfig,
    id: &str,
    payload: Element,
) -> Result<(), StanzaError> {
    debug_assert_eq!(place.face, Face::Account);
    let node = match Box::pin(place.find(name)).await? {
        Some(node) => node,
        None => match Box::pin(place.create(name, config, &place.address)).await? {
            Some(node) => node,
            None => place.node(name).await?,
        },
    };
    let item = Element::new(ns::PUBSUB, "item")
        .attr("id", id)
        .child(payload);
    let item = checked(place, &node, Some(&item))?;
    Box::pin(store_and_tell(place, &node, item, &place.address)).await?;
    Ok(())
}

/// The longest id of an item and name of a node: that of a resourcepart.
pub(super) const ID_BYTES_MAX: usize = 1023;
