//! The roster of an account that is online, in memory for those that may not wait.
//!
//! Loaded when a session first needs it, kept up to date by every change made on this node,
//! dropped with the account. Every change goes through a [`Writing`], which makes changes of
//! one roster follow each other, so that pushes leave in the order of their versions
//! (RFC 6121 §2.1.6).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::debug;

use super::{item, privileged};
use crate::hooks::{Account, Services, Session};
use crate::proto::{BareJid, Condition, IqType, Stanza, StanzaError};
use crate::store::{Applied, Roster, RosterChange, RosterItem, RosterWrite};

/// The roster as of a version; the items in the order of their addresses.
#[derive(Debug, Default)]
pub(in crate::extensions) struct Snapshot {
    version: i64,
    items: Vec<Arc<RosterItem>>,
}

/// Set on a session that has asked for the roster: an interested resource (§2.2).
struct Interested;

/// The slot of an account.
#[derive(Default)]
struct Contacts {
    snapshot: ArcSwapOption<Snapshot>,
    writing: Arc<Mutex<()>>,
}

impl Snapshot {
    fn new(Roster { version, mut items }: Roster) -> Self {
        items.sort_by(|a, b| a.contact.as_str().cmp(b.contact.as_str()));
        let items = items.into_iter().map(Arc::new).collect();
        Self { version, items }
    }

    /// The version, for the attribute `ver`.
    pub(super) const fn version(&self) -> i64 {
        self.version
    }

    /// All items, in the order of their addresses.
    pub(in crate::extensions) fn items(&self) -> &[Arc<RosterItem>] {
        &self.items
    }

    /// The item of that contact.
    pub(in crate::extensions) fn find(&self, contact: &BareJid) -> Option<&Arc<RosterItem>> {
        self.items.get(self.place(contact).ok()?)
    }

    /// Whether the contact may see the owner's presence.
    pub(in crate::extensions) fn shows_presence_to(&self, contact: &BareJid) -> bool {
        self.find(contact)
            .is_some_and(|item| item.subscription.has_from())
    }

    fn place(&self, contact: &BareJid) -> Result<usize, usize> {
        self.items
            .binary_search_by(|item| item.contact.as_str().cmp(contact.as_str()))
    }

    /// The snapshot after a change; `None` when it holds that already.
    fn after(&self, change: &RosterChange) -> Option<Self> {
        let (contact, version) = match change {
            RosterChange::Put(item) => (&item.contact, item.version),
            RosterChange::Removed { contact, version } => (contact, *version),
        };
        let place = self.place(contact);
        let known = place.ok().and_then(|at| self.items.get(at));
        if known.is_some_and(|item| item.version >= version) {
            return None;
        }
        let mut items = self.items.clone();
        match (change, place) {
            (RosterChange::Put(item), Err(at)) => items.insert(at, Arc::new(item.clone())),
            (RosterChange::Put(item), Ok(at)) => {
                if let Some(slot) = items.get_mut(at) {
                    *slot = Arc::new(item.clone());
                }
            }
            (RosterChange::Removed { .. }, Ok(at)) => drop(items.remove(at)),
            (RosterChange::Removed { .. }, Err(_)) => {}
        }
        let version = self.version.max(version);
        Some(Self { version, items })
    }
}

/// The roster of an account that is online, if it is in memory. It is while one of the
/// account's sessions is available.
pub(in crate::extensions) fn loaded(account: &Account) -> Option<Arc<Snapshot>> {
    account.slots().find::<Contacts>()?.snapshot.load_full()
}

/// The roster of an account that is online.
///
/// # Errors
/// When the database fails.
pub(in crate::extensions) async fn load(
    services: &Services,
    account: &Arc<Account>,
) -> Result<Arc<Snapshot>, StanzaError> {
    if let Some(snapshot) = loaded(account) {
        return Ok(snapshot);
    }
    let contacts = account.slots().find_or(Contacts::default);
    let _writing = contacts.writing.lock().await;
    load_under_lock(services, account.jid(), &contacts).await
}

async fn load_under_lock(
    services: &Services,
    owner: &BareJid,
    contacts: &Contacts,
) -> Result<Arc<Snapshot>, StanzaError> {
    if let Some(snapshot) = contacts.snapshot.load_full() {
        return Ok(snapshot);
    }
    let roster = services.store.rosters().load(owner).await;
    let snapshot = Arc::new(Snapshot::new(roster?));
    contacts.snapshot.store(Some(Arc::clone(&snapshot)));
    Ok(snapshot)
}

/// The account's sessions that have asked for the roster (§2.2).
pub(in crate::extensions) fn interested(account: &Account) -> Vec<Arc<Session>> {
    let sessions = account.sessions();
    let interested = sessions.iter().filter(|session| is_interested(session));
    interested.cloned().collect()
}

/// Whether the session has asked for the roster (§2.2).
pub(in crate::extensions) fn is_interested(session: &Session) -> bool {
    session.slots().find::<Interested>().is_some()
}

/// What a step of a [`Writing`] does to one item.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    /// Stores it; its version is the one it was found with.
    Put(RosterItem),
    /// Takes the contact out.
    Remove(BareJid),
}

