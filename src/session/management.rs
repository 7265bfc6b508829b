//! XEP-0198: Stream Management, version 1.6.3: what a session counts in both directions.
//!
//! *Received*: a stanza counts as handled when its effects are durable, and so does none behind
//! it; writes are not waited for but polled ([`Management::settled`]).
//! *Sent*: a pointer to each stanza stays here until the client has acknowledged it.

mod received;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;

use tokio::time::{Duration, Instant};
use tracing::warn;

use self::received::Received;
use super::resumables::Resumables;
use crate::clock::Timestamp;
use crate::hooks::{Durable, Mail, Services, Session};
use crate::proto::common::delay::Delay;
use crate::proto::{BareJid, Kind, Stanza, ns};
use crate::store::StoreError;
use crate::stream::management::{Enable, enabled};
use crate::xml::Element;

/// After how many stanzas the client is asked what it has.
const ASK_AFTER_STANZAS: u32 = 8;

/// After how long it is asked when there are fewer.
const ASK_AFTER: Duration = Duration::from_secs(5);

/// How many received stanzas may wait for the disk before no more are read.
const SETTLING_MAX: usize = 1_024;

/// What the operator grants (`[stream_management]`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) resume: Duration,
    pub(super) stanzas_max: usize,
    pub(super) bytes_max: usize,
}

impl Terms {
    pub(super) fn of(services: &Services) -> Self {
        let config = &services.config.stream_management;
        Self {
            resume: config.resume_seconds.duration(),
            stanzas_max: config.unacknowledged_stanzas_max as usize,
            bytes_max: config.unacknowledged_bytes_max.as_usize(),
        }
    }
}

/// The state of a session for which stream management is enabled.
#[derive(Debug)]
pub(super) struct Management {
    resumption: Option<Resumption>,
    received: Received,
    acknowledged: u32,
    unacknowledged: VecDeque<Sent>,
    bytes: usize,
    terms: Terms,
    /// What came while no client was connected; it was never sent.
    waiting: VecDeque<Mail>,
    waiting_bytes: usize,
    /// How many were sent since the client was asked last.
    unasked: u32,
    /// When the first of them was sent.
    unasked_since: Option<Instant>,
    /// Since when an answer is due.
    asked_at: Option<Instant>,
    /// How many stanzas had been sent at the end of a page of kept messages.
    page_end: Option<u32>,
    /// How many of the unacknowledged are of that page.
    page_stanzas: usize,
    page_bytes: usize,
    /// Whether the session is to be given what was kept, and has not been yet.
    backlog_due: bool,
    /// When the client came back last.
    resumed_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Resumption {
    id: Arc<str>,
    time: Duration,
}

#[derive(Debug)]
struct Sent {
    mail: Mail,
    origin: Origin,
}

/// Where a stanza that is sent comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is nowhere else.
    Passing,
    /// It is kept in the database until the whole page is acknowledged.
    Kept,
}

/// What an acknowledgement of more than was sent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSent {
    /// How many stanzas have been sent.
    pub(super) sent: u32,
    /// Whether the count lies before one that was acknowledged already.
    pub(super) backwards: bool,
}

impl Management {
    /// Enables stream management (§3), and gives the answer, behind which stanzas count.
    pub(super) fn enable(
        resumables: &Resumables,
        session: &Arc<Session>,
        terms: Terms,
        asked: Enable,
    ) -> (Box<Self>, Element) {
        let wished = asked.seconds_max.map_or(u64::MAX, u64::from);
        let time = terms.resume.min(Duration::from_secs(wished));
        let resumption = (asked.resumable && !time.is_zero()).then(|| Resumption {
            id: resumables.add(session),
            time,
        });
        let told = resumption
            .as_ref()
            .map(|resumption| (resumption.id.as_ref(), resumption.time.as_secs()));
        let answer = enabled(told);
        let management = Self {
            resumption,
            received: Received::default(),
            acknowledged: 0,
            unacknowledged: VecDeque::new(),
            bytes: 0,
            terms,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            unasked: 0,
            unasked_since: None,
            asked_at: None,
            page_end: None,
            page_stanzas: 0,
            page_bytes: 0,
            backlog_due: false,
            resumed_at: None,
        };
        (Box::new(management), answer)
    }

    /// The SM-ID, when the session can be resumed.
    pub(super) fn id(&self) -> Option<&Arc<str>> {
        self.resumption.as_ref().map(|resumption| &resumption.id)
    }

    /// For how long the session waits for its client.
    pub(super) fn time(&self) -> Duration {
        self.resumption
            .as_ref()
            .map_or(Duration::ZERO, |resumption| resumption.time)
    }

    /// How many stanzas of the client are handled (`h`).
    pub(super) const fn handled(&self) -> u32 {
        self.received.handled
    }

