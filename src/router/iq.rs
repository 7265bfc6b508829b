//! Requests: answered here for hosts and accounts, handed to sessions otherwise
//! (RFC 6120 §8.2.3, RFC 6121 §8.5).

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::debug;

use super::{Replies, Router};
use crate::hooks::{Ahead, Answer, At, Iq, IqAnswer, Later, Mail, Service, Session, refusal};
use crate::proto::{BareJid, Condition, IqType, Jid, Kind, Stanza, StanzaError, ns};

impl Router {
    /// Routes an IQ; returns the answer where the server itself gives it. `sender` is the
    /// session that sent it, when that is known.
    pub(super) async fn iq(
        &self,
        stanza: Mail,
        sender: Option<&Arc<Session>>,
        replies: &mut Replies,
    ) -> Option<Stanza> {
        let Kind::Iq(kind) = stanza.kind else {
            return None;
        };
        let is_for_account = |to: &Jid| to.local().is_some() && self.services.serves(to.domain());
        let stanza = match stanza.to.as_ref().is_some_and(is_for_account) {
            true => Box::pin(self.admitted(stanza, replies)).await?,
            false => stanza,
        };
        match &stanza.to {
            Some(to) if !self.services.serves(to.domain()) => {
                match self.services.hooks.find_service(to.domain()) {
                    Some(service) => {
                        let service = Arc::clone(service);
                        self.iq_to_service(service, stanza, sender, replies).await
                    }
                    // The refusal may be for a request of the server's own.
                    None => match self.try_to_send_out(&stanza, replies) {
                        Ok(()) => None,
                        Err(error) => answered(&stanza, Err(error)),
                    },
                }
            }
            Some(to) if to.local().is_some() && to.resource().is_some() => {
                Box::pin(self.iq_to_session(&to.clone(), stanza)).await
            }
            _ if kind.is_request() => match self.delegated(&stanza) {
                None => self.iq_to_server(&stanza, kind, sender, replies).await,
                Some(Ok(())) => None,
                Some(Err(error)) => answered(&stanza, Err(error)),
            },
            _ => {
                if !Box::pin(self.answer_to_server(&stanza, sender, replies)).await {
                    debug!("an answer to nothing");
                }
                None
            }
        }
    }

    /// The hooks of the account that it is for; `None` when they have seen to it.
    async fn admitted(&self, mut stanza: Mail, replies: &mut Replies) -> Option<Mail> {
        let to = stanza.to.clone()?;
        let online = self.registry.find(to.bare());
        // Nobody else has it yet, so nothing is copied.
        let (flow, effects) = self.arrive(to.bare(), online.as_ref(), Arc::make_mut(&mut stanza));
        let goes_on = self.carry_on(flow, effects, &stanza, replies).await;
        goes_on.then_some(stanza)
    }

    /// Whether it is an answer to a request of the server's own; what comes of it has been done then.
    pub(super) async fn answer_to_server(
        &self,
        stanza: &Stanza,
        sender: Option<&Arc<Session>>,
        replies: &mut Replies,
    ) -> bool {
        let Some((next, payload, refused)) = self.services.requests.answered(stanza) else {
            return false;
        };
        let answer = Answer {
            payload,
            refused,
            error_type: stanza.error_type().filter(|_| refused),
            stanza: stanza.clone(),
            session: sender.cloned(),
            services: Arc::clone(&self.services),
        };
        let effects = next(answer).await;
        if self.carry_out(effects, replies).await.is_err() {
            debug!("what an answer led to failed");
        }
        true
    }

    /// Whether somebody answers the request in the server's place (XEP-0355), and has taken it.
    fn delegated(&self, stanza: &Stanza) -> Option<Result<(), StanzaError>> {
        let asked = stanza.to.as_ref().or(stanza.from.as_ref())?.bare();
        let mut gateways = self.services.gateways.iter();
        gateways.find_map(|gateway| gateway.delegate(stanza, asked))
    }

    async fn iq_to_session(&self, to: &Jid, stanza: Mail) -> Option<Stanza> {
        let session = to.resource().and_then(|resource| {
            let account = self.registry.find(to.bare())?;
            account.session(resource)
        });
        match session {
            Some(session) => {
                self.hand_over(&session, stanza, &mut Replies::default())
                    .await;
                None
            }
            None => refusal(&stanza, &Condition::ServiceUnavailable.into()),
        }
    }

    async fn iq_to_server(
        &self,
        stanza: &Stanza,
        kind: IqType,
        sender: Option<&Arc<Session>>,
        replies: &mut Replies,
    ) -> Option<Stanza> {
        // What is asked is not held beside what answers it: many wait here at the same moment.
        let asked = self
            .request(stanza, kind, sender)
            .map(|iq| (iq.ahead.clone(), self.ask_extensions(iq)));
        let (ahead, answer) = match asked {
            Ok((ahead, answer)) => (ahead, answer.await),
            Err(error) => return answered(stanza, Err(error)),
        };
        self.send_ahead(&ahead, &answer, replies);
        answered(stanza, answer)
    }

