//! The sender's side: the hooks of the account that a stanza comes from, then its way.

use std::sync::Arc;

use super::{Replies, Router};
use crate::hooks::{Effects, Flow, Mail, Passage, Session, Stage, counter};
use crate::observe::metrics::counted;
use crate::proto::{Kind, Stanza};

impl Router {
    /// Takes a stanza from a session of this server, `from` already stamped. What the session
    /// itself is to be sent for it is returned; its task writes that out.
    pub async fn submit(&self, session: &Arc<Session>, mut stanza: Mail) -> Replies {
        let mut replies = Replies::to(Some(session));
        counter(&counted().from_clients, stanza.kind).increment(1);
        if matches!(stanza.kind, Kind::Message(_)) {
            // Nobody else has it yet, so nothing is copied.
            Arc::make_mut(&mut stanza).received_at = Some(self.services.clock.now());
        }
        // Nobody else has it yet, so nothing is copied.
        let (flow, effects) = self.leave(session, Arc::make_mut(&mut stanza));
        if !self.carry_on(flow, effects, &stanza, &mut replies).await {
            return replies;
        }
        if matches!(stanza.kind, Kind::Iq(_)) {
            let answer = Box::pin(self.iq(stanza, Some(session), &mut replies)).await;
            replies.stanzas.extend(answer.map(Arc::new));
            return replies;
        }
        match (stanza.kind, &stanza.to) {
            // On the heap, as what is below it: what the allocator has at hand is smaller than all of it together.
            (_, Some(_)) => Box::pin(self.dispatch(stanza, &mut replies)).await,
            // RFC 6120 §10.3.1: as if addressed to the sender's own bare JID.
            (Kind::Message(_), None) => {
                let own = session.account().jid().clone();
                Arc::make_mut(&mut stanza).to = Some(own.into());
                Box::pin(self.dispatch(stanza, &mut replies)).await;
            }
            (Kind::Presence(_) | Kind::Iq(_), None) => {}
        }
        replies
    }

    /// What the hooks of the account say that it comes from.
    fn leave(&self, session: &Arc<Session>, stanza: &mut Stanza) -> (Flow, Effects) {
        let mut effects = Effects::default();
        let mut passage = Passage {
            account: session.account().jid(),
            online: Some(session.account()),
            session: Some(session),
            sender: None,
            stanza,
            effects: &mut effects,
            services: &self.services,
        };
        let hooks = &self.services.hooks;
        let flow = match passage.stanza.kind {
            Kind::Message(_) => hooks.run_outgoing_message(&mut passage, None),
            Kind::Presence(_) => hooks.run_outgoing_presence(&mut passage),
            Kind::Iq(_) => hooks.run_outgoing_iq(&mut passage),
        };
        (flow, effects)
    }

    /// A message in the name of an account, past the guards of its side. What hooks would reply to a session
    /// is for nobody here.
    pub(super) async fn say(&self, mut stanza: Mail, replies: &mut Replies) {
        let Some(from) = stanza.from.clone() else {
            return;
        };
        let online = self.registry.find(from.bare());
        let session = match (&online, from.resource()) {
            (Some(online), Some(resource)) => online.session(resource),
            _ => None,
        };
        let mut effects = Effects::default();
        let mut passage = Passage {
            account: from.bare(),
            online: online.as_ref(),
            session: session.as_ref(),
            sender: None,
            // Nobody else has it yet, so nothing is copied.
            stanza: Arc::make_mut(&mut stanza),
            effects: &mut effects,
            services: &self.services,
        };
        let hooks = &self.services.hooks;
        let flow = hooks.run_outgoing_message(&mut passage, Some(Stage::Guard));
        if self.carry_on(flow, effects, &stanza, replies).await {
            self.dispatch(stanza, replies).await;
        }
    }
}
