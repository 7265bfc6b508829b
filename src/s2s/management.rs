//! XEP-0198: Stream Management on a stream between servers: acknowledgements, and no resumption. What is
//! not acknowledged when the connection breaks is sent again on the next one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::hooks::Durable;
use crate::peer::Waiting;
use crate::proto::StreamError;
use crate::store::StoreError;
use crate::stream::management::too_high;

/// How many stanzas may have come whose effects are not durable; beyond it nothing is read.
const SETTLING_MAX: usize = 1_024;

/// The counts of one stream, in both directions.
#[derive(Default)]
pub(super) struct Management {
    handled: u32,
    /// The writes of each stanza that is not handled yet, the oldest first.
    settling: VecDeque<Vec<Durable>>,
    /// They have asked, and were told less than they have sent.
    owed: bool,
    acknowledged: u32,
    unacknowledged: VecDeque<Waiting>,
    /// Since when they owe an answer to our question.
    asked: Option<Instant>,
}

impl Management {
    /// A stanza came; it counts when its writes are durable.
    pub(super) fn received(&mut self, writes: Vec<Durable>) {
        if writes.is_empty() && self.settling.is_empty() {
            self.handled = self.handled.wrapping_add(1);
        } else {
            self.settling.push_back(writes);
        }
    }

    /// Whether more may be read.
    pub(super) fn takes_more(&self) -> bool {
        self.settling.len() < SETTLING_MAX
    }

    /// Ready when an answer is due that was not complete before.
    pub(super) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        while let Some(writes) = self.settling.front_mut() {
            while let Some(write) = writes.last_mut() {
                match write.as_mut().poll(cx) {
                    Poll::Ready(Ok(())) => drop(writes.pop()),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            self.settling.pop_front();
            self.handled = self.handled.wrapping_add(1);
        }
        if std::mem::take(&mut self.owed) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// The answer to `<r/>`.
    pub(super) fn handled(&mut self) -> u32 {
        self.owed = !self.settling.is_empty();
        self.handled
    }

    /// What the last `<a/>` before the end of the stream says (§4), after `time` for writes that are not
    /// durable yet; nothing when it would tell nothing.
    pub(super) async fn handled_at_last(&mut self, time: Duration) -> Option<u32> {
        if !self.settling.is_empty() {
            self.owed = true;
            // What is not durable by then is not told, and comes again.
            let _ = timeout(time, poll_fn(|cx| self.poll_settled(cx))).await;
        }
        (self.handled > 0).then_some(self.handled)
    }

    /// Stanzas were sent; `<r/>` follows them.
    pub(super) fn sent(&mut self, stanzas: impl IntoIterator<Item = Waiting>, now: Instant) {
        self.unacknowledged.extend(stanzas);
        self.asked.get_or_insert(now);
    }

    /// How many stanzas wait for an acknowledgement.
    pub(super) fn outstanding(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Since when an answer is waited for.
    pub(super) const fn asked(&self) -> Option<Instant> {
        self.asked
    }

    /// Takes `<a h='…'/>`; how many stanzas were handed over by it.
    ///
    /// # Errors
    /// The end of the stream when they claim more than they were sent (§4).
    pub(super) fn acknowledge(&mut self, h: u32, now: Instant) -> Result<usize, StreamError> {
        let count = usize::try_from(h.wrapping_sub(self.acknowledged)).unwrap_or(usize::MAX);
        if count > self.unacknowledged.len() {
            let outstanding = u32::try_from(self.unacknowledged.len()).unwrap_or(u32::MAX);
            return Err(too_high(h, self.acknowledged.wrapping_add(outstanding)));
        }
        self.unacknowledged.drain(..count);
        self.acknowledged = h;
        if count > 0 {
            // Who acknowledges nothing gets no more time.
            self.asked = (!self.unacknowledged.is_empty()).then_some(now);
        }
        Ok(count)
    }

    /// What was not acknowledged, in order.
    pub(super) fn into_unacknowledged(self) -> VecDeque<Waiting> {
        self.unacknowledged
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;
    use crate::peer::{Queue, QueueLimits};
    use crate::proto::{MessageType, Stanza};

    #[tokio::test]
    async fn what_is_acknowledged_is_handed_over_in_order() {
        let queue = Queue::new(QueueLimits {
            stanzas_max: 8,
            bytes_max: 1 << 20,
        });
        let mut durables = Vec::new();
        for _ in 0..3 {
            let message = Arc::new(Stanza::message(MessageType::Chat));
            durables.push(queue.put(message).unwrap().unwrap());
        }
        let now = Instant::now();
        let mut management = Management::default();
        management.sent(queue.drain(), now);
        assert_eq!(management.acknowledge(2, now), Ok(2));
        let mut done = durables.iter_mut().map(|it| it.now_or_never().is_some());
        assert_eq!(
            [done.next(), done.next(), done.next()],
            [true, true, false].map(Some)
        );
        assert!(management.acknowledge(4, now).is_err());
        assert!(management.acknowledge(1, now).is_err());
        assert_eq!(management.into_unacknowledged().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_acknowledges_nothing_gets_no_more_time() {
        let queue = Queue::new(QueueLimits {
            stanzas_max: 8,
            bytes_max: 1 << 20,
        });
        for _ in 0..2 {
            queue
                .put(Arc::new(Stanza::message(MessageType::Chat)))
                .unwrap();
        }
        let start = Instant::now();
        let later = start + Duration::from_secs(59);
        let mut management = Management::default();
        management.sent(queue.drain(), start);
        assert_eq!(management.acknowledge(0, later), Ok(0));
        assert_eq!(management.asked(), Some(start));
        assert_eq!(management.acknowledge(1, later), Ok(1));
        assert_eq!(management.asked(), Some(later));
        assert_eq!(management.acknowledge(2, later), Ok(1));
        assert_eq!(management.asked(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_acknowledgement_waits_for_writes_and_not_for_ever() {
        let second = Duration::from_secs(1);
        let mut management = Management::default();
        assert_eq!(management.handled_at_last(second).await, None);
        management.received(vec![Box::pin(async move {
            tokio::time::sleep(second / 2).await;
            Ok(())
        })]);
        assert_eq!(management.handled_at_last(second).await, Some(1));
        management.received(vec![Box::pin(std::future::pending())]);
        let start = Instant::now();
        assert_eq!(management.handled_at_last(second).await, Some(1));
        assert_eq!(start.elapsed(), second);
    }

    #[tokio::test]
    async fn what_came_counts_when_it_is_durable_and_in_order() {
        let mut management = Management::default();
        let (done, waits) = tokio::sync::oneshot::channel::<()>();
        management.received(Vec::new());
        management.received(vec![Box::pin(async move {
            let _ = waits.await;
            Ok(())
        })]);
        management.received(Vec::new());
        assert_eq!(management.handled(), 1);
        assert!(
            poll_fn(|cx| management.poll_settled(cx))
                .now_or_never()
                .is_none()
        );
        done.send(()).unwrap();
        poll_fn(|cx| management.poll_settled(cx)).await.unwrap();
        assert_eq!(management.handled(), 3);
    }
}
