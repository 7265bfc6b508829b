//! What comes over a stream: stanzas for the router, and everything else.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::{End, Exchange, Side};
use crate::hooks::{Durable, Published, refusal};
use crate::proto::reading::{self, ReadError as StanzaProblem};
use crate::proto::{Condition, Jid, Stanza, StanzaError, StreamCondition, StreamError, ns};
use crate::s2s::dialback::{self, Verdict};
use crate::s2s::failure::{Failure, Step};
use crate::s2s::house::House;
use crate::s2s::{receiving, wire};
use crate::stream::management as nonza;
use crate::xml::{Element, Frame, Opening, parse};

/// How long a stanza that came may wait for what it has caused.
const SETTLING_TIMEOUT: Duration = Duration::from_secs(15);

impl Exchange {
    pub(super) async fn frame(
        &mut self,
        frame: Frame,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        match frame {
            Frame::Open(opening) => self.opened(&opening, published).await,
            Frame::Element(bytes) => self.came(bytes, published).await,
            Frame::Close => {
                if self.closing.is_none() {
                    self.acknowledge_at_last().await;
                    self.write(wire::CLOSE);
                    self.finish().await;
                }
                Ok(Some(self.over()))
            }
        }
    }

    pub(super) async fn opened(
        &mut self,
        opening: &Opening,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        self.scope = opening.scope.clone();
        self.lang = reading::stream_lang(&opening.tag);
        self.receive(receiving::Input::Header(opening), published)
            .await
    }

    pub(super) async fn came(
        &mut self,
        bytes: Bytes,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let now = Instant::now();
        self.paused = self.bucket.take(size, now).map(|wait| now + wait);
        let limits = self.federation.limits();
        let parsed = parse(bytes, &self.scope, &limits)?;
        if parsed.tag.ns() == ns::SERVER {
            return match reading::stanza(parsed, ns::SERVER) {
                Ok(stanza) => self.stanza(stanza).await.map(|()| None),
                Err(problem) => self.no_stanza(problem).await.map(|()| None),
            };
        }
        let element = parsed.to_element()?;
        if element.is(ns::STREAMS, "error") {
            self.acknowledge_at_last().await;
            self.write(wire::CLOSE);
            self.finish().await;
            return Ok(Some(End::Broken {
                failure: Failure::told(Step::Established, &element),
                useful: self.useful,
            }));
        }
        match &self.side {
            Side::Theirs(_) => {
                self.receive(receiving::Input::Element(&element), published)
                    .await
            }
            Side::Ours { .. } => self.answered(&element).map(|()| None),
        }
    }

    pub(super) async fn stanza(&mut self, mut stanza: Stanza) -> Result<(), StreamError> {
        self.admits(&stanza)?;
        self.active = Instant::now();
        let deadline = self.active + SETTLING_TIMEOUT;
        self.useful = true;
        if stanza.lang.is_none() {
            stanza.lang.clone_from(&self.lang);
        }
        let Some(router) = self.federation.router.upgrade() else {
            return Err(StreamCondition::SystemShutdown.into());
        };
        let writes = router.arrive(stanza).await;
        if let Some(management) = &mut self.management {
            let writes = writes.into_iter().map(|it| bounded(it, deadline));
            management.received(writes.collect());
        }
        Ok(())
    }

    pub(super) fn admits(&self, stanza: &Stanza) -> Result<(), StreamError> {
        match &self.side {
            Side::Theirs(theirs) => {
                let house = House {
                    federation: &self.federation,
                    chain: &theirs.chain,
                };
                theirs.receiving.admits(stanza, &house)
            }
            Side::Ours { bidi: false, .. } => Err(StreamCondition::NotAuthorized.into()),
            Side::Ours { pair, .. } => {
                let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else {
                    return Err(StreamCondition::ImproperAddressing.into());
                };
                if from.domain() != pair.remote {
                    return Err(StreamCondition::InvalidFrom.into());
                }
                if !self.federation.serves(to.domain()) {
                    return Err(StreamCondition::HostUnknown.into());
                }
                Ok(())
            }
        }
    }

