//! XEP-0353: Jingle Message Initiation, version 0.8.0, and XEP-0482: Call Invites, version 0.1.0: calls that ring on
//! every device.
//!
//! The invitation and what follows are messages of clients. The server's part is the ordinary rules: a
//! message to the account goes to every resource whose priority is not negative (RFC 6121 §8.5.2.1), the others
//! have their carbons, also of who took or refused the call elsewhere; one to a resource that is gone goes to the
//! account; who is offline gets what happened in its order, with the time, so that a call that was retracted is seen as
//! missed and does not ring. Here stands what is special about them: a call that begins wakes a
//! device (`push`), what comes later does not.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::Hooks;
use crate::proto::Stanza;
use crate::proto::document::Document;

/// XEP-0353 §3.1.
const JINGLE_MESSAGE: &str = "urn:xmpp:jingle-message:0";
/// XEP-0482 §2.
const CALL_INVITES: &str = "urn:xmpp:call-invites:0";

/// Declares the documents.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new(
        "XEP-0353",
        "Jingle Message Initiation",
        "0.8.0",
    ));
    hooks.document(Document::new("XEP-0482", "Call Invites", "0.1.0"));
}

/// Whether a call begins with the message, and somebody is to be rung.
pub(super) fn rings(stanza: &Stanza) -> bool {
    stanza.has(JINGLE_MESSAGE, "propose") || stanza.has(CALL_INVITES, "invite")
}
