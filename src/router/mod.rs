//! Where a stanza goes: hooks in stage order, then the rules of RFC 6120 §10 and
//! RFC 6121 §8.
//!
//! The sender's task runs the whole path up to the recipient's mailbox, so that order
//! (RFC 6120 §10.1) holds by construction. The router names no extension and never waits
//! for another session: it awaits only the store, through hooks.

pub mod delivery;
mod iq;
pub mod registry;
mod routing;
mod sending;
mod telling;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use smallvec::SmallVec;
use tracing::debug;

use crate::hooks::{
    Account, Durable, Effects, Flow, Mail, Parcel, Passage, Routing, Service, Services, Session,
    Undelivered, refusal,
};
use crate::observe::metrics::counted;
use crate::proto::{BareJid, Condition, Jid, Kind, MessageType, Stanza, StanzaError};
use delivery::{Decision, Recipient};
use registry::Registry;

/// What a session is to be sent for a stanza that it sent.
#[derive(Default)]
pub struct Replies {
    /// Whose they are; nobody's where no session sent the stanza.
    session: Option<Arc<Session>>,
    /// In order.
    pub stanzas: Vec<Mail>,
    /// Writes that were begun for the stanza: until they are durable it does not count as handled
    /// (XEP-0198 §4).
    pub durable: Vec<Durable>,
    /// The session can take messages now and could not before: it is to be given what was
    /// kept for the account.
    pub became_available: bool,
    /// Whether the server itself has failed to take it where it belongs, which whoever sent it for the server
    /// has no other way to learn.
    failed: bool,
}

impl Replies {
    /// Nothing yet, for that sender.
    fn to(session: Option<&Arc<Session>>) -> Self {
        Self {
            session: session.cloned(),
            ..Self::default()
        }
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("stanzas", &self.stanzas)
            .field("durable", &self.durable.len())
            .finish_non_exhaustive()
    }
}

/// The router of this node.
#[derive(Debug)]
pub struct Router {
    registry: Registry,
    services: Arc<Services>,
}

