//! Rooms in the database: those that stay when nobody is in them, with configuration, affiliations,
//! subject, and vCard.

use std::sync::Arc;

use super::model::{Affiliation, RoomConfig};
use super::room::{Associate, Card, Phase, Room, State, Subject};
use super::rooms::{Rooms, unsaved};
use crate::clock::Timestamp;
use crate::hooks::{Effects, Services};
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
        };
        state.associates.insert(stored.jid, associate);
    }
    state.subject = record.subject.and_then(|bytes| subject(bytes.into()));
    let card = record.vcard.and_then(|bytes| kept::from_bytes(&bytes).ok());
    state.card = card.map(|element| Card::read(&element));
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

impl Rooms {
    /// Writes the room as it is now, or forgets it where it does not stay.
    ///
    /// # Errors
    /// When the database fails: what was to be written is written with the next change.
    pub(super) async fn save(
        &self,
        room: &Arc<Room>,
        services: &Services,
    ) -> Result<(), StanzaError> {
        let mut saved = room.saving.lock().await;
        let (record, changed) = {
            let mut state = room.lock();
            let stays = state.config.persistent && state.phase == Phase::Open;
            if stays && !saved.exists {
                state.unsaved = state.associates.keys().cloned().collect();
            }
            let changed = std::mem::take(&mut state.unsaved);
            let record = stays.then(|| self.record(room, &state));
            let changed: Vec<_> = changed
                .into_iter()
                .map(|jid| {
                    let stored = state.associates.get(&jid).map(|it| stored(&jid, it));
                    (jid, stored)
                })
                .collect();
            (record, changed)
        };
        let store = services.store.rooms();
        let written = match record {
            Some(record) => Box::pin(store.put(&record, &changed)).await.map(|()| true),
            None if saved.exists => store.remove(&room.jid).await.map(|()| false),
            None => Ok(false),
        };
        match written {
            Ok(exists) => {
                saved.exists = exists;
                Ok(())
            }
            Err(error) => {
                let mut state = room.lock();
                state
                    .unsaved
                    .extend(changed.into_iter().map(|(jid, _)| jid));
                drop(state);
                let error = StanzaError::from(error);
                unsaved(room, &error);
                Err(error)
            }
        }
    }

    /// Has the room written by the task that deals with the stanza, where there is one to be written.
    pub(super) fn save_later(
        self: &Arc<Self>,
        effects: &mut Effects,
        room: Option<Arc<Room>>,
        services: &Arc<Services>,
    ) {
        if let Some(room) = room {
            let (rooms, services) = (Arc::clone(self), Arc::clone(services));
            effects.then(async move { rooms.save(&room, &services).await });
        }
    }

    fn record(&self, room: &Room, state: &State) -> RoomRecord {
        RoomRecord {
            jid: room.jid.clone(),
            creator: room.creator.clone(),
            created_at: room.created_at,
            config: state.config.to_bytes(self.limits()),
            subject: state
                .subject
                .as_ref()
                .map(|subject| stamped(subject, subject.at)),
            vcard: state.card.as_ref().map(|card| card.xml.clone()),
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

fn stored(jid: &BareJid, associate: &Associate) -> RoomAffiliation {
    RoomAffiliation {
        jid: jid.clone(),
        affiliation: associate.affiliation.name().to_owned(),
        nick: associate.nick.as_ref().map(|nick| nick.as_str().to_owned()),
        reason: associate.reason.clone(),
    }
}
