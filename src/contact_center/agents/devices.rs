//! The agent's sessions: what its state makes of their presence, and what they make of its state (S0-21).
//!
//! A presence is stamped before it goes out, in the session's own task and without waiting. When it is out, the
//! task looks whether the agent's state has become another one meanwhile, and whether the sessions have
//! changed it; only then it waits for anything.

use std::sync::Arc;

use tracing::warn;

use super::board::Seen;
use super::stamp::{Said, said, stamp, strip};
use super::{display, rules};
use crate::contact_center::center::{Center, Place};
use crate::domain::agent_state::{
    Agent, Command, Connection, Devices, Event, Facts, apply, decide,
};
use crate::domain::ids::AgentId;
use crate::extensions::presence;
use crate::hooks::{Flow, Hooks, Passage, Services, Session, Stage};
use crate::proto::{Kind, PresenceType};

/// How often a presence is renewed that is renewed by others at the same time.
const TRIES_MAX: usize = 4;

/// Registers what is done with presence, and at the end of a session.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let stamping = Arc::clone(center);
    hooks.outgoing_presence(Stage::Rewrite, move |passage| rewrite(&stamping, passage));
    let settling = Arc::clone(center);
    hooks.outgoing_presence(Stage::Deliver, move |passage| sent(&settling, passage));
    let closing = Arc::clone(center);
    hooks.closed(move |session, services| {
        let center = Arc::clone(&closing);
        async move { Box::pin(closed(&center, &services, &session)).await }
    });
}

fn rewrite(center: &Arc<Center>, passage: &mut Passage<'_>) -> Flow {
    strip(passage.stanza);
    let (Some(session), None) = (passage.session, &passage.stanza.to) else {
        return Flow::Continue;
    };
    // One that will be refused says nothing.
    if passage.stanza.kind != Kind::Presence(PresenceType::Available)
        || presence::priority_of(passage.stanza).is_err()
    {
        return Flow::Continue;
    }
    let account = session.account();
    let Some(place) = center.place_of(account.jid().domain().as_str()) else {
        return Flow::Continue;
    };
    if !display::is_learned(place, account) {
        let (center, place) = (Arc::clone(center), Arc::clone(place));
        let (services, account) = (Arc::clone(passage.services), Arc::clone(account));
        // Before anybody is told of the presence.
        passage.effects.then(async move {
            display::learn(&center, &services, &place, &account).await?;
            Ok(())
        });
    }
    let seen = center.agents.find(account.jid());
    let number = seen.as_ref().map_or(0, |seen| seen.number);
    let seen = seen.map(|seen| with_session(passage.services, place, seen));
    let said = Said::in_presence(passage.stanza, number);
    if let Some(seen) = seen {
        stamp(passage.stanza, &said, &seen);
    }
    session.slots().set(said);
    Flow::Continue
}

/// Behind the hook that sends it.
fn sent(center: &Arc<Center>, passage: &mut Passage<'_>) -> Flow {
    let (Some(session), None) = (passage.session, &passage.stanza.to) else {
        return Flow::Continue;
    };
    let is_available = passage.stanza.kind == Kind::Presence(PresenceType::Available);
    let is_presence =
        is_available || passage.stanza.kind == Kind::Presence(PresenceType::Unavailable);
    // The first one of a session is not out yet.
    let is_first = is_available && !session.is_available();
    let is_agent = || center.agents.find(session.jid().bare()).is_some();
    if is_presence && (is_first || is_agent()) {
        let (center, session) = (Arc::clone(center), Arc::clone(session));
        let services = Arc::clone(passage.services);
        passage.effects.then(async move {
            Box::pin(settle(&center, &services, &session)).await;
            Ok(())
        });
    }
    Flow::Continue
}

