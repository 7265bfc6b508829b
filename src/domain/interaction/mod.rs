//! Interactions: dealings with a customer on one medium, carried by a connector (S2-2, S2-8, S2-14 to S2-20, S2-28 to
//! S2-36, S1-38 to S1-44).
//!
//! ```text
//! the customer:   offered → connected ↔ held → over          dialing → connected
//! a participant:  offered → connected → wrap-up → done        offered → rejected | timed out | withdrawn
//! ```
//!
//! What an agent wants becomes a [`Request`] to the connector and takes effect when the connector confirms it; one that is
//! refused, or not answered in time, leaves everything as it was. What the connector says of its medium is a fact and
//! is taken: a call that was put down at the telephone is over. A connector that repeats itself changes nothing.
//!
//! A consultation by voice puts the customer of a call on hold first (S1-43); whatever becomes of the call to the
//! colleague, the customer can be retrieved at once. Chat and e-mail have no line to hold.
//!
//! Machine: [`decide`] and [`apply`] on [`Interaction`], due at [`Interaction::deadline`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::colleague::{Colleague, Prerequisite};
use super::ids::{AgentId, CustomerId, InteractionId, RequestId};
use super::refusal::rejections;
use crate::clock::Timestamp;

mod access;
#[cfg(test)]
mod away;
mod connector;
mod decide;
mod erasure;
mod event;
mod invite;
#[cfg(test)]
mod orders;
mod request;
#[cfg(test)]
mod tests;

pub use access::Access;
pub use decide::decide;
pub use event::{Command, Event, Fact, apply};
pub use invite::Invite;

/// Participants of one interaction, those who have left among them: a day of transfers, and a bound.
pub const PARTICIPANTS_MAX: usize = 100;
/// Pieces of attached data.
pub const DATA_MAX: usize = 200;
/// Bytes of the name of a piece of attached data.
pub const DATA_NAME_BYTES_MAX: usize = 128;
/// Bytes of its value.
pub const DATA_VALUE_BYTES_MAX: usize = 4_096;
/// Bytes of all of it, names and values: it goes with every change to everybody who takes part.
pub const DATA_BYTES_MAX: usize = 64 * 1024;
/// How often a connector that is there and does not tell what is so is waited for longer. After that it never will, and
/// agents are free again.
pub const PUT_OFF_MAX: u32 = 6;
/// Seconds that a connector has for an answer.
pub const REQUEST_SECONDS: i64 = 10;

/// An interaction, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Which one; mostly in the word of its connector.
    pub id: InteractionId,
    /// What its connector calls it, where that is another: its word was taken already by another connector.
    #[serde(default)]
    pub word: Option<InteractionId>,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// The domain of the component that carries it.
    pub connector: String,
    /// What it is carried by.
    pub medium: Medium,
    /// Who began.
    pub direction: Direction,
    /// Where the customer is: a telephone number or an e-mail address.
    pub address: String,
    /// The queue that it came through.
    #[serde(default)]
    pub queue: Option<String>,
    /// Who the customer is, when that is known.
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// Case data.
    #[serde(default)]
    pub data: BTreeMap<String, String>,
    /// How the customer is.
    pub line: Line,
    /// Everybody who has a part or had one, in the order of their offers.
    #[serde(default)]
    pub participants: Vec<Participant>,
    /// What the connector has not answered yet.
    #[serde(default)]
    pub request: Option<Request>,
    /// Whether the connector's stream is broken: nothing is known of the medium until it is back.
    #[serde(default)]
    pub interrupted: bool,
    /// When a connector that stays away is waited for no longer.
    #[serde(default)]
    pub lost_until: Option<Timestamp>,
    /// How often that was put off, for the connector is there.
    #[serde(default)]
    pub put_off: u32,
    /// When it began; `None` before.
    #[serde(default)]
    pub began_at: Option<Timestamp>,
}

/// What an interaction is carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// A telephone call.
    Voice,
    /// A chat with the customer.
    Chat,
    /// An e-mail; handled like a chat (S2-43).
    Email,
}

impl Medium {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Email => "email",
        }
    }
}

/// Who began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The customer.
    Inbound,
    /// An agent.
    Outbound,
}

/// How the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// Waits for an agent who accepts.
    Offered,
    /// Is being called (S2-8).
    Dialing,
    /// Talks.
    Connected,
    /// Hears music.
    Held,
    /// Is gone.
    Over {
        /// Since then.
        at: Timestamp,
    },
}

/// One agent's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Whose.
    pub agent: AgentId,
    /// In which role.
    pub role: Role,
    /// How far.
    pub leg: Leg,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// When the agent was connected.
    #[serde(default)]
    pub connected_at: Option<Timestamp>,
    /// When the agent left.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
    /// The call that its clients are invited to, where the connector has said one.
    #[serde(default)]
    pub invite: Option<Invite>,
}

