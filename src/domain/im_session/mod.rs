//! IM sessions: conversations between two agents that are invited, accepted and ended (S0-26, S1-8 to S1-32).
//!
//! ```text
//! not connected → pending → connected → ended        pending → rejected | cancelled
//! ```
//!
//! The invitation carries the first message (S1-29, S1-31). When the invitee does not answer in time, the inviter
//! is told "timed out" and the notification ends (S1-9), but the invitation stays pending and may still be
//! accepted until the inviter cancels it or marks it done (S1-23). To answer with a message is to accept. Each side
//! marks the session done for itself (S1-19); it can be read after that, too.
//!
//! The events are the transcript (see [`transcript`]). Machine: [`decide`] and [`apply`] on [`ImSession`], due at
//! [`ImSession::deadline`].

use serde::{Deserialize, Serialize};

use super::colleague::{Colleague, Prerequisite};
use super::ids::{AgentId, ImSessionId, InteractionId};
use super::refusal::rejections;
use crate::clock::Timestamp;

mod decide;
mod event;
#[cfg(test)]
mod tests;
mod transcript;
#[cfg(test)]
mod world;

pub use decide::decide;
pub use event::{Cause, Command, Event, Text, apply};
pub use transcript::{Access, Entry, EntryKind, access, transcript};

/// Bytes of one message; more is a file.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Messages and contexts of one session: a working day of typing, and a bound for its transcript.
pub const ENTRIES_MAX: u32 = 10_000;
/// Messages that an inviter can send before the answer.
pub const PENDING_ENTRIES_MAX: u32 = 20;
/// Invitations that wait for one invitee. They do not count as channels, so they need a bound of their own.
pub const PENDING_INCOMING_MAX: usize = 50;

/// A session, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImSession {
    /// Which one.
    pub id: ImSessionId,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// Who invites.
    pub inviter: AgentId,
    /// Who is invited.
    pub invitee: AgentId,
    /// The interaction that it is a consultation about (S1-25).
    #[serde(default)]
    pub about: Option<InteractionId>,
    /// How far it is.
    pub phase: Phase,
    /// When the invitation was sent.
    #[serde(default)]
    pub invited_at: Option<Timestamp>,
    /// Messages and contexts so far.
    #[serde(default)]
    pub entries: u32,
    /// Whether the inviter has marked it done.
    #[serde(default)]
    pub inviter_done: bool,
    /// Whether the invitee has marked it done.
    #[serde(default)]
    pub invitee_done: bool,
}

/// How far a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Phase {
    /// The inviter has a window and has sent nothing (S1-28). No such session is stored.
    NotConnected,
    /// The invitee is asked.
    Pending {
        /// When the inviter is told that the invitation has timed out; `None` once that was done.
        until: Option<Timestamp>,
    },
    /// Both talk.
    Connected {
        /// Since then.
        since: Timestamp,
    },
    /// The invitee did not want to.
    Rejected {
        /// When.
        at: Timestamp,
    },
    /// The inviter took the invitation back.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// Both have talked.
    Ended {
        /// Since then.
        since: Timestamp,
        /// When it ended.
        at: Timestamp,
    },
}

/// What one of the two sees of a session (S1-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing has been sent.
    NotConnected,
    /// The invitee is asked. For the invitee it stays so after the time-out.
    Pending,
    /// For the inviter: the invitee has not answered in time, and still may.
    TimedOut,
    /// Both talk.
    Connected,
    /// The invitee did not want to.
    Rejected,
    /// The inviter took the invitation back.
    Cancelled,
    /// Both have talked.
    Ended,
}

impl Status {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotConnected => "not-connected",
            Self::Pending => "pending",
            Self::TimedOut => "timed-out",
            Self::Connected => "connected",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }
}

/// What is known of one of the two.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The account.
    pub colleague: Colleague<'a>,
    /// Its sessions for which [`ImSession::counts_for`] is true.
    pub channels: usize,
    /// Invitations that wait for its answer.
    pub pending_incoming: usize,
}

/// What a decision needs to know beside the session.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who invites.
    pub inviter: Party<'a>,
    /// Who is invited.
    pub invitee: Party<'a>,
}

