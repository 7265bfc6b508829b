//! What a client says to its session itself: stream management (XEP-0198) and client state
//! (XEP-0352).

use std::collections::VecDeque;

use tokio::time::{Duration, Instant};
use tracing::warn;

use super::{End, Task, WRITE_BYTES};
use crate::hooks::Durable;
use crate::proto::{Condition, StreamCondition, StreamError, ns};
use crate::session::management::{Management, Origin, Terms};
use crate::session::transport::Transport;
use crate::store::StoreError;
use crate::stream::management::{self, Enable};
use crate::xml::{Element, Parsed};

impl Task {
    /// An element that is no stanza.
    pub(super) async fn nonza(
        &mut self,
        parsed: &Parsed,
        transport: &mut Transport,
    ) -> Result<(), End> {
        match (parsed.tag.ns(), parsed.tag.name()) {
            (ns::STREAM_MANAGEMENT, "enable") => {
                let answer = self.enable(parsed);
                self.out.element(&answer);
            }
            // XEP-0198 §3, §5: only before a resource is bound.
            (ns::STREAM_MANAGEMENT, "resume") => {
                let failed = management::failed(Condition::UnexpectedRequest, None);
                self.out.element(&failed);
            }
            (ns::STREAM_MANAGEMENT, "r") => {
                let management = self.management.as_mut().ok_or_else(unsupported)?;
                let h = management.answer();
                self.out.element(&management::ack(h));
            }
            (ns::STREAM_MANAGEMENT, "a") => return self.acknowledged(parsed, transport).await,
            (ns::CLIENT_STATE, "active") => {
                self.session.set_inactive(false);
                if let Some(mut held) = self.held.take() {
                    self.in_flight.extend(held.release());
                    return self.continue_writing(transport).await;
                }
            }
            (ns::CLIENT_STATE, "inactive") => {
                self.session.set_inactive(true);
                self.held.get_or_insert_default();
            }
            _ => return Err(unsupported()),
        }
        Ok(())
    }

    /// XEP-0198 §3. A second time is refused, and the first stays in force.
    fn enable(&mut self, parsed: &Parsed) -> Element {
        if self.management.is_some() {
            return management::failed(Condition::UnexpectedRequest, None);
        }
        let asked = match Enable::read(&Element::from(parsed.tag.clone())) {
            Ok(asked) => asked,
            Err(condition) => return management::failed(condition, None),
        };
        let terms = Terms::of(self.router.services());
        let (management, answer) =
            Management::enable(&self.resumables, &self.session, terms, asked);
        self.management = Some(management);
        answer
    }

    /// XEP-0198 §4.
    async fn acknowledged(
        &mut self,
        parsed: &Parsed,
        transport: &mut Transport,
    ) -> Result<(), End> {
        let management = self.management.as_mut().ok_or_else(unsupported)?;
        let Some(h) = parsed.tag.attribute("h").and_then(management::count) else {
            let error = StreamError::new(StreamCondition::InvalidXml);
            return Err(End::Failed(error.text("h is no count of stanzas")));
        };
        if let Err(error) = management.acknowledge(h) {
            return Err(End::Failed(if error.backwards {
                StreamError::new(StreamCondition::PolicyViolation)
                    .text("you acknowledged fewer stanzas than before")
            } else {
                management::too_high(h, error.sent)
            }));
        }
        if self.has_page() {
            self.backlog_due(transport).await?;
        }
        self.continue_writing(transport).await
    }

    /// Writes what had to wait, as far as it may go now.
    async fn continue_writing(&mut self, transport: &mut Transport) -> Result<(), End> {
        if self.in_flight.is_empty() {
            return Ok(());
        }
        self.mail(VecDeque::new(), transport).await
    }

    /// As [`Task::write_mail`], but what was gathered belongs to the management from then on, and
    /// there is an end to what a client may leave unacknowledged.
    pub(super) async fn write_managed(&mut self, transport: &mut Transport) -> Result<(), End> {
        while !self.in_flight.is_empty() {
            let Some(management) = &mut self.management else {
                return Ok(());
            };
            while !management.must_wait()
                && self.out.len() < WRITE_BYTES
                && let Some(mail) = self.in_flight.pop_front()
            {
                let stamped = management.stamped(&mail, &self.session);
                let stanza = stamped.as_ref().unwrap_or(&mail);
                self.out.mail(self.session.jid(), stanza);
                management.sent(mail, Origin::Passing);
            }
            let must_wait = management.must_wait();
            self.flush(transport).await?;
            if must_wait {
                return Ok(());
            }
        }
        self.in_flight = VecDeque::new();
        Ok(())
    }

