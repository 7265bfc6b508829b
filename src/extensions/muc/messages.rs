//! What is said in a room: to all, and about the subject (XEP-0045 §7.4, §8.1), with the occupant's id
//! (XEP-0421) and the room's stanza-id (XEP-0359).

use std::sync::Arc;

use compact_str::CompactString;

use super::archive::{self, Kept, Sender};
use super::entering::too_fast;
use super::leaving;
use super::model::config::is_subject;
use super::model::history::Said;
use super::model::{Role, RoomConfig};
use super::persistence::Draft;
use super::presence::{OCCUPANT_ID, occupant_id};
use super::retraction;
use super::room::{Phase, Post, Room, State, Subject};
use super::rooms::Rooms;
use crate::clock::Timestamp;
use crate::extensions::stanza_id;
use crate::hooks::{Durable, Effects, Parcel};
use crate::proto::common::delay::Delay;
use crate::proto::{Condition, Jid, Kind, MessageType, Resource, Stanza, StanzaError, ns};
use crate::xml::Child;

/// A message that may be said.
struct Spoken {
    /// As the room sends it, but for its id.
    stanza: Stanza,
    who: Sender,
    /// The sender's occupant id.
    author: CompactString,
    /// The message that it takes back.
    gone: Option<String>,
    now: Timestamp,
}

impl Rooms {
    /// A message for a room or for somebody in it.
    ///
    /// # Errors
    /// What its sender is told.
    pub(super) async fn message(
        self: &Arc<Self>,
        parcel: &Parcel,
        kind: MessageType,
    ) -> Result<Effects, StanzaError> {
        let (Some(from), Some(to)) = (&parcel.stanza.from, &parcel.stanza.to) else {
            return Err(Condition::BadRequest.into());
        };
        let room = self.find(to.bare()).ok_or(Condition::ItemNotFound)?;
        leaving::succeed(&mut room.lock(), &room, from, parcel);
        match (kind, to.resource()) {
            (MessageType::Error, _) => Ok(self.bounced(&room, from, parcel).await),
            (MessageType::Groupchat, None) if is_subject(&parcel.stanza) => {
                Box::pin(self.change_subject(&room, from, parcel)).await
            }
            (MessageType::Groupchat, None) => self.say(&room, from, parcel),
            // §7.5.
            (MessageType::Groupchat, Some(_)) => Err(Condition::BadRequest.into()),
            (MessageType::Chat | MessageType::Normal | MessageType::Headline, Some(nick)) => {
                self.whisper(&room, from, nick, parcel).await
            }
            (MessageType::Chat | MessageType::Normal | MessageType::Headline, None) => {
                self.notice(&room, from, parcel).await
            }
        }
    }

    /// The occupant that a session is, within its pace.
    ///
    /// # Errors
    /// `item-not-found` where there is no room, `not-acceptable` for one who is not in it (§7.4),
    /// `resource-constraint` for one who is too fast.
    pub(super) fn speaker(
        &self,
        state: &mut State,
        from: &Jid,
        now: Timestamp,
    ) -> Result<Resource, StanzaError> {
        if state.phase == Phase::Gone {
            return Err(Condition::ItemNotFound.into());
        }
        let nick = state.nicks.get(from).cloned();
        let nick = nick.ok_or_else(|| {
            StanzaError::new(Condition::NotAcceptable).text("you are not in this room")
        })?;
        let limits = self.limits();
        let (rate, burst) = (limits.stanzas_per_second_max, limits.stanzas_burst_max);
        let occupant = state
            .occupants
            .get_mut(&nick)
            .ok_or(Condition::NotAcceptable)?;
        if !occupant.pace.take(rate, burst, now) {
            return Err(too_fast());
        }
        Ok(nick)
    }

    /// §7.4: to everybody.
    fn say(&self, room: &Arc<Room>, from: &Jid, parcel: &Parcel) -> Result<Effects, StanzaError> {
        let mut state = room.lock();
        let spoken = self.compose(room, &mut state, from, parcel)?;
        Ok(self.utter(room, &mut state, spoken, parcel))
    }

    /// The message as the room sends it, where its sender may say it.
    fn compose(
        &self,
        room: &Room,
        state: &mut State,
        from: &Jid,
        parcel: &Parcel,
    ) -> Result<Spoken, StanzaError> {
        let now = parcel
            .stanza
            .received_at
            .unwrap_or_else(|| parcel.services.clock.now());
        let limits = self.limits();
        if parcel.stanza.payload.bytes().len() > limits.message_bytes_max.as_usize() {
            return Err(StanzaError::new(Condition::NotAcceptable).text("the message is too large"));
        }
        let subject = is_subject(&parcel.stanza);
        let nick = self.speaker(state, from, now)?;
        let occupant = state.occupants.get(&nick).ok_or(Condition::NotAcceptable)?;
        may_say(&state.config, occupant.role, subject)?;
        if subject && parcel.stanza.payload.bytes().len() > limits.subject_bytes_max.as_usize() {
            return Err(StanzaError::new(Condition::NotAcceptable).text("the subject is too long"));
        }
        let author = occupant.id.clone();
        let standing = (state.affiliation(&occupant.account), occupant.role);
        let gone = retraction::retracted(&parcel.stanza)?;
        retraction::retract(state, gone.as_deref(), &author)?;
        let mut stanza = Stanza {
            kind: Kind::Message(MessageType::Groupchat),
            from: Some(room.occupant_jid(&nick)),
            to: None,
            received_at: None,
            copies: None,
            ..Stanza::clone(&parcel.stanza)
        };
        clean(&mut stanza, room);
        stanza.payload.push(&occupant_id(&author), ns::CLIENT);
        Ok(Spoken {
            stanza,
            who: Sender {
                jid: from.clone(),
                standing,
            },
            author,
            gone,
            now,
        })
    }

