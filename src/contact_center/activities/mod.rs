//! Activities: the CRM's record of each agent's part in an interaction (S2-17, S2-21 to S2-27, S2-36 to S2-45).
//!
//! What is decided is in [`crate::domain::activity`]. What happens in an interaction is followed in the same decision
//! ([`follow`]); agents write notes and what came of it ([`operations`]). Every change has a place among those of
//! its host, and goes to each CRM that is subscribed ([`feed`]) until that has acknowledged it.

mod access;
mod components;
mod feed;
mod follow;
mod history;
mod lists;
mod operations;
mod relink;
mod retention;
#[cfg(test)]
pub(in crate::contact_center) mod tests;
mod wire;

use std::sync::Arc;

use super::center::{Center, Place};
use super::draft::Draft;
use super::errors::Refused;
use super::record::{self, Record};
use crate::config::ComponentRole;
use crate::domain::activity::{Activity, Event, apply};
use crate::domain::ids::{ActivityId, AgentId, CustomerId};
use crate::hooks::{Hooks, Services};
use crate::store::{Listing, StoreError};

pub(in crate::contact_center) use access::{dealt_with, has_part_in};
pub(super) use components::FOR_COMPONENTS;
pub(super) use feed::{Feed, run as feed};
pub(in crate::contact_center) use follow::follow;
pub(in crate::contact_center) use history::history;
pub(in crate::contact_center) use lists::at_hand;
pub(super) use operations::OPERATIONS;
pub(in crate::contact_center) use operations::{LANGUAGE, language};
pub(in crate::contact_center) use relink::relink;

/// The kind of the record of an activity.
const KIND: &str = "activity";

/// All activities of an agent.
const OF: &str = "of";
/// What an agent is asked for, takes part in, or writes up.
const CURRENT: &str = "current";
/// The activities with a customer; the owner is [`of_host`], or [`of_agent`] where they are one agent's.
const CUSTOMER: &str = "customer";
/// The activities of an interaction; the owner is [`of_host`].
const INTERACTION: &str = "interaction";

impl Record for Activity {
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

    fn listings(&self) -> Vec<Listing> {
        let Some(subject) = &self.subject else {
            return Vec::new();
        };
        let listing = |list, owner: String| Listing { list, owner };
        let (agent, host) = (subject.agent.to_string(), subject.agent.host());
        let mut listings = vec![
            listing(OF, agent.clone()),
            listing(INTERACTION, of_host(host, subject.interaction.as_str())),
        ];
        if self.is_current() {
            listings.push(listing(CURRENT, agent));
        }
        if let Some(customer) = &subject.customer {
            listings.push(listing(CUSTOMER, of_host(host, customer.as_str())));
            listings.push(listing(CUSTOMER, of_agent(customer, &subject.agent)));
        }
        listings
    }
}

/// Whose list it is in which the activities with a customer, or of an interaction, of that host are.
fn of_host(host: &str, id: &str) -> String {
    format!("{host} {id}")
}

/// Whose list it is in which the activities of that agent with that customer are.
fn of_agent(customer: &CustomerId, agent: &AgentId) -> String {
    format!("{} {customer} {agent}", agent.host())
}

/// The journal in which every change of an activity of that host has its place.
fn journal(host: &str) -> String {
    format!("{KIND} {host}")
}

/// Whether that is the domain of a component that is a CRM of the host, as it is configured now. One that is configured no longer is
/// sent nothing: its domain may be anybody's.
fn is_crm(services: &Services, place: &Place, domain: &str) -> bool {
    let mut components = services.config.components.iter();
    components.any(|it| {
        it.domain.as_str() == domain
            && it.role == ComponentRole::Crm
            && it.acts_for(place.host.as_str())
    })
}

/// Registers what the days do to activities.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let coming = Arc::clone(center);
    hooks.component(move |domain, services| {
        let center = Arc::clone(&coming);
        async move { feed::comes(&center, &services, domain.as_str()) }
    });
    let center = Arc::clone(center);
    hooks.daily(move |services| {
        let center = Arc::clone(&center);
        async move { retention::forget(&center, &services).await }
    });
}

/// The activity as it is stored.
async fn find(services: &Services, id: &ActivityId) -> Result<Option<Activity>, StoreError> {
    record::find(&services.store, id.as_str()).await
}

/// Whose it is; `None` before it opens.
fn agent_of(activity: &Activity) -> Option<&AgentId> {
    activity.subject.as_ref().map(|subject| &subject.agent)
}

/// Adds what the events make of an activity, with its place among the changes of its host.
fn change(draft: &mut Draft, before: &Activity, events: &[Event]) -> Result<Activity, Refused> {
    let after = draft.change(before, events)?;
    if let Some(agent) = agent_of(&after).filter(|_| !events.is_empty()) {
        draft.journal(journal(agent.host()), &after);
    }
    Ok(after)
}