/// What an agent is in an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Deals with the customer.
    Primary,
    /// Is asked by the primary one, and only reads (S1-36).
    Consulted,
    /// Deals with the customer beside the primary one (S2-34).
    Conferenced,
}

/// How far an agent's part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "leg", rename_all = "kebab-case")]
pub enum Leg {
    /// The agent is asked.
    Offered {
        /// Until then.
        until: Timestamp,
    },
    /// The agent takes part.
    Connected,
    /// The agent has left, and writes up.
    WrapUp,
    /// That is done.
    Done,
    /// The agent did not want to.
    Rejected,
    /// The agent did not answer.
    TimedOut,
    /// The offer was taken back: the customer is gone, or the consultation.
    Withdrawn,
}

impl Leg {
    /// Whether the agent is asked or takes part.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Offered { .. } | Self::Connected)
    }
}

/// What was asked of the connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Which one: the connector answers it by this, and does it once however often it is asked.
    pub id: RequestId,
    /// Who wants it.
    pub by: AgentId,
    /// What.
    pub verb: Verb,
    /// When it has not been answered.
    pub until: Timestamp,
}

/// What an agent can want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Verb {
    /// To take what is offered.
    Accept,
    /// Not to take it.
    Reject,
    /// The customer on hold.
    Hold,
    /// The customer off hold.
    Resume,
    /// An end for everybody.
    End,
    /// Another to take over, and to be out of it (S2-15).
    Transfer {
        /// Who.
        to: Target,
    },
    /// A colleague's advice by voice (S2-18, S1-42).
    Consult {
        /// Whose.
        with: AgentId,
    },
    /// The customer back, and the consultation over (S2-19).
    Retrieve,
    /// The consulted colleague to take over (S2-19).
    CompleteTransfer,
    /// The consulted colleague and the customer together; or, of a chat, one more agent (S2-34).
    Conference {
        /// Who; `None` for the one who is consulted.
        with: Option<AgentId>,
    },
    /// To be out of it, while others stay.
    Leave,
    /// The customer to be called (S2-8).
    Dial,
}

impl Verb {
    /// The agent who takes part, too, when it is done.
    #[must_use]
    pub const fn agent(&self) -> Option<&AgentId> {
        match self {
            Self::Transfer {
                to: Target::Agent(agent),
            }
            | Self::Consult { with: agent }
            | Self::Conference { with: Some(agent) } => Some(agent),
            Self::Transfer {
                to: Target::Queue(_),
            }
            | Self::Conference { with: None }
            | Self::Accept
            | Self::Reject
            | Self::Hold
            | Self::Resume
            | Self::End
            | Self::Retrieve
            | Self::CompleteTransfer
            | Self::Leave
            | Self::Dial => None,
        }
    }
}

/// Who takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// That agent.
    Agent(AgentId),
    /// Whoever the connector finds in that queue.
    Queue(String),
}

/// What is known of an agent who shall take part.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The account.
    pub colleague: Colleague<'a>,
    /// Its state.
    pub state: super::agent_state::State,
    /// Its open interactions of this medium.
    pub open: usize,
}

/// What a decision needs to know beside the interaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The agent who shall take part: of an offer, a transfer, a consultation, a conference.
    pub target: Option<Desk<'a>>,
    /// Seconds that an agent has to answer an offer.
    pub offer_seconds: u32,
}

