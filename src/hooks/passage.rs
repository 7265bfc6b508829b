//! What a message or presence hook is given, and what it may answer.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::hooks::online::{Account, Session};
use crate::hooks::services::Services;
use crate::proto::{BareJid, Stanza, StanzaError};
use crate::store::StoreError;

/// The order in which hooks of one point run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// May refuse or drop; sees the stanza first.
    Guard,
    /// May change the stanza.
    Rewrite,
    /// Keeps what passes: archives, logs of activity.
    Record,
    /// Makes copies for others.
    Copy,
    /// Decides about delivery itself.
    Deliver,
}

/// Whether a stanza goes on.
#[derive(Debug)]
pub enum Flow {
    /// To the next hook, then to the ordinary delivery.
    Continue,
    /// No further: the hook has seen to it.
    Stop,
    /// Back to its sender with an error.
    Refuse(StanzaError),
}

/// One stanza on its way out of a session or into an account.
#[derive(Debug)]
pub struct Passage<'a> {
    /// The account that the hook acts for: the sender's for outgoing, the recipient's for
    /// incoming stanzas.
    pub account: &'a BareJid,
    /// That account's sessions; none while it is offline.
    pub online: Option<&'a Arc<Account>>,
    /// The session that sends; only for outgoing stanzas.
    pub session: Option<&'a Arc<Session>>,
    /// The account that the stanza comes from, where whoever routes it knows: one of this server, online.
    pub sender: Option<&'a Arc<Account>>,
    /// The stanza, with `from` stamped.
    pub stanza: &'a mut Stanza,
    /// What shall happen beside the delivery.
    pub effects: &'a mut Effects,
    /// Everything else an extension may use.
    pub services: &'a Arc<Services>,
}

/// A write that is under way: resolves when it is durable. Delivery does not wait for it, but the
/// acknowledgement that the sender gets does (XEP-0198 §4); dropping it does not stop the write.
pub type Durable = BoxFuture<'static, Result<(), StoreError>>;

/// A presence for many accounts of this server, of which none is its sender's.
#[derive(Debug)]
pub struct Tidings {
    /// What all of them are told; `to` says nothing.
    pub presence: Arc<Stanza>,
    /// Whom it is told: their available sessions.
    pub to: Vec<Arc<Account>>,
}

/// What hooks want done, as data; carried out in this order before the stanza goes on.
#[derive(Default)]
pub struct Effects {
    /// Stanzas for single sessions, past all rules: roster pushes, copies.
    pub deliver: Vec<(Arc<Session>, Arc<Stanza>)>,
    /// Stanzas for the sending session itself. Its task writes them out without the detour
    /// over the mailbox, so that their number needs no bound there. Outgoing stanzas only:
    /// for an incoming stanza there is no such session, and they are dropped.
    pub reply: Vec<Arc<Stanza>>,
    /// What subscribers of this server are told.
    pub tell: Option<Tidings>,
    /// Stanzas to be routed like any other.
    pub route: Vec<Stanza>,
    /// Work that waits for the database. The sender's task awaits it, so that order is
    /// kept; what it wants done in turn is done before the next. An error refuses the stanza.
    pub then: Vec<BoxFuture<'static, Result<Self, StanzaError>>>,
    /// Writes that were begun for the stanza. Its sender's stream management waits for them.
    pub durable: Vec<Durable>,
    /// The sending session could not take messages and can now: what was kept for the account
    /// ([`super::Hooks::backlog`]) is given to it after everything above.
    pub became_available: bool,
}

impl Effects {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deliver.is_empty()
            && self.reply.is_empty()
            && self.tell.is_none()
            && self.route.is_empty()
            && self.then.is_empty()
            && self.durable.is_empty()
            && !self.became_available
    }

    /// Adds work that waits for the database.
    pub fn then(&mut self, work: impl Future<Output = Result<(), StanzaError>> + Send + 'static) {
        self.then_effects(async move {
            work.await?;
            Ok(Self::default())
        });
    }

    /// Adds work that waits for the database and then wants more done.
    pub fn then_effects(
        &mut self,
        work: impl Future<Output = Result<Self, StanzaError>> + Send + 'static,
    ) {
        self.then.push(Box::pin(work));
    }
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effects")
            .field("deliver", &self.deliver.len())
            .field("reply", &self.reply.len())
            .field("tell", &self.tell)
            .field("route", &self.route.len())
            .field("then", &self.then.len())
            .field("durable", &self.durable.len())
            .field("became_available", &self.became_available)
            .finish()
    }
}

/// A message for a local account that no session could take (RFC 6121 §8.5.2.2.1), or that
/// a session left behind unacknowledged.
#[derive(Clone, Debug)]
pub struct Undelivered {
    /// The account it was for; it exists.
    pub account: BareJid,
    /// The message.
    pub stanza: Arc<Stanza>,
    /// Everything else an extension may use.
    pub services: Arc<Services>,
}
