//! XEP-0280: Message Carbons, version 1.0.1: what one client of an account sends and receives, the others see,
//! too.
//!
//! A copy comes from the account's bare JID, which no client and no other server can write as
//! (RFC 6120 §8.1.2.1): that is how clients know it (§11).

mod rules;

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Config;
use crate::extensions::stanza_id;
use crate::hooks::{At, Flow, Hooks, Iq, IqAnswer, Passage, Session, Stage};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, Kind, MessageType, Stanza, ns};
use crate::xml::Content;
use rules::Way;

/// §6.2: all rules of §6.1 are kept to.
const RULES: &str = "urn:xmpp:carbons:rules:0";

/// Registers switching, and copying both ways.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0280", "Message Carbons", "1.0.1"));
    hooks.feature(&[At::Host, At::Own], ns::CARBONS);
    hooks.feature(&[At::Host, At::Own], RULES);
    hooks.iq_set(&[At::Own], ns::CARBONS, "enable", |iq| async move {
        switch(&iq, true)
    });
    hooks.iq_set(&[At::Own], ns::CARBONS, "disable", |iq| async move {
        switch(&iq, false)
    });
    for name in ["enable", "disable"] {
        hooks.iq_set(&[At::Account, At::Host], ns::CARBONS, name, |_| async {
            Err(Condition::NotAllowed.into())
        });
    }
    hooks.bind_inline(ns::CARBONS, "enable", |session, _| {
        session.slots().set(Enabled);
        None
    });
    hooks.outgoing_message(Stage::Copy, sent);
    hooks.incoming_message(Stage::Copy, received);
}

/// That a session wants copies; in its slots.
#[derive(Clone, Copy, Debug)]
struct Enabled;

/// §4, §5; asking twice is no error (§10.1).
fn switch(iq: &Iq, on: bool) -> IqAnswer {
    let session = iq.session()?;
    if on {
        session.slots().set(Enabled);
    } else {
        session.slots().clear::<Enabled>();
    }
    Ok(None)
}

/// §8: to all others of the sender; what the server sends in its name, to all.
fn sent(passage: &mut Passage<'_>) -> Flow {
    let Some(online) = passage.online else {
        return Flow::Continue;
    };
    let sender = passage.session;
    // What goes to oneself comes in in a moment.
    let to_self = passage.stanza.to.as_ref();
    if to_self.is_none_or(|to| to.bare() == passage.account) {
        return Flow::Continue;
    }
    let sessions = online.sessions();
    let others = enabled(&sessions, |session| {
        sender.is_none_or(|sender| !Arc::ptr_eq(session, sender))
    });
    if others.is_empty() || !rules::is_eligible(passage.stanza, Way::Sent) {
        return Flow::Continue;
    }
    online.slots().find_or(Copied::default).note(passage.stanza);
    let mut original = passage.stanza.clone();
    if let Some(mark) = original.archived.clone()
        && let Some(id) = mark.id.as_ref().filter(|_| mark.by == *passage.account)
    {
        // XEP-0313 §3.4: those who may ask the archive are told the id.
        let element = stanza_id::element(passage.account, id);
        original.payload.push(&element, ns::CLIENT);
    }
    copy(passage, &original, "sent", others);
    Flow::Continue
}

/// §7: to all that the message is not delivered to.
fn received(passage: &mut Passage<'_>) -> Flow {
    let Some(online) = passage.online else {
        return Flow::Continue;
    };
    let sessions = online.sessions();
    let from = passage.stanza.from.clone();
    let takes = rules::takers(passage.stanza, &sessions);
    let Some(takes) = takes else {
        // It is refused or dropped: nobody receives it.
        return Flow::Continue;
    };
    let others = enabled(&sessions, |session| {
        let sends = from
            .as_ref()
            .is_some_and(|from| session.is_addressed_by(from));
        !sends && !takes.contains(&Arc::as_ptr(session))
    });
    if others.is_empty() {
        return Flow::Continue;
    }
    let eligible = match passage.stanza.kind {
        // §6.1: when what it answers was copied.
        Kind::Message(MessageType::Error) => {
            let copied = online.slots().find::<Copied>();
            copied.is_some_and(|copied| copied.knows(passage.stanza))
        }
        _ => rules::is_eligible(passage.stanza, Way::Received),
    };
    if eligible {
        let original = passage.stanza.clone();
        copy(passage, &original, "received", others);
    }
    Flow::Continue
}

fn enabled(sessions: &[Arc<Session>], wanted: impl Fn(&Arc<Session>) -> bool) -> Vec<Arc<Session>> {
    let enabled = sessions
        .iter()
        .filter(|session| wanted(session) && session.slots().find::<Enabled>().is_some());
    enabled.cloned().collect()
}

/// One copy, whose content is shared by all who get it.
///
/// ```xml
/// <message from='romeo@example.org' to='romeo@example.org/home' type='chat'>
///   <sent xmlns='urn:xmpp:carbons:2'>
///     <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' …/></forwarded>
///   </sent>
/// </message>
/// ```
fn copy(passage: &mut Passage<'_>, original: &Stanza, way: &str, others: Vec<Arc<Session>>) {
    let mut out = Vec::with_capacity(original.weight() + WRAPPER_BYTES);
    let opening = format!(
        "<{way} xmlns='{}'><forwarded xmlns='{}'>",
        ns::CARBONS,
        ns::FORWARD
    );
    out.extend_from_slice(opening.as_bytes());
    original.write(&mut out, Some(ns::CLIENT));
    out.extend_from_slice(b"</forwarded></");
    out.extend_from_slice(way.as_bytes());
    out.push(b'>');
    let payload = Content::from_written(out.into(), ns::CARBONS, way);
    let mut copy = Stanza::new(original.kind).from(passage.account.clone());
    copy.payload = payload;
    copy.received_at = original.received_at;
    for session in others {
        let copy = copy.clone().to(session.address());
        passage.effects.deliver.push((session, Arc::new(copy)));
    }
}

/// About what the elements around the original take.
const WRAPPER_BYTES: usize = 128;

/// Whether it is a copy: nothing that is kept for later, for the original is.
pub(crate) fn is_copy(stanza: &Stanza, account: &BareJid) -> bool {
    let wraps = |name| stanza.has(ns::CARBONS, name);
    let from = stanza.from.as_ref();
    from.is_some_and(|from| from.is_bare() && from.bare() == account)
        && (wraps("sent") || wraps("received"))
}

/// What was copied of late, so that errors that come back are copied, too (§6.1); in the account's slots.
#[derive(Debug, Default)]
struct Copied(Mutex<VecDeque<u64>>);

/// Messages that are remembered; an error comes back soon.
const COPIED_MAX: usize = 64;

impl Copied {
    fn note(&self, stanza: &Stanza) {
        let Some(key) = key(stanza.id.as_deref(), stanza.to.as_ref()) else {
            return;
        };
        let mut copied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if copied.len() >= COPIED_MAX {
            copied.pop_front();
        }
        copied.push_back(key);
    }

    fn knows(&self, error: &Stanza) -> bool {
        let key = key(error.id.as_deref(), error.from.as_ref());
        let copied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        key.is_some_and(|key| copied.contains(&key))
    }
}

fn key(id: Option<&str>, peer: Option<&crate::proto::Jid>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    (id?, peer?.bare()).hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests;