    /// §7.4: hands over what was composed.
    fn utter(
        &self,
        room: &Arc<Room>,
        state: &mut State,
        spoken: Spoken,
        parcel: &Parcel,
    ) -> Effects {
        let mut post = Post::default();
        let services = &parcel.services;
        let Spoken {
            stanza,
            who,
            author,
            gone,
            now,
        } = spoken;
        let kept = archive::keep(services, room, state, &stanza, Some(&who), now);
        let stanza = self.reflect(room, state, stanza, kept.as_ref(), &mut post);
        let mut effects = Effects::default();
        if let Some(kept) = kept {
            self.remember_said(state, &stanza, &kept.id, &author, now);
            wait_for(&mut effects, kept.written);
        }
        if is_subject(&parcel.stanza) {
            state.subject = Some(Subject {
                at: now,
                stanza: stanza.detached(),
            });
        }
        effects.route = post.remote;
        if let Some(gone) = gone {
            retraction::bury(&mut effects, room, gone, author, parcel);
        }
        effects
    }

    /// §8.1: a new subject, which is written before anybody sees it.
    async fn change_subject(
        &self,
        room: &Arc<Room>,
        from: &Jid,
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        let mut saved = room.saving.lock().await;
        let spoken = self.compose(room, &mut room.lock(), from, parcel)?;
        let draft = Draft {
            subject: Some(Subject {
                at: spoken.now,
                stanza: spoken.stanza.clone(),
            }),
            ..Draft::default()
        };
        self.write(room, &mut saved, &draft, &parcel.services)
            .await?;
        Ok(self.utter(room, &mut room.lock(), spoken, parcel))
    }

    /// Hands a message to everybody, with the room's id for it, and returns it as it was handed over.
    pub(super) fn reflect(
        &self,
        room: &Room,
        state: &State,
        mut stanza: Stanza,
        kept: Option<&Kept>,
        post: &mut Post,
    ) -> Stanza {
        if let Some(kept) = kept {
            stanza
                .payload
                .push(&archive::stanza_id(room, &kept.id), ns::CLIENT);
        }
        let mail = stanza.clone().to_each();
        for (_, _, seat) in state.seats() {
            post.share(seat, &mail);
        }
        stanza
    }

    fn remember_said(
        &self,
        state: &mut State,
        stanza: &Stanza,
        id: &CompactString,
        author: &CompactString,
        at: Timestamp,
    ) {
        let limits = self.limits();
        if archive::is_history(stanza) {
            let said = Said {
                at,
                id: id.clone(),
                author: author.clone(),
                stanza: stanza.clone().detached(),
            };
            let most = usize::try_from(limits.history_messages_max).unwrap_or(0);
            state
                .history
                .push(said, most, limits.history_bytes_max.as_usize());
        }
    }
}

/// §5.1.1: who may say something to all, or change the subject (§8.1).
fn may_say(config: &RoomConfig, role: Role, subject: bool) -> Result<(), StanzaError> {
    let may = match role {
        Role::None => false,
        Role::Visitor => !subject && !config.moderated,
        Role::Participant => !subject || config.change_subject,
        Role::Moderator => true,
    };
    may.then_some(()).ok_or_else(|| Condition::Forbidden.into())
}

/// Takes away what occupants are not to say in the room's name (§15.3 rule 6, XEP-0359 §5, XEP-0421 §4).
pub(super) fn clean(stanza: &mut Stanza, room: &Room) {
    stanza_id::remove(stanza, &room.jid);
    let by_room = |child: &Child<'_>| {
        let element = child.to_element(ns::CLIENT).ok();
        let from = element.and_then(|it| it.attribute("from").map(Jid::parse));
        matches!(from, Some(Ok(from)) if *from.bare() == room.jid)
    };
    stanza.payload.retain(|child| {
        let forged = child.is(Some(ns::MUC_USER), "x")
            || child.is(Some(ns::MUC), "x")
            || child.is(Some(OCCUPANT_ID), "occupant-id")
            || (child.is(Some(ns::DELAY), "delay") && by_room(child));
        !forged
    });
}

/// Has the sender's acknowledgement wait for a write, or its task where the queue of writes is full.
pub(super) fn wait_for(effects: &mut Effects, written: Option<(Durable, bool)>) {
    match written {
        Some((written, true)) => effects.durable.push(written),
        Some((written, false)) => effects.then(async move { Ok(written.await?) }),
        None => {}
    }
}

/// A message of the past, with its stamp (§7.2.13).
pub(super) fn delayed(room: &Room, stanza: &Stanza, at: Timestamp) -> Stanza {
    let delay = Delay {
        from: Some(room.jid.clone().into()),
        stamp: at,
    };
    stanza.clone().child(&delay.to_element())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rooms as Limits;

    #[test]
    fn who_may_speak_follows_section_5_1_1() {
        let config = |moderated, change_subject| RoomConfig {
            moderated,
            change_subject,
            ..RoomConfig::new(&Limits::default())
        };
        for (role, moderated, change_subject, says, subjects) in [
            (Role::None, false, true, false, false),
            (Role::Visitor, false, true, true, false),
            (Role::Visitor, true, true, false, false),
            (Role::Participant, true, true, true, true),
            (Role::Participant, false, false, true, false),
            (Role::Moderator, true, false, true, true),
        ] {
            let config = config(moderated, change_subject);
            assert_eq!(may_say(&config, role, false).is_ok(), says, "{role:?}");
            assert_eq!(may_say(&config, role, true).is_ok(), subjects, "{role:?}");
        }
    }
}
