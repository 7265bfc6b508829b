//! XEP-0425: Moderated Message Retraction, version 0.3.0: a moderator takes back what another said.

use std::sync::Arc;

use super::archive;
use super::model::Role;
use super::notices::reason;
use super::presence::occupant_id;
use super::retraction::RETRACT;
use super::room::{Post, Room};
use super::rooms::Rooms;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::{Condition, MessageType, Stanza, StanzaError};
use crate::xml::Element;

/// XEP-0425 §3.
pub(super) const MODERATE: &str = "urn:xmpp:message-moderate:1";

impl Rooms {
    /// Answers `<moderate/>`.
    pub(super) async fn moderate(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        let id = iq
            .payload
            .attribute("id")
            .ok_or(Condition::BadRequest)?
            .to_owned();
        if iq.payload.find(RETRACT, "retract").is_none() {
            return Err(Condition::BadRequest.into());
        }
        if room.lock().standing(&iq.from).role != Role::Moderator {
            return Err(StanzaError::new(Condition::Forbidden)
                .text("only moderators may moderate messages"));
        }
        let known = room.lock().history.find(&id).is_some();
        if !known && archive::find(&iq.services, room, &id).await?.is_none() {
            return Err(Condition::ItemNotFound.into());
        }
        let now = iq.services.clock.now();
        let reason = reason(&iq.payload);
        let mut post = Post::default();
        let (kept, moderated) = {
            let mut guard = room.lock();
            let state = &mut *guard;
            let actor = state.occupant_of(&iq.from);
            let actor = actor.map(|(nick, it)| (room.occupant_jid(nick), it.id.clone()));
            let moderated = Element::new(MODERATE, "moderated")
                .attr_opt("by", actor.as_ref().map(|(jid, _)| jid.to_string()))
                .child_opt(actor.as_ref().map(|(_, id)| occupant_id(id)));
            let reason = reason
                .as_deref()
                .map(|text| Element::new(RETRACT, "reason").text(text));
            let retract = Element::new(RETRACT, "retract")
                .attr("id", &id)
                .child(moderated.clone())
                .child_opt(reason.clone());
            state.history.remove(&id);
            let mut stanza = Stanza::message(MessageType::Groupchat)
                .from(room.jid.clone())
                .child(&retract);
            stanza.id = Some(crate::id::random().into());
            let kept = archive::keep(&iq.services, room, state, &stanza, None, now);
            self.reflect(room, state, stanza, kept.as_ref(), &mut post);
            (kept, [Some(moderated), reason])
        };
        if let Some((written, _)) = kept.and_then(|kept| kept.written) {
            written.await?;
        }
        let tombstone =
            archive::retracted(None, now).children_from(moderated.into_iter().flatten());
        archive::bury(&iq.services, room, &id, tombstone).await?;
        post.carry_out(&iq.services).await;
        Ok(None)
    }
}