    /// Whether mail has to wait until the client acknowledges what it got.
    pub(super) fn must_wait(&self) -> bool {
        let management = self.management.as_deref();
        management.is_some_and(Management::must_wait)
    }

    /// Counts a stanza that was received.
    pub(super) fn count(&mut self, writes: Vec<Durable>) {
        if let Some(management) = &mut self.management {
            management.received(writes);
        }
    }

    /// Lets no more wait for the disk, and no more for the client's acknowledgement, than may.
    pub(super) async fn keep_within_bounds(
        &mut self,
        transport: &mut Transport,
    ) -> Result<(), End> {
        while let Some(management) = &mut self.management {
            if management.overflows() {
                let error = StreamError::new(StreamCondition::ResourceConstraint);
                return Err(End::Failed(error.text("you acknowledge too little")));
            }
            if !management.is_settling_enough() {
                break;
            }
            // What was answered is not held back by what is being written.
            self.flush(transport).await?;
            if let Some(management) = &mut self.management {
                let settled = management.settled().await;
                self.settled(settled, transport).await?;
            }
        }
        Ok(())
    }

    /// More of what was received is durable, or never will be.
    pub(super) async fn settled(
        &mut self,
        settled: Result<(), StoreError>,
        transport: &mut Transport,
    ) -> Result<(), End> {
        if let Err(error) = settled {
            warn!(%error, "a stanza is not handled");
            // The client learns from the count which one, and sends it again.
            return Err(End::Failed(StreamCondition::InternalServerError.into()));
        }
        let owed = self.management.as_deref_mut().and_then(Management::owed);
        if let Some(h) = owed {
            self.out.element(&management::ack(h));
            self.flush(transport).await?;
        }
        Ok(())
    }

    /// When [`Task::silent`] has to look again.
    pub(super) fn next_moment(&self) -> Option<Instant> {
        let management = self.management.as_deref()?;
        management.next_moment(self.answer_time(), self.heard)
    }

    fn answer_time(&self) -> Duration {
        let config = &self.router.services().config;
        config.stream_management.acknowledge_seconds.duration()
    }

    /// With stream management the client is asked what it has and not whether it is there, and a
    /// connection over which it does not answer is lost.
    pub(super) async fn silent_managed(
        &mut self,
        now: Instant,
        idle: Duration,
        transport: &mut Transport,
    ) -> Result<Instant, End> {
        let answer = self.answer_time();
        let quiet_until = self.heard + idle;
        let Some(management) = &mut self.management else {
            return Ok(quiet_until);
        };
        if management.is_overdue(now, answer, self.heard) {
            if management.id().is_some() {
                return Err(End::Lost);
            }
            let error = StreamError::new(StreamCondition::ConnectionTimeout);
            return Err(End::Failed(error.text("no acknowledgement")));
        }
        if management.is_late(now) || (now >= quiet_until && !management.is_asked()) {
            management.asked(now);
            self.out.element(&management::request());
            self.flush(transport).await?;
        }
        let moment = self.next_moment();
        Ok(moment.unwrap_or(if quiet_until > now {
            quiet_until
        } else {
            now + idle
        }))
    }

    /// Sends again what the client has not acknowledged, and what came meanwhile (XEP-0198 §5).
    pub(super) async fn resume(&mut self, transport: &mut Transport) -> Result<(), End> {
        // XEP-0352 §5: a session that was resumed is active.
        self.session.set_inactive(false);
        self.held = None;
        self.session.set_connected(true);
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        let (again, waited) = management.resume(self.router.services().clock.now());
        self.in_flight = waited;
        for mail in again {
            let management = self.management.as_ref();
            let stamped = management.and_then(|it| it.stamped(&mail, &self.session));
            let stanza = stamped.as_ref().unwrap_or(&mail);
            self.out.mail(self.session.jid(), stanza);
            if self.out.len() >= WRITE_BYTES {
                self.flush(transport).await?;
            }
        }
        self.flush(transport).await?;
        // The count with which the client came back may be behind the page.
        self.has_page();
        self.backlog_due(transport).await?;
        self.continue_writing(transport).await
    }

    fn has_page(&mut self) -> bool {
        let management = self.management.as_deref_mut();
        management.is_some_and(Management::has_page)
    }
}

fn unsupported() -> End {
    End::Failed(StreamCondition::UnsupportedStanzaType.into())
}
