//! `[contact_center]`: the service for agents that each host has beside it.

use super::email::Email;
use super::pubsub::ServiceName;
use super::section::section;
use super::units::Seconds;
use super::value::{Scalar, quoted};

section! {
    /// The contact center: agent states, personal contacts, IM sessions and business context, at a domain
    /// of its own below that of each host.
    pub struct ContactCenter {
        /// Whether there is one.
        enabled: bool = true;
        /// The service is at this name under each host: "center" makes center.example.org.
        service: ServiceName = ServiceName::new("center");
        /// How long an agent may be without any session before it is not ready.
        grace_seconds: Seconds = Seconds::new(120), in Seconds::new(1)..=Seconds::new(86_400);
        /// How much longer before it is logged out.
        logout_seconds: Seconds = Seconds::new(60), in Seconds::new(1)..=Seconds::new(86_400);
        /// How long the wrap-up behind the last interaction lasts at most; 0 for as long as the agent wants.
        wrap_up_seconds: Seconds = Seconds::new(0), in Seconds::new(0)..=Seconds::new(86_400);
        /// After how many days business context that was sent is dropped; 0 for never.
        context_days: u32 = 365, in 0..=36_500;
        /// After how many days an IM session that is over is dropped with its transcript; 0 for never.
        transcript_days: u32 = 365, in 0..=36_500;
        /// After how many days a change of an agent's state is deleted from its history.
        history_days: u32 = 365, in 1..=36_500;
        /// How long an agent has to answer when an interaction is offered.
        offer_seconds: Seconds = Seconds::new(30), in Seconds::new(5)..=Seconds::new(600);
        /// How long a connector may be away before its interactions end.
        connector_lost_seconds: Seconds = Seconds::new(600), in Seconds::new(1)..=Seconds::new(86_400);
        /// The component of the role "connector" that calls customers when an agent does not say which; "" for the
        /// only one that there is.
        dial_connector: String = String::new();
        /// From which types of business objects customers can be called; [] for all, and for calls from nowhere.
        dial_from: Vec<String> = Vec::new();
        /// Whether a presence subscription between two agents of a host makes them contacts of each other at
        /// once, and one's removal of the other ends it for both, whatever client they use.
        mutual_contacts: bool = true;
        /// The group in which new personal contacts stand.
        contacts_group: String = "Personal Contacts".to_owned();
        /// The country of telephone numbers in vCards that do not begin with +, such as "US" or "DE"; "" for
        /// taking none of these.
        region: Region = Region(None);
    }
    tables {
        email: Email;
    }
}

/// A country by its code (ISO 3166-1, two letters), or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(pub Option<phonenumber::country::Id>);

impl Scalar for Region {
    fn expected() -> String {
        "the two letters of a country, or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self(None)),
            _ => text.parse().ok().map(|id| Self(Some(id))),
        }
    }

    fn to_toml(&self) -> String {
        quoted(self.0.as_ref().map_or("", |id| id.as_ref()))
    }
}
