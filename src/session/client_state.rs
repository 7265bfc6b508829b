//! XEP-0352: Client State Indication, version 1.0.0: what a client that nobody looks at gets later.
//!
//! Each write wakes a telephone's radio for some seconds. While the client is inactive, what
//! changes nothing for its user waits ([`Worth::Later`]), of the presence of one sender only
//! the last ([`Worth::Presence`]), and of what somebody was doing ([`Worth::ChatState`]) the last, too, until
//! the words come; something that matters takes all of it along, in order.

use std::collections::VecDeque;

use crate::hooks::Mail;
use crate::proto::{Kind, MessageType, PresenceType, Stanza, ns};
use crate::xml::Child;

/// How many stanzas wait for an inactive client at most.
const STANZAS_MAX: usize = 256;

/// How many bytes wait for it at most.
const BYTES_MAX: usize = 128 * 1024;

/// Occupant ids (XEP-0421).
const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";

/// How much a stanza matters to somebody who does not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    /// It is to be seen at once.
    Now,
    /// It may wait.
    Later,
    /// It may wait, and makes the presence before it from the same sender needless.
    Presence,
    /// It may wait, and makes the chat state before it from the same sender needless.
    ChatState,
}

/// What waits for an inactive client.
#[derive(Debug, Default)]
pub(super) struct Held {
    mail: VecDeque<Mail>,
    bytes: usize,
}

impl Held {
    /// Takes what came, and gives what is to be written now.
    pub(super) fn sift(&mut self, mail: VecDeque<Mail>) -> VecDeque<Mail> {
        let mut now = VecDeque::new();
        for mail in mail {
            let worth = worth(&mail);
            match worth {
                Worth::Presence => self.forget(Worth::Presence, &mail),
                Worth::ChatState => self.forget(Worth::ChatState, &mail),
                // Who has said what was being written is not writing it any more.
                Worth::Now if matches!(mail.kind, Kind::Message(_)) => {
                    self.forget(Worth::ChatState, &mail);
                }
                Worth::Now | Worth::Later => {}
            }
            self.bytes = self.bytes.saturating_add(mail.weight());
            self.mail.push_back(mail);
            if worth == Worth::Now || self.mail.len() > STANZAS_MAX || self.bytes > BYTES_MAX {
                now.append(&mut self.release());
            }
        }
        now
    }

    /// Gives all that waits.
    pub(super) fn release(&mut self) -> VecDeque<Mail> {
        self.bytes = 0;
        std::mem::take(&mut self.mail)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.mail.is_empty()
    }

    /// Forgets what that sender has sent before of that worth.
    fn forget(&mut self, needless: Worth, later: &Stanza) {
        let earlier = |held: &Mail| held.from == later.from && worth(held) == needless;
        if let Some(place) = self.mail.iter().position(earlier)
            && let Some(forgotten) = self.mail.remove(place)
        {
            self.bytes = self.bytes.saturating_sub(forgotten.weight());
        }
    }
}

fn worth(stanza: &Stanza) -> Worth {
    match stanza.kind {
        Kind::Iq(_) | Kind::Message(MessageType::Error) => Worth::Now,
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => presence(stanza),
        Kind::Presence(_) => Worth::Now,
        Kind::Message(
            MessageType::Chat
            | MessageType::Groupchat
            | MessageType::Headline
            | MessageType::Normal,
        ) => message(stanza),
    }
}

/// A room tells the client by status codes what became of itself (XEP-0045 §7.2.2): that it has
/// joined, was thrown out, or is called otherwise.
fn presence(stanza: &Stanza) -> Worth {
    let room = stanza.find(ns::MUC_USER, "x");
    let status = room.and_then(|room| room.to_element(ns::CLIENT).ok());
    match status {
        Some(room) if room.find(ns::MUC_USER, "status").is_some() => Worth::Now,
        Some(_) | None => Worth::Presence,
    }
}

/// A message waits when it holds nothing but what is known to be able to: whatever is new in the
/// world is shown at once.
fn message(stanza: &Stanza) -> Worth {
    let state = |child: Child<'_>| child.ns() == Some(ns::CHAT_STATES);
    let beside = |child: Child<'_>| {
        state(child) || child.ns() == Some(ns::HINTS) || child.is(None, "thread")
    };
    if !stanza.payload.iter().all(may_wait) {
        Worth::Now
    } else if stanza.payload.iter().any(state) && stanza.payload.iter().all(beside) {
        Worth::ChatState
    } else {
        Worth::Later
    }
}

fn may_wait(child: Child<'_>) -> bool {
    match child.ns() {
        Some(
            ns::CHAT_STATES
            | ns::HINTS
            | ns::PUBSUB_EVENT
            | ns::DELAY
            | ns::STANZA_ID
            | OCCUPANT_ID,
        ) => true,
        Some(ns::RECEIPTS) => child.name() == "received",
        Some(ns::CHAT_MARKERS) => child.name() != "markable",
        Some(ns::CARBONS) => copy_may_wait(child),
        None => child.name() == "thread",
        Some(_) => false,
    }
}

/// A carbon is worth what it is a copy of.
fn copy_may_wait(child: Child<'_>) -> bool {
    let carbon = child.to_element(ns::CLIENT).ok();
    let forwarded = carbon
        .as_ref()
        .and_then(|it| it.find(ns::FORWARD, "forwarded"));
    let Some(copied) = forwarded.and_then(|it| it.find(ns::CLIENT, "message")) else {
        return false;
    };
    let mut stanza = Stanza::message(MessageType::from_name(copied.attribute("type")));
    for child in copied.children() {
        stanza = stanza.child(child);
    }
    matches!(worth(&stanza), Worth::Later | Worth::ChatState)
}

#[cfg(test)]
mod tests;
