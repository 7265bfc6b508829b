//! XEP-0249: Direct MUC Invitations, version 1.2: passed on from one user to another like any message, if they
//! name a room.

use crate::hooks::{Flow, Hooks, Passage, Stage};
use crate::proto::document::Document;
use crate::proto::{Jid, StanzaError, ns};

/// Registers the check.
pub(super) fn register(hooks: &mut Hooks) {
    hooks.document(Document::new("XEP-0249", "Direct MUC Invitations", "1.2"));
    hooks.outgoing_message(Stage::Guard, check);
}

/// §2: the attribute `jid` is required, and the address of a room.
fn check(passage: &mut Passage<'_>) -> Flow {
    let Some(x) = passage.stanza.find(ns::CONFERENCE, "x") else {
        return Flow::Continue;
    };
    let Ok(x) = x.to_element(ns::CLIENT) else {
        return Flow::Continue;
    };
    let room = x.attribute("jid").and_then(|jid| Jid::parse(jid).ok());
    if room.is_some_and(|room| room.is_bare() && room.local().is_some()) {
        Flow::Continue
    } else {
        Flow::Refuse(StanzaError::bad_request("an invitation names a room"))
    }
}
