//! What waits to be sent to a peer: a queue with two bounds, one reader, and no writer that waits.
//!
//! It outlives connections: while a peer is away, what is for it waits here up to the bounds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::hooks::{Durable, Mail};
use crate::proto::Kind;

/// How much may wait for a peer.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Stanzas.
    pub stanzas_max: usize,
    /// Bytes, by [`crate::proto::Stanza::weight`]. One stanza is taken however large it is.
    pub bytes_max: usize,
}

/// Why a stanza was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A bound is reached.
    Full,
    /// Nothing is taken any more.
    Closed,
}

/// A stanza that waits, or that was written and is not acknowledged. Dropping it says that it is no
/// longer this peer's to deliver: it was handed over, or its sender was told that it was not.
#[derive(Debug)]
pub struct Waiting {
    /// The stanza.
    pub stanza: Mail,
    /// Resolves what the sender's acknowledgement waits for, by being dropped.
    _handed_over: Option<oneshot::Sender<()>>,
}

/// How long a sender's acknowledgement waits for a peer (XEP-0198 §4). What waits longer is in memory only
/// until it is handed over or comes back to its sender.
const HANDED_OVER: Duration = Duration::from_secs(15);

/// The queue of one peer.
pub struct Queue {
    limits: QueueLimits,
    held: Mutex<Held>,
    /// Signalled when something comes into an empty queue.
    arrived: Notify,
}

#[derive(Default)]
struct Held {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// An empty one.
    #[must_use]
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            held: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Puts a stanza at the end. For a message, the answer resolves when it is handed over or has come back,
    /// or after fifteen seconds: a peer that stalls must not hold up what its senders do with others.
    ///
    /// # Errors
    /// When a bound is reached, or the queue is closed.
    pub fn put(&self, stanza: Mail) -> Result<Option<Durable>, Refused> {
        let mut held = self.lock();
        if held.closed {
            return Err(Refused::Closed);
        }
        let bytes = held.bytes.saturating_add(stanza.weight());
        let full = held.waiting.len() >= self.limits.stanzas_max || bytes > self.limits.bytes_max;
        if full && !held.waiting.is_empty() {
            return Err(Refused::Full);
        }
        let told = matches!(stanza.kind, Kind::Message(_)).then(oneshot::channel);
        let (sender, receiver) = told.unzip();
        held.bytes = bytes;
        held.waiting.push_back(Waiting {
            stanza,
            _handed_over: sender,
        });
        let was_empty = held.waiting.len() == 1;
        drop(held);
        if was_empty {
            self.arrived.notify_one();
        }
        Ok(receiver.map(|receiver| -> Durable {
            let until = Instant::now() + HANDED_OVER;
            Box::pin(async move {
                // Nothing is ever sent through it: it resolves when the other end is dropped.
                let _ = tokio::time::timeout_at(until, receiver).await;
                Ok(())
            })
        }))
    }

    /// Puts back what was taken and not handed over, in front of what came since. Takes it whatever the
    /// bounds say, for it was within them.
    pub fn put_back(&self, earlier: impl DoubleEndedIterator<Item = Waiting>) {
        let mut held = self.lock();
        for waiting in earlier.rev() {
            held.bytes = held.bytes.saturating_add(waiting.stanza.weight());
            held.waiting.push_front(waiting);
        }
        drop(held);
        self.arrived.notify_one();
    }

