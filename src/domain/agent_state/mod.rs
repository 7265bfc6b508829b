//! Agent states: logged out, available, not ready, engaged, wrap-up (S0-21, S0-22, S2-3, S2-5, S2-6).
//!
//! ```text
//! logged-out → available ↔ not-ready(reason)      available → engaged → wrap-up → available
//! ```
//!
//! Two things make up the state that others see. The *stance* is what the agent has said: logged out,
//! available or not ready. The *occupation* is what interactions make of it: engaged as long as there is
//! one, then wrap-up. An agent who says "not ready" while engaged is so afterwards.
//!
//! A third thing runs beside: whether the agent has any session. After a grace period without one the agent is
//! not ready, after another logged out, both for a reason of the system's; whoever comes back between the
//! two finds everything as it was. An agent who is engaged is not logged out: the call is on a telephone.
//!
//! Whoever may be an agent no longer is logged out at once, or takes no more interactions and is logged out behind the last.
//!
//! Machine: [`decide`] and [`apply`] on [`Agent`], due at [`Agent::deadline`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, InteractionId};
use super::reason_code::{self, ReasonCodes};
use super::refusal::rejections;
use crate::clock::Timestamp;

mod decide;
mod devices;
mod event;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;
mod view;

pub use decide::decide;
pub use devices::{Devices, Show};
pub use event::{Command, Event, apply};
pub use view::{View, show_beside};

/// Interactions that one agent can be engaged in; the capacities of the media are far below.
pub const INTERACTIONS_MAX: usize = 500;

/// An agent, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Whose state it is.
    pub id: AgentId,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// What the agent has said.
    pub stance: Stance,
    /// What interactions make of it.
    #[serde(default)]
    pub occupation: Occupation,
    /// Whether there is a session.
    #[serde(default)]
    pub connection: Connection,
    /// Whether the agent's own clients say away, xa or dnd.
    #[serde(default)]
    pub client_busy: bool,
    /// Since when state and reason are what they are; `None` before the first login.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// What the agent has said, or what was said in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stance", rename_all = "kebab-case")]
pub enum Stance {
    /// Takes no part.
    LoggedOut {
        /// Why; `None` before the first login.
        reason: Option<Reason>,
    },
    /// Takes interactions.
    Available,
    /// Takes none for now.
    NotReady {
        /// Why.
        reason: Reason,
        /// Who has said so.
        origin: Origin,
    },
}

/// Why an agent is not ready or logged out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// One of the administrator's list.
    Code(String),
    /// The client says away or dnd, and the administrator has named no default.
    Client,
    /// There has been no session for too long.
    ConnectionLost,
    /// The account has lost the role or the right that an agent needs.
    RightTaken,
}

/// Where a change of stance comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The agent has asked for it.
    Agent,
    /// The agent's client has changed its presence.
    Client,
    /// Time has passed.
    System,
}

/// What interactions make of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "occupation", rename_all = "kebab-case")]
pub enum Occupation {
    /// There is none.
    #[default]
    Idle,
    /// There are some; never none.
    Engaged {
        /// Which ones.
        interactions: BTreeSet<InteractionId>,
    },
    /// The last one is over, and is being written up.
    WrapUp {
        /// When it is over at the latest.
        until: Option<Timestamp>,
    },
}

/// Whether an agent that is logged in has any session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "connection", rename_all = "kebab-case")]
pub enum Connection {
    /// It has, or it is logged out and nobody asks.
    #[default]
    Online,
    /// It has none, and is given time to come back.
    Lost {
        /// Until then.
        until: Timestamp,
    },
    /// It has not come back, and is going to be logged out.
    Gone {
        /// Then.
        until: Timestamp,
    },
}

/// The state that others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Takes no part.
    LoggedOut,
    /// Online and ready.
    Available,
    /// Takes no interactions.
    NotReady,
    /// Is in an interaction.
    Engaged,
    /// Writes up the last one.
    WrapUp,
}

impl State {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged-out",
            Self::Available => "available",
            Self::NotReady => "not-ready",
            Self::Engaged => "engaged",
            Self::WrapUp => "wrap-up",
        }
    }
}

/// What follows the last interaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrapUpRule {
    /// Nothing: the agent is available at once.
    None,
    /// A wrap-up that the agent ends.
    #[default]
    Open,
    /// A wrap-up of at most so many seconds.
    Seconds(u32),
}

/// What an administrator has set for agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Seconds without a session after which an agent is not ready.
    pub grace_seconds: u32,
    /// Seconds more after which it is logged out.
    pub logout_seconds: u32,
    /// What follows the last interaction.
    pub wrap_up: WrapUpRule,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            grace_seconds: 120,
            logout_seconds: 60,
            wrap_up: WrapUpRule::Open,
        }
    }
}

/// What a decision needs to know beside the state.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The agent's sessions at this time.
    pub devices: &'a Devices,
    /// The administrator's reason codes.
    pub reasons: &'a ReasonCodes,
    /// The administrator's settings.
    pub rules: &'a Rules,
}

rejections! {
    /// Why an agent's state is not changed.
    pub enum Rejection with Reason(reason_code::Rejection) {
        /// The agent is not logged in.
        LoggedOut = NotAllowed, "agent-logged-out", "You are not logged in as an agent.";
        /// The agent is in an interaction.
        Engaged = NotAllowed, "agent-engaged", "You are in an interaction. End it first.";
        /// There is no wrap-up to finish.
        NotInWrapUp = NotAllowed, "not-in-wrap-up", "There is no wrap-up to finish.";
        /// [`INTERACTIONS_MAX`].
        TooManyInteractions = Limit, "too-many-interactions", "You are in too many interactions.";
    }
}

impl Agent {
    /// An account that has never logged in as an agent.
    #[must_use]
    pub const fn new(id: AgentId) -> Self {
        Self {
            id,
            version: 0,
            stance: Stance::LoggedOut { reason: None },
            occupation: Occupation::Idle,
            connection: Connection::Online,
            client_busy: false,
            since: None,
        }
    }

    /// The state that others see.
    #[must_use]
    pub const fn state(&self) -> State {
        match (&self.occupation, &self.stance) {
            (Occupation::Engaged { .. }, _) => State::Engaged,
            (Occupation::WrapUp { .. }, _) => State::WrapUp,
            (Occupation::Idle, Stance::LoggedOut { .. }) => State::LoggedOut,
            (Occupation::Idle, Stance::Available) => State::Available,
            (Occupation::Idle, Stance::NotReady { .. }) => State::NotReady,
        }
    }

    /// Why the state is what it is, of those that have a reason.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        match (&self.occupation, &self.stance) {
            (Occupation::Idle, Stance::LoggedOut { reason }) => reason.as_ref(),
            (Occupation::Idle, Stance::NotReady { reason, .. }) => Some(reason),
            (Occupation::Engaged { .. } | Occupation::WrapUp { .. }, _)
            | (Occupation::Idle, Stance::Available) => None,
        }
    }

    /// Seconds in the present state, for the supervisors' list; `None` before the first login.
    #[must_use]
    pub fn seconds_in_state(&self, now: Timestamp) -> Option<i64> {
        Some(now.seconds_since(self.since?).max(0))
    }

    /// When [`Command::TimeIsUp`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let wrap_up = match self.occupation {
            Occupation::WrapUp { until } => until,
            Occupation::Idle | Occupation::Engaged { .. } => None,
        };
        let connection = match self.connection {
            Connection::Lost { until } => Some(until),
            Connection::Gone { until } => (self.state() != State::Engaged).then_some(until),
            Connection::Online => None,
        };
        wrap_up.into_iter().chain(connection).min()
    }
}
