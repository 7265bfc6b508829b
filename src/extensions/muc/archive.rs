//! What a room keeps of what is said in it (XEP-0313 §5.1.2), and the tombstones of what was taken back
//! (XEP-0424 §5, XEP-0425 §5).
//!
//! A room has an archive as long as it exists: it goes with the room, and a new room begins without
//! what one of its name may have left when the server was killed.

use std::sync::Arc;

use bytes::Bytes;
use compact_str::CompactString;

use super::model::history::Said;
use super::model::{Affiliation, Role, RoomConfig};
use super::presence::OCCUPANT_ID;
use super::retraction::RETRACT;
use super::room::{Phase, Room, State};
use super::rooms::Rooms;
use crate::clock::Timestamp;
use crate::extensions::archive::query::{self, Access, Senders};
use crate::extensions::archive::{EXTENDED, FULL_TEXT, rules, words};
use crate::extensions::hints::Hint;
use crate::hooks::{Durable, Iq, IqAnswer, Services};
use crate::proto::{Condition, IqType, Jid, Stanza, StanzaError, ns, reading};
use crate::store::{
    ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePageLimits, Archived, NewArchived,
};
use crate::xml::Element;

/// A message that is kept.
pub(super) struct Kept {
    /// The room's id for it (XEP-0359).
    pub(super) id: CompactString,
    /// The write that was begun for it, and whether it goes on without anybody waiting for it.
    pub(super) written: Option<(Durable, bool)>,
}

/// Who said something, as it was then.
pub(super) struct Sender {
    pub(super) jid: Jid,
    pub(super) standing: (Affiliation, Role),
}

impl Sender {
    /// XEP-0313 §6.1.2 has the sender's address in the archive, for those who may see it.
    fn to_element(&self) -> Element {
        let (affiliation, role) = self.standing;
        let item = Element::new(ns::MUC_USER, "item")
            .attr("affiliation", affiliation.name())
            .attr("jid", self.jid.to_string())
            .attr("role", role.name());
        Element::new(ns::MUC_USER, "x").child(item)
    }
}

/// What the archive has, without the address of the one who said it.
fn anonymous(stanza: Bytes) -> Option<Stanza> {
    let mut stanza = reading::stored(stanza)?;
    stanza
        .payload
        .retain(|child| !child.is(Some(ns::MUC_USER), "x"));
    Some(stanza)
}

/// Whether those who enter later are given the message (§7.2.13).
pub(super) fn is_history(stanza: &Stanza) -> bool {
    let says = stanza.has(ns::CLIENT, "body") || stanza.has(ns::HINTS, "store");
    says && !stanza.has(ns::HINTS, "no-store") && !stanza.has(RETRACT, "retract")
}

/// Whether the message is worth an id: not that somebody is typing.
fn counts(stanza: &Stanza) -> bool {
    rules::says_something(stanza) && !Hint::NoStore.is_on(stanza)
}

const fn has_archive(config: &RoomConfig) -> bool {
    config.logging
}

/// Begins to keep a message; none where it is not kept.
pub(super) fn keep(
    services: &Services,
    room: &Room,
    state: &State,
    stanza: &Stanza,
    who: Option<&Sender>,
    now: Timestamp,
) -> Option<Kept> {
    if !counts(stanza) {
        return None;
    }
    if !has_archive(&state.config) || Hint::NoPermanentStore.is_on(stanza) {
        return Some(Kept {
            id: crate::id::sorted(now).into(),
            written: None,
        });
    }
    let with = who.map_or_else(|| room.jid.clone().into(), |who| who.jid.to_bare());
    let document = match who {
        Some(who) => stanza.clone().child(&who.to_element()).to_document(),
        None => stanza.to_document(),
    };
    let message = NewArchived {
        owner: room.jid.clone(),
        with,
        stanza: document.into(),
        words: words::noted(&services.config.archive, &room.jid, stanza),
    };
    let appended = services.store.archive().append(message, now);
    Some(Kept {
        id: appended.id.to_string().into(),
        written: Some((appended.written, appended.queued)),
    })
}

/// The occupant id in a message that the room has kept.
pub(super) fn author(stanza: &Stanza) -> CompactString {
    let element = stanza.find(OCCUPANT_ID, "occupant-id");
    let element = element.and_then(|it| it.to_element(ns::CLIENT).ok());
    let id = element.as_ref().and_then(|it| it.attribute("id"));
    id.unwrap_or_default().into()
}

/// The message of that id in the archive.
///
/// # Errors
/// When the database fails.
pub(super) async fn find(
    services: &Services,
    room: &Room,
    id: &str,
) -> Result<Option<Stanza>, StanzaError> {
    let Ok(id) = id.parse::<ArchiveId>() else {
        return Ok(None);
    };
    let archive = services.store.archive();
    archive.settle().await?;
    let found = Box::pin(archive.find(&room.jid, id)).await?;
    Ok(found.and_then(|found| reading::stored(found.stanza)))
}

