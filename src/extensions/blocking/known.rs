//! Lists in memory, so that a stanza waits for the database at most once.
//!
//! An account that is online has its list in a slot, which every change goes through. The lists of
//! accounts that are offline are remembered for a minute: they change only while the account is
//! online, or goes altogether.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

use super::list::Blocklist;
use crate::clock::Timestamp;
use crate::hooks::{Account, Services};
use crate::proto::{BareJid, Jid, StanzaError};

/// The lists of offline accounts that are remembered; most are empty and take some hundred bytes.
const OFFLINE_MAX: usize = 10_000;

/// For how long one is.
const OFFLINE_SECONDS: i64 = 60;

/// The slot of an account that is online.
#[derive(Debug, Default)]
pub(super) struct Held {
    list: ArcSwapOption<Blocklist>,
    /// Whether the end of the account's presence is being told to who is blocked from now on.
    hiding: AtomicBool,
    /// Whoever reads the list into memory or changes it has the turn.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Held {
    pub(super) fn of(account: &Account) -> Arc<Self> {
        account.slots().find_or(Self::default)
    }

    /// Sets what was written to the database. Only who has the turn calls this.
    pub(super) fn set(&self, list: Arc<Blocklist>) {
        self.list.store(Some(list));
    }

    /// While this is set the list stops no unavailable presence of the account. Only who has the turn calls
    /// this.
    pub(super) fn set_hiding(&self, hiding: bool) {
        self.hiding.store(hiding, Ordering::Release);
    }

    /// The list, read where it is not yet. Only who has the turn calls this.
    pub(super) async fn load(
        &self,
        services: &Services,
        owner: &BareJid,
    ) -> Result<Arc<Blocklist>, StanzaError> {
        if let Some(list) = self.list.load_full() {
            return Ok(list);
        }
        let list = Arc::new(read(services, owner).await?);
        self.list.store(Some(Arc::clone(&list)));
        Ok(list)
    }
}

async fn read(services: &Services, owner: &BareJid) -> Result<Blocklist, StanzaError> {
    let addresses: Vec<Jid> = services.store.blocked().list(owner).await?;
    Ok(Blocklist::new(&addresses))
}

/// Whether who is blocked is being told the end of the account's presence.
pub(super) fn is_hiding(account: &Account) -> bool {
    let hiding = |held: &Held| held.hiding.load(Ordering::Acquire);
    account.slots().look(hiding).unwrap_or(false)
}

/// Whether an account that is online blocks what that is asked of its list, once it is in memory.
pub(super) fn blocks(account: &Account, matches: impl FnOnce(&Blocklist) -> bool) -> bool {
    look(account, matches).unwrap_or(false)
}

/// The same; `None` where it is not in memory.
pub(super) fn look(account: &Account, matches: impl FnOnce(&Blocklist) -> bool) -> Option<bool> {
    let look = |held: &Held| held.list.load().as_ref().map(|list| matches(list));
    account.slots().look(look).flatten()
}

/// The list of an account that is online, once it is in memory.
pub(super) fn held(account: &Account) -> Option<Arc<Blocklist>> {
    account.slots().find::<Held>()?.list.load_full()
}

/// The lists of accounts that are offline.
#[derive(Debug, Default)]
pub(super) struct Offline(Mutex<HashMap<BareJid, (Arc<Blocklist>, Timestamp)>>);

impl Offline {
    pub(super) fn find(&self, owner: &BareJid, now: Timestamp) -> Option<Arc<Blocklist>> {
        let known = self.lock();
        let (list, since) = known.get(owner)?;
        fresh(*since, now).then(|| Arc::clone(list))
    }

    pub(super) fn forget(&self, owner: &BareJid) {
        self.lock().remove(owner);
    }

    fn put(&self, owner: &BareJid, list: Arc<Blocklist>, now: Timestamp) {
        let mut known = self.lock();
        if known.len() >= OFFLINE_MAX {
            known.retain(|_, (_, since)| fresh(*since, now));
        }
        if known.len() >= OFFLINE_MAX {
            // Reading some again costs less than keeping them in order.
            known.clear();
        }
        known.insert(owner.clone(), (list, now));
    }

    /// A panic while the lock was held cannot have left the map half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<BareJid, (Arc<Blocklist>, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(since: Timestamp, now: Timestamp) -> bool {
    (0..OFFLINE_SECONDS).contains(&now.seconds_since(since))
}

/// Reads the list into memory, where the next look finds it.
pub(super) async fn load(
    services: &Services,
    offline: &Offline,
    owner: &BareJid,
) -> Result<Arc<Blocklist>, StanzaError> {
    if let Some(account) = services.online(owner) {
        let held = Held::of(&account);
        let _turn = held.turn.lock().await;
        return held.load(services, owner).await;
    }
    let list = Arc::new(read(services, owner).await?);
    offline.put(owner, Arc::clone(&list), services.clock.now());
    Ok(list)
}
