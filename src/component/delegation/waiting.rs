//! What a component was asked and has not answered yet, within bounds of number and time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Asked, What, give_back};
use crate::component::place::Place;
use crate::config::Component;
use crate::hooks::Services;
use crate::proto::{Jid, Stanza};

/// The questions to one component.
pub(in crate::component) struct Delegated {
    requests_max: usize,
    patience: Duration,
    waiting: Mutex<Waiting>,
    /// Signalled when there is something to look after that was not known.
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Requests of others.
    by_id: HashMap<String, Asked>,
    /// Those of the server's own.
    questions: HashMap<String, Asked>,
    /// In the order in which they were asked, which is that in which they are due.
    due: VecDeque<(Instant, String)>,
    /// Requests that nobody will answer.
    over: Vec<Stanza>,
}

impl Delegated {
    pub(in crate::component) fn new(config: &Component) -> Self {
        Self {
            requests_max: config.delegated_requests_max as usize,
            patience: config.delegated_seconds.duration(),
            waiting: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Remembers a question of the server's own, of which there are as many as are configured, until the
    /// connection is over.
    pub(super) fn ask(&self, id: String, asked: Asked) {
        self.lock().questions.insert(id, asked);
    }

    /// Remembers a request; `false` when too many wait.
    pub(super) fn try_to_ask(&self, id: String, asked: Asked) -> bool {
        let due = Instant::now() + self.patience;
        let mut waiting = self.lock();
        if waiting.by_id.len() >= self.requests_max {
            return false;
        }
        if waiting.due.len() > 2 * self.requests_max {
            let Waiting { by_id, due, .. } = &mut *waiting;
            due.retain(|(_, id)| by_id.contains_key(id));
        }
        waiting.by_id.insert(id.clone(), asked);
        waiting.due.push_back((due, id));
        let first = waiting.due.len() == 1;
        drop(waiting);
        if first {
            self.changed.notify_one();
        }
        true
    }

    /// Forgets a request that was not sent.
    pub(super) fn forget(&self, id: &str) {
        self.lock().by_id.remove(id);
    }

    /// What the answer with that id, to that address, is for.
    pub(super) fn answered(&self, id: &str, to: &Jid) -> Option<Asked> {
        let mut waiting = self.lock();
        let Waiting {
            by_id, questions, ..
        } = &mut *waiting;
        let all = if by_id.contains_key(id) {
            by_id
        } else {
            questions
        };
        if *to != Jid::from(all.get(id)?.host.clone()) {
            return None;
        }
        all.remove(id)
    }

    /// The connection is over, and with it everything that was asked. Answers with the ids, of which none is
    /// to be sent any more.
    pub(in crate::component) fn give_up(&self) -> HashSet<String> {
        let mut waiting = self.lock();
        waiting.due.clear();
        waiting.questions.clear();
        let mut ids = HashSet::new();
        let asked = std::mem::take(&mut waiting.by_id);
        for (id, asked) in asked {
            ids.insert(id);
            if let What::Request(request) = asked.what {
                waiting.over.push(*request);
            }
        }
        drop(waiting);
        self.changed.notify_one();
        ids
    }

    /// The requests that nobody will answer, up to now, and when to look again.
    pub(super) fn overdue(&self, now: Instant) -> (Vec<Stanza>, Option<Instant>) {
        let mut waiting = self.lock();
        let mut over = std::mem::take(&mut waiting.over);
        while let Some((due, _)) = waiting.due.front() {
            if *due > now {
                break;
            }
            let asked = waiting
                .due
                .pop_front()
                .and_then(|(_, id)| waiting.by_id.remove(&id));
            if let Some(Asked {
                what: What::Request(request),
                ..
            }) = asked
            {
                over.push(*request);
            }
        }
        let next = waiting.due.front().map(|(due, _)| *due);
        (over, next)
    }

    /// How much room the order takes.
    #[cfg(test)]
    pub(super) fn order_len(&self) -> usize {
        self.lock().due.len()
    }

    /// A panic while the lock was held cannot have left anything half changed.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers what the component does not answer in time, until `stop`.
pub(in crate::component) async fn watch(
    place: &Place,
    services: &Services,
    stop: &CancellationToken,
) {
    let delegated = place.delegated();
    loop {
        let changed = delegated.changed.notified();
        let (over, next) = delegated.overdue(Instant::now());
        give_back(over, services).await;
        let due = async {
            match next {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed => {}
            () = due => {}
        }
    }
}

impl fmt::Debug for Delegated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delegated({} waiting)", self.lock().by_id.len())
    }
}
