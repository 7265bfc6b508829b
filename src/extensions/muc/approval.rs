//! Registrations that an admin decides (XEP-0045 §9.9), in rooms whose owner wants it so: who asks is told
//! that the request came, and the admins and owners get a form, which one of them sends back.
//!
//! The form names the address and the nickname, so that it can be decided after a restart, too; what waits is
//! kept in memory only against repeated asking. Who is refused is not told: the document has no words for it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::admin::out_of_room;
use super::model::Affiliation;
use super::presence::News;
use super::register::{MUC_REGISTER, ROOM_NICK};
use super::room::{Associate, Post, Room, State};
use super::rooms::Rooms;
use crate::clock::Timestamp;
use crate::hooks::{Effects, Parcel};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{BareJid, Condition, Jid, MessageType, Resource, Stanza, StanzaError};

/// Whether the person may register.
const ALLOW: &str = "muc#register_allow";
/// Whom it is about. The form of the document leaves open who asks.
const JID: &str = "muc#register_jid";

/// Requests of one room that are remembered.
const WAITING_MAX: usize = 256;
/// Admins and owners who get one request: each is sent a message.
const ASKED_MAX: usize = 100;
/// Seconds after which an account that was refused, or has withdrawn, may ask again.
const AGAIN_SECONDS: i64 = 30;

/// Who has asked to be registered; the oldest is forgotten for one more.
#[derive(Debug, Default)]
pub(super) struct Waiting(VecDeque<Request>);

#[derive(Debug)]
struct Request {
    account: BareJid,
    /// None once it was decided or taken back.
    nick: Option<Resource>,
    at: Timestamp,
}

/// What becomes of a request to be asked about.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// The admins are to be asked.
    New,
    /// They have been already.
    Already,
}

impl Waiting {
    fn ask(
        &mut self,
        account: &BareJid,
        nick: &Resource,
        now: Timestamp,
    ) -> Result<Asked, StanzaError> {
        let known = self.0.iter().position(|it| it.account == *account);
        if let Some(known) = known.and_then(|place| self.0.get(place)) {
            if known.nick.as_ref() == Some(nick) {
                return Ok(Asked::Already);
            }
            if now.seconds_since(known.at) < AGAIN_SECONDS {
                return Err(StanzaError::new(Condition::ResourceConstraint)
                    .text("you have asked to be registered a moment ago"));
            }
        }
        if let Some(place) = known {
            self.0.remove(place);
        } else if self.0.len() >= WAITING_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Request {
            account: account.clone(),
            nick: Some(nick.clone()),
            at: now,
        });
        Ok(Asked::New)
    }

    /// The request waits no more; answers whether it did.
    pub(super) fn end(&mut self, account: &BareJid) -> bool {
        let mut all = self.0.iter_mut();
        let known = all.find(|it| it.account == *account);
        known.is_some_and(|it| it.nick.take().is_some())
    }

    /// Whose request for that nickname waits.
    fn who(&self, nick: &Resource) -> Option<&BareJid> {
        let mut all = self.0.iter();
        let found = all.find(|it| it.nick.as_ref() == Some(nick));
        found.map(|it| &it.account)
    }
}

/// Asks those who decide, unless they have been asked.
///
/// # Errors
/// `resource-constraint` for whoever asks again too soon.
pub(super) fn ask(
    state: &mut State,
    room: &Room,
    account: &BareJid,
    nick: &Resource,
    now: Timestamp,
) -> Result<Post, StanzaError> {
    let mut post = Post::default();
    if state.registrations.ask(account, nick, now)? == Asked::Already {
        return Ok(post);
    }
    let form = question(account, nick).to_element();
    let decide = state
        .associates
        .iter()
        .filter(|(_, it)| it.affiliation >= Affiliation::Admin);
    for (admin, _) in decide.take(ASKED_MAX) {
        let mut message = Stanza::message(MessageType::Normal)
            .from(room.jid.clone())
            .to(admin.clone())
            .child(&form);
        message.id = Some(crate::id::random().into());
        post.remote.push(message);
    }
    Ok(post)
}

