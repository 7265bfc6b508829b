//! Making, configuring, purging and deleting nodes (XEP-0060 §8.1 to §8.5).

use super::access::Affiliation;
use super::config::NodeConfig;
use super::error::{forbidden, node_required, refusal, unsupported};
use super::notify::{self, Event};
use super::place::{Face, Node, Place};
use super::publish::ID_BYTES_MAX;
use crate::config::NodeCreation;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::forms::{Form, FormType};
use crate::proto::{BareJid, Condition, StanzaError, ns};
use crate::xml::Element;

/// Whether that can be the name of a node.
pub(super) fn check_name(name: &str) -> Result<(), StanzaError> {
    if name.is_empty() || name.len() > ID_BYTES_MAX {
        return Err(StanzaError::bad_request(
            "the name of a node has 1 to 1023 bytes",
        ));
    }
    Ok(())
}

/// Whether the entity may make nodes.
pub(super) fn may_create(place: &Place, who: &BareJid) -> Result<(), StanzaError> {
    let may = match place.face {
        Face::Account => place.owns_all(who),
        Face::Service => match place.limits().creation {
            NodeCreation::Accounts => {
                who.node().is_some() && place.services.serves(who.domain().as_str())
            }
            NodeCreation::Nobody => false,
        },
    };
    if may { Ok(()) } else { Err(forbidden()) }
}

/// What a node has that is made without a word about it. What is for nobody else's eyes begins that way
/// even where a client forgets to say so.
pub(super) fn default_config(face: Face, name: &str) -> NodeConfig {
    match (face, name) {
        (
            Face::Account,
            super::super::bookmarks::NATIVE
            | super::super::bookmarks::LEGACY
            | super::super::displayed::DISPLAYED
            | "urn:xmpp:contacts",
        ) => NodeConfig::private(),
        _ => NodeConfig::of(face),
    }
}

/// §8.1.
pub(super) async fn create(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let who = iq.from.bare();
    may_create(place, who)?;
    let given = request.attribute("node").filter(|name| !name.is_empty());
    let name = given.map_or_else(crate::id::random, str::to_owned);
    check_name(&name)?;
    super::conversion::sought(place, &name, who).await;
    let default = default_config(place.face, &name);
    let config = match filled_in(&iq.payload, ns::PUBSUB)? {
        Some(form) => default.filled(place.face, &form, place.limits().items_per_node_max)?,
        None => default,
    };
    if place.create(&name, config, who).await?.is_none() {
        return Err(Condition::Conflict.into());
    }
    let created = Element::new(ns::PUBSUB, "create").attr("node", &name);
    Ok(given
        .is_none()
        .then(|| Element::new(ns::PUBSUB, "pubsub").child(created)))
}

/// The form in `<configure/>`; none where it is empty, which asks for the default.
fn filled_in(parent: &Element, ns: &str) -> Result<Option<Form>, StanzaError> {
    let configure = parent.find(ns, "configure");
    let form = configure.and_then(|configure| configure.find(ns::DATA_FORMS, "x"));
    Ok(form.map(Form::parse).transpose()?)
}

/// §8.2.1.
pub(super) async fn show(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    let form = node.config.form(FormType::Form, place.face).to_element();
    let configure = Element::new(ns::PUBSUB_OWNER, "configure").attr("node", name);
    Ok(Some(owner(configure.child(form))))
}

/// §8.2.4.
pub(super) async fn configure(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    let form = filled_in(&iq.payload, ns::PUBSUB_OWNER)?
        .ok_or_else(|| StanzaError::bad_request("expected a form"))?;
    if form.kind == FormType::Cancel {
        return Ok(None);
    }
    let max = place.limits().items_per_node_max;
    let config = node.config.filled(place.face, &form, max)?;
    let bytes = config.to_bytes(place.face);
    if !place
        .store()
        .configure(&place.address, name, &bytes, config.purge_offline)
        .await?
    {
        return Err(super::error::no_node());
    }
    let node = Node { config, ..node };
    trim(place, &node).await?;
    if node.config.notify_config {
        let form = node.config.deliver_payloads;
        let form = form.then(|| node.config.form(FormType::Result, place.face).to_element());
        notify::tell(place, &node, &Event::configuration(name, form)).await?;
    }
    Ok(None)
}

/// Drops what is too much under a new configuration.
async fn trim(place: &Place, node: &Node) -> Result<(), StanzaError> {
    let store = place.store();
    if !node.config.persist_items {
        store.purge(&place.address, &node.name).await?;
        return Ok(());
    }
    let count = store
        .count_before(&place.address, &node.name, i64::MAX)
        .await?;
    let max = node.config.items_max(place.limits().items_per_node_max);
    let surplus = count.saturating_sub(u64::from(max));
    if surplus > 0 {
        let oldest = u32::try_from(surplus).unwrap_or(u32::MAX);
        store
            .drop_oldest(&place.address, &node.name, oldest)
            .await?;
    }
    Ok(())
}

/// §8.3.
pub(super) fn default(place: &Place) -> Element {
    let form = NodeConfig::of(place.face).form(FormType::Form, place.face);
    owner(Element::new(ns::PUBSUB_OWNER, "default").child(form.to_element()))
}

/// §8.4.
pub(super) async fn delete(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    let redirect = match request.find(ns::PUBSUB_OWNER, "redirect") {
        Some(redirect) => Some(redirect.attribute("uri").ok_or(Condition::BadRequest)?),
        None => None,
    };
    let told = if node.config.notify_delete {
        notify::recipients(place, &node).await?
    } else {
        Vec::new()
    };
    let turn = super::turn(place, name).await;
    if !place.store().delete(&place.address, name).await? {
        return Err(super::error::no_node());
    }
    notify::send(place, &node, &Event::delete(name, redirect), told).await;
    drop(turn);
    super::conversion::deleted(place, name).await;
    Ok(None)
}

/// §8.5.
pub(super) async fn purge(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let node = place.owned(name, iq.from.bare()).await?;
    if !node.config.persist_items {
        return Err(unsupported("persistent-items"));
    }
    let turn = super::turn(place, name).await;
    place.store().purge(&place.address, name).await?;
    if node.config.notify_retract {
        notify::tell(place, &node, &Event::purge(name)).await?;
    }
    drop(turn);
    super::conversion::retracted(place, &node).await;
    Ok(None)
}

/// §5.7, §8.9 of what is not a leaf: collections are not there.
pub(super) fn owner(child: Element) -> Element {
    Element::new(ns::PUBSUB_OWNER, "pubsub").child(child)
}

/// Whether somebody is owner of a node besides those who lose it.
pub(super) fn keeps_owner(
    before: &[(BareJid, Affiliation)],
    changes: &[(BareJid, Affiliation)],
) -> bool {
    let after = |jid: &BareJid, now: Affiliation| {
        let change = changes.iter().rev().find(|(changed, _)| changed == jid);
        change.map_or(now, |(_, affiliation)| *affiliation)
    };
    let stays = before
        .iter()
        .any(|(jid, now)| after(jid, *now) == Affiliation::Owner);
    let comes = changes
        .iter()
        .any(|(jid, _)| after(jid, Affiliation::None) == Affiliation::Owner);
    stays || comes
}

/// What cannot be changed.
pub(super) fn not_acceptable(text: &str) -> StanzaError {
    StanzaError::new(Condition::NotAcceptable).text(text)
}

/// An address that is none.
pub(crate) fn bad_jid() -> StanzaError {
    refusal(Condition::BadRequest, "invalid-jid")
}
