//! Publishing that was begun: whose it is, until the push service answers; and which messages a device
//! was told of while they waited for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::proto::{BareJid, Jid};

/// Requests without an answer that are remembered; a service that does not answer is passed over.
const ASKED_MAX: usize = 10_000;

/// Messages that are remembered, the newest of them.
const TOLD_MAX: usize = 4_096;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Publishing {
    pub(super) owner: BareJid,
    pub(super) service: Jid,
    pub(super) node: String,
}

/// A message that waits for one device.
#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    owner: BareJid,
    resource: String,
    received_at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Asked {
    /// By ids that sort by time.
    requests: Mutex<BTreeMap<String, Publishing>>,
    told: Mutex<VecDeque<Waiting>>,
}

impl Asked {
    pub(super) fn begin(&self, id: String, publishing: Publishing) {
        let mut requests = lock(&self.requests);
        requests.insert(id, publishing);
        if requests.len() > ASKED_MAX {
            requests.pop_first();
        }
    }

    /// The request of that id, if it went to `from`; it is over with that.
    pub(super) fn end(&self, id: &str, from: &Jid) -> Option<Publishing> {
        let mut requests = lock(&self.requests);
        let asked = requests.get(id)?;
        if asked.service != *from {
            return None;
        }
        requests.remove(id)
    }

    /// The device was told of the message that the server got then.
    pub(super) fn note(&self, owner: &BareJid, resource: &str, received_at: Option<Timestamp>) {
        let Some(received_at) = received_at else {
            return;
        };
        let mut told = lock(&self.told);
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
        let told = lock(&self.told);
        told.iter().any(|it| {
            it.owner == *owner && it.resource == resource && Some(it.received_at) == received_at
        })
    }
}

/// A panic while a lock was held cannot have left what it guards half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
