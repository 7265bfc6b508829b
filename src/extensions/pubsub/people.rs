//! Subscriptions and affiliations (XEP-0060 §5.6, §5.7, §6.1, §6.2, §8.8, §8.9).
//!
//! An entity has one subscription for each of its addresses, without an id.

use super::access::{self, Affiliation};
use super::config::AccessModel;
use super::error::{node_required, refusal, too_many_subscriptions};
use super::nodes::{bad_jid, keeps_owner, not_acceptable, owner};
use super::place::{Face, Node, Place};
use super::{options, requests};
use crate::hooks::{Iq, IqAnswer};
use crate::proto::{BareJid, Condition, ErrorType, Jid, MessageType, Stanza, StanzaError, ns};
use crate::store::{Put, SubscriptionState};
use crate::xml::Element;

/// §6.1.
pub(super) async fn subscribe(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let jid = own_jid(iq, request)?.ok_or_else(bad_jid)?;
    let node = place.node(name).await?;
    let viewer = place.viewer(&node, iq.from.bare()).await?;
    let asks_owner = node.config.access == AccessModel::Authorize
        && viewer.affiliation == Affiliation::None
        && !viewer.subscribed;
    if !asks_owner {
        access::read(&node.config, &viewer)?;
    }
    let wishes = options::at_once(place, iq, &jid)?;
    if asks_owner {
        Box::pin(requests::ask(place, &node, &jid)).await?;
        return answer(place, subscription(name, &jid, "pending"), &jid, wishes).await;
    }
    let max = place.limits().subscriptions_per_node_max;
    let state = SubscriptionState::Subscribed;
    match place
        .store()
        .subscribe(&place.address, name, &jid, state, max)
        .await?
    {
        Put::Stored => {}
        Put::Full => return Err(too_many_subscriptions()),
    }
    let subscribed = subscription(name, &jid, "subscribed");
    let answer = answer(place, subscribed, &jid, wishes).await?;
    requests::show_last(place, &node, &jid).await?;
    Ok(answer)
}

/// The subscription as it is now, with the options that were given along.
async fn answer(
    place: &Place,
    subscription: Element,
    jid: &Jid,
    wishes: Option<(Vec<u8>, Element)>,
) -> IqAnswer {
    let mut told = None;
    if let Some((options, element)) = wishes {
        let name = subscription.attribute("node").unwrap_or_default();
        let store = place.store();
        store
            .configure_subscription(&place.address, name, jid, &options)
            .await?;
        told = Some(element);
    }
    let pubsub = Element::new(ns::PUBSUB, "pubsub").child(subscription);
    Ok(Some(pubsub.child_opt(told)))
}

/// §6.2.
pub(super) async fn unsubscribe(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let jid = own_jid(iq, request)?.ok_or(Condition::Forbidden)?;
    let node = place.node(name).await?;
    if request
        .attribute("subid")
        .is_some_and(|subid| !subid.is_empty())
    {
        return Err(no_subid());
    }
    if !place
        .store()
        .unsubscribe(&place.address, name, &jid)
        .await?
    {
        return Err(refusal(Condition::UnexpectedRequest, "not-subscribed").kind(ErrorType::Cancel));
    }
    // §12.18: at the address that was subscribed, which need not be the one that asked.
    requests::tell(place, &node, &jid, "none").await;
    let ended = subscription(name, &jid, "none");
    Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(ended)))
}

/// Subscriptions have no ids (§6.2.3.5).
pub(crate) fn no_subid() -> StanzaError {
    refusal(Condition::NotAcceptable, "invalid-subid")
}

/// The attribute `jid`; `None` where it is another's.
pub(crate) fn own_jid(iq: &Iq, request: &Element) -> Result<Option<Jid>, StanzaError> {
    let jid = request
        .attribute("jid")
        .ok_or_else(|| refusal(Condition::BadRequest, "jid-required"))?;
    let jid = Jid::parse(jid).map_err(|_| bad_jid())?;
    Ok((jid.bare() == iq.from.bare()).then_some(jid))
}

