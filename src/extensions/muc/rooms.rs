//! The rooms of one domain: found, made, loaded, and forgotten when they are empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compact_str::CompactString;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::OnceCell;
use tracing::warn;

use super::model::{Affiliation, RoomConfig};
use super::room::{Associate, Phase, Post, Room, State};
use super::{archive, persistence};
use crate::config::{Config, RoomCreation, Rooms as Limits};
use crate::domain::rights::Role as AccountRole;
use crate::hooks::{Effects, Services, Session};
use crate::proto::{BareJid, Condition, StanzaError};

/// The service at one domain.
#[derive(Debug)]
pub(super) struct Rooms {
    pub(super) domain: BareJid,
    /// The host that it belongs to.
    pub(super) host: BareJid,
    pub(super) config: Arc<Config>,
    rooms: Mutex<BTreeMap<BareJid, Arc<Room>>>,
    /// How many there are at all domains.
    count: Arc<AtomicUsize>,
    /// The key of occupant ids (XEP-0421 §5.1); there when the rooms have been loaded.
    secret: OnceCell<Vec<u8>>,
}

/// The rooms that a session is in, so that they can be left when it ends.
#[derive(Debug, Default)]
struct Visits(Mutex<BTreeSet<BareJid>>);

impl Rooms {
    pub(super) fn new(
        domain: BareJid,
        host: BareJid,
        config: &Arc<Config>,
        count: &Arc<AtomicUsize>,
    ) -> Self {
        Self {
            domain,
            host,
            config: Arc::clone(config),
            rooms: Mutex::default(),
            count: Arc::clone(count),
            secret: OnceCell::new(),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.config.rooms
    }

    /// Loads what the database has; the first request of all waits for it.
    ///
    /// # Errors
    /// When the database fails: the next request tries again.
    pub(super) async fn ready(&self, services: &Services) -> Result<(), StanzaError> {
        if self.secret.initialized() {
            return Ok(());
        }
        let load = async {
            let mut fresh = [0; 32];
            getrandom::fill(&mut fresh)
                .map_err(|_| StanzaError::from(Condition::InternalServerError))?;
            let settings = services.store.settings();
            let secret = settings
                .find_or_create("occupant-id-secret", || fresh.to_vec())
                .await?;
            let loaded = persistence::load(services, self).await?;
            self.count.fetch_add(loaded.len(), Ordering::Relaxed);
            self.lock().extend(
                loaded
                    .into_iter()
                    .map(|room| (room.jid.clone(), Arc::new(room))),
            );
            Ok::<_, StanzaError>(secret)
        };
        Box::pin(self.secret.get_or_try_init(|| load)).await?;
        Ok(())
    }

    pub(super) fn find(&self, room: &BareJid) -> Option<Arc<Room>> {
        self.lock().get(room).cloned()
    }

    /// All of them, in the order of their addresses.
    pub(super) fn all(&self) -> Vec<Arc<Room>> {
        self.lock().values().cloned().collect()
    }

    /// The room, made when there is none (§10.1): its creator owns it, and it is locked.
    ///
    /// # Errors
    /// `not-allowed` where the asker may not create one, `resource-constraint` where there are too
    /// many.
    pub(super) async fn find_or_create(
        &self,
        room: &BareJid,
        creator: &BareJid,
        services: &Services,
    ) -> Result<Arc<Room>, StanzaError> {
        if let Some(known) = self.find(room) {
            return Ok(known);
        }
        self.may_create(creator, services).await?;
        self.make(room, creator, services)
    }

    /// The room, made when there is none, whoever may make one.
    ///
    /// # Errors
    /// `resource-constraint` where there are too many.
    pub(super) fn make(
        &self,
        room: &BareJid,
        creator: &BareJid,
        services: &Services,
    ) -> Result<Arc<Room>, StanzaError> {
        let limits = self.limits();
        let mut rooms = self.lock();
        if let Some(known) = rooms.get(room) {
            return Ok(Arc::clone(known));
        }
        let own = rooms.values().filter(|it| it.creator == *creator).count();
        let many = |max: u32| usize::try_from(max).unwrap_or(usize::MAX);
        if own >= many(limits.rooms_per_account_max) {
            return Err(constraint("you have created too many rooms"));
        }
        if self.count.load(Ordering::Relaxed) >= many(limits.rooms_max) {
            return Err(constraint("there are too many rooms"));
        }
        let mut state = State::new(RoomConfig::new(limits), Phase::Locked);
        let owner = Associate {
            affiliation: Affiliation::Owner,
            ..Associate::default()
        };
        state.associate(creator, owner);
        state.recalled = false;
        let made = Room::new(room.clone(), creator.clone(), services.clock.now(), state);
        let made = Arc::new(made);
        rooms.insert(room.clone(), Arc::clone(&made));
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(made)
    }

    async fn may_create(&self, creator: &BareJid, services: &Services) -> Result<(), StanzaError> {
        let refused =
            || StanzaError::new(Condition::NotAllowed).text("you may not create rooms here");
        if !services.serves(creator.domain().as_str()) {
            return Err(refused());
        }
        match self.limits().create {
            RoomCreation::Everybody => Ok(()),
            RoomCreation::Nobody => Err(refused()),
            RoomCreation::Administrators => {
                let account = services.store.accounts().find(creator).await?;
                let may = account.is_some_and(|it| it.role >= AccountRole::Administrator);
                may.then_some(()).ok_or_else(refused)
            }
        }
    }

    /// Forgets a room that is gone, or that is empty and does not stay. What was said in it goes first,
    /// and its name is free last.
    pub(super) async fn tidy(&self, room: &Arc<Room>, services: &Services) {
        if !room.lock().is_over() {
            return;
        }
        let _turn = room.saving.lock().await;
        {
            let mut state = room.lock();
            if !state.is_over() {
                return;
            }
            state.phase = Phase::Gone;
        }
        let same = |known: &Arc<Room>| Arc::ptr_eq(known, room);
        if !self.find(&room.jid).as_ref().is_some_and(same) {
            return;
        }
        if let Err(error) = archive::forget(services, room).await {
            // The next room of that name begins with it.
            unsaved(room, &error);
        }
        let mut rooms = self.lock();
        let known = rooms.get(&room.jid).is_some_and(same);
        if known {
            rooms.remove(&room.jid);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// XEP-0421 §5.1: what one account is called in one room, always the same.
    pub(super) fn occupant_id(&self, room: &BareJid, account: &BareJid) -> CompactString {
        let key = self.secret.get().map_or(&[][..], Vec::as_slice);
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return CompactString::default();
        };
        mac.update(room.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(account.as_str().as_bytes());
        let mut id = CompactString::default();
        for byte in mac.finalize().into_bytes().iter().take(20) {
            let _infallible = write!(id, "{byte:02x}");
        }
        id
    }

    /// What a session that ended leaves behind: it is in no room any more (§7.14, §14.1).
    pub(super) async fn forget(&self, session: &Arc<Session>, services: &Arc<Services>) {
        for jid in visits(session) {
            let Some(room) = self.find(&jid) else {
                continue;
            };
            let mut post = Post::default();
            self.lost(&room, session, &mut post);
            post.carry_out(services).await;
            self.tidy(&room, services).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BareJid, Arc<Room>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session is in that room from now on.
pub(super) fn remember(session: &Session, room: &BareJid) {
    let visits = session.slots().find_or(Visits::default);
    let mut visits = visits.0.lock().unwrap_or_else(PoisonError::into_inner);
    visits.insert(room.clone());
}

/// The session is no longer in that room.
pub(super) fn left(session: &Session, room: &BareJid) {
    if let Some(visits) = session.slots().find::<Visits>() {
        visits
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(room);
    }
}

fn visits(session: &Session) -> Vec<BareJid> {
    match session.slots().find::<Visits>() {
        Some(visits) => {
            let visits = visits.0.lock().unwrap_or_else(PoisonError::into_inner);
            visits.iter().cloned().collect()
        }
        None => Vec::new(),
    }
}

fn constraint(text: &str) -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint).text(text)
}

impl Post {
    /// What is left to be done once the lock is free.
    pub(super) fn into_effects(self) -> Effects {
        Effects {
            reply: self.replies,
            route: self.remote,
            ..Effects::default()
        }
    }

    /// The same where there is no stanza whose sender's task would do it.
    pub(super) async fn carry_out(self, services: &Services) {
        for stanza in self.remote {
            services.route(stanza).await;
        }
    }
}

/// Says in the log that a room could not be written.
pub(super) fn unsaved(room: &Room, error: &StanzaError) {
    warn!(room = %room.jid, condition = error.condition.name(), "a room is not saved");
}
