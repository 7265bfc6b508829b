//! Which session of an account is being given what was kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::hooks::Session;
use crate::store::OfflineMessage;

/// Which session of the account is being given the messages; in the account's slots. Two that come
/// at once must not both get them.
#[derive(Debug, Default)]
pub(super) struct Giving(Mutex<Option<Turn>>);

#[derive(Debug)]
struct Turn {
    session: Weak<Session>,
    /// What was handed to the session's task last.
    given: Vec<i64>,
    /// What lay in a mailbox when the turn began, and is not given in it.
    elsewhere: Vec<i64>,
    /// Whether a message was written that the last reading may have missed.
    late: bool,
}

impl Giving {
    pub(super) fn of(session: &Session) -> Arc<Self> {
        session.account().slots().find_or(Self::default)
    }

    /// Takes the turn and what was given in it; `None` while it is another's. `handed` tells what
    /// lies in a mailbox: asked while nothing can be put there.
    pub(super) fn claim(
        &self,
        session: &Arc<Session>,
        handed: impl FnOnce() -> Vec<i64>,
    ) -> Option<Vec<i64>> {
        let mut turn = self.lock();
        match &mut *turn {
            Some(turn) if turn.is_of(session) => {
                return Some(std::mem::take(&mut turn.given));
            }
            // The turn of a session that was replaced has ended with it, and one without a
            // connection has given it up: what it was given is not known to have arrived.
            Some(other) if other.is_live() => return None,
            Some(_) | None => {}
        }
        *turn = Some(Turn {
            session: Arc::downgrade(session),
            given: Vec::new(),
            elsewhere: handed(),
            late: false,
        });
        Some(Vec::new())
    }

    /// Notes what is given now; nothing ends the turn. `false` when there is nothing and it must be
    /// looked again.
    pub(super) fn give(&self, session: &Arc<Session>, ids: Vec<i64>) -> bool {
        let mut turn = self.lock();
        if let Some(own) = turn.as_mut().filter(|turn| turn.is_of(session)) {
            if !ids.is_empty() {
                own.given = ids;
            } else if std::mem::take(&mut own.late) {
                return false;
            } else {
                *turn = None;
            }
        }
        true
    }

    /// Runs `note` for a message that is to go into a mailbox, unless somebody has the turn: that
    /// session finds the message by itself, and the answer is `false`.
    pub(super) fn note_handed(&self, id: i64, note: impl FnOnce()) -> bool {
        let mut turn = self.lock();
        match turn.as_mut() {
            Some(turn) if turn.is_live() => {
                turn.look_for(id);
                false
            }
            Some(turn) => {
                // It may come back to its turn.
                turn.elsewhere.push(id);
                note();
                true
            }
            None => {
                note();
                true
            }
        }
    }

    /// Notes that a message is there which the last reading may have missed.
    pub(super) fn note_late(&self, id: i64) {
        if let Some(turn) = self.lock().as_mut() {
            turn.look_for(id);
        }
    }

    /// Takes away what lies in a mailbox.
    pub(super) fn leave_out_handed(&self, page: &mut Vec<OfflineMessage>) {
        if let Some(turn) = self.lock().as_ref() {
            page.retain(|message| !turn.elsewhere.contains(&message.id));
        }
    }

    /// Ends the session's turn, and tells whether it had it.
    pub(super) fn end(&self, session: &Arc<Session>) -> bool {
        let mut turn = self.lock();
        let had = turn.as_ref().is_some_and(|turn| turn.is_of(session));
        if had {
            *turn = None;
        }
        had
    }

    /// A panic while the lock was held cannot have left the turn half changed.
    fn lock(&self) -> MutexGuard<'_, Option<Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn look_for(&mut self, id: i64) {
        self.elsewhere.retain(|known| *known != id);
        self.late = true;
    }

    fn is_of(&self, session: &Arc<Session>) -> bool {
        std::ptr::eq(self.session.as_ptr(), Arc::as_ptr(session))
    }

    /// Whether the session is there, with a client at its other end.
    fn is_live(&self) -> bool {
        self.session.upgrade().is_some_and(|session| {
            let sessions = session.account().sessions();
            session.is_connected() && sessions.iter().any(|known| Arc::ptr_eq(known, &session))
        })
    }
}
