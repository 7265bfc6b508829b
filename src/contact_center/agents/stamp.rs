//! The agent's state in its presence (S0-21): a payload for clients that know it, `<show/>` and `<status/>` for the
//! others.
//!
//! ```xml
//! <presence from='juliet@example.org/desk' to='romeo@example.org'>
//!   <show>dnd</show>
//!   <status>Busy – Meeting</status>
//!   <agent xmlns='urn:parlour:agent:0' state='not-ready' reason='meeting' label='Meeting'
//!          since='2026-01-31T12:00:00Z' view='busy'/>
//! </presence>
//! ```
//!
//! What the client itself has said is kept, so that nothing of it is lost when the state is another one later.

use super::board::Seen;
use super::operations::NS;
use crate::domain::agent_state::{Reason, Show, State, show_beside};
use crate::hooks::Session;
use crate::proto::{Stanza, ns};
use crate::xml::{Child, Content, Element};

/// What a session's client has said last, and with which [`Seen::number`] that went out; 0 for none. In the
/// session's slots.
pub(super) struct Said {
    own: Option<Box<Content>>,
    /// Which `<show/>` is in it.
    pub(super) show: Option<Show>,
    pub(super) number: u64,
}

impl Said {
    /// What stands in a presence that the client has sent.
    pub(super) fn in_presence(presence: &Stanza, number: u64) -> Self {
        let mut own = presence.payload.clone();
        own.retain(is_said);
        let show = own.find(None, "show");
        let show = show.and_then(|show| shown(show.text().trim()));
        let own = (!own.is_empty()).then(|| Box::new(own.detached()));
        Self { own, show, number }
    }

    fn has_status(&self) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|own| own.contains(None, "status"))
    }
}

/// What the session's client has said last.
pub(super) fn said(session: &Session) -> Option<std::sync::Arc<Said>> {
    session.slots().find::<Said>()
}

fn is_said(child: &Child<'_>) -> bool {
    child.is(None, "show") || child.is(None, "status")
}

fn is_ours(child: &Child<'_>) -> bool {
    child.ns() == Some(NS)
}

/// Takes out what only the server says.
pub(super) fn strip(presence: &mut Stanza) {
    presence.payload.retain(|child| !is_ours(child));
}

/// Makes the presence say what the agent's state is, beside what its client has said.
pub(super) fn stamp(presence: &mut Stanza, said: &Said, seen: &Seen) {
    let own = said.show;
    let show = show_beside(seen.view, seen.agent.state(), own);
    let status = seen
        .status
        .as_ref()
        .filter(|_| !(said.has_status() && is_told_by_client(seen)));
    let payload = &mut presence.payload;
    payload.retain(|child| !is_ours(child) && !is_said(child));
    if let Some(said) = &said.own {
        let mut kept = Content::clone(said);
        kept.retain(|child| match child.name() {
            "show" => show == own,
            _ => status.is_none(),
        });
        payload.append(&kept);
    }
    let show = show.filter(|_| show != own);
    let show = show.map(|show| Element::new(ns::CLIENT, "show").text(word(show)));
    let ours = show.iter().chain(status).chain([&seen.payload]);
    payload.extend(ours, ns::CLIENT);
}

/// The server knows no more than that the client says it is away, which the client says in words of its own.
fn is_told_by_client(seen: &Seen) -> bool {
    match seen.agent.state() {
        State::Available => true,
        State::NotReady => seen.agent.reason() == Some(&Reason::Client),
        State::LoggedOut | State::Engaged | State::WrapUp => false,
    }
}

/// RFC 6121 §4.7.2.1: what is no such word says nothing.
fn shown(word: &str) -> Option<Show> {
    match word {
        "chat" => Some(Show::Chat),
        "away" => Some(Show::Away),
        "xa" => Some(Show::Xa),
        "dnd" => Some(Show::Dnd),
        _ => None,
    }
}

const fn word(show: Show) -> &'static str {
    match show {
        Show::Chat => "chat",
        Show::Away => "away",
        Show::Xa => "xa",
        Show::Dnd => "dnd",
    }
}
