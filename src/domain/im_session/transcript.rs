//! Transcripts: what both read of a session, every entry with sender and time (S1-13 to S1-16).

use super::{Cause, Event, ImSession, Text};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, ContextId};
use crate::domain::rights::{Right, Rights};

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// Whose it is.
    pub sender: AgentId,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Words.
    Message(Text),
    /// A business context.
    Context(ContextId),
    /// The invitee has accepted.
    Accepted,
    /// The invitee has rejected.
    Rejected(Cause),
    /// The inviter has taken the invitation back.
    Cancelled(Cause),
    /// The sender has ended the session.
    Ended(Cause),
}

impl EntryKind {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Context(_) => "context",
            Self::Accepted => "accepted",
            Self::Rejected(_) => "rejected",
            Self::Cancelled(_) => "cancelled",
            Self::Ended(_) => "ended",
        }
    }
}

/// The transcript of a session with those events, the oldest first. A time-out is the inviter's business
/// and a closed window that of its owner; neither is part of what both read.
pub fn transcript<'a>(
    session: &'a ImSession,
    events: &'a [Event],
) -> impl Iterator<Item = Entry> + 'a {
    events.iter().filter_map(|event| entry(session, event))
}

fn entry(session: &ImSession, event: &Event) -> Option<Entry> {
    let (at, sender, kind) = match event {
        Event::Invited { at, text, .. } => (at, &session.inviter, EntryKind::Message(text.clone())),
        Event::Said { at, by, text } => (at, by, EntryKind::Message(text.clone())),
        Event::Shared { at, by, context } => (at, by, EntryKind::Context(context.clone())),
        Event::Accepted { at, .. } => (at, &session.invitee, EntryKind::Accepted),
        Event::Rejected { at, cause } => (at, &session.invitee, EntryKind::Rejected(*cause)),
        Event::Cancelled { at, cause } => (at, &session.inviter, EntryKind::Cancelled(*cause)),
        Event::Ended { at, by, cause } => (at, by, EntryKind::Ended(*cause)),
        Event::TimedOut { .. } | Event::Done { .. } => return None,
    };
    Some(Entry {
        at: *at,
        sender: sender.clone(),
        kind,
    })
}

/// On what grounds someone reads a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As one of the two, also after "done".
    Participant,
    /// By [`Right::TranscriptShow`]; this goes into the audit trail.
    ByRight,
    /// Not at all, and without a hint that there is a session.
    None,
}

/// Whether that agent may read the transcript.
#[must_use]
pub fn access(session: &ImSession, reader: &AgentId, rights: &Rights) -> Access {
    if session.has(reader) {
        Access::Participant
    } else if rights.has(Right::TranscriptShow) {
        Access::ByRight
    } else {
        Access::None
    }
}
