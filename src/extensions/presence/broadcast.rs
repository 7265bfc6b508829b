//! To whom a session's presence goes, and whose it is shown (RFC 6121 §4.2 to §4.5).
//!
//! Presence for a local account goes nowhere unless the account is online, so nothing is made for
//! it; those that are online are told by one stanza, past the hooks of each of them.

use std::sync::Arc;

use super::directed;
use super::withheld::is_withheld;
use crate::extensions::blocking;
use crate::extensions::roster::{self, Snapshot};
use crate::hooks::{Account, Effects, Services, Session, Tidings};
use crate::proto::{BareJid, Jid, PresenceType, Stanza};
use crate::store::RosterItem;

/// The presence with that address; the payload is shared.
pub(super) fn addressed(presence: &Stanza, to: impl Into<Jid>) -> Stanza {
    presence.clone().to(to)
}

/// Whether presence for that address goes anywhere: to who is online here, or out of this server. Where
/// no way leads out, each subscriber would bring an error back.
pub(super) fn reaches(services: &Services, contact: &BareJid) -> bool {
    let domain = contact.domain().as_str();
    if services.serves(domain) {
        services.online(contact).is_some()
    } else {
        services.gateway(domain).is_some()
    }
}

/// To the subscribers and to the account's own available sessions, the sender among them
/// (§4.2.2, §4.4.2, §4.5.2).
pub(super) fn broadcast(
    services: &Services,
    session: &Arc<Session>,
    presence: &Stanza,
    roster: &Snapshot,
    effects: &mut Effects,
) {
    let shown = !is_withheld(session.account());
    let subscribers = roster
        .items()
        .iter()
        .filter(|item| shown && item.subscription.has_from())
        .filter(|item| !blocking::blocks(session.account(), &item.contact));
    let mut to = Vec::with_capacity(roster.items().len());
    if let Some(router) = services.router.upgrade() {
        for item in subscribers {
            let domain = item.contact.domain().as_str();
            if services.serves(domain) {
                to.extend(router.online(&item.contact));
            } else if services.gateway(domain).is_some() {
                let there = addressed(presence, item.contact.clone());
                effects.route.push(there);
            }
        }
    }
    if !to.is_empty() {
        let presence = Arc::new(presence.clone());
        effects.tell = Some(Tidings { presence, to });
    }

    let own = session.account();
    let copy = Arc::new(addressed(presence, own.jid().clone()));
    for other in others(session) {
        effects.deliver.push((other, Arc::clone(&copy)));
    }
    effects.reply.push(copy);
}

/// Tells of a session's presence again, after the server has changed what is in it. Those who were told directly
/// are not: what they were told may have been something else (XEP-0398 §6.1 leaves it to the client). `false` where the
/// presence has become another one meanwhile: nobody was told anything then.
pub(crate) async fn renew(
    services: &Services,
    session: &Arc<Session>,
    change: impl FnOnce(&mut Stanza),
) -> bool {
    let (Some(known), Some(roster)) = (session.presence(), roster::loaded(session.account()))
    else {
        return true;
    };
    let mut changed = Arc::clone(&known);
    change(Arc::make_mut(&mut changed));
    if changed.payload == known.payload {
        // It says so already.
        return true;
    }
    if !session.revise(&known, Arc::clone(&changed)) {
        return false;
    }
    let mut effects = Effects::default();
    broadcast(services, session, &changed, &roster, &mut effects);
    let own = effects
        .reply
        .into_iter()
        .map(|own| (Arc::clone(session), own));
    for (session, stanza) in effects.deliver.into_iter().chain(own) {
        // One that takes no more is ended by that.
        let _ended = session.deliver(stanza);
    }
    if let Some(tidings) = effects.tell {
        services.tell(tidings).await;
    }
    if !effects.route.is_empty() {
        Box::pin(route_all(services, effects.route)).await;
    }
    true
}

async fn route_all(services: &Services, stanzas: Vec<Stanza>) {
    for stanza in stanzas {
        services.route(stanza).await;
    }
}

/// The other available sessions of the account.
fn others(session: &Arc<Session>) -> Vec<Arc<Session>> {
    let sessions = session.account().sessions();
    let others = sessions.iter().filter(|other| !Arc::ptr_eq(other, session));
    others
        .filter(|other| other.is_available())
        .cloned()
        .collect()
}

