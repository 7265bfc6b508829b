//! Message streams (S4-1 to S4-39): titled notes about a customer with their replies, seen by those for whom they are
//! and by nobody else.
//!
//! What is decided is in [`crate::domain::message_stream`].

mod attachments;
mod delivery;

use super::center::Place;
use super::errors::Refused;
use super::operation::{Caller, Operation};
use super::record::{self, Record};
use crate::domain::ids::{AgentId, CustomerId, StreamId};
use crate::domain::message_stream::{Event, Recipients, Stream, apply};
use crate::hooks::Services;
use crate::store::{Listing, MESSAGE_STREAM, billable_listing};

/// What the operations are, in the order in which clients show them.
pub(super) const OPERATIONS: &[Operation] = &[];

/// The namespace of message streams.
const NS: &str = "urn:parlour:message-stream:0";

/// The kind of the record of a stream.
const KIND: &str = MESSAGE_STREAM;

/// The streams about a customer; the owner is [`for_all`] or [`for_one`].
const CUSTOMER: &str = "customer";

impl Record for Stream {
    /// Earlier texts are in the stream itself, so that its deletion takes them, too.
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

    /// A stream is in the list that everybody reads, or in those of the ones for whom it is and of its authors: what
    /// somebody may not see is not even passed over.
    fn listings(&self) -> Vec<Listing> {
        let (Some(customer), Some(first)) = (&self.customer, self.messages.first()) else {
            return Vec::new();
        };
        let host = first.author.host();
        let listing = |owner: String| Listing {
            list: CUSTOMER,
            owner,
        };
        let mut listings: Vec<Listing> = match &self.properties.recipients {
            Recipients::All => vec![listing(for_all(host, customer))],
            Recipients::Some(recipients) => {
                let mut readers = recipients.clone();
                readers.extend(self.messages.iter().map(|it| it.author.clone()));
                let owners = readers.iter().map(|it| for_one(host, customer, it));
                owners.map(listing).collect()
            }
        };
        listings.extend(billable_listing(self));
        listings
    }
}

/// Whose list it is in which the streams about a customer are that everybody reads.
fn for_all(host: &str, customer: &CustomerId) -> String {
    format!("{host} {customer}")
}

/// Whose list it is in which those are that are for this agent.
fn for_one(host: &str, customer: &CustomerId, agent: &AgentId) -> String {
    format!("{host} {customer} {agent}")
}

/// The stream, if it is of that host and not deleted.
async fn find(
    services: &Services,
    place: &Place,
    id: &StreamId,
) -> Result<Option<Stream>, Refused> {
    let found: Option<Stream> = record::find(&services.store, id.as_str()).await?;
    let of_host = |it: &Stream| {
        let first = it.messages.first();
        first.is_some_and(|it| it.author.host() == place.host.as_str())
    };
    Ok(found.filter(of_host))
}

/// The stream, if the caller may see it now.
async fn seen(caller: &Caller, id: &StreamId) -> Result<Option<Stream>, Refused> {
    let found = find(&caller.services, &caller.place, id).await?;
    Ok(found.filter(|it| it.is_seen_by(&caller.agent, &caller.rights)))
}
