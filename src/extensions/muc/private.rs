//! Messages to one occupant, and those that come back (XEP-0045 §7.5, §16.1.3).

use std::sync::Arc;

use super::leaving;
use super::messages::clean;
use super::model::Role;
use super::presence::{News, occupant_id};
use super::relay::Waiting;
use super::room::{Post, Room, Seat};
use super::rooms::Rooms;
use crate::extensions::{archive, blocking};
use crate::hooks::{Effects, Parcel, Services};
use crate::proto::{BareJid, Condition, Jid, Resource, Stanza, StanzaError, ns};
use crate::xml::{Content, Element};

/// A message, and whose sessions get it.
pub(super) struct Private {
    pub(super) stanza: Stanza,
    pub(super) account: BareJid,
    pub(super) seats: Vec<Seat>,
}

impl Private {
    /// Sends it by the ordinary way. The archive of the recipient has it once, and all of its sessions are
    /// told the same id.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn send(mut self, services: &Arc<Services>) -> Result<Effects, StanzaError> {
        let mut effects = Effects::default();
        let local = self.seats.iter().find_map(|seat| seat.session.as_ref());
        if let (Some(session), Some(from)) = (local, &self.stanza.from) {
            if blocking::stops(session.account(), from) {
                return Ok(effects);
            }
            self.stanza.to = self.seats.first().map(|seat| seat.jid.clone());
            let once = archive::once(services, &self.account, &mut self.stanza);
            effects = Box::pin(once).await?;
        }
        let copies = self
            .seats
            .into_iter()
            .map(|seat| self.stanza.clone().to(seat.jid));
        effects.route.extend(copies);
        Ok(effects)
    }
}

impl Rooms {
    /// §7.5: to one occupant.
    pub(super) async fn whisper(
        &self,
        room: &Arc<Room>,
        from: &Jid,
        to: &Resource,
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        let private = self.whispered(room, from, to, parcel)?;
        private.send(&parcel.services).await
    }

    fn whispered(
        &self,
        room: &Room,
        from: &Jid,
        to: &Resource,
        parcel: &Parcel,
    ) -> Result<Private, StanzaError> {
        if parcel.stanza.payload.bytes().len() > self.limits().message_bytes_max.as_usize() {
            return Err(StanzaError::new(Condition::NotAcceptable).text("the message is too large"));
        }
        let mut guard = room.lock();
        let state = &mut *guard;
        let nick = self.speaker(state, from, parcel.services.clock.now())?;
        let sender = state.occupants.get(&nick).ok_or(Condition::NotAcceptable)?;
        let recipient = state.occupants.get(to).ok_or(Condition::ItemNotFound)?;
        // Who may not write to everybody may still ask a moderator.
        if !state.config.allow_pm.lets(sender.role) && recipient.role != Role::Moderator {
            return Err(Condition::Forbidden.into());
        }
        let mut stanza = Stanza {
            from: Some(room.occupant_jid(&nick)),
            copies: None,
            ..Stanza::clone(&parcel.stanza)
        };
        clean(&mut stanza, room);
        let own = [occupant_id(&sender.id), Element::new(ns::MUC_USER, "x")];
        stanza
            .payload
            .append(&Content::from_elements(&own, ns::CLIENT));
        if let Some(id) = &parcel.stanza.id {
            for seat in &recipient.seats {
                state.whispers.push(Waiting {
                    id: id.clone(),
                    asker: from.clone(),
                    asker_id: Some(id.clone()),
                    asked: seat.jid.clone(),
                    whom: room.occupant_jid(to),
                });
            }
        }
        Ok(Private {
            stanza,
            account: recipient.account.clone(),
            seats: recipient.seats.clone(),
        })
    }

    /// A message that was refused: what was private comes back to its sender, from whom it was for;
    /// nothing else does. Who cannot be reached is not there (§16.1.3).
    pub(super) async fn bounced(&self, room: &Arc<Room>, from: &Jid, parcel: &Parcel) -> Effects {
        let mut post = Post::of(parcel.session.as_ref());
        let stanza = &parcel.stanza;
        {
            let mut guard = room.lock();
            let state = &mut *guard;
            let id = stanza.id.as_deref();
            let refused = id.and_then(|id| state.whispers.take(id, from));
            if let Some(whisper) = refused {
                let mut error = Stanza::clone(stanza).from(whisper.whom).to(whisper.asker);
                error.payload.retain(|child| child.is(None, "error"));
                post.remote.push(error);
            }
            if leaving::is_delivery_failure(stanza) {
                let news = News {
                    codes: &[333],
                    ..News::default()
                };
                leaving::leave(state, room, from, &news, &mut post);
            }
        }
        self.tidy(room, &parcel.services).await;
        post.into_effects()
    }
}