/// What a session is shown when it becomes available: the presence of the account's other
/// sessions and of the contacts (§4.2.2, §4.3). A local contact is looked at, not probed; only one
/// whose roster does not know of the subscription is, so that its answer sets ours right.
pub(super) fn collect(
    services: &Services,
    session: &Arc<Session>,
    roster: &Snapshot,
    effects: &mut Effects,
) {
    let to = session.address();
    for other in others(session) {
        effects.reply.extend(shown(&other, &to).map(Arc::new));
    }
    let seen = roster
        .items()
        .iter()
        .filter(|item| item.subscription.has_to())
        .filter(|item| !blocking::blocks(session.account(), &item.contact));
    for item in seen {
        if services.serves(item.contact.domain().as_str()) {
            contact(services, session, item, effects);
        } else {
            effects.route.push(probe(&to, item));
        }
    }
}

fn contact(services: &Services, session: &Arc<Session>, item: &RosterItem, effects: &mut Effects) {
    let Some(account) = services.online(&item.contact) else {
        return;
    };
    // Not loaded: none of its sessions has been available.
    let Some(roster) = roster::loaded(&account) else {
        return;
    };
    let to = session.address();
    if is_withheld(&account) || blocking::blocks(&account, session.account().jid()) {
        return;
    }
    if roster.shows_presence_to(session.account().jid()) {
        let sessions = account.sessions();
        effects.reply.extend(
            sessions
                .iter()
                .filter_map(|other| shown(other, &to).map(Arc::new)),
        );
    } else {
        effects.route.push(probe(&to, item));
    }
}

fn probe(from: &Jid, item: &RosterItem) -> Stanza {
    Stanza::presence(PresenceType::Probe)
        .from(from.clone())
        .to(item.contact.clone())
}

/// The session's presence for that address; none while it is unavailable.
pub(super) fn shown(session: &Session, to: &Jid) -> Option<Stanza> {
    let presence = session.presence()?;
    Some(addressed(&presence, to.clone()))
}

/// The presence of each of the owner's sessions, for a contact that sees it from now on
/// (§3.1.5).
pub(in crate::extensions) fn current(
    services: &Services,
    owner: &BareJid,
    contact: &BareJid,
) -> Vec<Stanza> {
    let to = Jid::from(contact.clone());
    let Some(account) = services
        .online(owner)
        .filter(|account| !is_withheld(account) && reaches(services, contact))
    else {
        return Vec::new();
    };
    account
        .sessions()
        .iter()
        .filter_map(|session| shown(session, &to))
        .collect()
}

/// The end of the presence of each of the owner's sessions, for a contact that sees it no longer
/// (§3.2.2).
pub(in crate::extensions) fn farewell(
    services: &Services,
    owner: &BareJid,
    contact: &BareJid,
) -> Vec<Stanza> {
    let end = |session: &Arc<Session>| {
        Stanza::presence(PresenceType::Unavailable)
            .from(session.address())
            .to(contact.clone())
    };
    let Some(account) = services
        .online(owner)
        .filter(|account| !is_withheld(account) && reaches(services, contact))
    else {
        return Vec::new();
    };
    let sessions = account.sessions();
    let available = sessions.iter().filter(|session| session.is_available());
    available.map(end).collect()
}

/// The end of the presence of the account's sessions, for those contacts and those who were told directly
/// for whom the answer is true: they are not to see it any more.
pub(in crate::extensions) fn hide(
    services: &Services,
    account: &Account,
    from: impl Fn(&Jid) -> bool,
) -> Vec<Stanza> {
    let mut ends = Vec::new();
    for session in account.sessions().iter() {
        let told = directed::take_some(session, &from).into_iter();
        let end = Stanza::presence(PresenceType::Unavailable).from(session.address());
        ends.extend(told.map(|to| addressed(&end, to)));
    }
    if let Some(roster) = roster::loaded(account) {
        let contacts = roster.items().iter();
        let contacts = contacts.filter(|item| item.subscription.has_from());
        let hidden = contacts.filter(|item| from(&item.contact.clone().into()));
        ends.extend(hidden.flat_map(|item| farewell(services, account.jid(), &item.contact)));
    }
    ends
}
