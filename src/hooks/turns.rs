//! Turns that tasks take: what changes one thing is done by one of them at a time, in the order in which they came.
//!
//! Each key has a turn of its own, however many are taken at the same moment. A turn often lasts until something is written, so that
//! keys that shared one would wait for each other's commits.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

/// The keys that somebody has the turn of or waits for: never more than tasks that do. Whoever has a turn takes no second one of
/// the same table, unless both were taken together.
#[derive(Debug)]
pub(crate) struct Turns<K: Eq + Hash>(Mutex<HashMap<K, Arc<Lock<()>>>>);

/// A turn, or a place among those who wait for it; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a, K: Eq + Hash> {
    turns: &'a Turns<K>,
    key: K,
    lock: Option<Arc<Lock<()>>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Turns<K> {
    /// A panic while the lock was held cannot have left the map half changed.
    fn all(&self) -> MutexGuard<'_, HashMap<K, Arc<Lock<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Hash + Clone> Turns<K> {
    /// Whether somebody has the turn of that key, or waits for it.
    pub(crate) fn is_taken(&self, key: &K) -> bool {
        self.all().contains_key(key)
    }

    /// Waits until nobody else has the turn of that key.
    pub(crate) async fn take(&self, key: K) -> Turn<'_, K> {
        let lock = Arc::clone(self.all().entry(key.clone()).or_default());
        let mut turn = Turn {
            turns: self,
            key,
            lock: Some(Arc::clone(&lock)),
            held: None,
        };
        turn.held = Some(lock.lock_owned().await);
        turn
    }

    /// Waits for the turns of all those keys. They are taken in one order, so that nobody waits for somebody who waits for
    /// him.
    pub(crate) async fn take_all(&self, keys: impl Iterator<Item = K>) -> Vec<Turn<'_, K>> {
        let keys: BTreeSet<K> = keys.collect();
        let mut taken = Vec::with_capacity(keys.len());
        for key in keys {
            taken.push(self.take(key).await);
        }
        taken
    }
}

impl<K: Eq + Hash> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        // Each of the two holds on to the lock.
        drop(self.held.take());
        let mut all = self.turns.all();
        drop(self.lock.take());
        // Nobody else comes to have it while the map is held.
        if all
            .get(&self.key)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, poll};

    use super::*;

    /// Also among so many that tables of any size would have two in one place.
    #[test]
    fn nobody_waits_for_another_key() {
        let turns = Turns::default();
        let taken = (0..1_000).map(|key| turns.take(key).now_or_never().unwrap());
        let taken: Vec<_> = taken.collect();
        assert_eq!(turns.all().len(), 1_000);
        drop(taken);
        assert!(turns.all().is_empty());
    }

    #[tokio::test]
    async fn one_key_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        {
            let second = std::pin::pin!(turns.take("a"));
            assert!(poll!(second).is_pending());
        }
        // Who has given up waiting leaves nothing behind.
        let mut third = std::pin::pin!(turns.take("a"));
        assert!(poll!(&mut third).is_pending());
        drop(first);
        assert!(turns.is_taken(&"a") && !turns.is_taken(&"b"));
        let third = third.await;
        assert_eq!(turns.all().len(), 1);
        drop(third);
        assert!(!turns.is_taken(&"a"));
        assert!(turns.all().is_empty());
    }

    /// Whoever came first is first; who has given up is passed over.
    #[tokio::test]
    async fn who_waits_for_one_key_comes_in_order() {
        let turns = Turns::default();
        let first = turns.take(1).await;
        let mut waiting: Vec<_> = (0..10).map(|_| Box::pin(turns.take(1))).collect();
        for each in &mut waiting {
            assert!(poll!(each).is_pending());
        }
        drop(waiting.remove(3));
        drop(first);
        for turn in 0..waiting.len() {
            for later in waiting.iter_mut().skip(turn + 1).rev() {
                assert!(poll!(later).is_pending());
            }
            drop(waiting.get_mut(turn).unwrap().await);
        }
        drop(waiting);
        assert!(turns.all().is_empty());
    }

    /// However they are named: each has both in the end.
    #[tokio::test]
    async fn several_keys_are_taken_together_in_whatever_order_they_are_named() {
        let turns = Turns::default();
        let both = turns.take_all(["a", "b", "a"].into_iter()).await;
        assert_eq!(both.len(), 2);
        let mut one = std::pin::pin!(turns.take_all(["a", "b"].into_iter()));
        let mut other = std::pin::pin!(turns.take_all(["b", "a"].into_iter()));
        assert!(poll!(&mut other).is_pending());
        assert!(poll!(&mut one).is_pending());
        drop(both);
        let taken = other.await;
        assert_eq!(taken.len(), 2);
        assert!(poll!(&mut one).is_pending());
        // Who takes neither goes by.
        assert!(turns.take("c").now_or_never().is_some());
        drop(taken);
        assert_eq!(one.await.len(), 2);
        assert!(turns.all().is_empty());
    }

    /// Two after the other, again and again: nobody ever waits for ever.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_waits_for_ever() {
        static TURNS: std::sync::LazyLock<Turns<u32>> = std::sync::LazyLock::new(Turns::default);
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8_u32 {
            tasks.spawn(async move {
                for round in 0..200_u32 {
                    let (a, b) = (round % 3, (round + task) % 3);
                    let keys = if task % 2 == 0 { [a, b] } else { [b, a] };
                    let turns = TURNS.take_all(keys.into_iter()).await;
                    tokio::task::yield_now().await;
                    drop(turns);
                }
            });
        }
        let all = std::pin::pin!(tasks.join_all());
        let all = tokio::time::timeout(std::time::Duration::from_secs(20), all).await;
        assert!(all.is_ok());
        assert!(TURNS.all().is_empty());
    }
}
