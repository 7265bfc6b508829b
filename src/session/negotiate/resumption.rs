//! Taking a session over instead of binding one (XEP-0198 §5), and stream management for one that is
//! being bound.

use std::sync::{Arc, PoisonError};

use tracing::info;

use super::{Beginning, Driver};
use crate::proto::{BareJid, Condition};
use crate::session::management::{Management, Terms};
use crate::session::resumables::Handover;
use crate::stream::Resumed;
use crate::stream::management::{self, Enable, NotResumed, Resume};
use crate::xml::Element;

impl Driver {
    /// Takes over a session of the account from the task that has it (XEP-0198 §5).
    pub(super) async fn resume(
        &mut self,
        account: &BareJid,
        resume: &Resume,
    ) -> Result<Resumed, NotResumed> {
        let services = self.listener.router.services();
        if services.config.stream_management.resume_seconds.as_u32() == 0 {
            return Err(NotResumed::Unsupported);
        }
        let resumables = Arc::clone(&self.listener.resumables);
        let awaited = resumables.want(&resume.previd, account)?;
        let handover = self.awaited.insert(awaited).await;
        self.awaited = None;
        // Its task ended it instead.
        let handover = handover.map_err(|_| resumables.unknown(&resume.previd, account))?;
        let (h, jid) = (
            handover.management.handled(),
            handover.session.jid().clone(),
        );
        if let Err(error) = self.take_over(handover).acknowledge(resume.h) {
            self.unbind().await;
            return Err(NotResumed::TooHigh {
                h: resume.h,
                sent: error.sent,
            });
        }
        if let Some(session) = &self.bound {
            session.reconnect(self.peer, self.transport_name);
        }
        info!(%jid, "session resumed");
        Ok(Resumed { jid, h })
    }

    pub(super) fn take_over(&mut self, handover: Handover) -> &mut Management {
        self.beginning = Beginning::Resumed;
        self.bound = Some(handover.session);
        self.management().insert(handover.management)
    }

    /// Enables stream management for the session that is being bound (XEP-0386 §3.2), and gives the
    /// answer. What is sent to the client from then on counts.
    pub(super) fn enable(&mut self, asked: &Element) -> Element {
        let failed = |condition| management::failed(condition, None);
        let (Some(session), true) = (self.bound.clone(), self.management().is_none()) else {
            return failed(Condition::UnexpectedRequest);
        };
        let asked = match Enable::read(asked) {
            Ok(asked) => asked,
            Err(condition) => return failed(condition),
        };
        let terms = Terms::of(self.listener.router.services());
        let (management, answer) =
            Management::enable(&self.listener.resumables, &session, terms, asked);
        *self.management() = Some(management);
        answer
    }

    pub(super) fn management(&mut self) -> &mut Option<Box<Management>> {
        let management = self.management.get_mut();
        management.unwrap_or_else(PoisonError::into_inner)
    }
}
