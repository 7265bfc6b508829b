//! What the service says to agents: messages that every client can show, with what programs read beside them.

use crate::domain::ids::AgentId;
use crate::proto::{BareJid, MessageType, Stanza, ns};
use crate::xml::Element;

/// A message of the service, which is kept for devices that come online later (XEP-0334 §4.3), and archived.
/// Clients that do not know the payload show the body, and others that instead (XEP-0428).
pub(super) fn message(from: &BareJid, to: &AgentId, body: &str, payload: &Element) -> Stanza {
    let said = Element::new(ns::CLIENT, "body").text(body);
    Stanza::message(MessageType::Chat)
        .from(from.clone())
        .to(to.jid().clone())
        .child(&said)
        .child(payload)
        .child(&fallback(payload.ns()))
        .child(&Element::new(ns::HINTS, "store"))
}

/// The whole body is there for clients that do not know that namespace.
fn fallback(namespace: &str) -> Element {
    Element::new(ns::FALLBACK, "fallback")
        .attr("for", namespace)
        .child(Element::new(ns::FALLBACK, "body"))
}

/// The same within a conversation (RFC 6121 §5.2.5).
pub(super) fn in_thread(message: Stanza, thread: &str) -> Stanza {
    message.child(&Element::new(ns::CLIENT, "thread").text(thread))
}

/// What is nothing any more when it is read later: for programs on devices that are there now (RFC 6121 §5.2.2).
pub(super) fn headline(from: &BareJid, to: &AgentId, payload: &Element) -> Stanza {
    Stanza::message(MessageType::Headline)
        .from(from.clone())
        .to(to.jid().clone())
        .child(payload)
}
