//! Agents whose state could not be made what it has to be, since the database failed: after a pause it is tried again,
//! so that nobody stays available without a session, or without the right.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{devices, entitled};
use crate::contact_center::center::Center;
use crate::domain::ids::AgentId;
use crate::hooks::Services;

/// Before what could not be read or written is tried again: a database that is restarted has time, and a grace period is
/// many times longer.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Those agents: each once, so never more than there are.
#[derive(Debug, Default)]
pub(super) struct Behind {
    ids: Mutex<BTreeSet<AgentId>>,
    more: Notify,
}

impl Behind {
    /// The agent is looked at again.
    pub(super) fn add(&self, id: &AgentId) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(id.clone());
        drop(ids);
        self.more.notify_one();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.is_empty()
    }

    fn take(&self) -> BTreeSet<AgentId> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *ids)
    }
}

/// Looks at them again, until it is told to stop. Who cannot be helped now either is there once more afterwards.
pub(in crate::contact_center) async fn run(
    center: Arc<Center>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    let again = async {
        loop {
            center.agents.behind.more.notified().await;
            tokio::time::sleep(PAUSE).await;
            for id in center.agents.behind.take() {
                let Some(place) = center.place_of(id.host()) else {
                    continue;
                };
                Box::pin(devices::follow(&center, &services, place, &id)).await;
                Box::pin(entitled::require(&center, &services, place, &id)).await;
            }
        }
    };
    tokio::select! {
        () = again => {}
        () = stop.cancelled() => {}
    }
}
