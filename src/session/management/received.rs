//! What was received, and how much of it is durable (XEP-0198 §4).

use std::collections::VecDeque;
use std::task::{Context, Poll};

use crate::hooks::Durable;
use crate::store::StoreError;

/// What was received and how much of it is durable.
#[derive(Default)]
pub(super) struct Received {
    pub(super) handled: u32,
    /// The writes of each stanza that is not handled yet, the oldest first.
    pub(super) settling: VecDeque<Vec<Durable>>,
    /// The client has asked, and was told less than it has sent.
    pub(super) owed: bool,
}

impl Received {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        let mut progress = Poll::Pending;
        while let Some(writes) = self.settling.front_mut() {
            while let Some(write) = writes.last_mut() {
                match write.as_mut().poll(cx) {
                    Poll::Ready(Ok(())) => drop(writes.pop()),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return progress,
                }
            }
            self.settling.pop_front();
            self.handled = self.handled.wrapping_add(1);
            progress = Poll::Ready(Ok(()));
        }
        // An idle session holds no buffer.
        self.settling = VecDeque::new();
        progress
    }
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received")
            .field("handled", &self.handled)
            .field("settling", &self.settling.len())
            .finish_non_exhaustive()
    }
}
