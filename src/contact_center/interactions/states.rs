//! What interactions make of their agents' states (S2-6), and the end of a wrap-up of the interactions.
//!
//! An agent is a record of its own, which changes after the interaction. What is not done because the server ends in between
//! is done at its next start.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::{debug, warn};

use super::change::{self, Work};
use super::{KIND, PAGE, WRITING_UP, find};
use crate::contact_center::agents;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::agent_state::{self, Occupation, State};
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{Command, Event, Interaction, Leg};
use crate::hooks::Services;
use crate::store::ListOrder;

/// How often a state is made right that others make wrong at the same time.
const TRIES_MAX: usize = 4;

/// Interactions that an agent has to write up at a time: whoever goes from one to the next without ever writing up does not
/// write up the oldest any more.
pub(super) const WRITING_UP_MAX: u64 = 50;

/// Makes engaged who is connected now, and releases who has left.
pub(super) async fn follow(work: Work<'_>, after: &Interaction, events: &[Event]) {
    for event in events {
        if let Event::Connected { agent, .. } | Event::Left { agent, .. } = event {
            settle(work, after, agent).await;
        }
        if let Event::Left { agent, .. } = event
            && let Err(refused) = bound(work, agent).await
        {
            warn!(%refused, %agent, "more is left to be written up than may be");
        }
    }
}

/// Makes the agent's state what the interaction makes of it. Somebody else may have changed that meanwhile, and
/// have been faster; so it is looked at once more.
async fn settle(work: Work<'_>, interaction: &Interaction, agent: &AgentId) {
    let mut connected = is_connected(interaction, agent);
    for _ in 0..TRIES_MAX {
        let interaction = interaction.id.clone();
        set(work, &interaction, agent, connected).await;
        let now = match find(work.services, &interaction).await {
            Ok(now) => now.is_some_and(|now| is_connected(&now, agent)),
            Err(refused) => return warn!(%refused, %agent, "an agent's state may be wrong"),
        };
        if now == connected {
            return;
        }
        connected = now;
    }
}

/// The oldest counts as written up where there are too many. Each interaction that the agent leaves adds one.
async fn bound(work: Work<'_>, agent: &AgentId) -> Result<(), Refused> {
    let records = work.services.store.records();
    let list = (WRITING_UP, agent.jid().as_str());
    if records.count(KIND, list).await? <= WRITING_UP_MAX {
        return Ok(());
    }
    let order = ListOrder::Ascending;
    let page = records.listed(KIND, list, None, order, PAGE).await?;
    let read = page.iter().map(record::read::<Interaction>);
    let all: Vec<Interaction> = read.collect::<Result<_, _>>()?;
    let left = |it: &&Interaction| it.part(agent).and_then(|part| part.left_at);
    if let Some(oldest) = all.iter().min_by_key(left) {
        let finish = |_: &Interaction| vec![Command::FinishWrapUp { by: agent.clone() }];
        Box::pin(change::settle(work, &oldest.id, &finish)).await?;
    }
    Ok(())
}

fn is_connected(interaction: &Interaction, agent: &AgentId) -> bool {
    let part = interaction.part(agent);
    part.is_some_and(|part| part.leg == Leg::Connected)
}

async fn set(work: Work<'_>, interaction: &InteractionId, agent: &AgentId, connected: bool) {
    let interaction = interaction.clone();
    let command = match connected {
        true => agent_state::Command::Engage { interaction },
        false => agent_state::Command::Release { interaction },
    };
    let (center, services) = (work.center, work.services);
    let done = agents::command(center, services, work.place, agent, command).await;
    match done {
        Ok(_) if connected => {}
        Ok(_) => {
            if let Err(refused) = end_wrap_up(work, agent).await {
                warn!(%refused, %agent, "an agent stays in a wrap-up of nothing");
            }
        }
        // Who has logged out while the telephone was ringing is not engaged.
        Err(Refused::Rule(refusal)) => debug!(%refusal, %agent, "an agent's state stays"),
        Err(refused) => warn!(%refused, %agent, "an agent's state does not follow"),
    }
}

/// An agent with nothing left to write up is in wrap-up no longer. Whether it is in wrap-up, and whether it has written up, become
/// so one after the other, in either order: so it is asked behind each of them.
pub(super) async fn end_wrap_up(work: Work<'_>, agent: &AgentId) -> Result<(), Refused> {
    if work.center.agents.agent(agent).state() != State::WrapUp {
        return Ok(());
    }
    let records = work.services.store.records();
    let left = records.count(KIND, (WRITING_UP, agent.jid().as_str()));
    if left.await? > 0 {
        return Ok(());
    }
    let (center, services) = (work.center, work.services);
    let command = agent_state::Command::FinishWrapUp;
    let ended = agents::command(center, services, work.place, agent, command);
    match Box::pin(ended).await {
        // It has ended meanwhile.
        Ok(_) | Err(Refused::Rule(_)) => Ok(()),
        Err(refused) => Err(refused),
    }
}

/// The agent has written up: all that it had left open for that is done.
pub(in crate::contact_center) fn wrote_up<'a>(
    center: &'a Center,
    services: &'a Arc<Services>,
    place: &'a Place,
    agent: &'a AgentId,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        if let Err(refused) = finish_all(center, services, place, agent).await {
            warn!(%refused, %agent, "interactions of an agent who has written up stay open");
        }
    })
}

async fn finish_all(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    agent: &AgentId,
) -> Result<(), Refused> {
    let work = Work {
        center,
        services,
        place,
    };
    let list = (WRITING_UP, agent.jid().as_str());
    let mut walk = services.store.records().walk_list(KIND, list, PAGE);
    while let Some(stored) = walk.next().await? {
        let interaction: Interaction = record::read(&stored)?;
        let by = agent.clone();
        let finish = move |_: &Interaction| vec![Command::FinishWrapUp { by: by.clone() }];
        change::settle(work, &interaction.id, &finish).await?;
    }
    Ok(())
}

/// At the start of the server: what was not done at its end.
pub(super) async fn start(work: Work<'_>) -> Result<(), Refused> {
    for agent in agents::all(work.center, &work.place.host) {
        match &agent.occupation {
            Occupation::Engaged { interactions } => {
                for id in interactions {
                    let connected = find(work.services, id).await?;
                    let connected = connected.is_some_and(|it| is_connected(&it, &agent.id));
                    if !connected {
                        set(work, id, &agent.id, false).await;
                    }
                }
            }
            Occupation::WrapUp { .. } => end_wrap_up(work, &agent.id).await?,
            Occupation::Idle => {
                finish_all(work.center, work.services, work.place, &agent.id).await?;
            }
        }
    }
    Ok(())
}

/// The same of an interaction that goes on: who is connected is engaged.
pub(super) async fn engage_all(work: Work<'_>, interaction: &Interaction) {
    let parts = interaction.participants.iter();
    for part in parts.filter(|part| part.leg == Leg::Connected) {
        set(work, &interaction.id, &part.agent, true).await;
    }
}
