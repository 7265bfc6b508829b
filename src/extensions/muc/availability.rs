//! The presence of one who is in the room: another status, another nickname, and the end (XEP-0045 §7.6, §7.7,
//! §7.14).

use super::entering::{Arrival, RENAMED};
use super::leaving;
use super::model::hat::HATS;
use super::presence::{News, OCCUPANT_ID};
use super::room::{Post, Room, State};
use super::rooms::Rooms;
use crate::hooks::{Effects, Parcel};
use crate::proto::{Condition, PresenceType, Resource, Stanza, StanzaError, ns};
use crate::xml::Content;

/// What of a client's presence is the room's to say, and never passed on (§15.3 rule 6).
const STRIPPED: [(&str, &str); 5] = [
    (ns::MUC, "x"),
    (ns::MUC_USER, "x"),
    (OCCUPANT_ID, "occupant-id"),
    (HATS, "hats"),
    (ns::DELAY, "delay"),
];

impl Rooms {
    /// What others are sent of a presence.
    ///
    /// # Errors
    /// `not-acceptable` for one that is too large.
    pub(super) fn cleaned(&self, stanza: &Stanza) -> Result<Content, StanzaError> {
        let mut presence = stanza.payload.clone();
        presence.retain(|child| {
            !STRIPPED
                .iter()
                .any(|(space, name)| child.is(Some(space), name))
        });
        if presence.bytes().len() > self.limits().presence_bytes_max.as_usize() {
            return Err(
                StanzaError::new(Condition::NotAcceptable).text("the presence is too large")
            );
        }
        Ok(presence.detached())
    }

    /// Presence of any type that is not available.
    pub(super) async fn depart(&self, parcel: &Parcel, kind: PresenceType) -> Effects {
        let stanza = &parcel.stanza;
        let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else {
            return Effects::default();
        };
        let Some(room) = self.find(to.bare()) else {
            return Effects::default();
        };
        let parting = self.cleaned(stanza).unwrap_or_default();
        let mut post = Post::of(parcel.session.as_ref());
        {
            let mut state = room.lock();
            match kind {
                PresenceType::Unavailable if !leaving::is_stale(&state, from, parcel) => {
                    leaving::leave(
                        &mut state,
                        &room,
                        from,
                        &News {
                            parting: Some(&parting),
                            ..News::default()
                        },
                        &mut post,
                    );
                }
                PresenceType::Error if leaving::is_delivery_failure(stanza) => {
                    leaving::leave(
                        &mut state,
                        &room,
                        from,
                        &News {
                            codes: &[333],
                            ..News::default()
                        },
                        &mut post,
                    );
                }
                // §15.3: nothing else makes one enter or leave.
                _ => {}
            }
        }
        self.tidy(&room, &parcel.services).await;
        post.into_effects()
    }
}

/// §7.7: another status of somebody who is there.
pub(super) fn update(state: &mut State, room: &Room, arrival: &Arrival<'_>, post: &mut Post) {
    if let Some(occupant) = state.occupants.get_mut(arrival.nick) {
        if occupant.presence == arrival.presence {
            return;
        }
        occupant.presence = arrival.presence.clone();
    }
    state.announce(room, arrival.nick, &News::default(), post);
}

/// §7.6: all sessions under the old nickname come along.
pub(super) fn rename(
    state: &mut State,
    room: &Room,
    old: &Resource,
    arrival: &Arrival<'_>,
    post: &mut Post,
) -> Result<(), StanzaError> {
    let account = arrival.from.bare();
    let reserved = state
        .reserved_for(arrival.nick)
        .is_some_and(|owner| owner != account);
    if reserved || state.occupants.contains_key(arrival.nick) {
        return Err(Condition::Conflict.into());
    }
    let news = News {
        codes: &[303],
        nick: Some(arrival.nick),
        ..News::default()
    };
    state.farewell(room, old, &news, post);
    let Some(mut occupant) = state.occupants.remove(old) else {
        return Err(Condition::NotAcceptable.into());
    };
    occupant.presence = arrival.presence.clone();
    for seat in &occupant.seats {
        state.nicks.insert(seat.jid.clone(), arrival.nick.clone());
    }
    state.occupants.insert(arrival.nick.clone(), occupant);
    let news = News {
        own_codes: if arrival.renamed { &[RENAMED] } else { &[] },
        ..News::default()
    };
    state.announce(room, arrival.nick, &news, post);
    Ok(())
}
