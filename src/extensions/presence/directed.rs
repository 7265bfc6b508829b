//! Whom a session has told directly that it is available (RFC 6121 §4.6): they are told when
//! it no longer is.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::hooks::Session;
use crate::proto::{Condition, Jid, StanzaError};

/// The most addresses that one session may direct its presence to. Somebody in several hundred
/// rooms is below it. Who goes beyond is refused: an address that is not remembered would be
/// shown a presence that never ends.
const DIRECTED_MAX: usize = 1_000;

/// The slot of a session.
#[derive(Debug, Default)]
struct Directed(Mutex<BTreeSet<Jid>>);

impl Directed {
    /// A panic while the lock was held cannot have left the set half changed.
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Jid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Remembers that the session is available to that address.
///
/// # Errors
/// `resource-constraint` when it is available to too many.
pub(super) fn remember(session: &Session, to: &Jid) -> Result<(), StanzaError> {
    let directed = session.slots().find_or(Directed::default);
    let mut directed = directed.lock();
    if directed.contains(to) {
        return Ok(());
    }
    if directed.len() >= DIRECTED_MAX {
        return Err(StanzaError::new(Condition::ResourceConstraint)
            .text("the presence is directed to too many addresses"));
    }
    directed.insert(to.clone());
    Ok(())
}

/// The address knows that the session is not available, or refused its presence.
pub(super) fn forget(session: &Session, to: &Jid) {
    if let Some(directed) = session.slots().find::<Directed>() {
        directed.lock().remove(to);
    }
}

/// Whether the session is available to that address.
pub(super) fn contains(session: &Session, to: &Jid) -> bool {
    let directed = session.slots().find::<Directed>();
    directed.is_some_and(|directed| directed.lock().contains(to))
}

/// Those for which the answer is true, which are forgotten with that.
pub(super) fn take_some(session: &Session, taken: impl Fn(&Jid) -> bool) -> Vec<Jid> {
    let Some(directed) = session.slots().find::<Directed>() else {
        return Vec::new();
    };
    let mut directed = directed.lock();
    let some: Vec<Jid> = directed.iter().filter(|jid| taken(jid)).cloned().collect();
    directed.retain(|jid| !some.contains(jid));
    some
}

/// All of them, which are forgotten with that.
pub(super) fn take(session: &Session) -> BTreeSet<Jid> {
    match session.slots().find::<Directed>() {
        Some(directed) => std::mem::take(&mut *directed.lock()),
        None => BTreeSet::new(),
    }
}
