//! Message streams (S4-1 to S4-39): titled notes about a customer with their replies, seen by those for whom they are
//! and by nobody else.
//!
//! What is decided is in [`crate::domain::message_stream`]. Agents write ([`changes`]), look at one ([`look`]) and at those of a
//! customer ([`lists`]), and learn what they have not read ([`unread`]). Whoever watches is told of changes as they happen
//! ([`live`]). What is deleted leaves nothing behind ([`deletion`]).

mod attachments;
mod audit;
mod changes;
mod deletion;
mod delivery;
mod fields;
mod lists;
mod live;
mod look;
mod operations;
mod readers;
mod relink;
mod retention;
mod search;
mod stop_watches;
mod suggestions;
#[cfg(test)]
mod tests;
mod unread;
mod wanted;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::warn;

use super::center::{Center, Place};
use super::errors::Refused;
use super::operation::Caller;
use super::record::{self, Record};
use crate::domain::ids::{AgentId, CustomerId, StreamId};
use crate::domain::message_stream::{Event, Recipients, Stream, apply};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{ABOUT, Listing};

pub(super) use attachments::{Files, register as serve_files};
pub(super) use live::{Live, run as tell_watchers};
pub(super) use operations::OPERATIONS;
pub(super) use relink::relink;
pub(super) use retention::forget as forget_old;

/// The namespace of message streams.
const NS: &str = "urn:parlour:message-stream:0";

/// The kind of the record of a stream.
const KIND: &str = "message-stream";

/// The streams about a customer as they are shown; the owner is [`for_all`] or [`for_one`].
const CUSTOMER: &str = "customer";
/// Of those that everybody reads: the ones that are not completed; the owner is [`for_all`].
const OPEN: &str = "open";
/// The ones that are completed.
const COMPLETED: &str = "completed";
/// The ones with a tag; the owner is [`with`] it.
const TAG: &str = "tag";
/// The ones with a word that begins so; the owner is [`with`] the beginning.
const BEGINNING: &str = "beginning";
/// The ones of a whole host, whomever they are about; the owner is the host.
const EVERYBODY: &str = "everybody";

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

    /// A stream is in the list [`ABOUT`] of all of them, for what the server itself does, and in the lists that everybody reads,
    /// or in those of the ones for whom it is and of its authors: what
    /// somebody may not see is not even passed over. By tags and words only the former are listed; of the latter each agent has
    /// few with one customer, and these are looked through.
    fn listings(&self) -> Vec<Listing> {
        let (Some(customer), Some(first)) = (&self.customer, self.messages.first()) else {
            return Vec::new();
        };
        let host = first.author.host();
        let mut listings = vec![listing(ABOUT, for_all(host, customer))];
        match &self.properties.recipients {
            Recipients::All => listings.extend(everybodys(self, host, customer)),
            Recipients::Some(_) => {
                let readers = self.named();
                let owners = readers.iter().map(|it| for_one(host, customer, it));
                listings.extend(owners.map(|owner| listing(CUSTOMER, owner)));
            }
        }
        listings
    }
}

/// The lists of a stream that everybody reads.
fn everybodys(stream: &Stream, host: &str, customer: &CustomerId) -> Vec<Listing> {
    let all = for_all(host, customer);
    let state = match stream.completed_at {
        Some(_) => COMPLETED,
        None => OPEN,
    };
    let tags = stream.tags.iter();
    let tags = tags.map(|tag| listing(TAG, with(&all, tag)));
    let beginnings: BTreeSet<String> = search::beginnings(stream);
    let beginnings = beginnings.iter();
    let beginnings = beginnings.map(|it| listing(BEGINNING, with(&all, it)));
    let mut listings: Vec<Listing> = tags.chain(beginnings).collect();
    listings.push(listing(EVERYBODY, host.to_owned()));
    listings.push(listing(state, all.clone()));
    listings.push(listing(CUSTOMER, all));
    listings
}

const fn listing(list: &'static str, owner: String) -> Listing {
    Listing { list, owner }
}

/// Whose list it is in which the streams about a customer are that everybody reads.
fn for_all(host: &str, customer: &CustomerId) -> String {
    format!("{host} {customer}")
}

/// Whose list it is in which those are that are for this agent.
fn for_one(host: &str, customer: &CustomerId, agent: &AgentId) -> String {
    format!("{host} {customer} {agent}")
}

/// The same of those with a tag or the beginning of a word.
fn with(for_all: &str, word: &str) -> String {
    format!("{for_all} {word}")
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

/// Registers what follows sessions that end and accounts that are removed.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    live::register(hooks, center);
    hooks.removed(|account, services| async move { forget(&services, &account).await });
}

/// Whoever gets the account's name later has read nothing and has no stop watch running.
async fn forget(services: &Services, account: &BareJid) {
    for kind in [unread::KIND, stop_watches::KIND] {
        let records = services.store.records();
        let removed = records.remove(kind, account.as_str());
        if let Err(error) = removed.await {
            warn!(%error, kind, %account, "a record outlives its account");
        }
    }
}
