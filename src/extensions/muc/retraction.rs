//! Taking back what one has said (XEP-0424), in a room.

use std::sync::Arc;

use compact_str::CompactString;

use super::archive;
use super::room::{Room, State};
use crate::hooks::{Effects, Parcel};
use crate::proto::{Condition, Stanza, StanzaError, ns};

/// XEP-0424 §3.
pub(super) const RETRACT: &str = "urn:xmpp:message-retract:1";

/// The id of the message that is taken back (XEP-0424 §4).
pub(super) fn retracted(stanza: &Stanza) -> Result<Option<String>, StanzaError> {
    let Some(retract) = stanza.find(RETRACT, "retract") else {
        return Ok(None);
    };
    let retract = retract
        .to_element(ns::CLIENT)
        .map_err(|_| Condition::BadRequest)?;
    let id = retract.attribute("id").ok_or(Condition::BadRequest)?;
    Ok(Some(id.to_owned()))
}

/// XEP-0424 §6: what an occupant takes back is not given to those who enter later; of what the room
/// remembers only its own.
pub(super) fn retract(
    state: &mut State,
    id: Option<&str>,
    author: &str,
) -> Result<(), StanzaError> {
    let Some(id) = id else {
        return Ok(());
    };
    if state
        .history
        .find(id)
        .is_some_and(|said| said.author != author)
    {
        return Err(Condition::Forbidden.into());
    }
    state.history.remove(id);
    Ok(())
}

/// The archive forgets what its author took back.
pub(super) fn bury(
    effects: &mut Effects,
    room: &Arc<Room>,
    gone: String,
    author: CompactString,
    parcel: &Parcel,
) {
    let (room, services) = (Arc::clone(room), Arc::clone(&parcel.services));
    let tombstone = archive::retracted(parcel.stanza.id.as_deref(), services.clock.now());
    effects.then(async move {
        match archive::find(&services, &room, &gone).await? {
            Some(said) if archive::author(&said) == author => {
                archive::bury(&services, &room, &gone, tombstone).await
            }
            Some(_) | None => Ok(()),
        }
    });
}
