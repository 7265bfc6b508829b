//! Requests from one occupant to another (XEP-0045 §7.5, §15.4 rule 3), and to itself (XEP-0410). Neither learns the
//! other's address: what is asked comes from the room, and so does the answer.

use std::collections::VecDeque;
use std::sync::Arc;

use compact_str::CompactString;

use super::leaving;
use super::model::Affiliation;
use super::room::{Post, Room, Seat};
use super::rooms::Rooms;
use crate::extensions::blocking;
use crate::hooks::{Ahead, At, Effects, Iq, Parcel};
use crate::proto::{BareJid, Condition, ErrorType, IqType, Jid, Kind, Stanza, StanzaError, ns};

/// Requests of one room that wait for their answers; the oldest is forgotten for one more.
const WAITING_MAX: usize = 512;

/// The requests that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Relays(VecDeque<Waiting>);

#[derive(Debug)]
pub(super) struct Waiting {
    /// The id under which the room passed it on.
    pub(super) id: CompactString,
    pub(super) asker: Jid,
    /// The id that the asker gave it.
    pub(super) asker_id: Option<CompactString>,
    /// Who was asked: nobody else may answer.
    pub(super) asked: Jid,
    /// The same as the asker knows it.
    pub(super) whom: Jid,
}

impl Relays {
    pub(super) fn push(&mut self, waiting: Waiting) {
        if self.0.len() >= WAITING_MAX {
            self.0.pop_front();
        }
        self.0.push_back(waiting);
    }

    pub(super) fn take(&mut self, id: &str, from: &Jid) -> Option<Waiting> {
        let place = self
            .0
            .iter()
            .rposition(|it| it.id == id && it.asked == *from)?;
        self.0.remove(place)
    }

    /// A session is in the room no more: who waits for its answer is told so, and it waits for none.
    pub(super) fn end(&mut self, session: &Jid) -> Vec<Stanza> {
        let left = |waiting: &Waiting| {
            let error = StanzaError::from(Condition::RecipientUnavailable);
            let mut refusal = Stanza::new(Kind::Iq(IqType::Error))
                .from(waiting.whom.clone())
                .to(waiting.asker.clone())
                .child(&error.to_element());
            refusal.id.clone_from(&waiting.asker_id);
            refusal
        };
        let in_vain = |it: &&Waiting| it.asked == *session && it.asker != *session;
        let refusals = self.0.iter().filter(in_vain).map(left).collect();
        self.0
            .retain(|it| it.asked != *session && it.asker != *session);
        refusals
    }
}

impl Rooms {
    /// An IQ for an occupant address.
    ///
    /// # Errors
    /// `not-acceptable` for one who is not in the room (XEP-0410 §3.1), `bad-request` for its disco
    /// request (§6.6), `item-not-found` where there is nobody of that nickname.
    pub(super) async fn relay(
        &self,
        parcel: &Parcel,
        kind: IqType,
    ) -> Result<Effects, StanzaError> {
        let (Some(from), Some(to)) = (&parcel.stanza.from, &parcel.stanza.to) else {
            return Err(Condition::BadRequest.into());
        };
        let room = self.find(to.bare());
        if let Some(room) = &room {
            leaving::succeed(&mut room.lock(), room, from, parcel);
        }
        if !kind.is_request() {
            let answer = room.and_then(|room| answered(&room, from, parcel));
            return Ok(Effects {
                route: answer.into_iter().collect(),
                ..Effects::default()
            });
        }
        let not_in = || -> StanzaError {
            let disco = [ns::DISCO_INFO, ns::DISCO_ITEMS];
            if disco.iter().any(|space| parcel.stanza.has(space, "query")) {
                Condition::BadRequest.into()
            } else {
                StanzaError::new(Condition::NotAcceptable).kind(ErrorType::Cancel)
            }
        };
        let room = room.ok_or_else(not_in)?;
        let asked = match pass_on(&room, self, from, parcel, not_in)? {
            Passed::Done(effects) => return Ok(effects),
            Passed::Card(account) => account,
        };
        card(parcel, asked).await
    }
}

/// What became of a request.
enum Passed {
    Done(Effects),
    /// It asks for the vCard of that account, which the server answers (XEP-0054 §3.3).
    Card(BareJid),
}

