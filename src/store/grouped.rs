//! Many small writes, one commit: callers hand a record over and wait until it is durable, and
//! one task writes everything that is waiting at once.
//!
//! A commit costs a sync of the disk; sixty-four writers that each commit alone wait for sixty-four.
//! A record that comes alone is written alone, and while it is written the next group gathers. Where there are so many one behind
//! the other that each commit would hold one or two of them all the time, there is a commit only now and then
//! ([`Group::PACE`]): a commit costs ten times what a record in it does. What is looked for can be found in groups, too.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either};
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
    /// From commit to commit where many records come one behind the other; zero where nothing waits for company.
    const PACE: Duration = Duration::ZERO;

    /// Writes all of them and returns one answer for each, in their order, once they are durable.
    fn write(
        &mut self,
        records: &[Self::Record],
    ) -> impl Future<Output = Vec<Result<Self::Done, StoreError>>> + Send;
}

/// Commits that may be made one right behind the other where there is a pace.
const COMMITS_AT_ONCE: u32 = 16;

/// The same for few who write without pause, once it is known that they are few.
const COMMITS_AT_ONCE_MAX: u32 = 1_024;

/// Fewer records than these that come in the time of one commit are not worth waiting for.
const COMPANY: u32 = 8;

type Waiting<R, D> = (
    R,
    oneshot::Sender<Result<D, StoreError>>,
    // Its place, given back when it is taken out.
    Option<OwnedSemaphorePermit>,
);

/// The callers' end of the queue.
pub(super) struct Grouped<G: Group> {
    queue: mpsc::Sender<Waiting<G::Record, G::Done>>,
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

    /// Queues the record, at once where there is room, and resolves when it is durable.
    ///
    /// A caller that stops waiting does not take the record back once it is queued.
    ///
    /// # Errors
    /// What the write failed with; [`StoreError::Closed`] when the store is closed.
    pub(super) fn write(
        &self,
        record: G::Record,
    ) -> impl Future<Output = Result<G::Done, StoreError>> + Send + use<G> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => {
                let (answer, answered) = oneshot::channel();
                // Where it is refused, its answer is dropped, and `answered` says that it is not written.
                let _closed = self.queue.try_send((record, answer, Some(place)));
                Either::Left(durable(answered))
            }
            // On the heap with its record: what waits for an answer alone is small.
            Err(_) => Either::Right(Box::pin(put_behind(
                self.queue.clone(),
                Arc::clone(&self.places),
                record,
            ))),
        }
    }

    /// Queues the record now and gives a future that resolves when it is durable. `false` when there was
    /// no room: it is queued nevertheless, so that none overtakes it and none is lost with its caller,
    /// who is to await it before the next. So there is one too many for each caller at most.
    pub(super) fn begin(
        &self,
        record: G::Record,
    ) -> (bool, BoxFuture<'static, Result<G::Done, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let had_room = place.is_some();
        // Where it is refused, its answer is dropped, and `answered` says that it is not written.
        let queued = self.queue.try_send((record, answer, place)).is_ok();
        (had_room && queued, Box::pin(durable(answered)))
    }

    /// Records that wait at this moment.
    pub(super) fn waiting(&self) -> usize {
        QUEUE_RECORDS_MAX - self.places.available_permits()
    }
}

/// Waits for room first.
async fn put_behind<R, D>(
    queue: mpsc::Sender<Waiting<R, D>>,
    places: Arc<Semaphore>,
    record: R,
) -> Result<D, StoreError> {
    let place = places.acquire_owned().await;
    let place = place.map_err(|_| StoreError::Closed)?;
    let (answer, answered) = oneshot::channel();
    queue
        .try_send((record, answer, Some(place)))
        .map_err(|_| StoreError::Closed)?;
    drop(queue);
    durable(answered).await
}

async fn durable<D>(answered: oneshot::Receiver<Result<D, StoreError>>) -> Result<D, StoreError> {
    answered.await.map_err(|_| StoreError::Closed)?
}

async fn run<G: Group>(
    mut group: G,
    mut waiting: mpsc::Receiver<Waiting<G::Record, G::Done>>,
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
        gather(&mut waiting, &mut taken, G::RECORDS_MAX).await;
        let there = taken.len();
        if (1..G::RECORDS_MAX).contains(&there)
            && let Some(waited) = allowance.take().await
        {
            gather(&mut waiting, &mut taken, G::RECORDS_MAX).await;
            allowance.judge(taken.len() - there, waited);
        }
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
    commits: u32,
    /// When all will be there again.
    whole: Instant,
}

impl Allowance {
    fn new(pace: Duration) -> Self {
        Self {
            pace,
            commits: COMMITS_AT_ONCE,
            whole: Instant::now(),
        }
    }