    /// Sends what stands before a result.
    fn send_ahead(&self, ahead: &Ahead, answer: &IqAnswer, replies: &mut Replies) {
        if answer.is_ok() {
            for stanza in ahead.take() {
                self.answer(stanza, replies);
            }
        }
    }

    fn ask_extensions(&self, iq: Iq) -> BoxFuture<'static, IqAnswer> {
        let answer = self.services.hooks.answer(iq);
        answer.unwrap_or_else(|| Box::pin(ready(Err(Condition::ServiceUnavailable.into()))))
    }

    /// A request to a service or to an address of it is answered by it; anything else is its own
    /// affair, and what the service wants done for it has been done when this returns.
    async fn iq_to_service(
        &self,
        service: Arc<dyn Service>,
        stanza: Mail,
        sender: Option<&Arc<Session>>,
        replies: &mut Replies,
    ) -> Option<Stanza> {
        let bare = stanza.to.as_ref().is_none_or(|to| to.resource().is_none());
        let kind = match stanza.kind {
            Kind::Iq(kind) if kind.is_request() && bare => kind,
            // What the service itself has asked for is nobody else's affair.
            Kind::Iq(_)
                if bare && Box::pin(self.answer_to_server(&stanza, sender, replies)).await =>
            {
                return None;
            }
            Kind::Iq(_) | Kind::Message(_) | Kind::Presence(_) => {
                self.to_service(service, stanza, replies).await;
                return None;
            }
        };
        let asked = self
            .request(&stanza, kind, sender)
            .and_then(|iq| ask(service, iq, &stanza));
        let (ahead, answer) = match asked {
            Ok(Some((ahead, answer))) => (ahead, answer.await),
            Ok(None) => return None,
            Err(error) => return answered(&stanza, Err(error)),
        };
        let answer = match answer {
            Some(answer) => answer,
            // Rare: most requests to a service are its own.
            None => Box::pin(self.iq_past_service(&stanza, kind, sender, &ahead)).await,
        };
        self.send_ahead(&ahead, &answer, replies);
        answered(&stanza, answer)
    }

    /// What is asked of a service that has no answer of its own: the extensions answer, where it is asked at its domain.
    async fn iq_past_service(
        &self,
        stanza: &Stanza,
        kind: IqType,
        sender: Option<&Arc<Session>>,
        ahead: &Ahead,
    ) -> IqAnswer {
        let mut iq = self.request(stanza, kind, sender)?;
        if iq.to.node().is_some() {
            return Err(Condition::ServiceUnavailable.into());
        }
        iq.at = At::Service;
        iq.ahead = ahead.clone();
        self.ask_extensions(iq).await
    }

    fn request(
        &self,
        stanza: &Stanza,
        kind: IqType,
        sender: Option<&Arc<Session>>,
    ) -> Result<Iq, StanzaError> {
        let from = stanza.from.clone().ok_or(Condition::BadRequest)?;
        let to = match &stanza.to {
            Some(to) => to.bare().clone(),
            None => from.bare().clone(),
        };
        let child = stanza.payload.iter().next().ok_or(Condition::BadRequest)?;
        let payload = child
            .to_element(ns::CLIENT)
            .map_err(|_| Condition::BadRequest)?;
        Ok(Iq {
            at: at(&from, &to, stanza),
            to,
            from,
            kind,
            id: stanza.id.clone().unwrap_or_default(),
            lang: stanza.lang.clone(),
            payload,
            session: sender.cloned(),
            ahead: Ahead::default(),
            services: Arc::clone(&self.services),
        })
    }
}

/// What a service sends before its answer, and the answer.
type Asked = (Ahead, BoxFuture<'static, Option<IqAnswer>>);

/// Asks a service; `None` where it answers later.
fn ask(service: Arc<dyn Service>, mut iq: Iq, stanza: &Mail) -> Result<Option<Asked>, StanzaError> {
    iq.at = At::Service;
    let ahead = iq.ahead.clone();
    match Arc::clone(&service).put_off(&iq, stanza)? {
        Later::Yes => Ok(None),
        Later::No => Ok(Some((ahead, service.request(iq)))),
    }
}

fn answered(request: &Stanza, answer: IqAnswer) -> Option<Stanza> {
    match answer {
        Ok(payload) => Some(request.result(payload.as_ref())),
        Err(error) => refusal(request, &error),
    }
}

fn at(from: &Jid, to: &BareJid, stanza: &Stanza) -> At {
    if stanza.to.is_none() || to == from.bare() {
        At::Own
    } else if to.node().is_none() {
        At::Host
    } else {
        At::Account
    }
}
