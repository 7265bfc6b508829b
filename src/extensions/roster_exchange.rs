//! XEP-0144: Roster Item Exchange, version 1.1.1: contacts suggested to somebody.
//!
//! Between people it is a matter of their clients, which ask before they change anything: messages, and requests to a resource,
//! pass as they are. A request to the account itself (§6) would have the server change the roster without
//! asking. It is for trusted components, of which none is connected by this version: everybody else is refused.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Hooks};
use crate::proto::document::Document;
use crate::proto::{Condition, StanzaError};

/// XEP-0144 §3.
const ROSTER_EXCHANGE: &str = "http://jabber.org/protocol/rosterx";

/// Registers the refusal.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(
        Document::new("XEP-0144", "Roster Item Exchange", "1.1.1")
            .note("passed on to clients; the server changes no roster on another's suggestion"),
    );
    hooks.iq_set(&[At::Account], ROSTER_EXCHANGE, "x", |_| async {
        Err(StanzaError::new(Condition::NotAuthorized)
            .text("suggest it to a resource, which can ask"))
    });
}
