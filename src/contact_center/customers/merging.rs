//! Merges that are not finished: both records are one already, and what is about the other has still to follow. What the end of the
//! server interrupts is done at its next start.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::find;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::record::{self, Record};
use crate::contact_center::{activities, follow_ups, message_streams};
use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
use crate::hooks::Services;
use crate::store::StoreError;

/// Merges that are read at once.
const PAGE: u32 = 100;

/// A merge that is not finished, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Merging {
    customer: CustomerId,
    host: String,
    version: u64,
}

/// It began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Began {}

impl Record for Merging {
    const KIND: &'static str = "merging";
    const KEEPS_EVENTS: bool = false;
    type Event = Began;

    fn id(&self) -> String {
        self.customer.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, _: &Began) {
        self.version = self.version.saturating_add(1);
    }
}

/// The customer is another one from this draft on.
pub(super) fn began(draft: &mut Draft, gone: &Customer) -> Result<(), Refused> {
    let fresh = Merging {
        customer: gone.id.clone(),
        host: gone.host.clone(),
        version: 0,
    };
    draft.change(&fresh, &[Began {}])?;
    Ok(())
}

/// Has what is about the customer follow it to the one that it is now, which may be part of a third one already.
pub(super) async fn finish(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    gone: &CustomerId,
) -> Result<(), Refused> {
    if let Some(now) = find(services, place, gone).await? {
        let way = (gone, &now.id);
        Box::pin(activities::relink(center, services, place, way)).await?;
        Box::pin(follow_ups::relink(center, services, place, way)).await?;
        Box::pin(message_streams::relink(center, services, place, way)).await?;
    }
    let records = services.store.records();
    records.remove(Merging::KIND, gone.as_str()).await?;
    Ok(())
}

/// Before anybody can connect: what was not finished at the end.
pub(in crate::contact_center) async fn start(
    center: &Center,
    services: &Arc<Services>,
) -> Result<(), StoreError> {
    let mut walk = services.store.records().walk(Merging::KIND, PAGE);
    while let Some(stored) = walk.next().await? {
        let merging: Merging = record::read(&stored)?;
        // Of a host that is served no longer it waits for its return.
        let Some(place) = center.place_of(&merging.host) else {
            continue;
        };
        match finish(center, services, place, &merging.customer).await {
            Ok(()) => info!(customer = %merging.customer, "a merge is finished"),
            Err(refused) => warn!(%refused, "a merge is not finished"),
        }
    }
    Ok(())
}
