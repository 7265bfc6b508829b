//! What happens in an IM session: commands, and the events that come of them.

use serde::{Deserialize, Serialize};

use super::{ImSession, Phase};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, ContextId, InteractionId, MessageId};

/// What is said in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The words.
    pub body: String,
    /// The message in the archive that carried them.
    #[serde(default)]
    pub message: Option<MessageId>,
}

/// What someone does in a session. `by` is who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sends the first message, and with it the invitation.
    Invite {
        /// Who.
        by: AgentId,
        /// The first message.
        text: Text,
        /// The interaction that it is about.
        about: Option<InteractionId>,
    },
    /// Accepts the invitation.
    Accept {
        /// Who.
        by: AgentId,
    },
    /// Rejects it.
    Reject {
        /// Who.
        by: AgentId,
    },
    /// Takes it back.
    Cancel {
        /// Who.
        by: AgentId,
    },
    /// Says something. Of the invitee that accepts.
    Say {
        /// Who.
        by: AgentId,
        /// What.
        text: Text,
    },
    /// Sends a business context within the session.
    Share {
        /// Who.
        by: AgentId,
        /// Which one.
        context: ContextId,
    },
    /// Ends the session (S1-18). Of the inviter of a pending one that cancels.
    End {
        /// Who.
        by: AgentId,
    },
    /// Closes the window (S1-19), and before that ends or cancels what is open (S1-30).
    Done {
        /// Who.
        by: AgentId,
    },
    /// The account of one of the two is removed.
    AccountRemoved {
        /// Whose.
        account: AgentId,
    },
    /// [`ImSession::deadline`] has come. Too early or too late does no harm.
    TimeIsUp,
}

/// Why something has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Someone has asked for it.
    Asked,
    /// Someone has done something that implies it: answered by a message, marked done.
    Implied,
    /// The account was removed.
    AccountRemoved,
}

/// What has happened in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The invitee is asked; the text is the first message.
    Invited {
        /// When.
        at: Timestamp,
        /// Until when the notification is shown.
        until: Timestamp,
        /// The first message.
        text: Text,
        /// The interaction that it is about.
        about: Option<InteractionId>,
    },
    /// The inviter is told that there was no answer in time; the notification ends.
    TimedOut {
        /// When.
        at: Timestamp,
    },
    /// The invitee has accepted.
    Accepted {
        /// When.
        at: Timestamp,
        /// Whether by a message.
        cause: Cause,
    },
    /// The invitee has rejected.
    Rejected {
        /// When.
        at: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// The inviter has taken the invitation back.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why.
        cause: Cause,
    },
    /// Something was said.
    Said {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AgentId,
        /// What.
        text: Text,
    },
    /// A business context was sent.
    Shared {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AgentId,
        /// Which one.
        context: ContextId,
    },
    /// The session is over.
    Ended {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AgentId,
        /// Why.
        cause: Cause,
    },
    /// One of the two has closed it.
    Done {
        /// When.
        at: Timestamp,
        /// Who.
        by: AgentId,
    },
}

/// Makes the session what it is after the event.
pub fn apply(session: &mut ImSession, event: &Event) {
    session.version = session.version.saturating_add(1);
    match event {
        Event::Invited {
            at, until, about, ..
        } => {
            session.invited_at = Some(*at);
            session.about.clone_from(about);
            session.phase = Phase::Pending {
                until: Some(*until),
            };
            session.entries = session.entries.saturating_add(1);
        }
        Event::TimedOut { .. } => session.phase = Phase::Pending { until: None },
        Event::Accepted { at, .. } => session.phase = Phase::Connected { since: *at },
        Event::Rejected { at, .. } => session.phase = Phase::Rejected { at: *at },
        Event::Cancelled { at, .. } => session.phase = Phase::Cancelled { at: *at },
        Event::Said { .. } | Event::Shared { .. } => {
            session.entries = session.entries.saturating_add(1);
        }
        Event::Ended { at, .. } => {
            if let Phase::Connected { since } = session.phase {
                session.phase = Phase::Ended { since, at: *at };
            }
        }
        Event::Done { by, .. } if *by == session.inviter => session.inviter_done = true,
        Event::Done { .. } => session.invitee_done = true,
    }
}