fn pass_on(
    room: &Arc<Room>,
    rooms: &Rooms,
    from: &Jid,
    parcel: &Parcel,
    not_in: impl Fn() -> StanzaError,
) -> Result<Passed, StanzaError> {
    let stanza = &parcel.stanza;
    let mut guard = room.lock();
    let state = &mut *guard;
    if !state.nicks.contains_key(from) {
        return Err(not_in());
    }
    let nick = rooms.speaker(state, from, parcel.services.clock.now())?;
    let to = stanza
        .to
        .as_ref()
        .and_then(Jid::resource)
        .ok_or(Condition::BadRequest)?;
    if stanza.has(ns::PING, "ping") && *to == nick {
        // XEP-0410 §3.2.
        return Ok(Passed::Done(reply(stanza.result(None))));
    }
    let asked = state.occupants.get(to).ok_or(Condition::ItemNotFound)?;
    if !state.config.allow_pm.lets(
        state
            .occupants
            .get(&nick)
            .map_or(super::model::Role::None, |it| it.role),
    ) && state.affiliation(from.bare()) < Affiliation::Admin
    {
        return Err(Condition::NotAllowed.into());
    }
    if stanza.has(ns::VCARD, "vCard") {
        return Ok(Passed::Card(asked.account.clone()));
    }
    let own = asked.seats.iter().rev().find(|seat| seat.jid != *from);
    let seat = own
        .or_else(|| asked.seats.last())
        .cloned()
        .ok_or(Condition::ItemNotFound)?;
    let id = CompactString::from(crate::id::random());
    let mut request = Stanza::clone(stanza);
    request.from = Some(room.occupant_jid(&nick));
    request.id = Some(id.clone());
    let mut post = Post::default();
    hand(&mut post, &seat, request)?;
    state.relays.push(Waiting {
        id,
        asker: from.clone(),
        asker_id: stanza.id.clone(),
        asked: seat.jid.clone(),
        whom: room.occupant_jid(to),
    });
    Ok(Passed::Done(post.into_effects()))
}

fn hand(post: &mut Post, seat: &Seat, request: Stanza) -> Result<(), StanzaError> {
    let Some(session) = &seat.session else {
        post.send(seat, request);
        return Ok(());
    };
    let blocked = request.from.as_ref();
    if blocked.is_some_and(|from| blocking::stops(session.account(), from)) {
        return Err(Condition::ServiceUnavailable.into());
    }
    let request = request.to(seat.jid.clone());
    let taken = session.deliver(Arc::new(request));
    taken.map_err(|_| Condition::RecipientUnavailable.into())
}

/// The card that the asked account's server has, in the name of the occupant.
async fn card(parcel: &Parcel, asked: BareJid) -> Result<Effects, StanzaError> {
    let stanza = &parcel.stanza;
    let (Kind::Iq(kind), Some(to)) = (stanza.kind, &stanza.to) else {
        return Err(Condition::BadRequest.into());
    };
    if kind != IqType::Get {
        return Err(Condition::NotAllowed.into());
    }
    let child = stanza
        .find(ns::VCARD, "vCard")
        .ok_or(Condition::BadRequest)?;
    let payload = child
        .to_element(ns::CLIENT)
        .map_err(|_| Condition::BadRequest)?;
    let iq = Iq {
        from: to.clone(),
        to: asked,
        at: At::Account,
        kind,
        id: stanza.id.clone().unwrap_or_default(),
        lang: stanza.lang.clone(),
        payload,
        session: None,
        ahead: Ahead::default(),
        services: Arc::clone(&parcel.services),
    };
    if !parcel.services.serves(iq.to.domain().as_str()) {
        return Err(Condition::ServiceUnavailable.into());
    }
    let services = Arc::clone(&parcel.services);
    let answer = services
        .hooks
        .answer(iq)
        .ok_or(Condition::ServiceUnavailable)?
        .await?;
    Ok(reply(stanza.result(answer.as_ref())))
}

/// The answer of one who was asked, for the one who asked.
fn answered(room: &Room, from: &Jid, parcel: &Parcel) -> Option<Stanza> {
    let stanza = &parcel.stanza;
    let mut state = room.lock();
    let waiting = state.relays.take(stanza.id.as_deref()?, from)?;
    let (nick, _) = state.occupant_of(from)?;
    let mut answer = Stanza::clone(stanza);
    answer.from = Some(room.occupant_jid(nick));
    answer.to = Some(waiting.asker);
    answer.id = waiting.asker_id;
    Some(answer)
}

fn reply(stanza: Stanza) -> Effects {
    Effects {
        route: vec![stanza],
        ..Effects::default()
    }
}
