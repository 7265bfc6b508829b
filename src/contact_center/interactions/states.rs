//! What interactions make of their agents' states (S2-6), and the end of a wrap-up of the interactions.
//!
//! An agent is a record of its own, which changes after the interaction. What is not done because the server ends in between
//! is done at its next start.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::{debug, warn};

use super::change::{self, Work};
use super::{KIND, PAGE, WRITING_UP, find};
use crate::clock::Timestamp;
use crate::contact_center::agents;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::agent_state::{self, Occupation};
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
    if let Some(oldest) = all.iter().min_by_key(|it| left_at(it, agent)) {
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
    let ended = agents::end_empty_wrap_up(work.center, work.services, work.place, agent);
    Box::pin(ended).await
}

/// What an agent has left and not written up yet, and when it left.
pub(in crate::contact_center) struct Left {
    interaction: InteractionId,
    at: Option<Timestamp>,
}

/// Whether the agent has something to write up.
pub(in crate::contact_center) async fn has_left(
    services: &Services,
    agent: &AgentId,
) -> Result<bool, Refused> {
    let records = services.store.records();
    let list = (WRITING_UP, agent.jid().as_str());
    Ok(records.count(KIND, list).await? > 0)
}

/// All that the agent has to write up: about as many as [`WRITING_UP_MAX`].
pub(in crate::contact_center) async fn left_by(
    services: &Services,
    agent: &AgentId,
) -> Result<Vec<Left>, Refused> {
    let list = (WRITING_UP, agent.jid().as_str());
    let mut walk = services.store.records().walk_list(KIND, list, PAGE);
    let mut left = Vec::new();
    while let Some(stored) = walk.next().await? {
        let interaction: Interaction = record::read(&stored)?;
        left.push(Left {
            at: left_at(&interaction, agent),
            interaction: interaction.id,
        });
    }
    Ok(left)
}

fn left_at(interaction: &Interaction, agent: &AgentId) -> Option<Timestamp> {
    interaction.part(agent)?.left_at
}

/// The agent has written that up: it is done.
pub(in crate::contact_center) fn wrote_up<'a>(
    center: &'a Center,
    services: &'a Arc<Services>,
    place: &'a Place,
    agent: &'a AgentId,
    left: Vec<Left>,
) -> BoxFuture<'a, ()> {
    let work = Work {
        center,
        services,
        place,
    };
    Box::pin(async move {
        if let Err(refused) = finish(work, agent, left).await {
            warn!(%refused, %agent, "interactions of an agent who has written up stay open");
        }
    })
}

async fn finish(work: Work<'_>, agent: &AgentId, left: Vec<Left>) -> Result<(), Refused> {
    for Left { interaction, at } in left {
        // Whoever has been in it once more has that to write up.
        let finish = |now: &Interaction| match left_at(now, agent) == at {
            true => vec![Command::FinishWrapUp { by: agent.clone() }],
            false => Vec::new(),
        };
        change::settle(work, &interaction, &finish).await?;
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
            // Its wrap-up has ended, and the server before what follows of that was written.
            Occupation::Idle => {
                let left = left_by(work.services, &agent.id).await?;
                finish(work, &agent.id, left).await?;
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
