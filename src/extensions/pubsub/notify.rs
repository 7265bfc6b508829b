//! Notifications: what they say, and who gets them (XEP-0060 §7.1.2, XEP-0163 §4).
//!
//! They are routed like any stanza, so that whatever the recipient has set up against stanzas holds for
//! them too. An account tells its own sessions and those of the contacts that see its
//! presence, if their clients want to be told of the node; and those who subscribed, as long as they may read it.

use std::collections::HashMap;
use std::sync::Arc;

use super::access::{self, Affiliation, Viewer};
use super::interest;
use super::items::{self, Payload};
use super::options;
use super::people;
use super::place::{Face, Node, Place};
use super::remote::Remotes;
use crate::extensions::roster;
use crate::hooks::Session;
use crate::proto::common::delay::Delay;
use crate::proto::{BareJid, Jid, Stanza, StanzaError, ns};
use crate::store::{PubsubItem, PubsubSubscription, RosterItem, SubscriptionState};
use crate::xml::Element;

/// The element `<event/>`.
#[derive(Clone, Debug)]
pub(crate) struct Event(Element);

impl Event {
    fn of(child: Element) -> Self {
        Self(Element::new(ns::PUBSUB_EVENT, "event").child(child))
    }

    pub(crate) fn items(node: &str, items: Vec<Element>) -> Self {
        Self::of(named("items", node).children_from(items))
    }

    /// The element.
    pub(crate) const fn element(&self) -> &Element {
        &self.0
    }

    /// §7.2.2.1.
    pub(crate) fn retract(node: &str, id: &str) -> Self {
        let retract = Element::new(ns::PUBSUB_EVENT, "retract").attr("id", id);
        Self::of(named("items", node).child(retract))
    }

    /// §8.5.2.
    pub(super) fn purge(node: &str) -> Self {
        Self::of(named("purge", node))
    }

    /// §8.4.2.
    pub(super) fn delete(node: &str, redirect: Option<&str>) -> Self {
        let redirect =
            redirect.map(|uri| Element::new(ns::PUBSUB_EVENT, "redirect").attr("uri", uri));
        Self::of(named("delete", node).child_opt(redirect))
    }

    /// §12.18: what became of a subscription.
    pub(crate) fn subscription(node: &str, jid: &Jid, state: &str) -> Self {
        let changed = named("subscription", node)
            .attr("jid", jid.to_string())
            .attr("subscription", state);
        Self::of(changed)
    }

    /// §8.2.5.3.
    pub(super) fn configuration(node: &str, form: Option<Element>) -> Self {
        Self::of(named("configuration", node).child_opt(form))
    }
}

fn named(name: &str, node: &str) -> Element {
    Element::new(ns::PUBSUB_EVENT, name).attr("node", node)
}

/// Tells everybody whom it concerns.
pub(super) async fn tell(place: &Place, node: &Node, event: &Event) -> Result<(), StanzaError> {
    let recipients = recipients(place, node).await?;
    send(place, node, event, recipients).await;
    Ok(())
}

/// Sends an event to each of them.
pub(super) async fn send(place: &Place, node: &Node, event: &Event, recipients: Vec<Jid>) {
    if recipients.is_empty() {
        return;
    }
    let mut message = Stanza::message(node.config.delivery.message_type())
        .from(place.address.clone())
        .child(&event.0);
    message.id = Some(crate::id::random().into());
    for to in recipients {
        place.services.route(message.clone().to(to)).await;
    }
}

/// The last item, for somebody who has just come (§6.1.7), with the time of its publication.
pub(super) async fn last(
    place: &Place,
    node: &Node,
    item: &PubsubItem,
    to: &Jid,
) -> Result<(), StanzaError> {
    let with = Payload::of(&node.config);
    let message = last_message(&place.address, &node.name, item, with)?;
    place.services.route(message.to(to.clone())).await;
    Ok(())
}

/// The message with the last item of a node. Always a headline: it is no news.
pub(super) fn last_message(
    from: &BareJid,
    node: &str,
    item: &PubsubItem,
    payload: Payload,
) -> Result<Stanza, StanzaError> {
    let shown = items::element(item, ns::PUBSUB_EVENT, payload)?;
    let delay = Delay {
        from: None,
        stamp: item.published_at,
    };
    let mut message = Stanza::message(crate::proto::MessageType::Headline)
        .from(from.clone())
        .child(&Event::items(node, vec![shown]).0)
        .child(&delay.to_element());
    message.id = Some(crate::id::random().into());
    Ok(message)
}