impl Router {
    /// Makes the router together with the services, for each needs the other.
    pub fn new(services: impl FnOnce(Weak<dyn Routing>) -> Services) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| {
            let weak: Weak<dyn Routing> = Weak::<Self>::clone(this);
            Self {
                registry: Registry::new(),
                services: Arc::new(services(weak)),
            }
        })
    }

    /// Who is online.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What extensions may use.
    #[must_use]
    pub const fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Carries out what hooks decided. Answers whether the stanza goes on.
    ///
    /// It is part of the future of each stanza on its way, which has to be small, and so holds nothing twice.
    fn carry_on<'a>(
        &'a self,
        flow: Flow,
        effects: Effects,
        stanza: &'a Stanza,
        replies: &'a mut Replies,
    ) -> impl Future<Output = bool> + Send + use<'a> {
        let (goes_on, refused) = match flow {
            Flow::Continue => (true, None),
            Flow::Stop => (false, None),
            Flow::Refuse(error) => (false, Some(Box::new(error))),
        };
        async move {
            let outcome = match effects.is_empty() {
                true => Ok(()),
                false => self.carry_out(effects, replies).await,
            };
            if let Some(error) = refused.or_else(|| outcome.err().map(Box::new)) {
                self.refuse(stanza, &error, replies);
                return false;
            }
            goes_on
        }
    }

    /// Boxed, for a routed stanza has effects of its own, and so has work that was awaited.
    fn carry_out<'a>(
        &'a self,
        effects: Effects,
        replies: &'a mut Replies,
    ) -> BoxFuture<'a, Result<(), StanzaError>> {
        Box::pin(async move {
            replies.stanzas.extend(effects.reply);
            replies.durable.extend(effects.durable);
            replies.became_available |= effects.became_available;
            for (session, stanza) in effects.deliver {
                self.hand_over(&session, stanza, replies).await;
            }
            if let Some(tidings) = effects.tell {
                let held = self.tell(tidings);
                if !held.is_empty() {
                    Box::pin(self.tell_held(held, replies)).await;
                }
            }
            // On the heap of its own: few effects route anything.
            if !effects.route.is_empty() {
                Box::pin(self.dispatch_all(effects.route, replies)).await;
            }
            for work in effects.then {
                let more = work.await?;
                if !more.is_empty() {
                    self.carry_out(more, replies).await?;
                }
            }
            Ok(())
        })
    }

    async fn dispatch_all(&self, stanzas: Vec<Stanza>, replies: &mut Replies) {
        for stanza in stanzas {
            self.dispatch(Arc::new(stanza), replies).await;
        }
    }

    /// Routes a stanza by its address.
    async fn dispatch(&self, stanza: Mail, replies: &mut Replies) {
        let Some(to) = &stanza.to else {
            return;
        };
        if matches!(stanza.kind, Kind::Iq(_)) {
            Box::pin(self.dispatch_iq(stanza, replies)).await;
        } else if !self.services.serves(to.domain()) {
            match self.services.hooks.find_service(to.domain()) {
                Some(service) => {
                    let service = Arc::clone(service);
                    self.to_service(service, stanza, replies).await;
                }
                None => self.send_out(&stanza, replies),
            }
        } else if to.local().is_none() {
            // RFC 6120 §10.5.2 leaves it to the server; ours offers nothing to write to.
            self.refuse(&stanza, &Condition::ServiceUnavailable.into(), replies);
        } else {
            self.to_account(stanza, replies).await;
        }
    }

    async fn dispatch_iq(&self, stanza: Mail, replies: &mut Replies) {
        let from = stanza.from.as_ref();
        let sends = |session: &&Arc<Session>| from.is_some_and(|it| session.is_addressed_by(it));
        let sender = replies.session.as_ref().filter(sends).cloned();
        let answer = Box::pin(self.iq(stanza, sender.as_ref(), replies)).await;
        if let Some(answer) = answer {
            Box::pin(self.answer_made_here(answer, replies)).await;
        }
    }

    /// An answer that was made here; to a request of the server's own, or of a service.
    async fn answer_made_here(&self, answer: Stanza, replies: &mut Replies) {
        if self.answer_to_server(&answer, None, replies).await {
            return;
        }
        let to = answer.to.as_ref();
        let service = to.and_then(|to| self.services.hooks.find_service(to.domain()));
        match service {
            Some(service) => {
                let service = Arc::clone(service);
                self.to_service(service, Arc::new(answer), replies).await;
            }
            None => self.answer(answer, replies),
        }
    }

    /// A stanza that leaves this server.
    fn send_out(&self, stanza: &Mail, replies: &mut Replies) {
        if let Err(error) = self.try_to_send_out(stanza, replies) {
            self.refuse(stanza, &error, replies);
        }
    }

    fn try_to_send_out(&self, stanza: &Mail, replies: &mut Replies) -> Result<(), StanzaError> {
        let gateway = stanza
            .to
            .as_ref()
            .and_then(|to| self.services.gateway(to.domain()));
        let sent = match gateway {
            Some(gateway) => gateway.send(Arc::clone(stanza)),
            None => Err(Condition::RemoteServerNotFound.into()),
        };
        replies.durable.extend(sent?);
        Ok(())
    }

    /// A stanza for a service of this server. Boxed, for what a service does may lead to another.
    fn to_service<'a>(
        &'a self,
        service: Arc<dyn Service>,
        stanza: Mail,
        replies: &'a mut Replies,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let from = stanza.from.as_ref();
            let sends =
                |session: &&Arc<Session>| from.is_some_and(|it| session.is_addressed_by(it));
            let parcel = Parcel {
                session: replies.session.as_ref().filter(sends).cloned(),
                stanza: Arc::clone(&stanza),
                services: Arc::clone(&self.services),
            };
            let outcome = match service.take(parcel).await {
                Ok(effects) => self.carry_out(effects, replies).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.refuse(&stanza, &error, replies);
            }
        })
    }

    /// A message or presence for a local account.
    async fn to_account(&self, mut stanza: Mail, replies: &mut Replies) {
        let Some(to) = stanza.to.clone() else {
            return;
        };
        let online = self.registry.find(to.bare());
        // Nobody else has it yet, so nothing is copied.
        let (flow, effects) = self.arrive(to.bare(), online.as_ref(), Arc::make_mut(&mut stanza));
        if self.carry_on(flow, effects, &stanza, replies).await {
            self.deliver(&to, online.as_ref(), stanza, replies).await;
        }
    }

    /// What the hooks of the account say that it is for.
    fn arrive(
        &self,
        account: &BareJid,
        online: Option<&Arc<Account>>,
        stanza: &mut Stanza,
    ) -> (Flow, Effects) {
        let mut effects = Effects::default();
        let mut passage = Passage {
            account,
            online,
            session: None,
            sender: None,
            stanza,
            effects: &mut effects,
            services: &self.services,
        };
        let hooks = &self.services.hooks;
        let flow = match passage.stanza.kind {
            Kind::Message(_) => hooks.run_incoming_message(&mut passage),
            Kind::Presence(_) => hooks.run_incoming_presence(&mut passage),
            Kind::Iq(_) => hooks.run_incoming_iq(&mut passage),
        };
        (flow, effects)
    }

    async fn deliver(
        &self,
        to: &Jid,
        online: Option<&Arc<Account>>,
        stanza: Mail,
        replies: &mut Replies,
    ) {
        let exact = match (online, to.resource()) {
            (Some(online), Some(resource)) => online.session(resource),
            _ => None,
        };
        let sessions = online.map(|online| online.sessions()).unwrap_or_default();
        let recipient = Recipient {
            names_resource: to.resource().is_some(),
            connected: exact.is_some(),
            any_non_negative: sessions.iter().any(|session| non_negative(session)),
        };
        let decision = match stanza.kind {
            Kind::Message(kind) => delivery::message(kind, recipient),
            Kind::Presence(kind) => delivery::presence(kind, recipient),
            Kind::Iq(_) => return,
        };
        match decision {
            Decision::Exact => {
                if let Some(session) = exact {
                    self.hand_over(&session, stanza, replies).await;
                }
            }
            Decision::NonNegative => {
                self.fan_out(&sessions, stanza, non_negative, replies).await;
            }
            Decision::Available => {
                let takes = Session::is_available;
                self.fan_out(&sessions, stanza, takes, replies).await;
            }
            Decision::Undelivered => Box::pin(self.keep_or_refuse(&stanza, replies)).await,
            Decision::Bounce(condition) => self.refuse(&stanza, &condition.into(), replies),
            Decision::Drop => debug!(kind = ?stanza.kind, "dropped"),
        }
    }

    /// One stanza to several sessions of an account. A message that none of them could
    /// take, or write before it ended, is kept once.
    async fn fan_out(
        &self,
        sessions: &[Arc<Session>],
        mut stanza: Mail,
        takes: fn(&Session) -> bool,
        replies: &mut Replies,
    ) {
        let takers = sessions.iter().filter(|session| takes(session));
        let takers: SmallVec<[_; 4]> = takers.collect();
        if takers.is_empty() {
            return Box::pin(self.keep_or_refuse(&stanza, replies)).await;
        }
        if takers.len() > 1 && matches!(stanza.kind, Kind::Message(_)) {
            // Nobody else has it yet, so nothing is copied.
            Arc::make_mut(&mut stanza).copies = Some(Arc::new(AtomicUsize::new(takers.len())));
        }
        for session in takers {
            self.hand_over(session, Arc::clone(&stanza), replies).await;
        }
    }

    /// One stanza to one session; kept when the session cannot take it any more. A headline for the
    /// session whose stanza is being routed goes past its mailbox, which its task cannot empty
    /// meanwhile: what a session is shown when it comes online may be more than a mailbox holds.
    async fn hand_over(&self, session: &Arc<Session>, stanza: Mail, replies: &mut Replies) {
        let own = replies.session.as_ref();
        if stanza.kind == Kind::Message(MessageType::Headline)
            && own.is_some_and(|own| Arc::ptr_eq(own, session))
        {
            replies.stanzas.push(stanza);
            return;
        }
        if let Err(stanza) = session.deliver(stanza) {
            Box::pin(self.keep_or_refuse(&stanza, replies)).await;
        }
    }

    /// Offers a message that no session took to what keeps messages for later, and tells
    /// the sender when nothing does. Other stanzas mean nothing later and are dropped, except
    /// that a request is refused.
    pub(crate) async fn keep(&self, stanza: &Mail) {
        self.keep_or_refuse(stanza, &mut Replies::default()).await;
    }

    async fn keep_or_refuse(&self, stanza: &Mail, replies: &mut Replies) {
        if let Err(error) = self.try_keep(stanza).await {
            self.refuse(stanza, &error, replies);
        }
    }

    async fn try_keep(&self, stanza: &Mail) -> Result<(), StanzaError> {
        let unavailable = || StanzaError::from(Condition::ServiceUnavailable);
        let to = match (&stanza.to, stanza.kind) {
            (Some(to), Kind::Message(MessageType::Chat | MessageType::Normal)) => to,
            (_, Kind::Iq(_)) => return Err(unavailable()),
            (_, Kind::Message(_) | Kind::Presence(_)) => return Ok(()),
        };
        let left = |copies: &Arc<AtomicUsize>| copies.fetch_sub(1, Ordering::AcqRel) > 1;
        if stanza.copies.as_ref().is_some_and(left) {
            // Another session has it, or gives it back in its turn.
            return Ok(());
        }
        let found = self.services.store.accounts().find(to.bare()).await?;
        let undelivered = Undelivered {
            account: found.ok_or_else(unavailable)?.jid,
            stanza: Arc::clone(stanza),
            services: Arc::clone(&self.services),
        };
        if self.services.hooks.run_undelivered(&undelivered).await {
            counted().kept.increment(1);
            self.services.hooks.run_kept(&undelivered).await;
            Ok(())
        } else {
            Err(unavailable())
        }
    }

    /// Sends an error back to the sender, where the standard allows one.
    fn refuse(&self, stanza: &Stanza, error: &StanzaError, replies: &mut Replies) {
        replies.failed |= error.condition == Condition::InternalServerError;
        // RFC 6121 §8.5.1: presence to nobody is ignored, for an error would tell.
        let silent = match stanza.kind {
            kind if kind.asks_no_answer() => true,
            Kind::Presence(_) => error.condition == Condition::ServiceUnavailable,
            Kind::Message(_) | Kind::Iq(_) => false,
        };
        if silent {
            return;
        }
        if let Some(refusal) = refusal(stanza, error) {
            self.answer(refusal, replies);
        }
    }

    /// Delivers an answer to the full JID that asked: to the session whose stanza is being
    /// routed past its mailbox, for its task cannot empty that meanwhile. Answers are never
    /// kept, so this needs not wait.
    fn answer(&self, answer: Stanza, replies: &mut Replies) {
        let Some(to) = &answer.to else {
            return;
        };
        let own = replies.session.as_ref();
        if own.is_some_and(|session| session.is_addressed_by(to)) {
            replies.stanzas.push(Arc::new(answer));
            return;
        }
        if !self.services.serves(to.domain()) {
            // An answer that finds no way out is dropped: no error is answered with an error.
            if self.services.gateway(to.domain()).is_some() {
                self.send_out(&Arc::new(answer), replies);
            }
            return;
        }
        let session = match to.resource() {
            Some(resource) => self
                .registry
                .find(to.bare())
                .and_then(|account| account.session(resource)),
            None => None,
        };
        match session {
            Some(session) => {
                if session.deliver(Arc::new(answer)).is_err() {
                    debug!("the asker is gone");
                }
            }
            None => debug!("an answer for nobody"),
        }
    }
}

fn non_negative(session: &Session) -> bool {
    session.priority().is_some_and(|priority| priority >= 0)
}
