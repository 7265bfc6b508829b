//! Contacts that are always mutual: what a subscription (RFC 6121 §3) or a removal (§2.5) means is first
//! asked of whoever has such a rule, and only what it leaves goes the ordinary way.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::hooks::Services;
use crate::proto::{BareJid, StanzaError};

/// Whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// All of it, on both sides.
    Done,
    /// None of it.
    Left,
}

/// A rule about contacts that are mutual.
pub(crate) trait Mutuality: Send + Sync {
    /// The owner asks for the contact's presence.
    fn subscribing<'a>(
        &'a self,
        services: &'a Arc<Services>,
        owner: &'a BareJid,
        contact: &'a BareJid,
    ) -> BoxFuture<'a, Result<Taken, StanzaError>>;

    /// The owner takes the contact off its roster, or ends a subscription.
    fn unlisted<'a>(
        &'a self,
        services: &'a Arc<Services>,
        owner: &'a BareJid,
        contact: &'a BareJid,
    ) -> BoxFuture<'a, Result<Taken, StanzaError>>;
}

/// The rule among [`crate::hooks::Hooks::offers`].
pub(crate) struct MutualContacts(pub(crate) Arc<dyn Mutuality>);

fn rule(services: &Services) -> Option<Arc<MutualContacts>> {
    services.hooks.offers().find()
}

/// What the rule makes of a request for presence.
pub(in crate::extensions) async fn subscribing(
    services: &Arc<Services>,
    owner: &BareJid,
    contact: &BareJid,
) -> Result<Taken, StanzaError> {
    match rule(services) {
        Some(rule) => rule.0.subscribing(services, owner, contact).await,
        None => Ok(Taken::Left),
    }
}

/// What the rule makes of the end of a contact.
pub(in crate::extensions) async fn unlisted(
    services: &Arc<Services>,
    owner: &BareJid,
    contact: &BareJid,
) -> Result<Taken, StanzaError> {
    match rule(services) {
        Some(rule) => rule.0.unlisted(services, owner, contact).await,
        None => Ok(Taken::Left),
    }
}
