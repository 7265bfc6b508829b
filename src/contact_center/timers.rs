//! What time changes: deadlines are stored with their records, so that a restart loses none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::center::Center;
use super::contacts;
use super::errors::Refused;
use super::follow_ups;
use super::{agents, im, interactions};
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::store::{DueRecord, StoreError};

/// Records that are read at once.
const PAGE: u32 = 100;

/// The longest sleep: a clock that was set is noticed within it.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// The shortest: what fails at once is not tried at once.
const SLEEP_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What a kind of record does when its time has come.
type TimeIsUp = fn(Arc<Center>, Arc<Services>, String) -> BoxFuture<'static, Result<(), Refused>>;

/// The kinds of records that time changes.
const KINDS: &[(&str, TimeIsUp)] = &[
    (agents::KIND, |center, services, id| {
        Box::pin(agents::time_is_up(center, services, id))
    }),
    (im::KIND, |center, services, id| {
        Box::pin(im::time_is_up(center, services, id))
    }),
    (interactions::KIND, |center, services, id| {
        Box::pin(interactions::time_is_up(center, services, id))
    }),
    (follow_ups::KIND, |center, services, id| {
        Box::pin(follow_ups::time_is_up(center, services, id))
    }),
    (contacts::EMAIL, |center, services, id| {
        Box::pin(contacts::email_is_due(center, services, id))
    }),
];

/// When the next record is due, as far as whoever waits for it knows.
#[derive(Debug, Default)]
pub(super) struct Timers {
    next: Mutex<Option<Timestamp>>,
    sooner: Notify,
}

impl Timers {
    /// A record was written that is due then.
    pub(super) fn expect(&self, due: Option<Timestamp>) {
        let Some(due) = due else { return };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| due < next) {
            *next = Some(due);
            self.sooner.notify_one();
        }
    }

    /// That is what the database says; something sooner may have been written since.
    fn learn(&self, due: Option<Timestamp>) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = next.into_iter().chain(due).min();
    }

    fn set(&self, due: Option<Timestamp>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = due;
    }
}

/// Does what is due, until it is told to stop.
pub(super) async fn run(center: Arc<Center>, services: Arc<Services>, stop: CancellationToken) {
    loop {
        let pause = match turn(&center, &services).await {
            Ok(pause) => pause,
            Err(error) => {
                error!(%error, "what is due cannot be read");
                SLEEP_AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = center.timers.sooner.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Does what is due now and tells how long to sleep. What stays due, such as that of a host that is served no longer,
/// has another turn with the next one.
async fn turn(center: &Arc<Center>, services: &Arc<Services>) -> Result<Duration, StoreError> {
    // Forgotten before the look: what is written after it is noticed again.
    center.timers.set(None);
    let records = services.store.records();
    let now = services.clock.now();
    let mut failed = false;
    let mut last: Option<DueRecord> = None;
    loop {
        let page = records.due(now, last.as_ref(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        for record in &page {
            failed |= !is_done(center, services, record).await;
        }
        last = page.into_iter().next_back();
    }
    if failed {
        return Ok(SLEEP_AFTER_FAILURE);
    }
    let next = records.next_due(now).await?;
    center.timers.learn(next);
    let now = services.clock.now();
    let until = next.map(|next| next.as_micros().saturating_sub(now.as_micros()));
    let until = until.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
    Ok(until.map_or(SLEEP_MAX, |until| until.min(SLEEP_MAX)))
}

async fn is_done(center: &Arc<Center>, services: &Arc<Services>, record: &DueRecord) -> bool {
    let Some((_, time_is_up)) = KINDS.iter().find(|(kind, _)| *kind == record.kind) else {
        error!(kind = record.kind, "nobody knows what is due");
        return false;
    };
    let done = time_is_up(Arc::clone(center), Arc::clone(services), record.id.clone()).await;
    if let Err(refused) = &done {
        warn!(%refused, kind = record.kind, "what is due is not done");
    }
    done.is_ok()
}
