//! Sessions between clients that know nothing of them: what the two write to each other belongs to their
//! session.
//!
//! A message with the session's thread does, and so does one without thread when the two have exactly one
//! session open. Everything else is ordinary chat, and does not wait for the database. What a session refuses (it
//! has ended, the invitee's channels are full) comes back to its sender with the reason before anybody has kept or
//! copied it. Chat states, receipts and markers have no words and are passed on as they are.

use std::sync::Arc;

use super::{change, find, is_open, wire};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors::{self, Asker};
use crate::contact_center::errors::Refused;
use crate::domain::ids::{AgentId, ImSessionId, MessageId};
use crate::domain::im_session::{Command, ImSession, Text};
use crate::domain::rights::Right;
use crate::hooks::{Effects, Flow, Hooks, Passage, Services, Stage};
use crate::proto::{Jid, Kind, MessageType, Stanza, StanzaError};

/// Registers the look at what agents write to each other.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.outgoing_message(Stage::Guard, move |passage| pass(&center, passage));
}

/// Which session a message may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meant {
    /// None.
    None,
    /// Its thread says so.
    Named(ImSessionId),
    /// It says nothing: to the one of these that is open, if there is exactly one.
    Any(Vec<ImSessionId>),
}

fn pass(center: &Arc<Center>, passage: &mut Passage<'_>) -> Flow {
    strip(passage.stanza);
    let kinds = [MessageType::Chat, MessageType::Normal].map(Kind::Message);
    let Some(to) = passage.stanza.to.clone() else {
        return Flow::Continue;
    };
    if !kinds.contains(&passage.stanza.kind) || to.local().is_none() {
        return Flow::Continue;
    }
    let open = center.sessions.of(passage.account, to.bare());
    let thread = wire::thread(passage.stanza);
    let meant = meant(thread.as_deref(), open);
    if meant == Meant::None {
        return Flow::Continue;
    }
    let place = center.place_of(to.domain());
    let (Some(place), Some(body)) = (place, wire::body(passage.stanza)) else {
        return Flow::Continue;
    };
    let said = Said {
        center: Arc::clone(center),
        place: Arc::clone(place),
        services: Arc::clone(passage.services),
        stanza: passage.stanza.clone(),
        body,
    };
    passage
        .effects
        .then_effects(async move { Box::pin(said.take(meant)).await });
    Flow::Stop
}

/// What the server says of sessions no client says.
fn strip(stanza: &mut Stanza) {
    let forged = |name: &&str| stanza.has(wire::NS, name);
    if wire::SERVERS_OWN.iter().any(forged) {
        stanza.payload.retain(|child| {
            let ours = |name: &&str| child.is(Some(wire::NS), name);
            !wire::SERVERS_OWN.iter().any(ours)
        });
    }
}

/// A thread that looks like an id of ours is worth a look into the database: its session may be over, and
/// who writes in it is to know. Other threads are somebody else's.
fn meant(thread: Option<&str>, open: Vec<ImSessionId>) -> Meant {
    match thread {
        Some(thread) => {
            let known = open.into_iter().find(|id| id.as_str() == thread);
            let perhaps = || is_sorted_id(thread).then(|| thread.parse().ok())?;
            known.or_else(perhaps).map_or(Meant::None, Meant::Named)
        }
        None if open.is_empty() => Meant::None,
        None => Meant::Any(open),
    }
}

/// Whether it is a UUID of version 7 (RFC 9562 §5.7), as [`crate::id::sorted`] makes them. What clients make
/// themselves is random.
fn is_sorted_id(text: &str) -> bool {
    let good = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'7',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(good)
}

/// A message that may be said in a session.
struct Said {
    center: Arc<Center>,
    place: Arc<Place>,
    services: Arc<Services>,
    stanza: Stanza,
    body: String,
}

impl Said {
    async fn take(self, meant: Meant) -> Result<Effects, StanzaError> {
        match self.belongs(&meant).await {
            Ok(Some((id, by))) => {
                Box::pin(self.say(&id, by)).await?;
                Ok(Effects::default())
            }
            Ok(None) => Ok(self.pass_on().await),
            Err(refused) => Err(refused.into()),
        }
    }

    /// The session that it belongs to, and who says it.
    async fn belongs(&self, meant: &Meant) -> Result<Option<(ImSessionId, AgentId)>, Refused> {
        let agent = |jid: &Option<Jid>| AgentId::new(jid.as_ref()?.bare().clone());
        let (Some(by), Some(to)) = (agent(&self.stanza.from), agent(&self.stanza.to)) else {
            return Ok(None);
        };
        let both = |it: &ImSession| by != to && it.has(&by) && it.has(&to);
        let found = match meant {
            Meant::None => None,
            // Also one that is over: whoever writes in it is to know.
            Meant::Named(id) => find(&self.services, id).await?.filter(both),
            Meant::Any(ids) => self.only(ids).await?.filter(both),
        };
        Ok(found.map(|session| (session.id, by)))
    }

    /// The one of these that is open. Invitations that were refused a moment ago are none, whatever the index
    /// says.
    async fn only(&self, ids: &[ImSessionId]) -> Result<Option<ImSession>, Refused> {
        let mut only = None;
        for id in ids {
            let session = find(&self.services, id).await?;
            let Some(session) = session.filter(is_open) else {
                continue;
            };
            if only.replace(session).is_some() {
                return Ok(None);
            }
        }
        Ok(only)
    }

    async fn say(self, id: &ImSessionId, by: AgentId) -> Result<(), Refused> {
        let Some(from) = &self.stanza.from else {
            return Ok(());
        };
        let asker = Asker {
            from,
            language: self.stanza.lang.as_deref(),
        };
        let caller = doors::known(&self.center, &self.place, &self.services, asker).await?;
        caller.rights.require(Right::InstantMessage)?;
        let message = self.stanza.id.as_deref();
        let message = message.and_then(|id| id.parse::<MessageId>().ok());
        let body = self.body;
        let text = Text { body, message };
        let command = Command::Say { by, text };
        let stanza = Some(self.stanza);
        change::command(&self.center, &self.services, id, command, stanza).await?;
        Ok(())
    }

    /// It is ordinary chat, and goes on as such.
    async fn pass_on(self) -> Effects {
        let mut effects = Effects::default();
        if let Some(router) = self.services.router.upgrade() {
            effects.durable = router.speak(self.stanza).await.durable;
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_belongs_to_the_session_that_it_names_or_to_one_of_the_two() {
        let id = |text: &str| text.parse::<ImSessionId>().unwrap();
        let sorted = crate::id::sorted(crate::clock::Timestamp::from_micros(1_790_000_000_000_000));
        let random = "8a64c5c2-6a1f-4c0a-9c3e-3f6d5b0f5a11";
        let (one, two) = (vec![id("s1")], vec![id("s1"), id("s2")]);
        for (thread, open, expected) in [
            (None, &vec![], Meant::None),
            (None, &one, Meant::Any(one.clone())),
            (None, &two, Meant::Any(two.clone())),
            (Some("s2"), &two, Meant::Named(id("s2"))),
            (Some("other"), &one, Meant::None),
            (Some(random), &one, Meant::None),
            (Some(sorted.as_str()), &vec![], Meant::Named(id(&sorted))),
        ] {
            assert_eq!(meant(thread, open.clone()), expected, "{thread:?} {open:?}");
        }
    }
}
