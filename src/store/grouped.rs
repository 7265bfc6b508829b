//! Many small writes, one commit: callers hand a record over and wait until it is durable, and
//! one task writes everything that is waiting at once.
//!
//! A commit costs a sync of the disk; sixty-four writers that each commit alone wait for sixty-four.
//! Nothing is held back for the sake of a fuller group but for those who can go on at the same moment: a record that
//! comes alone is written alone, and while it is written the next group gathers. What is looked for can be found in groups,
//! too.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::StoreError;

/// Records that may wait to be written; past that the callers' tasks wait, which slows their own
/// sockets and nobody else's.
pub(super) const QUEUE_RECORDS_MAX: usize = 4_096;

/// Records that may stand behind those, one for each sender that waits; past that they are refused.
const BEHIND_RECORDS_MAX: usize = 16_384;

/// What a group is written by.
pub(super) trait Group: Send + 'static {
    /// One caller's record.
    type Record: Send + Sync + 'static;
    /// What its caller gets.
    type Done: Send + 'static;
    /// Records in one commit.
    const RECORDS_MAX: usize;
    /// How often there is a commit where there are many one behind the other; without pause where it is zero.
    const PACE: Duration = Duration::ZERO;

    /// Writes all of them and returns one answer for each, in their order, once they are durable.
    fn write(
        &mut self,
        records: &[Self::Record],
    ) -> impl Future<Output = Vec<Result<Self::Done, StoreError>>> + Send;
}

/// Commits that may be made one right behind the other where there is a pace.
const COMMITS_AT_ONCE: u32 = 16;

type Waiting<G> = (
    <G as Group>::Record,
    oneshot::Sender<Result<<G as Group>::Done, StoreError>>,
    // Its place, given back when it is taken out.
    Option<OwnedSemaphorePermit>,
);

/// The callers' end of the queue.
pub(super) struct Grouped<G: Group> {
    queue: mpsc::Sender<Waiting<G>>,
    places: Arc<Semaphore>,
}

impl<G: Group> Grouped<G> {
    /// Starts the task that writes; it ends when `stop` is cancelled, after the records that are
    /// queued by then.
    pub(super) fn start(group: G, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_RECORDS_MAX + BEHIND_RECORDS_MAX);
        tasks.spawn(run(group, waiting, stop));
        Self {
            queue,
            places: Arc::new(Semaphore::new(QUEUE_RECORDS_MAX)),
        }
    }

    /// Returns when the record is durable.
    ///
    /// A caller that stops waiting does not take the record back once it is queued.
    ///
    /// # Errors
    /// What the write failed with; [`StoreError::Closed`] when the store is closed.
    pub(super) async fn write(&self, record: G::Record) -> Result<G::Done, StoreError> {
        let (answer, answered) = oneshot::channel();
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| StoreError::Closed)?;
        self.queue
            .try_send((record, answer, Some(place)))
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Queues the record now and gives a future that resolves when it is durable. `false` when there was
    /// no room: it is queued nevertheless, so that none overtakes it and none is lost with its caller,
    /// who is to await it before the next. So there is one too many for each caller at most.
    pub(super) fn begin(
        &self,
        record: G::Record,
    ) -> (bool, BoxFuture<'static, Result<G::Done, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        let answered = async move { answered.await.map_err(|_| StoreError::Closed)? };
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let had_room = place.is_some();
        // Where it is refused, its answer is dropped, and `answered` says that it is not written.
        let queued = self.queue.try_send((record, answer, place)).is_ok();
        (had_room && queued, Box::pin(answered))
    }

    /// Records that wait at this moment.
    pub(super) fn waiting(&self) -> usize {
        QUEUE_RECORDS_MAX - self.places.available_permits()
    }
}

async fn run<G: Group>(
    mut group: G,
    mut waiting: mpsc::Receiver<Waiting<G>>,
    stop: CancellationToken,
) {
    let mut taken = Vec::new();
    let mut allowance = Allowance::new(G::PACE);
    loop {
        let more = tokio::select! {
            count = waiting.recv_many(&mut taken, G::RECORDS_MAX) => count > 0,
            () = stop.cancelled(), if !waiting.is_closed() => {
                waiting.close();
                true
            }
        };
        if !more {
            return;
        }
        allowance.spend().await;
        gather(&mut waiting, &mut taken, G::RECORDS_MAX).await;
        let parts = taken
            .drain(..)
            .map(|(record, answer, _place)| (record, answer));
        let (records, answers): (Vec<_>, Vec<_>) = parts.unzip();
        if records.is_empty() {
            continue;
        }
        let done = group.write(&records).await;
        for (answer, done) in answers.into_iter().zip(done) {
            // A caller that no longer waits needs no answer.
            let _gone = answer.send(done);
        }
    }
}

