//! Business context (S0-5, S0-27 to S0-30): objects of the CRM that agents send to colleagues, how far each sending is, and
//! the list of objects that each agent has had in hand recently.
//!
//! What is decided is in [`crate::domain::context`]. A sending is a message of its sender in the recipient's history, which every client can read
//! ([`wire`]), with the objects beside it for programs; that it has arrived and was opened is known from
//! what the recipient's clients say ([`progress`]).

mod attached;
mod lists;
mod objects;
mod operations;
mod progress;
mod retention;
mod sending;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::center::Center;
use super::draft::Draft;
use super::errors::Refused;
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::context::recent::{self, Recent};
use crate::domain::context::transfer::{self, Transfer};
use crate::domain::ids::AgentId;
use crate::hooks::{Hooks, Services};
use crate::store::Listing;

pub(super) use attached::follow;
pub(super) use operations::{FOR_SENDERS, OPERATIONS};
pub(in crate::contact_center) use wire::named;

/// What an agent has sent.
const SENT: &str = "sent";
/// What an agent was sent.
const RECEIVED: &str = "received";

impl Record for Transfer {
    const KIND: &'static str = "context";
    type Event = transfer::Event;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &transfer::Event) {
        transfer::apply(self, event);
    }

    fn listings(&self) -> Vec<Listing> {
        let listing = |list, owner: &AgentId| Listing {
            list,
            owner: owner.to_string(),
        };
        let received = self.recipients.keys().map(|it| listing(RECEIVED, it));
        let sent = std::iter::once(listing(SENT, &self.sender));
        sent.chain(received).collect()
    }
}

impl Record for Recent {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = crate::admin::RECENT;
    type Event = recent::Event;

    fn id(&self) -> String {
        self.owner.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &recent::Event) {
        recent::apply(self, event);
    }
}

/// Registers what is learned from the messages of clients, and what grows old.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    progress::register(hooks, center);
    retention::register(hooks);
}

/// Whether it was sent since that time, at which an account was made: what an earlier one of the same name has sent or was sent
/// is not its own.
fn is_since(sending: &Transfer, since: Timestamp) -> bool {
    sending.sent_at.is_none_or(|at| at >= since)
}

/// The agent's recent objects.
pub(in crate::contact_center) async fn recent_of(
    services: &Services,
    owner: &AgentId,
) -> Result<Recent, Refused> {
    let found = record::find(&services.store, &owner.to_string()).await?;
    Ok(found.unwrap_or_else(|| Recent::new(owner.clone())))
}

/// Puts into the lists what the events of a sending touch.
async fn touch(
    draft: &mut Draft,
    services: &Services,
    sending: &Transfer,
    events: &[transfer::Event],
) -> Result<(), Refused> {
    let mut lists: BTreeMap<AgentId, Vec<recent::Command>> = BTreeMap::new();
    for event in events {
        for (owner, command) in recent::touched(sending, event) {
            lists.entry(owner).or_default().push(command);
        }
    }
    for (owner, commands) in lists {
        let before = recent_of(services, &owner).await?;
        change_list(draft, &before, commands, services.clock.now())?;
    }
    Ok(())
}

/// Writes down what comes of commands to one list, one after the other.
fn change_list(
    draft: &mut Draft,
    before: &Recent,
    commands: Vec<recent::Command>,
    now: Timestamp,
) -> Result<Recent, Refused> {
    let mut list = before.clone();
    let mut happened = Vec::new();
    for command in commands {
        for event in recent::decide(&list, command, now)? {
            recent::apply(&mut list, &event);
            happened.push(event);
        }
    }
    draft.change(before, &happened)
}
