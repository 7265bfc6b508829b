//! What interactions make of their agents' states (S2-6), and the end of a wrap-up of the interactions.
//!
//! An agent is a record of its own, which changes after the interaction. What is not done because the server ends in between
//! is done at its next start.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::{debug, warn};

use super::change::{self, Work};
use super::{KIND, OPEN, PAGE, find};
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

/// Makes engaged who is connected now, and releases who has left.
pub(super) async fn follow(work: Work<'_>, after: &Interaction, events: &[Event]) {
    for event in events {
        if let Event::Connected { agent, .. } | Event::Left { agent, .. } = event {
            settle(work, after, agent).await;
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
        Ok(_) => {}
        // Who has logged out while the telephone was ringing is not engaged.
        Err(Refused::Rule(refusal)) => debug!(%refusal, %agent, "an agent's state stays"),
        Err(refused) => warn!(%refused, %agent, "an agent's state does not follow"),
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
    let mut from: Option<String> = None;
    loop {
        let list = (OPEN, agent.jid().as_str());
        let order = ListOrder::Ascending;
        let records = services.store.records();
        let page = records
            .listed(KIND, list, from.as_deref(), order, PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        from = Some(last.id.clone());
        for stored in page {
            let interaction: Interaction = record::read(&stored)?;
            let writes = interaction.part(agent);
            if writes.is_some_and(|part| part.leg == Leg::WrapUp) {
                let by = agent.clone();
                let finish = move |_: &Interaction| vec![Command::FinishWrapUp { by: by.clone() }];
                change::settle(work, &interaction.id, &finish).await?;
            }
        }
    }
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
            Occupation::WrapUp { .. } => {}
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

/// Whether the agent has only to write up what is left.
pub(super) fn writes_up(center: &Center, agent: &AgentId) -> bool {
    center.agents.agent(agent).state() == State::WrapUp
}