/// Commits that may be made without a pause; each is given back when the time of one has passed.
struct Allowance {
    pace: Duration,
    /// When all would be there again.
    whole: Instant,
}

impl Allowance {
    fn new(pace: Duration) -> Self {
        let whole = Instant::now();
        Self { pace, whole }
    }

    /// Waits until one is there, and takes it.
    async fn spend(&mut self) {
        if self.pace.is_zero() {
            return;
        }
        let rest = self.pace * (COMMITS_AT_ONCE - 1);
        if let Some(there) = self.whole.checked_sub(rest)
            && there > Instant::now()
        {
            sleep_until(there).await;
        }
        self.whole = self.whole.max(Instant::now()) + self.pace;
    }
}

/// Lets everybody go ahead who can at this moment: what they have belongs to the same group. Nobody waits for anything
/// to happen.
async fn gather<T>(waiting: &mut mpsc::Receiver<T>, taken: &mut Vec<T>, records_max: usize) {
    if taken.is_empty() {
        return;
    }
    tokio::task::yield_now().await;
    while taken.len() < records_max
        && let Ok(record) = waiting.try_recv()
    {
        taken.push(record);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Sizes(Arc<Mutex<Vec<usize>>>);

    impl Group for Sizes {
        type Record = u64;
        type Done = u64;
        const RECORDS_MAX: usize = 256;
        async fn write(&mut self, records: &[u64]) -> Vec<Result<u64, StoreError>> {
            self.0.lock().unwrap().push(records.len());
            tokio::task::yield_now().await;
            records.iter().map(|record| Ok(record * 2)).collect()
        }
    }

    #[tokio::test]
    async fn everyone_gets_the_answer_to_the_own_record_and_groups_form() {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let grouped = Grouped::start(Sizes(Arc::clone(&sizes)), &tasks, stop.clone());
        let writes = (0..1_000).map(|record| grouped.write(record));
        let answers = futures_util::future::join_all(writes).await;
        for (record, answer) in (0..1_000).zip(answers) {
            assert_eq!(answer.unwrap(), record * 2);
        }
        let sizes = sizes.lock().unwrap().clone();
        assert_eq!(sizes.iter().sum::<usize>(), 1_000);
        assert!(sizes.len() <= 10, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size <= Sizes::RECORDS_MAX));
        assert_eq!(grouped.waiting(), 0);
    }

    #[tokio::test]
    async fn what_is_begun_is_written_unawaited_in_order_even_without_room() {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let grouped = Grouped::start(Sizes(Arc::clone(&sizes)), &tasks, stop.clone());
        for record in 0..QUEUE_RECORDS_MAX as u64 + 10 {
            let (queued, written) = grouped.begin(record);
            assert_eq!(queued, record < QUEUE_RECORDS_MAX as u64);
            drop(written);
        }
        assert_eq!(grouped.write(21).await.unwrap(), 42);
        assert_eq!(
            sizes.lock().unwrap().iter().sum::<usize>(),
            QUEUE_RECORDS_MAX + 11
        );
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        let (queued, written) = grouped.begin(0);
        assert!(!queued);
        assert!(matches!(written.await, Err(StoreError::Closed)));
    }

    #[tokio::test]
    async fn stopping_writes_what_is_queued_and_refuses_what_comes_later() {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let grouped = Arc::new(Grouped::start(
            Sizes(Arc::clone(&sizes)),
            &tasks,
            stop.clone(),
        ));
        let queued = tasks.spawn({
            let grouped = Arc::clone(&grouped);
            async move { grouped.write(21).await }
        });
        while grouped.waiting() == 0 && !queued.is_finished() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        assert_eq!(queued.await.unwrap().unwrap(), 42);
        assert!(matches!(grouped.write(1).await, Err(StoreError::Closed)));
    }
}
