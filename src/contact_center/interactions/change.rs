//! What is done with an interaction: decided, written, told.

use std::sync::Arc;

use super::customer::Matches;
use super::{calls, events, find, pop, requests, states, streams};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::people::Person;
use crate::contact_center::{activities, context};
use crate::domain::agent_state::State;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{
    Command, Desk, Event, Fact, Facts, Interaction, Medium, Rejection, apply, decide,
};
use crate::hooks::Services;

/// Where something is done.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) center: &'a Center,
    pub(super) services: &'a Arc<Services>,
    pub(super) place: &'a Place,
}

/// What is to be decided, of the interaction as it is read.
pub(super) type Commands<'a> =
    &'a (dyn Fn(&Interaction) -> Result<Vec<Command>, Refused> + Send + Sync);

/// What comes of one command.
pub(super) async fn command(
    work: Work<'_>,
    id: &InteractionId,
    command: Command,
) -> Result<Interaction, Refused> {
    let only = |_: &Interaction| Ok(vec![command.clone()]);
    let plan = Plan {
        fresh: None,
        seat: target(&command),
        commands: &only,
        strict: true,
    };
    Box::pin(carry_out(work, id, plan)).await
}

/// What comes of several commands, all or nothing; `fresh` is the interaction where there is none yet, `seat` the agent who
/// shall take part.
pub(super) async fn all(
    work: Work<'_>,
    id: &InteractionId,
    (fresh, seat): (Option<Interaction>, Option<&AgentId>),
    commands: Commands<'_>,
) -> Result<Interaction, Refused> {
    let plan = Plan {
        fresh,
        seat,
        commands,
        strict: true,
    };
    Box::pin(carry_out(work, id, plan)).await
}

/// What comes of several commands, without those that make no sense any more.
pub(super) async fn settle(
    work: Work<'_>,
    id: &InteractionId,
    commands: &(dyn Fn(&Interaction) -> Vec<Command> + Send + Sync),
) -> Result<Interaction, Refused> {
    let commands = |interaction: &Interaction| Ok(commands(interaction));
    let plan = Plan {
        fresh: None,
        seat: None,
        commands: &commands,
        strict: false,
    };
    Box::pin(carry_out(work, id, plan)).await
}

struct Plan<'a> {
    fresh: Option<Interaction>,
    seat: Option<&'a AgentId>,
    commands: Commands<'a>,
    strict: bool,
}

async fn carry_out(
    work: Work<'_>,
    id: &InteractionId,
    plan: Plan<'_>,
) -> Result<Interaction, Refused> {
    // Of those who want the same agent at the same moment one decides after the other.
    let _turn = match plan.seat {
        Some(agent) => Some(work.center.seats.take(agent.clone()).await),
        None => None,
    };
    // Found once, however often the decision is made anew.
    let matches = Matches::default();
    let decided = async |mut draft: Draft| {
        let found = find(work.services, id).await?;
        let before = found.or_else(|| plan.fresh.clone());
        let before = before.ok_or(Rejection::Unknown)?;
        let mut after = before.clone();
        let mut events = Vec::new();
        for command in (plan.commands)(&before)? {
            match decide_one(work, &after, command, &mut draft).await {
                Ok(more) => {
                    more.iter().for_each(|event| apply(&mut after, event));
                    events.extend(more);
                }
                Err(Refused::Rule(_)) if !plan.strict => {}
                Err(refused) => return Err(refused),
            }
        }
        if !events.is_empty() {
            let written = write(work, &mut draft, &before, &mut events, &matches);
            after = Box::pin(written).await?;
        }
        Ok((draft, (after, events)))
    };
    let (after, events) = Box::pin(work.center.save(work.services, decided)).await?;
    Box::pin(states::follow(work, &after, &events)).await;
    let settled = events.is_empty() || after.interrupted || after.is_over();
    if settled || streams::is_there(work.services, &after.connector) {
        return Ok(after);
    }
    // Its connector has gone while this was decided, and nobody knew then that there is something to be interrupted.
    let until = streams::lost_until(work.services);
    let lost = |_: &Interaction| vec![Command::Report(Fact::Interrupted { until })];
    Box::pin(settle(work, id, &lost)).await
}

/// Puts what has happened into the draft, with everything that follows of it.
async fn write(
    work: Work<'_>,
    draft: &mut Draft,
    before: &Interaction,
    events: &mut Vec<Event>,
    matches: &Matches,
) -> Result<Interaction, Refused> {
    let pop = Box::pin(pop::made(work, before, events, matches)).await?;
    let after = draft.change(before, events)?;
    activities::follow(work.services, work.place, draft, before, &after, events).await?;
    context::follow(work.services, work.place, draft, &after, events).await?;
    events::tell(work, draft, (before, &after), events, pop.as_ref()).await?;
    calls::tell(work, draft, before, &after);
    for event in events.iter() {
        if let Event::Requested { request, .. } = event {
            draft.pass(requests::request(work, &after, request));
        }
    }
    Ok(after)
}

async fn decide_one(
    work: Work<'_>,
    interaction: &Interaction,
    command: Command,
    draft: &mut Draft,
) -> Result<Vec<Event>, Refused> {
    let set = &work.services.config.contact_center;
    let seat = match target(&command) {
        Some(agent) => Some(Seat::load(work, agent, interaction.medium, draft).await?),
        None => None,
    };
    let facts = Facts {
        target: seat.as_ref().map(Seat::desk),
        offer_seconds: set.offer_seconds.as_u32(),
    };
    let now = work.services.clock.now();
    Ok(decide(interaction, command, now, &facts)?)
}

/// Who shall take part.
const fn target(command: &Command) -> Option<&AgentId> {
    match command {
        Command::Offer { agent, .. } | Command::Dial { by: agent, .. } => Some(agent),
        Command::Want { verb, .. } => verb.agent(),
        Command::Confirm { .. }
        | Command::Refuse { .. }
        | Command::Report(_)
        | Command::Attach { .. }
        | Command::Supply { .. }
        | Command::Identify { .. }
        | Command::FinishWrapUp { .. }
        | Command::Invite { .. }
        | Command::AnswerInvite { .. }
        | Command::AskAgain
        | Command::PutOff { .. }
        | Command::TimeIsUp => None,
    }
}

/// Somebody who shall take part.
struct Seat {
    person: Person,
    state: State,
    open: usize,
}

impl Seat {
    /// Reads who it is and what it has open. Of two decisions that take the last place one is made anew.
    async fn load(
        work: Work<'_>,
        agent: &AgentId,
        medium: Medium,
        draft: &mut Draft,
    ) -> Result<Self, Refused> {
        let records = work.services.store.records();
        let (own, medium) = (agent.jid().as_str(), medium.name());
        let guard = records
            .guard(&format!("interaction:{medium}:{own}"))
            .await?;
        draft.guard(guard);
        let open = records.count(super::KIND, (medium, own)).await?;
        Ok(Self {
            person: Person::find(work.place, &work.services.store, agent).await?,
            state: work.center.agents.agent(agent).state(),
            open: usize::try_from(open).unwrap_or(usize::MAX),
        })
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            colleague: self.person.colleague(),
            state: self.state,
            open: self.open,
        }
    }
}
