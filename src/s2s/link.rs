//! What is to be sent from one domain of ours to one other domain, and whether anybody sends it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::dialback::Pair;
use crate::hooks::{Durable, Mail};
use crate::peer::{Queue, QueueLimits, Refused};
use crate::proto::{Condition, StanzaError};

/// A pair of domains and the queue between them. At most one stream at a time sends from it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) pair: Pair,
    pub(super) queue: Queue,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Somebody sends from the queue, or is about to connect for it.
    claimed: bool,
    /// How many attempts in a row have failed.
    failures: u32,
    /// Until when nothing is tried, and what senders are told meanwhile.
    blocked: Option<(Instant, StanzaError)>,
}

/// The right to send from the queue, given back when dropped.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) link: Arc<Link>,
    given_back: bool,
}

impl Link {
    pub(super) fn new(pair: Pair, limits: QueueLimits) -> Self {
        Self {
            pair,
            queue: Queue::new(limits),
            state: Mutex::default(),
        }
    }

    /// Puts a stanza into the queue. The claim is the caller's to serve when there was nobody to send.
    ///
    /// # Errors
    /// What the sender is told.
    pub(super) fn put(
        self: &Arc<Self>,
        stanza: Mail,
        now: Instant,
    ) -> Result<(Option<Durable>, Option<Claim>), StanzaError> {
        let mut state = self.lock();
        if let Some((until, error)) = &state.blocked {
            if !state.claimed && now < *until {
                return Err(error.clone());
            }
            state.blocked = None;
        }
        let durable = self.queue.put(stanza).map_err(|refused| {
            StanzaError::new(Condition::ResourceConstraint).text(match refused {
                Refused::Full => "too much waits for this domain already",
                Refused::Closed => "this server stops",
            })
        })?;
        Ok((durable, self.claim_locked(&mut state)))
    }

    /// The right to send, when nobody has it. What was wrong before is forgotten: there is a stream.
    pub(super) fn claim(self: &Arc<Self>) -> Option<Claim> {
        self.claim_locked(&mut self.lock())
    }

    fn claim_locked(self: &Arc<Self>, state: &mut State) -> Option<Claim> {
        if state.claimed {
            return None;
        }
        state.claimed = true;
        Some(Claim {
            link: Arc::clone(self),
            given_back: false,
        })
    }

    /// A stream came about.
    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        state.failures = 0;
        state.blocked = None;
    }

    /// An attempt failed. From now on nothing is taken before the time that `until` makes of the number of
    /// failures in a row.
    pub(super) fn failed(&self, error: StanzaError, until: impl FnOnce(u32) -> Instant) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        state.blocked = Some((until(state.failures), error));
        // Whoever holds the claim still does, and empties the queue now.
        state.claimed = false;
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        let state = self.lock();
        let blocked = state
            .blocked
            .as_ref()
            .is_some_and(|(until, _)| now < *until);
        !state.claimed && !blocked && self.queue.depth().0 == 0
    }

    /// Until when nothing is tried, when nobody serves it and nothing waits: only that would be lost with it.
    pub(super) fn backs_off_until(&self) -> Option<Instant> {
        let state = self.lock();
        let (until, _) = state.blocked.as_ref()?;
        (!state.claimed && self.queue.depth().0 == 0).then_some(*until)
    }

    /// A panic while the lock was held cannot have left the state half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Gives the right back, unless something waits: then it is still the caller's.
    pub(super) fn give_back_if_idle(mut self) -> Option<Self> {
        let link = Arc::clone(&self.link);
        let mut state = link.lock();
        if link.queue.depth().0 > 0 {
            drop(state);
            return Some(self);
        }
        state.claimed = false;
        self.given_back = true;
        drop(state);
        None
    }

    /// After [`Link::failed`], which has taken the right already.
    pub(super) fn forget(mut self) {
        self.given_back = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.given_back {
            self.link.lock().claimed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::proto::{MessageType, Stanza};

    fn link() -> Arc<Link> {
        let pair = Pair {
            local: "a.example".to_owned(),
            remote: "b.example".to_owned(),
        };
        let limits = QueueLimits {
            stanzas_max: 2,
            bytes_max: usize::MAX,
        };
        Arc::new(Link::new(pair, limits))
    }

    fn message() -> Mail {
        Arc::new(Stanza::message(MessageType::Chat))
    }

    #[tokio::test]
    async fn one_at_a_time_sends_and_nothing_is_left_behind() {
        let (link, now) = (link(), Instant::now());
        let (_, claim) = link.put(message(), now).unwrap();
        let claim = claim.unwrap();
        assert!(link.put(message(), now).unwrap().1.is_none());
        assert!(link.claim().is_none());
        let full = link.put(message(), now).err().unwrap();
        assert_eq!(full.condition, Condition::ResourceConstraint);
        let claim = claim.give_back_if_idle().expect("something waits");
        link.queue.drain();
        assert!(claim.give_back_if_idle().is_none());
        assert!(link.is_forgettable(now));
        drop(link.claim().unwrap());
        assert!(link.put(message(), now).unwrap().1.is_some());
    }

    #[tokio::test]
    async fn after_a_failure_senders_are_told_until_it_is_tried_again() {
        let (link, now) = (link(), Instant::now());
        let (_, claim) = link.put(message(), now).unwrap();
        let later = now + Duration::from_secs(5);
        let error = StanzaError::new(Condition::RemoteServerTimeout);
        link.failed(error.clone(), |failures| {
            assert_eq!(failures, 1);
            later
        });
        claim.unwrap().forget();
        link.queue.drain();
        assert_eq!(link.put(message(), now).err().unwrap(), error);
        assert!(!link.is_forgettable(now));
        let (_, claim) = link.put(message(), later).unwrap();
        assert!(claim.is_some());
        link.failed(error, |failures| {
            assert_eq!(failures, 2);
            later
        });
        claim.unwrap().forget();
        // They have come to us meanwhile.
        let claim = link.claim().unwrap();
        link.succeeded();
        assert!(link.put(message(), now).is_ok());
        drop(claim);
    }
}
