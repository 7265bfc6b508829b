//! Rooms in the database: those that stay when nobody is in them, with configuration, affiliations,
//! subject, vCard and hats.

use std::collections::BTreeMap;

use super::model::hat::{self, Hat};
use super::model::{Affiliation, RoomConfig};
use super::room::{Associate, Card, Phase, Room, Saved, State, Subject};
use super::rooms::{Rooms, unsaved};
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::proto::common::delay::Delay;
use crate::proto::common::kept;
use crate::proto::{BareJid, Resource, StanzaError, ns, reading};
use crate::store::{RoomAffiliation, RoomRecord};

/// All rooms of the domain that the database has.
///
/// # Errors
/// When the database fails.
pub(super) async fn load(services: &Services, rooms: &Rooms) -> Result<Vec<Room>, StanzaError> {
    let store = services.store.rooms();
    let mut loaded = Vec::new();
    let mut after = String::new();
    loop {
        let page = Box::pin(store.page(&after)).await?;
        let Some(last) = page.last() else {
            return Ok(loaded);
        };
        after = last.jid.as_str().to_owned();
        for record in page {
            if record.jid.domain() != rooms.domain.domain() {
                continue;
            }
            let affiliations = Box::pin(store.affiliations(&record.jid)).await?;
            loaded.push(restore(record, affiliations, rooms));
        }
    }
}

/// The room of a record. What cannot be read any more is left out: a room without its subject is
/// better than none.
fn restore(record: RoomRecord, affiliations: Vec<RoomAffiliation>, rooms: &Rooms) -> Room {
    let limits = rooms.limits();
    let config = RoomConfig::from_bytes(&record.config, limits).unwrap_or_else(|_| RoomConfig {
        // Nobody gets in by a form that cannot be read.
        members_only: true,
        persistent: true,
        ..RoomConfig::new(limits)
    });
    let mut state = State::new(config, Phase::Open);
    for stored in affiliations {
        let associate = Associate {
            affiliation: Affiliation::from_name(&stored.affiliation).unwrap_or(Affiliation::None),
            nick: stored.nick.and_then(|nick| Resource::new(&nick).ok()),
            reason: stored.reason,
            hats: stored
                .hats
                .iter()
                .flat_map(|hats| hats.lines().map(str::to_owned))
                .collect(),
        };
        state.associates.insert(stored.jid, associate);
    }
    state.subject = record.subject.and_then(|bytes| subject(bytes.into()));
    let card = record.vcard.and_then(|bytes| kept::from_bytes(&bytes).ok());
    state.card = card.map(|element| Card::read(&element));
    let hats = record.hats.and_then(|bytes| kept::from_bytes(&bytes).ok());
    state.hats = hats.map(|hats| hat::listed(&hats)).unwrap_or_default();
    state.recalled = false;
    let room = Room::new(record.jid, record.creator, record.created_at, state);
    room.was_saved();
    room
}

/// A subject is kept with the stamp of its time.
fn subject(bytes: bytes::Bytes) -> Option<Subject> {
    let mut stanza = reading::stored(bytes)?;
    let delay = stanza
        .find(ns::DELAY, "delay")?
        .to_element(ns::CLIENT)
        .ok()?;
    let at = Delay::parse(&delay)?.stamp;
    stanza
        .payload
        .retain(|child| !child.is(Some(ns::DELAY), "delay"));
    Some(Subject { at, stanza })
}

/// A change of what is kept of a room: it is written first, and then made. What stays as it is, is
/// not there.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) phase: Option<Phase>,
    pub(super) config: Option<RoomConfig>,
    pub(super) subject: Option<Subject>,
    pub(super) card: Option<Option<Card>>,
    pub(super) hats: Option<Vec<Hat>>,
    pub(super) associates: BTreeMap<BareJid, Associate>,
}

impl Draft {
    /// What an account will be.
    pub(super) fn associate<'a>(
        &'a self,
        state: &'a State,
        account: &BareJid,
    ) -> Option<&'a Associate> {
        let known = || state.associates.get(account);
        self.associates.get(account).or_else(known)
    }
}

impl Rooms {
    /// Writes the room as it will be, or forgets it where it does not stay. The change itself is made by
    /// the caller, who holds `saved` until then.
    ///
    /// # Errors
    /// When the database fails: nothing has changed then, and nothing may.
    pub(super) async fn write(
        &self,
        room: &Room,
        saved: &mut Saved,
        draft: &Draft,
        services: &Services,
    ) -> Result<(), StanzaError> {
        let (record, changed) = {
            let state = room.lock();
            let config = draft.config.as_ref().unwrap_or(&state.config);
            let phase = draft.phase.unwrap_or(state.phase);
            let stays = config.persistent && phase == Phase::Open;
            let all = (stays && !saved.exists).then_some(&state.associates);
            let others = all.into_iter().flatten();
            let others = others.filter(|(jid, _)| !draft.associates.contains_key(*jid));
            let changed: Vec<_> = others
                .chain(&draft.associates)
                .map(|(jid, it)| (jid.clone(), stored(jid, it)))
                .collect();
            let record = stays.then(|| self.record(room, &state, draft, config));
            (record, changed)
        };
        let store = services.store.rooms();
        let written = match record {
            Some(record) => Box::pin(store.put(&record, &changed)).await.map(|()| true),
            None if saved.exists => store.remove(&room.jid).await.map(|()| false),
            None => Ok(false),
        };
        saved.exists = written.map_err(|error| {
            let error = StanzaError::from(error);
            unsaved(room, &error);
            error
        })?;
        Ok(())
    }

    fn record(&self, room: &Room, state: &State, draft: &Draft, config: &RoomConfig) -> RoomRecord {
        let subject = draft.subject.as_ref().or(state.subject.as_ref());
        let card = draft.card.as_ref().unwrap_or(&state.card);
        let hats = draft.hats.as_ref().unwrap_or(&state.hats);
        RoomRecord {
            jid: room.jid.clone(),
            creator: room.creator.clone(),
            created_at: room.created_at,
            config: config.to_bytes(self.limits()),
            subject: subject.map(|subject| stamped(subject, subject.at)),
            vcard: card.as_ref().map(|card| card.xml.clone()),
            hats: (!hats.is_empty()).then(|| kept::to_bytes(&hat::element(hats))),
        }
    }
}

fn stamped(subject: &Subject, at: Timestamp) -> Vec<u8> {
    let delay = Delay {
        from: None,
        stamp: at,
    };
    subject
        .stanza
        .clone()
        .child(&delay.to_element())
        .to_document()
}

fn stored(jid: &BareJid, associate: &Associate) -> Option<RoomAffiliation> {
    let hats = (!associate.hats.is_empty()).then(|| associate.hats.join("\n"));
    (!associate.is_nothing()).then(|| RoomAffiliation {
        jid: jid.clone(),
        affiliation: associate.affiliation.name().to_owned(),
        nick: associate.nick.as_ref().map(|nick| nick.as_str().to_owned()),
        reason: associate.reason.clone(),
        hats,
    })
}