rejections! {
    /// Why something is not done in an interaction.
    pub enum Rejection with Prerequisite(Prerequisite) {
        /// There is nothing yet, or nothing that this one may know of.
        Unknown = NotFound, "interaction-unknown", "There is no such interaction.";
        /// It began already.
        Exists = Conflict, "interaction-exists", "There is already an interaction of this id.";
        /// The customer is gone.
        Over = NotAllowed, "interaction-over", "The interaction is over.";
        /// Nothing is known of the medium.
        Interrupted = Busy, "interaction-interrupted", "The connection to the telephony or chat system is interrupted.";
        /// Something else is asked of the connector.
        Pending = Busy, "request-pending", "The last request is not answered yet.";
        /// There is no such request.
        NoRequest = NotFound, "request-unknown", "There is no such request, or it was answered already.";
        /// It is not offered to this agent.
        NotOffered = NotAllowed, "not-offered", "This interaction is not offered to you.";
        /// The agent takes no part at this time.
        NotConnected = NotAllowed, "not-connected", "You are not connected in this interaction.";
        /// Only the primary agent may.
        NotPrimary = NotAllowed, "not-primary", "Only the agent who deals with the customer can do this.";
        /// The customer is not on hold.
        NotHeld = NotAllowed, "not-held", "The customer is not on hold.";
        /// The customer is on hold, or is not connected yet.
        NotTalking = NotAllowed, "customer-not-connected", "The customer is not connected.";
        /// There is a consultation already.
        Consulting = NotAllowed, "consultation-open", "There is a consultation already. Retrieve or complete it first.";
        /// Others deal with the customer, too, or are asked to.
        Conferencing = NotAllowed, "conference-open", "Others are in it with you. Leave it, and they stay with the customer.";
        /// There is no consultation.
        NoConsultation = NotAllowed, "no-consultation", "There is no consultation.";
        /// The consulted colleague has not accepted.
        NotAccepted = NotAllowed, "consultation-not-accepted", "Your colleague has not accepted yet.";
        /// There would be nobody left with the customer.
        Last = NotAllowed, "last-agent", "You are the last with the customer. End the interaction, or transfer it.";
        /// The agent has a part in it already.
        TakesPart = Conflict, "takes-part-already", "This colleague takes part already.";
        /// The agent is logged out.
        TargetLoggedOut = Busy, "target-logged-out", "This agent is not logged in.";
        /// The agent takes no interactions at this time.
        TargetNotReady = Busy, "target-not-ready", "This agent takes no interactions now.";
        /// The agent has as many interactions of the medium as it may have.
        CapacityFull = Limit, "capacity-full", "This agent has as many interactions of this kind as it can take.";
        /// [`PARTICIPANTS_MAX`].
        TooManyParticipants = Limit, "too-many-participants", "This interaction has been passed on too often.";
        /// [`DATA_MAX`], [`DATA_BYTES_MAX`] and the bounds of its parts.
        Data = Invalid, "attached-data-malformed", "Attached data has up to 200 names of 128 bytes with values of 4096, 64 KiB in all.";
        /// What was attached may only be read by a consulted agent (S1-36).
        ReadOnly = Forbidden, "read-only", "You may read this, not change it.";
        /// There is no wrap-up to finish.
        NoWrapUp = NotAllowed, "no-wrap-up", "There is nothing to write up here.";
        /// No connector, or several of which none was named.
        NoConnector = NotFound, "connector-unknown", "There is no such connector, or it is not said which of several.";
        /// What the customer is called from is not among what the administrator allows (S2-9).
        DialFrom = NotAllowed, "dial-not-allowed", "Calls cannot be started from here.";
        /// The customer has nothing that the medium leads to.
        NoAddress = NotFound, "customer-address-missing", "This customer has no address of this kind.";
    }
}

impl Interaction {
    /// Nothing has happened yet.
    #[must_use]
    pub const fn new(
        id: InteractionId,
        connector: String,
        (medium, direction): (Medium, Direction),
        address: String,
    ) -> Self {
        Self {
            id,
            word: None,
            version: 0,
            connector,
            medium,
            direction,
            address,
            queue: None,
            customer: None,
            data: BTreeMap::new(),
            line: Line::Offered,
            participants: Vec::new(),
            request: None,
            interrupted: false,
            lost_until: None,
            put_off: 0,
            began_at: None,
        }
    }

    /// What its connector calls it.
    #[must_use]
    pub fn word(&self) -> &InteractionId {
        self.word.as_ref().unwrap_or(&self.id)
    }

    /// Whether the customer is gone.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.line, Line::Over { .. })
    }

    /// The agent's present part: the last one that it was offered.
    #[must_use]
    pub fn part(&self, agent: &AgentId) -> Option<&Participant> {
        self.participants.iter().rev().find(|it| it.agent == *agent)
    }

    /// The open part in that role.
    fn open(&self, role: Role) -> Option<&Participant> {
        let mut all = self.participants.iter();
        all.find(|it| it.role == role && it.leg.is_open())
    }

    /// Who deals with the customer, or is asked to.
    #[must_use]
    pub fn primary(&self) -> Option<&Participant> {
        self.open(Role::Primary)
    }

    /// Who is consulted, or is asked to be.
    #[must_use]
    pub fn consulted(&self) -> Option<&Participant> {
        self.open(Role::Consulted)
    }

    /// Whether it takes one of the agent's capacity, and makes it engaged.
    #[must_use]
    pub fn counts_for(&self, agent: &AgentId) -> bool {
        self.part(agent).is_some_and(|part| part.leg.is_open())
    }

    /// Who takes part, too, when the connector has done what it is asked.
    #[must_use]
    pub fn expected(&self) -> Option<&AgentId> {
        let target = self.request.as_ref()?.verb.agent();
        target.filter(|agent| !self.counts_for(agent))
    }

    /// When [`Command::TimeIsUp`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let offers = self.participants.iter().filter_map(|it| match it.leg {
            Leg::Offered { until } => Some(until),
            Leg::Connected
            | Leg::WrapUp
            | Leg::Done
            | Leg::Rejected
            | Leg::TimedOut
            | Leg::Withdrawn => None,
        });
        // The answer to a request may be lost in an interruption: what came of it the connector says when it is back.
        let request = self.request.as_ref().filter(|_| !self.interrupted);
        let request = request.map(|request| request.until);
        let lost = self.lost_until.filter(|_| !self.is_over());
        offers.chain(request).chain(lost).min()
    }
}
