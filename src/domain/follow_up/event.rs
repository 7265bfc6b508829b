//! What happens to a follow-up: commands, and the events that come of them.

use serde::{Deserialize, Serialize};

use super::{FollowUp, Note, NoteVersion, Plan, Source, Status, VERSIONS_MAX};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, CustomerId};

/// What happens to a follow-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is planned.
    Plan {
        /// By whom.
        by: AgentId,
        /// From what.
        source: Source,
        /// What.
        plan: Plan,
    },
    /// It is planned otherwise, by somebody who has read that version.
    Edit {
        /// Which version was read.
        read: u64,
        /// What is planned now.
        plan: Plan,
    },
    /// The customer turned out to be another: their records were merged.
    Link {
        /// Who it was thought to be.
        from: CustomerId,
        /// Who it is.
        to: CustomerId,
    },
    /// Another does it.
    Reassign {
        /// Which version was read, where that is said.
        read: Option<u64>,
        /// Who.
        to: AgentId,
    },
    /// A note is written, or written anew.
    WriteNote {
        /// Which version was read, where that is said.
        read: Option<u64>,
        /// By whom.
        by: AgentId,
        /// Of which type.
        note_type: String,
        /// In which language.
        language: String,
        /// What it says.
        text: String,
    },
    /// It is done.
    Complete {
        /// Which version was read, where that is said.
        read: Option<u64>,
    },
    /// It is not going to be done.
    Cancel {
        /// Which version was read, where that is said.
        read: Option<u64>,
    },
    /// [`FollowUp::deadline`] has come. Too early or too late does no harm.
    TimeIsUp,
}

impl Command {
    /// Which version was read by the one who wants it, where that is said.
    pub(super) const fn read(&self) -> Option<u64> {
        match self {
            Self::Edit { read, .. } => Some(*read),
            Self::Reassign { read, .. }
            | Self::WriteNote { read, .. }
            | Self::Complete { read }
            | Self::Cancel { read } => *read,
            Self::Plan { .. } | Self::Link { .. } | Self::TimeIsUp => None,
        }
    }
}

/// What has happened to a follow-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It is planned.
    Planned {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AgentId,
        /// From what.
        source: Source,
        /// What.
        plan: Plan,
    },
    /// It is planned otherwise.
    Edited {
        /// When.
        at: Timestamp,
        /// What is planned now.
        plan: Plan,
    },
    /// It is about that customer.
    Linked {
        /// When.
        at: Timestamp,
        /// Who.
        customer: CustomerId,
    },
    /// Another does it.
    Reassigned {
        /// When.
        at: Timestamp,
        /// Who.
        to: AgentId,
    },
    /// A note says that from now on.
    Noted {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AgentId,
        /// Of which type.
        note_type: String,
        /// In which language.
        language: String,
        /// What it says.
        text: String,
    },
    /// It is done.
    Completed {
        /// When.
        at: Timestamp,
    },
    /// It is not going to be done.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// The responsible agent is reminded.
    Reminded {
        /// When.
        at: Timestamp,
    },
}

/// Makes the follow-up what it is after the event.
pub fn apply(follow_up: &mut FollowUp, event: &Event) {
    follow_up.version = follow_up.version.saturating_add(1);
    match event {
        Event::Planned {
            at,
            by,
            source,
            plan,
        } => {
            follow_up.planned_at = Some(*at);
            follow_up.assigned_at = Some(*at);
            follow_up.author = Some(by.clone());
            follow_up.source = Some(source.clone());
            follow_up.plan = Some(plan.clone());
        }
        Event::Edited { at, plan } => {
            let before = follow_up.plan.as_ref();
            let due = before.and_then(|plan| plan.due);
            // Another date, another reminder.
            follow_up.reminded &= due == plan.due;
            if before.is_none_or(|it| it.responsible != plan.responsible) {
                follow_up.assigned_at = Some(*at);
            }
            follow_up.plan = Some(plan.clone());
        }
        Event::Linked { customer, .. } => {
            if let Some(plan) = &mut follow_up.plan {
                plan.customer = Some(customer.clone());
            }
        }
        Event::Reassigned { at, to } => {
            follow_up.assigned_at = Some(*at);
            if let Some(plan) = &mut follow_up.plan {
                plan.responsible = to.clone();
            }
        }
        Event::Noted {
            at,
            by,
            note_type,
            language,
            text,
        } => {
            let version = NoteVersion {
                at: *at,
                by: by.clone(),
                text: text.clone(),
            };
            write(follow_up, note_type, language, version);
        }
        Event::Completed { at } => follow_up.status = Status::Completed { at: *at },
        Event::Cancelled { at } => follow_up.status = Status::Cancelled { at: *at },
        Event::Reminded { .. } => {
            follow_up.reminded = true;
            follow_up.reminders = follow_up.reminders.saturating_add(1);
        }
    }
}

fn write(follow_up: &mut FollowUp, note_type: &str, language: &str, version: NoteVersion) {
    let mut notes = follow_up.notes.iter_mut();
    let same =
        |it: &&mut Note| it.note_type == note_type && it.language.eq_ignore_ascii_case(language);
    match notes.find(same) {
        Some(note) => {
            note.versions.push(version);
            let old = note.versions.len().saturating_sub(VERSIONS_MAX);
            note.versions.drain(..old);
            note.forgotten = note.forgotten.saturating_add(old);
        }
        None => follow_up.notes.push(Note {
            note_type: note_type.to_owned(),
            language: language.to_owned(),
            versions: vec![version],
            forgotten: 0,
        }),
    }
}
