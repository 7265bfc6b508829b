//! A room: its state behind one short lock, and who is in it.
//!
//! Nothing waits while the lock is held: what occupants are sent goes into the mailboxes of their
//! sessions there and then, so that all of them see the same order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compact_str::CompactString;

use super::approval::Waiting;
use super::model::hat::Hat;
use super::model::history::History;
use super::model::pace::Pace;
use super::model::{Affiliation, Role, RoomConfig, Standing};
use super::persistence::Draft;
use super::presence::Shown;
use super::relay::Relays;
use crate::clock::Timestamp;
use crate::extensions::blocking;
use crate::hooks::{Mail, Session};
use crate::proto::{BareJid, Jid, Resource, Stanza, ToEach};
use crate::xml::{Content, Element};

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) jid: BareJid,
    /// Whose bound it counts against.
    pub(super) creator: BareJid,
    pub(super) created_at: Timestamp,
    state: Mutex<State>,
    /// Held while the room is written to the database and changed after that.
    pub(super) saving: tokio::sync::Mutex<Saved>,
}

/// What is known of a room's record in the database. Who changes what is kept of a room holds it from
/// the look to the change.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// Whether there is one.
    pub(super) exists: bool,
}

/// Departed occupants whose pace a room remembers.
const DEPARTED_MAX: usize = 64;

/// How a room lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its owner has not accepted a configuration yet (§10.1.1).
    Locked,
    Open,
    /// Destroyed, or left by all: whoever still holds it looks for another of that address.
    Gone,
}

/// What an account is in the room beyond a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Associate {
    pub(super) affiliation: Affiliation,
    /// The nickname that is reserved for it (§7.10).
    pub(super) nick: Option<Resource>,
    pub(super) reason: Option<String>,
    /// The URIs of the hats that it wears (XEP-0317).
    pub(super) hats: Vec<String>,
}

/// The subject, as the message that set it, from the one who did.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) at: Timestamp,
    pub(super) stanza: Stanza,
}

/// The vCard of a room and the hash of its picture.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) xml: Vec<u8>,
    pub(super) photo: Option<String>,
}

/// Everything about a room that changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) config: RoomConfig,
    pub(super) associates: BTreeMap<BareJid, Associate>,
    pub(super) occupants: BTreeMap<Resource, Occupant>,
    /// The nickname under which each session is in the room.
    pub(super) nicks: std::collections::HashMap<Jid, Resource>,
    pub(super) subject: Option<Subject>,
    pub(super) history: History,
    /// Whether the history holds what the archive had.
    pub(super) recalled: bool,
    pub(super) card: Option<Card>,
    /// The hats that may be given (XEP-0317).
    pub(super) hats: Vec<Hat>,
    pub(super) relays: Relays,
    /// Private messages that may come back.
    pub(super) whispers: Relays,
    /// Who was invited by whom and has not declined; the oldest is forgotten for one more.
    pub(super) invited: VecDeque<(BareJid, BareJid)>,
    /// Who asks to be registered.
    pub(super) registrations: Waiting,
    /// How fast those were who left lately: leaving and coming back is no way to be faster.
    pub(super) departed: VecDeque<(BareJid, Pace)>,
}

/// Who is in the room under one nickname: the sessions of one account.
#[derive(Debug)]
pub(super) struct Occupant {
    pub(super) account: BareJid,
    pub(super) role: Role,
    /// XEP-0421.
    pub(super) id: CompactString,
    /// In the order in which they came; never empty.
    pub(super) seats: Vec<Seat>,
    /// What the occupant tells of its presence.
    pub(super) presence: Content,
    /// The hats that it wears, as the room tells of them.
    pub(super) hats: Option<Element>,
    /// The presence as others are sent it, made when it is needed.
    pub(super) shown: Shown,
    /// Whether others have been told that it is there (`muc#roomconfig_presencebroadcast`).
    pub(super) visible: bool,
    pub(super) pace: Pace,
    /// When it last asked for voice.
    pub(super) asked_for_voice: Option<Timestamp>,
}

/// One session of an occupant.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) jid: Jid,
    /// None where it is a session of another server.
    pub(super) session: Option<Arc<Session>>,
}

