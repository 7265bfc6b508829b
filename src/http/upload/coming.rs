//! Which files are coming in: how many at once, how many of an account, and never one twice.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Refusal;
use crate::config::Upload as Settings;
use crate::proto::BareJid;
use crate::store::UploadId;

/// The files that are coming in.
#[derive(Debug)]
pub(crate) struct Coming {
    all_max: usize,
    owner_max: usize,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    ids: HashSet<UploadId>,
    /// How many are taken in all, and of each account.
    taken: usize,
    owners: HashMap<BareJid, usize>,
}

/// What one upload holds while it comes.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    coming: &'a Coming,
    id: UploadId,
    owner: Option<BareJid>,
}

impl Coming {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            all_max: settings.uploads_max as usize,
            owner_max: settings.uploads_per_account_max as usize,
            now: Mutex::default(),
        }
    }

    /// Enters an id. What is looked up of it from then on is changed by nobody else's upload.
    pub(super) fn enter(&self, id: &UploadId) -> Result<Entered<'_>, Refusal> {
        if !self.lock().ids.insert(id.clone()) {
            return Err(Refusal::Conflict);
        }
        Ok(Entered {
            coming: self,
            id: id.clone(),
            owner: None,
        })
    }

    /// A panic while the lock was held cannot have left the counts half changed.
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entered<'_> {
    /// Takes one of the places, of which each account has a few.
    pub(super) fn take_place(&mut self, owner: &BareJid) -> Result<(), Refusal> {
        let mut now = self.coming.lock();
        let of_owner = now.owners.get(owner).copied().unwrap_or(0);
        if now.taken >= self.coming.all_max || of_owner >= self.coming.owner_max {
            return Err(Refusal::Busy);
        }
        now.taken += 1;
        now.owners.insert(owner.clone(), of_owner + 1);
        self.owner = Some(owner.clone());
        Ok(())
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut now = self.coming.lock();
        now.ids.remove(&self.id);
        let Some(owner) = self.owner.take() else {
            return;
        };
        now.taken = now.taken.saturating_sub(1);
        match now.owners.get_mut(&owner) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                now.owners.remove(&owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coming() -> Coming {
        Coming::new(&Settings {
            uploads_max: 3,
            uploads_per_account_max: 2,
            ..Settings::default()
        })
    }

    fn id(number: u8) -> UploadId {
        UploadId::parse(&format!("{number:032x}")).unwrap()
    }

    #[test]
    fn one_file_comes_once_at_a_time() {
        let coming = coming();
        let first = coming.enter(&id(1)).unwrap();
        assert_eq!(coming.enter(&id(1)).unwrap_err(), Refusal::Conflict);
        assert!(coming.enter(&id(2)).is_ok());
        drop(first);
        assert!(coming.enter(&id(1)).is_ok());
        assert!(coming.lock().ids.is_empty());
    }

    #[test]
    fn no_account_takes_the_places_of_all() {
        let coming = coming();
        let [romeo, juliet, nurse] = ["romeo", "juliet", "nurse"]
            .map(|name| BareJid::new(&format!("{name}@localhost")).unwrap());
        let take = |number, owner| {
            let mut entered = coming.enter(&id(number)).unwrap();
            entered.take_place(owner).map(|()| entered)
        };
        let first = take(1, &romeo).unwrap();
        let _second = take(2, &romeo).unwrap();
        assert_eq!(take(3, &romeo).unwrap_err(), Refusal::Busy);
        let third = take(3, &juliet).unwrap();
        assert_eq!(
            take(4, &nurse).unwrap_err(),
            Refusal::Busy,
            "no place at all"
        );
        drop(first);
        assert!(take(4, &nurse).is_ok());
        drop(third);
        let again = take(5, &romeo).unwrap();
        assert_eq!(take(6, &romeo).unwrap_err(), Refusal::Busy);
        drop(again);
        assert_eq!(coming.lock().owners.len(), 1);
        assert_eq!(coming.lock().taken, 1);
    }
}
