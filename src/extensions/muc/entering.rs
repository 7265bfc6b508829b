//! Entering a room, and being shown who is there and what was said (XEP-0045 §7.2).

use std::sync::Arc;

use super::messages::delayed;
use super::model::entry::{Caller, Door, admit};
use super::model::history::Wanted;
use super::model::pace::Pace;
use super::model::{Affiliation, Role};
use super::presence::{News, Shown, codes};
use super::room::{Occupant, Phase, Post, Room, Seat, State};
use super::rooms::{Rooms, remember};
use super::{availability, leaving};
use crate::hooks::{Effects, Parcel, refusal};
use crate::proto::{Condition, Jid, MessageType, PresenceType, Resource, Stanza, StanzaError, ns};
use crate::xml::{Content, Element};

/// Admins and owners that enter a room although it is full (§7.2.9).
const BEYOND_FULL_MAX: usize = 10;

/// Sessions of one account under one nickname.
const SEATS_MAX: usize = 32;

/// §7.2.3: the nickname is not the one that was asked for.
pub(super) const RENAMED: u16 = 210;

/// How often a room that vanished is looked for again.
const TRIES_MAX: usize = 8;

/// A presence on its way into a room.
pub(super) struct Arrival<'a> {
    pub(super) from: &'a Jid,
    pub(super) nick: &'a Resource,
    /// Whether it is not quite the one that was asked for.
    pub(super) renamed: bool,
    /// `<x xmlns='http://jabber.org/protocol/muc'/>`.
    pub(super) x: Option<Element>,
    pub(super) presence: Content,
    pub(super) parcel: &'a Parcel,
}

/// What became of it.
enum Outcome {
    Done(Post),
    /// The room is no more; there may be another.
    Gone,
    /// The sender is not in the room and did not ask to enter it.
    Stranger,
}

impl Rooms {
    /// An available presence for an occupant address.
    ///
    /// # Errors
    /// The conditions of §7.2.16.
    pub(super) async fn arrive(&self, parcel: &Parcel) -> Result<Effects, StanzaError> {
        let stanza = &parcel.stanza;
        let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else {
            return Err(Condition::BadRequest.into());
        };
        let Some(nick) = to.resource() else {
            // §7.2.1.
            return Err(StanzaError::new(Condition::JidMalformed).text("a nickname is needed"));
        };
        // §15.1: a space at an end hides who it is.
        let shown = Resource::new(nick.as_str().trim()).map_err(|_| Condition::NotAcceptable)?;
        self.check_nick(&shown)?;
        let x = stanza.find(ns::MUC, "x");
        let x = x.and_then(|x| x.to_element(ns::CLIENT).ok());
        let presence = self.cleaned(stanza)?;
        let arrival = Arrival {
            from,
            renamed: shown != *nick,
            nick: &shown,
            x,
            presence,
            parcel,
        };
        for _ in 0..TRIES_MAX {
            let room = if arrival.x.is_some() {
                Some(
                    self.find_or_create(to.bare(), from.bare(), &parcel.services)
                        .await?,
                )
            } else {
                self.find(to.bare())
            };
            let Some(room) = room else {
                return Ok(to_sender(parcel, stranger(from, to)));
            };
            self.recall(&room, &parcel.services).await?;
            let outcome = self.receive(&room, &arrival);
            if let Err(error) = &outcome {
                self.tidy(&room, &parcel.services).await;
                // A presence that comes to nobody is dropped in silence (RFC 6121 §4); §7.2.9 wants it told.
                let full = error.condition == Condition::ServiceUnavailable;
                if full && let Some(refusal) = refusal(stanza, error) {
                    return Ok(to_sender(parcel, refusal));
                }
            }
            match outcome? {
                Outcome::Done(post) => return Ok(post.into_effects()),
                Outcome::Stranger => return Ok(to_sender(parcel, stranger(from, to))),
                // Its name is free after that.
                Outcome::Gone => self.tidy(&room, &parcel.services).await,
            }
        }
        Err(Condition::ResourceConstraint.into())
    }

    /// Refuses a nickname that is too long or cannot be seen (§15.1).
    ///
    /// # Errors
    /// `not-acceptable`.
    pub(super) fn check_nick(&self, nick: &Resource) -> Result<(), StanzaError> {
        let text = nick.as_str();
        // §15.1: no invisible nicknames.
        if text.trim() != text || text.len() > self.limits().nick_bytes_max.as_usize() {
            return Err(StanzaError::new(Condition::NotAcceptable)
                .text("the nickname is too long, or begins or ends with a space"));
        }
        Ok(())
    }

