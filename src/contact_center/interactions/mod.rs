//! Interactions with customers, carried by connectors (S2-14 to S2-20, S2-28 to S2-36, S1-33 to S1-44). What is decided is
//! in [`crate::domain::interaction`].
//!
//! Connectors offer and report ([`connector`]); agents want something ([`operations`]), which becomes a request to the connector
//! ([`requests`]) and takes effect when that confirms it. Each change ([`change`]) is written together with what
//! everybody who takes part is told of it ([`events`]). What an interaction makes of its agents' states follows
//! ([`states`]). A connector that has gone ([`streams`]) and is back is asked what is so ([`asking`], [`told`]).
//!
//! Whoever may be an agent no longer is asked no longer ([`leaving`]).
//!
//! What connectors say is done beside the tasks of their streams ([`lanes`]), each in its own words ([`ids`]). Clients ring
//! ([`calls`]). What is over is dropped in the end ([`retention`]).

mod active;
mod asking;
mod calls;
mod change;
mod connector;
mod customer;
mod dial;
mod events;
mod ids;
mod lanes;
mod leaving;
mod lists;
mod operations;
mod pop;
mod requests;
mod retention;
mod states;
mod streams;
#[cfg(test)]
mod tests;
mod told;
mod wanted;
mod wire;
mod words;

use std::sync::Arc;

use tracing::warn;

use super::center::Center;
use super::errors::Refused;
use super::im;
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{Access, Command, Event, Fact, Interaction, Leg, Line, apply};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{ListOrder, Listing};
use change::Work;

pub(super) use asking::{Asking, run as ask_again};
pub(super) use calls::{is_answer as answers_call, take as take_call};
pub(super) use connector::{FOR_COMPONENTS, NS as CONNECTOR_NS};
pub(super) use dial::colleague as call_colleague;
pub(super) use lanes::{Lanes, is_of_all, put_off};
pub(super) use leaving::withdraw;
pub(super) use operations::OPERATIONS;
pub(super) use requests::{says_nobody, take, why};
pub(super) use states::{Left, has_left, left_by, wrote_up};
pub(super) use streams::start;

/// The kind of the record of an interaction.
pub(super) const KIND: &str = "interaction";

/// What is not over on a host.
const GOING_ON: &str = "going-on";
/// What is not over of a connector on a host.
const CARRIED: &str = "carried";
/// The interaction that waits for the answer to a request.
const REQUEST: &str = "request";
/// What an agent is asked to take, takes part in, or writes up.
const OPEN: &str = "open";

/// What is over, in the order of the ends.
const OVER: &str = "over";

/// What an agent writes up.
const WRITING_UP: &str = "writing-up";

/// Interactions that are read at once.
const PAGE: u32 = 100;

impl Record for Interaction {
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

    fn listings(&self) -> Vec<Listing> {
        let listing = |list, owner: &str| Listing {
            list,
            owner: owner.to_owned(),
        };
        let mut listings = Vec::new();
        if let Some(host) = host(self).filter(|_| !self.is_over()) {
            listings.push(listing(GOING_ON, host));
            listings.push(listing(CARRIED, &carried_by(&self.connector, host)));
        }
        if let Line::Over { at } = self.line {
            listings.push(listing(OVER, &retention::over_at(at)));
        }
        if let Some(request) = &self.request {
            listings.push(listing(REQUEST, request.id.as_str()));
        }
        // Who shall take part when the connector has done it has its place already.
        if let Some(agent) = self.expected() {
            listings.push(listing(self.medium.name(), agent.jid().as_str()));
        }
        for agent in agents(self) {
            let own = agent.jid().as_str();
            if self.counts_for(agent) {
                listings.push(listing(self.medium.name(), own));
            }
            if writes_up(self, agent) {
                listings.push(listing(WRITING_UP, own));
            }
            if is_open(self, agent) {
                listings.push(listing(OPEN, own));
            }
        }
        listings
    }
}

/// The host whose agents it is for: they are all of one.
fn host(interaction: &Interaction) -> Option<&str> {
    interaction.participants.first().map(|it| it.agent.host())
}

/// Whose the list of what a connector carries on a host is.
fn carried_by(connector: &str, host: &str) -> String {
    format!("{connector} {host}")
}

