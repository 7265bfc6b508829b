//! Whoever may take part no longer is asked no longer: the connector is asked to find somebody else, as if the agent had
//! rejected. What it talks in goes on until the connector says otherwise: the telephone has not fallen from its hand.

use std::sync::Arc;

use tracing::debug;

use super::active;
use super::change::{self, Work};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::domain::ids::{AgentId, RequestId};
use crate::domain::interaction::{Command, Fact, Interaction, Leg, Line, Verb};
use crate::hooks::Services;

/// Takes back what the agent is offered.
pub(in crate::contact_center) async fn withdraw(
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
    for interaction in active::open_of(services, agent).await? {
        // A call that it has placed itself is nobody else's.
        if is_offered(&interaction, agent) && interaction.line != Line::Dialing {
            give_back(work, &interaction, agent).await?;
        }
    }
    Ok(())
}

async fn give_back(
    work: Work<'_>,
    interaction: &Interaction,
    agent: &AgentId,
) -> Result<(), Refused> {
    let by = agent.clone();
    let reject = Command::Want {
        by: by.clone(),
        verb: Verb::Reject,
        request: RequestId::made(work.services.clock.now()),
    };
    match Box::pin(change::command(work, &interaction.id, reject)).await {
        Ok(_) => return Ok(()),
        Err(Refused::Rule(refusal)) => debug!(%refusal, %agent, "the connector cannot be asked"),
        Err(refused) => return Err(refused),
    }
    // It is away, or does something else for the interaction: it learns that nobody is asked any more when it asks what is so.
    let gone = |now: &Interaction| match is_offered(now, &by) {
        true => vec![Command::Report(Fact::Left(by.clone()))],
        false => Vec::new(),
    };
    Box::pin(change::settle(work, &interaction.id, &gone)).await?;
    Ok(())
}

fn is_offered(interaction: &Interaction, agent: &AgentId) -> bool {
    let part = interaction.part(agent);
    part.is_some_and(|part| matches!(part.leg, Leg::Offered { .. }))
}
