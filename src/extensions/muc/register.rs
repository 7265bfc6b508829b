//! Registering with a room (XEP-0045 §7.10): a member has a nickname that nobody else may take. Who
//! registers with an open room becomes a member; where membership gives a right, in rooms that
//! are moderated, for members only or behind a password, an admin must have given it before. Where the owner
//! wants it so, an admin is asked instead of either (`approval`).

use std::sync::Arc;

use super::approval;
use super::entering::too_fast;
use super::model::Affiliation;
use super::model::pace::Pace;
use super::persistence::Draft;
use super::room::{Associate, Post, Room, Saved, State};
use super::rooms::Rooms;
use crate::clock::Timestamp;
use crate::hooks::{Iq, IqAnswer, Services};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{BareJid, Condition, IqType, Resource, StanzaError, ns};
use crate::xml::Element;

/// The `FORM_TYPE` of registration.
pub(super) const MUC_REGISTER: &str = "http://jabber.org/protocol/muc#register";
/// The nickname that is wanted.
pub(super) const ROOM_NICK: &str = "muc#register_roomnick";

/// What is to be done about a request.
enum Step {
    Answer(Element),
    /// Nothing, or to send what asks those who decide.
    Sent(Post),
    Write(Associate),
}

impl Rooms {
    /// Answers a request.
    pub(super) async fn registration(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        let account = iq.from.bare();
        let mut saved = room.saving.lock().await;
        let step = self.step(iq, room, &mut room.lock())?;
        let post = match step {
            Step::Answer(answer) => return Ok(Some(answer)),
            Step::Sent(post) => post,
            Step::Write(associate) => {
                self.enlist(room, &mut saved, account, associate, &iq.services)
                    .await?
            }
        };
        drop(saved);
        post.carry_out(&iq.services).await;
        Ok(None)
    }

    fn step(&self, iq: &Iq, room: &Room, state: &mut State) -> Result<Step, StanzaError> {
        let account = iq.from.bare();
        if iq.kind == IqType::Set {
            self.take_pace_of(state, account, iq.services.clock.now())?;
        }
        // Where a password is needed, who is there has given it.
        let config = &state.config;
        let locked_out = config.password.is_some() && state.occupant_of(&iq.from).is_none();
        let closed = config.members_only || config.moderated || locked_out;
        let affiliation = state.affiliation(account);
        if affiliation == Affiliation::Outcast {
            return Err(Condition::Forbidden.into());
        }
        if affiliation == Affiliation::None && closed && !config.approval {
            return Err(Condition::NotAllowed.into());
        }
        if iq.kind == IqType::Get {
            let nick = state.associates.get(account).and_then(|it| it.nick.clone());
            return Ok(Step::Answer(match nick {
                Some(nick) => known(&nick),
                None => Element::new(ns::REGISTER, "query").child(form().to_element()),
            }));
        }
        if iq.payload.find(ns::REGISTER, "remove").is_some() {
            let before = state.associates.get(account).cloned();
            if before.is_none() && state.registrations.end(account) {
                return Ok(Step::Sent(Post::default()));
            }
            return Ok(Step::Write(removed(before, closed)?));
        }
        let wanted = wanted(&iq.payload)?;
        let associate = self.registered(state, account, wanted.clone())?;
        if affiliation == Affiliation::None && state.config.approval {
            let now = iq.services.clock.now();
            return approval::ask(state, room, account, &wanted, now).map(Step::Sent);
        }
        Ok(Step::Write(associate))
    }

    /// Writes what somebody is from now on, and then says so.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn enlist(
        &self,
        room: &Arc<Room>,
        saved: &mut Saved,
        account: &BareJid,
        associate: Associate,
        services: &Services,
    ) -> Result<Post, StanzaError> {
        let draft = Draft {
            associates: [(account.clone(), associate.clone())].into(),
            ..Draft::default()
        };
        self.write(room, saved, &draft, services).await?;
        Ok(approval::listed(&mut room.lock(), room, account, associate))
    }

    /// The pace of somebody who needs not be in the room.
    ///
    /// # Errors
    /// `resource-constraint` for one who is too fast.
    pub(super) fn take_pace_of(
        &self,
        state: &mut State,
        account: &BareJid,
        now: Timestamp,
    ) -> Result<(), StanzaError> {
        let limits = self.limits();
        let (rate, burst) = (limits.stanzas_per_second_max, limits.stanzas_burst_max);
        let mut occupants = state.occupants.values_mut();
        let taken = if let Some(occupant) = occupants.find(|it| it.account == *account) {
            occupant.pace.take(rate, burst, now)
        } else {
            let known = state.returning(account);
            let mut pace = known.unwrap_or_else(|| Pace::full(burst, now));
            let taken = pace.take(rate, burst, now);
            state.depart(account.clone(), pace);
            taken
        };
        taken.then_some(()).ok_or_else(too_fast)
    }

    /// A member with that nickname.
    ///
    /// # Errors
    /// `conflict` where it is another's, and what makes it no nickname.
    pub(super) fn registered(
        &self,
        state: &State,
        account: &BareJid,
        wanted: Resource,
    ) -> Result<Associate, StanzaError> {
        self.check_nick(&wanted)?;
        let before = state.associates.get(account).cloned();
        let there = state.occupants.get(&wanted);
        let other = there.is_some_and(|it| it.account != *account);
        let reserved = state
            .reserved_for(&wanted)
            .is_some_and(|owner| owner != account);
        if other || reserved {
            return Err(Condition::Conflict.into());
        }
        if before.is_none() {
            self.check_associates(state, 0)?;
        }
        let before = before.unwrap_or_default();
        Ok(Associate {
            affiliation: before.affiliation.max(Affiliation::Member),
            nick: Some(wanted),
            ..before
        })
    }
}

/// XEP-0077 §3.2: what registering gave goes with it.
fn removed(before: Option<Associate>, closed: bool) -> Result<Associate, StanzaError> {
    let before = before.ok_or(Condition::RegistrationRequired)?;
    let given = before.affiliation == Affiliation::Member && !closed;
    Ok(Associate {
        affiliation: if given {
            Affiliation::None
        } else {
            before.affiliation
        },
        nick: None,
        ..before
    })
}

fn form() -> Form {
    let nick = Field::new(ROOM_NICK, FieldType::TextSingle);
    Form::new(FormType::Form)
        .title("Registration with the room")
        .instruction("Choose the nickname that nobody else may take.")
        .form_type(MUC_REGISTER)
        .field(nick.label("Desired Nickname").required())
}

fn known(nick: &Resource) -> Element {
    Element::new(ns::REGISTER, "query")
        .child(Element::new(ns::REGISTER, "registered"))
        .child(Element::new(ns::REGISTER, "username").text(nick.as_str()))
}

fn wanted(query: &Element) -> Result<Resource, StanzaError> {
    let answer = query
        .find(ns::DATA_FORMS, "x")
        .ok_or(Condition::BadRequest)?;
    let filled = form().submission(&Form::parse(answer)?)?;
    let nick = filled.value(ROOM_NICK).ok_or(Condition::BadRequest)?;
    Resource::new(nick).map_err(|_| Condition::JidMalformed.into())
}
