//! `[contact_center]`: the service for agents that each host has beside it.

use super::address::Domain;
use super::email::Email;
use super::pubsub::ServiceName;
use super::section::section;
use super::units::{Bytes, Seconds};
use super::value::{Scalar, quoted};

section! {
    /// The contact center: agent states, personal contacts, IM sessions and business context, at a domain
    /// of its own below that of each host.
    pub struct ContactCenter {
        /// Whether there is one; `contact_center` of a `[[host]]` switches off that of one host.
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
        /// After how many days an interaction that is over is dropped, after which its connector may use its id
        /// again; 0 for never.
        interaction_days: u32 = 365, in 0..=36_500;
        /// After how many days an activity that is closed is dropped; 0 for never.
        activity_days: u32 = 0, in 0..=36_500;
        /// After how many days without a change a message stream is deleted with its files; 0 for never.
        message_stream_days: u32 = 0, in 0..=36_500;
        /// After how many days without a change a follow-up is dropped that is done or cancelled; 0 for never.
        follow_up_days: u32 = 0, in 0..=36_500;
        /// How much the files of all message streams of one host may have together.
        attachments_bytes_max: Bytes = Bytes::mib(1 << 16), in Bytes::new(1)..=Bytes::mib(1 << 30);
        /// How much the files of one message stream may have together.
        stream_attachments_bytes_max: Bytes = Bytes::mib(1_024), in Bytes::new(1)..=Bytes::mib(1 << 20);
        /// How long a link to a file of a message stream holds for the agent who was given it.
        attachment_link_seconds: Seconds = Seconds::new(300), in Seconds::new(10)..=Seconds::new(86_400);
        /// The component of the role "connector" that passes message streams to customers, where an agent has that
        /// switched on for one; "" for passing none.
        delivery: Option<Domain> = None;
        /// How many messages for customers may wait for that component; agents who write more are told.
        deliveries_waiting_max: u32 = 10_000, in 1..=1_000_000;
        /// For how many days a link holds to a file of a message stream that is passed to a customer.
        delivery_link_days: u32 = 30, in 1..=3_650;
        /// After how many hours a file is deleted that was uploaded for a message stream and never attached.
        attachment_hours: u32 = 24, in 1..=8_760;
        /// After how many days a change of an activity is forgotten that every subscribed CRM has.
        activity_change_days: u32 = 30, in 1..=36_500;
        /// How many changes of activities of one host are kept for a subscribed CRM that is away; of more the
        /// oldest are forgotten.
        activity_changes_max: u32 = 1_000_000, in 1_000..=1_000_000_000;
        /// How many changes of activities a CRM is sent that it has not acknowledged; the others wait.
        activity_window: u32 = 100, in 1..=1_000;
        /// How long a CRM has to acknowledge a change before it is sent once more.
        activity_resend_seconds: Seconds = Seconds::new(60), in Seconds::new(1)..=Seconds::new(86_400);
        /// How long an agent has to answer when an interaction is offered.
        offer_seconds: Seconds = Seconds::new(30), in Seconds::new(5)..=Seconds::new(600);
        /// How much that a connector says may wait until it is done; it is refused more.
        connector_waiting_max: u32 = 1_024, in 1..=100_000;
        /// How long a connector may be away before its interactions end.
        connector_lost_seconds: Seconds = Seconds::new(600), in Seconds::new(1)..=Seconds::new(86_400);
        /// The component of the role "connector" that calls customers when an agent does not say which; "" for the
        /// only one that there is.
        dial_connector: Option<Domain> = None;
        /// From which types of business objects customers can be called; [] for all, and for calls from nowhere.
        dial_from: Vec<String> = Vec::new();
        /// Whether a presence subscription between two agents of a host makes them contacts of each other at
        /// once, and one's removal of the other ends it for both, whatever client they use.
        mutual_contacts: bool = true;
        /// The group in which new personal contacts stand.
        contacts_group: String = "Personal Contacts".to_owned();
        /// The country of telephone numbers that do not begin with +, such as "US" or "DE"; "" for taking none
        /// of these.
        region: Region = Region(None);
        /// The domain of a component with the role "crm" that is asked who a customer is; "" for looking
        /// among the server's own records only.
        lookup_component: Option<Domain> = None;
        /// How long it may take to answer, in milliseconds, before the server's own records are looked at.
        lookup_milliseconds: u32 = 500, in 50..=10_000;
    }
    tables {
        email: Email;
    }
}

/// A country by its code (ISO 3166-1, two letters), or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(pub Option<phonenumber::country::Id>);

/// Characters of a telephone number that are looked at: E.164 has fifteen digits, people write more beside.
const TELEPHONE_CHARS_MAX: usize = 64;

impl Region {
    /// The number as E.164, if it can be one. One without a country is of the region, where there is one.
    #[must_use]
    pub fn e164(self, text: &str) -> Option<String> {
        if text.chars().count() > TELEPHONE_CHARS_MAX {
            return None;
        }
        let number = phonenumber::parse(self.0, text).ok()?;
        let e164 = || number.format().mode(phonenumber::Mode::E164).to_string();
        phonenumber::is_valid(&number).then(e164)
    }
}

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