/// Who is to be told of what happens to a node; each address once.
pub(super) async fn recipients(place: &Place, node: &Node) -> Result<Vec<Jid>, StanzaError> {
    if !node.config.deliver_notifications {
        return Ok(Vec::new());
    }
    let affiliations: HashMap<BareJid, Affiliation> =
        people::all(place, node).await?.into_iter().collect();
    let mut crowd = Crowd {
        place,
        node,
        affiliations,
        roster: Roster::None,
        told: Vec::new(),
    };
    if place.face == Face::Account {
        crowd.load_roster().await?;
        crowd.add_sessions(&place.address);
        crowd.add_contacts();
    }
    crowd.add_subscribers().await?;
    Ok(crowd.told)
}

/// The owner's contacts, in memory or read for once.
enum Roster {
    None,
    Loaded(Arc<roster::Snapshot>),
    Read(Vec<RosterItem>),
}

impl Roster {
    fn items(&self) -> Vec<&RosterItem> {
        match self {
            Self::None => Vec::new(),
            Self::Loaded(snapshot) => snapshot.items().iter().map(AsRef::as_ref).collect(),
            Self::Read(items) => items.iter().collect(),
        }
    }

    fn find(&self, contact: &BareJid) -> Option<&RosterItem> {
        match self {
            Self::None => None,
            Self::Loaded(snapshot) => snapshot.find(contact).map(AsRef::as_ref),
            Self::Read(items) => items.iter().find(|item| item.contact == *contact),
        }
    }
}

struct Crowd<'a> {
    place: &'a Place,
    node: &'a Node,
    affiliations: HashMap<BareJid, Affiliation>,
    roster: Roster,
    told: Vec<Jid>,
}

impl Crowd<'_> {
    async fn load_roster(&mut self) -> Result<(), StanzaError> {
        let services = &self.place.services;
        let online = services.online(&self.place.address);
        self.roster = match online.as_deref().and_then(roster::loaded) {
            Some(snapshot) => Roster::Loaded(snapshot),
            None => Roster::Read(
                services
                    .store
                    .rosters()
                    .load(&self.place.address)
                    .await?
                    .items,
            ),
        };
        Ok(())
    }

    fn may_read(&self, who: &BareJid, subscribed: bool) -> bool {
        let item = self.roster.find(who);
        let viewer = Viewer {
            affiliation: self
                .affiliations
                .get(who)
                .copied()
                .unwrap_or(Affiliation::None),
            presence: item.is_some_and(|item| item.subscription.has_from()),
            groups: item.map(|item| item.groups.clone()).unwrap_or_default(),
            subscribed,
        };
        access::read(&self.node.config, &viewer).is_ok()
    }

    /// XEP-0163 §4.3.2: each available resource here whose client wants to be told.
    fn add_sessions(&mut self, account: &BareJid) {
        let online = self.place.services.online(account);
        let sessions = online.map(|account| account.sessions()).unwrap_or_default();
        let wants = |session: &&Arc<Session>| {
            session.is_available() && interest::wants(session, &self.node.name)
        };
        let told: Vec<Jid> = sessions
            .iter()
            .filter(wants)
            .map(|session| session.address())
            .collect();
        self.told.extend(told);
    }

    fn add_contacts(&mut self) {
        let services = &self.place.services;
        let remotes = services.hooks.offers().find::<Remotes>();
        let there = |contact: &BareJid| {
            services.online(contact).is_some()
                || remotes.as_ref().is_some_and(|it| it.knows(contact))
        };
        let contacts: Vec<BareJid> = self
            .roster
            .items()
            .into_iter()
            .filter(|item| item.subscription.has_from() && there(&item.contact))
            .filter(|item| self.may_read(&item.contact, false))
            .map(|item| item.contact.clone())
            .collect();
        for contact in contacts {
            self.add_sessions(&contact);
            if let Some(remotes) = &remotes {
                let name = &self.node.name;
                self.told
                    .extend(remotes.wanting(&contact, &self.place.address, name));
            }
        }
    }

    /// Those who asked to be told, unless they are told already or may read no longer.
    async fn add_subscribers(&mut self) -> Result<(), StanzaError> {
        let max = self.place.limits().subscriptions_per_node_max;
        let store = self.place.store();
        let found = store
            .subscriptions(&self.place.address, &self.node.name, max)
            .await?;
        let active = |one: &PubsubSubscription| one.state == SubscriptionState::Subscribed;
        for one in found.iter().filter(|one| active(one)) {
            let covered = |told: &Jid, address: &Jid| {
                told.bare() == address.bare()
                    && (address.is_bare() || told.resource() == address.resource())
            };
            if !self.may_read(one.jid.bare(), true) {
                continue;
            }
            for address in options::addresses(self.place, one) {
                if !self.told.iter().any(|told| covered(told, &address)) {
                    self.told.push(address);
                }
            }
        }
        Ok(())
    }
}