    /// Counts a stanza that was received, with the writes that it is not handled without.
    pub(super) fn received(&mut self, writes: Vec<Durable>) {
        if writes.is_empty() && self.received.settling.is_empty() {
            self.received.handled = self.received.handled.wrapping_add(1);
        } else {
            self.received.settling.push_back(writes);
        }
    }

    /// Whether stanzas wait for the disk.
    pub(super) fn is_settling(&self) -> bool {
        !self.received.settling.is_empty()
    }

    /// Whether so many wait that the next must.
    pub(super) fn is_settling_enough(&self) -> bool {
        self.received.settling.len() >= SETTLING_MAX
    }

    /// What the client is told when it asks (§4). When there is more to come, it is told of that
    /// unasked.
    pub(super) fn answer(&mut self) -> u32 {
        self.received.owed = self.is_settling();
        self.received.handled
    }

    /// What the client is still to be told, once everything is durable.
    pub(super) fn owed(&mut self) -> Option<u32> {
        let due = self.received.owed && !self.is_settling();
        due.then(|| {
            self.received.owed = false;
            self.received.handled
        })
    }

    /// Waits until more of what was received is handled. Cancel-safe.
    ///
    /// # Errors
    /// When a write failed: that stanza is not handled, and never will be.
    pub(super) async fn settled(&mut self) -> Result<(), StoreError> {
        poll_fn(|cx| self.received.poll(cx)).await
    }

    /// Waits until everything that was received is handled.
    ///
    /// # Errors
    /// As [`Management::settled`].
    pub(super) async fn settled_all(&mut self) -> Result<(), StoreError> {
        while self.is_settling() {
            self.settled().await?;
        }
        Ok(())
    }

    /// Notes a stanza that is being sent.
    pub(super) fn sent(&mut self, mail: Mail, origin: Origin) {
        let weight = mail.weight();
        self.bytes = self.bytes.saturating_add(weight);
        if origin == Origin::Kept {
            self.page_stanzas += 1;
            self.page_bytes = self.page_bytes.saturating_add(weight);
        }
        self.unacknowledged.push_back(Sent { mail, origin });
        self.unasked = self.unasked.saturating_add(1);
        if self.unasked_since.is_none() {
            self.unasked_since = Some(Instant::now());
        }
    }

    /// How many stanzas have been sent.
    fn count(&self) -> u32 {
        let unacknowledged = u32::try_from(self.unacknowledged.len()).unwrap_or(u32::MAX);
        self.acknowledged.wrapping_add(unacknowledged)
    }

    /// Whether what waits for the client must go on waiting.
    pub(super) fn must_wait(&self) -> bool {
        self.page_end.is_some()
            || self.unacknowledged.len() >= self.terms.stanzas_max
            || self.bytes >= self.terms.bytes_max
    }

    /// Whether the client was answered far more than it acknowledges. What it asks for itself does
    /// not wait, so this bound is twice the other; a page of kept messages, however large, does not
    /// count.
    pub(super) fn overflows(&self) -> bool {
        let stanzas = self.unacknowledged.len().saturating_sub(self.page_stanzas);
        let bytes = self.bytes.saturating_sub(self.page_bytes);
        stanzas / 2 >= self.terms.stanzas_max || bytes / 2 >= self.terms.bytes_max
    }

    /// Notes what the client has handled (§4).
    ///
    /// # Errors
    /// When it was not sent that many.
    pub(super) fn acknowledge(&mut self, h: u32) -> Result<(), NotSent> {
        let sent = self.count();
        let new = h.wrapping_sub(self.acknowledged);
        let Some(new) = usize::try_from(new)
            .ok()
            .filter(|new| *new <= self.unacknowledged.len())
        else {
            let backwards = self.acknowledged.wrapping_sub(h) <= i32::MAX.unsigned_abs();
            return Err(NotSent { sent, backwards });
        };
        for sent in self.unacknowledged.drain(..new) {
            let weight = sent.mail.weight();
            self.bytes = self.bytes.saturating_sub(weight);
            if sent.origin == Origin::Kept {
                self.page_stanzas = self.page_stanzas.saturating_sub(1);
                self.page_bytes = self.page_bytes.saturating_sub(weight);
            }
        }
        if self.unacknowledged.is_empty() {
            // An idle session holds no buffer.
            self.unacknowledged = VecDeque::new();
            self.unasked = 0;
            self.unasked_since = None;
        }
        self.acknowledged = h;
        self.asked_at = None;
        Ok(())
    }

    /// Notes that a page of kept messages has been sent: nothing else is until the client has it.
    pub(super) fn end_page(&mut self) {
        self.page_end = Some(self.count());
    }

    /// Notes that the session is to be given what was kept.
    pub(super) const fn owe_backlog(&mut self) {
        self.backlog_due = true;
    }

