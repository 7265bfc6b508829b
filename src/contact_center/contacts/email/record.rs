//! An e-mail on its way, as it is stored.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::contact_center::record::Record;
use crate::domain::ids::AgentId;
use crate::store::Listing;

/// What it is called in the database.
pub(in crate::contact_center) const KIND: &str = "email";

/// The list of those that wait, whose owner is the host.
pub(super) const WAITING: &str = "waiting";

/// An e-mail on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Email {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) sender: AgentId,
    /// What people read as its sender.
    pub(super) sender_name: String,
    /// Where answers go.
    pub(super) reply_to: Option<String>,
    pub(super) colleague: AgentId,
    /// The colleague's address at the time.
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) queued_at: Timestamp,
    /// How often it was tried.
    pub(super) tries: u32,
    pub(super) stage: Stage,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    /// Not stored yet.
    New,
    /// It is tried then, also when the last try has not come to an end by that time.
    Waiting {
        /// When.
        until: Timestamp,
    },
    /// It is not tried any more, and can go.
    GivenUp {
        /// Since when.
        at: Timestamp,
    },
}

/// What happens to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    /// It shall be sent.
    Queued { at: Timestamp },
    /// There was nobody to send it.
    Postponed { at: Timestamp, until: Timestamp },
    /// It is being sent; if nothing is heard of that until then, again.
    Tried { at: Timestamp, until: Timestamp },
    /// The relay has not taken it, and will be asked again.
    Failed { at: Timestamp, until: Timestamp },
    /// The relay will not take it.
    GivenUp { at: Timestamp },
}

impl Record for Email {
    const KIND: &'static str = KIND;
    type Event = Event;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        self.stage = match *event {
            Event::Queued { at } => Stage::Waiting { until: at },
            Event::Postponed { until, .. } | Event::Failed { until, .. } => {
                Stage::Waiting { until }
            }
            Event::Tried { until, .. } => {
                self.tries = self.tries.saturating_add(1);
                Stage::Waiting { until }
            }
            Event::GivenUp { at } => Stage::GivenUp { at },
        };
    }

    fn deadline(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::New => None,
            Stage::Waiting { until } => Some(until),
            Stage::GivenUp { at } => Some(at),
        }
    }

    fn listings(&self) -> Vec<Listing> {
        let waits = matches!(self.stage, Stage::Waiting { .. });
        let listing = || Listing {
            list: WAITING,
            owner: self.sender.host().to_owned(),
        };
        waits.then(listing).into_iter().collect()
    }
}
