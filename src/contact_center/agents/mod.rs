//! Agents and their states (S0-21, S0-22, S2-3 to S2-7): logging in and out, being ready or not, wrap-up.
//!
//! What is decided is in [`crate::domain::agent_state`]. Every agent that there is stands on the [`board`], in memory.
//! Each change is written, put on the board, and told: in the presence of the agent's sessions ([`stamp`]) and to
//! those who watch all agents ([`live`]). One agent's changes follow each other, from which device they may come.

mod behind;
mod board;
mod devices;
mod display;
mod entitled;
mod history;
mod list;
mod live;
mod operations;
mod stamp;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use tracing::warn;

use super::center::{Center, Place};
use super::draft::Draft;
use super::errors::Refused;
use super::interactions::{self, Left};
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::agent_state::{
    Agent, Command, Event, Facts, Rules, State, WrapUpRule, apply, decide,
};
use crate::domain::ids::AgentId;
use crate::hooks::{Hooks, Services, Turn};
use crate::proto::BareJid;
use crate::store::StoreError;

pub(super) use behind::run as look_again;
pub(super) use board::Board;
pub(super) use display::run as follow_settings;
pub(super) use live::{FEATURES, NODE, answer, info, run as tell_watchers};
pub(super) use operations::{FOR_WATCHERS, OPERATIONS};

/// The kind of the record of an agent.
pub(super) use crate::admin::AGENT as KIND;

impl Record for Agent {
    const KIND: &'static str = KIND;
    type Event = Event;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        apply(self, event);
    }

    fn deadline(&self) -> Option<Timestamp> {
        Self::deadline(self)
    }
}

/// Registers what follows the agents' own presence, and what is forgotten of them.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    devices::register(hooks, center);
    live::register(hooks, center);
    entitled::register(hooks, center);
    let forgetting = Arc::clone(center);
    hooks.daily(move |services| {
        let center = Arc::clone(&forgetting);
        async move { history::forget(&center, &services).await }
    });
    let removing = Arc::clone(center);
    hooks.removed(move |account, services| {
        let center = Arc::clone(&removing);
        async move { Box::pin(removed(&center, &services, account)).await }
    });
}

/// Reads all agents, before anybody can connect. Those who were logged in are without a session now, and are given
/// time to come back.
pub(super) async fn start(center: &Center, services: &Arc<Services>) -> Result<(), StoreError> {
    let mut lost = Vec::new();
    let mut walk = services.store.records().walk(KIND, PAGE);
    while let Some(stored) = walk.next().await? {
        let agent: Agent = record::read(&stored)?;
        let Some(place) = center.place_of(agent.id.host()) else {
            continue;
        };
        let account = agent.id.jid();
        let known = services.store.accounts().find(account).await?;
        let display = match known {
            Some(known) => place.profile(&services.store, account, known.role).await?,
            None => Arc::default(),
        };
        lost.push(agent.id.clone());
        let reasons = &place.settings.load_full().reasons;
        let agent = Arc::new(agent);
        center.agents.put(agent, Some(display.presence), reasons);
    }
    live::start(center, services).await?;
    // Many at once share a commit.
    futures_util::stream::iter(lost)
        .for_each_concurrent(STARTING_MAX, |id| async move {
            if let Some(place) = center.place_of(id.host()) {
                devices::follow(center, services, place, &id).await;
                entitled::require(center, services, place, &id).await;
            }
        })
        .await;
    Ok(())
}

/// Records that are read at once.
const PAGE: u32 = 500;

/// Agents that lose their sessions at once when the server starts.
const STARTING_MAX: usize = 64;

/// Whoever gets the account's name later is somebody else.
async fn removed(center: &Center, services: &Arc<Services>, account: BareJid) {
    let Some(id) = AgentId::new(account.clone()) else {
        return;
    };
    // Nobody may put it back who has read it before.
    let turn = center.agents.turn(&id).await;
    let was_agent = center.agents.forget(&account);
    if let Err(error) = services
        .store
        .records()
        .remove(KIND, account.as_str())
        .await
    {
        warn!(%error, %account, "an agent's record outlives its account");
    }
    drop(turn);
    if let Some(place) = center.place_of(id.host()).filter(|_| was_agent) {
        center.agents.live.note(place, &id);
    }
    live::forget(center, services, &account).await;
}

/// The agent as it is stored; one that has never logged in otherwise.
pub(super) async fn find(services: &Services, id: &AgentId) -> Result<Agent, Refused> {
    let found = record::find(&services.store, &id.to_string()).await?;
    Ok(found.unwrap_or_else(|| Agent::new(id.clone())))
}

