//! What does not pass (XEP-0191 §3.3): stanzas from blocked addresses, and stanzas to them.

use std::sync::Arc;

use super::ERRORS;
use super::known::{self, Offline};
use crate::hooks::{Account, Effects, Flow, Passage};
use crate::proto::{BareJid, ns};
use crate::proto::{Condition, IqType, Jid, Kind, MessageType, PresenceType, Stanza, StanzaError};
use crate::xml::Element;

/// A stanza of the account's own session: `not-acceptable` when its recipient is blocked.
pub(super) fn outgoing(passage: &mut Passage<'_>, offline: &Arc<Offline>) -> Flow {
    let Some(online) = passage.online else {
        return Flow::Continue;
    };
    let to = passage.stanza.to.as_ref();
    let to = to.filter(|to| to.bare() != passage.account);
    let stops = known::look(online, |list| to.is_some_and(|to| list.matches(to)));
    match stops {
        Some(true) => return Flow::Refuse(refused()),
        Some(false) => return Flow::Continue,
        None => {}
    }
    // The first stanza of the account's first session: presence must not go out before the list
    // is there.
    let (services, offline) = (Arc::clone(passage.services), Arc::clone(offline));
    let (own, to) = (passage.account.clone(), passage.stanza.to.clone());
    passage.effects.then(async move {
        let list = known::load(&services, &offline, &own).await?;
        match to {
            Some(to) if *to.bare() != own && list.matches(&to) => Err(refused()),
            Some(_) | None => Ok(()),
        }
    });
    Flow::Continue
}

fn refused() -> StanzaError {
    StanzaError::new(Condition::NotAcceptable)
        .kind(crate::proto::ErrorType::Cancel)
        .application(Element::new(ERRORS, "blocked"))
}

/// A stanza for the account.
pub(super) fn incoming(passage: &mut Passage<'_>, offline: &Arc<Offline>) -> Flow {
    let Some(from) = &passage.stanza.from else {
        return Flow::Continue;
    };
    if from.bare() == passage.account || is_host(passage, from) {
        return Flow::Continue;
    }
    if hidden_by_its_sender(passage, from) {
        return Flow::Stop;
    }
    let stops = match passage.online {
        Some(online) => known::look(online, |list| list.matches(from)),
        None => {
            let list = offline.find(passage.account, passage.services.clock.now());
            list.map(|list| list.matches(from))
        }
    };
    match stops {
        Some(true) => judge(passage.stanza),
        Some(false) => Flow::Continue,
        None => {
            look_up(passage, offline);
            Flow::Stop
        }
    }
}

/// The server itself is never blocked.
fn is_host(passage: &Passage<'_>, from: &Jid) -> bool {
    from.local().is_none() && from.is_bare() && passage.services.serves(from.domain())
}

/// What an account's server sends in its name, presence and events, does not pass the hooks of its own session:
/// where that account blocks the recipient, it ends here.
fn hidden_by_its_sender(passage: &Passage<'_>, from: &Jid) -> bool {
    let by_the_server = match passage.stanza.kind {
        Kind::Presence(kind) => match kind {
            // Subscriptions end also with who is blocked.
            PresenceType::Available | PresenceType::Unavailable | PresenceType::Probe => true,
            PresenceType::Error
            | PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed => false,
        },
        Kind::Message(MessageType::Headline) => true,
        Kind::Message(_) => passage.stanza.has(ns::PUBSUB_EVENT, "event"),
        Kind::Iq(_) => false,
    };
    let blocks = |sender: &Account| {
        let recipient = passage.account;
        let resource = passage.stanza.to.as_ref().and_then(Jid::resource);
        let ends = passage.stanza.kind == Kind::Presence(PresenceType::Unavailable);
        known::blocks(sender, |list| list.matches_parts(recipient, resource))
            && !(ends && known::is_hiding(sender))
    };
    if !by_the_server {
        return false;
    }
    if let Some(sender) = passage.sender {
        return blocks(sender);
    }
    let is_ours = from.local().is_some() && passage.services.serves(from.domain());
    let sender = is_ours.then(|| passage.services.online(from.bare()));
    sender.flatten().is_some_and(|sender| blocks(&sender))
}

/// The list is read, and the stanza comes again: then the list is in memory. What other hooks do with it,
/// they do after that.
fn look_up(passage: &mut Passage<'_>, offline: &Arc<Offline>) {
    let (services, offline) = (Arc::clone(passage.services), Arc::clone(offline));
    let owner: BareJid = passage.account.clone();
    let stanza = Stanza::clone(passage.stanza);
    passage.effects.then_effects(async move {
        known::load(&services, &offline, &owner).await?;
        Ok(Effects {
            route: vec![stanza],
            ..Effects::default()
        })
    });
}

/// What becomes of a stanza from a blocked address.
fn judge(stanza: &Stanza) -> Flow {
    match stanza.kind {
        Kind::Presence(_) => Flow::Stop,
        Kind::Message(kind) => match kind {
            // An error from an occupant's address is taken for the end of the occupant.
            _ if stanza.has(ns::MUC_USER, "x") => Flow::Stop,
            MessageType::Groupchat | MessageType::Headline | MessageType::Error => Flow::Stop,
            MessageType::Chat | MessageType::Normal => {
                Flow::Refuse(Condition::ServiceUnavailable.into())
            }
        },
        Kind::Iq(IqType::Get | IqType::Set) => Flow::Refuse(Condition::ServiceUnavailable.into()),
        Kind::Iq(IqType::Result | IqType::Error) => Flow::Stop,
    }
}
