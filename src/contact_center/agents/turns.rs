//! Turns that those take who change an agent: each agent has its own, however many change at the same moment. A turn lasts
//! until the change is written, so that agents who shared one would wait for each other's commits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

use crate::proto::BareJid;

/// The agents that somebody changes or waits for: never more than tasks that do.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<BareJid, Arc<Lock<()>>>>);

/// A turn, or a place among those who wait for it; given back when dropped.
#[derive(Debug)]
pub(in crate::contact_center) struct Turn<'a> {
    turns: &'a Turns,
    agent: BareJid,
    lock: Option<Arc<Lock<()>>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until nobody else has that agent's turn.
    pub(super) async fn take(&self, agent: &BareJid) -> Turn<'_> {
        let lock = Arc::clone(self.all().entry(agent.clone()).or_default());
        let mut turn = Turn {
            turns: self,
            agent: agent.clone(),
            lock: Some(Arc::clone(&lock)),
            held: None,
        };
        turn.held = Some(lock.lock_owned().await);
        turn
    }

    /// A panic while the lock was held cannot have left the map half changed.
    fn all(&self) -> MutexGuard<'_, HashMap<BareJid, Arc<Lock<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Each of the two holds on to the lock.
        drop(self.held.take());
        let mut all = self.turns.all();
        drop(self.lock.take());
        // Nobody else comes to have it while the map is held.
        if all
            .get(&self.agent)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            all.remove(&self.agent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: usize) -> BareJid {
        BareJid::new(&format!("agent{number}@localhost")).unwrap()
    }

    /// Also among so many that tables of any size would have two in one place.
    #[test]
    fn nobody_waits_for_another_agent() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for number in 0..1_000 {
            let own = agent(number);
            let turn = futures_util::FutureExt::now_or_never(turns.take(&own));
            taken.push(turn.unwrap());
        }
        assert_eq!(turns.all().len(), 1_000);
        drop(taken);
        assert!(turns.all().is_empty());
    }

    #[tokio::test]
    async fn one_agent_has_one_turn_at_a_time() {
        let (turns, own) = (Turns::default(), agent(1));
        let first = turns.take(&own).await;
        {
            let second = std::pin::pin!(turns.take(&own));
            assert!(futures_util::poll!(second).is_pending());
        }
        // Who has given up waiting leaves nothing behind.
        let mut third = std::pin::pin!(turns.take(&own));
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(first);
        let third = third.await;
        assert_eq!(turns.all().len(), 1);
        drop(third);
        assert!(turns.all().is_empty());
    }
}
