//! Typed slots: where an extension keeps what it knows of one session or one account.
//!
//! The session struct never grows a field for an extension; a slot is found by its type,
//! and a session holds so few of them that a list is quicker and smaller than a map.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Value = Arc<dyn Any + Send + Sync>;

/// A set with at most one value of each type.
#[derive(Default)]
pub struct Slots(Mutex<Vec<(TypeId, Value)>>);

impl Slots {
    /// The value of type `T`, if one was set.
    #[must_use]
    pub fn find<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let value = {
            let slots = self.lock();
            let (_, value) = slots.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
            Arc::clone(value)
        };
        value.downcast().ok()
    }

    /// What `look` sees in the value of type `T`, if one was set. It is quicker than [`Slots::find`], since nobody
    /// holds on to the value; `look` must be short and not use the same slots.
    pub fn look<T: Any, R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let slots = self.lock();
        let (_, value) = slots.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        value.downcast_ref().map(look)
    }

    /// The value of type `T`; made by `make` when there is none. `make` must not use the
    /// same slots.
    pub fn find_or<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut slots = self.lock();
        let known = slots.iter().find(|(id, _)| *id == TypeId::of::<T>());
        if let Some(value) = known.and_then(|(_, value)| Arc::clone(value).downcast().ok()) {
            return value;
        }
        let made = Arc::new(make());
        put(&mut slots, Arc::clone(&made));
        made
    }

    /// Sets the value of type `T`, replacing one that was there.
    pub fn set<T: Any + Send + Sync>(&self, value: T) {
        let mut slots = self.lock();
        slots.retain(|(id, _)| *id != TypeId::of::<T>());
        put(&mut slots, Arc::new(value));
    }

    /// Forgets the value of type `T`.
    pub fn clear<T: Any + Send + Sync>(&self) {
        self.lock().retain(|(id, _)| *id != TypeId::of::<T>());
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn lock(&self) -> MutexGuard<'_, Vec<(TypeId, Value)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place more and not four: most sessions have one slot or two.
fn put<T: Any + Send + Sync>(slots: &mut Vec<(TypeId, Value)>, value: Arc<T>) {
    slots.reserve_exact(1);
    slots.push((TypeId::of::<T>(), value));
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({})", self.lock().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Interested(bool);

    #[test]
    fn a_slot_is_found_by_its_type() {
        let slots = Slots::default();
        assert!(slots.find::<Interested>().is_none());
        slots.set(Interested(true));
        slots.set(7_u32);
        assert_eq!(
            slots.find::<Interested>().as_deref(),
            Some(&Interested(true))
        );
        assert_eq!(slots.look(|number: &u32| number + 1), Some(8));
        assert_eq!(slots.look(|number: &u16| *number), None);
        assert_eq!(*slots.find_or(|| 9_u32), 7);
        assert_eq!(*slots.find_or(|| 9_u64), 9);
        slots.clear::<Interested>();
        assert!(slots.find::<Interested>().is_none());
    }
}