    /// Takes one, and waits for it where there is none; how long.
    async fn take(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let there = self.whole.checked_sub(self.pace * (self.commits - 1));
        let there = there.filter(|there| *there > now);
        self.whole = self.whole.max(now) + self.pace;
        let there = there?;
        sleep_until(there).await;
        Some(there - now)
    }

    /// Looks at what waiting has brought. Where it is little, those who write are few, and each waits for its record before it
    /// brings the next: all commits are there again, and it is looked at half as often from then on. Too short a wait says
    /// nothing.
    fn judge(&mut self, records: usize, waited: Duration) {
        if waited * COMPANY < self.pace {
            return;
        }
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let now = Instant::now();
        if self.pace.saturating_mul(records) < waited * COMPANY {
            self.commits = (self.commits * 2).min(COMMITS_AT_ONCE_MAX);
            self.whole = now;
        } else {
            self.commits = COMMITS_AT_ONCE;
            self.whole = self.whole.min(now + self.pace * self.commits);
        }
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

    struct Paced(Sizes);

    impl Group for Paced {
        type Record = u64;
        type Done = u64;
        const RECORDS_MAX: usize = 256;
        const PACE: Duration = Duration::from_millis(20);
        async fn write(&mut self, records: &[u64]) -> Vec<Result<u64, StoreError>> {
            self.0.write(records).await
        }
    }

    fn paced() -> (Grouped<Paced>, Arc<Mutex<Vec<usize>>>) {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let group = Paced(Sizes(Arc::clone(&sizes)));
        let grouped = Grouped::start(group, &TaskTracker::new(), CancellationToken::new());
        (grouped, sizes)
    }

    #[tokio::test(start_paused = true)]
    async fn many_one_behind_the_other_share_commits() {
        let (grouped, sizes) = paced();
        let writes = (0..1_000).map(|record| {
            let grouped = &grouped;
            async move {
                tokio::time::sleep(Duration::from_millis(record)).await;
                grouped.write(record).await
            }
        });
        for answer in futures_util::future::join_all(writes).await {
            answer.unwrap();
        }
        let sizes = sizes.lock().unwrap().clone();
        let at_once = sizes.iter().take_while(|size| **size == 1).count();
        // Some of what was used is there again meanwhile.
        assert!((15..=20).contains(&at_once), "{sizes:?}");
        // The first of them gets what is left of the time of one.
        let shared = sizes.get(at_once + 1..sizes.len() - 1).unwrap();
        assert!(
            shared.iter().all(|size| (15..=25).contains(size)),
            "{sizes:?}"
        );
    }

    /// Who has to wait for one record before it brings the next has no use for company.
    #[tokio::test(start_paused = true)]
    async fn few_who_wait_for_their_records_are_kept_from_nothing() {
        for few in [1, 3] {
            let (grouped, sizes) = paced();
            let began = Instant::now();
            for record in 0..5_000 {
                let writes = (0..few).map(|_| grouped.write(record));
                futures_util::future::join_all(writes).await;
            }
            assert_eq!(sizes.lock().unwrap().len(), 5_000, "{few}");
            // They are found to be few again and again, but ever more seldom.
            let waits: [u32; 9] = [16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024];
            let most: Duration = waits.iter().map(|_| Paced::PACE).sum();
            assert!(began.elapsed() <= most, "{few}");
        }
    }

    /// Few were known to be few; that does not keep many from sharing commits soon.
    #[tokio::test(start_paused = true)]
    async fn many_who_come_behind_few_share_commits() {
        let (grouped, sizes) = paced();
        for record in 0..5_000 {
            grouped.write(record).await.unwrap();
        }
        sizes.lock().unwrap().clear();
        let writes = (0..4_000).map(|record| {
            let grouped = &grouped;
            async move {
                tokio::time::sleep(Duration::from_millis(record)).await;
                grouped.write(record).await
            }
        });
        futures_util::future::join_all(writes).await;
        let sizes = sizes.lock().unwrap().clone();
        let alone = sizes.iter().take_while(|size| **size == 1).count();
        let most = COMMITS_AT_ONCE_MAX as usize * 11 / 10;
        assert!(alone <= most, "{alone}");
        let shared = sizes.get(alone + 1..sizes.len() - 1).unwrap();
        assert!(shared.len() > 100, "{sizes:?}");
        assert!(
            shared.iter().all(|size| (15..=25).contains(size)),
            "{shared:?}"
        );
    }

    /// Nobody waits for more than fits.
    #[tokio::test(start_paused = true)]
    async fn a_full_group_waits_for_nothing() {
        let (grouped, sizes) = paced();
        let began = Instant::now();
        let begun: Vec<_> = (0..30 * 256).map(|it| grouped.begin(it).1).collect();
        for answer in futures_util::future::join_all(begun).await {
            answer.unwrap();
        }
        assert_eq!(*sizes.lock().unwrap(), [256; 30]);
        assert_eq!(began.elapsed(), Duration::ZERO);
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
