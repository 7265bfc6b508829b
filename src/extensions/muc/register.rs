//! Registering with a room (XEP-0045 §7.10): a member has a nickname that nobody else may take. Who
//! registers with an open room becomes a member; where membership gives a right, in rooms that
//! are moderated, for members only or behind a password, an admin must have given it before.

use std::sync::Arc;

use super::entering::too_fast;
use super::model::Affiliation;
use super::model::pace::Pace;
use super::persistence::Draft;
use super::presence::News;
use super::room::{Associate, Post, Room, State};
use super::rooms::Rooms;
use crate::clock::Timestamp;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{BareJid, Condition, IqType, Resource, StanzaError, ns};
use crate::xml::Element;

/// The `FORM_TYPE` of registration.
const MUC_REGISTER: &str = "http://jabber.org/protocol/muc#register";

impl Rooms {
    /// Answers a request.
    pub(super) async fn registration(&self, iq: &Iq, room: &Arc<Room>) -> IqAnswer {
        let account = iq.from.bare();
        let removes = iq.payload.find(ns::REGISTER, "remove").is_some();
        let mut saved = room.saving.lock().await;
        let (associate, changed) = {
            let mut guard = room.lock();
            let state = &mut *guard;
            if iq.kind == IqType::Set {
                self.take_pace_of(state, account, iq.services.clock.now())?;
            }
            let before = state.associates.get(account).cloned();
            let affiliation = before
                .as_ref()
                .map_or(Affiliation::None, |it| it.affiliation);
            let nick = before.as_ref().and_then(|it| it.nick.clone());
            // Where a password is needed, who is there has given it.
            let config = &state.config;
            let locked_out = config.password.is_some() && state.occupant_of(&iq.from).is_none();
            let closed = config.members_only || config.moderated || locked_out;
            if affiliation == Affiliation::Outcast {
                return Err(Condition::Forbidden.into());
            }
            if affiliation == Affiliation::None && closed {
                return Err(Condition::NotAllowed.into());
            }
            if iq.kind == IqType::Get {
                return Ok(Some(match nick {
                    Some(nick) => known(&nick),
                    None => Element::new(ns::REGISTER, "query").child(form().to_element()),
                }));
            }
            let associate = if removes {
                removed(before, closed)?
            } else {
                self.registered(state, account, before, &iq.payload)?
            };
            let changed = associate.affiliation != affiliation;
            (associate, changed)
        };
        let draft = Draft {
            associates: [(account.clone(), associate.clone())].into(),
            ..Draft::default()
        };
        self.write(room, &mut saved, &draft, &iq.services).await?;
        let mut post = Post::default();
        {
            let mut guard = room.lock();
            let state = &mut *guard;
            state.associate(account, associate);
            for nick in state.nicks_of(account).into_iter().filter(|_| changed) {
                state.announce(room, &nick, &News::default(), &mut post);
            }
        }
        drop(saved);
        post.carry_out(&iq.services).await;
        Ok(None)
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
    fn registered(
        &self,
        state: &State,
        account: &BareJid,
        before: Option<Associate>,
        query: &Element,
    ) -> Result<Associate, StanzaError> {
        let wanted = wanted(query)?;
        self.check_nick(&wanted)?;
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
        let affiliation = before
            .as_ref()
            .map_or(Affiliation::None, |it| it.affiliation);
        Ok(Associate {
            affiliation: affiliation.max(Affiliation::Member),
            nick: Some(wanted),
            ..before.unwrap_or_default()
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
    let nick = Field::new("muc#register_roomnick", FieldType::TextSingle);
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
    let nick = filled
        .value("muc#register_roomnick")
        .ok_or(Condition::BadRequest)?;
    Resource::new(nick).map_err(|_| Condition::JidMalformed.into())
}
