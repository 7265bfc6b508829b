//! Follow-ups: planned transactions that refer to what they follow from (S3-1 to S3-21).
//!
//! A follow-up is made from one of five kinds of source; which types of transaction may follow is configured for each
//! channel, and what is copied from the source for each pair of kinds. Where it is shown follows from where it was
//! made. Its notes are of six types, each in as many languages as are written, and keep their earlier versions. Machine: [`decide`]
//! and [`apply`] on [`FollowUp`], due at [`FollowUp::deadline`], when the responsible agent is reminded.

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, CustomerId, FollowUpId};
use super::refusal::rejections;
use crate::clock::Timestamp;

mod decide;
mod event;
mod plan;
pub mod rules;
pub mod scratch_pad;
#[cfg(test)]
mod tests;

pub use decide::decide;
pub use event::{Command, Event, apply};
pub use plan::{CHANNELS, Copied, CopyRules, NO_CHANNEL, NoteTypes, PermittedTypes};

/// Characters of a title.
pub const TITLE_CHARS_MAX: usize = 256;
/// Bytes of a note.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Notes of one follow-up, of all types and languages.
pub const NOTES_MAX: usize = 100;
/// Bytes of all notes of one follow-up with their earlier versions: it is read and written as one.
pub const NOTES_BYTES_MAX: usize = 1024 * 1024;
/// Versions that are kept of one note; the oldest go.
pub const VERSIONS_MAX: usize = 50;
/// Bytes of a language tag (RFC 5646 §4.4.1).
pub const LANGUAGE_BYTES_MAX: usize = 35;

/// What a follow-up is made from (S3-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// The record of an interaction.
    InteractionRecord,
    /// A service ticket of the CRM.
    ServiceTicket,
    /// A service order.
    ServiceOrder,
    /// A complaint.
    Complaint,
    /// A case.
    Case,
}

impl SourceKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::InteractionRecord,
        Self::ServiceTicket,
        Self::ServiceOrder,
        Self::Complaint,
        Self::Case,
    ];

    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InteractionRecord => "interaction-record",
            Self::ServiceTicket => "service-ticket",
            Self::ServiceOrder => "service-order",
            Self::Complaint => "complaint",
            Self::Case => "case",
        }
    }

    /// Where what was made from it is shown (S3-7 to S3-10).
    #[must_use]
    pub const fn shown_in(self) -> Place {
        match self {
            Self::InteractionRecord => Place::ActivityClipboard,
            Self::ServiceTicket | Self::ServiceOrder | Self::Complaint => Place::BusinessContext,
            Self::Case => Place::LinkedObjects,
        }
    }
}

/// Where a follow-up is shown, beside the overview of its customer (S3-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Among the activities of the interaction.
    ActivityClipboard,
    /// Beside the ticket, order or complaint.
    BusinessContext,
    /// Among what belongs to the case.
    LinkedObjects,
}

impl Place {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActivityClipboard => "activity-clipboard",
            Self::BusinessContext => "business-context",
            Self::LinkedObjects => "linked-objects",
        }
    }
}

/// What a follow-up refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What sort of thing.
    pub kind: SourceKind,
    /// Which one: our id of an interaction, the CRM's of the others.
    pub id: String,
}

/// What is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What sort of transaction, of those that are permitted for the channel (S3-4, S3-14).
    pub transaction_type: String,
    /// In a few words.
    pub title: String,
    /// The business partner (S3-18).
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// From when (S3-19).
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub end: Option<Timestamp>,
    /// When it has to be done; the responsible agent is reminded then.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// The interaction reason, of the configured list (S3-20).
    #[serde(default)]
    pub reason: Option<String>,
    /// Who does it.
    pub responsible: AgentId,
}

/// A note in one language, with what it was before (S3-16, S3-21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Of which type, of those that are configured (S3-15).
    pub note_type: String,
    /// Its language (BCP 47).
    pub language: String,
    /// Its versions, the latest last; never none.
    pub versions: Vec<NoteVersion>,
    /// How many older ones there were that are not kept.
    #[serde(default)]
    pub forgotten: usize,
}

/// One version of a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteVersion {
    /// When it was written.
    pub at: Timestamp,
    /// By whom.
    pub by: AgentId,
    /// What it says.
    pub text: String,
}

/// How far a follow-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// It is to be done.
    Planned,
    /// It is done.
    Completed {
        /// Since when.
        at: Timestamp,
    },
    /// It is not done, and will not be.
    Cancelled {
        /// Since when.
        at: Timestamp,
    },
}

/// A follow-up, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// Which one.
    pub id: FollowUpId,
    /// Counts the events; what somebody reads, and names in a write, is [`FollowUp::version_read`].
    pub version: u64,
    /// How many of the events were reminders.
    #[serde(default)]
    pub reminders: u64,
    /// What it refers to; `None` before it is planned.
    #[serde(default)]
    pub source: Option<Source>,
    /// Who has planned it.
    #[serde(default)]
    pub author: Option<AgentId>,
    /// What is planned.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// When it was planned.
    #[serde(default)]
    pub planned_at: Option<Timestamp>,
    /// Since when the responsible agent is responsible.
    #[serde(default)]
    pub assigned_at: Option<Timestamp>,
    /// How far.
    pub status: Status,
    /// The notes, in the order in which they were begun.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Whether the responsible agent was reminded.
    #[serde(default)]
    pub reminded: bool,
}