impl Room {
    pub(super) fn new(jid: BareJid, creator: BareJid, created_at: Timestamp, state: State) -> Self {
        Self {
            jid,
            creator,
            created_at,
            state: Mutex::new(state),
            saving: tokio::sync::Mutex::default(),
        }
    }

    /// The room comes from the database.
    pub(super) fn was_saved(&self) {
        if let Ok(mut saved) = self.saving.try_lock() {
            saved.exists = true;
        }
    }

    /// The address of somebody in the room.
    pub(super) fn occupant_jid(&self, nick: &Resource) -> Jid {
        Jid::new(self.jid.clone(), Some(nick.clone()))
    }

    /// A panic while the lock was held ends one session; what it left is as whole as it was.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Associate {
    fn default() -> Self {
        Self {
            affiliation: Affiliation::None,
            nick: None,
            reason: None,
            hats: Vec::new(),
        }
    }
}

impl Associate {
    /// Whether there is nothing to remember.
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self.affiliation, Affiliation::None) && self.nick.is_none() && self.hats.is_empty()
    }
}

impl State {
    pub(super) fn new(config: RoomConfig, phase: Phase) -> Self {
        Self {
            phase,
            config,
            associates: BTreeMap::new(),
            occupants: BTreeMap::new(),
            nicks: std::collections::HashMap::new(),
            subject: None,
            history: History::default(),
            recalled: true,
            card: None,
            hats: Vec::new(),
            relays: Relays::default(),
            whispers: Relays::default(),
            invited: VecDeque::new(),
            registrations: Waiting::default(),
            departed: VecDeque::new(),
        }
    }

    pub(super) fn affiliation(&self, account: &BareJid) -> Affiliation {
        let known = self.associates.get(account);
        known.map_or(Affiliation::None, |associate| associate.affiliation)
    }

    /// The occupant as which a session is in the room.
    pub(super) fn occupant_of(&self, session: &Jid) -> Option<(&Resource, &Occupant)> {
        self.occupants.get_key_value(self.nicks.get(session)?)
    }

    /// What the account is, and can do by its best role.
    pub(super) fn standing(&self, asker: &Jid) -> Standing {
        let affiliation = self.affiliation(asker.bare());
        let here = self.occupant_of(asker).map(|(_, occupant)| occupant.role);
        let elsewhere = || {
            let own = self
                .occupants
                .values()
                .filter(|it| it.account == *asker.bare());
            own.map(|it| it.role).max()
        };
        Standing {
            affiliation,
            role: here.or_else(elsewhere).unwrap_or(Role::None),
        }
    }

    /// Whether somebody may know what is said in the room: who is in it, and who may enter. Where that
    /// takes a password, those who have given it, and members.
    pub(super) fn is_open_to(&self, asker: &Jid) -> bool {
        let closed = self.config.members_only || self.config.password.is_some();
        match self.affiliation(asker.bare()) {
            Affiliation::Outcast => false,
            Affiliation::None => !closed || self.occupant_of(asker).is_some(),
            Affiliation::Member | Affiliation::Admin | Affiliation::Owner => true,
        }
    }

    /// Whether the room ends: it is gone, or empty and does not stay.
    pub(super) fn is_over(&self) -> bool {
        match self.phase {
            Phase::Gone => true,
            Phase::Locked => self.occupants.is_empty(),
            Phase::Open => self.occupants.is_empty() && !self.config.persistent,
        }
    }

    /// The account for which a nickname is reserved.
    pub(super) fn reserved_for(&self, nick: &Resource) -> Option<&BareJid> {
        let mut associates = self.associates.iter();
        associates.find_map(|(jid, it)| (it.nick.as_ref() == Some(nick)).then_some(jid))
    }

    /// Changes what an account is; one that is nothing is forgotten.
    pub(super) fn associate(&mut self, account: &BareJid, associate: Associate) {
        if associate.is_nothing() {
            self.associates.remove(account);
        } else {
            self.associates.insert(account.clone(), associate);
        }
    }

    /// The same for those of a draft that is written.
    pub(super) fn associate_all(&mut self, draft: Draft) {
        for (account, associate) in draft.associates {
            self.associate(&account, associate);
        }
    }

    /// The nicknames under which an account is here.
    pub(super) fn nicks_of(&self, account: &BareJid) -> Vec<Resource> {
        let own = self
            .occupants
            .iter()
            .filter(|(_, it)| it.account == *account);
        own.map(|(nick, _)| nick.clone()).collect()
    }

