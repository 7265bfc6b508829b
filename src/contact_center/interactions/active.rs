//! Which of its interactions an agent has in front of it (S2-46 to S2-48): its other devices follow, and forms name that one
//! first.

use serde::{Deserialize, Serialize};

use super::wanted;
use super::wire::NS;
use super::{KIND, OPEN, is_open};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::record::{self, Record};
use crate::contact_center::telling;
use crate::contact_center::values::Values;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{Interaction, Leg};
use crate::hooks::Services;
use crate::store::{ListOrder, Listing};
use crate::xml::Element;

/// What an agent can have open: three media by the greatest capacity, and what it writes up.
const OPEN_MAX: u32 = 400;

/// What an agent has in front of it, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Focus {
    agent: AgentId,
    version: u64,
    interaction: Option<InteractionId>,
}

/// The agent has switched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Switched {
    interaction: InteractionId,
}

impl Record for Focus {
    const KIND: &'static str = "focus";
    type Event = Switched;

    fn id(&self) -> String {
        self.agent.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Switched) {
        self.version = self.version.saturating_add(1);
        self.interaction = Some(event.interaction.clone());
    }

    fn listings(&self) -> Vec<Listing> {
        Vec::new()
    }
}

async fn stored(services: &Services, agent: &AgentId) -> Result<Focus, Refused> {
    let found = record::find(&services.store, &agent.to_string()).await?;
    Ok(found.unwrap_or_else(|| Focus {
        agent: agent.clone(),
        version: 0,
        interaction: None,
    }))
}

/// Nobody of that name is there any more.
pub(super) async fn forget(services: &Services, agent: &AgentId) -> Result<(), Refused> {
    let records = services.store.records();
    records.remove(Focus::KIND, &agent.to_string()).await?;
    Ok(())
}

/// The agent has another one in front of it now; its devices are told.
pub(super) async fn focus(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = wanted::id(&values)?;
    let interaction = wanted::own(&caller, &id).await?;
    let services = &caller.services;
    let decided = async |mut draft: Draft| {
        let before = stored(services, &caller.agent).await?;
        if before.interaction.as_ref() != Some(&id) {
            let interaction = id.clone();
            draft.change(&before, &[Switched { interaction }])?;
            let told = Element::new(NS, "focus").attr("interaction", id.as_str());
            let service = &caller.place.address;
            draft.tell(telling::headline(service, &caller.agent, &told));
        }
        Ok((draft, ()))
    };
    caller.center.save(services, decided).await?;
    let told = "This is the one in front of you now.";
    wanted::outcome(&caller, &interaction, told).await
}

/// The caller's open interactions.
pub(super) async fn open(caller: &Caller) -> Result<Vec<Interaction>, Refused> {
    open_of(&caller.services, &caller.agent).await
}

/// What an agent is asked to take, takes part in, or writes up.
pub(super) async fn open_of(
    services: &Services,
    agent: &AgentId,
) -> Result<Vec<Interaction>, Refused> {
    let list = (OPEN, agent.jid().as_str());
    let order = ListOrder::Ascending;
    let records = services.store.records();
    let page = records.listed(KIND, list, None, order, OPEN_MAX).await?;
    let read = page.iter().map(record::read::<Interaction>);
    Ok(read.collect::<Result<_, _>>()?)
}

/// The one in front of the caller: the one that it has switched to, else the one that it was connected with last, else the one
/// that it was offered last.
pub(super) async fn of(caller: &Caller) -> Result<Option<Interaction>, Refused> {
    let all = open(caller).await?;
    let chosen = stored(&caller.services, &caller.agent).await?.interaction;
    let is_chosen = |it: &&Interaction| Some(&it.id) == chosen.as_ref();
    let chosen = all.iter().find(is_chosen);
    let chosen = chosen.filter(|it| is_open(it, &caller.agent));
    let rank = |it: &&Interaction| {
        let part = it.part(&caller.agent);
        let connected = part.is_some_and(|part| part.leg == Leg::Connected);
        (
            connected,
            part.map(|part| part.connected_at.unwrap_or(part.offered_at)),
        )
    };
    Ok(chosen.or_else(|| all.iter().max_by_key(rank)).cloned())
}
