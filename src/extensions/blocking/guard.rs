//! What does not pass (XEP-0191 §3.3): stanzas from blocked addresses, and stanzas to them.

use std::sync::Arc;

use super::known::{self, Offline};
use super::{ERRORS, list::Blocklist};
use crate::hooks::{Effects, Flow, Passage};
use crate::proto::{BareJid, ns};
use crate::proto::{Condition, IqType, Jid, Kind, MessageType, PresenceType, Stanza, StanzaError};
use crate::xml::Element;

/// A stanza of the account's own session: `not-acceptable` when its recipient is blocked.
pub(super) fn outgoing(passage: &mut Passage<'_>, offline: &Arc<Offline>) -> Flow {
    let Some(online) = passage.online else {
        return Flow::Continue;
    };
    if let Some(list) = known::held(online) {
        return match &passage.stanza.to {
            Some(to) if to.bare() != passage.account && list.matches(to) => Flow::Refuse(refused()),
            Some(_) | None => Flow::Continue,
        };
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
    let known = match passage.online {
        Some(online) => known::held(online),
        None => offline.find(passage.account, passage.services.clock.now()),
    };
    match known {
        Some(list) => judge(&list, from, passage.stanza),
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
    by_the_server
        && from.local().is_some()
        && passage.services.serves(from.domain())
        && passage.services.online(from.bare()).is_some_and(|sender| {
            let recipient = passage.account;
            let resource = passage.stanza.to.as_ref().and_then(Jid::resource);
            let ends = passage.stanza.kind == Kind::Presence(PresenceType::Unavailable);
            known::blocks(&sender, |list| list.matches_parts(recipient, resource))
                && !(ends && known::is_hiding(&sender))
        })
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

fn judge(list: &Blocklist, from: &Jid, stanza: &Stanza) -> Flow {
    if !list.matches(from) {
        return Flow::Continue;
    }
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
