//! Messages to a room that are not for all: invitations (XEP-0045 §7.8), requests for voice (§7.13,
//! §8.6) and decisions about registrations (§9.9).

use std::sync::Arc;

use super::model::{Affiliation, Role};
use super::persistence::Draft;
use super::presence::News;
use super::private::Private;
use super::register::MUC_REGISTER;
use super::room::{Associate, Post, Room, State};
use super::rooms::Rooms;
use crate::hooks::{Effects, Parcel};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{BareJid, Condition, Jid, MessageType, Resource, Stanza, StanzaError, ns};
use crate::xml::Element;

/// The `FORM_TYPE` of requests for voice.
const REQUEST: &str = "http://jabber.org/protocol/muc#request";

/// People invited by one message.
const INVITES_MAX: usize = 20;

/// Invitations of one room that may be declined.
const INVITED_MAX: usize = 256;

/// Bytes of a reason.
pub(super) const REASON_BYTES_MAX: usize = 1_023;

/// Seconds between two requests for voice of one occupant.
const VOICE_SECONDS: i64 = 30;

impl Rooms {
    /// A message to the room itself.
    ///
    /// # Errors
    /// `bad-request` for one that means nothing here, and what the sections name.
    pub(super) async fn notice(
        self: &Arc<Self>,
        room: &Arc<Room>,
        from: &Jid,
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        let child = |space, name| {
            let child = parcel.stanza.find(space, name)?;
            child.to_element(ns::CLIENT).ok()
        };
        if let Some(x) = child(ns::MUC_USER, "x") {
            let invites: Vec<&Element> = x
                .children()
                .filter(|it| it.is(ns::MUC_USER, "invite"))
                .collect();
            if !invites.is_empty() {
                return Box::pin(self.invite(room, from, &invites, parcel)).await;
            }
            if let Some(decline) = x.find(ns::MUC_USER, "decline") {
                return self.decline(room, from, decline, parcel).await;
            }
        }
        if let Some(form) = child(ns::DATA_FORMS, "x") {
            let form = Form::parse(&form)?;
            match (form.type_name(), form.kind) {
                (Some(REQUEST | MUC_REGISTER), FormType::Cancel) => return Ok(Effects::default()),
                (Some(REQUEST), FormType::Submit) => return self.voice(room, from, &form, parcel),
                (Some(MUC_REGISTER), FormType::Submit) => {
                    return Box::pin(self.decide(room, from, &form, parcel)).await;
                }
                (
                    Some(_) | None,
                    FormType::Form | FormType::Submit | FormType::Cancel | FormType::Result,
                ) => {}
            }
        }
        Err(StanzaError::bad_request(
            "a message to a room is of the type groupchat",
        ))
    }

    /// §7.8.2.
    async fn invite(
        &self,
        room: &Arc<Room>,
        from: &Jid,
        invites: &[&Element],
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        if invites.len() > INVITES_MAX {
            return Err(
                StanzaError::new(Condition::NotAcceptable).text("too many are invited at once")
            );
        }
        let mut saved = room.saving.lock().await;
        let mut effects = Effects::default();
        let mut draft = Draft::default();
        {
            let mut guard = room.lock();
            let state = &mut *guard;
            let nick = self.speaker(state, from, parcel.services.clock.now())?;
            let affiliation = state.affiliation(from.bare());
            let admin = affiliation >= Affiliation::Admin;
            let member = affiliation == Affiliation::Member && state.config.allow_invites;
            if state.config.members_only && !admin && !member {
                return Err(Condition::Forbidden.into());
            }
            let inviter = if state.config.nonanonymous {
                from.to_bare()
            } else {
                room.occupant_jid(&nick)
            };
            for invite in invites {
                let to = invite.attribute("to").ok_or(Condition::BadRequest)?;
                let to = Jid::parse(to).map_err(|_| Condition::JidMalformed)?;
                self.let_in(state, to.bare(), &mut draft)?;
                let message = invitation(room, state, &inviter, to, invite, &parcel.stanza);
                effects.route.push(message);
            }
        }
        if !draft.associates.is_empty() {
            self.write(room, &mut saved, &draft, &parcel.services)
                .await?;
            room.lock().associate_all(draft);
        }
        let invited = effects.route.iter().filter_map(|it| it.to.as_ref());
        let mut state = room.lock();
        for account in invited {
            state.invite(account.bare(), from.bare());
        }
        drop(state);
        Ok(effects)
    }

