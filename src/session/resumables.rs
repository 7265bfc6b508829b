//! Which sessions can be resumed, by their SM-ID (XEP-0198 §5).
//!
//! The task that owns a session hands it over itself: whoever wants it leaves a way to send it here,
//! and the task is told to look. Between the two the session belongs to nobody but one of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::management::Management;
use crate::hooks::Session;
use crate::proto::BareJid;
use crate::stream::management::NotResumed;

/// How many sessions that are over are remembered, with the count that their clients want to know
/// (§5): some megabytes at most.
const OVER_MAX: usize = 10_000;

/// A session on its way to another connection.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) session: Arc<Session>,
    pub(super) management: Box<Management>,
}

/// The sessions of this node that can be resumed. Those of an account are as many as its resources.
#[derive(Debug, Default)]
pub struct Resumables(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    living: HashMap<Arc<str>, Living>,
    over: HashMap<Arc<str>, Over>,
    /// The keys of `over`, the oldest first.
    order: VecDeque<Arc<str>>,
}

#[derive(Debug)]
struct Living {
    session: Arc<Session>,
    wanted_by: Option<oneshot::Sender<Handover>>,
}

#[derive(Debug)]
struct Over {
    account: BareJid,
    h: u32,
}

impl Resumables {
    /// Notes a session under a new SM-ID, which nobody can guess.
    pub(super) fn add(&self, session: &Arc<Session>) -> Arc<str> {
        let id: Arc<str> = crate::id::random().into();
        let living = Living {
            session: Arc::clone(session),
            wanted_by: None,
        };
        self.lock().living.insert(Arc::clone(&id), living);
        id
    }

    /// Asks for the session of that SM-ID, which its task then sends.
    ///
    /// # Errors
    /// When it is not there, or not that account's, which looks the same.
    pub(super) fn want(
        &self,
        id: &str,
        account: &BareJid,
    ) -> Result<oneshot::Receiver<Handover>, NotResumed> {
        let mut known = self.lock();
        let living = known.living.get_mut(id);
        let Some(living) = living.filter(|it| it.session.account().jid() == account) else {
            return Err(known.unknown(id, account));
        };
        let (sender, receiver) = oneshot::channel();
        // Whoever asked before waits for nothing any more: the later connection is the better.
        living.wanted_by = Some(sender);
        // Under the lock, as it is taken back: whoever asked is seen, and nobody who did not.
        living.session.ask_to_hand_over();
        Ok(receiver)
    }

    /// Who wants the session; nobody who has given up meanwhile.
    pub(super) fn wanted_by(&self, id: &str) -> Option<oneshot::Sender<Handover>> {
        let mut known = self.lock();
        let living = known.living.get_mut(id)?;
        living.session.take_hand_over();
        let sender = living.wanted_by.take()?;
        (!sender.is_closed()).then_some(sender)
    }

    /// Notes that the session is over, with the count of stanzas that were handled.
    pub(super) fn end(&self, id: &Arc<str>, h: u32) {
        let mut known = self.lock();
        let Some(living) = known.living.remove(id) else {
            return;
        };
        let account = living.session.account().jid().clone();
        known.over.insert(Arc::clone(id), Over { account, h });
        known.order.push_back(Arc::clone(id));
        if known.order.len() > OVER_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.over.remove(&oldest);
        }
    }

    /// What to tell of a session that is not there.
    pub(super) fn unknown(&self, id: &str, account: &BareJid) -> NotResumed {
        self.lock().unknown(id, account)
    }

    /// A panic while the lock was held cannot have left the maps half changed.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn unknown(&self, id: &str, account: &BareJid) -> NotResumed {
        let over = self.over.get(id).filter(|over| over.account == *account);
        NotResumed::Unknown {
            h: over.map(|over| over.h),
        }
    }
}
