//! Kept messages that also lie in the mailbox of a session.
//!
//! The mailbox holds the only pointer to such a message. When it is gone and the message did not
//! come back, the message was written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tracing::warn;

use crate::hooks::{Mail, Services};
use crate::proto::{BareJid, Stanza};

/// By account, and not in its slots: those end with its last session, whose mail comes back later.
/// As many as the mailboxes hold, and those of an account that were written since the last
/// [`Handed::settle`].
#[derive(Debug, Default)]
pub(super) struct Handed(Mutex<HashMap<BareJid, Vec<Copy>>>);

#[derive(Debug)]
struct Copy {
    id: i64,
    mail: Weak<Stanza>,
}

impl Handed {
    /// Notes a message that is about to go into a mailbox.
    pub(super) fn note(&self, account: &BareJid, id: i64, mail: &Mail) {
        let mail = Arc::downgrade(mail);
        let mut all = self.lock();
        all.entry(account.clone())
            .or_default()
            .push(Copy { id, mail });
    }

    /// The id of a message that came back from a mailbox, which no longer holds it then.
    pub(super) fn take_back(&self, account: &BareJid, mail: &Mail) -> Option<i64> {
        let all = self.lock();
        let mut copies = all.get(account)?.iter();
        let id = copies
            .find(|copy| std::ptr::eq(copy.mail.as_ptr(), Arc::as_ptr(mail)))?
            .id;
        drop(all);
        self.forget(account, &[id]);
        Some(id)
    }

    /// What was noted for the account and not forgotten.
    pub(super) fn of(&self, account: &BareJid) -> Vec<i64> {
        let all = self.lock();
        let copies = all.get(account).into_iter().flatten();
        copies.map(|copy| copy.id).collect()
    }

    pub(super) fn forget(&self, account: &BareJid, ids: &[i64]) {
        let mut all = self.lock();
        if let Some(copies) = all.get_mut(account) {
            copies.retain(|copy| !ids.contains(&copy.id));
            if copies.is_empty() {
                all.remove(account);
            }
        }
    }

    /// Deletes what was written. Forgotten after that, so that nobody reads it in between.
    pub(super) async fn settle(&self, account: &BareJid, services: &Services) {
        let written = self.written(account);
        if written.is_empty() {
            return;
        }
        let messages = services.store.offline_messages();
        match Box::pin(messages.delete(account, &written)).await {
            Ok(_) => self.forget(account, &written),
            Err(error) => warn!(%error, "a delivered message is not deleted"),
        }
    }

    fn written(&self, account: &BareJid) -> Vec<i64> {
        let all = self.lock();
        let copies = all.get(account).into_iter().flatten();
        let written = copies.filter(|copy| copy.mail.strong_count() == 0);
        written.map(|copy| copy.id).collect()
    }

    /// A panic while the lock was held cannot have left the map half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<BareJid, Vec<Copy>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
