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
mod history;
mod lists;
mod live;
mod look;
mod operations;
mod place;
mod present;
mod readers;
mod relink;
mod retention;
mod stop_watches;
mod suggestions;
#[cfg(test)]
mod tests;
mod unread;
mod wire;

use std::sync::Arc;

use tracing::warn;

use super::center::{Center, Place};
use super::errors::Refused;
use super::operation::Caller;
use super::record::{self, Record};
use crate::domain::ids::StreamId;
use crate::domain::message_stream::{Event, Stream, apply};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{Listing, STREAM, billable_listing, stream_listings};

pub(super) use attachments::{Files, link_for_discloser, register as serve_files};
pub(super) use delivery::{Deliveries, is_delivery, run as pass_on, take as take_refusal};
pub(super) use history::history;
pub(super) use live::{Live, run as tell_watchers};
pub(super) use operations::OPERATIONS;
pub(super) use relink::relink;

/// The namespace of message streams.
const NS: &str = "urn:parlour:message-stream:0";

/// The kind of the record of a stream.
const KIND: &str = STREAM;

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

    fn listings(&self) -> Vec<Listing> {
        let mut listings = stream_listings(self);
        listings.extend(billable_listing(self));
        listings
    }
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
    Ok(found.filter(|it| it.is_seen_by(&caller.agent, caller.since, &caller.rights)))
}

/// Registers what follows sessions that end and accounts that are removed.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    live::register(hooks, center);
    delivery::register(hooks, center);
    let keeping = Arc::clone(center);
    hooks.daily(move |services| retention::forget(Arc::clone(&keeping), services));
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