impl Write {
    /// What it has changed, when the roster has that version after it; `None` when it has changed nothing.
    pub(super) fn written(self, version: Option<i64>) -> Option<RosterChange> {
        let version = version?;
        Some(match self {
            Self::Put(item) => RosterChange::Put(RosterItem { version, ..item }),
            Self::Remove(contact) => RosterChange::Removed { contact, version },
        })
    }
}

/// The right to change a roster. While the account is online here there is one at a time; the
/// versions of items are a second safeguard, for other nodes and accounts that log in meanwhile.
pub(in crate::extensions) struct Writing<'a> {
    services: &'a Services,
    owner: &'a BareJid,
    online: Option<Online>,
}

struct Online {
    account: Arc<Account>,
    contacts: Arc<Contacts>,
    _turn: OwnedMutexGuard<()>,
}

impl Online {
    async fn of(account: Arc<Account>) -> Self {
        let contacts = account.slots().find_or(Contacts::default);
        let turn = Arc::clone(&contacts.writing).lock_owned().await;
        Self {
            account,
            contacts,
            _turn: turn,
        }
    }
}

impl<'a> Writing<'a> {
    /// Waits for its turn; whoever has the turn waits for nothing but the database.
    pub(in crate::extensions) async fn begin(services: &'a Services, owner: &'a BareJid) -> Self {
        let online = match services.online(owner) {
            Some(account) => Some(Online::of(account).await),
            None => None,
        };
        Self {
            services,
            owner,
            online,
        }
    }

    /// The item of that contact, as it is stored.
    pub(in crate::extensions) async fn find(
        &self,
        contact: &BareJid,
    ) -> Result<Option<RosterItem>, StanzaError> {
        let found = self
            .services
            .store
            .rosters()
            .find(self.owner, contact)
            .await;
        Ok(found?)
    }

    /// The write as the database takes it.
    pub(super) fn step(&self, write: Write) -> RosterWrite {
        let owner = self.owner.clone();
        match write {
            Write::Put(item) => RosterWrite::Put { owner, item },
            Write::Remove(contact) => RosterWrite::Remove { owner, contact },
        }
    }

    /// Writes one step. `None` when the item was changed meanwhile: find and decide again.
    ///
    /// The change is not told yet: [`Writing::tell`].
    pub(in crate::extensions) async fn write(
        &mut self,
        write: Write,
    ) -> Result<Option<RosterChange>, StanzaError> {
        let step = self.step(write.clone());
        let now = self.services.clock.now();
        let max = self.services.config.roster.items_max;
        let rosters = self.services.store.rosters();
        let applied = rosters.apply(&[step], max, now).await;
        let versions = match applied? {
            Applied::Done(versions) => versions,
            Applied::Changed => return Ok(None),
            Applied::Full => {
                return Err(StanzaError::new(Condition::ResourceConstraint)
                    .text("the roster has as many items as it may have"));
            }
        };
        let version = versions.first().copied().flatten();
        let Some(change) = write.written(version) else {
            return Ok(None);
        };
        self.remember(&change).await;
        Ok(Some(change))
    }

    /// What was written to the database is in memory, too, when this returns.
    pub(super) async fn remember(&mut self, change: &RosterChange) {
        self.follow().await;
        if let Some(online) = &self.online {
            let after = online
                .contacts
                .snapshot
                .load()
                .as_ref()
                .and_then(|known| known.after(change));
            if let Some(after) = after {
                online.contacts.snapshot.store(Some(Arc::new(after)));
            }
        }
    }

    /// To be called after something was stored and before it is told: the account may have come
    /// online, or gone and come back, since the turn began, and have read what was there before.
    pub(in crate::extensions) async fn follow(&mut self) {
        let now = self.services.online(self.owner);
        let same = match (&self.online, &now) {
            (Some(online), Some(now)) => Arc::ptr_eq(&online.account, now),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            self.online = None;
            if let Some(account) = now {
                self.online = Some(Online::of(account).await);
            }
        }
    }

    /// The account's sessions while it is online.
    pub(in crate::extensions) fn account(&self) -> Option<&Arc<Account>> {
        self.online.as_ref().map(|online| &online.account)
    }

    /// Pushes a change to the interested resources (§2.1.6), and to the components that may know.
    pub(in crate::extensions) fn tell(&self, change: &RosterChange) {
        privileged::push(self.services, self.owner, change);
        if let Some(account) = self.account() {
            for session in interested(account) {
                push(&session, change);
            }
        }
    }

    /// Makes the session an interested resource and answers with the roster in memory.
    pub(super) async fn interest(&self, session: &Session) -> Result<Arc<Snapshot>, StanzaError> {
        let Some(online) = &self.online else {
            return Err(Condition::NotAllowed.into());
        };
        let snapshot = load_under_lock(self.services, self.owner, &online.contacts).await?;
        session.slots().set(Interested);
        Ok(snapshot)
    }
}

/// One roster push (§2.1.6): a request of the server's own, without `from`.
pub(super) fn push(session: &Session, change: &RosterChange) {
    let push = Stanza::iq(IqType::Set, &crate::id::random())
        .to(session.address())
        .child(&item::pushed(change));
    if session.deliver(Arc::new(push)).is_err() {
        debug!("a session is gone before its roster push");
    }
}
