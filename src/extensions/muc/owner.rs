//! What owners do by `http://jabber.org/protocol/muc#owner` (XEP-0045 §10.1, §10.2, §10.9): the first and
//! every later configuration, and the end of a room.

use std::sync::Arc;

use super::leaving::expel;
use super::model::{Affiliation, RoomConfig};
use super::notices::reason;
use super::persistence::Draft;
use super::presence::{News, codes, occupant_id};
use super::room::{Phase, Post, Room, State};
use super::rooms::{Rooms, left};
use crate::hooks::{Iq, IqAnswer, Services};
use crate::proto::common::forms::{Form, FormType};
use crate::proto::{
    Condition, IqType, Jid, MessageType, PresenceType, Resource, Stanza, StanzaError, ns,
};
use crate::xml::Element;

impl Rooms {
    /// Answers a request of an owner.
    pub(super) async fn own(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        if room.lock().affiliation(iq.from.bare()) < Affiliation::Owner {
            return Err(Condition::Forbidden.into());
        }
        if iq.kind == IqType::Get {
            let form = room.lock().config.form(self.limits());
            return Ok(Some(
                Element::new(ns::MUC_OWNER, "query").child(form.to_element()),
            ));
        }
        if let Some(destroy) = iq.payload.find(ns::MUC_OWNER, "destroy") {
            return self.destroy(iq, room, destroy).await;
        }
        let form = iq
            .payload
            .find(ns::DATA_FORMS, "x")
            .ok_or(Condition::BadRequest)?;
        let form = Form::parse(form)?;
        match form.kind {
            FormType::Cancel => self.cancel(iq, room).await,
            FormType::Submit => self.configure(iq, room, &form).await,
            FormType::Form | FormType::Result => Err(Condition::BadRequest.into()),
        }
    }

    /// §10.1.2, §10.1.3, §10.2: an empty form accepts what is.
    async fn configure(&self, iq: &Iq, room: &Arc<Room>, form: &Form) -> IqAnswer {
        let mut saved = room.saving.lock().await;
        let new = {
            let state = room.lock();
            if state.phase == Phase::Gone {
                return Err(Condition::ItemNotFound.into());
            }
            if form.fields.is_empty() {
                state.config.clone()
            } else {
                state.config.submitted(form, self.limits())?
            }
        };
        let draft = Draft {
            phase: Some(Phase::Open),
            config: Some(new.clone()),
            ..Draft::default()
        };
        self.write(room, &mut saved, &draft, &iq.services).await?;
        let mut post = Post::default();
        {
            let mut guard = room.lock();
            let state = &mut *guard;
            let told = state.config.changes(&new);
            let before = std::mem::replace(&mut state.config, new);
            let locked = std::mem::replace(&mut state.phase, Phase::Open) == Phase::Locked;
            if !locked && !told.is_empty() {
                tell(state, room, &told, &mut post);
            }
            apply(state, room, &before, &mut post);
        }
        drop(saved);
        post.carry_out(&iq.services).await;
        self.tidy(room, &iq.services).await;
        Ok(None)
    }

    /// §10.1.3: a room whose first configuration is given up is none.
    async fn cancel(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        if room.lock().phase == Phase::Locked {
            let destroy = Element::new(ns::MUC_OWNER, "destroy");
            return self.destroy(iq, room, &destroy).await;
        }
        Ok(None)
    }

    /// §10.9.
    async fn destroy(&self, iq: &Iq, room: &Arc<Room>, destroy: &Element) -> IqAnswer {
        let alternative = destroy.attribute("jid").map(Jid::parse).transpose();
        let alternative = alternative.map_err(|_| Condition::JidMalformed)?;
        let reason = reason(destroy);
        let ended = self.end(room, alternative.as_ref(), reason.as_deref(), &iq.services);
        Box::pin(ended).await?;
        Ok(None)
    }

    /// Ends a room for good.
    ///
    /// # Errors
    /// When the database fails: the room goes on then.
    pub(super) async fn end(
        &self,
        room: &Arc<Room>,
        alternative: Option<&Jid>,
        reason: Option<&str>,
        services: &Services,
    ) -> Result<(), StanzaError> {
        let mut saved = room.saving.lock().await;
        if room.lock().phase == Phase::Gone {
            return Err(no_room());
        }
        let draft = Draft {
            phase: Some(Phase::Gone),
            ..Draft::default()
        };
        super::archive::forget(services, room).await?;
        self.write(room, &mut saved, &draft, services).await?;
        let mut post = Post::default();
        {
            let mut state = room.lock();
            state.phase = Phase::Gone;
            end(&mut state, room, alternative, reason, &mut post);
        }
        drop(saved);
        post.carry_out(services).await;
        // What was said while it was forgotten goes, and then the name is free.
        self.tidy(room, services).await;
        Ok(())
    }
}

/// §10.2.1: occupants hear that the configuration has changed.
fn tell(state: &State, room: &Room, told: &[u16], post: &mut Post) {
    let message = Stanza::message(MessageType::Groupchat)
        .from(room.jid.clone())
        .child(&codes(told));
    for (_, _, seat) in state.seats() {
        post.send(seat, message.clone());
    }
}

/// What a new configuration means for those who are there.
fn apply(state: &mut State, room: &Room, before: &RoomConfig, post: &mut Post) {
    let nicks: Vec<Resource> = state.occupants.keys().cloned().collect();
    for nick in &nicks {
        let Some(occupant) = state.occupants.get(nick) else {
            continue;
        };
        let affiliation = state.affiliation(&occupant.account);
        if state.config.members_only && !before.members_only && affiliation < Affiliation::Member {
            // §10.2.1.
            let news = News {
                codes: &[322],
                ..News::default()
            };
            expel(state, room, nick, &news, post);
        }
    }
    if state.config.nonanonymous && !before.nonanonymous {
        state.reveal(room, post);
    }
}

/// Tells each occupant that the room is no more, and empties it.
fn end(
    state: &mut State,
    room: &Room,
    alternative: Option<&Jid>,
    reason: Option<&str>,
    post: &mut Post,
) {
    let destroyed = Element::new(ns::MUC_USER, "destroy")
        .attr_opt("jid", alternative.map(ToString::to_string))
        .child_opt(reason.map(|text| Element::new(ns::MUC_USER, "reason").text(text)));
    let item = Element::new(ns::MUC_USER, "item")
        .attr("affiliation", "none")
        .attr("role", "none");
    let x = Element::new(ns::MUC_USER, "x")
        .child(item)
        .child(destroyed)
        .child(super::presence::status(110));
    for (nick, occupant) in std::mem::take(&mut state.occupants) {
        let stanza = Stanza::presence(PresenceType::Unavailable)
            .from(room.occupant_jid(&nick))
            .child(&occupant_id(&occupant.id))
            .child(&x);
        for seat in &occupant.seats {
            if let Some(session) = &seat.session {
                left(session, &room.jid);
            }
            state.end_waiting(&seat.jid, post);
            post.send(seat, stanza.clone());
        }
    }
    state.nicks.clear();
}

/// Why an owner's request cannot be understood.
pub(super) fn no_room() -> StanzaError {
    StanzaError::new(Condition::ItemNotFound).text("there is no such room")
}
