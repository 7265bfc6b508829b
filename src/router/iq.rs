//! Requests: answered here for hosts and accounts, handed to sessions otherwise
//! (RFC 6120 §8.2.3, RFC 6121 §8.5).

use std::sync::Arc;

use tracing::debug;

use super::{Replies, Router};
use crate::hooks::{At, Iq, Mail, Session};
use crate::proto::{BareJid, Condition, IqType, Jid, Kind, Stanza, StanzaError, ns};

impl Router {
    /// Routes an IQ; returns the answer where the server itself gives it. `sender` is the
    /// session that sent it, when that is known.
    pub(super) async fn iq(&self, stanza: Mail, sender: Option<&Arc<Session>>) -> Option<Stanza> {
        let Kind::Iq(kind) = stanza.kind else {
            return None;
        };
        match &stanza.to {
            Some(to) if !self.services.serves(to.domain()) => {
                stanza.refusal(&Condition::RemoteServerNotFound.into())
            }
            Some(to) if to.local().is_some() && to.resource().is_some() => {
                self.iq_to_session(&to.clone(), stanza).await
            }
            _ if kind.is_request() => self.iq_to_server(&stanza, kind, sender).await,
            // An answer to a request of the server's own; none of them waits for it.
            _ => {
                debug!("answer to the server");
                None
            }
        }
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
            None => stanza.refusal(&Condition::ServiceUnavailable.into()),
        }
    }

    async fn iq_to_server(
        &self,
        stanza: &Stanza,
        kind: IqType,
        sender: Option<&Arc<Session>>,
    ) -> Option<Stanza> {
        let answer = match self.request(stanza, kind, sender) {
            Ok(iq) => match self.services.hooks.answer(iq) {
                Some(answer) => answer.await,
                None => Err(Condition::ServiceUnavailable.into()),
            },
            Err(error) => Err(error),
        };
        match answer {
            Ok(payload) => Some(stanza.result(payload.as_ref())),
            Err(error) => stanza.refusal(&error),
        }
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
            services: Arc::clone(&self.services),
        })
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
