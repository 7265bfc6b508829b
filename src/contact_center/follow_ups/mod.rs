//! Follow-ups (S3-1 to S3-21): planned transactions that refer to what they follow from, with their notes, and the scratch pad
//! in which an agent writes before it knows where to.
//!
//! What is decided is in [`crate::domain::follow_up`].

mod retention;

pub(super) use retention::forget as forget_old;

use super::operation::Operation;
use super::record::Record;
use crate::clock::Timestamp;
use crate::domain::follow_up::{Event, FollowUp, apply};
use crate::store::Listing;

/// What the operations are, in the order in which clients show them.
pub(super) const OPERATIONS: &[Operation] = &[];

impl Record for FollowUp {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = "follow-up";
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

    fn listings(&self) -> Vec<Listing> {
        Vec::new()
    }
}
