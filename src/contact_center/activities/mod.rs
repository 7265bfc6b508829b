//! Activities: the CRM's record of each agent's part in an interaction (S2-21 to S2-27). What is decided is in
//! [`crate::domain::activity`].

use std::sync::Arc;

use super::center::Place;
use super::draft::Draft;
use super::errors::Refused;
use super::record::Record;
use crate::domain::activity::{Activity, Event, apply};
use crate::domain::interaction::{self, Interaction};
use crate::hooks::Services;
use crate::store::Listing;

impl Record for Activity {
    const KIND: &'static str = "activity";
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
        Vec::new()
    }
}

/// What the events of an interaction make of its participants' activities, in the same decision.
pub(in crate::contact_center) async fn follow(
    _services: &Arc<Services>,
    _place: &Place,
    _draft: &mut Draft,
    _before: &Interaction,
    _after: &Interaction,
    _events: &[interaction::Event],
) -> Result<(), Refused> {
    Ok(())
}
