//! Mail for many that waits for company. Who comes and goes, and what is said in a room, is told to hundreds,
//! and to each of them many times when many come or speak; a write to a socket costs more than all that such
//! a stanza costs before it. So a session is woken once for all of them that come in a short while.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a presence waits for others. Nobody sees a hundredth of a second, and nothing else waits for
/// it: a message takes along what is there.
const GATHERED: Duration = Duration::from_millis(10);

/// How often what is said in a room lets everything go ahead that can go on at this moment: the first time
/// for what sockets have to say, the second for those who read them.
const YIELDS: usize = 2;

/// When the reader of a mailbox is woken for what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// There is nothing that it is woken for.
    #[default]
    Never,
    /// In a hundredth of a second.
    Soon,
    /// When all have run that can run now.
    Next,
    /// There and then.
    Now,
}

/// The sessions that have something to write, but not at once.
#[derive(Debug, Default)]
pub struct Gathering {
    soon: Round,
    next: Round,
}

/// What wakes the reader of a mailbox.
#[derive(Default)]
pub(super) struct Bell {
    notify: Notify,
    /// Whether it rings in one of the rounds.
    soon: AtomicBool,
    next: AtomicBool,
    /// Whether there is mail still. What was written with something else is gone when its round comes, and to be woken
    /// for nothing costs as much as half a write does.
    has_mail: AtomicBool,
}

/// The bells that are rung together.
#[derive(Default)]
struct Round {
    bells: Mutex<Bells>,
    /// Signalled when the first is put in.
    begun: Notify,
}

#[derive(Default)]
struct Bells {
    /// Whether somebody rings them; until then, and after that, none waits.
    running: bool,
    /// Each once.
    waiting: Vec<Arc<Bell>>,
}

impl Bell {
    /// Waits until it rings; one reader only.
    pub(super) async fn rung(&self) {
        self.notify.notified().await;
    }

    /// Notes whether there is mail. Whoever puts some in says so before it has the bell rung.
    pub(super) fn note(&self, has_mail: bool) {
        self.has_mail.store(has_mail, Ordering::Release);
    }

    /// Rings. Mail that comes from here on has it rung once more.
    pub(super) fn ring(&self) {
        self.notify.notify_one();
    }
}

impl Gathering {
    /// Has the bell rung.
    pub(super) fn ring(&self, bell: &Arc<Bell>, when: Urgency) {
        let round = match when {
            Urgency::Never => return,
            Urgency::Now => return bell.ring(),
            Urgency::Soon if bell.soon.swap(true, Ordering::AcqRel) => return,
            Urgency::Next if bell.next.swap(true, Ordering::AcqRel) => return,
            Urgency::Soon => &self.soon,
            Urgency::Next => &self.next,
        };
        if !round.add(bell) {
            ring_now(bell, when);
        }
    }

    /// Rings the bells, again and again until `stop`, and those that are left by then at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::join!(
            self.go_round(Urgency::Soon, &stop),
            self.go_round(Urgency::Next, &stop)
        );
    }

    async fn go_round(&self, when: Urgency, stop: &CancellationToken) {
        let round = match when {
            Urgency::Soon => &self.soon,
            Urgency::Never | Urgency::Next | Urgency::Now => &self.next,
        };
        round.lock().running = true;
        let mut over = false;
        while !over {
            over = tokio::select! {
                () = stop.cancelled() => true,
                () = gathered(round, when) => false,
            };
            for bell in round.take(!over) {
                ring_now(&bell, when);
            }
        }
    }
}

/// Rings a bell of a round, unless somebody was there before.
fn ring_now(bell: &Bell, when: Urgency) {
    // Not only stored: what was noted before the bell was put into the round is to be seen here.
    let _was_in = match when {
        Urgency::Soon => bell.soon.swap(false, Ordering::AcqRel),
        Urgency::Next => bell.next.swap(false, Ordering::AcqRel),
        Urgency::Never | Urgency::Now => false,
    };
    if bell.has_mail.load(Ordering::Acquire) {
        bell.ring();
    }
}

/// Waits until there are bells, and until they are to ring.
async fn gathered(round: &Round, when: Urgency) {
    round.begun.notified().await;
    if when == Urgency::Soon {
        return tokio::time::sleep(GATHERED).await;
    }
    for _ in 0..YIELDS {
        tokio::task::yield_now().await;
    }
}

impl Round {
    /// Answers whether somebody rings it.
    fn add(&self, bell: &Arc<Bell>) -> bool {
        let mut bells = self.lock();
        if bells.running {
            bells.waiting.push(Arc::clone(bell));
        }
        let (running, first) = (bells.running, bells.waiting.len() == 1);
        drop(bells);
        if running && first {
            self.begun.notify_one();
        }
        running
    }

    fn take(&self, running: bool) -> Vec<Arc<Bell>> {
        let mut bells = self.lock();
        bells.running = running;
        std::mem::take(&mut bells.waiting)
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn lock(&self) -> MutexGuard<'_, Bells> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Round")
            .field("waiting", &self.lock().waiting.len())
            .finish_non_exhaustive()
    }
}