    fn receive(&self, room: &Arc<Room>, arrival: &Arrival<'_>) -> Result<Outcome, StanzaError> {
        let mut guard = room.lock();
        let state = &mut *guard;
        if state.phase == Phase::Gone {
            return Ok(Outcome::Gone);
        }
        let mut post = Post::of(arrival.parcel.session.as_ref());
        match state.nicks.get(arrival.from).cloned() {
            Some(nick) => {
                leaving::succeed(state, room, arrival.from, arrival.parcel);
                self.take_pace(state, &nick, arrival)?;
                let again = nick == *arrival.nick && arrival.x.is_some();
                if nick != *arrival.nick {
                    availability::rename(state, room, &nick, arrival, &mut post)?;
                } else if !again {
                    availability::update(state, room, arrival, &mut post);
                }
                if again {
                    self.synchronize(state, room, arrival, &mut post);
                }
            }
            None if arrival.x.is_some() => self.enter(state, room, arrival, &mut post)?,
            None => return Ok(Outcome::Stranger),
        }
        Ok(Outcome::Done(post))
    }

    fn take_pace(
        &self,
        state: &mut State,
        nick: &Resource,
        arrival: &Arrival<'_>,
    ) -> Result<(), StanzaError> {
        let limits = self.limits();
        let now = arrival.parcel.services.clock.now();
        let taken = state.occupants.get_mut(nick).is_none_or(|occupant| {
            occupant
                .pace
                .take(limits.stanzas_per_second_max, limits.stanzas_burst_max, now)
        });
        taken.then_some(()).ok_or_else(too_fast)
    }

    /// §7.2: somebody comes in, or another session of somebody who is there.
    fn enter(
        &self,
        state: &mut State,
        room: &Arc<Room>,
        arrival: &Arrival<'_>,
        post: &mut Post,
    ) -> Result<(), StanzaError> {
        let limits = self.limits();
        let account = arrival.from.bare();
        let affiliation = state.affiliation(account);
        let there = state.occupants.get(arrival.nick);
        let shares = there.is_some_and(|occupant| occupant.account == *account);
        let reserved = state
            .reserved_for(arrival.nick)
            .is_some_and(|owner| owner != account);
        let places = usize::try_from(state.config.max_users.min(limits.occupants_max)).unwrap_or(0);
        let password = arrival
            .x
            .as_ref()
            .and_then(|x| x.child_text(ns::MUC, "password"));
        let door = Door {
            locked: state.phase == Phase::Locked,
            members_only: state.config.members_only,
            password: state.config.password.as_deref(),
            full: state.occupants.len() >= places,
            crammed: state.occupants.len() >= places.saturating_add(BEYOND_FULL_MAX),
        };
        let caller = Caller {
            affiliation,
            password: password.as_deref(),
            nick_taken: (there.is_some() && !shares) || reserved,
            shares,
        };
        admit(&door, &caller)?;
        if there.is_some_and(|occupant| occupant.seats.len() >= SEATS_MAX) {
            return Err(Condition::ResourceConstraint.into());
        }
        let pace = self.entering_pace(state, arrival)?;
        let created = state.phase == Phase::Locked && state.occupants.is_empty();
        self.show_others(state, room, arrival, post);
        self.seat(state, room, arrival, affiliation, pace);
        let own_codes = own_codes(state, arrival, created);
        let news = News {
            own_codes: &own_codes,
            ..News::default()
        };
        state.announce(room, arrival.nick, &news, post);
        self.catch_up(state, room, arrival, post);
        Ok(())
    }

    /// Coming and going is told to everybody, so it has its pace too.
    fn entering_pace(&self, state: &mut State, arrival: &Arrival<'_>) -> Result<Pace, StanzaError> {
        let limits = self.limits();
        let (rate, burst) = (limits.stanzas_per_second_max, limits.stanzas_burst_max);
        let now = arrival.parcel.services.clock.now();
        let account = arrival.from.bare();
        if let Some(there) = state.occupants.get_mut(arrival.nick) {
            let taken = there.pace.take(rate, burst, now);
            return taken.then_some(there.pace).ok_or_else(too_fast);
        }
        let known = state.returning(account);
        let mut pace = known.unwrap_or_else(|| Pace::full(burst, now));
        if !pace.take(rate, burst, now) {
            state.depart(account.clone(), pace);
            return Err(too_fast());
        }
        Ok(pace)
    }

    /// Puts the session onto its place.
    fn seat(
        &self,
        state: &mut State,
        room: &Room,
        arrival: &Arrival<'_>,
        affiliation: Affiliation,
        pace: Pace,
    ) {
        let account = arrival.from.bare();
        let seat = seat(arrival);
        if let Some(session) = &seat.session {
            remember(session, &room.jid);
        }
        state
            .nicks
            .insert(arrival.from.clone(), arrival.nick.clone());
        match state.occupants.get_mut(arrival.nick) {
            Some(occupant) => {
                occupant.seats.push(seat);
                occupant.presence = arrival.presence.clone();
            }
            None => {
                let occupant = Occupant {
                    account: account.clone(),
                    role: affiliation.initial_role(state.config.moderated),
                    id: self.occupant_id(&room.jid, account),
                    seats: vec![seat],
                    presence: arrival.presence.clone(),
                    hats: state.hats_of(account),
                    shown: Shown::default(),
                    visible: false,
                    pace,
                    asked_for_voice: None,
                };
                state.occupants.insert(arrival.nick.clone(), occupant);
            }
        }
    }

