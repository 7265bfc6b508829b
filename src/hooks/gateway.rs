//! Ways out of this server: to external components (XEP-0114) and to other servers (RFC 6120 §2.5.3).
//!
//! The router asks them in their order for a domain that is neither a host nor a service of this server.

use crate::hooks::mailbox::Mail;
use crate::hooks::passage::Durable;
use crate::proto::StanzaError;

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
}
