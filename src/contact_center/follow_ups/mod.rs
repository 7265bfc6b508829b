//! Follow-ups (S3-1 to S3-21): planned transactions that refer to what they follow from, with their notes, and the scratch pad
//! in which an agent writes before it knows where to.
//!
//! What is decided is in [`crate::domain::follow_up`]. What is known of the source is copied ([`source`]); who may see and change
//! what is in [`access`]; who is responsible is told what others do, and when it is due ([`events`]).

mod access;
mod changes;
mod events;
mod farewell;
mod history;
mod listed;
mod lists;
mod notes;
mod operations;
mod relink;
mod retention;
mod scratch_pad;
mod shown;
mod source;
#[cfg(test)]
mod tests;
mod wire;
mod written;

use std::collections::BTreeSet;

use super::errors::Refused;
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::follow_up::{Event, FollowUp, SourceKind, Status, apply};
use crate::domain::ids::{AgentId, CustomerId, FollowUpId};
use crate::hooks::Services;
use crate::store::Listing;

pub(super) use events::time_is_up;
pub(super) use farewell::{start, tell_erased};
pub(super) use history::history;
pub(super) use operations::OPERATIONS;
pub(super) use relink::relink;
pub(super) use retention::register;

/// The namespace of follow-ups.
const NS: &str = "urn:parlour:follow-up:0";

/// The kind of the record of a follow-up.
pub(super) const KIND: &str = "follow-up";

/// What an agent is responsible for.
const RESPONSIBLE: &str = "responsible";
/// What an agent has planned.
const AUTHOR: &str = "author";
/// What is about a customer; the owner begins with [`of_host`]. What is one agent's is also under [`of_agent`], whatever its status.
const CUSTOMER: &str = "customer";
/// What refers to something; the owner begins with [`of_source`].
const SOURCE: &str = "source";

impl Record for FollowUp {
    /// Earlier versions of notes are in the follow-up itself.
    const KEEPS_EVENTS: bool = false;
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
        self.deadline()
    }

    /// In each list it is twice: among all, and among those of its status. In those of one agent about a customer, once.
    fn listings(&self) -> Vec<Listing> {
        let (Some(source), Some(author), Some(plan)) = (&self.source, &self.author, &self.plan)
        else {
            return Vec::new();
        };
        let host = author.host();
        let mut places = vec![
            (RESPONSIBLE, plan.responsible.to_string()),
            (AUTHOR, author.to_string()),
            (SOURCE, of_source(host, source.kind, &source.id)),
        ];
        if let Some(customer) = &plan.customer {
            places.push((CUSTOMER, of_host(host, customer.as_str())));
        }
        let both = |(list, owner): (&'static str, String)| {
            let status = of_status(&owner, self.status);
            [owner, status].map(|owner| Listing { list, owner })
        };
        let mut listings: Vec<Listing> = places.into_iter().flat_map(both).collect();
        if let Some(customer) = &plan.customer {
            let agents = BTreeSet::from([author, &plan.responsible]);
            let owners = agents.into_iter().map(|it| of_agent(host, customer, it));
            listings.extend(owners.map(|owner| Listing {
                list: CUSTOMER,
                owner,
            }));
        }
        listings
    }
}

/// Whose the list is of all that is about that customer of the host.
fn of_host(host: &str, id: &str) -> String {
    format!("{host} {id}")
}

/// Whose the list is of what of it that agent has planned or is responsible for.
fn of_agent(host: &str, customer: &CustomerId, agent: &AgentId) -> String {
    format!("{host} {customer} {agent}")
}

/// Whose the list is of all that refers to that.
fn of_source(host: &str, kind: SourceKind, id: &str) -> String {
    format!("{host} {} {id}", kind.name())
}

/// The part of a list that is of that status.
fn of_status(owner: &str, status: Status) -> String {
    format!("{owner} {}", status.name())
}

/// The follow-up as it is stored.
async fn find(services: &Services, id: &FollowUpId) -> Result<Option<FollowUp>, Refused> {
    Ok(record::find(&services.store, id.as_str()).await?)
}
