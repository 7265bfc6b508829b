//! Whether what was looked up of accounts still holds: each of their changes is counted when it is over, before whoever has
//! asked for it is told.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often accounts have changed.
#[derive(Debug, Default)]
pub(in crate::store) struct Changes(AtomicU64);

/// A change that is under way; counted when dropped, also where it fails: it may have been written all the same.
pub(super) struct Changing<'a>(&'a Changes);

impl Changes {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Begins a change.
    pub(super) const fn one(&self) -> Changing<'_> {
        Changing(self)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}
