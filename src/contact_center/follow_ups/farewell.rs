//! Follow-ups that are erased with their customers, and of whose end who was responsible is still to be told. Each was written down when it
//! was erased, by a server or by the command line alone; what the end of a server interrupts, or none was there to tell, is told at
//! the next start.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::events;
use crate::admin::ERASED_FOLLOW_UP;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::record::{self, Record};
use crate::domain::follow_up::FollowUp;
use crate::hooks::Services;
use crate::store::StoreError;

/// Those that are read at once.
const PAGE: u32 = 100;

/// What is left of one, as stored: who has to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Farewell(FollowUp);

/// It was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {}

impl Record for Farewell {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = ERASED_FOLLOW_UP;
    type Event = Told;

    fn id(&self) -> String {
        self.0.id.to_string()
    }

    fn version(&self) -> u64 {
        self.0.version
    }

    fn apply(&mut self, _: &Told) {
        self.0.version = self.0.version.saturating_add(1);
    }
}

impl Farewell {
    /// Where that was; `None` where the host is served no longer: it waits for its return.
    fn place<'a>(&self, center: &'a Center) -> Option<&'a Arc<Place>> {
        center.place_of(self.0.author.as_ref()?.host())
    }

    const fn is_told(&self) -> bool {
        self.0.version > 1
    }
}

/// Has who was responsible told of the end of that follow-up, once, and forgets it.
pub(in crate::contact_center) async fn tell_erased(
    center: &Center,
    services: &Arc<Services>,
    id: &str,
) -> Result<(), Refused> {
    let told = async |mut draft: Draft| {
        let Some(farewell) = record::find::<Farewell>(&services.store, id).await? else {
            return Ok((draft, false));
        };
        let Some(place) = farewell.place(center) else {
            return Ok((draft, false));
        };
        if !farewell.is_told() {
            events::tell_end(place, services, &mut draft, &farewell.0).await?;
            draft.change(&farewell, &[Told {}])?;
        }
        Ok((draft, true))
    };
    if Box::pin(center.save(services, told)).await? {
        services.store.records().remove(Farewell::KIND, id).await?;
    }
    Ok(())
}

/// Before anybody can connect: what nobody was told yet.
pub(in crate::contact_center) async fn start(
    center: &Center,
    services: &Arc<Services>,
) -> Result<(), StoreError> {
    let mut walk = services.store.records().walk(Farewell::KIND, PAGE);
    while let Some(stored) = walk.next().await? {
        if let Err(refused) = Box::pin(tell_erased(center, services, &stored.id)).await {
            warn!(%refused, id = stored.id, "nobody is told that a follow-up is erased");
        }
    }
    Ok(())
}