    /// Whether it is to be asked now for what was kept, once; never while a page is on its way, for
    /// whoever asks says that the last one arrived.
    pub(super) fn is_backlog_due(&mut self) -> bool {
        self.page_end.is_none() && std::mem::take(&mut self.backlog_due)
    }

    /// Whether the client has the whole page, once.
    pub(super) fn has_page(&mut self) -> bool {
        let has = self.page_end.is_some_and(|end| {
            // What was sent behind the page may have been acknowledged with it.
            self.acknowledged.wrapping_sub(end) <= i32::MAX.unsigned_abs()
        });
        if has {
            self.page_end = None;
            self.backlog_due = true;
        }
        has
    }

    /// Whether the client is to be asked now what it has.
    pub(super) fn is_request_due(&self) -> bool {
        self.asked_at.is_none()
            && (self.unasked >= ASK_AFTER_STANZAS || (self.must_wait() && self.unasked > 0))
    }

    /// Notes that it is asked.
    pub(super) fn asked(&mut self, now: Instant) {
        self.unasked = 0;
        self.unasked_since = None;
        if self.asked_at.is_none() {
            self.asked_at = Some(now);
        }
    }

    /// Whether an answer is due.
    pub(super) const fn is_asked(&self) -> bool {
        self.asked_at.is_some()
    }

    /// Whether the client has been asked, and has neither answered nor said anything else for that
    /// long. It was `heard` last then.
    pub(super) fn is_overdue(&self, now: Instant, answer: Duration, heard: Instant) -> bool {
        let asked = self.asked_at;
        asked.is_some_and(|at| now >= at.max(heard) + answer)
    }

    /// Whether it should be asked because time has passed.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        let due = |since| now >= since + ASK_AFTER;
        self.asked_at.is_none() && self.unasked_since.is_some_and(due)
    }

    /// When one of the last two will be.
    pub(super) fn next_moment(&self, answer: Duration, heard: Instant) -> Option<Instant> {
        match self.asked_at {
            Some(at) => Some(at.max(heard) + answer),
            None => self.unasked_since.map(|since| since + ASK_AFTER),
        }
    }

    /// Takes what waits for a client that is not connected, and tells whether there is room.
    pub(super) fn wait(&mut self, mail: impl IntoIterator<Item = Mail>) -> bool {
        for mail in mail {
            self.waiting_bytes = self.waiting_bytes.saturating_add(mail.weight());
            self.waiting.push_back(mail);
        }
        self.unacknowledged.len() + self.waiting.len() <= self.terms.stanzas_max
            && self.bytes.saturating_add(self.waiting_bytes) <= self.terms.bytes_max
    }

    /// Everything that the client may not have, the oldest first.
    pub(super) fn left(&self) -> impl Iterator<Item = &Mail> {
        let sent = self.unacknowledged.iter().map(|sent| &sent.mail);
        sent.chain(&self.waiting)
    }

    /// Begins anew on another connection: gives what is to be sent again, and what has waited.
    pub(super) fn resume(&mut self, now: Timestamp) -> (Vec<Mail>, VecDeque<Mail>) {
        self.resumed_at = Some(now);
        self.received.owed = false;
        self.asked_at = None;
        self.waiting_bytes = 0;
        let again: Vec<_> = self
            .unacknowledged
            .iter()
            .map(|sent| Arc::clone(&sent.mail))
            .collect();
        self.unasked = u32::try_from(again.len()).unwrap_or(u32::MAX);
        self.unasked_since = (!again.is_empty()).then(Instant::now);
        (again, std::mem::take(&mut self.waiting))
    }

    /// The message with the time when it came (XEP-0203), where that was before the client came back:
    /// it would take it for a new one. What is told again is what came, without it.
    pub(super) fn stamped(&self, mail: &Mail, session: &Session) -> Option<Stanza> {
        let stamp = mail.received_at?;
        let is_late = matches!(mail.kind, Kind::Message(_))
            && self.resumed_at.is_some_and(|resumed| stamp < resumed)
            && !mail
                .payload
                .iter()
                .any(|it| it.is(Some(ns::DELAY), "delay"));
        let host = session.account().jid().domain();
        let delay = || Delay {
            from: Some(BareJid::from_parts(None, host).into()),
            stamp,
        };
        is_late.then(|| Stanza::clone(mail).child(&delay().to_element()))
    }

    /// Ends the management, and gives what the client may not have and nobody else keeps.
    pub(super) async fn end(mut self, resumables: &Resumables) -> impl Iterator<Item = Mail> {
        if let Err(error) = self.settled_all().await {
            warn!(%error, "a stanza is not handled");
        }
        if let Some(Resumption { id, .. }) = &self.resumption {
            resumables.end(id, self.received.handled);
        }
        let sent = self.unacknowledged.into_iter();
        let passing = sent.filter(|sent| sent.origin == Origin::Passing);
        passing.map(|sent| sent.mail).chain(self.waiting)
    }
}

#[cfg(test)]
mod tests;