    /// What cannot be read as a stanza goes back to its sender, or ends the stream.
    pub(super) async fn no_stanza(&mut self, problem: StanzaProblem) -> Result<(), StreamError> {
        let (mut stanza, error): (Box<Stanza>, StanzaError) = match problem {
            StanzaProblem::NotAStanza => {
                return Err(StreamCondition::UnsupportedStanzaType.into());
            }
            StanzaProblem::From => return Err(StreamCondition::InvalidFrom.into()),
            StanzaProblem::Refused(stanza, error) => (stanza, error),
        };
        if stanza.to.is_none() {
            // The malformed address cannot be the sender of the answer.
            let local = self.local();
            stanza.to = local.and_then(|domain| Jid::parse(&domain).ok());
        }
        self.admits(&stanza)?;
        if let Some(refusal) = refusal(&stanza, &error)
            && let Some(router) = self.federation.router.upgrade()
        {
            router.route(refusal).await;
        }
        if let Some(management) = &mut self.management {
            management.received(Vec::new());
        }
        Ok(())
    }

    pub(super) fn local(&self) -> Option<String> {
        match &self.side {
            Side::Ours { pair, .. } => Some(pair.local.clone()),
            Side::Theirs(theirs) => theirs.receiving.wanted().map(str::to_owned),
        }
    }

    /// An element over a stream of ours that is no stanza.
    pub(super) fn answered(&mut self, element: &Element) -> Result<(), StreamError> {
        match (element.ns(), element.name()) {
            (ns::STREAM_MANAGEMENT, "r" | "a") if self.management.is_some() => {
                self.managed(element)
            }
            // They do not acknowledge after all: what was written counts as handed over.
            (ns::STREAM_MANAGEMENT, "failed") => {
                self.management = None;
                Ok(())
            }
            (ns::STREAM_MANAGEMENT, "enabled") | (ns::STREAMS, "features") => Ok(()),
            (ns::DIALBACK, name @ ("result" | "verify")) => {
                self.decline(element, name);
                Ok(())
            }
            _ => Err(StreamCondition::UnsupportedStanzaType.into()),
        }
    }

    /// Who wants to prove or to verify something opens a stream for it.
    pub(super) fn decline(&mut self, element: &Element, name: &str) {
        if element.attribute("type").is_some() {
            return;
        }
        let said = |name: &str| element.attribute(name).unwrap_or_default();
        let verdict = Verdict::Error(Condition::NotAllowed);
        let (from, to, id) = (said("to"), said("from"), element.attribute("id"));
        let mut bytes = Vec::new();
        dialback::answer(&mut bytes, name, from, to, id, verdict);
        self.write(&bytes);
    }

    pub(super) fn managed(&mut self, element: &Element) -> Result<(), StreamError> {
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        if element.name() == "r" {
            self.acknowledge();
            return Ok(());
        }
        let h = element.attribute("h").and_then(nonza::count);
        let Some(h) = h else {
            return Err(StreamError::new(StreamCondition::BadFormat)
                .text("an acknowledgement needs 'h', a number"));
        };
        let handed_over = management.acknowledge(h, Instant::now())?;
        self.useful |= handed_over > 0;
        Ok(())
    }
}

/// A stanza counts as handled at that time, whatever it waits for, and however many wait before it: what goes to a third server that does
/// not answer waits in a queue of ours, and is our affair.
fn bounded(write: Durable, deadline: Instant) -> Durable {
    Box::pin(async move {
        match timeout_at(deadline, write).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use super::*;
    use crate::s2s::management::Management;

    #[tokio::test(start_paused = true)]
    async fn stanzas_that_wait_one_behind_the_other_wait_no_longer_than_one() {
        let start = Instant::now();
        let mut management = Management::default();
        for _ in 0..3 {
            let write = bounded(Box::pin(pending()), start + SETTLING_TIMEOUT);
            management.received(vec![write]);
        }
        assert_eq!(management.handled(), 0);
        poll_fn(|cx| management.poll_settled(cx)).await.unwrap();
        assert_eq!(management.handled(), 3);
        assert_eq!(start.elapsed(), SETTLING_TIMEOUT);
    }
}
