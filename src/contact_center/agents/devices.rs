//! The agent's sessions, as far as its state depends on them: how many there are, and what its clients
//! say of themselves.

use std::sync::Arc;

use crate::domain::agent_state::{Devices, Show};
use crate::domain::ids::AgentId;
use crate::hooks::{Flow, Hooks, Passage, Services, Session, Stage};
use crate::proto::{Kind, PresenceType, Stanza};

/// What a session's client has said last, before anything was made of it.
struct OwnShow(Option<Show>);

/// Notes what clients say of themselves.
pub(super) fn register(hooks: &mut Hooks) {
    hooks.outgoing_presence(Stage::Guard, note);
}

fn note(passage: &mut Passage<'_>) -> Flow {
    if let (Some(session), None) = (passage.session, &passage.stanza.to)
        && passage.stanza.kind == Kind::Presence(PresenceType::Available)
    {
        session.slots().set(OwnShow(show(passage.stanza)));
    }
    Flow::Continue
}

/// RFC 6121 §4.7.2.1. What is no such word says nothing.
fn show(stanza: &Stanza) -> Option<Show> {
    let text = stanza.payload.find(None, "show")?.text().into_owned();
    match text.trim() {
        "chat" => Some(Show::Chat),
        "away" => Some(Show::Away),
        "xa" => Some(Show::Xa),
        "dnd" => Some(Show::Dnd),
        _ => None,
    }
}

/// The agent's sessions at this moment.
pub(super) fn of(services: &Services, agent: &AgentId) -> Devices {
    let Some(account) = services.online(agent.jid()) else {
        return Devices::default();
    };
    let sessions = account.sessions();
    let available = sessions.iter().filter(|session| session.is_available());
    Devices {
        sessions: sessions.len(),
        shows: available.map(|session| own_show(session)).collect(),
    }
}

fn own_show(session: &Arc<Session>) -> Option<Show> {
    session.slots().find::<OwnShow>().and_then(|own| own.0)
}
