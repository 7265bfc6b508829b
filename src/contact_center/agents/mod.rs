//! Agents and their states (S0-21, S0-22, S2-3 to S2-7): logging in and out, being ready or not, wrap-up.
//!
//! What is decided is in [`crate::domain::agent_state`].

mod devices;
mod operations;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::center::{Center, Place};
use super::draft::Draft;
use super::errors::Refused;
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::agent_state::{Agent, Command, Event, Facts, Rules, WrapUpRule, apply, decide};
use crate::domain::ids::AgentId;
use crate::hooks::{Hooks, Services};

pub(super) use operations::OPERATIONS;

/// The kind of the record of an agent.
pub(super) const KIND: &str = "agent";

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

/// Registers what follows the agents' own presence.
pub(super) fn register(hooks: &mut Hooks, _center: &Arc<Center>) {
    devices::register(hooks);
}

/// The agent as it is stored; one that has never logged in otherwise.
pub(super) async fn find(services: &Services, id: &AgentId) -> Result<Agent, Refused> {
    let found = record::find(&services.store, &id.to_string()).await?;
    Ok(found.unwrap_or_else(|| Agent::new(id.clone())))
}

/// What comes of a command to an agent, written down.
pub(super) async fn command(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
    command: Command,
) -> Result<Agent, Refused> {
    let decided = async |mut draft: Draft| {
        let before = find(services, id).await?;
        let facts = Facts {
            devices: &devices::of(services, id),
            reasons: &place.settings.load().reasons,
            rules: &rules(services),
        };
        let events = decide(&before, command.clone(), services.clock.now(), &facts)?;
        let after = draft.change(&before, &events)?;
        Ok((draft, after))
    };
    center.save(services, decided).await
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