impl FollowUp {
    /// What of it is needed to tell who is responsible that it is gone: who that is and since when, and no word of it. `None` of
    /// one that nobody is responsible for.
    #[must_use]
    pub fn farewell(&self) -> Option<Self> {
        let plan = Plan {
            transaction_type: String::new(),
            title: String::new(),
            customer: None,
            start: None,
            end: None,
            due: None,
            reason: None,
            responsible: self.plan.as_ref()?.responsible.clone(),
        };
        Some(Self {
            version: 1,
            author: self.author.clone(),
            plan: Some(plan),
            assigned_at: self.assigned_at,
            status: self.status,
            ..Self::new(self.id.clone())
        })
    }
}

/// What a decision needs to know beside the follow-up.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Which types may follow on the channel.
    pub permitted: &'a PermittedTypes,
    /// The channel that the agent works on: the medium of the interaction, or the word for none.
    pub channel: &'a str,
    /// The reasons that are configured and in use.
    pub reasons: &'a [String],
    /// The types of notes that are configured.
    pub note_types: &'a NoteTypes,
    /// Whether the one who shall be responsible is an agent of the host.
    pub responsible_is_agent: bool,
}

rejections! {
    /// Why a follow-up is not written.
    pub enum Rejection {
        /// There is none.
        Unknown = NotFound, "follow-up-unknown", "There is no such follow-up.";
        /// It is planned already.
        Exists = Conflict, "follow-up-exists", "This follow-up is planned already.";
        /// Somebody else has written it since it was read.
        Stale = Conflict, "follow-up-changed", "This follow-up was changed by someone else since you have read it.";
        /// It was completed or cancelled.
        Over = NotAllowed, "follow-up-over", "This follow-up is completed or cancelled.";
        /// The type is not permitted on this channel.
        NotPermitted {
            /// Which channel.
            channel: String,
        } = NotAllowed, "transaction-type-not-permitted", "This type of transaction may not follow on the channel {channel}.";
        /// The type is not in the list.
        UnknownType = Invalid, "transaction-type-unknown", "There is no such type of transaction.";
        /// The reason is not in the list.
        UnknownReason = Invalid, "interaction-reason-unknown", "There is no such interaction reason.";
        /// [`TITLE_CHARS_MAX`].
        Title = Invalid, "follow-up-title-malformed", "A follow-up needs a title of one line and at most 256 characters.";
        /// The end is before the start.
        Dates = Invalid, "dates-crosswise", "The end is before the start.";
        /// The responsible is no agent of the host.
        Responsible = NotAllowed, "responsible-no-agent", "Only an agent of this contact center can be responsible.";
        /// It is seen, and another's to change.
        NotYours = Forbidden, "not-your-follow-up", "Only the one who has planned it and the one who is responsible change it.";
        /// The source has no id, or a malformed one.
        Source = Invalid, "source-malformed", "The follow-up must refer to something.";
        /// The type of the note is not in the list.
        UnknownNoteType = Invalid, "note-type-unknown", "There is no such type of notes.";
        /// A note without words.
        Empty = Invalid, "follow-up-note-empty", "The note is empty.";
        /// [`NOTE_BYTES_MAX`].
        TooLong = Invalid, "follow-up-note-too-long", "The note is too long.";
        /// [`NOTES_MAX`] and [`NOTES_BYTES_MAX`].
        TooMany = Limit, "follow-up-notes-full", "This follow-up has as many notes as it may have.";
        /// No note of that type and language was written.
        NoNote = NotFound, "follow-up-note-unknown", "There is no such note.";
        /// Notes of that type are there in several languages, of which none was named.
        NoteUnclear = Invalid, "follow-up-note-unclear", "There are such notes in several languages. Say which one.";
        /// [`LANGUAGE_BYTES_MAX`].
        Language = Invalid, "language-malformed", "This is no language.";
    }
}

impl SourceKind {
    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

impl Status {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Completed { .. } => "completed",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

impl FollowUp {
    /// Nothing is planned yet.
    #[must_use]
    pub const fn new(id: FollowUpId) -> Self {
        Self {
            id,
            version: 0,
            reminders: 0,
            source: None,
            author: None,
            plan: None,
            planned_at: None,
            assigned_at: None,
            status: Status::Planned,
            notes: Vec::new(),
            reminded: false,
        }
    }

    /// The version as it is shown, and named in a write. A reminder is nobody's change: who has read the follow-up before has
    /// read it as it is.
    #[must_use]
    pub const fn version_read(&self) -> u64 {
        self.version.saturating_sub(self.reminders)
    }

    /// When [`Command::TimeIsUp`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let plan = self.plan.as_ref()?;
        plan.due
            .filter(|_| self.status == Status::Planned && !self.reminded)
    }

    /// Bytes of all its notes, earlier versions among them.
    #[must_use]
    pub fn note_bytes(&self) -> usize {
        let versions = self.notes.iter().flat_map(|note| &note.versions);
        versions.map(|version| version.text.len()).sum()
    }

    /// The note of that type and language.
    #[must_use]
    pub fn note(&self, note_type: &str, language: &str) -> Option<&Note> {
        let mut notes = self.notes.iter();
        notes.find(|it| it.note_type == note_type && it.language.eq_ignore_ascii_case(language))
    }
}