/// Puts a tombstone where a message was that is taken back: its head and author stay, and what it
/// said is gone.
///
/// # Errors
/// When the database fails.
pub(super) async fn bury(
    services: &Services,
    room: &Room,
    id: &str,
    tombstone: Element,
) -> Result<(), StanzaError> {
    let Some(mut stanza) = find(services, room, id).await? else {
        return Ok(());
    };
    let Ok(id) = id.parse::<ArchiveId>() else {
        return Ok(());
    };
    stanza.payload.retain(|child| {
        child.is(Some(OCCUPANT_ID), "occupant-id") || child.is(Some(ns::MUC_USER), "x")
    });
    let stanza = stanza.child(&tombstone);
    let archive = services.store.archive();
    Box::pin(archive.replace(&room.jid, id, stanza.to_document().into())).await?;
    Ok(())
}

/// The element `<retracted/>` (XEP-0424 §5).
pub(super) fn retracted(id: Option<&str>, now: Timestamp) -> Element {
    Element::new(RETRACT, "retracted")
        .attr_opt("id", id)
        .attr("stamp", now.to_string())
}

/// A room that is no more leaves nothing behind for another of its name.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget(services: &Services, room: &Room) -> Result<(), StanzaError> {
    let archive = services.store.archive();
    archive.settle().await?;
    Ok(Box::pin(archive.remove(&room.jid)).await?)
}

/// What a room with an archive says of it (XEP-0313 §7).
pub(super) fn features(config: &RoomConfig, full_text: bool) -> Vec<&'static str> {
    if !has_archive(config) {
        return vec![ns::STANZA_ID];
    }
    let text = full_text.then_some(FULL_TEXT);
    [ns::MAM, EXTENDED, ns::STANZA_ID, TOMBSTONE]
        .into_iter()
        .chain(text)
        .collect()
}

/// XEP-0424 §5: what was taken back leaves a tombstone.
const TOMBSTONE: &str = "urn:xmpp:message-retract:1#tombstone";

impl Rooms {
    /// XEP-0313 §5.1.2: the archive, for whoever may enter the room.
    pub(super) async fn archived(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        let senders = {
            self.recall(room, &iq.services).await?;
            let state = room.lock();
            may_read(&state, &iq.from)?;
            let role = state.standing(&iq.from).role;
            if state.sees_jids(role) {
                Senders::Known
            } else {
                Senders::Hidden
            }
        };
        match (iq.kind, iq.payload.name()) {
            (IqType::Get, "query") => Ok(Some(query::form(&self.config.archive, senders))),
            (IqType::Get, "metadata") => query::metadata(iq, &room.jid).await,
            (IqType::Set, "query") => {
                let hidden = |archived: &Archived| {
                    anonymous(archived.stanza.clone()).map(|it| it.to_document().into())
                };
                let access = Access {
                    owner: &room.jid,
                    asked_at: &room.jid,
                    senders,
                    shown: (senders == Senders::Hidden).then_some(&hidden),
                };
                let (answer, _) = Box::pin(query::answer(iq, access)).await?;
                Ok(Some(answer))
            }
            _ => Err(Condition::ServiceUnavailable.into()),
        }
    }

    /// When a room is entered first: fills its history where it came from the database, and forgets what
    /// another of its name has left where it is new.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn recall(
        &self,
        room: &Arc<Room>,
        services: &Services,
    ) -> Result<(), StanzaError> {
        if room.lock().recalled {
            return Ok(());
        }
        let saved = room.saving.lock().await;
        let (recalled, gone, archives) = {
            let state = room.lock();
            let gone = state.phase == Phase::Gone;
            (state.recalled, gone, has_archive(&state.config))
        };
        if recalled || gone {
            return Ok(());
        }
        if !saved.exists {
            forget(services, room).await?;
        }
        if !saved.exists || !archives {
            room.lock().recalled = true;
            return Ok(());
        }
        let limits = self.limits();
        let bounds = ArchivePageLimits {
            messages_max: limits.history_messages_max,
            bytes_max: limits.history_bytes_max.as_usize(),
        };
        let archive = services.store.archive();
        let all = ArchiveFilter::default();
        let page = Box::pin(archive.page(&room.jid, &all, ArchiveEnd::Latest, bounds)).await?;
        let mut state = room.lock();
        if std::mem::replace(&mut state.recalled, true) {
            return Ok(());
        }
        let most = usize::try_from(limits.history_messages_max).unwrap_or(0);
        for said in page.messages.into_iter().filter_map(|it| said(room, it)) {
            state.history.push(said, most, bounds.bytes_max);
        }
        Ok(())
    }
}

fn said(room: &Room, archived: Archived) -> Option<Said> {
    let stanza = anonymous(archived.stanza).filter(is_history)?;
    let id = CompactString::from(archived.id.to_string());
    Some(Said {
        at: archived.id.moment(),
        author: author(&stanza),
        stanza: stanza.child(&stanza_id(room, &id)),
        id,
    })
}

/// The element `<stanza-id/>` of the room (XEP-0359 §3).
pub(super) fn stanza_id(room: &Room, id: &str) -> Element {
    Element::new(ns::STANZA_ID, "stanza-id")
        .attr("by", room.jid.as_str())
        .attr("id", id)
}

/// Whoever may enter may read what was said.
fn may_read(state: &State, asker: &Jid) -> Result<(), StanzaError> {
    if !has_archive(&state.config) {
        return Err(Condition::ServiceUnavailable.into());
    }
    let may = state.is_open_to(asker);
    may.then_some(()).ok_or_else(|| Condition::Forbidden.into())
}
