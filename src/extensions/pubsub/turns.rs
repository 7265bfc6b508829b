//! Turns that tasks take: what belongs together is done by one of them at a time.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

/// Turns by key. Several keys share one, so that there are few and none has to be taken away again: whoever
/// has a turn must not take another one of the same table.
#[derive(Debug)]
pub(crate) struct Turns([Mutex<()>; TURNS]);

/// Far more than tasks that run at one moment.
const TURNS: usize = 256;

impl Turns {
    pub(crate) const fn new() -> Self {
        Self([const { Mutex::const_new(()) }; TURNS])
    }

    /// Waits for the turn of that key; it ends when what is returned is dropped.
    pub(crate) async fn take(&self, key: impl Hash) -> Option<MutexGuard<'_, ()>> {
        Some(self.0.get(place(&key)?)?.lock().await)
    }

    /// Waits for the turns of all those keys. They are taken in one order, so that nobody waits for somebody who
    /// waits for him.
    pub(crate) async fn take_all(
        &self,
        keys: impl Iterator<Item = impl Hash>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let places: BTreeSet<usize> = keys.filter_map(|key| place(&key)).collect();
        let mut taken = Vec::with_capacity(places.len());
        for turn in places.into_iter().filter_map(|place| self.0.get(place)) {
            taken.push(turn.lock().await);
        }
        taken
    }
}

fn place(key: &impl Hash) -> Option<usize> {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let places = u64::try_from(TURNS).unwrap_or(1);
    usize::try_from(hasher.finish() % places).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_key_has_one_turn_at_a_time() {
        let turns = Turns::new();
        let first = turns.take(("a", "b")).await;
        assert!(first.is_some());
        let second = turns.take(("a", "b"));
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert!(second.await.is_some());
    }

    #[tokio::test]
    async fn several_turns_are_taken_together_and_in_one_order() {
        let turns = Turns::new();
        let both = turns.take_all(["a", "b", "a"].into_iter()).await;
        assert_eq!(both.len(), 2);
        let other = turns.take_all(["b", "a"].into_iter());
        tokio::pin!(other);
        assert!(futures_util::poll!(&mut other).is_pending());
        drop(both);
        assert_eq!(other.await.len(), 2);
    }
}