rejections! {
    /// Why something is not done in a session.
    pub enum Rejection with Prerequisite(Prerequisite) {
        /// There is nothing yet.
        NotInvited = NotFound, "im-session-unknown", "There is no such IM session.";
        /// The session has been used.
        AlreadyInvited = Conflict, "im-session-exists", "There is already an IM session of this name.";
        /// Neither of the two.
        NotParticipant = Forbidden, "not-a-participant", "You take no part in this IM session.";
        /// Only the invitee may.
        NotInvitee = NotAllowed, "not-the-invitee", "Only the colleague who is invited can answer the invitation.";
        /// Only the inviter may.
        NotInviter = NotAllowed, "not-the-inviter", "Only the colleague who has sent the invitation can take it back.";
        /// The own channels are all open (S0-26).
        ChannelsFull {
            /// How many there may be.
            max: u16,
        } = Limit, "im-channels-full", "You have {max} IM channels open, which is as many as you may have. End one first.";
        /// The invitee's channels are all open, or too many invitations wait.
        InviteeBusy = Busy, "invitee-busy", "This colleague is busy with other conversations.";
        /// The invitation must be answered first.
        NotAnswered = NotAllowed, "invitation-not-answered", "Accept or reject the invitation first.";
        /// The inviter has said enough before the answer, or wants to share before it.
        AnswerAwaited = NotAllowed, "answer-awaited", "Wait until your colleague has accepted the invitation.";
        /// Both talk already.
        Connected = NotAllowed, "im-session-connected", "The IM session is connected. You can end it.";
        /// It was rejected.
        Rejected = NotAllowed, "invitation-rejected", "The invitation was rejected.";
        /// It was cancelled.
        Cancelled = NotAllowed, "invitation-cancelled", "The invitation was taken back.";
        /// It has ended.
        Ended = NotAllowed, "im-session-ended", "The IM session has ended.";
        /// A message without words.
        Empty = Invalid, "message-empty", "The message is empty.";
        /// [`BODY_BYTES_MAX`].
        TooLong = Invalid, "message-too-long", "The message is too long. Send it as a file.";
        /// [`ENTRIES_MAX`].
        TranscriptFull = Limit, "transcript-full", "This IM session is too long. Start another one.";
    }
}

impl ImSession {
    /// A session in which nothing has been sent.
    #[must_use]
    pub const fn new(id: ImSessionId, inviter: AgentId, invitee: AgentId) -> Self {
        Self {
            id,
            version: 0,
            inviter,
            invitee,
            about: None,
            phase: Phase::NotConnected,
            invited_at: None,
            entries: 0,
            inviter_done: false,
            invitee_done: false,
        }
    }

    /// What that agent sees; the invitee does not see that its time is over.
    #[must_use]
    pub fn status(&self, agent: &AgentId) -> Status {
        match self.phase {
            Phase::NotConnected => Status::NotConnected,
            Phase::Pending { until: None } if *agent != self.invitee => Status::TimedOut,
            Phase::Pending { .. } => Status::Pending,
            Phase::Connected { .. } => Status::Connected,
            Phase::Rejected { .. } => Status::Rejected,
            Phase::Cancelled { .. } => Status::Cancelled,
            Phase::Ended { .. } => Status::Ended,
        }
    }

    /// Whether the agent is one of the two.
    #[must_use]
    pub fn has(&self, agent: &AgentId) -> bool {
        *agent == self.inviter || *agent == self.invitee
    }

    /// Whether it is one of the agent's open IM channels (S0-26): pending outgoing or connected.
    #[must_use]
    pub fn counts_for(&self, agent: &AgentId) -> bool {
        match self.phase {
            Phase::Pending { .. } => *agent == self.inviter,
            Phase::Connected { .. } => self.has(agent),
            Phase::NotConnected
            | Phase::Rejected { .. }
            | Phase::Cancelled { .. }
            | Phase::Ended { .. } => false,
        }
    }

    /// Whether the session is in the agent's list: it has not marked it done, and there is something to see.
    #[must_use]
    pub fn is_listed_for(&self, agent: &AgentId) -> bool {
        let done = match *agent == self.inviter {
            true => self.inviter_done,
            false => self.invitee_done,
        };
        self.has(agent) && !done && self.phase != Phase::NotConnected
    }

    /// When [`Command::TimeIsUp`] is due.
    #[must_use]
    pub const fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Pending { until } => until,
            Phase::NotConnected
            | Phase::Connected { .. }
            | Phase::Rejected { .. }
            | Phase::Cancelled { .. }
            | Phase::Ended { .. } => None,
        }
    }
}
