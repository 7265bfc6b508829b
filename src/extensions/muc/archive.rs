//! What a room keeps of what is said in it (XEP-0313 §5.1.2), and the tombstones of what was taken back
//! (XEP-0424 §5, XEP-0425 §5).
//!
//! Only a room that is persistent has an archive: another leaves nothing behind that the next of its
//! name could show.

use std::sync::Arc;

use compact_str::CompactString;

use super::messages::RETRACT;
use super::model::RoomConfig;
use super::model::history::Said;
use super::presence::OCCUPANT_ID;
use super::room::{Room, State};
use super::rooms::Rooms;
use crate::clock::Timestamp;
use crate::hooks::{Durable, Services};
use crate::proto::{Jid, Stanza, StanzaError, ns, reading};
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

/// Whether those who enter later are given the message (§7.2.13).
pub(super) fn is_history(stanza: &Stanza) -> bool {
    let says = stanza.has(ns::CLIENT, "body") || stanza.has(ns::HINTS, "store");
    says && !stanza.has(ns::HINTS, "no-store") && !stanza.has(RETRACT, "retract")
}

/// Whether the message is worth keeping: not that somebody is typing.
fn is_kept(stanza: &Stanza) -> bool {
    let says = [
        (ns::CLIENT, "body"),
        (ns::CLIENT, "subject"),
        (ns::HINTS, "store"),
        (RETRACT, "retract"),
        ("urn:xmpp:reactions:0", "reactions"),
        (ns::CHAT_MARKERS, "displayed"),
    ];
    says.iter().any(|(space, name)| stanza.has(space, name)) && !stanza.has(ns::HINTS, "no-store")
}

const fn has_archive(config: &RoomConfig) -> bool {
    config.persistent && config.logging
}

/// Begins to keep a message; none where it is not kept.
pub(super) fn keep(
    services: &Services,
    room: &Room,
    state: &State,
    stanza: &Stanza,
    now: Timestamp,
) -> Option<Kept> {
    if !is_kept(stanza) {
        return None;
    }
    if !has_archive(&state.config) {
        return Some(Kept {
            id: crate::id::sorted(now).into(),
            written: None,
        });
    }
    let message = NewArchived {
        owner: room.jid.clone(),
        with: stanza
            .from
            .clone()
            .unwrap_or_else(|| Jid::from(room.jid.clone())),
        stanza: stanza.to_document().into(),
        words: Vec::new(),
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
    let found = archive.find(&room.jid, id).await?;
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
    stanza
        .payload
        .retain(|child| child.is(Some(OCCUPANT_ID), "occupant-id"));
    let stanza = stanza.child(&tombstone);
    let archive = services.store.archive();
    archive
        .replace(&room.jid, id, stanza.to_document().into())
        .await?;
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
    Ok(archive.remove(&room.jid).await?)
}

impl Rooms {
    /// Fills the history of a room that came from the database, when it is entered first.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn recall(
        &self,
        room: &Arc<Room>,
        services: &Services,
    ) -> Result<(), StanzaError> {
        let wanted = {
            let state = room.lock();
            !state.recalled && has_archive(&state.config)
        };
        if !wanted {
            return Ok(());
        }
        let limits = self.limits();
        let bounds = ArchivePageLimits {
            messages_max: limits.history_messages_max,
            bytes_max: limits.history_bytes_max.as_usize(),
        };
        let archive = services.store.archive();
        let all = ArchiveFilter::default();
        let page = archive
            .page(&room.jid, &all, ArchiveEnd::Latest, bounds)
            .await?;
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
    let stanza = reading::stored(archived.stanza).filter(is_history)?;
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
