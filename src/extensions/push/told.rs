//! Which messages a device was told of while they waited for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::proto::BareJid;

/// Messages that are remembered, the newest of them.
const TOLD_MAX: usize = 4_096;

/// A message that waits for one device.
#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    owner: BareJid,
    resource: String,
    received_at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Told(Mutex<VecDeque<Waiting>>);

impl Told {
    /// The device was told of the message that the server got then.
    pub(super) fn note(&self, owner: &BareJid, resource: &str, received_at: Option<Timestamp>) {
        let Some(received_at) = received_at else {
            return;
        };
        let mut told = self.lock();
        if told.len() >= TOLD_MAX {
            told.pop_front();
        }
        told.push_back(Waiting {
            owner: owner.clone(),
            resource: resource.to_owned(),
            received_at,
        });
    }

    /// Whether it was.
    pub(super) fn knows(
        &self,
        owner: &BareJid,
        resource: &str,
        received_at: Option<Timestamp>,
    ) -> bool {
        let told = self.lock();
        told.iter().any(|it| {
            it.owner == *owner && it.resource == resource && Some(it.received_at) == received_at
        })
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