fn question(account: &BareJid, nick: &Resource) -> Form {
    let jid = Field::new(JID, FieldType::JidSingle).label("Who asks");
    let wanted = Field::new(ROOM_NICK, FieldType::TextSingle).label("Desired Nickname");
    let allow = Field::new(ALLOW, FieldType::Boolean);
    Form::new(FormType::Form)
        .title("Registration request")
        .instruction("To approve this registration request, select the box and submit the form.")
        .form_type(MUC_REGISTER)
        .field(jid.value(account.to_string()))
        .field(wanted.value(nick.as_str()))
        .field(
            allow
                .label("Allow this person to register with the room?")
                .value("0"),
        )
}

impl Rooms {
    /// What an admin says to a request.
    ///
    /// # Errors
    /// `forbidden` for whoever is no admin, `bad-request` for a form that names nobody, and what
    /// registering itself is refused with.
    pub(super) async fn decide(
        &self,
        room: &Arc<Room>,
        from: &Jid,
        form: &Form,
        parcel: &Parcel,
    ) -> Result<Effects, StanzaError> {
        let mut saved = room.saving.lock().await;
        let value = |var: &str| form.find(var)?.values.first().map(String::as_str);
        let nick = value(ROOM_NICK).ok_or(Condition::BadRequest)?;
        let nick = Resource::new(nick).map_err(|_| Condition::JidMalformed)?;
        let (account, associate) = {
            let mut guard = room.lock();
            let state = &mut *guard;
            self.take_pace_of(state, from.bare(), parcel.services.clock.now())?;
            if state.affiliation(from.bare()) < Affiliation::Admin {
                return Err(Condition::Forbidden.into());
            }
            let account = match value(JID) {
                Some(jid) => Jid::parse(jid)
                    .map_err(|_| Condition::JidMalformed)?
                    .bare()
                    .clone(),
                None => state
                    .registrations
                    .who(&nick)
                    .ok_or(Condition::BadRequest)?
                    .clone(),
            };
            if !matches!(value(ALLOW), Some("1" | "true")) {
                state.registrations.end(&account);
                return Ok(Effects::default());
            }
            if state.affiliation(&account) == Affiliation::Outcast {
                return Err(Condition::NotAllowed.into());
            }
            let associate = self.registered(state, &account, nick)?;
            (account, associate)
        };
        let services = &parcel.services;
        let mut post = self
            .enlist(room, &mut saved, &account, associate, services)
            .await?;
        post.sender.clone_from(&parcel.session);
        Ok(post.into_effects())
    }
}

/// Makes somebody what was written, and tells of it.
pub(super) fn listed(
    state: &mut State,
    room: &Room,
    account: &BareJid,
    associate: Associate,
) -> Post {
    let mut post = Post::default();
    let affiliation = associate.affiliation;
    let changed = state.affiliation(account) != affiliation;
    let waited = state.registrations.end(account);
    state.associate(account, associate);
    let here = state.nicks_of(account);
    if here.is_empty() && waited {
        // §16.1: else who has waited would not learn of it.
        post.remote.push(out_of_room(room, account, affiliation));
    }
    for nick in here.into_iter().filter(|_| changed) {
        state.announce(room, &nick, &News::default(), &mut post);
    }
    post
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn an_account_asks_once_and_again_after_a_while() {
        let mut waiting = Waiting::default();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let (romeo, romy) = (jid("romeo@localhost"), Resource::new("Romy").unwrap());
        let other = Resource::new("Montague").unwrap();
        assert_eq!(waiting.ask(&romeo, &romy, at(0)).unwrap(), Asked::New);
        assert_eq!(waiting.ask(&romeo, &romy, at(1)).unwrap(), Asked::Already);
        assert!(waiting.ask(&romeo, &other, at(2)).is_err());
        assert_eq!(waiting.who(&romy), Some(&romeo));
        assert!(waiting.end(&romeo) && !waiting.end(&romeo));
        assert_eq!(waiting.who(&romy), None);
        // Taking it back is no way to ask more often.
        assert!(waiting.ask(&romeo, &romy, at(29)).is_err());
        assert_eq!(waiting.ask(&romeo, &other, at(30)).unwrap(), Asked::New);
        for n in 0..WAITING_MAX {
            let account = jid(&format!("a{n}@localhost"));
            assert_eq!(waiting.ask(&account, &romy, at(40)).unwrap(), Asked::New);
        }
        assert_eq!(waiting.0.len(), WAITING_MAX);
        assert_eq!(waiting.who(&other), None);
    }
}
