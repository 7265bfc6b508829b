//! Interactions with customers, carried by connectors (S2-14 to S2-20). What is decided is in
//! [`crate::domain::interaction`].

use super::errors::Refused;
use super::record::{self, Record};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{Access, Event, Interaction, apply};
use crate::hooks::Services;
use crate::store::Listing;

/// The kind of the record of an interaction.
pub(super) const KIND: &str = "interaction";

impl Record for Interaction {
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
        Self::deadline(self)
    }

    fn listings(&self) -> Vec<Listing> {
        Vec::new()
    }
}

/// The interaction of that id.
pub(in crate::contact_center) async fn find(
    services: &Services,
    id: &InteractionId,
) -> Result<Option<Interaction>, Refused> {
    Ok(record::find(&services.store, id.as_str()).await?)
}

/// What the agent may do with it: by its part, or by a consultation about it (S1-33 to S1-36).
pub(in crate::contact_center) async fn access(
    _services: &Services,
    interaction: &Interaction,
    agent: &AgentId,
) -> Result<Access, Refused> {
    Ok(interaction.access(agent))
}