const fn state_name(state: SubscriptionState) -> &'static str {
    match state {
        SubscriptionState::Pending => "pending",
        SubscriptionState::Subscribed => "subscribed",
    }
}

/// §6.1.2: the element `<subscription/>`.
pub(crate) fn subscription(node: &str, jid: &Jid, state: &str) -> Element {
    Element::new(ns::PUBSUB, "subscription")
        .attr("node", node)
        .attr("jid", jid.to_string())
        .attr("subscription", state)
}

/// §5.6.
pub(super) async fn own_subscriptions(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let wanted = request.attribute("node");
    if let Some(name) = wanted {
        place.node(name).await?;
    }
    let found = place
        .store()
        .subscriptions_of(&place.address, iq.from.bare(), LISTED_MAX)
        .await?;
    let found = found
        .iter()
        .filter(|one| wanted.is_none_or(|name| name == one.node));
    let list = Element::new(ns::PUBSUB, "subscriptions")
        .attr_opt("node", wanted)
        .children_from(found.map(|one| subscription(&one.node, &one.jid, state_name(one.state))));
    Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(list)))
}

/// §5.7.
pub(super) async fn own_affiliations(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let wanted = request.attribute("node");
    if let Some(name) = wanted {
        place.node(name).await?;
    }
    let who = iq.from.bare();
    let found: Vec<(String, String)> = if place.owns_all(who) {
        let nodes = place.nodes().await?;
        nodes
            .into_iter()
            .map(|node| (node.name, Affiliation::Owner.name().to_owned()))
            .collect()
    } else {
        let found = place
            .store()
            .affiliations_of(&place.address, who, LISTED_MAX)
            .await?;
        found
            .into_iter()
            .map(|one| (one.node, one.affiliation))
            .collect()
    };
    let found = found
        .into_iter()
        .filter(|(node, _)| wanted.is_none_or(|name| name == node));
    let list = Element::new(ns::PUBSUB, "affiliations")
        .attr_opt("node", wanted)
        .children_from(found.map(|(node, affiliation)| {
            Element::new(ns::PUBSUB, "affiliation")
                .attr("node", node)
                .attr("affiliation", affiliation)
        }));
    Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(list)))
}

/// §8.8.1.
pub(super) async fn subscriptions(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    place.owned(name, iq.from.bare()).await?;
    let max = place.limits().subscriptions_per_node_max;
    let found = place
        .store()
        .subscriptions(&place.address, name, max)
        .await?;
    let list = Element::new(ns::PUBSUB_OWNER, "subscriptions")
        .attr("node", name)
        .children_from(found.iter().map(|one| {
            Element::new(ns::PUBSUB_OWNER, "subscription")
                .attr("jid", one.jid.to_string())
                .attr("subscription", state_name(one.state))
        }));
    Ok(Some(owner(list)))
}

/// §8.8.2: all changes are checked before the first is made.
pub(super) async fn set_subscriptions(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    let mut changes = Vec::new();
    for child in request
        .children()
        .filter(|child| child.is(ns::PUBSUB_OWNER, "subscription"))
    {
        let jid = child
            .attribute("jid")
            .and_then(|jid| Jid::parse(jid).ok())
            .ok_or_else(malformed)?;
        let subscribed = match child.attribute("subscription") {
            Some("subscribed") => true,
            Some("none") => false,
            Some("pending" | "unconfigured") => {
                return Err(not_acceptable("an owner says subscribed or none"));
            }
            Some(_) | None => return Err(StanzaError::bad_request("no such state")),
        };
        changes.push((jid, subscribed));
    }
    few(changes.len())?;
    for (jid, subscribed) in changes {
        if subscribed {
            Box::pin(requests::grant(place, &node, &jid)).await?;
        } else {
            requests::end(place, &node, &jid).await?;
        }
    }
    Ok(None)
}

