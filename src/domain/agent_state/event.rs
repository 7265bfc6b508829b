//! What happens to an agent: commands, and the events that come of them.

use serde::{Deserialize, Serialize};

use super::{Agent, Connection, Occupation, Origin, Reason, Stance};
use crate::clock::Timestamp;
use crate::domain::ids::InteractionId;

/// What happens to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Logs in (S2-3). The devices at that time are among the facts.
    Login,
    /// Logs out, for a reason of the administrator's list (S2-5).
    Logout {
        /// The code of kind logout.
        code: String,
    },
    /// Becomes available (S2-6); ends a wrap-up.
    Ready,
    /// Becomes not ready for a reason of the administrator's list (S2-6); ends a wrap-up.
    NotReady {
        /// The code of kind not-ready.
        code: String,
    },
    /// Ends a wrap-up; the stance is as it was.
    FinishWrapUp,
    /// An interaction with a customer has begun.
    Engage {
        /// Which one.
        interaction: InteractionId,
    },
    /// An interaction is over for this agent.
    Release {
        /// Which one.
        interaction: InteractionId,
    },
    /// Sessions or their presence are others than before; the facts tell which.
    Devices,
    /// The account may take part no longer: its role or its right is gone (S0-9, S0-10).
    Revoke,
    /// [`Agent::deadline`] has come. Too early or too late does no harm.
    TimeIsUp,
}

/// What has happened to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Has logged in and is available.
    LoggedIn {
        /// When.
        at: Timestamp,
    },
    /// Has logged out or was logged out.
    LoggedOut {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Reason,
    },
    /// Takes interactions, from now or when the present ones are over.
    BecameAvailable {
        /// When.
        at: Timestamp,
        /// Who has said so.
        origin: Origin,
    },
    /// Takes no more interactions.
    BecameNotReady {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Reason,
        /// Who has said so.
        origin: Origin,
    },
    /// Is in an interaction, perhaps beside others.
    Engaged {
        /// When.
        at: Timestamp,
        /// Which one.
        interaction: InteractionId,
    },
    /// Is in it no longer, but in others.
    Released {
        /// When.
        at: Timestamp,
        /// Which one.
        interaction: InteractionId,
    },
    /// Is in none any longer and has no wrap-up.
    BecameIdle {
        /// When.
        at: Timestamp,
        /// The one that was the last.
        interaction: InteractionId,
    },
    /// Is in none any longer and has time for a wrap-up.
    WrapUpBegan {
        /// When.
        at: Timestamp,
        /// The one that was the last.
        interaction: InteractionId,
        /// When it is over at the latest.
        until: Option<Timestamp>,
    },
    /// The wrap-up is over.
    WrapUpEnded {
        /// When.
        at: Timestamp,
        /// Whether the agent or time has ended it.
        origin: Origin,
    },
    /// There is no session any more.
    ConnectionLost {
        /// When.
        at: Timestamp,
        /// How long that is overlooked.
        until: Timestamp,
    },
    /// There has been no session for too long.
    ConnectionTimedOut {
        /// When.
        at: Timestamp,
        /// When the agent is logged out.
        until: Timestamp,
    },
    /// There is a session again.
    Reconnected {
        /// When.
        at: Timestamp,
    },
    /// The agent's clients say that it is away or busy, or that it is not any more.
    ClientChanged {
        /// When.
        at: Timestamp,
        /// Which of both.
        busy: bool,
    },
}

impl Event {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::LoggedIn { at }
            | Self::LoggedOut { at, .. }
            | Self::BecameAvailable { at, .. }
            | Self::BecameNotReady { at, .. }
            | Self::Engaged { at, .. }
            | Self::Released { at, .. }
            | Self::BecameIdle { at, .. }
            | Self::WrapUpBegan { at, .. }
            | Self::WrapUpEnded { at, .. }
            | Self::ConnectionLost { at, .. }
            | Self::ConnectionTimedOut { at, .. }
            | Self::Reconnected { at }
            | Self::ClientChanged { at, .. } => *at,
        }
    }
}

/// Makes the agent what it is after the event.
pub fn apply(agent: &mut Agent, event: &Event) {
    let (state, reason) = (agent.state(), agent.reason().cloned());
    agent.version = agent.version.saturating_add(1);
    match event {
        Event::LoggedIn { .. } | Event::BecameAvailable { .. } => agent.stance = Stance::Available,
        Event::LoggedOut { reason, .. } => {
            let reason = Some(reason.clone());
            agent.stance = Stance::LoggedOut { reason };
            agent.occupation = Occupation::Idle;
            agent.connection = Connection::Online;
            agent.client_busy = false;
        }
        Event::BecameNotReady { reason, origin, .. } => {
            agent.stance = Stance::NotReady {
                reason: reason.clone(),
                origin: *origin,
            };
        }
        Event::Engaged { interaction, .. } => match &mut agent.occupation {
            Occupation::Engaged { interactions } => {
                interactions.insert(interaction.clone());
            }
            free @ (Occupation::Idle | Occupation::WrapUp { .. }) => {
                let interactions = [interaction.clone()].into();
                *free = Occupation::Engaged { interactions };
            }
        },
        Event::Released { interaction, .. } => {
            if let Occupation::Engaged { interactions } = &mut agent.occupation {
                interactions.remove(interaction);
            }
        }
        Event::WrapUpBegan { until, .. } => {
            agent.occupation = Occupation::WrapUp { until: *until };
        }
        Event::BecameIdle { .. } | Event::WrapUpEnded { .. } => agent.occupation = Occupation::Idle,
        Event::ConnectionLost { until, .. } => {
            agent.connection = Connection::Lost { until: *until }
        }
        Event::ConnectionTimedOut { until, .. } => {
            agent.connection = Connection::Gone { until: *until };
        }
        Event::Reconnected { .. } => agent.connection = Connection::Online,
        Event::ClientChanged { busy, .. } => agent.client_busy = *busy,
    }
    if state != agent.state() || reason.as_ref() != agent.reason() {
        agent.since = Some(event.at());
    }
}