    /// Waits until there is something and takes as much as fits into `bytes_max`, at least one stanza.
    /// `None` when the queue is closed and empty. Cancel-safe.
    pub async fn take(&self, bytes_max: usize) -> Option<Vec<Waiting>> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut held = self.lock();
                let taken = held.take(bytes_max);
                if !taken.is_empty() {
                    return Some(taken);
                }
                if held.closed {
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// Takes everything that waits; the queue goes on.
    pub fn drain(&self) -> Vec<Waiting> {
        self.lock().take(usize::MAX)
    }

    /// Takes nothing any more, and gives back everything that waits.
    pub fn close(&self) -> Vec<Waiting> {
        let mut held = self.lock();
        held.closed = true;
        let rest = held.take(usize::MAX);
        drop(held);
        self.arrived.notify_one();
        rest
    }

    /// How many stanzas and bytes wait.
    #[must_use]
    pub fn depth(&self) -> (usize, usize) {
        let held = self.lock();
        (held.waiting.len(), held.bytes)
    }

    /// A panic while the lock was held cannot have left the queue half changed.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn take(&mut self, bytes_max: usize) -> Vec<Waiting> {
        let mut taken = Vec::new();
        let mut bytes = 0_usize;
        while let Some(first) = self.waiting.front() {
            let weight = first.stanza.weight();
            bytes = bytes.saturating_add(weight);
            if bytes > bytes_max && !taken.is_empty() {
                break;
            }
            self.bytes = self.bytes.saturating_sub(weight);
            taken.extend(self.waiting.pop_front());
        }
        taken
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stanzas, bytes) = self.depth();
        write!(f, "Queue({stanzas} stanzas, {bytes} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;
    use crate::proto::{MessageType, PresenceType, Stanza};

    fn queue(stanzas_max: usize, bytes_max: usize) -> Queue {
        Queue::new(QueueLimits {
            stanzas_max,
            bytes_max,
        })
    }

    fn message() -> Mail {
        Arc::new(Stanza::message(MessageType::Chat))
    }

    #[tokio::test]
    async fn it_keeps_the_order_and_its_bounds() {
        let queue = queue(2, usize::MAX);
        let presence = Arc::new(Stanza::presence(PresenceType::Available));
        assert!(queue.put(message()).unwrap().is_some());
        assert!(queue.put(presence).unwrap().is_none());
        assert_eq!(queue.put(message()).err(), Some(Refused::Full));
        let taken = queue.take(usize::MAX).await.unwrap();
        assert!(matches!(taken[0].stanza.kind, Kind::Message(_)));
        assert!(matches!(taken[1].stanza.kind, Kind::Presence(_)));
        assert_eq!(queue.depth(), (0, 0));
    }

    #[tokio::test]
    async fn one_stanza_is_taken_and_given_however_large() {
        let queue = queue(8, 1);
        queue.put(message()).unwrap();
        assert_eq!(queue.put(message()).err(), Some(Refused::Full));
        assert_eq!(queue.take(1).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_message_is_handed_over_when_what_waited_is_dropped() {
        let queue = queue(8, usize::MAX);
        let mut durable = queue.put(message()).unwrap().unwrap();
        let taken = queue.take(usize::MAX).await.unwrap();
        assert!((&mut durable).now_or_never().is_none());
        queue.put_back(taken.into_iter());
        assert!((&mut durable).now_or_never().is_none());
        drop(queue.close());
        assert!(durable.now_or_never().unwrap().is_ok());
        assert_eq!(queue.put(message()).err(), Some(Refused::Closed));
        assert!(queue.take(1).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stalls_holds_nobody_up() {
        let queue = queue(8, usize::MAX);
        let began = Instant::now();
        let all: Vec<_> = (0..8)
            .map(|_| queue.put(message()).unwrap().unwrap())
            .collect();
        for durable in all {
            assert!(durable.await.is_ok());
        }
        // All of them at the same time, and not one after the other.
        assert_eq!(began.elapsed(), HANDED_OVER);
        assert_eq!(queue.depth().0, 8);
    }

    #[tokio::test]
    async fn what_comes_back_stands_before_what_came_since() {
        let queue = queue(8, usize::MAX);
        for id in ["a", "b"] {
            let mut stanza = Stanza::message(MessageType::Chat);
            stanza.id = Some(id.into());
            queue.put(Arc::new(stanza)).unwrap();
        }
        let taken = queue.drain();
        queue.put(message()).unwrap();
        queue.put_back(taken.into_iter());
        let all = queue.drain();
        let ids: Vec<_> = all.iter().map(|it| it.stanza.id.as_deref()).collect();
        assert_eq!(ids, [Some("a"), Some("b"), None]);
    }
}