    /// Remembers how fast somebody was who leaves.
    pub(super) fn depart(&mut self, account: BareJid, pace: Pace) {
        if self.departed.len() >= DEPARTED_MAX {
            self.departed.pop_front();
        }
        self.departed.push_back((account, pace));
    }

    /// How fast somebody was who comes back.
    pub(super) fn returning(&mut self, account: &BareJid) -> Option<Pace> {
        let place = self
            .departed
            .iter()
            .rposition(|(known, _)| known == account)?;
        self.departed.remove(place).map(|(_, pace)| pace)
    }

    /// Whether the room would be without an owner if the account were none.
    pub(super) fn is_last_owner(&self, account: &BareJid) -> bool {
        let mut owners = self.associates.iter();
        !owners.any(|(jid, it)| it.affiliation == Affiliation::Owner && jid != account)
    }

    /// Everybody's sessions, with the nickname and role under which each is here.
    pub(super) fn seats(&self) -> impl Iterator<Item = (&Resource, Role, &Seat)> {
        self.occupants.iter().flat_map(|(nick, occupant)| {
            occupant
                .seats
                .iter()
                .map(move |seat| (nick, occupant.role, seat))
        })
    }
}

/// What leaves a room while its lock is held.
#[derive(Debug, Default)]
pub(super) struct Post {
    /// The session whose stanza is being dealt with: what belongs to its entering and leaving is
    /// written by its own task, since a room may be larger than its mailbox.
    pub(super) sender: Option<Arc<Session>>,
    pub(super) replies: Vec<Mail>,
    /// For sessions of other servers, and for whoever is not in the room.
    pub(super) remote: Vec<Stanza>,
}

impl Post {
    pub(super) fn of(sender: Option<&Arc<Session>>) -> Self {
        Self {
            sender: sender.cloned(),
            ..Self::default()
        }
    }

    /// Into the mailbox. A session that does not take it has ended or is being ended for its
    /// slowness, and leaves the room with that.
    pub(super) fn send(&mut self, seat: &Seat, stanza: Stanza) {
        let stanza = stanza.to(seat.jid.clone());
        match &seat.session {
            Some(session) => deliver(session, Arc::new(stanza)),
            None => self.remote.push(stanza),
        }
    }

    /// The same of one stanza for many ([`Stanza::to_each`]).
    pub(super) fn share(&mut self, seat: &Seat, mail: &Mail) {
        match &seat.session {
            Some(session) => deliver(session, Arc::clone(mail)),
            None => self.remote.push(to_remote(seat, mail)),
        }
    }

    /// To the one whose stanza is being dealt with past its mailbox, to others into it.
    pub(super) fn answer(&mut self, seat: &Seat, stanza: Stanza) {
        if !self.is_own(seat) {
            self.send(seat, stanza);
        } else if !is_blocked(seat, &stanza) {
            self.replies.push(Arc::new(stanza.to(seat.jid.clone())));
        }
    }

    /// The same of one stanza for many.
    pub(super) fn show(&mut self, seat: &Seat, mail: &Mail) {
        if !self.is_own(seat) {
            self.share(seat, mail);
        } else if !is_blocked(seat, mail) {
            self.replies.push(Arc::clone(mail));
        }
    }

    fn is_own(&self, seat: &Seat) -> bool {
        match (&self.sender, &seat.session) {
            (Some(sender), Some(session)) => Arc::ptr_eq(sender, session),
            (Some(_) | None, _) => false,
        }
    }
}

fn deliver(session: &Session, mail: Mail) {
    let from = mail.from.as_ref();
    if !from.is_some_and(|from| blocking::stops(session.account(), from)) {
        let _ended = session.deliver(mail);
    }
}

fn is_blocked(seat: &Seat, stanza: &Stanza) -> bool {
    let parties = seat.session.as_ref().zip(stanza.from.as_ref());
    parties.is_some_and(|(session, from)| blocking::stops(session.account(), from))
}

fn to_remote(seat: &Seat, mail: &Mail) -> Stanza {
    let mut stanza = Stanza::clone(mail).to(seat.jid.clone());
    stanza.to_each = ToEach::No;
    stanza
}