/// A presence is out.
async fn settle(center: &Center, services: &Arc<Services>, session: &Arc<Session>) {
    let account = session.jid().bare();
    let Some(seen) = center.agents.find(account) else {
        return;
    };
    let stamped = said(session).map(|said| said.number);
    if session.is_available() && stamped != Some(seen.number) {
        let _turn = center.agents.turn(&seen.agent.id).await;
        if let Some(seen) = center.agents.find(account) {
            renew(services, session, &seen).await;
        }
    }
    if let Some(place) = center.place_of(account.domain().as_str()) {
        follow(center, services, place, &seen.agent.id).await;
    }
}

/// A session has ended, and is no more among those of its account.
async fn closed(center: &Center, services: &Arc<Services>, session: &Arc<Session>) {
    // When the server stops, all of them end, and none of the agents has gone.
    if center.is_stopping() {
        return;
    }
    let account = session.jid().bare();
    let seen = center.agents.find(account);
    let place = center.place_of(account.domain().as_str());
    if let (Some(seen), Some(place)) = (seen, place) {
        follow(center, services, place, &seen.agent.id).await;
    }
}

/// Makes the agent what its sessions make of it, later where that cannot be written now. Nothing waits where they change
/// nothing.
pub(super) async fn follow(center: &Center, services: &Arc<Services>, place: &Place, id: &AgentId) {
    let Some(seen) = center.agents.find(id.jid()) else {
        return;
    };
    if !have_changed(services, place, &seen) {
        return;
    }
    let done = Box::pin(super::command(
        center,
        services,
        place,
        id,
        Command::Devices,
    ))
    .await;
    if let Err(refused) = done {
        warn!(%refused, agent = %id, "an agent's state does not follow its sessions");
        center.agents.behind.add(id);
    }
}

fn have_changed(services: &Services, place: &Place, seen: &Seen) -> bool {
    !changes(services, place, seen).is_empty()
}

/// What the agent's sessions make of it.
fn changes(services: &Services, place: &Place, seen: &Seen) -> Vec<Event> {
    let settings = place.settings.load();
    let facts = Facts {
        devices: &of(services, &seen.agent.id),
        reasons: &settings.reasons,
        rules: &rules(services),
    };
    let events = decide(&seen.agent, Command::Devices, services.clock.now(), &facts);
    // It refuses nothing.
    events.unwrap_or_default()
}

/// The agent as it is about to be when it has been without a session: its first presence does not say that it is
/// offline. It becomes so when the presence is out.
fn with_session(services: &Services, place: &Place, seen: Arc<Seen>) -> Arc<Seen> {
    if seen.agent.connection == Connection::Online {
        return seen;
    }
    let mut agent = Agent::clone(&seen.agent);
    for event in changes(services, place, &seen) {
        apply(&mut agent, &event);
    }
    let reasons = &place.settings.load().reasons;
    Arc::new(Seen::of(Arc::new(agent), seen.display, reasons))
}

/// The agent's sessions at this moment, with those that wait for their client to come back (XEP-0198 §5).
pub(super) fn of(services: &Services, agent: &AgentId) -> Devices {
    let Some(account) = services.online(agent.jid()) else {
        return Devices::default();
    };
    let sessions = account.sessions();
    let available = sessions.iter().filter(|session| session.is_available());
    Devices {
        sessions: sessions.len(),
        shows: available
            .map(|session| said(session).and_then(|said| said.show))
            .collect(),
    }
}

/// Tells subscribers what the agent's state is by now, for each of its sessions. The caller has the agent's turn.
pub(super) async fn renew_all(services: &Services, seen: &Seen) {
    let Some(account) = services.online(seen.agent.id.jid()) else {
        return;
    };
    for session in account.sessions().iter().filter(|it| it.is_available()) {
        renew(services, session, seen).await;
    }
}

async fn renew(services: &Services, session: &Arc<Session>, seen: &Seen) {
    for _ in 0..TRIES_MAX {
        let Some(said) = said(session) else {
            return;
        };
        if presence::renew(services, session, |it| stamp(it, &said, seen)).await {
            return;
        }
    }
}