    /// §7.8.2: tells the inviter, by a real address or by that of an occupant. Where nothing is to be declined, or
    /// the inviter is not in the room, nothing is passed on: it is no relay.
    async fn decline(
        &self,
        room: &Room,
        from: &Jid,
        decline: &Element,
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        let to = decline.attribute("to").and_then(|to| Jid::parse(to).ok());
        let (account, seats) = {
            let mut guard = room.lock();
            let state = &mut *guard;
            if state.affiliation(from.bare()) == Affiliation::Outcast {
                return Err(Condition::Forbidden.into());
            }
            self.take_pace_of(state, from.bare(), parcel.services.clock.now())?;
            let inviter = to.and_then(|to| {
                let mut occupants = state.occupants.iter();
                let found = occupants.find(|(nick, occupant)| {
                    room.occupant_jid(nick) == to || occupant.account == *to.bare()
                });
                found.map(|(_, occupant)| (occupant.account.clone(), occupant.seats.clone()))
            });
            match inviter {
                Some(inviter) if state.uninvite(from.bare(), &inviter.0) => inviter,
                Some(_) | None => return Ok(Effects::default()),
            }
        };
        let reason = reason(decline).map(|text| Element::new(ns::MUC_USER, "reason").text(text));
        let told = Element::new(ns::MUC_USER, "decline")
            .attr("from", from.bare().to_string())
            .child_opt(reason);
        let mut stanza = Stanza::message(MessageType::Normal)
            .from(room.jid.clone())
            .child(&Element::new(ns::MUC_USER, "x").child(told));
        stanza.id.clone_from(&parcel.stanza.id);
        let private = Private {
            stanza,
            account,
            seats,
        };
        private.send(&parcel.services).await
    }

    /// §7.8.2: who is invited into a members-only room becomes a member; who is banned is not invited.
    fn let_in(
        &self,
        state: &State,
        account: &BareJid,
        draft: &mut Draft,
    ) -> Result<(), StanzaError> {
        match state.affiliation(account) {
            Affiliation::Outcast => Err(Condition::NotAllowed.into()),
            Affiliation::None if state.config.members_only => {
                let known = state.associates.get(account);
                if known.is_none() {
                    self.check_associates(state, draft.associates.len())?;
                }
                let member = Associate {
                    affiliation: Affiliation::Member,
                    ..known.cloned().unwrap_or_default()
                };
                draft.associates.insert(account.clone(), member);
                Ok(())
            }
            Affiliation::None | Affiliation::Member | Affiliation::Admin | Affiliation::Owner => {
                Ok(())
            }
        }
    }

    /// Refuses one more association than a room keeps, where `others` are about to be made.
    ///
    /// # Errors
    /// `resource-constraint`.
    pub(super) fn check_associates(&self, state: &State, others: usize) -> Result<(), StanzaError> {
        let most = usize::try_from(self.limits().affiliations_max).unwrap_or(usize::MAX);
        if state.associates.len().saturating_add(others) >= most {
            return Err(StanzaError::new(Condition::ResourceConstraint)
                .text("the lists of the room are full"));
        }
        Ok(())
    }

    /// §7.13, §8.6: a visitor asks, a moderator grants.
    fn voice(
        &self,
        room: &Arc<Room>,
        from: &Jid,
        form: &Form,
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        let now = parcel.services.clock.now();
        let mut post = Post::of(parcel.session.as_ref());
        let mut guard = room.lock();
        let state = &mut *guard;
        let nick = self.speaker(state, from, now)?;
        let value = |var: &str| form.find(var)?.values.first().map(String::as_str);
        if value("muc#role").is_some_and(|role| role != Role::Participant.name()) {
            return Err(Condition::BadRequest.into());
        }
        let role = state.occupants.get(&nick).map_or(Role::None, |it| it.role);
        match (role, value("muc#request_allow")) {
            (Role::Moderator, Some("1" | "true")) => {
                let wanted = value("muc#roomnick").and_then(|nick| Resource::new(nick).ok());
                let wanted = wanted.ok_or(Condition::BadRequest)?;
                let visitor = state
                    .occupants
                    .get_mut(&wanted)
                    .ok_or(Condition::ItemNotFound)?;
                if visitor.role == Role::Visitor {
                    visitor.role = Role::Participant;
                    state.announce(room, &wanted, &News::default(), &mut post);
                }
            }
            (Role::Moderator, _) => {}
            (Role::Visitor, _) => {
                ask_for_voice(state, room, &nick, from, now, &mut post)?;
            }
            // §7.13: who has voice needs not ask.
            (Role::None | Role::Participant, _) => return Err(Condition::NotAllowed.into()),
        }
        drop(guard);
        Ok(post.into_effects())
    }
}

