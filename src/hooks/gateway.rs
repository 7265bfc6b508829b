//! Ways out of this server: to external components (XEP-0114) and to other servers (RFC 6120 §2.5.3).
//!
//! The router asks them in their order for a domain that is neither a host nor a service of this server.

use crate::hooks::disco::Info;
use crate::hooks::iq::At;
use crate::hooks::mailbox::Mail;
use crate::hooks::passage::Durable;
use crate::proto::{BareJid, Stanza, StanzaError};

/// A way out of this server.
pub trait Gateway: Send + Sync {
    /// Whether stanzas for that domain go this way. Said before there is a connection: a component that
    /// is away still has its domain.
    fn leads_to(&self, domain: &str) -> bool;

    /// Takes a stanza for such a domain into a bounded queue and never waits. What is taken and cannot be
    /// delivered later comes back to its sender as an error, through the router.
    ///
    /// A message gives a [`Durable`] that resolves when it is handed over, so that it does not count as
    /// handled before (XEP-0198 §4); whoever cannot tell gives none.
    ///
    /// # Errors
    /// What the sender is told: the queue is full, or the domain is certainly not to be reached.
    fn send(&self, stanza: Mail) -> Result<Option<Durable>, StanzaError>;

    /// Whether somebody who serves that domain is connected at this moment.
    fn is_there(&self, domain: &str) -> bool {
        self.leads_to(domain)
    }

    /// Takes a request to a host or to the bare address of an account that somebody out there answers in
    /// the server's place (XEP-0355); `asked` is that address, also where `to` was left out. `None` when
    /// nobody does. What is taken is answered later, through the router.
    fn delegate(&self, request: &Stanza, asked: &BareJid) -> Option<Result<(), StanzaError>> {
        let _ = (request, asked);
        None
    }

    /// Lays what those who are delegated to can do over what the server would tell of an address
    /// (XEP-0355 §7.2).
    fn nest(&self, at: At, address: &BareJid, info: &mut Info) {
        let _ = (at, address, info);
    }
}