    /// §7.2.2: who is there already.
    fn show_others(&self, state: &mut State, room: &Room, arrival: &Arrival<'_>, post: &mut Post) {
        let role = match state.occupants.get(arrival.nick) {
            Some(own) => own.role,
            None => state
                .affiliation(arrival.from.bare())
                .initial_role(state.config.moderated),
        };
        let with_jid = state.sees_jids(role);
        let seat = seat(arrival);
        let others: Vec<Resource> = state
            .occupants
            .iter()
            .filter(|(nick, other)| other.visible && *nick != arrival.nick)
            .map(|(nick, _)| nick.clone())
            .collect();
        for other in others {
            if let Some(stanza) = state.presence_of(room, &other, with_jid) {
                post.show(&seat, &stanza);
            }
        }
    }

    /// The room's picture, what was said, and the subject, in this order (§7.2.13 to §7.2.15).
    fn catch_up(&self, state: &State, room: &Room, arrival: &Arrival<'_>, post: &mut Post) {
        let seat = seat(arrival);
        if let Some(stanza) = super::vcard::avatar_presence(room, state) {
            post.answer(&seat, stanza);
        }
        let wanted = arrival.x.as_ref().map(Wanted::of).unwrap_or_default();
        let now = arrival.parcel.services.clock.now();
        let room_max = usize::try_from(state.config.history_max).unwrap_or(0);
        for said in state.history.wanted(&wanted, now, room_max) {
            post.answer(&seat, delayed(room, &said.stanza, said.at));
        }
        let subject = match &state.subject {
            Some(subject) => delayed(room, &subject.stanza, subject.at),
            None => Stanza::message(MessageType::Groupchat)
                .from(room.jid.clone())
                .child(&Element::new(ns::CLIENT, "subject")),
        };
        post.answer(&seat, subject);
    }

    /// §7.2.3, §15.3 rule 3: a client that is in the room and enters again has lost its view of it.
    fn synchronize(&self, state: &mut State, room: &Room, arrival: &Arrival<'_>, post: &mut Post) {
        let fresh = seat(arrival);
        // What was said before lies in the mailbox, and what is told now does not overtake it.
        post.sender.take_if(|session| session.has_mail());
        let changed = state
            .occupants
            .get_mut(arrival.nick)
            .is_some_and(|occupant| {
                let changed = occupant.presence != arrival.presence;
                occupant.presence = arrival.presence.clone();
                changed
            });
        self.show_others(state, room, arrival, post);
        let own_codes = own_codes(state, arrival, false);
        let news = News {
            own_codes: &own_codes,
            ..News::default()
        };
        if changed {
            state.announce(room, arrival.nick, &news, post);
        } else {
            state.tell_own(room, arrival.nick, &fresh, &news, post);
        }
        self.catch_up(state, room, arrival, post);
    }
}

fn seat(arrival: &Arrival<'_>) -> Seat {
    Seat {
        jid: arrival.from.clone(),
        session: arrival.parcel.session.clone(),
    }
}

/// What one who enters is told of the room (§7.2.3, §7.2.12, §10.1.1).
fn own_codes(state: &State, arrival: &Arrival<'_>, created: bool) -> Vec<u16> {
    let codes = [
        (state.config.nonanonymous, 100),
        (state.config.logging, 170),
        (created, 201),
        (arrival.renamed, RENAMED),
    ];
    codes
        .into_iter()
        .filter_map(|(is, code)| is.then_some(code))
        .collect()
}

/// §7.2.17: a client that believes to be in the room is told that it is not.
fn stranger(from: &Jid, to: &Jid) -> Stanza {
    let item = Element::new(ns::MUC_USER, "item")
        .attr("affiliation", Affiliation::None.name())
        .attr("role", Role::None.name());
    let mut x = Element::new(ns::MUC_USER, "x").child(item);
    for status in codes(&[110, 307, 333]).children() {
        x.push_child(status.clone());
    }
    Stanza::presence(PresenceType::Unavailable)
        .from(to.clone())
        .to(from.clone())
        .child(&x)
}

/// For whoever sent the stanza.
fn to_sender(parcel: &Parcel, answer: Stanza) -> Effects {
    let mut effects = Effects::default();
    match &parcel.session {
        Some(_) => effects.reply.push(Arc::new(answer)),
        None => effects.route.push(answer),
    }
    effects
}

/// The answer to one who sends more than `[rooms] stanzas_per_second_max`.
pub(super) fn too_fast() -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint).text("you send too much to this room")
}