/// Everybody who has or had a part, once.
fn agents(interaction: &Interaction) -> Vec<&AgentId> {
    let mut agents: Vec<&AgentId> = Vec::new();
    for part in &interaction.participants {
        if !agents.contains(&&part.agent) {
            agents.push(&part.agent);
        }
    }
    agents
}

/// Whether the agent is asked, takes part, or writes up.
fn is_open(interaction: &Interaction, agent: &AgentId) -> bool {
    let part = interaction.part(agent);
    part.is_some_and(|part| part.leg.is_open() || part.leg == Leg::WrapUp)
}

/// Whether the agent has left it, and writes it up.
fn writes_up(interaction: &Interaction, agent: &AgentId) -> bool {
    let part = interaction.part(agent);
    part.is_some_and(|part| part.leg == Leg::WrapUp)
}

/// The interaction of that id.
pub(in crate::contact_center) async fn find(
    services: &Services,
    id: &InteractionId,
) -> Result<Option<Interaction>, Refused> {
    Ok(record::find(&services.store, id.as_str()).await?)
}

/// What the agent may do with it: by its part, or by a consultation about it (S1-33 to S1-36).
pub(in crate::contact_center) async fn access(
    services: &Services,
    interaction: &Interaction,
    agent: &AgentId,
) -> Result<Access, Refused> {
    let own = interaction.access(agent);
    if own != Access::None {
        return Ok(own);
    }
    let sessions = im::consulting(services, &interaction.id).await?;
    let by_session = sessions
        .iter()
        .map(|session| interaction.access_with(agent, Some(session)));
    Ok(by_session.max().unwrap_or(own))
}

/// Registers what follows the connectors' streams and the accounts.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    streams::register(hooks, center);
    hooks.daily(|services| async move { retention::forget(&services).await });
    let removing = Arc::clone(center);
    hooks.removed(move |account, services| {
        let center = Arc::clone(&removing);
        async move {
            if let Err(refused) = removed(&center, &services, &account).await {
                warn!(%refused, %account, "interactions of a removed account stay open");
            }
        }
    });
}

/// Time has come for an offer, a request, or a connector that is away.
pub(super) async fn time_is_up(
    center: Arc<Center>,
    services: Arc<Services>,
    id: String,
) -> Result<(), Refused> {
    let Ok(id) = id.parse::<InteractionId>() else {
        return Ok(());
    };
    let Some(interaction) = find(&services, &id).await? else {
        return Ok(());
    };
    // Of a host that is served no longer the record waits for its return.
    let place = host(&interaction).and_then(|host| center.place_of(host));
    let Some(place) = place else {
        return Ok(());
    };
    let work = Work {
        center: &center,
        services: &services,
        place,
    };
    // A connector that is there may only be slow to tell.
    let until = streams::lost_until(&services);
    let there = streams::is_there(&services, &interaction.connector);
    let commands = |before: &Interaction| {
        let now = services.clock.now();
        let lost = before.lost_until.is_some_and(|until| until <= now);
        let put_off = (lost && there).then_some(Command::PutOff { until });
        Ok(put_off.into_iter().chain([Command::TimeIsUp]).collect())
    };
    change::all(work, &id, (None, None), &commands).await?;
    Ok(())
}

/// The account takes part in nothing any more; whoever gets its name later is somebody else.
async fn removed(
    center: &Arc<Center>,
    services: &Arc<Services>,
    account: &BareJid,
) -> Result<(), Refused> {
    let place = center.place_of(account.domain().as_str());
    let (Some(place), Some(agent)) = (place, AgentId::new(account.clone())) else {
        return Ok(());
    };
    let work = Work {
        center,
        services,
        place,
    };
    let records = services.store.records();
    active::forget(services, &agent).await?;
    withdraw(center, services, place, &agent).await?;
    loop {
        let list = (OPEN, account.as_str());
        let order = ListOrder::Ascending;
        let page = records.listed(KIND, list, None, order, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for stored in page {
            let interaction: Interaction = record::read(&stored)?;
            let by = agent.clone();
            let leave = |_: &Interaction| {
                let left = Command::Report(Fact::Left(by.clone()));
                vec![left, Command::FinishWrapUp { by: by.clone() }]
            };
            change::settle(work, &interaction.id, &leave).await?;
        }
    }
}