/// What comes of a command to an agent, written down and told to whom it concerns.
pub(super) async fn command(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
    command: Command,
) -> Result<Arc<Agent>, Refused> {
    let turn = center.agents.turn(id).await;
    // The right may have been taken behind the door. Who takes it looks in this turn for whom to log out.
    if command == Command::Login {
        Box::pin(entitled::still(services, place, id)).await?;
    }
    in_turn(center, services, place, turn, (id, command)).await
}

/// [`command`] of who has the agent's turn, which ends with it.
async fn in_turn(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    turn: Turn<'_, BareJid>,
    (id, command): (&AgentId, Command),
) -> Result<Arc<Agent>, Refused> {
    let (after, left) = carry_out(center, services, place, id, command).await?;
    drop(turn);
    if !left.is_empty() {
        interactions::wrote_up(center, services, place, id, left).await;
    }
    Ok(after)
}

/// Ends a wrap-up of nothing. What the agent leaves from now on it writes up itself: that wrap-up begins behind this turn.
pub(super) async fn end_empty_wrap_up(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
) -> Result<(), Refused> {
    let in_wrap_up = || center.agents.agent(id).state() == State::WrapUp;
    // Whoever makes it so looks again.
    if !in_wrap_up() {
        return Ok(());
    }
    let _turn = center.agents.turn(id).await;
    if !in_wrap_up() {
        return Ok(());
    }
    if interactions::has_left(services, id).await? {
        return Ok(());
    }
    let command = Command::FinishWrapUp;
    match Box::pin(carry_out(center, services, place, id, command)).await {
        // It has ended meanwhile.
        Ok(_) | Err(Refused::Rule(_)) => Ok(()),
        Err(refused) => Err(refused),
    }
}

/// The same of who has the agent's turn: the agent, and what it has written up with that.
async fn carry_out(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
    command: Command,
) -> Result<(Arc<Agent>, Vec<Left>), Refused> {
    let settings = place.settings.load_full();
    // The board is right, unless somebody has written past it.
    let once_more = AtomicBool::new(false);
    let decided = async |mut draft: Draft| {
        let before = match once_more.swap(true, Ordering::Relaxed) {
            false => center.agents.agent(id),
            true => Arc::new(Box::pin(find(services, id)).await?),
        };
        let facts = Facts {
            devices: &devices::of(services, id),
            reasons: &settings.reasons,
            rules: &rules(services),
        };
        let events = decide(&before, command.clone(), services.clock.now(), &facts)?;
        let mut left = Vec::new();
        let has_changed = !events.is_empty();
        let after = match has_changed {
            false => before,
            true => {
                let after = draft.change(before.as_ref(), &events)?;
                // What is left behind this is not ended with it.
                if is_occupied(&before) && !is_occupied(&after) {
                    left = Box::pin(interactions::left_by(services, id)).await?;
                }
                Arc::new(after)
            }
        };
        Ok((draft, (after, left, has_changed)))
    };
    let (after, left, has_changed) = center.save(services, decided).await?;
    let news = match has_changed {
        true => {
            let reasons = &settings.reasons;
            center.agents.put(Arc::clone(&after), None, reasons)
        }
        false => None,
    };
    if let Some(seen) = news {
        // On the heap, for it begins when the wait for the database is over.
        Box::pin(devices::renew_all(services, &seen)).await;
        center.agents.live.note(place, id);
    }
    Ok((after, left))
}

/// Whether interactions are still to be dealt with, or to be written up.
fn is_occupied(agent: &Agent) -> bool {
    matches!(agent.state(), State::Engaged | State::WrapUp)
}

/// All agents of a host as they are now.
pub(super) fn all(center: &Center, host: &BareJid) -> Vec<Agent> {
    let seen = center.agents.of_host(host);
    seen.iter().map(|seen| Agent::clone(&seen.agent)).collect()
}

/// Time has come for what an agent waits for.
pub(super) async fn time_is_up(
    center: Arc<Center>,
    services: Arc<Services>,
    id: String,
) -> Result<(), Refused> {
    let Ok(id) = id.parse::<AgentId>() else {
        return Ok(());
    };
    let Some(place) = center.place_of(id.host()) else {
        // The host is served no longer. The record waits for its return, and is due no more.
        return Ok(());
    };
    // Who is back is not gone, whether it has sent presence or not.
    devices::follow(&center, &services, place, &id).await;
    command(&center, &services, place, &id, Command::TimeIsUp).await?;
    Ok(())
}

/// What the operator has set for agents.
fn rules(services: &Services) -> Rules {
    let set = &services.config.contact_center;
    Rules {
        grace_seconds: set.grace_seconds.as_u32(),
        logout_seconds: set.logout_seconds.as_u32(),
        wrap_up: match set.wrap_up_seconds.as_u32() {
            0 => WrapUpRule::Open,
            seconds => WrapUpRule::Seconds(seconds),
        },
    }
}