impl State {
    fn invite(&mut self, invitee: &BareJid, inviter: &BareJid) {
        self.uninvite(invitee, inviter);
        if self.invited.len() >= INVITED_MAX {
            self.invited.pop_front();
        }
        self.invited.push_back((invitee.clone(), inviter.clone()));
    }

    /// Takes an invitation away; answers whether there was one.
    fn uninvite(&mut self, invitee: &BareJid, inviter: &BareJid) -> bool {
        let mut invited = self.invited.iter();
        let place = invited.position(|(to, by)| to == invitee && by == inviter);
        place.and_then(|place| self.invited.remove(place)).is_some()
    }
}

fn ask_for_voice(
    state: &mut State,
    room: &Room,
    nick: &Resource,
    from: &Jid,
    now: crate::clock::Timestamp,
    post: &mut Post,
) -> Result<(), StanzaError> {
    if let Some(occupant) = state.occupants.get_mut(nick) {
        let last = occupant.asked_for_voice;
        if last.is_some_and(|last| now.seconds_since(last) < VOICE_SECONDS) {
            return Err(StanzaError::new(Condition::ResourceConstraint)
                .text("you have asked for voice a moment ago"));
        }
        occupant.asked_for_voice = Some(now);
    }
    let role = Field::new("muc#role", FieldType::ListSingle)
        .label("Requested role")
        .option(Role::Participant.name(), None)
        .value(Role::Participant.name());
    let jid = Field::new("muc#jid", FieldType::JidSingle).label("User ID");
    let roomnick = Field::new("muc#roomnick", FieldType::TextSingle).label("Room Nickname");
    let allow = Field::new("muc#request_allow", FieldType::Boolean);
    let form = Form::new(FormType::Form)
        .title("Voice request")
        .instruction("To approve this request for voice, select the box and submit the form.")
        .form_type(REQUEST)
        .field(role)
        .field(jid.value(from.to_string()))
        .field(roomnick.value(nick.as_str()))
        .field(allow.label("Grant voice to this person?").value("false"));
    let question = Stanza::message(MessageType::Normal)
        .from(room.jid.clone())
        .child(&form.to_element());
    for (_, _, seat) in state
        .seats()
        .filter(|(_, role, _)| *role == Role::Moderator)
    {
        post.send(seat, question.clone());
    }
    Ok(())
}

fn invitation(
    room: &Room,
    state: &State,
    inviter: &Jid,
    to: Jid,
    invite: &Element,
    request: &Stanza,
) -> Stanza {
    let reason = reason(invite);
    let password = state.config.password.as_deref();
    let told = Element::new(ns::MUC_USER, "invite")
        .attr("from", inviter.to_string())
        .child_opt(
            reason
                .as_deref()
                .map(|text| Element::new(ns::MUC_USER, "reason").text(text)),
        )
        .child_opt(invite.find(ns::MUC_USER, "continue").map(|it| {
            Element::new(ns::MUC_USER, "continue").attr_opt("thread", it.attribute("thread"))
        }));
    let secret = password.map(|text| Element::new(ns::MUC_USER, "password").text(text));
    let mut message = Stanza::message(MessageType::Normal)
        .from(room.jid.clone())
        .to(to)
        .child(
            &Element::new(ns::MUC_USER, "x")
                .child(told)
                .child_opt(secret),
        );
    message.id.clone_from(&request.id);
    message.lang.clone_from(&request.lang);
    message
}

/// The text of the child `<reason/>`, cut where it is too long to be one.
pub(super) fn reason(parent: &Element) -> Option<String> {
    let text = parent.child_text(parent.ns(), "reason")?;
    let end = text.floor_char_boundary(REASON_BYTES_MAX.min(text.len()));
    let short = text.get(..end)?;
    (!short.is_empty()).then(|| short.to_owned())
}