/// §8.9.1.
pub(super) async fn affiliations(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    let list = Element::new(ns::PUBSUB_OWNER, "affiliations").attr("node", name);
    let found = all(place, &node).await?;
    let list = list.children_from(found.iter().map(|(jid, affiliation)| {
        Element::new(ns::PUBSUB_OWNER, "affiliation")
            .attr("jid", jid.as_str())
            .attr("affiliation", affiliation.name())
    }));
    Ok(Some(owner(list)))
}

/// All affiliations with a node; on an account its own is among them.
pub(super) async fn all(
    place: &Place,
    node: &Node,
) -> Result<Vec<(BareJid, Affiliation)>, StanzaError> {
    let max = place.limits().subscriptions_per_node_max;
    let found = place
        .store()
        .affiliations(&place.address, &node.name, max)
        .await?;
    let found = found.iter().filter_map(|one| {
        Some((
            BareJid::new(&one.jid).ok()?,
            Affiliation::from_name(&one.affiliation)?,
        ))
    });
    let own = (place.face == Face::Account).then(|| (place.address.clone(), Affiliation::Owner));
    Ok(own.into_iter().chain(found).collect())
}

/// §8.9.2: all changes are checked before the first is made.
pub(super) async fn set_affiliations(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    let mut changes = Vec::new();
    for child in request
        .children()
        .filter(|child| child.is(ns::PUBSUB_OWNER, "affiliation"))
    {
        let jid = child
            .attribute("jid")
            .and_then(|jid| Jid::parse(jid).ok())
            .ok_or_else(malformed)?;
        let affiliation = child
            .attribute("affiliation")
            .and_then(Affiliation::from_name);
        let affiliation =
            affiliation.ok_or_else(|| StanzaError::bad_request("no such affiliation"))?;
        if place.face == Face::Account
            && (affiliation == Affiliation::Owner || place.owns_all(jid.bare()))
        {
            return Err(not_acceptable(
                "a node of an account has the account as its owner",
            ));
        }
        changes.push((jid.bare().clone(), affiliation));
    }
    few(changes.len())?;
    if !keeps_owner(&all(place, &node).await?, &changes) {
        return Err(not_acceptable("a node needs an owner"));
    }
    let max = place.limits().subscriptions_per_node_max;
    for (jid, affiliation) in changes {
        let named = (affiliation != Affiliation::None).then(|| affiliation.name());
        match place
            .store()
            .affiliate(&place.address, name, &jid, named, max)
            .await?
        {
            Put::Stored => {}
            Put::Full => return Err(super::error::full("the node has too many affiliations")),
        }
        if affiliation == Affiliation::Outcast {
            banish(place, &node, &jid).await?;
        }
        // §8.9.4.
        let changed = Element::new(ns::PUBSUB, "affiliation")
            .attr("jid", jid.as_str())
            .attr("affiliation", affiliation.name());
        let list = Element::new(ns::PUBSUB, "affiliations").attr("node", name);
        let told = Element::new(ns::PUBSUB, "pubsub").child(list.child(changed));
        let message = Stanza::message(MessageType::Headline)
            .from(place.address.clone())
            .to(jid)
            .child(&told);
        place.services.route(message).await;
    }
    Ok(None)
}

/// An outcast has no subscription (§4.1).
async fn banish(place: &Place, node: &Node, who: &BareJid) -> Result<(), StanzaError> {
    let found = place
        .store()
        .subscriptions_of(&place.address, who, LISTED_MAX)
        .await?;
    for one in found.iter().filter(|one| one.node == node.name) {
        requests::end(place, node, &one.jid).await?;
    }
    Ok(())
}

fn malformed() -> StanzaError {
    Condition::JidMalformed.into()
}

fn few(changes: usize) -> Result<(), StanzaError> {
    match changes {
        0 => Err(StanzaError::bad_request("nothing is to be changed")),
        1..=CHANGES_MAX => Ok(()),
        _ => Err(StanzaError::new(Condition::PolicyViolation).text("too many changes at once")),
    }
}

/// Changes of one request; each is a write.
const CHANGES_MAX: usize = 100;
/// Lines of one list of an entity's own.
const LISTED_MAX: u32 = 1000;
