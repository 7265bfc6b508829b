//! Leaving: by oneself, by the end of a session, by being put out (XEP-0045 §7.14, §8.2, §9.1, §14.1).

use std::sync::Arc;

use super::presence::News;
use super::room::{Post, Room, State};
use super::rooms::{Rooms, left, remember};
use crate::hooks::{Parcel, Session};
use crate::proto::{Condition, Jid, PresenceType, Resource, Stanza, ns};

/// A session leaves; its account stays as long as another session of it is under the nickname.
pub(super) fn leave(state: &mut State, room: &Room, from: &Jid, news: &News<'_>, post: &mut Post) {
    let Some(nick) = state.nicks.get(from).cloned() else {
        return;
    };
    let Some(occupant) = state.occupants.get(&nick) else {
        return;
    };
    if occupant.seats.iter().all(|seat| seat.jid == *from) {
        expel(state, room, &nick, news, post);
        return;
    }
    let own = state.own_farewell(room, &nick, news);
    state.nicks.remove(from);
    state.end_waiting(from, post);
    let Some(occupant) = state.occupants.get_mut(&nick) else {
        return;
    };
    occupant.shown = super::presence::Shown::default();
    let place = occupant.seats.iter().position(|seat| seat.jid == *from);
    if let Some(seat) = place.map(|place| occupant.seats.remove(place)) {
        if let Some(session) = &seat.session {
            left(session, &room.jid);
        }
        if let Some(own) = own {
            post.answer(&seat, own);
        }
    }
}

/// An occupant is in the room no more, with all its sessions.
pub(super) fn expel(
    state: &mut State,
    room: &Room,
    nick: &Resource,
    news: &News<'_>,
    post: &mut Post,
) {
    state.farewell(room, nick, news, post);
    let Some(occupant) = state.occupants.remove(nick) else {
        return;
    };
    state.depart(occupant.account, occupant.pace);
    for seat in occupant.seats {
        state.nicks.remove(&seat.jid);
        state.end_waiting(&seat.jid, post);
        if let Some(session) = &seat.session {
            left(session, &room.jid);
        }
    }
}

/// The session that acts is the one of its address from now on: another may have had it before, whose
/// end is not the end of this one.
pub(super) fn succeed(state: &mut State, room: &Room, from: &Jid, parcel: &Parcel) {
    let (Some(nick), Some(session)) = (state.nicks.get(from), &parcel.session) else {
        return;
    };
    let seats = state.occupants.get_mut(nick).map(|it| &mut it.seats);
    let Some(seat) = seats.and_then(|seats| seats.iter_mut().find(|seat| seat.jid == *from)) else {
        return;
    };
    let known = seat.session.as_ref();
    if known.is_none_or(|known| !Arc::ptr_eq(known, session)) {
        seat.session = Some(Arc::clone(session));
        remember(session, &room.jid);
    }
}

/// Whether the end of a presence is not that of the session which is in the room: the server says it
/// for a session that is gone, and another may have taken its address over.
pub(super) fn is_stale(state: &State, from: &Jid, parcel: &Parcel) -> bool {
    let occupant = state.occupant_of(from).map(|(_, occupant)| occupant);
    let mut seats = occupant.map_or(&[][..], |it| it.seats.as_slice()).iter();
    let Some(seat) = seats.find(|seat| seat.jid == *from) else {
        return true;
    };
    match (&seat.session, &parcel.session) {
        (Some(here), Some(sender)) => !Arc::ptr_eq(here, sender),
        // When a session of this server ends, the room hears of it by itself.
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Whether an error says that its sender cannot be reached (§16.1.3).
pub(super) fn is_delivery_failure(stanza: &Stanza) -> bool {
    let error = stanza.find(ns::CLIENT, "error");
    let Some(error) = error.and_then(|error| error.to_element(ns::CLIENT).ok()) else {
        return false;
    };
    [
        Condition::Gone,
        Condition::ItemNotFound,
        Condition::RecipientUnavailable,
        Condition::Redirect,
        Condition::RemoteServerNotFound,
        Condition::RemoteServerTimeout,
    ]
    .iter()
    .any(|condition| error.find(ns::STANZA_ERRORS, condition.name()).is_some())
}

impl Rooms {
    /// The session ended without leaving.
    pub(super) fn lost(&self, room: &Room, session: &Arc<Session>, post: &mut Post) {
        let mut state = room.lock();
        let from = session.address();
        let own = state.occupant_of(&from).is_some_and(|(_, occupant)| {
            let mut sessions = occupant
                .seats
                .iter()
                .filter_map(|seat| seat.session.as_ref());
            sessions.any(|known| Arc::ptr_eq(known, session))
        });
        if own {
            let news = News {
                codes: &[333],
                ..News::default()
            };
            leave(&mut state, room, &from, &news, post);
        }
    }
}

impl State {
    /// Nobody waits any more for what a session that left would answer.
    pub(super) fn end_waiting(&mut self, session: &Jid, post: &mut Post) {
        post.remote.extend(self.relays.end(session));
        self.whispers.end(session);
    }

    fn own_farewell(&self, room: &Room, nick: &Resource, news: &News<'_>) -> Option<Stanza> {
        let mut stanza = Stanza::presence(PresenceType::Unavailable).from(room.occupant_jid(nick));
        stanza.payload = self.farewell_payload(nick, news)?;
        Some(stanza)
    }
}
