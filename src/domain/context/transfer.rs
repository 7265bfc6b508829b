//! One sending of business objects to colleagues (S0-5, S0-27, S0-28, S0-30): sent, delivered and opened, for
//! each recipient and whichever of its devices it was.
//!
//! Machine: [`decide`] and [`apply`] on [`Transfer`]. It has no deadline: what is sent waits until it is opened.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BusinessObject, Rejection};
use crate::clock::Timestamp;
use crate::domain::chat_profile::Means;
use crate::domain::colleague::{Colleague, colleagues};
use crate::domain::ids::{AgentId, ContextId, ImSessionId};
use crate::domain::rights::Right;

/// Objects of one sending.
pub const OBJECTS_MAX: usize = 10;
/// Recipients of one sending.
pub const RECIPIENTS_MAX: usize = 20;
/// Bytes of the words that go with it.
pub const NOTE_BYTES_MAX: usize = 4096;

/// A sending, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Which one.
    pub id: ContextId,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// Who sends.
    pub sender: AgentId,
    /// When it was sent; `None` before.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    /// What is sent.
    #[serde(default)]
    pub objects: Vec<BusinessObject>,
    /// Words that go with it.
    #[serde(default)]
    pub note: Option<String>,
    /// The IM session in which it was sent.
    #[serde(default)]
    pub session: Option<ImSessionId>,
    /// How far it is at each recipient.
    #[serde(default)]
    pub recipients: BTreeMap<AgentId, Progress>,
}

/// How far a sending is at one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "kebab-case")]
pub enum Progress {
    /// It is stored for the recipient.
    Sent,
    /// A device of the recipient has it.
    Delivered {
        /// Since when.
        at: Timestamp,
    },
    /// The recipient has opened it.
    Opened {
        /// When.
        at: Timestamp,
    },
}

impl Progress {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered { .. } => "delivered",
            Self::Opened { .. } => "opened",
        }
    }
}

/// What happens to a sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is sent.
    Send {
        /// To whom; the facts tell the same of each.
        to: Vec<AgentId>,
        /// What.
        objects: Vec<BusinessObject>,
        /// Words that go with it.
        note: Option<String>,
        /// The IM session in which it is sent.
        session: Option<ImSessionId>,
    },
    /// A device of the recipient has received it.
    Deliver {
        /// Whose.
        recipient: AgentId,
    },
    /// The recipient has opened it on one device.
    Open {
        /// Who.
        recipient: AgentId,
    },
}

/// What has happened to a sending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It is stored for its recipients.
    Sent {
        /// When.
        at: Timestamp,
        /// To whom.
        to: Vec<AgentId>,
        /// What.
        objects: Vec<BusinessObject>,
        /// Words that go with it.
        note: Option<String>,
        /// The IM session in which it is sent.
        session: Option<ImSessionId>,
    },
    /// The first device of the recipient has it.
    Delivered {
        /// When.
        at: Timestamp,
        /// Whose.
        recipient: AgentId,
    },
    /// The recipient has opened it for the first time.
    Opened {
        /// When.
        at: Timestamp,
        /// Who.
        recipient: AgentId,
    },
}

/// What a decision needs to know beside the sending.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The sender.
    pub sender: Colleague<'a>,
    /// The recipients of [`Command::Send`]; of the other commands nothing is asked.
    pub recipients: &'a [Colleague<'a>],
}

impl Transfer {
    /// Nothing sent yet.
    #[must_use]
    pub const fn new(id: ContextId, sender: AgentId) -> Self {
        Self {
            id,
            version: 0,
            sender,
            sent_at: None,
            objects: Vec::new(),
            note: None,
            session: None,
            recipients: BTreeMap::new(),
        }
    }
}

/// What comes of a command. A device that repeats itself, or is later than another, changes nothing.
///
/// # Errors
/// When something is over its limit, a recipient is no colleague or may not be sent anything, or whoever
/// acknowledges is no recipient. One bad recipient and nothing is sent.
pub fn decide(
    sending: &Transfer,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Send {
            to,
            objects,
            note,
            session,
        } => {
            if sending.sent_at.is_some() {
                return Err(Rejection::AlreadySent);
            }
            require_recipients(&to, facts)?;
            let objects = checked(objects)?;
            if note
                .as_ref()
                .is_some_and(|note| note.len() > NOTE_BYTES_MAX)
            {
                return Err(Rejection::Note);
            }
            Ok(vec![Event::Sent {
                at: now,
                to,
                objects,
                note,
                session,
            }])
        }
        Command::Deliver { recipient } => match progress(sending, &recipient)? {
            Progress::Sent => Ok(vec![Event::Delivered { at: now, recipient }]),
            Progress::Delivered { .. } | Progress::Opened { .. } => Ok(vec![]),
        },
        // A client that says nothing of delivery may say that it was opened.
        Command::Open { recipient } => match progress(sending, &recipient)? {
            Progress::Sent => Ok(vec![
                Event::Delivered {
                    at: now,
                    recipient: recipient.clone(),
                },
                Event::Opened { at: now, recipient },
            ]),
            Progress::Delivered { .. } => Ok(vec![Event::Opened { at: now, recipient }]),
            Progress::Opened { .. } => Ok(vec![]),
        },
    }
}

fn progress(sending: &Transfer, recipient: &AgentId) -> Result<Progress, Rejection> {
    let found = sending.recipients.get(recipient).copied();
    found.ok_or(Rejection::NotRecipient)
}

fn require_recipients(to: &[AgentId], facts: &Facts<'_>) -> Result<(), Rejection> {
    let different: BTreeSet<&AgentId> = to.iter().collect();
    if to.is_empty() || to.len() > RECIPIENTS_MAX || different.len() < to.len() {
        return Err(Rejection::Recipients);
    }
    if !facts.sender.profile.allows(Means::Context) {
        return Err(Rejection::NotYours);
    }
    for id in to {
        let known = facts.recipients.iter().find(|known| known.id == id);
        // The facts are of others: a mistake of the caller, told as what it would be.
        let recipient = known.ok_or(Rejection::Recipients)?;
        colleagues(&facts.sender, recipient)?;
        let may = recipient.rights.has(Right::Context);
        if !may || !recipient.profile.allows(Means::Context) {
            return Err(Rejection::NotTheirs);
        }
    }
    Ok(())
}

fn checked(objects: Vec<BusinessObject>) -> Result<Vec<BusinessObject>, Rejection> {
    let different: BTreeSet<_> = objects.iter().map(|object| &object.key).collect();
    if objects.is_empty() || objects.len() > OBJECTS_MAX || different.len() < objects.len() {
        return Err(Rejection::Objects);
    }
    objects.into_iter().map(BusinessObject::checked).collect()
}

/// Makes the sending what it is after the event.
pub fn apply(sending: &mut Transfer, event: &Event) {
    sending.version = sending.version.saturating_add(1);
    match event {
        Event::Sent {
            at,
            to,
            objects,
            note,
            session,
        } => {
            sending.sent_at = Some(*at);
            sending.objects.clone_from(objects);
            sending.note.clone_from(note);
            sending.session.clone_from(session);
            let recipients = to.iter().map(|it| (it.clone(), Progress::Sent));
            sending.recipients = recipients.collect();
        }
        Event::Delivered { at, recipient } => {
            let delivered = Progress::Delivered { at: *at };
            sending.recipients.insert(recipient.clone(), delivered);
        }
        Event::Opened { at, recipient } => {
            let opened = Progress::Opened { at: *at };
            sending.recipients.insert(recipient.clone(), opened);
        }
    }
}
